//! What the effects of the library's machines do in a state.
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
use super::rules::{Broken, may_be_running, rules};
use super::state::{Job, Message, Process, Purpose, Said, State, Waiting};

impl Given {
    pub(super) fn effect(
        &self,
        next: &mut State,
        process: usize,
        worker: bool,
        full: bool,
    ) -> Result<(), Broken> {
        let slot = &mut next.processes[process];
        let job = if worker { slot.worker.take() } else { slot.till.take() };
        match job {
            Some(Job::Consume(sale, machine, Some(effect))) => {
                let event = match effect {
                    // The record that follows decides.
                    consume::Effect::Look(_) => consume::Event::Looked { free: true },
                    consume::Effect::RecordIntent { intent: entry, .. }
                    | consume::Effect::RecordAgain(entry) => {
                        self.consume_records(next, process, entry, Guard::Member, full)
                    }
                    consume::Effect::Record(entry) => {
                        self.consume_records(next, process, entry, Guard::Off, full)
                    }
                    consume::Effect::AwaitOther(entry) => {
                        let standing = next.journal[sale].clone().unwrap_or(entry);
                        let runs = may_be_running(next, process, &standing);
                        let Some(event) = awaited(&standing, runs, false) else {
                            let waits = Some(consume::Effect::AwaitOther(standing));
                            next.processes[process].till = Some(Job::Consume(sale, machine, waits));
                            return Ok(());
                        };
                        event
                    }
                    consume::Effect::Send(_) => {
                        self.departs(next, process, sale)?;
                        next.processes[process].till = Some(Job::Consume(sale, machine, None));
                        return Ok(());
                    }
                    consume::Effect::Tell(_) => return Ok(()),
                };
                let (machine, effect) = consume::step(machine, event);
                Given::consume_goes_on(next, process, sale, machine, effect)
            }
            Some(Job::Reversal(sale, machine, Some(effect), over)) => {
                let event = match effect {
                    reversal::Effect::Record(record) if full => {
                        drop(record);
                        reversal::Event::JournalFailed { code: &codes::JOURNAL_FULL, message: String::new() }
                    }
                    reversal::Effect::Record(record) => match self.record(next, process, &record, Guard::Off)
                    {
                        Recorded::Done(()) => reversal::Event::Recorded(record),
                        Recorded::Existing(entry) | Recorded::InDoubt(entry) => {
                            reversal::Event::Existing(entry)
                        }
                    },
                    reversal::Effect::Send { .. } => {
                        let life = next.processes[process].life;
                        let waiting = Some(Waiting { process, life, worker });
                        next.messages.push(Message { purpose: Purpose::Reversal, sale, waiting, said: None });
                        let waits = Some(Job::Reversal(sale, machine, None, over));
                        let slot = &mut next.processes[process];
                        if worker {
                            slot.worker = waits;
                        } else {
                            slot.till = waits;
                        }
                        return Ok(());
                    }
                    reversal::Effect::Stands(_) | reversal::Effect::Failed { .. } => return Ok(()),
                };
                let (machine, effect) = reversal::step(machine, event, rules(over));
                Given::reversal_goes_on(next, process, worker, sale, machine, effect, over)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn consume_records(
        &self,
        next: &mut State,
        process: usize,
        entry: Entry,
        guard: Guard,
        full: bool,
    ) -> consume::Event {
        if full {
            return consume::Event::JournalFailed { code: &codes::JOURNAL_FULL, message: String::new() };
        }
        match self.record(next, process, &entry, guard) {
            Recorded::Done(()) => consume::Event::Recorded(entry),
            Recorded::Existing(entry) => consume::Event::Existing(entry),
            Recorded::InDoubt(entry) => consume::Event::InDoubt(entry),
        }
    }

    pub(super) fn record(&self, next: &mut State, process: usize, entry: &Entry, guard: Guard) -> Recorded {
        let Some(sale) = self.keys.iter().position(|key| key == entry.key()) else {
            return Recorded::Existing(entry.clone());
        };
        let held_back = || {
            let others = next.journal.iter().flatten();
            let mut others = others;
            let found = others
                .find(|other| guard.keeps_out(entry, other, |other| may_be_running(next, process, other)));
            Ok::<_, ()>(found.cloned())
        };
        match admit(next.journal[sale].clone(), entry, held_back) {
            Ok(Admission::KeptOut(told)) => *told,
            Ok(Admission::Write) => {
                next.journal[sale] = Some(entry.clone());
                Recorded::Done(())
            }
            Ok(Admission::Vanished) | Err(()) => Recorded::Existing(entry.clone()),
        }
    }

    pub(super) fn departs(&self, next: &mut State, process: usize, sale: usize) -> Result<(), Broken> {
        let life = next.processes[process].life;
        let own = Process::owner(process, life);
        let is_durable = next.journal[sale]
            .as_ref()
            .is_some_and(|entry| entry.stage() == Stage::Sending && *entry.owner() == own);
        if !is_durable {
            // Only a process that was stopped and taken for dead may send over what the others have recorded.
            if next.left.pauses > 0 {
                return Err((
                    "I4",
                    format!("{} leaves and its intent is not durable", self.keys[sale].biz_id),
                ));
            }
            next.ledger[sale].zombie = true;
        }
        let waiting = Some(Waiting { process, life, worker: false });
        next.messages.push(Message { purpose: Purpose::Consume, sale, waiting, said: None });
        Ok(())
    }

    /// An exchange ends for its caller; `None`: without an answer.
    pub(super) fn answered(
        &self,
        next: &mut State,
        waiting: Waiting,
        message: Message,
        said: Option<Said>,
    ) -> Result<(), Broken> {
        let process = waiting.process;
        let slot = &mut next.processes[process];
        if !slot.alive || slot.life != waiting.life {
            return Ok(());
        }
        let sale = message.sale;
        match if waiting.worker { slot.worker.take() } else { slot.till.take() } {
            Some(Job::Consume(_, machine, None)) => {
                let end = match said {
                    Some(Said::Taken) => End::Answered(self.accepted[sale].clone()),
                    Some(_) => End::Answered(self.refused.clone()),
                    None => End::Lost(Doubt::new(&codes::LOST, "")),
                };
                let event = consume::Event::Ended { end, clock_is_off: false };
                let (machine, effect) = consume::step(machine, event);
                Given::consume_goes_on(next, process, sale, machine, effect)
            }
            Some(Job::Reversal(_, machine, None, over)) => {
                let words = GatewayStatus::default();
                let answer = match said {
                    Some(Said::GivenBack) => Reversed::Done(words),
                    Some(Said::Already) => Reversed::Already(words),
                    Some(_) => Reversed::NotFound(words),
                    None => Reversed::Again(words),
                };
                let event = reversal::Event::Answered { answer, refused_for_clock: false };
                let (machine, effect) = reversal::step(machine, event, rules(over));
                Given::reversal_goes_on(next, process, waiting.worker, sale, machine, effect, over)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn consume_goes_on(
        next: &mut State,
        process: usize,
        sale: usize,
        machine: consume::State,
        effect: consume::Effect,
    ) -> Result<(), Broken> {
        let consume::Effect::Tell(reply) = effect else {
            next.processes[process].till = Some(Job::Consume(sale, machine, Some(effect)));
            return Ok(());
        };
        next.processes[process].till = None;
        match reply {
            Reply::Ended(entry) | Reply::Existing(entry) => {
                let is_durable =
                    next.journal[sale].as_ref().is_some_and(|now| now.revision() >= entry.revision());
                if !is_durable {
                    return Err(("I4", format!("{} is told what is not durable", entry.key().biz_id)));
                }
                next.ledger[sale].zombie &=
                    !matches!(entry.stage(), Stage::Succeeded | Stage::Reversing | Stage::Unknown);
                Ok(())
            }
            Reply::Internal { message, .. } if message.starts_with("unexpected") => Err(("panic", message)),
            _ => Ok(()),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one argument a part of the job")]
    pub(super) fn reversal_goes_on(
        next: &mut State,
        process: usize,
        worker: bool,
        sale: usize,
        machine: reversal::State,
        effect: reversal::Effect,
        over: bool,
    ) -> Result<(), Broken> {
        let job = match effect {
            reversal::Effect::Failed { message, .. } if message.starts_with("unexpected") => {
                return Err(("panic", message));
            }
            reversal::Effect::Stands(_) | reversal::Effect::Failed { .. } => None,
            effect => Some(Job::Reversal(sale, machine, Some(effect), over)),
        };
        let slot = &mut next.processes[process];
        if worker {
            slot.worker = job;
        } else {
            slot.till = job;
        }
        Ok(())
    }
}
