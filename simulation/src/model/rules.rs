//! The rules of every state: which process lives, which request can arrive, what the gateway does, and what no state may
//! show.
#![allow(
    clippy::indexing_slicing,
    reason = "sales and processes are numbered within the bounds of their arrays"
)]

use zvpos_core::payment::reversal::Rules;
use zvpos_core::payment::{Entry, Stage};

use super::state::{BIZ_IDS, Message, Purpose, SALES, Said, State};

/// What no state may show: the label of the invariant and what is seen.
pub type Broken = (&'static str, String);

pub(super) fn rules(late_window_over: bool) -> Rules {
    Rules { late_window_over, refuses_unknown: false, knows_already: true }
}

/// Whether the attempt of an intent may still be running, as a process sees it.
pub(super) fn may_be_running(state: &State, observer: usize, entry: &Entry) -> bool {
    state.owner(entry).is_some_and(|owner| {
        let process = &state.processes[owner];
        if owner == observer {
            sale_of(entry).is_some_and(|sale| process.carries_out(sale))
        } else {
            !process.stopped
        }
    })
}

/// The number of a record's sale.
pub(super) fn sale_of(entry: &Entry) -> Option<usize> {
    BIZ_IDS.iter().position(|biz_id| *biz_id == entry.key().biz_id.as_str())
}

/// Whether the late-arrival window of a sale may be over: no consume of it can arrive any more (docs/money-safety.md, G5).
pub(super) fn can_be_over(state: &State, sale: usize) -> bool {
    !state.messages.iter().any(|message| message.purpose == Purpose::Consume && message.sale == sale)
}

/// What the gateway does with a request.
pub(super) fn handled(next: &mut State, message: Message, refuses: bool) -> Said {
    let ledger = &mut next.ledger[message.sale];
    match message.purpose {
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
    }
}

/// I1 and I3 of a state.
pub(super) fn check(state: &State) -> Result<(), Broken> {
    for sale in 0..SALES {
        let ledger = &state.ledger[sale];
        if !(0..=1).contains(&ledger.net) {
            return Err(("I1", format!("S is {}", ledger.net)));
        }
        let Some(entry) = state.entry(sale) else { continue };
        let is_true = match entry.stage() {
            Stage::Succeeded | Stage::Kept => ledger.net == 1,
            Stage::Declined | Stage::NotSent | Stage::Reversed | Stage::Undone => {
                ledger.net == 0 || ledger.zombie
            }
            Stage::Sending | Stage::Unknown | Stage::Reversing | Stage::Refused | Stage::Unproven => true,
        };
        if !is_true {
            let (biz_id, stands, net) = (&entry.key().biz_id, entry.stage().as_str(), ledger.net);
            return Err(("I3", format!("{biz_id} is recorded as {stands} and S is {net}")));
        }
    }
    Ok(())
}
