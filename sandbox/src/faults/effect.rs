//! The effect of a fault on the gateway: it executes the request or not, twice, later, or under another policy.

use crate::rules::{
    AlreadyReversed, Answer, Gateway, Note, Now, Policy, Refusals, ReturnedBizId, SameBizId, UnknownReversal,
};

use super::{Chosen, Fault, tamper};

/// A request that has arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// When it arrived.
    pub now: Now,
    /// The HTTP method.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// A delayed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When it is executed at the latest, in milliseconds from now.
    pub ms: u64,
    /// Whether it is executed as soon as its reversal was answered.
    pub until_reversed: bool,
}

impl Arrived<'_> {
    /// The gateway's answer without a fault.
    pub fn handled(&self, gateway: &mut Gateway) -> Answer {
        gateway.handle(self.now, self.method, self.target, self.body)
    }

    fn handled_under(&self, gateway: &mut Gateway, policy: Policy) -> Answer {
        let usual = gateway.policy().clone();
        gateway.set_policy(policy);
        let answer = self.handled(gateway);
        gateway.set_policy(usual);
        answer
    }
}

impl Chosen {
    /// The gateway's time under this fault.
    pub fn time(self, now: Now) -> Now {
        let ms = i64::try_from(self.number).unwrap_or(i64::MAX).saturating_mul(1000);
        let signing_ms = match self.fault {
            Fault::ClockAhead => now.signing_ms.saturating_add(ms),
            Fault::ClockBehind => now.signing_ms.saturating_sub(ms),
            _ => now.signing_ms,
        };
        Now { signing_ms, ..now }
    }

    /// The delay, if the fault delays the request.
    pub fn hold(self) -> Option<Hold> {
        match self.fault {
            Fault::LateArrival => Some(Hold { ms: self.number, until_reversed: false }),
            Fault::Overtaken => Some(Hold { ms: self.number, until_reversed: true }),
            _ => None,
        }
    }

    /// The gateway's answer under this fault; `None` if the request does not reach the gateway now.
    pub fn act(self, gateway: &mut Gateway, arrived: &Arrived) -> Option<Answer> {
        if !self.fault.row().acts || self.hold().is_some() {
            return None;
        }
        let arrived = Arrived { now: self.time(arrived.now), ..*arrived };
        let usual = gateway.policy().clone();
        let answer = match self.fault {
            Fault::DeliveredTwice => {
                let first = arrived.handled(gateway);
                let second = arrived.handled(gateway);
                if self.number == 2 { second } else { first }
            }
            Fault::OtherBizId => {
                arrived.handled_under(gateway, Policy { returned_biz_id: ReturnedBizId::Other, ..usual })
            }
            Fault::RefusedAfter => {
                arrived.handled_under(gateway, Policy { refusals: Refusals::FullEffect, ..usual })
            }
            Fault::PartialEffect => {
                arrived.handled_under(gateway, Policy { refusals: Refusals::CouponsOnly, ..usual })
            }
            Fault::SameFirst => known(gateway, &arrived, SameBizId::FirstAnswer),
            Fault::SameDuplicate => known(gateway, &arrived, SameBizId::Duplicate),
            Fault::SameAgain => known(gateway, &arrived, SameBizId::Again),
            Fault::ReverseUnknownSuccess => {
                let policy = Policy { unknown_reversal: UnknownReversal::Success, ..usual };
                arrived.handled_under(gateway, policy)
            }
            Fault::ReverseAlready => {
                twice(gateway, &arrived, &Policy { already_reversed: AlreadyReversed::Code, ..usual })
            }
            Fault::ReverseTwice => twice(gateway, &arrived, &Policy { reversal_acts_twice: true, ..usual }),
            Fault::NamedRefusal => {
                let answer = arrived.handled(gateway);
                let others = gateway.last_of_ledger(2).into_iter().map(|sale| sale.biz_id);
                let other = others.into_iter().find(|other| Some(other) != answer.note.biz_id.as_ref());
                Answer { body: tamper::refusal_of(other.as_deref().unwrap_or("SANDBOX-NONE")), ..answer }
            }
            _ => arrived.handled(gateway),
        };
        Some(answer)
    }
}

/// The answer to a consume whose bizId is known. If the bizId is new, a copy of the request is executed first.
fn known(gateway: &mut Gateway, arrived: &Arrived, same_biz_id: SameBizId) -> Answer {
    let policy = Policy { same_biz_id, nonces_once: false, ..gateway.policy().clone() };
    let answer = arrived.handled_under(gateway, policy.clone());
    if answer.note.effect == 0 || answer.note.repeated {
        return answer;
    }
    arrived.handled_under(gateway, policy)
}

/// The answer to the second copy of a reversal, under a policy; each copy has its own signature. If the first copy
/// finds the sale already reversed, its answer is the usual one.
fn twice(gateway: &mut Gateway, arrived: &Arrived, policy: &Policy) -> Answer {
    let first = arrived.handled_under(gateway, Policy { reversal_acts_twice: false, ..policy.clone() });
    if first.note.effect == 0 {
        return first;
    }
    let second = arrived.handled_under(gateway, Policy { nonces_once: false, ..policy.clone() });
    // The log shows the sum of both effects.
    let note = Note { effect: first.note.effect + second.note.effect, ..second.note };
    Answer { note, ..second }
}
