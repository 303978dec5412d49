//! What is OPEN about the vendor's gateway, as switches: the sandbox can behave either way.
//! The defaults are the assumptions G1 to G5 of docs/money-safety.md.

use serde::{Deserialize, Serialize};

/// How the names in the signed text are spelled. OPEN for V2; the vendor's own vector uses lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignNames {
    /// `grantCode=…&nonce=…&openId=…&timestamp=…` in both generations.
    #[default]
    Lower,
    /// As the body has them: `GrantCode=…&Nonce=…&OpenId=…&Timestamp=…` in V2.
    AsSent,
}

/// What a consume with a bizId does that has already been carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameBizId {
    /// It gets the first one's answer, and nothing is taken, also when the first one is reversed by now (G3).
    #[default]
    FirstAnswer,
    /// It is refused as a duplicate; nothing is taken.
    Duplicate,
    /// It is carried out again (G3 off).
    Again,
}

/// Which bizId a consume's answer carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnedBizId {
    /// The one that was sent.
    #[default]
    Same,
    /// One of the gateway's own, `ZV000000000001` and on. DOC allows for it: 冲正时以返回参数中的bizId为准.
    Other,
}

/// What a refused consume leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusals {
    /// Nothing: all or nothing (G4).
    #[default]
    Clean,
    /// The parts that could be taken are taken, and the answer is the refusal of the part that could not (G4 off).
    Partial,
    /// A consume that could be carried out is, and is answered with a refusal (G4 off).
    FullEffect,
    /// Of a consume that could be carried out only the coupons are redeemed, and it is answered with a refusal; one
    /// without coupons is carried out whole (G4 off).
    CouponsOnly,
}

/// What a reversal of something unknown answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReversal {
    /// The code `REVERSE_NOT_FOUND`.
    #[default]
    NotFound,
    /// Success, although there was nothing to do.
    Success,
}

/// What a reversal of something reversed answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlreadyReversed {
    /// The code `REVERSE_ALREADY`.
    #[default]
    Code,
    /// Success, as the first one.
    Success,
}

/// How the gateway behaves where nobody knows. A field that is not given has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch by itself")]
pub struct Policy {
    /// The spelling of the names in the signed text.
    pub sign_names: SignNames,
    /// How far a timestamp may be from the gateway's clock, either way, in seconds.
    pub timestamp_window_s: u64,
    /// How far the gateway's clock is from the machine's, in milliseconds; also in the `Date` of its answers.
    pub clock_offset_ms: i64,
    /// How many nonces are remembered at most; the oldest timestamps are forgotten first.
    pub nonces_max: usize,
    /// Whether a nonce is good only once (SEEN).
    pub nonces_once: bool,
    /// A consume with a known bizId.
    pub same_biz_id: SameBizId,
    /// The bizId of a consume's answer.
    pub returned_biz_id: ReturnedBizId,
    /// Whether a reversal finds a consume by the bizId that was sent (G1). Without it, and with
    /// `returned_biz_id: other`, only by the one that the answer carried.
    pub reverse_by_sent: bool,
    /// Whether each reversal gives back again, though the first one already did (G2 off).
    pub reversal_acts_twice: bool,
    /// A reversal of something unknown.
    pub unknown_reversal: UnknownReversal,
    /// Whether a reversal of something unknown is remembered, so that a late original is not carried out.
    pub remember_unknown_reversals: bool,
    /// A reversal of something reversed.
    pub already_reversed: AlreadyReversed,
    /// Whether every reversal is refused.
    pub refuse_reversals: bool,
    /// After how long a reversal is too late (G5 off), in milliseconds; `null` is never.
    pub reversal_window_ms: Option<u64>,
    /// What a refused consume leaves behind (G4).
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
