//! What a consume is: one pure step function. No I/O, clock, thread or randomness is in here; the client drives
//! it with real effects, a simulation with simulated ones.
//!
//! ```text
//! request ──▶ intent recorded ──▶ send ──▶ answer ──▶ succeeded | declined ──▶ recorded ──▶ told
//!                                  ├─ no byte left ──▶ not_sent ─────────────▶ recorded ──▶ told
//!                                  └─ anything else ─▶ unknown ──────────────▶ recorded ──▶ told
//! ```

use crate::gateway::{Accepted, CodeRules, Doubt, Refusal, Verdict};
use crate::outcome::{Outcome, codes, codes::Code};

/// How one attempt ended. `Succeeded` needs an [`Accepted`], which only the gateway's proven answer gives.
#[derive(Clone, Debug)]
pub enum Conclusion {
    /// The gateway did it.
    Succeeded(Accepted),
    /// The gateway said no and took nothing.
    Declined(Refusal),
    /// No byte left the machine.
    NotSent(NotSent),
    /// It may have happened.
    Unknown(Doubt),
}

/// Why nothing was sent.
#[derive(Clone, Debug)]
pub struct NotSent {
    /// The library's code.
    pub code: &'static Code,
    /// In words.
    pub message: String,
}

impl Conclusion {
    /// What the till is told of it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Conclusion::Succeeded(_) => Outcome::Succeeded,
            Conclusion::Declined(_) => Outcome::Declined,
            Conclusion::NotSent(_) => Outcome::NotSent,
            Conclusion::Unknown(_) => Outcome::Unknown,
        }
    }

    /// Whether the same bizId may be sent again: only where nothing was taken.
    pub fn may_be_tried_again(&self) -> bool {
        matches!(self, Conclusion::Declined(_) | Conclusion::NotSent(_))
    }
}

/// What a bizId stands for already.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Another request.
    OtherRequest,
    /// The same request, which another caller is carrying out.
    Running,
    /// The same request, which has ended so.
    Concluded(Conclusion),
}

/// Where a consume is.
#[derive(Clone, Debug)]
pub enum State {
    /// Nothing is recorded.
    New,
    /// The intent is recorded and the request is on its way.
    Sending {
        /// A first attempt was refused for its timestamp; this is the second.
        resigned: bool,
    },
    /// The first attempt was refused for its timestamp, before any effect; the second is being recorded.
    SigningAnew,
    /// The end is known and is being recorded.
    Concluding(Conclusion),
    /// The till was told.
    Done,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A till asks for the consume.
    Asked,
    /// The intent, or the further attempt, is recorded.
    IntentRecorded,
    /// The bizId stands for something.
    Stands(Standing),
    /// The caller that carries out the same request has not ended before this call's deadline.
    WaitedInVain,
    /// The journal could not be written.
    JournalFailed(String),
    /// The send failed before a byte left.
    NotSent(NotSent),
    /// The send failed, or its answer was none, after a byte may have left.
    Lost(Doubt),
    /// The gateway answered. `clock_is_off` says that this answer's `Date` shows a wrong clock.
    Answered {
        /// What the answer proves.
        verdict: Verdict,
        /// Whether signing with the corrected time could help.
        clock_is_off: bool,
    },
    /// The conclusion is recorded.
    ConclusionRecorded,
}

/// What is to be done; exactly one thing after every event, whose result is the next event.
#[derive(Debug)]
pub enum Effect {
    /// Record the intent, unless the bizId stands for something.
    RecordIntent,
    /// Wait for the caller that is carrying out the same request.
    AwaitOther,
    /// Sign and send the request.
    Send,
    /// Record that the request goes out once more.
    RecordAttempt,
    /// Record how it ended.
    RecordConclusion(Conclusion),
    /// Tell the till; nothing follows.
    Tell(Told),
}

/// What the till is told.
#[derive(Debug)]
pub enum Told {
    /// How this call's attempt ended.
    Ended(Conclusion),
    /// How the same request ended before; nothing was sent.
    Replayed(Conclusion),
    /// The bizId stands for another request; nothing was sent.
    Conflict,
    /// The other caller has not ended before this call's deadline; this call sent nothing.
    Busy,
    /// Nothing was sent, for a reason inside the machine.
    Internal {
        /// The library's code.
        code: &'static Code,
        /// In words.
        message: String,
    },
}

/// One step of a consume.
pub fn step(state: State, event: Event) -> (State, Effect) {
    match (state, event) {
        (State::New, Event::Asked) => (State::New, Effect::RecordIntent),
        (State::New, Event::IntentRecorded) => (State::Sending { resigned: false }, Effect::Send),
        (State::New, Event::Stands(standing)) => match standing {
            Standing::Running => (State::New, Effect::AwaitOther),
            Standing::OtherRequest => tell(Told::Conflict),
            Standing::Concluded(conclusion) => tell(Told::Replayed(conclusion)),
        },
        (State::New, Event::WaitedInVain) => tell(Told::Busy),
        // Nothing was taken: nothing was sent, or all that was sent was refused before any effect.
        (
            State::New | State::SigningAnew | State::Concluding(Conclusion::NotSent(_)),
            Event::JournalFailed(message),
        ) => tell(Told::Internal { code: &codes::JOURNAL, message }),

        (
            State::Sending { resigned: false },
            Event::Answered { verdict: Verdict::Refused(refusal), clock_is_off: true },
        ) if refusal.code == CodeRules::SIGNATURE => (State::SigningAnew, Effect::RecordAttempt),
        (State::SigningAnew, Event::IntentRecorded) => (State::Sending { resigned: true }, Effect::Send),
        (State::Sending { .. }, Event::Answered { verdict, .. }) => conclude(match verdict {
            Verdict::Accepted(accepted) => Conclusion::Succeeded(accepted),
            // Also on a second attempt: the first one has its own proof that it took nothing.
            Verdict::Refused(refusal) => Conclusion::Declined(refusal),
            Verdict::Doubt(doubt) => Conclusion::Unknown(doubt),
        }),
        (State::Sending { .. }, Event::NotSent(why)) => conclude(Conclusion::NotSent(why)),
        (State::Sending { .. }, Event::Lost(doubt)) => conclude(Conclusion::Unknown(doubt)),

        (State::Concluding(conclusion), Event::ConclusionRecorded) => tell(Told::Ended(conclusion)),
        // No final answer reaches the till before its outcome is recorded.
        (State::Concluding(_), Event::JournalFailed(message)) => tell(Told::Ended(Conclusion::Unknown(
            Doubt::new(&codes::JOURNAL, format!("the outcome could not be recorded: {message}")),
        ))),

        // Events out of order are a defect of the driver. Before the send nothing was taken; after it, who knows.
        (State::New, event) => tell(Told::Internal {
            code: &codes::PANIC,
            message: format!("unexpected event before the send: {event:?}"),
        }),
        (state, event) => tell(Told::Ended(Conclusion::Unknown(Doubt::new(
            &codes::PANIC,
            format!("unexpected event {event:?} in {state:?}"),
        )))),
    }
}

fn conclude(conclusion: Conclusion) -> (State, Effect) {
    (State::Concluding(conclusion.clone()), Effect::RecordConclusion(conclusion))
}

fn tell(told: Told) -> (State, Effect) {
    (State::Done, Effect::Tell(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Verdict {
        Verdict::Refused(Refusal { code: code.into(), message: String::new() })
    }

    fn sending(resigned: bool) -> State {
        State::Sending { resigned }
    }

    #[test]
    fn nothing_is_sent_before_the_intent_is_recorded() {
        let (state, effect) = step(State::New, Event::Asked);
        assert!(matches!(effect, Effect::RecordIntent));
        let (state, effect) = step(state, Event::IntentRecorded);
        assert!(matches!((state, effect), (State::Sending { resigned: false }, Effect::Send)));
        let (_, effect) = step(State::New, Event::JournalFailed("disk".into()));
        assert!(matches!(effect, Effect::Tell(Told::Internal { .. })));
    }

    #[test]
    fn nothing_is_told_before_the_end_is_recorded() {
        for event in [
            Event::Answered { verdict: refused("40001"), clock_is_off: false },
            Event::NotSent(NotSent { code: &codes::CONNECT, message: String::new() }),
            Event::Lost(Doubt::new(&codes::LOST, "")),
        ] {
            let (state, effect) = step(sending(false), event);
            assert!(matches!(effect, Effect::RecordConclusion(_)));
            let (_, effect) = step(state, Event::ConclusionRecorded);
            assert!(matches!(effect, Effect::Tell(Told::Ended(_))));
        }
    }

    #[test]
    fn an_end_that_cannot_be_recorded_is_unknown() {
        let refusal = Refusal { code: "1".into(), message: String::new() };
        let (_, effect) =
            step(State::Concluding(Conclusion::Declined(refusal)), Event::JournalFailed("full".into()));
        assert!(matches!(effect, Effect::Tell(Told::Ended(Conclusion::Unknown(_)))));
        let not_sent = NotSent { code: &codes::CONNECT, message: String::new() };
        let (_, effect) =
            step(State::Concluding(Conclusion::NotSent(not_sent)), Event::JournalFailed("full".into()));
        assert!(matches!(effect, Effect::Tell(Told::Internal { .. })));
    }

    #[test]
    fn a_refused_signature_is_signed_anew_once_and_only_with_a_wrong_clock() {
        let answer = |clock_is_off| Event::Answered { verdict: refused("110004"), clock_is_off };
        let (state, effect) = step(sending(false), answer(true));
        assert!(matches!(effect, Effect::RecordAttempt));
        let (state, effect) = step(state, Event::IntentRecorded);
        assert!(matches!(effect, Effect::Send));
        let (_, effect) = step(state, answer(true));
        assert!(matches!(effect, Effect::RecordConclusion(Conclusion::Declined(_))));
        let (_, effect) = step(sending(false), answer(false));
        assert!(matches!(effect, Effect::RecordConclusion(Conclusion::Declined(_))));
    }

    #[test]
    fn a_known_biz_id_is_never_sent() {
        let refusal = Refusal { code: "1".into(), message: String::new() };
        for (standing, wait) in [
            (Standing::OtherRequest, false),
            (Standing::Running, true),
            (Standing::Concluded(Conclusion::Declined(refusal)), false),
        ] {
            let (_, effect) = step(State::New, Event::Stands(standing));
            assert_eq!(matches!(effect, Effect::AwaitOther), wait);
            assert!(!matches!(effect, Effect::Send));
        }
    }

    #[test]
    fn disorder_after_the_send_is_unknown() {
        let (_, effect) = step(sending(false), Event::Asked);
        assert!(matches!(effect, Effect::Tell(Told::Ended(Conclusion::Unknown(_)))));
        let (_, effect) = step(State::New, Event::ConclusionRecorded);
        assert!(matches!(effect, Effect::Tell(Told::Internal { .. })));
    }
}
