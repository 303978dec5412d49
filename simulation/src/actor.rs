//! Who acts: the threads of the processes, a person, and misfortune. Each carries out one effect at a time.

use zvpos_core::client::{tell_known, tell_stands};
use zvpos_core::journal::{Guard, Recorded};
use zvpos_core::outcome::{Answer, Lang, Next, Outcome};
use zvpos_core::transaction::consume::abandoned;
use zvpos_core::transaction::restart::{Attempt, Known, known};
use zvpos_core::transaction::{Entry, Stage};

use crate::confirm::ConfirmCall;
use crate::consume::ConsumeCall;
use crate::mutant::Mutant;
use crate::record::altered;
use crate::recovery::Pass;
use crate::reverse::ReverseCall;
use crate::sale::Sale;
use crate::world::World;

/// Who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A thread of the host in that process.
    Till(usize),
    /// The recovery's thread in that process.
    Recovery(usize),
    /// Settles what nobody else can.
    Person,
    /// Kills, starts, sets clocks, cuts lines.
    Misfortune,
}

/// What it is at.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one is kept for each process at a time")]
pub enum Work {
    /// Nothing.
    Idle,
    /// `zv_consume_json`.
    Consume(Box<ConsumeCall>),
    /// `zv_reverse_json`.
    Reverse(Box<ReverseCall>),
    /// `zv_confirm_json`.
    Confirm(ConfirmCall),
    /// A look at everything unsettled: the recovery's own, or `zv_recover_json`.
    Pass(Box<Pass>),
}

/// One who acts.
#[derive(Debug)]
pub struct Actor {
    /// Who it is.
    pub role: Role,
    /// When its next effect may happen.
    pub wakes_at: u64,
    /// What it is at.
    pub work: Work,
    /// Something may have become unsettled while it was at work.
    pub nudged: bool,
}

impl Actor {
    /// One who begins at that time.
    pub fn new(role: Role, wakes_at: u64) -> Actor {
        Actor { role, wakes_at, work: Work::Idle, nudged: false }
    }

    /// Takes it out to act; what stays sleeps.
    pub fn take(&mut self) -> Actor {
        std::mem::replace(self, Actor::new(self.role, u64::MAX))
    }

    /// The process that it lives in.
    pub fn process(&self) -> Option<usize> {
        match self.role {
            Role::Till(process) | Role::Recovery(process) => Some(process),
            Role::Person | Role::Misfortune => None,
        }
    }
}

/// How far an effect has brought a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The next effect may happen at that time.
    At(u64),
    /// It has ended.
    Ended,
    /// Its process has died.
    Died,
}

impl World {
    /// One effect of one actor.
    pub fn act(&mut self, actor: &mut Actor) {
        let role = actor.role;
        match role {
            Role::Misfortune => actor.wakes_at = self.misfortune(),
            Role::Person => actor.wakes_at = self.person(),
            Role::Recovery(process) | Role::Till(process) => {
                let progress = match std::mem::replace(&mut actor.work, Work::Idle) {
                    Work::Idle => self.begin(process, actor),
                    Work::Consume(mut call) => {
                        let progress = self.consume_effect(process, &mut call);
                        actor.work = Work::Consume(call);
                        progress
                    }
                    Work::Reverse(mut call) => {
                        let progress = self.reverse_effect(process, &mut call);
                        actor.work = Work::Reverse(call);
                        progress
                    }
                    Work::Confirm(mut call) => {
                        let progress = self.confirm_effect(process, &mut call);
                        actor.work = Work::Confirm(call);
                        progress
                    }
                    Work::Pass(mut pass) => {
                        let progress = self.pass_effect(process, &mut pass);
                        if progress == Progress::Ended && role == Role::Recovery(process) {
                            actor.wakes_at = self.next_look(&pass, std::mem::take(&mut actor.nudged));
                            return;
                        }
                        actor.work = Work::Pass(pass);
                        progress
                    }
                };
                match progress {
                    Progress::At(time) => actor.wakes_at = time,
                    Progress::Ended => {
                        actor.work = Work::Idle;
                        let longest = if self.plan.long { 1_200_000 } else { 4_000 };
                        actor.wakes_at = self.now + self.random.range(1, longest);
                    }
                    Progress::Died => {}
                }
            }
        }
    }

    fn begin(&mut self, process: usize, actor: &mut Actor) -> Progress {
        if matches!(actor.role, Role::Recovery(_)) {
            actor.nudged = false;
            actor.work = Work::Pass(Box::new(Pass::new(false, self.now + self.plan.total_ms)));
            return Progress::At(self.now);
        }
        if self.quiet {
            return Progress::At(u64::MAX);
        }
        let deadline = self.now + self.plan.total_ms;
        let job = self.random.below(1000);
        let sale = match job {
            0..450 if self.sales.len() < self.plan.sales => {
                let sale = Sale::draw(&mut self.random, self.sales.len(), false);
                self.sales.push(sale.clone());
                Some(sale)
            }
            // Mostly the last ones, so that calls for one sale meet.
            _ => {
                let back = self.random.pick(1, &[1, 1, 2, 3, 100]);
                let back = 1 + self.random.index(back.min(self.sales.len().max(1)));
                self.sales.len().checked_sub(back).and_then(|at| self.sales.get(at).cloned())
            }
        };
        let Some(sale) = sale else { return Progress::At(self.now + self.random.range(1, 2_000)) };
        match job {
            // A bizId is unique over all tills: another till's is never consumed here.
            0..700 if !sale.foreign => {
                let other = job >= 650;
                // On the till's disk before the call.
                let sale = self.attempted(sale);
                match ConsumeCall::new(self, process, &sale, other, deadline) {
                    Some(call) => actor.work = Work::Consume(Box::new(call)),
                    None => self.oracle.broken("I3", format!("{sale:?} is refused as invalid")),
                }
            }
            0..870 if !(self.plan.account.confirm && job >= 800) => {
                actor.work = Work::Reverse(Box::new(ReverseCall::new(&sale, deadline)));
            }
            0..900 if self.plan.account.confirm && job >= 800 => {
                actor.work = Work::Confirm(ConfirmCall::new(&sale.biz_id));
            }
            870..900 => actor.work = Work::Pass(Box::new(Pass::new(true, deadline))),
            _ => self.look_up(process, &sale),
        }
        Progress::At(self.now)
    }

    /// The sale as the till has stored it before its first attempt: with the identity of the journal of then.
    fn attempted(&mut self, mut sale: Sale) -> Sale {
        let now = self.journal_id.to_string();
        if let Some(stored) = self.sales.iter_mut().find(|stored| stored.biz_id == sale.biz_id) {
            sale.journal = Some(stored.journal.get_or_insert(now).clone());
        }
        sale
    }

    /// As `Client::attempt`.
    pub fn attempt(&self, sale: &Sale) -> Attempt {
        Attempt::of(sale.journal.as_deref(), &self.journal_id.to_string())
    }

    /// `zv_lookup_json`, with the identity that the till has stored.
    fn look_up(&mut self, process: usize, sale: &Sale) {
        let biz_id = sale.biz_id.as_str();
        let mut standing = self.journal.find(biz_id).cloned();
        if let Some(entry) = standing.clone()
            && entry.stage() == Stage::Sending
            && !self.may_be_running(process, &entry)
        {
            standing = match self.record(process, &abandoned(&entry), Guard::Off) {
                None => return,
                Some(Ok(Recorded::Stands(found) | Recorded::InDoubt(found))) => Some(found),
                Some(Ok(Recorded::Done(_))) => Some(abandoned(&entry)),
                Some(Err(_)) => {
                    let then = self.oracle.deeds(biz_id).clone();
                    return self.told(process, biz_id, Outcome::Unknown, &then);
                }
            };
        }
        let attempt = match self.attempt(sale) {
            Attempt::Elsewhere if self.mutant == Some(Mutant::OtherJournalNotSent) => Attempt::Here,
            attempt => attempt,
        };
        let answer = match known(standing, attempt, false) {
            Known::Stands(entry) => {
                let answer = tell_stands(&self.as_told(&entry), Lang::En);
                self.judge_words(process, &answer, &entry);
                answer
            }
            other => tell_known(&other, Lang::En),
        };
        let outcome = answer.outcome();
        let then = self.oracle.deeds(biz_id).clone();
        self.told(process, biz_id, outcome, &then);
    }

    /// What a mutant reads of an entry before it is told.
    pub fn as_told(&self, entry: &Entry) -> Entry {
        match self.mutant {
            Some(Mutant::RefundSpeaksOfPayment) => altered(entry, |detail| detail.reversal.refund = false),
            Some(Mutant::ConfirmedFlips) => altered(entry, |detail| detail.reversal.promised = false),
            _ => entry.clone(),
        }
    }

    /// The words of a refund are a refund's, and those of a confirmed undoing never change their mind.
    pub fn judge_words(&mut self, process: usize, answer: &Answer, entry: &Entry) {
        let biz_id = entry.key().biz_id.as_str();
        let wanted = match (self.refunds.contains(biz_id), entry.stage()) {
            (true, Stage::Reversed) => Next::Refunded,
            (true, Stage::Reversing) => Next::RefundPending,
            (true, Stage::Kept) if answer.outcome() == Outcome::Conflict => Next::RefundRefused,
            (false, _) if entry.promise_refused() && answer.outcome() == Outcome::Unknown => {
                Next::OtherTender
            }
            _ => return,
        };
        if answer.next() != wanted {
            let (next, wanted) = (answer.next().as_str(), wanted.as_str());
            self.say(&format!("P{process}"), || format!("{biz_id} next {next}"));
            self.oracle.broken("R", format!("{biz_id} is told next {next}, not {wanted}"));
        }
    }

    /// The till is told.
    pub fn told(&mut self, process: usize, biz_id: &str, outcome: Outcome, then: &crate::assumption::Deeds) {
        self.figures.count(match outcome {
            Outcome::Succeeded => "told succeeded",
            Outcome::Declined => "told declined",
            Outcome::Invalid => "told invalid",
            Outcome::NotSent => "told not_sent",
            Outcome::Unknown => "told unknown",
            Outcome::Internal => "told internal",
            Outcome::Reversed => "told reversed",
            Outcome::Conflict => "told conflict",
            Outcome::Running => "told running",
        });
        let failed = self.processes.get(process).is_some_and(|process| process.failed);
        let net = self.oracle.net(biz_id);
        self.say(&format!("P{process}"), || format!("{biz_id} TOLD {} (S = {net})", outcome.as_str()));
        self.oracle.told(biz_id, outcome, then, failed);
        if outcome == Outcome::Succeeded {
            self.hear(process, biz_id);
        }
    }

    /// How long an effect takes: next to nothing, or once in a while a thread that the machine keeps waiting.
    pub fn soon(&mut self) -> u64 {
        let longest = if self.random.per_mille(5) && !self.quiet { 3_000 } else { 3 };
        self.now + self.random.range(0, longest)
    }

    /// Wakes the recovery of a process.
    pub fn nudge(&mut self, process: usize) {
        let now = self.now;
        for actor in &mut self.actors {
            if actor.role == Role::Recovery(process) {
                actor.nudged = true;
                if matches!(actor.work, Work::Idle) {
                    actor.wakes_at = actor.wakes_at.min(now);
                }
            }
        }
    }
}
