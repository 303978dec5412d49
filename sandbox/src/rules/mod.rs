//! The gateway's rules without any I/O: no socket, clock, thread, randomness or global state. A [`Gateway`] is a value;
//! its answers depend only on its initial state and on the earlier requests.
//!
//! Each rule names its source: DOC is the vendor's documentation, SEEN is the practice of public integrations, OPEN is
//! unknown (all three in docs/gateway.md), SANDBOX is a choice made here because one had to be made.

mod answer;
mod basket;
mod calendar;
pub mod codes;
mod consume;
mod coupon;
mod envelope;
mod fen;
mod fields;
mod json_value;
mod ledger;
mod lookup;
mod operation;
mod policy;
mod reverse;
mod seed;
mod sign;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

pub use self::{
    answer::{Answer, Note, inner_refusal, refusal, refusal_with, system_error},
    calendar::{http_date, parse_rfc3339, rfc3339},
    coupon::{Coupon, Discount, Line},
    fen::Fen,
    json_value::JsonValue,
    ledger::{Entry, Kind, LedgerView, Taken},
    operation::{Generation, Operation, ROUTES, V2_PATH},
    policy::{AlreadyReversed, Policy, Refusals, ReturnedBizId, SameBizId, SignNames, UnknownReversal},
    seed::{Account, CouponView, Member, MemberView, Seed},
    sign::token,
};
use self::{
    answer::{Done, Refusal},
    envelope::Envelope,
    fields::Fields,
    ledger::Ledger,
    sign::Nonces,
};
use crate::words::{Words, words};

/// The simulated gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    seed: Arc<Seed>,
    policy: Policy,
    members: BTreeMap<String, Member>,
    coupons: BTreeMap<String, Coupon>,
    nonces: Nonces,
    ledger: Ledger,
    /// The number of deductions so far, for a bizId of the gateway's own.
    sequence: u64,
}

/// The arrival time of a request, in milliseconds since 1970. There are two, because the simulator's time can be moved
/// while the tills' clocks stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time for coupons, reversals and the ledger.
    pub business_ms: i64,
    /// The time for timestamps and for the `Date` header.
    pub signing_ms: i64,
}

/// The same time for both.
impl From<i64> for Now {
    fn from(unix_ms: i64) -> Self {
        Self { business_ms: unix_ms, signing_ms: unix_ms }
    }
}

/// An accepted request.
struct Call {
    account: usize,
    now_ms: i64,
    params: Fields,
}

impl Call {
    fn now_s(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }
}

/// The facts about a request before it is handled; faults are selected by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peek {
    /// Its operation.
    pub operation: Option<Operation>,
    /// Its bizId.
    pub biz_id: Option<String>,
    /// Its amount.
    pub amount: Option<Fen>,
}

/// Reads a request without handling it.
pub fn peek(path: &str, body: &[u8]) -> Peek {
    let Ok(envelope) = Envelope::read(path, body) else { return Peek::default() };
    let Ok(params) = envelope.params() else {
        return Peek { operation: envelope.operation, ..Peek::default() };
    };
    Peek {
        operation: envelope.operation,
        biz_id: params.text("bizId").ok().flatten(),
        amount: params.money("amount").ok().flatten(),
    }
}

/// A success of another till's sale that does not exist; a till must never take it for its own answer.
pub fn foreign_success() -> JsonValue {
    let note = Note::default();
    Done::read(consume::foreign_success(), Words::default()).into_answer(note).body
}

impl Gateway {
    /// A gateway in the state of the seed data.
    pub fn new(seed: Arc<Seed>, policy: Policy) -> Self {
        let (members, coupons) = (seed.members.clone(), seed.coupons.clone());
        Self {
            seed,
            policy,
            members,
            coupons,
            nonces: Nonces::default(),
            ledger: Ledger::default(),
            sequence: 0,
        }
    }

    /// Restores the seed data: balances, coupons, nonces and ledger. The policy stays.
    pub fn reset(&mut self) {
        *self = Self::new(Arc::clone(&self.seed), self.policy.clone());
    }

    /// The gateway's behaviour where the vendor's is unknown.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Changes the policy from the next request on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The gateway's clock at a given true time, both in milliseconds since 1970.
    pub fn clock(&self, now_unix_ms: i64) -> i64 {
        now_unix_ms.saturating_add(self.policy.clock_offset_ms)
    }

    /// The effects of one bizId, or of all in order of bizId. A bizId has more than one element only if several
    /// accounts sent it.
    pub fn ledger(&self, biz_id: Option<&str>) -> Vec<LedgerView> {
        self.ledger.views(biz_id)
    }

    /// The bizIds with the latest effects, at most `count`, the latest first.
    pub fn last_of_ledger(&self, count: usize) -> Vec<LedgerView> {
        self.ledger.last(count)
    }

    /// The sale that a reversal names, by the bizId of the request or of the answer: the bizId of the request, and the
    /// requested amount. The account does not matter here.
    pub fn sale(&self, biz_id: &str) -> Option<(&str, Fen)> {
        self.ledger.sale(biz_id).map(|(key, record)| (key.biz_id.as_str(), record.asked))
    }

    /// Answers a request that arrived at the given time.
    pub fn handle(&mut self, now: impl Into<Now>, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut note = Note::default();
        if method != "POST" {
            let why = words!("{method} is not POST", "请求方式为 {method}，应为 POST");
            let refusal = Refusal::system("method", codes::NOT_POST, "请求方式错误", why);
            return Answer { http_status: 405, ..refusal.into_answer(note) };
        }
        if !envelope::is_known_path(path) {
            return Answer { http_status: 404, ..envelope::unknown(path).into_answer(note) };
        }
        match self.answer(now.into(), path, body, &mut note) {
            Ok(done) => done.into_answer(note),
            Err(refusal) => refusal.into_answer(note),
        }
    }

    fn answer(&mut self, now: Now, path: &str, body: &[u8], note: &mut Note) -> Result<Done, Refusal> {
        let now_ms = self.clock(now.business_ms);
        let envelope = Envelope::read(path, body)?;
        note.operation = envelope.operation;
        note.signed_text = Some(sign::signed_text(&envelope, self.policy.sign_names));
        let params = envelope.params();
        if let Ok(params) = &params {
            note.params = Some(params.masked(&["payPassword"]));
            note.biz_id = params.text("bizId").ok().flatten();
        }
        let clock_s = self.clock(now.signing_ms).div_euclid(1000);
        let account = sign::check(&envelope, &self.seed.accounts, &mut self.nonces, &self.policy, clock_s)?;
        let operation = envelope.operation()?;
        let call = Call { account, now_ms, params: params? };
        match operation {
            Operation::Consume => self.consume(&call, &mut note.repeated),
            Operation::Quote => self.quote(&call),
            Operation::Reverse => self.reverse(&call),
            Operation::CouponReverse => self.coupon_reverse(&call),
            Operation::BalanceByBiz => self.balance_by_biz(&call),
            Operation::CouponStatus => self.coupon_status(&call),
            Operation::Member => self.member(&call),
            Operation::Usable => self.usable(&call),
        }
    }

    /// A coupon by its cardId, or by its redemption code if `scanned`.
    fn coupon(&self, name: &str, scanned: bool) -> Option<&Coupon> {
        if scanned {
            self.coupons.values().find(|coupon| coupon.redemption_code == name)
        } else {
            self.coupons.get(name)
        }
    }
}
