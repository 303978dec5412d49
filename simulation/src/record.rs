//! One record of one process in the shared journal: what can befall it, and what must hold afterwards.

use std::collections::BTreeSet;

use zvpos_core::journal::{Guard, JournalError, Receipt, Recorded};
use zvpos_core::outcome::codes;
use zvpos_core::transaction::{Detail, Entry, Stage};

use crate::journal::Fate;
use crate::mutant::Mutant;
use crate::world::World;

impl World {
    /// Records as a process does. `None` says that the process died of it.
    pub fn record(
        &mut self,
        process: usize,
        entry: &Entry,
        guard: Guard,
    ) -> Option<Result<Recorded, JournalError>> {
        let death = !self.quiet && self.random.below(100_000) < self.plan.deaths;
        if death && self.random.per_mille(500) {
            self.kill(process, "death before a commit");
            return None;
        }
        let failed = self.processes.get(process).is_some_and(|process| process.failed);
        if failed && self.mutant != Some(Mutant::FailureForgotten) {
            return Some(Err(JournalError::new(&codes::JOURNAL, "a write failed before")));
        }
        let fate = self.fate();
        let before = self.journal.find(entry.key().biz_id.as_str()).cloned();
        let recorded = if self.keeps_back(entry) {
            self.unflushed.push((process, entry.clone()));
            Ok(Recorded::Done(Receipt::of(entry)))
        } else {
            self.flush_late(process);
            let guard_first = self.mutant == Some(Mutant::GuardBeforeStanding);
            // A process makes its own file again.
            let own = self.processes.get(process).map(|process| process.owner.0.clone()).unwrap_or_default();
            if self.random.per_mille(300) && self.lost_owners.remove(&own) {
                self.say("misfortune", || format!("the file of {own} is there again"));
            }
            let (processes, lost) = (&self.processes, &self.lost_owners);
            let (now, mutant, intents) = (self.now, self.mutant, &self.intents);
            let beyond = self.plan.total_ms + 1_000;
            let over: BTreeSet<&(String, u64)> = processes
                .get(process)
                .iter()
                .flat_map(|process| &process.missing)
                .filter(|(_, since)| self.is_over(**since))
                .map(|(key, _)| key)
                .collect();
            let lives = |other: &Entry| {
                if other.owner().0 != own && lost.contains(&other.owner().0) {
                    return !over.contains(&(other.key().biz_id.to_string(), other.revision()));
                }
                let since = intents.get(&(other.key().biz_id.to_string(), other.revision()));
                let over = now.saturating_sub(since.copied().unwrap_or_default()) >= beyond;
                let mut owners = processes.iter().filter(|process| process.owner == *other.owner());
                owners.any(|process| process.alive && (!over || process.seems_alive(now)))
            };
            let seen = |other: &Entry| match mutant {
                Some(Mutant::RefundHoldsBack) => altered(other, |detail| detail.reversal.refund = false),
                Some(Mutant::ConfirmedHoldsBack) => altered(other, |detail| detail.reversal.promised = false),
                _ => other.clone(),
            };
            self.journal.record(entry, guard, fate, guard_first, &lives, &seen)
        };
        self.say(&format!("P{process}"), || {
            let what = match &recorded {
                Ok(Recorded::Done(_)) => "recorded".to_owned(),
                Ok(Recorded::Stands(other)) => {
                    format!("NOT recorded, stands {} r{}", other.stage().as_str(), other.revision())
                }
                Ok(Recorded::InDoubt(other)) => format!("NOT recorded, {} is in doubt", other.key().biz_id),
                Err(error) => format!("NOT recorded, {error}"),
            };
            let (stage, revision) = (entry.stage().as_str(), entry.revision());
            format!("{} {stage} r{revision} a{}: {what}", entry.key().biz_id, entry.attempt())
        });
        match &recorded {
            Ok(Recorded::Done(_)) => {
                self.judge_undoing(before.as_ref(), entry);
                let heard = self.processes.get_mut(process).map(|process| std::mem::take(&mut process.heard));
                self.write_heard(heard.unwrap_or_default());
            }
            // What was only heard is lost with a record that failed: it is shown again, which is true.
            Err(_) => {
                if let Some(process) = self.processes.get_mut(process) {
                    process.heard.clear();
                }
            }
            Ok(_) => {}
        }
        self.after_record(process, entry, fate, failed, recorded, death)
    }

    fn after_record(
        &mut self,
        process: usize,
        entry: &Entry,
        fate: Fate,
        failed: bool,
        recorded: Result<Recorded, JournalError>,
        death: bool,
    ) -> Option<Result<Recorded, JournalError>> {
        let biz_id = entry.key().biz_id.as_str();
        let mut recorded = recorded;
        match (&recorded, fate) {
            (Ok(Recorded::Done(_)), _) => {
                if failed {
                    self.oracle.broken("I5", format!("P{process} records {biz_id} after a failed flush"));
                }
                if entry.stage() == Stage::Sending {
                    self.intents.insert((biz_id.to_owned(), entry.revision()), self.now);
                }
                self.oracle.judge(biz_id, &self.journal);
            }
            (Err(_), Fate::WriteFails | Fate::FlushFails) => {
                if let Some(process) = self.processes.get_mut(process) {
                    process.failed = true;
                }
                if fate == Fate::FlushFails && self.mutant == Some(Mutant::FailedFlushIgnored) {
                    recorded = Ok(Recorded::Done(Receipt::of(entry)));
                }
            }
            _ => {}
        }
        if death {
            self.kill(process, "death after a commit");
            return None;
        }
        Some(recorded)
    }

    /// Whether a mutant keeps this record in memory only.
    fn keeps_back(&self, entry: &Entry) -> bool {
        match self.mutant {
            Some(Mutant::SentBeforeDurable) => entry.stage() == Stage::Sending,
            Some(Mutant::ToldBeforeDurable) => {
                matches!(entry.stage(), Stage::Succeeded | Stage::Declined | Stage::NotSent)
            }
            _ => false,
        }
    }

    /// What a mutant has kept back is flushed with the next record.
    fn flush_late(&mut self, process: usize) {
        let (mine, others) =
            std::mem::take(&mut self.unflushed).into_iter().partition(|(owner, _)| *owner == process);
        self.unflushed = others;
        let mine: Vec<(usize, Entry)> = mine;
        for (_, entry) in mine {
            self.journal.commit_late(entry);
        }
    }

    fn fate(&mut self) -> Fate {
        if self.quiet || !self.random.per_mille(self.plan.bad_writes) {
            return Fate::Done;
        }
        let (fate, kind) = self.random.pick(
            (Fate::FlushFails, "flush fails"),
            &[
                (Fate::WriteFails, "write fails"),
                (Fate::Full, "disk full"),
                (Fate::Locked, "journal locked by another program"),
            ],
        );
        self.figures.fault(kind);
        fate
    }
}

/// The same record with other details: what a mutant makes of it.
pub fn altered(entry: &Entry, alter: impl FnOnce(&mut Detail)) -> Entry {
    let mut detail = entry.detail().clone();
    alter(&mut detail);
    Entry::restore(
        entry.key().clone(),
        entry.identity().clone(),
        entry.stage(),
        entry.revision(),
        entry.attempt(),
        entry.owner().clone(),
        entry.on_unknown(),
        entry.created_unix_ms(),
        detail,
    )
}
