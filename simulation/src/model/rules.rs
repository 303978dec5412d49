//! What holds in every state: who lives, what can arrive, what the gateway does, and what no state may show.
#![allow(
    clippy::indexing_slicing,
    reason = "sales and processes are numbered within the bounds of their arrays"
)]

use zvpos_core::payment::reversal::Rules;
use zvpos_core::payment::{Entry, Stage};

use super::state::{Job, PROCESSES, Process, Purpose, Said, State};

/// What no state may show: the label of the invariant and what is seen.
pub type Broken = (&'static str, String);

pub(super) fn rules(late_window_over: bool) -> Rules {
    Rules { late_window_over, refuses_unknown: false, knows_already: true }
}

/// Whether the attempt of an intent may still be running, as a process sees it.
pub(super) fn may_be_running(state: &State, observer: usize, entry: &Entry) -> bool {
    let owner = (0..PROCESSES).find(|number| {
        let process = &state.processes[*number];
        process.alive && *entry.owner() == Process::owner(*number, process.life)
    });
    owner.is_some_and(|owner| {
        let process = &state.processes[owner];
        if owner == observer {
            matches!(&process.till, Some(Job::Consume(sale, ..)) if state.journal[*sale].as_ref() == Some(entry))
        } else {
            !process.stopped
        }
    })
}

/// Whether the late-arrival window of a sale may be over: nothing of it can arrive any more (docs/money-safety.md, G5).
pub(super) fn can_be_over(state: &State, sale: usize) -> bool {
    !state
        .messages
        .iter()
        .any(|message| message.purpose == Purpose::Consume && message.sale == sale && message.said.is_none())
}

/// What the gateway does with a request.
pub(super) fn arrive(next: &mut State, at: usize, refuses: bool) {
    let message = next.messages[at];
    let ledger = &mut next.ledger[message.sale];
    let said = match message.purpose {
        Purpose::Consume => {
            let yes = *ledger.answered.get_or_insert_with(|| {
                ledger.net += i8::from(!refuses);
                !refuses
            });
            if yes { Said::Taken } else { Said::Refused }
        }
        Purpose::Reversal if ledger.net > 0 => {
            ledger.net -= 1;
            ledger.given_back = true;
            Said::GivenBack
        }
        Purpose::Reversal if ledger.given_back => Said::Already,
        Purpose::Reversal => Said::NotFound,
    };
    if message.waiting.is_some() {
        next.messages[at].said = Some(said);
    } else {
        next.messages.remove(at);
    }
}

/// I1 and I3 of a state.
pub(super) fn check(state: &State) -> Result<(), Broken> {
    for (entry, ledger) in state.journal.iter().zip(&state.ledger) {
        if !(0..=1).contains(&ledger.net) {
            return Err(("I1", format!("S is {}", ledger.net)));
        }
        let Some(entry) = entry else { continue };
        let is_true = match entry.stage() {
            Stage::Succeeded | Stage::Kept => ledger.net == 1,
            Stage::Declined | Stage::NotSent | Stage::Reversed | Stage::Undone => {
                ledger.net == 0 || ledger.zombie
            }
            Stage::Sending | Stage::Unknown | Stage::Reversing | Stage::Refused | Stage::Unproven => true,
        };
        if !is_true {
            let stands = entry.stage().as_str();
            return Err(("I3", format!("{} stands as {stands} and S is {}", entry.key().biz_id, ledger.net)));
        }
    }
    Ok(())
}
