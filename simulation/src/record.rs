//! One record of one process in the shared journal: what can befall it, and what must hold afterwards.

use zvpos_core::journal::{Guard, JournalError, Recorded};
use zvpos_core::outcome::codes;
use zvpos_core::payment::{Confirmation, Entry, Said, Stage};

use crate::actor::Function;
use crate::journal::Fate;
use crate::mutant::Mutant;
use crate::plan::Journals;
use crate::process::Locks;
use crate::scheduler::Life;
use crate::world::World;

impl World {
    /// Records as a process does, which may die of it. `may_be_running` is the library's own rule.
    pub fn record(
        &mut self,
        life: &Life,
        entry: &Entry,
        guard: Guard,
        may_be_running: impl Fn(&Locks<'_>, &Entry) -> bool,
    ) -> Result<Recorded, JournalError> {
        let process = life.process;
        let death = !self.quiet && self.random.below(100_000) < self.plan.deaths;
        if death && self.random.per_mille(500) {
            self.kill(process, "death before a commit");
            return Err(JournalError::new(&codes::JOURNAL, "the process has died"));
        }
        let failed = self.processes.get(process).is_some_and(|process| process.failed);
        if failed && self.mutant != Some(Mutant::FailureForgotten) {
            self.note_lost(entry);
            return Err(JournalError::new(&codes::JOURNAL, "a write failed before"));
        }
        let fate = self.fate();
        let before = self.journal.find(entry.key().biz_id.as_str()).cloned();
        let recorded = if self.keeps_back(entry) {
            self.unflushed.push((process, entry.clone()));
            Ok(Recorded::Done(()))
        } else {
            self.flush_late(process);
            self.keep_owner_file(process);
            let locks = Locks { processes: &self.processes, lost: &self.lost_owners, now: self.now };
            self.journal.record(entry, guard, fate, |other| may_be_running(&locks, other))
        };
        self.say(&format!("P{process}"), || {
            let what = match &recorded {
                Ok(Recorded::Done(())) => "recorded".to_owned(),
                Ok(Recorded::Existing(other) | Recorded::Superseded(other)) => {
                    format!("NOT recorded, stands {} r{}", other.stage().as_str(), other.revision())
                }
                Ok(Recorded::InDoubt(other)) => format!("NOT recorded, {} is in doubt", other.key().biz_id),
                Err(error) => format!("NOT recorded, {error}"),
            };
            let (stage, revision) = (entry.stage().as_str(), entry.revision());
            format!("{} {stage} r{revision} a{}: {what}", entry.key().biz_id, entry.attempt())
        });
        let recorded = self.after_record(process, before.as_ref(), entry, fate, failed, recorded);
        if death {
            self.kill(process, "death after a commit");
        }
        recorded
    }

    fn after_record(
        &mut self,
        process: usize,
        before: Option<&Entry>,
        entry: &Entry,
        fate: Fate,
        failed: bool,
        recorded: Result<Recorded, JournalError>,
    ) -> Result<Recorded, JournalError> {
        let biz_id = entry.key().biz_id.as_str();
        let mut recorded = recorded;
        match (&recorded, fate) {
            (Ok(Recorded::Done(())), _) => {
                if failed {
                    self.oracle.broken("I5", format!("P{process} records {biz_id} after a failed flush"));
                }
                self.note_change(process, before, entry);
                self.flush_acknowledged(process);
                self.oracle.judge(biz_id, &self.journal);
            }
            (Err(_), Fate::WriteFails | Fate::FlushFails) => {
                if let Some(process) = self.processes.get_mut(process) {
                    process.failed = true;
                }
                if fate == Fate::FlushFails && self.mutant == Some(Mutant::FailedFlushIgnored) {
                    recorded = Ok(Recorded::Done(()));
                }
                // A record whose flush failed may be found on the disk at the next start.
                if let Some(before) = before.filter(|before| is_burial(before, entry)) {
                    self.judge_burial(before);
                }
            }
            _ => {}
        }
        if recorded.is_err() {
            // What was only acknowledged is lost with a record that failed: it is listed again, which is true.
            if let Some(process) = self.processes.get_mut(process) {
                process.acknowledged.clear();
            }
            self.note_lost(entry);
        }
        recorded
    }

    /// A record failed: if it was the outcome of a request that left, only its till knows of the request.
    fn note_lost(&mut self, entry: &Entry) {
        let biz_id = entry.key().biz_id.as_str();
        if self.call().is_some_and(|call| call.biz_id == biz_id && call.sent > 0) {
            self.oracle.deeds(biz_id).zombie_lost = true;
        }
    }

    /// A call could not record the outcome of a request that left: the node knows of it until it ends.
    pub fn note_left(&mut self, process: usize, biz_id: &str) {
        if let Some(process) = self.processes.get_mut(process) {
            process.left.insert(biz_id.to_owned());
        }
    }

    /// Judges a committed change by the record before it.
    pub fn note_change(&mut self, process: usize, before: Option<&Entry>, after: &Entry) {
        let biz_id = after.key().biz_id.to_string();
        let key = (biz_id.clone(), after.revision());
        if after.stage() == Stage::Sending {
            let since = before.filter(|before| before.stage() == Stage::Sending && !after.is_intent());
            let since =
                since.and_then(|before| self.intents.get(&(biz_id.clone(), before.revision())).copied());
            self.intents.insert(key, since.unwrap_or(self.now));
            if let Some(call) = self.call_mut().filter(|call| call.biz_id == biz_id) {
                call.holds |= call.function == Function::Consume;
            }
        }
        if after.stage() == Stage::Succeeded && after.detail().reversal.asked {
            let message = format!("{biz_id} stands as succeeded though its reversal was asked for");
            self.oracle.broken("R", message);
        }
        let Some(before) = before else { return };
        if is_burial(before, after) {
            self.judge_burial(before);
        }
        self.judge_undoing(before, after);
        if after.detail().reopened > before.detail().reopened {
            self.counters.count("re-opened");
            self.reversing_since.insert(biz_id.clone(), self.now);
        }
        let asks =
            self.call().is_some_and(|call| call.function == Function::Reverse && call.biz_id == biz_id);
        match (before.stage(), after.stage()) {
            (Stage::Succeeded | Stage::Kept, Stage::Reversing) if asks => {
                self.counters.count("refunds asked");
                self.refunds.insert(biz_id.clone());
            }
            (Stage::Declined | Stage::NotSent, Stage::Reversed) if asks => {
                self.counters.count("voids");
                self.voids.insert(biz_id.clone());
            }
            // The gateway's records have settled it.
            (Stage::Unknown, Stage::Reversed) => {
                let blind = !self.call().is_some_and(|call| call.knew_other_biz_ids);
                self.oracle.deeds(&biz_id).blind |= blind;
            }
            _ => {}
        }
        let same_try = before.detail().reversal.tries == after.detail().reversal.tries;
        // What a consume's own end makes of the sale is no answer to a reversal.
        let ends = self.call().is_some_and(|call| call.function == Function::Consume);
        let answered = same_try && !ends && before.detail().answered == after.detail().answered;
        // A success that came late says which reversal is the right one: what was confirmed before was about another.
        if after.detail().answered && !before.detail().answered {
            for process in &mut self.processes {
                process.promised_until.remove(&biz_id);
            }
        }
        self.note_confirmation(process, after, answered);
        self.judge_confirmation(after, answered);
    }

    /// A reversal that was confirmed and then refused is an outcome that nothing proves. "Refused" says nothing about
    /// the confirmation to the person who settles the sale, and holds back the member's next payment.
    fn judge_confirmation(&mut self, after: &Entry, answered: bool) {
        let biz_id = after.key().biz_id.as_str();
        // A confirmation says nothing about a consume that arrived after it.
        let round = (after.attempt(), after.detail().reopened);
        if answered && matches!(after.detail().reversal.said, Some(Said::Done | Said::Already)) {
            self.confirmed.insert(biz_id.to_owned(), round);
        }
        if after.stage() == Stage::Refused && self.confirmed.get(biz_id) == Some(&round) {
            self.oracle.broken("R", format!("{biz_id} is told as refused and its reversal was confirmed"));
        }
    }

    /// What was confirmed is asked again when the window is over, and not before.
    fn note_confirmation(&mut self, process: usize, after: &Entry, answered: bool) {
        let biz_id = after.key().biz_id.as_str();
        let (now, late_ms, reopened) = (self.now, self.plan.late_ms, after.detail().reopened);
        let is_open = after.stage().is_unsettled() && after.stage() != Stage::Sending;
        if !is_open && !self.unsettled_since.contains_key(biz_id) {
            return;
        }
        let since = self.unsettled_since.entry(biz_id.to_owned()).or_insert((now, reopened));
        let is_reopened = since.1 < reopened;
        if is_reopened {
            *since = (now, reopened);
        }
        if is_reopened || !is_open {
            for process in &mut self.processes {
                process.promised_until.remove(biz_id);
            }
        }
        let seen_since = since.0;
        if !is_open {
            return;
        }
        // A process that did not hear that its record was written has not noted the confirmation, either.
        if self.database.is_unheard {
            return;
        }
        let Some(process) = self.processes.get_mut(process) else { return };
        let confirmed = matches!(after.detail().reversal.said, Some(Said::Done | Said::Already));
        if confirmed && answered && after.stage() == Stage::Reversing {
            // The process has seen it no earlier.
            let seen = seen_since.max(process.started);
            process.promised_until.insert(biz_id.to_owned(), seen + late_ms);
        }
    }

    /// No process may be taken for dead that is carrying it out, within the time of its call.
    fn judge_burial(&mut self, intent: &Entry) {
        self.counters.count("intents found after a crash");
        let biz_id = intent.key().biz_id.to_string();
        let since = self.intents.get(&(biz_id.clone(), intent.revision())).copied().unwrap_or_default();
        let owner =
            self.processes.iter().position(|process| process.alive && process.has_name(intent.owner()));
        let runs = owner.is_some_and(|process| self.carries_out(process, &biz_id));
        if runs {
            self.buried.insert(biz_id.clone());
        }
        let is_early = match self.plan.journals {
            Journals::File => self.now.saturating_sub(since) < self.plan.total_ms,
            // A node that was stopped sends nothing any more; what leaves is judged then.
            Journals::Database => owner.is_some_and(|process| self.is_calling(process, &biz_id)),
        };
        if runs && is_early {
            self.oracle.broken("I3", format!("{biz_id}: {} is taken for dead and lives", intent.owner().0));
        }
    }

    /// A success is undone only where a till asked for it, or where one that had to confirm it died before.
    fn judge_undoing(&mut self, before: &Entry, after: &Entry) {
        if before.stage() != Stage::Succeeded || after.stage() == Stage::Succeeded {
            return;
        }
        let biz_id = after.key().biz_id.as_str();
        self.reversing_since.insert(biz_id.to_owned(), self.now);
        let holds = self.processes.iter().any(|process| process.alive && process.has_name(before.owner()));
        let holds = holds && !self.is_declared_dead(before.owner());
        // Where its file is away it is taken for dead after a time, also where it has made the file again since.
        let gone = !holds || self.ever_lost.contains(&before.owner().0);
        let abandoned = before.detail().confirmation == Confirmation::Awaited && gone;
        if !abandoned && !self.asked.contains(biz_id) {
            let message = format!("{biz_id} had succeeded and is undone, and no till has asked for it");
            self.oracle.broken("I3", message);
        }
    }

    /// A process looks now and then whether somebody has deleted its own file, and makes it again.
    pub fn keep_owner_file(&mut self, process: usize) {
        let own = self.processes.get(process).map(|process| process.owner.0.clone()).unwrap_or_default();
        if (self.quiet || self.random.per_mille(300)) && self.lost_owners.remove(&own) {
            self.say("fault", || format!("the file of {own} is there again"));
        }
    }

    /// What was acknowledged rides on a record, or on the end of the process.
    pub fn flush_acknowledged(&mut self, process: usize) {
        let acknowledged = self.processes.get_mut(process).filter(|process| !process.failed);
        for biz_id in
            acknowledged.map(|process| std::mem::take(&mut process.acknowledged)).unwrap_or_default()
        {
            if let Some(acknowledged) = self.journal.find(&biz_id).and_then(Entry::acknowledged) {
                self.journal.commit_late(acknowledged);
            }
        }
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
        let (mine, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.unflushed).into_iter().partition(|(owner, _)| *owner == process);
        self.unflushed = others;
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
        self.counters.fault(kind);
        fate
    }
}

/// Whether the record says that no process carries out the intent any more.
fn is_burial(intent: &Entry, record: &Entry) -> bool {
    intent.stage() == Stage::Sending
        && record.stage() != Stage::Sending
        && record.detail().doubt.as_deref() == Some(codes::ABANDONED.text)
}
