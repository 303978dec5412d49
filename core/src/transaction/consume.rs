//! One call that asks for a consume, step by step.

use super::restart::Known;
use super::settle::voided;
use super::{Entry, OnUnknown, Owner, Reversal, Stage};
use crate::gateway::{CodeRules, Doubt, Identity, NotSent, Verdict};
use crate::outcome::{codes, codes::Code};

/// Where a call is.
#[derive(Clone, Debug)]
pub enum State {
    /// Nothing of this call is recorded. Holds the intent that it would record.
    New(Entry),
    /// The intent is recorded and the request is on its way.
    Sending {
        /// What is recorded.
        entry: Entry,
        /// A first attempt was refused for its timestamp; this is the second.
        resigned: bool,
    },
    /// A first attempt was refused for its timestamp, before any effect; the second is being recorded.
    SigningAnew,
    /// The end is known and is being recorded.
    Concluding {
        /// What happened, to be judged again if the record has changed meanwhile.
        end: End,
    },
    /// The till was told.
    Done,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum End {
    /// The gateway's answer, which proves something or not.
    Answered(Verdict),
    /// No byte left.
    NotSent(NotSent),
    /// Anything may have happened.
    Lost(Doubt),
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A till asks for the consume.
    Asked,
    /// What was to be recorded is recorded.
    Recorded(Entry),
    /// The bizId stands for this, which is not what the call wanted to record over.
    Stands(Entry),
    /// Another sale of the same member or coupon is unsettled.
    InDoubt(Entry),
    /// The owner of what stands is dead.
    OwnerDied(Entry),
    /// The caller that carries out the same request has not ended before this call's deadline.
    WaitedInVain,
    /// The journal could not be read or written.
    JournalFailed {
        /// The library's code.
        code: &'static Code,
        /// In words.
        message: String,
    },
    /// The send ended. `clock_is_off` says that the answer's `Date` shows a wrong clock.
    Ended {
        /// How.
        end: End,
        /// Whether signing with the corrected time could help.
        clock_is_off: bool,
    },
}

/// What is to be done; exactly one thing after every event, whose result is the next event.
#[derive(Debug)]
pub enum Effect {
    /// Record the intent, unless the bizId stands for something or another sale of the member is in doubt.
    RecordIntent(Entry),
    /// Record a further attempt over the revision before it, unless another sale of the member is in doubt.
    RecordAgain(Entry),
    /// Record over the revision before it.
    Record(Entry),
    /// Wait for the caller that is carrying out this same request.
    AwaitOther(Entry),
    /// Sign and send the request.
    Send,
    /// Tell the till; nothing follows.
    Tell(Told),
}

/// What the till is told.
#[derive(Debug)]
pub enum Told {
    /// What this call's attempt came to.
    Ended(Entry),
    /// What stands for the same request from before; this call sent nothing.
    Stands(Entry),
    /// The bizId stands for another request, or was reversed; this call sent nothing.
    Conflict(Entry),
    /// Something was sent under the bizId and nothing was taken, and this is another request; this call sent nothing.
    NewBizId(Entry),
    /// The other caller has not ended before this call's deadline; this call sent nothing.
    Busy,
    /// Another sale of the same member or coupon is unsettled; this call sent nothing.
    InDoubt(Entry),
    /// The attempt was made with another journal: what stands here, if anything, proves nothing; this call sent nothing.
    OtherJournal(Option<Entry>),
    /// The outcome could not be recorded, and anything may have happened.
    Unrecorded(Doubt),
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
        (State::New(intent), Event::Asked) => {
            let record = intent.clone();
            (State::New(intent), Effect::RecordIntent(record))
        }
        (State::New(_), Event::Recorded(entry)) if entry.stage == Stage::Sending => {
            (State::Sending { entry, resigned: false }, Effect::Send)
        }
        // What was recorded was the death of another owner.
        (State::New(intent), Event::Recorded(entry) | Event::Stands(entry)) => stands(intent, entry),
        (State::New(intent), Event::OwnerDied(entry)) => {
            let ended = abandoned(&entry);
            (State::New(intent), Effect::Record(ended))
        }
        (State::New(_), Event::InDoubt(entry)) => tell(Told::InDoubt(entry)),
        (State::New(_), Event::WaitedInVain) => tell(Told::Busy),
        // Nothing was taken: nothing was sent, or all that was sent was refused before any effect.
        (
            State::New(_) | State::SigningAnew | State::Concluding { end: End::NotSent(_) },
            Event::JournalFailed { code, message },
        ) => tell(Told::Internal { code, message }),

        (
            State::Sending { entry, resigned: false },
            Event::Ended { end: End::Answered(Verdict::Refused(refusal)), clock_is_off: true },
        ) if refusal.code == CodeRules::SIGNATURE => {
            (State::SigningAnew, Effect::Record(again(&entry, entry.owner.clone())))
        }
        (State::SigningAnew, Event::Recorded(entry)) => {
            (State::Sending { entry, resigned: true }, Effect::Send)
        }
        // A till asked for its reversal in between: nothing was taken, so there is nothing left to send.
        (State::SigningAnew, Event::Stands(entry)) if entry.stage != Stage::Sending => {
            tell(Told::Stands(entry))
        }
        (State::SigningAnew, Event::Stands(entry)) => {
            let end = End::NotSent(NotSent {
                code: &codes::CONNECT,
                message: "a reversal was asked for before the second attempt".to_owned(),
            });
            conclude(&entry, end)
        }
        (State::Sending { entry, .. }, Event::Ended { end, .. }) => conclude(&entry, end),

        (State::Concluding { .. }, Event::Recorded(entry)) => tell(Told::Ended(entry)),
        // A till asked for its reversal while it was running: judged again over what stands now.
        (State::Concluding { end }, Event::Stands(entry)) if entry.stage == Stage::Sending => {
            conclude(&entry, end)
        }
        // It was taken for dead and is being undone, or was; but the gateway did it, and only now that is known. Or
        // only now it ended without proof: it may have been sent after whatever was found out about it.
        (State::Concluding { end }, Event::Stands(entry))
            if matches!(
                entry.stage,
                Stage::Unknown | Stage::Reversing | Stage::Reversed | Stage::Refused | Stage::Unproven
            ) =>
        {
            match &end {
                End::Answered(Verdict::Doubt(doubt)) | End::Lost(doubt) => {
                    let record = reopened(&entry, doubt);
                    (State::Concluding { end }, Effect::Record(record))
                }
                End::Answered(Verdict::Accepted(accepted)) => {
                    let held = entry.stage == Stage::Unknown;
                    let record = entry.moved(if held { Stage::Succeeded } else { Stage::Reversing });
                    let record = record.with_accepted(accepted);
                    (State::Concluding { end }, Effect::Record(record))
                }
                _ => tell(Told::Stands(entry)),
            }
        }
        (State::Concluding { .. }, Event::Stands(entry)) => tell(Told::Stands(entry)),
        // No final answer reaches the till before its outcome is recorded.
        (State::Concluding { .. }, Event::JournalFailed { code, message }) => {
            tell(Told::Unrecorded(Doubt::new(
                &codes::JOURNAL,
                format!("the outcome could not be recorded: {} {message}", code.text),
            )))
        }

        // Events out of order are a defect of the driver. Before the send nothing was taken; after it, who knows.
        (State::New(_), event) => tell(Told::Internal {
            code: &codes::PANIC,
            message: format!("unexpected event before the send: {event:?}"),
        }),
        (state, event) => tell(Told::Unrecorded(Doubt::new(
            &codes::PANIC,
            format!("unexpected event {event:?} in {state:?}"),
        ))),
    }
}

/// What a call tells whose till made the attempt with another journal: it sends nothing. `None` where this journal may
/// carry it out.
pub fn unless_elsewhere(intent: &Identity, known: Known) -> Option<Told> {
    match known {
        Known::OtherJournal(entry) => Some(Told::OtherJournal(entry)),
        Known::Stands(entry) if !entry.identity.is_same_as(intent) => Some(Told::Conflict(entry)),
        Known::Stands(entry) if matches!(entry.stage, Stage::Reversed | Stage::Undone) => {
            Some(Told::Conflict(entry))
        }
        Known::Stands(entry) => Some(Told::Stands(entry)),
        Known::LeftBehind(_) => Some(Told::Unrecorded(left_behind())),
        Known::NeverSent | Known::NotRecorded => None,
    }
}

/// The record of an attempt whose owner died: it may have happened.
pub fn abandoned(entry: &Entry) -> Entry {
    in_doubt(entry, &left_behind()).ended_when_sent()
}

/// The doubt about an attempt that nobody carries out any more.
pub fn left_behind() -> Doubt {
    Doubt::new(
        &codes::ABANDONED,
        "the call or the process that sent it ended and its outcome is not recorded",
    )
}

/// What the call does about what stands under its bizId.
fn stands(intent: Entry, entry: Entry) -> (State, Effect) {
    if !entry.identity.is_same_as(&intent.identity) {
        if let Some(told) = another_request(&entry) {
            return tell(told);
        }
        let record = replaced(&entry, &intent);
        return (State::New(intent), Effect::RecordAgain(record));
    }
    match entry.stage {
        Stage::Sending => (State::New(intent), Effect::AwaitOther(entry)),
        Stage::Declined | Stage::NotSent => {
            let mut record = again(&entry, intent.owner.clone());
            record.detail.origin.clone_from(&intent.detail.origin);
            (State::New(intent), Effect::RecordAgain(record))
        }
        Stage::Reversed | Stage::Undone => tell(Told::Conflict(entry)),
        Stage::Succeeded
        | Stage::Unknown
        | Stage::Reversing
        | Stage::Refused
        | Stage::Unproven
        | Stage::Kept => tell(Told::Stands(entry)),
    }
}

/// What another request than the recorded one is told under its bizId; `None` where no byte ever left under it. What was
/// refused may have been taken all the same, or be taken later: then nobody could say which of two sums it was.
pub fn another_request(entry: &Entry) -> Option<Told> {
    match entry.stage {
        _ if entry.is_free() => None,
        Stage::Declined | Stage::NotSent => Some(Told::NewBizId(entry.clone())),
        _ => Some(Told::Conflict(entry.clone())),
    }
}

/// The record of another request under a bizId that is free.
fn replaced(entry: &Entry, intent: &Entry) -> Entry {
    let mut next = intent.clone();
    next.revision = entry.revision + 1;
    next.attempt = entry.attempt + 1;
    next.created_unix_ms = entry.created_unix_ms;
    next.detail.earlier_never_left = true;
    next
}

/// The record of a further attempt.
fn again(entry: &Entry, owner: Owner) -> Entry {
    let mut next = entry.moved(Stage::Sending);
    next.attempt += 1;
    next.owner = owner;
    next.detail.earlier_never_left = entry.is_free();
    next.detail.words = None;
    next.detail.warnings.clear();
    next.detail.answered = false;
    next
}

/// Records how the attempt ended.
fn conclude(entry: &Entry, end: End) -> (State, Effect) {
    let record = match &end {
        // Also on a second attempt: the first one has its own proof that it took nothing.
        End::Answered(Verdict::Refused(refusal)) => ended(entry, Stage::Declined).with_refusal(refusal),
        End::Answered(Verdict::Accepted(accepted)) => ended(entry, Stage::Succeeded).with_accepted(accepted),
        End::NotSent(why) => ended(entry, Stage::NotSent).with_words(why.code, &why.message),
        End::Answered(Verdict::Doubt(doubt)) | End::Lost(doubt) => in_doubt(entry, doubt),
    };
    (State::Concluding { end }, Effect::Record(record))
}

/// The stage of a proven end; where a till has asked for the reversal meanwhile, what was taken goes back and
/// what was not taken can no longer be.
fn ended(entry: &Entry, stage: Stage) -> Entry {
    match stage {
        _ if !entry.detail.reversal.asked => entry.moved(stage),
        Stage::Succeeded => entry.moved(Stage::Reversing),
        _ => voided(entry, stage),
    }
}

/// The record of an attempt that ended without proof after it had been taken for dead: whatever was confirmed or not
/// found meanwhile may have been so before it arrived.
fn reopened(entry: &Entry, doubt: &Doubt) -> Entry {
    let mut next = in_doubt(entry, doubt);
    next.detail.reopened = next.detail.reopened.saturating_add(1);
    next.detail.reversal =
        Reversal { last: None, refused: false, said: None, promised: false, ..entry.detail.reversal.clone() };
    next
}

fn in_doubt(entry: &Entry, doubt: &Doubt) -> Entry {
    let reverse = entry.on_unknown == OnUnknown::Reverse || entry.detail.reversal.asked;
    let stage = if reverse { Stage::Reversing } else { Stage::Unknown };
    entry.moved(stage).with_doubt(doubt)
}

fn tell(told: Told) -> (State, Effect) {
    (State::Done, Effect::Tell(told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Refusal;
    use crate::money::BizId;
    use crate::transaction::Key;

    fn intent(on_unknown: OnUnknown) -> Entry {
        let key = Key { open_id: "o".into(), endpoint: "e".into(), biz_id: BizId::new("B1").unwrap() };
        Entry::intent(key, Identity::default(), Owner("me".into()), on_unknown, 0)
    }

    fn sending(on_unknown: OnUnknown) -> State {
        State::Sending { entry: intent(on_unknown), resigned: false }
    }

    fn refused(code: &str) -> End {
        End::Answered(Verdict::Refused(Refusal {
            code: code.into(),
            message: String::new(),
            warnings: Vec::new(),
        }))
    }

    fn not_sent() -> End {
        End::NotSent(NotSent { code: &codes::CONNECT, message: String::new() })
    }

    fn lost() -> End {
        End::Lost(Doubt::new(&codes::LOST, ""))
    }

    fn ended(end: End) -> Event {
        Event::Ended { end, clock_is_off: false }
    }

    fn full() -> Event {
        Event::JournalFailed { code: &codes::JOURNAL_FULL, message: "full".into() }
    }

    fn recorded(effect: Effect) -> Entry {
        match effect {
            Effect::Record(entry) | Effect::RecordIntent(entry) | Effect::RecordAgain(entry) => entry,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_sent_before_the_intent_is_recorded() {
        let (state, effect) = step(State::New(intent(OnUnknown::Hold)), Event::Asked);
        let entry = recorded(effect);
        let (state, effect) = step(state, Event::Recorded(entry));
        assert!(matches!((state, effect), (State::Sending { .. }, Effect::Send)));
        let (_, effect) = step(State::New(intent(OnUnknown::Hold)), full());
        assert!(
            matches!(effect, Effect::Tell(Told::Internal { code, .. }) if code.text == "ZV-JOURNAL-FULL")
        );
    }

    #[test]
    fn nothing_is_told_before_the_end_is_recorded() {
        for (end, stage) in
            [(refused("40001"), Stage::Declined), (not_sent(), Stage::NotSent), (lost(), Stage::Reversing)]
        {
            let (state, effect) = step(sending(OnUnknown::Reverse), ended(end));
            let entry = recorded(effect);
            assert_eq!((entry.stage(), entry.revision()), (stage, 2));
            let (_, effect) = step(state, Event::Recorded(entry));
            assert!(matches!(effect, Effect::Tell(Told::Ended(entry)) if entry.stage() == stage));
        }
        let (_, effect) = step(sending(OnUnknown::Hold), ended(lost()));
        assert_eq!(recorded(effect).stage(), Stage::Unknown);
    }

    #[test]
    fn an_end_that_cannot_be_recorded_is_unknown() {
        let (state, _) = step(sending(OnUnknown::Hold), ended(refused("1")));
        assert!(matches!(step(state, full()).1, Effect::Tell(Told::Unrecorded(_))));
        let (state, _) = step(sending(OnUnknown::Hold), ended(not_sent()));
        assert!(matches!(step(state, full()).1, Effect::Tell(Told::Internal { .. })));
    }

    #[test]
    fn a_refused_signature_is_signed_anew_once_and_only_with_a_wrong_clock() {
        let answer = |clock_is_off| Event::Ended { end: refused("110004"), clock_is_off };
        let (state, effect) = step(sending(OnUnknown::Hold), answer(true));
        let second = recorded(effect);
        assert_eq!((second.stage(), second.attempt()), (Stage::Sending, 2));
        let (state, effect) = step(state, Event::Recorded(second));
        assert!(matches!(effect, Effect::Send));
        let (_, effect) = step(state, answer(true));
        assert_eq!(recorded(effect).stage(), Stage::Declined);
        let (_, effect) = step(sending(OnUnknown::Hold), answer(false));
        assert_eq!(recorded(effect).stage(), Stage::Declined);
    }

    #[test]
    fn what_stands_is_never_sent_again_unless_nothing_was_taken() {
        for stage in Stage::ALL {
            let (_, effect) = step(
                State::New(intent(OnUnknown::Hold)),
                Event::Stands(intent(OnUnknown::Hold).moved(stage)),
            );
            match stage {
                Stage::Sending => assert!(matches!(effect, Effect::AwaitOther(_))),
                Stage::Declined | Stage::NotSent => {
                    let again = recorded(effect);
                    assert_eq!((again.stage(), again.attempt(), again.revision()), (Stage::Sending, 2, 3));
                }
                Stage::Reversed | Stage::Undone => assert!(matches!(effect, Effect::Tell(Told::Conflict(_)))),
                _ => assert!(matches!(effect, Effect::Tell(Told::Stands(_)))),
            }
        }
        let mut other = intent(OnUnknown::Hold).moved(Stage::Succeeded);
        other.identity.points = Some(5);
        let (_, effect) = step(State::New(intent(OnUnknown::Hold)), Event::Stands(other));
        assert!(matches!(effect, Effect::Tell(Told::Conflict(_))));
    }

    /// As an earlier version recorded it: ids as they came.
    #[test]
    fn a_request_is_the_same_in_every_spelling_of_its_ids() {
        let of = |customer_id: Option<&str>, coupons: &[&str], kind| Identity {
            customer_id: customer_id.map(str::to_owned),
            coupons: coupons.iter().map(|coupon| (*coupon).to_owned()).collect(),
            kind,
            ..Identity::default()
        };
        for (recorded, asked, same) in [
            (of(Some("383 "), &[], None), of(Some("383"), &[], None), true),
            (of(Some("\u{feff}383"), &[" B", "A"], Some(1)), of(Some("383"), &["A", "B"], Some(1)), true),
            (of(Some("0"), &["A"], Some(1)), of(None, &["A"], Some(1)), true),
            (of(Some("0383"), &[], None), of(Some("383"), &[], None), false),
            (of(Some("383"), &["007"], None), of(Some("383"), &["7"], None), false),
            (of(Some("383"), &["A"], Some(1)), of(Some("383"), &["A"], None), false),
        ] {
            let mut stands = intent(OnUnknown::Hold).moved(Stage::Succeeded);
            stands.identity = recorded;
            let mut again = intent(OnUnknown::Hold);
            again.identity = asked;
            let (_, effect) = step(State::New(again), Event::Stands(stands.clone()));
            let replayed = matches!(effect, Effect::Tell(Told::Stands(_)));
            assert_eq!(replayed, same, "{:?}", stands.identity);
        }
    }

    #[test]
    fn another_request_goes_only_under_a_biz_id_under_which_no_byte_ever_left() {
        let asked_with = |stands: &Entry, points| {
            let mut other = intent(OnUnknown::Hold);
            other.identity.points = Some(points);
            step(State::New(other), Event::Stands(stands.clone())).1
        };
        let asked = |stands: &Entry| asked_with(stands, 5);
        let end = |entry: &Entry, end| recorded(conclude(entry, end).1);
        for stage in Stage::ALL {
            let effect = asked(&intent(OnUnknown::Hold).moved(stage));
            match stage {
                Stage::NotSent => {
                    let record = recorded(effect);
                    assert_eq!((record.revision(), record.attempt()), (3, 2));
                    assert_eq!(record.identity().points, Some(5));
                    // Still free when no byte of this one leaves either; not when it was sent and refused.
                    let not_sent = end(&record, not_sent());
                    assert_eq!(recorded(asked_with(&not_sent, 6)).attempt(), 3);
                    let declined = end(&record, refused("1"));
                    assert!(matches!(asked_with(&declined, 6), Effect::Tell(Told::NewBizId(_))));
                }
                Stage::Declined => assert!(matches!(effect, Effect::Tell(Told::NewBizId(_)))),
                _ => assert!(matches!(effect, Effect::Tell(Told::Conflict(_))), "{stage:?}"),
            }
        }
        // Sent and refused, then not sent: a byte has left all the same.
        let again = again(&intent(OnUnknown::Hold).moved(Stage::Declined), Owner("me".into()));
        assert!(matches!(asked(&end(&again, not_sent())), Effect::Tell(Told::NewBizId(_))));
        // So it stays when its details are dropped.
        let retired = end(&again, not_sent()).retired().unwrap();
        assert!(matches!(asked(&retired), Effect::Tell(Told::NewBizId(_))));
        // A version before this one has not written it down.
        let mut old = intent(OnUnknown::Hold).moved(Stage::NotSent);
        old.attempt = 2;
        assert!(matches!(asked(&old), Effect::Tell(Told::NewBizId(_))));
    }

    #[test]
    fn a_reversal_asked_for_meanwhile_turns_success_into_reversing() {
        let mut asked = intent(OnUnknown::Hold).moved(Stage::Sending);
        asked.detail.reversal.asked = true;
        for (end, stage) in
            [(lost(), Stage::Reversing), (refused("1"), Stage::Reversed), (not_sent(), Stage::Reversed)]
        {
            let (state, _) = step(sending(OnUnknown::Hold), ended(end));
            let (_, effect) = step(state, Event::Stands(asked.clone()));
            let record = recorded(effect);
            assert_eq!((record.stage(), record.revision()), (stage, 3));
        }
    }

    #[test]
    fn a_proof_that_comes_after_the_burial_is_not_thrown_away() {
        let body = br#"{"status":true,"code":0,"message":"","data":{"bizId":"B1"}}"#;
        let envelope = crate::gateway::Envelope::read(200, body).unwrap();
        let biz_id = BizId::new("B1").unwrap();
        let verdict =
            envelope.judge_consume(&biz_id, &Identity::default(), &CodeRules::default(), false, &|_| false);
        for (stands, wanted) in [
            (Stage::Unknown, Stage::Succeeded),
            (Stage::Reversing, Stage::Reversing),
            (Stage::Reversed, Stage::Reversing),
        ] {
            let (state, _) = step(sending(OnUnknown::Reverse), ended(End::Answered(verdict.clone())));
            let (_, effect) = step(state, Event::Stands(intent(OnUnknown::Reverse).moved(stands)));
            let record = recorded(effect);
            assert_eq!((record.stage(), record.detail.answered), (wanted, true), "{stands:?}");
        }
        let stands = intent(OnUnknown::Reverse).moved(Stage::Reversing);
        let (_, effect) = step(State::SigningAnew, Event::Stands(stands));
        assert!(matches!(effect, Effect::Tell(Told::Stands(_))));
    }

    #[test]
    fn disorder_after_the_send_is_unknown() {
        assert!(matches!(step(sending(OnUnknown::Hold), Event::Asked).1, Effect::Tell(Told::Unrecorded(_))));
        let state = State::New(intent(OnUnknown::Hold));
        assert!(matches!(step(state, ended(lost())).1, Effect::Tell(Told::Internal { .. })));
    }
}
