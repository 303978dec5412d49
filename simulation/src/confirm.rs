//! What follows a success: that the till has read it, that it says it has stored its sale (`zv_confirm_json`), and what
//! becomes of it if a crash came between.

use zvpos_core::client::tell_stands;
use zvpos_core::gateway::Operation;
use zvpos_core::journal::{Guard, Recorded};
use zvpos_core::outcome::{Lang, Outcome};
use zvpos_core::transaction::settle::{Asked, By, ask};
use zvpos_core::transaction::{Confirmation, Entry, Stage};

use crate::actor::Progress;
use crate::world::World;

/// `zv_confirm_json`.
#[derive(Debug)]
pub struct ConfirmCall {
    biz_id: String,
    record: Option<Entry>,
}

impl ConfirmCall {
    /// A call for that sale.
    pub fn new(biz_id: &str) -> ConfirmCall {
        ConfirmCall { biz_id: biz_id.to_owned(), record: None }
    }
}

impl World {
    /// One effect of a confirmation.
    pub fn confirm_effect(&mut self, process: usize, call: &mut ConfirmCall) -> Progress {
        let then = self.oracle.deeds(&call.biz_id).clone();
        let Some(record) = call.record.take() else {
            let Some(entry) = self.journal.find(&call.biz_id) else { return Progress::Ended };
            call.record = entry.confirmed();
            if call.record.is_none() {
                let outcome = match entry.stage() {
                    Stage::Succeeded | Stage::Kept | Stage::Reversing | Stage::Reversed | Stage::Undone => {
                        tell_stands(entry, Lang::En).outcome()
                    }
                    _ => Outcome::Invalid,
                };
                self.told(process, &call.biz_id, outcome, &then);
                return Progress::Ended;
            }
            return Progress::At(self.soon());
        };
        let outcome = match self.record(process, &record, Guard::Off) {
            None => return Progress::Died,
            Some(Err(_)) => Outcome::Internal,
            Some(Ok(Recorded::Done(_))) => {
                self.figures.count("confirmed");
                tell_stands(&record, Lang::En).outcome()
            }
            Some(Ok(Recorded::Stands(_) | Recorded::InDoubt(_))) => return Progress::At(self.soon()),
        };
        self.told(process, &call.biz_id, outcome, &then);
        Progress::Ended
    }

    /// As `recovery::Inner::reverse_unconfirmed`; says when it is to be looked at again. The process may die of it.
    pub fn reverse_unconfirmed(&mut self, process: usize) -> Option<u64> {
        let started = self.processes.get(process).map_or(0, |process| process.started);
        let due = started + self.plan.confirm_after_ms;
        let left: Vec<Entry> = self
            .journal
            .all()
            .filter(|entry| {
                entry.is_unfinished()
                    && entry.detail().confirmation == Confirmation::Awaited
                    && !self.owner_lives(entry)
            })
            .cloned()
            .collect();
        if left.is_empty() || self.now < due {
            return (!left.is_empty()).then_some(due);
        }
        let has_route = self.plan.account.route(Operation::Reverse).is_some();
        for entry in left {
            if let Asked::Record(record) = ask(&entry, None, has_route, By::Itself) {
                self.figures.count("unconfirmed, reversed");
                // What cannot be recorded now is found again at the next look.
                self.record(process, &record, Guard::Off)?.ok();
            }
        }
        None
    }

    /// A success is undone only where a till asked for it, or where one that had to confirm it died before.
    pub fn judge_undoing(&mut self, before: Option<&Entry>, after: &Entry) {
        let Some(before) = before else { return };
        if before.stage() != Stage::Succeeded || after.stage() == Stage::Succeeded {
            return;
        }
        let biz_id = after.key().biz_id.as_str();
        self.reversing_since.insert(biz_id.to_owned(), self.now);
        let abandoned = before.detail().confirmation == Confirmation::Awaited && !self.owner_lives(before);
        if !abandoned && !self.asked.contains(biz_id) {
            let message = format!("{biz_id} had succeeded and is undone, and no till has asked for it");
            self.oracle.broken("I3", message);
        }
    }

    /// The till has read a success; that rides on the next record of its process.
    pub fn hear(&mut self, process: usize, biz_id: &str) {
        if let Some(process) = self.processes.get_mut(process) {
            process.heard.push(biz_id.to_owned());
        }
    }

    /// What rides on a record that was committed.
    pub fn write_heard(&mut self, heard: Vec<String>) {
        for biz_id in heard {
            if let Some(heard) = self.journal.find(&biz_id).and_then(Entry::heard) {
                self.journal.commit_late(heard);
            }
        }
    }
}
