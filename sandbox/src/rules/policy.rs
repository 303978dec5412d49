//! Switches for the OPEN behaviour of the vendor's gateway. The defaults are the assumptions G1 to G5 of
//! docs/money-safety.md.

use serde::{Deserialize, Serialize};

/// The spelling of the names in the signed text. OPEN for V2; the vendor's own vector uses lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignNames {
    /// `grantCode=…&nonce=…&openId=…&timestamp=…` in both generations.
    #[default]
    Lower,
    /// As in the body: `GrantCode=…&Nonce=…&OpenId=…&Timestamp=…` in V2.
    AsSent,
}

/// The answer to a consume whose bizId was already executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameBizId {
    /// It gets the first answer again, and nothing is taken, even if the first consume has been reversed since (G3).
    #[default]
    FirstAnswer,
    /// It is refused as a duplicate, and nothing is taken.
    Duplicate,
    /// It is executed again (G3 off).
    Again,
}

/// The bizId in a consume's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnedBizId {
    /// The bizId of the request.
    #[default]
    Same,
    /// A bizId of the gateway's own, from `ZV000000000001` on. DOC allows for it: 冲正时以返回参数中的bizId为准.
    Other,
}

/// The effect of a refused consume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusals {
    /// None: all or nothing (G4).
    #[default]
    Clean,
    /// The available parts are taken, and the answer refuses the missing part (G4 off).
    Partial,
    /// An executable consume is executed and then refused (G4 off).
    FullEffect,
    /// Of an executable consume only the coupons are redeemed, and the answer is a refusal; a consume without coupons
    /// is executed in full (G4 off).
    CouponsOnly,
}

/// The answer to a reversal of an unknown sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReversal {
    /// The code `REVERSE_NOT_FOUND`.
    #[default]
    NotFound,
    /// Success, although there was nothing to do.
    Success,
}

/// The answer to a reversal of a reversed sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlreadyReversed {
    /// The code `REVERSE_ALREADY`.
    #[default]
    Code,
    /// Success, as for the first reversal.
    Success,
}

/// The gateway's behaviour where the vendor's is unknown. An absent field has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch by itself")]
pub struct Policy {
    /// The spelling of the names in the signed text.
    pub sign_names: SignNames,
    /// The tolerance of a timestamp, either way, in seconds.
    pub timestamp_window_s: u64,
    /// The offset of the gateway's clock from the machine's, in milliseconds; also in the `Date` of its answers.
    pub clock_offset_ms: i64,
    /// The number of nonces to remember; those with the oldest timestamps are forgotten first.
    pub nonces_max: usize,
    /// Whether a nonce is valid only once (SEEN).
    pub nonces_once: bool,
    /// A consume with a known bizId.
    pub same_biz_id: SameBizId,
    /// The bizId of a consume's answer.
    pub returned_biz_id: ReturnedBizId,
    /// Whether a reversal finds a consume by the bizId of the request (G1). If false, and with `returned_biz_id:
    /// other`, only the bizId of the answer finds it.
    pub reverse_by_sent: bool,
    /// Whether a repeated reversal gives back again (G2 off).
    pub reversal_acts_twice: bool,
    /// A reversal of an unknown sale.
    pub unknown_reversal: UnknownReversal,
    /// Whether a reversal of an unknown sale is remembered, so that a late original is not executed.
    pub remember_unknown_reversals: bool,
    /// A reversal of a reversed sale.
    pub already_reversed: AlreadyReversed,
    /// Whether every reversal is refused.
    pub refuse_reversals: bool,
    /// The age of a consume from which on a reversal is too late (G5 off), in milliseconds; `null` is never.
    pub reversal_window_ms: Option<u64>,
    /// The effect of a refused consume (G4).
    pub refusals: Refusals,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            sign_names: SignNames::default(),
            timestamp_window_s: 600,
            clock_offset_ms: 0,
            nonces_max: 200_000,
            nonces_once: true,
            same_biz_id: SameBizId::default(),
            returned_biz_id: ReturnedBizId::default(),
            reverse_by_sent: true,
            reversal_acts_twice: false,
            unknown_reversal: UnknownReversal::default(),
            remember_unknown_reversals: false,
            already_reversed: AlreadyReversed::default(),
            refuse_reversals: false,
            reversal_window_ms: None,
            refusals: Refusals::default(),
        }
    }
}
