//! How the effects of the library's machines change a state.
#![allow(
    clippy::indexing_slicing,
    reason = "sales and processes are numbered within the bounds of their arrays"
)]

use zvpos_core::gateway::{Doubt, GatewayStatus, Reversed};
use zvpos_core::journal::{Admission, Guard, Recorded, admit};
use zvpos_core::outcome::codes;
use zvpos_core::payment::consume::{self, End, Reply, awaited};
use zvpos_core::payment::reversal;
use zvpos_core::payment::{Entry, Stage};

use super::actions::Given;
use super::rules::{Broken, may_be_running, rules, sale_of};
use super::state::{Attempt, Call, Job, Message, Process, Purpose, SALES, Said, State, Waiting};

impl Given {
    pub(super) fn effect(
        &self,
        next: &mut State,
        process: usize,
        worker: bool,
        full: bool,
    ) -> Result<(), Broken> {
        let Some(Job { sale, call }) = next.processes[process].job(worker).take() else { return Ok(()) };
        match call.value.clone() {
            Call::Consume(machine, Some(effect)) => {
                let event = match effect {
                    // The record that follows decides.
                    consume::Effect::Look(_) => consume::Event::Looked { free: true },
                    consume::Effect::RecordIntent { intent: entry, .. }
                    | consume::Effect::RecordAgain(entry) => {
                        self.consume_records(next, process, entry, Guard::Member, full)?
                    }
                    consume::Effect::Record(entry) => {
                        self.consume_records(next, process, entry, Guard::Off, full)?
                    }
                    consume::Effect::AwaitOther(entry) => {
                        let standing = next.entry(sale).cloned().unwrap_or(entry);
                        let runs = may_be_running(next, process, &standing);
                        let Some(event) = awaited(&standing, runs, false) else {
                            let waits = Some(consume::Effect::AwaitOther(standing));
                            self.is_at(next, process, false, sale, Call::Consume(machine, waits));
                            return Ok(());
                        };
                        event
                    }
                    consume::Effect::Send(_) => return self.departs(next, process, sale, machine),
                    consume::Effect::Tell(_) => return Ok(()),
                };
                let (machine, effect) = consume::step(machine, event);
                self.consume_goes_on(next, process, sale, machine, effect)
            }
            Call::Reversal(machine, Some(reversal::Effect::Record(record)), over) => {
                let event = if full {
                    reversal::Event::JournalFailed { code: &codes::JOURNAL_FULL, message: String::new() }
                } else {
                    match self.record(next, process, &record, Guard::Off)? {
                        Recorded::Done(()) => reversal::Event::Recorded(record),
                        Recorded::Existing(entry)
                        | Recorded::InDoubt(entry)
                        | Recorded::Superseded(entry) => reversal::Event::Existing(entry),
                    }
                };
                let (machine, effect) = reversal::step(machine, event, rules(over));
                self.reversal_goes_on(next, process, worker, sale, machine, effect, over)
            }
            _ => Ok(()),
        }
    }

    /// A thread is at that call.
    fn is_at(&self, next: &mut State, process: usize, worker: bool, sale: usize, call: Call) {
        let call = self.table.borrow_mut().call(call);
        *next.processes[process].job(worker) = Some(Job { sale, call });
    }

    pub(super) fn consume_records(
        &self,
        next: &mut State,
        process: usize,
        entry: Entry,
        guard: Guard,
        full: bool,
    ) -> Result<consume::Event, Broken> {
        if full {
            let (code, message) = (&codes::JOURNAL_FULL, String::new());
            return Ok(consume::Event::JournalFailed { code, message });
        }
        Ok(match self.record(next, process, &entry, guard)? {
            Recorded::Done(()) => consume::Event::Recorded(entry),
            Recorded::Existing(entry) => consume::Event::Existing(entry),
            Recorded::InDoubt(entry) => consume::Event::InDoubt(entry),
            Recorded::Superseded(standing) => {
                consume::Event::Superseded { written: Box::new(entry), standing }
            }
        })
    }

    pub(super) fn record(
        &self,
        next: &mut State,
        process: usize,
        entry: &Entry,
        guard: Guard,
    ) -> Result<Recorded, Broken> {
        let Some(sale) = sale_of(entry) else { return Ok(Recorded::Existing(entry.clone())) };
        let held_back = || {
            let mut others = (0..SALES).filter_map(|sale| next.entry(sale));
            let found = others
                .find(|other| guard.keeps_out(entry, other, |other| may_be_running(next, process, other)));
            Ok::<_, ()>(found.cloned())
        };
        match admit(next.entry(sale), entry, held_back) {
            Ok(Admission::KeptOut(told)) => Ok(*told),
            Ok(Admission::Write) => {
                presumed_dead(next, sale, entry)?;
                next.journal[sale] = Some(self.table.borrow_mut().entry(entry.clone()));
                Ok(Recorded::Done(()))
            }
            Ok(Admission::Vanished) | Err(()) => Ok(Recorded::Existing(entry.clone())),
        }
    }

    /// A consume leaves.
    fn departs(
        &self,
        next: &mut State,
        process: usize,
        sale: usize,
        machine: consume::State,
    ) -> Result<(), Broken> {
        let own = Process::owner(process, next.processes[process].life);
        let is_durable =
            next.entry(sale).is_some_and(|entry| entry.stage() == Stage::Sending && *entry.owner() == own);
        if !is_durable {
            // Only an attempt that was presumed dead while its process was stopped may leave after that.
            if next.processes[process].attempt != Attempt::PresumedDead {
                let biz_id = &self.keys[sale].biz_id;
                return Err(("I4", format!("{biz_id} leaves and its intent is not durable")));
            }
            next.ledger[sale].zombie = true;
        }
        let waiting = Some(Waiting { process, worker: false });
        next.messages.push(Message { purpose: Purpose::Consume, sale, waiting });
        self.is_at(next, process, false, sale, Call::Consume(machine, None));
        Ok(())
    }

    /// An exchange ends for its caller, if one still waits; `None`: without an answer.
    pub(super) fn answered(
        &self,
        next: &mut State,
        message: Message,
        said: Option<Said>,
    ) -> Result<(), Broken> {
        let Some(Waiting { process, worker }) = message.waiting else { return Ok(()) };
        let Some(Job { sale, call }) = next.processes[process].job(worker).take() else { return Ok(()) };
        match call.value.clone() {
            Call::Consume(machine, None) => {
                let end = match said {
                    Some(Said::Taken) => End::Answered(self.accepted[sale].clone()),
                    Some(_) => End::Answered(self.refused.clone()),
                    None => End::Lost(Doubt::new(&codes::LOST, "")),
                };
                let event = consume::Event::Ended { end, clock_is_off: false };
                let (machine, effect) = consume::step(machine, event);
                self.consume_goes_on(next, process, sale, machine, effect)
            }
            Call::Reversal(machine, None, over) => {
                let words = GatewayStatus::default();
                let answer = match said {
                    Some(Said::GivenBack) => Reversed::Done(words),
                    Some(Said::Already) => Reversed::Already(words),
                    Some(_) => Reversed::NotFound(words),
                    None => Reversed::Again(words),
                };
                let event = reversal::Event::Answered { answer, refused_for_clock: false };
                let (machine, effect) = reversal::step(machine, event, rules(over));
                self.reversal_goes_on(next, process, worker, sale, machine, effect, over)
            }
            _ => Ok(()),
        }
    }

    /// The effect that follows in a consume's call.
    pub(super) fn consume_goes_on(
        &self,
        next: &mut State,
        process: usize,
        sale: usize,
        machine: consume::State,
        effect: consume::Effect,
    ) -> Result<(), Broken> {
        let consume::Effect::Tell(reply) = effect else {
            self.is_at(next, process, false, sale, Call::Consume(machine, Some(effect)));
            return Ok(());
        };
        let attempt = std::mem::replace(&mut next.processes[process].attempt, Attempt::InTime);
        match reply {
            Reply::Ended(entry) | Reply::Existing(entry) => {
                let is_durable = next.entry(sale).is_some_and(|now| now.revision() >= entry.revision());
                if !is_durable {
                    return Err(("I4", format!("{} is told what is not durable", entry.key().biz_id)));
                }
                // The end of the attempt itself is recorded: from here on every word must be true.
                next.ledger[sale].zombie &= attempt != Attempt::PresumedDead;
                Ok(())
            }
            Reply::Internal { message, .. } if message.starts_with("unexpected") => Err(("panic", message)),
            _ => Ok(()),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one argument a part of the job")]
    pub(super) fn reversal_goes_on(
        &self,
        next: &mut State,
        process: usize,
        worker: bool,
        sale: usize,
        machine: reversal::State,
        effect: reversal::Effect,
        over: bool,
    ) -> Result<(), Broken> {
        let effect = match effect {
            reversal::Effect::Failed { message, .. } if message.starts_with("unexpected") => {
                return Err(("panic", message));
            }
            reversal::Effect::Stands(_) | reversal::Effect::Failed { .. } => return Ok(()),
            // It leaves with the record of its try: on its way it changes nothing that another thread sees, and a request
            // that has not left is one that is long on its way.
            reversal::Effect::Send { .. } => {
                if next.entry(sale).is_none_or(|entry| entry.detail().reversal.tries == 0) {
                    let biz_id = &self.keys[sale].biz_id;
                    return Err(("I4", format!("a reversal of {biz_id} leaves and no try of it is durable")));
                }
                let waiting = Some(Waiting { process, worker });
                next.messages.push(Message { purpose: Purpose::Reversal, sale, waiting });
                None
            }
            effect @ reversal::Effect::Record(_) => Some(effect),
        };
        self.is_at(next, process, worker, sale, Call::Reversal(machine, effect, over));
        Ok(())
    }
}

/// A record may say that the process of an attempt is dead only where it is, or where its call has outlived its time.
fn presumed_dead(next: &mut State, sale: usize, after: &Entry) -> Result<(), Broken> {
    let Some(before) = next.entry(sale).filter(|before| before.stage() == Stage::Sending) else {
        return Ok(());
    };
    let says_so =
        after.stage() != Stage::Sending && after.detail().doubt.as_deref() == Some(codes::ABANDONED.text);
    let owner = next.owner(before).filter(|owner| says_so && next.processes[*owner].carries_out(sale));
    let Some(owner) = owner else { return Ok(()) };
    if next.processes[owner].attempt == Attempt::InTime {
        return Err(("I3", format!("{}: P{owner} is presumed dead and lives", before.key().biz_id)));
    }
    next.processes[owner].attempt = Attempt::PresumedDead;
    Ok(())
}

impl State {
    /// A process dies. Its requests may still arrive; no thread waits for them.
    pub(super) fn dies(&mut self, process: usize) {
        self.left.crashes -= 1;
        let dead = &mut self.processes[process];
        *dead = Process { life: dead.life, alive: false, ..Process::new() };
        for message in &mut self.messages {
            message.waiting = message.waiting.filter(|waiting| waiting.process != process);
        }
    }
}
