//! One look at everything unsettled, as `recovery::Inner::pass` does it, one effect at a time. One thing is as the
//! promise wants it (docs/money-safety.md, I2): a process looks from time to time for what another one
//! has left. Without it the simulation breaks I2; that is the mutant `i2-idle-never-looks`.

use std::collections::VecDeque;

use zvpos_core::gateway::Operation;
use zvpos_core::journal::{Guard, Recorded};
use zvpos_core::outcome::Outcome;
use zvpos_core::transaction::consume::abandoned;
use zvpos_core::transaction::settle::explained;
use zvpos_core::transaction::{Entry, Stage};

use crate::actor::Progress;
use crate::mutant::Mutant;
use crate::reverse::{Drive, Tried};
use crate::world::World;

/// As `recovery::BETWEEN_SENDS`.
const BETWEEN_SENDS_MS: u64 = 110;
/// As `recovery::LOOK_AGAIN`.
const LOOK_AGAIN_MS: u64 = 2_000;
/// As `journal::owner::BEYOND`.
const BEYOND_MS: u64 = 1_000;
/// How long a process that has nothing to do waits before it looks for what others have left.
const IDLE_LOOK_MS: u64 = 15_000;

/// See the module's words.
#[derive(Debug)]
pub struct Pass {
    /// Waits for no entry's turn: `zv_recover_json`.
    all: bool,
    deadline: u64,
    left: Option<VecDeque<Entry>>,
    drive: Option<Box<Drive>>,
    soonest: Option<u64>,
    others_run: bool,
}

impl Pass {
    /// A pass; `all` does not wait for any entry's turn.
    pub fn new(all: bool, deadline: u64) -> Pass {
        Pass { all, deadline, left: None, drive: None, soonest: None, others_run: false }
    }

    fn again_at(&mut self, at: u64) {
        self.soonest = Some(self.soonest.map_or(at, |soonest| soonest.min(at)));
    }
}

impl World {
    /// When the recovery's thread looks again.
    pub fn next_look(&mut self, pass: &Pass, nudged: bool) -> u64 {
        if nudged {
            return self.now;
        }
        let idle = match self.mutant {
            _ if pass.others_run => self.now + LOOK_AGAIN_MS,
            Some(Mutant::IdleNeverLooks) => u64::MAX,
            _ => self.now + IDLE_LOOK_MS,
        };
        pass.soonest.unwrap_or(u64::MAX).max(self.now + 1).min(idle)
    }

    /// Whether the late-arrival window of a sale is over for that process.
    pub fn late_window_over(&mut self, process: usize, entry: &Entry) -> bool {
        let biz_id = entry.key().biz_id.as_str();
        let reopened = self.reopened(entry);
        let (now, late_ms) = (self.now, self.plan.late_ms);
        let by_wall = self.mutant == Some(Mutant::WindowByWallClock);
        let Some(process) = self.processes.get_mut(process) else { return false };
        let wall = process.wall_ms(now);
        let pace = process.pace(biz_id, reopened, now);
        pace.late_window_over(now, late_ms) || (by_wall && pace.late_window_over_by(wall, late_ms))
    }

    /// How often it was re-opened, as the pace sees it.
    pub fn reopened(&self, entry: &Entry) -> u32 {
        if self.mutant == Some(Mutant::ReopenedInOldWindow) { 0 } else { entry.detail().reopened }
    }

    /// As `Shared::may_be_running`: whether the attempt of an intent may still be carried out, here or elsewhere.
    pub fn may_be_running(&mut self, process: usize, entry: &Entry) -> bool {
        let key = (entry.key().biz_id.to_string(), entry.revision());
        let is_mine = self.processes.get(process).is_some_and(|process| process.owner == *entry.owner());
        if !is_mine && self.lost_owners.contains(&entry.owner().0) {
            let now = self.now;
            let Some(observer) = self.processes.get_mut(process) else { return true };
            let since = *observer.missing.entry(key).or_insert(now);
            return self.mutant != Some(Mutant::MissingIsDead) && !self.is_over(since);
        }
        let mine = self.processes.get(process).filter(|process| process.owner == *entry.owner());
        match mine {
            Some(mine) if self.mutant != Some(Mutant::OwnIntentLeft) => {
                mine.running.contains_key(entry.key().biz_id.as_str())
            }
            _ => self.owner_lives(entry),
        }
    }

    /// Whether a call that began then must have ended, whatever became of its process.
    pub fn is_over(&self, since: u64) -> bool {
        self.now.saturating_sub(since) >= self.plan.total_ms + BEYOND_MS
    }

    /// No process may be taken for dead that is carrying it out, within the time of its call.
    pub fn judge_burial(&mut self, entry: &Entry) {
        let biz_id = entry.key().biz_id.to_string();
        let since = self.intents.get(&(biz_id.clone(), entry.revision())).copied().unwrap_or_default();
        let lives = self.processes.iter().any(|process| {
            process.alive && process.owner == *entry.owner() && process.running.contains_key(&biz_id)
        });
        if lives && self.now.saturating_sub(since) < self.plan.total_ms {
            self.oracle.broken("I3", format!("{biz_id}: {} is taken for dead and lives", entry.owner().0));
        }
    }

    /// Whether the call that recorded this intent must have ended.
    pub fn intent_is_over(&self, entry: &Entry) -> bool {
        let since = self.intents.get(&(entry.key().biz_id.to_string(), entry.revision()));
        self.is_over(since.copied().unwrap_or_default())
    }

    /// As `Journal::is_alive`.
    pub fn owner_lives(&self, entry: &Entry) -> bool {
        let over = self.intent_is_over(entry);
        let mut processes = self.processes.iter().filter(|process| process.owner == *entry.owner());
        processes.any(|process| process.alive && (!over || process.seems_alive(self.now)))
    }

    /// One effect of a pass.
    pub fn pass_effect(&mut self, process: usize, pass: &mut Pass) -> Progress {
        if let Some(mut drive) = pass.drive.take() {
            match self.drive_effect(process, &mut drive) {
                Tried::At(time) => {
                    pass.drive = Some(drive);
                    return Progress::At(time);
                }
                Tried::Stands(entry) => {
                    self.note_tried(process, &entry);
                    if matches!(entry.stage(), Stage::Reversing | Stage::Unknown) || entry.promise_refused() {
                        let due = self.due(process, &entry);
                        pass.again_at(due);
                    }
                }
                Tried::Failed(_) => pass.again_at(self.now + LOOK_AGAIN_MS),
                Tried::Died => return Progress::Died,
            }
            return Progress::At(self.now + BETWEEN_SENDS_MS);
        }
        let Some(left) = pass.left.as_mut() else {
            let unconfirmed = self.reverse_unconfirmed(process);
            if !self.is_alive(process) {
                return Progress::Died;
            }
            if let Some(due) = unconfirmed {
                pass.again_at(due);
            }
            pass.left = Some(self.journal.unsettled().into());
            return Progress::At(self.soon());
        };
        let Some(entry) = left.pop_front() else { return self.pass_ended(process, pass) };
        if entry.stage() == Stage::Sending {
            return self.look_at_intent(process, pass, &entry);
        }
        if let Some(record) = self.explained(&entry) {
            self.figures.count("explained by the configuration");
            match self.record(process, &record, Guard::Off) {
                None => return Progress::Died,
                Some(Ok(_)) => {}
                Some(Err(_)) => pass.again_at(self.now + LOOK_AGAIN_MS),
            }
            return Progress::At(self.soon());
        }
        let reversing =
            entry.stage() == Stage::Reversing && self.plan.account.route(Operation::Reverse).is_some();
        if !reversing && !self.has_evidence_for(&entry) {
            return Progress::At(self.now);
        }
        let due = self.due(process, &entry);
        if !pass.all && due > self.now {
            pass.again_at(due);
            return Progress::At(self.now);
        }
        if self.now >= pass.deadline {
            pass.again_at(self.now);
            return self.pass_ended(process, pass);
        }
        self.judge_promise(process, pass.all, &entry);
        let whole = self.now + self.plan.total_ms;
        let deadline = if pass.all { whole.min(pass.deadline) } else { whole };
        pass.drive = Some(Box::new(Drive::new(entry, deadline)));
        Progress::At(self.now)
    }

    /// When it is to be tried again, as the process sees it.
    fn due(&mut self, process: usize, entry: &Entry) -> u64 {
        let now = self.now;
        let by_wall = self.mutant == Some(Mutant::BackOffByWallClock);
        let reopened = self.reopened(entry);
        let Some(process) = self.processes.get_mut(process) else { return u64::MAX };
        let wall = process.wall_ms(now);
        let pace = process.pace(entry.key().biz_id.as_str(), reopened, now);
        if by_wall { now + pace.wait_by_wall(wall) } else { pace.due }
    }

    /// As `Client::explain`.
    fn explained(&self, entry: &Entry) -> Option<Entry> {
        let rules = &self.plan.account.reverse;
        let code = entry.detail().reversal.last.as_ref().map(|words| words.code.clone()).unwrap_or_default();
        if self.mutant == Some(Mutant::AnyCodeExplained) {
            return explained(entry, &[code], rules.refuses_unknown);
        }
        explained(entry, &rules.already, rules.refuses_unknown)
    }

    /// What was confirmed is asked again when the window is over, and not before.
    fn judge_promise(&mut self, process: usize, all: bool, entry: &Entry) {
        let biz_id = entry.key().biz_id.as_str();
        let until = self.processes.get(process).and_then(|process| process.promised_until.get(biz_id));
        let early = until.is_some_and(|until| self.now < *until);
        let stands = self.journal.find(biz_id).is_some_and(|now| now.stage() == Stage::Reversing);
        if early && !all && stands {
            self.oracle
                .broken("R", format!("{biz_id}: its reversal was confirmed and is sent again at once"));
        }
    }

    fn look_at_intent(&mut self, process: usize, pass: &mut Pass, entry: &Entry) -> Progress {
        if self.may_be_running(process, entry) {
            pass.others_run = true;
            return Progress::At(self.now);
        }
        self.judge_burial(entry);
        self.figures.count("intents found after a crash");
        let record = abandoned(entry);
        match self.record(process, &record, Guard::Off) {
            None => return Progress::Died,
            Some(Ok(Recorded::Done(_))) => {
                if let Some(left) = &mut pass.left {
                    left.push_front(record);
                }
            }
            Some(Ok(Recorded::Stands(entry) | Recorded::InDoubt(entry))) => {
                if let Some(left) = pass.left.as_mut().filter(|_| entry.stage() != Stage::Sending) {
                    left.push_front(entry);
                }
            }
            Some(Err(_)) => pass.again_at(self.now + LOOK_AGAIN_MS),
        }
        Progress::At(self.soon())
    }

    fn pass_ended(&mut self, process: usize, pass: &Pass) -> Progress {
        self.figures.count("recovery passes");
        if pass.all {
            self.nudge(process);
            self.figures.count("zv_recover_json");
            self.say(&format!("P{process}"), || format!("recovered: {}", Outcome::Succeeded.as_str()));
        }
        Progress::Ended
    }
}
