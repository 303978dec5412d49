//! What can happen in a state, and what it makes of it. Every decision is the library's own; what is carried out here is
//! what a runtime carries out.

use std::time::{Duration, Instant};

use zvpos_core::gateway::{CodeRules, Doubt, Envelope, GatewayStatus, Identity, Reversed, Verdict};
use zvpos_core::journal::{Admission, Guard, Recorded, admit};
use zvpos_core::money::{Amount, BizId};
use zvpos_core::outcome::codes;
use zvpos_core::payment::consume::{self, End, Reply, abandoned, awaited};
use zvpos_core::payment::reversal::{self, By, Requested, Rules, request};
use zvpos_core::payment::schedule::{Facts, Schedule, Settings, Task};
use zvpos_core::payment::{Entry, Key, OnUnknown, Stage};

use super::state::{Job, Message, PROCESSES, Process, Purpose, SALES, Said, State, Waiting};

/// One thing that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A till asks for a consume.
    Consume(usize, usize),
    /// A till asks for a reversal.
    AskReversal(usize, usize),
    /// The library's thread looks at an unsettled sale.
    Look(usize, usize),
    /// A thread (true: the library's) carries out its next effect.
    Effect(usize, bool),
    /// Its next record meets a full disk.
    FullDisk(usize, bool),
    /// It waits no longer for another call.
    GiveUpWaiting(usize),
    /// A request arrives; the gateway refuses what it may refuse.
    Arrive(usize, bool),
    /// An answer arrives.
    Answer(usize),
    /// A request, or its answer, is lost.
    Lose(usize),
    /// The caller gives up a request that will still arrive.
    Overtake(usize),
    /// The late-arrival window of a sale is over for a process.
    WindowOver(usize, usize),
    /// A process dies.
    Crash(usize),
    /// A process starts again.
    Start(usize),
    /// A process is stopped so long that the others take it for dead.
    Stop(usize),
    /// It goes on.
    GoOn(usize),
}

/// What no state may show: the label of the invariant and what is seen.
pub type Broken = (&'static str, String);

/// What the library is given: the two sales, and what the gateway's answers prove.
pub struct Given {
    keys: [Key; SALES],
    identity: Identity,
    accepted: Vec<Verdict>,
    refused: Verdict,
    now: Instant,
    settings: Settings,
    on_unknown: OnUnknown,
}

impl Given {
    /// Two sales of one member under that policy.
    pub fn new(on_unknown: OnUnknown) -> Result<Given, String> {
        let key = |biz_id: &str| {
            BizId::new(biz_id)
                .map(|biz_id| Key { open_id: "o".to_owned(), endpoint: "e".to_owned(), biz_id })
                .map_err(|error| format!("{error:?}"))
        };
        let keys = [key("A")?, key("B")?];
        let amount = Amount::parse("1.00").map_err(|error| format!("{error:?}"))?;
        let customer_id = Some("383933091455959041".to_owned());
        let identity = Identity { customer_id, amount: Some(amount), ..Identity::default() };
        let judge = |key: &Key, body: &str| {
            let envelope = Envelope::read(200, body.as_bytes()).map_err(|doubt| doubt.message)?;
            let rules = CodeRules::default();
            Ok::<_, String>(envelope.judge_consume(&key.biz_id, &identity, &rules, false, &|_| false))
        };
        let accepted = keys
            .iter()
            .map(|key| {
                let body = format!(
                    r#"{{"status":"true","code":"0","message":"","data":{{"status":"true","code":"0","bizId":"{}","change_recharge_amount":"1.00"}}}}"#,
                    key.biz_id
                );
                judge(key, &body)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let refused = judge(&keys[0], r#"{"status":true,"code":"910001","message":"no"}"#)?;
        if !accepted.iter().all(|verdict| matches!(verdict, Verdict::Accepted(_)))
            || !matches!(refused, Verdict::Refused(_))
        {
            return Err("the model's own answers prove nothing".to_owned());
        }
        let settings = Settings { late_arrival: Duration::from_secs(1), confirm_after: Duration::ZERO };
        Ok(Given { keys, identity, accepted, refused, now: Instant::now(), settings, on_unknown })
    }

    /// Everything that can happen.
    pub fn actions(&self, state: &State) -> Vec<Action> {
        let mut found = Vec::new();
        for (number, process) in state.processes.iter().enumerate() {
            if !process.alive {
                found.push(Action::Start(number));
                continue;
            }
            if state.left.crashes > 0 {
                found.push(Action::Crash(number));
            }
            if process.stopped {
                found.push(Action::GoOn(number));
                continue;
            }
            if state.left.pauses > 0 && process.till.is_some() {
                found.push(Action::Stop(number));
            }
            for (worker, job) in [(false, &process.till), (true, &process.worker)] {
                match job {
                    Some(Job::Consume(_, _, Some(effect))) => {
                        found.push(Action::Effect(number, worker));
                        let is_record =
                            !matches!(effect, consume::Effect::Send | consume::Effect::AwaitOther(_));
                        if is_record && state.left.full_disks > 0 {
                            found.push(Action::FullDisk(number, worker));
                        }
                        if matches!(effect, consume::Effect::AwaitOther(_)) {
                            found.push(Action::GiveUpWaiting(number));
                        }
                    }
                    Some(Job::Reversal(_, _, Some(effect), _)) => {
                        found.push(Action::Effect(number, worker));
                        if matches!(effect, reversal::Effect::Record(_)) && state.left.full_disks > 0 {
                            found.push(Action::FullDisk(number, worker));
                        }
                    }
                    Some(_) => {}
                    None if worker => {
                        found.extend(
                            (0..SALES)
                                .filter(|sale| self.is_due(state, number, *sale))
                                .map(|sale| Action::Look(number, sale)),
                        );
                    }
                    None => {
                        if state.left.consumes > 0 {
                            found.extend((0..SALES).map(|sale| Action::Consume(number, sale)));
                        }
                        if state.left.reversals > 0 && state.left.tries > 0 {
                            let known = (0..SALES).filter(|sale| state.journal[*sale].is_some());
                            found.extend(known.map(|sale| Action::AskReversal(number, sale)));
                        }
                    }
                }
            }
            found.extend(
                (0..SALES)
                    .filter(|sale| can_be_over(state, number, *sale))
                    .map(|sale| Action::WindowOver(number, sale)),
            );
        }
        for (at, message) in state.messages.iter().enumerate() {
            if message.said.is_none() {
                found.push(Action::Arrive(at, false));
                if message.purpose == Purpose::Consume && state.ledger[message.sale].answered.is_none() {
                    found.push(Action::Arrive(at, true));
                }
                if message.purpose == Purpose::Consume && message.waiting.is_some() && state.left.late > 0 {
                    found.push(Action::Overtake(at));
                }
            } else {
                found.push(Action::Answer(at));
            }
            if state.left.losses > 0 && message.waiting.is_some() {
                found.push(Action::Lose(at));
            }
        }
        found
    }

    /// The state after an action, or the invariant that it breaks.
    pub fn apply(&self, state: &State, action: Action) -> Result<State, Broken> {
        let mut next = state.clone();
        match action {
            Action::Consume(process, sale) => {
                next.left.consumes -= 1;
                let owner = Process::owner(process, next.processes[process].life);
                let intent =
                    Entry::intent(self.keys[sale].clone(), self.identity.clone(), owner, self.on_unknown, 0);
                let (machine, effect) = consume::step(consume::State::New(intent), consume::Event::Asked);
                self.consume_goes_on(&mut next, process, sale, machine, effect)?;
            }
            Action::AskReversal(process, sale) => self.ask_reversal(&mut next, process, sale)?,
            Action::Look(process, sale) => self.look(&mut next, process, sale)?,
            Action::Effect(process, worker) => self.effect(&mut next, process, worker, false)?,
            Action::FullDisk(process, worker) => {
                next.left.full_disks -= 1;
                self.effect(&mut next, process, worker, true)?;
            }
            Action::GiveUpWaiting(process) => {
                if let Some(Job::Consume(sale, machine, Some(consume::Effect::AwaitOther(_)))) =
                    next.processes[process].till.take()
                {
                    let (machine, effect) = consume::step(machine, consume::Event::WaitTimedOut);
                    self.consume_goes_on(&mut next, process, sale, machine, effect)?;
                }
            }
            Action::Arrive(at, refuses) => arrive(&mut next, at, refuses),
            Action::Answer(at) => {
                let message = next.messages.remove(at);
                if let (Some(waiting), Some(said)) = (message.waiting, message.said) {
                    self.answered(&mut next, waiting, message, Some(said))?;
                }
            }
            Action::Lose(at) => {
                next.left.losses -= 1;
                let message = next.messages.remove(at);
                if let Some(waiting) = message.waiting {
                    self.answered(&mut next, waiting, message, None)?;
                }
            }
            Action::Overtake(at) => {
                next.left.late -= 1;
                let message = next.messages[at];
                next.messages[at].waiting = None;
                if let Some(waiting) = message.waiting {
                    self.answered(&mut next, waiting, message, None)?;
                }
            }
            Action::WindowOver(process, sale) => {
                let reopened = next.journal[sale].as_ref().map_or(0, |entry| entry.detail().reopened);
                next.processes[process].window_over[sale] = reopened + 1;
            }
            Action::Crash(process) => {
                next.left.crashes -= 1;
                let dead = &mut next.processes[process];
                (dead.alive, dead.stopped, dead.till, dead.worker) = (false, false, None, None);
                dead.window_over = [0; SALES];
                // The request may still arrive; nobody waits for it.
                for message in
                    next.messages.iter_mut().filter(|m| m.waiting.is_some_and(|w| w.process == process))
                {
                    message.waiting = None;
                }
                next.messages.retain(|message| message.waiting.is_some() || message.said.is_none());
            }
            Action::Start(process) => {
                let started = &mut next.processes[process];
                started.life += 1;
                started.alive = true;
            }
            Action::Stop(process) => {
                next.left.pauses -= 1;
                next.processes[process].stopped = true;
            }
            Action::GoOn(process) => next.processes[process].stopped = false,
        }
        check(&next)?;
        Ok(next)
    }

    /// Whether nothing can happen any more by itself though something is unsettled.
    pub fn is_stuck(&self, state: &State, actions: &[Action]) -> Option<Broken> {
        let quiet = actions.iter().all(|action| {
            matches!(
                action,
                Action::Crash(_) | Action::Stop(_) | Action::Consume(..) | Action::AskReversal(..)
            )
        });
        let open = state
            .journal
            .iter()
            .flatten()
            .find(|entry| matches!(entry.stage(), Stage::Sending | Stage::Reversing));
        let open = open.filter(|_| quiet && state.left.tries > 0)?;
        Some(("I2", format!("{} stays {}", open.key().biz_id, open.stage().as_str())))
    }

    fn is_due(&self, state: &State, process: usize, sale: usize) -> bool {
        let Some(entry) = &state.journal[sale] else { return false };
        // The other thread of the process may be at it: then it waits.
        let driven = matches!(&state.processes[process].till, Some(Job::Reversal(at, ..)) if *at == sale);
        let is_due = match self.task(state, process, entry) {
            Task::MarkAbandoned => true,
            Task::Drive => state.left.tries > 0 && !driven,
            Task::Leave | Task::Wait(_) => false,
        };
        entry.stage().is_unsettled() && is_due
    }

    fn task(&self, state: &State, process: usize, entry: &Entry) -> Task {
        let life = state.processes[process].life;
        let facts = Facts {
            may_be_running: may_be_running(state, process, entry),
            is_own: *entry.owner() == Process::owner(process, life),
            has_account: true,
            can_reverse: true,
            has_evidence: false,
        };
        Schedule::new(self.settings).task(entry, facts, true, self.now)
    }

    fn look(&self, next: &mut State, process: usize, sale: usize) -> Result<(), Broken> {
        let Some(entry) = next.journal[sale].clone() else { return Ok(()) };
        match self.task(next, process, &entry) {
            Task::MarkAbandoned => {
                let record = abandoned(&entry);
                drop(self.record(next, process, &record, Guard::Off));
            }
            Task::Drive => self.drive(next, process, sale, entry, true)?,
            Task::Leave | Task::Wait(_) => {}
        }
        Ok(())
    }

    fn ask_reversal(&self, next: &mut State, process: usize, sale: usize) -> Result<(), Broken> {
        next.left.reversals -= 1;
        let Some(entry) = next.journal[sale].clone() else { return Ok(()) };
        // As a look-up does: what a dead process left is recorded as that first.
        let entry = if entry.stage() == Stage::Sending && !may_be_running(next, process, &entry) {
            let record = abandoned(&entry);
            drop(self.record(next, process, &record, Guard::Off));
            next.journal[sale].clone().unwrap_or(record)
        } else {
            entry
        };
        if let Requested::Record(record) = request(&entry, None, true, By::Till) {
            drop(self.record(next, process, &record, Guard::Off));
        }
        match next.journal[sale].clone() {
            Some(entry) if entry.stage() == Stage::Reversing => self.drive(next, process, sale, entry, false),
            _ => Ok(()),
        }
    }

    fn drive(
        &self,
        next: &mut State,
        process: usize,
        sale: usize,
        entry: Entry,
        worker: bool,
    ) -> Result<(), Broken> {
        next.left.tries = next.left.tries.saturating_sub(1);
        let over = next.processes[process].window_over[sale] == entry.detail().reopened + 1;
        let begin = reversal::Event::Begin { other_biz_ids: false };
        let (machine, effect) = reversal::step(reversal::State::New(entry), begin, rules(over));
        self.reversal_goes_on(next, process, worker, sale, machine, effect, over)
    }

    fn effect(&self, next: &mut State, process: usize, worker: bool, full: bool) -> Result<(), Broken> {
        let slot = &mut next.processes[process];
        let job = if worker { slot.worker.take() } else { slot.till.take() };
        match job {
            Some(Job::Consume(sale, machine, Some(effect))) => {
                let event = match effect {
                    consume::Effect::RecordIntent(entry) | consume::Effect::RecordAgain(entry) => {
                        self.consume_records(next, process, entry, Guard::Member, full)
                    }
                    consume::Effect::Record(entry) => {
                        self.consume_records(next, process, entry, Guard::Off, full)
                    }
                    consume::Effect::AwaitOther(entry) => {
                        let standing = next.journal[sale].clone().unwrap_or(entry);
                        let runs = may_be_running(next, process, &standing);
                        match awaited(standing, runs, false) {
                            Ok(event) => event,
                            Err(entry) => {
                                let waits = Some(consume::Effect::AwaitOther(entry));
                                next.processes[process].till = Some(Job::Consume(sale, machine, waits));
                                return Ok(());
                            }
                        }
                    }
                    consume::Effect::Send => {
                        self.departs(next, process, sale)?;
                        next.processes[process].till = Some(Job::Consume(sale, machine, None));
                        return Ok(());
                    }
                    consume::Effect::Tell(_) => return Ok(()),
                };
                let (machine, effect) = consume::step(machine, event);
                self.consume_goes_on(next, process, sale, machine, effect)
            }
            Some(Job::Reversal(sale, machine, Some(effect), over)) => {
                let event = match effect {
                    reversal::Effect::Record(record) if full => {
                        drop(record);
                        reversal::Event::JournalFailed { code: &codes::JOURNAL_FULL, message: String::new() }
                    }
                    reversal::Effect::Record(record) => match self.record(next, process, &record, Guard::Off)
                    {
                        Recorded::Done(_) => reversal::Event::Recorded(record),
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
                            slot.worker = waits
                        } else {
                            slot.till = waits
                        }
                        return Ok(());
                    }
                    reversal::Effect::Stands(_) | reversal::Effect::Failed { .. } => return Ok(()),
                };
                let (machine, effect) = reversal::step(machine, event, rules(over));
                self.reversal_goes_on(next, process, worker, sale, machine, effect, over)
            }
            _ => Ok(()),
        }
    }

    fn consume_records(
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
            Recorded::Done(_) => consume::Event::Recorded(entry),
            Recorded::Existing(entry) => consume::Event::Existing(entry),
            Recorded::InDoubt(entry) => consume::Event::InDoubt(entry),
        }
    }

    fn record(&self, next: &mut State, process: usize, entry: &Entry, guard: Guard) -> Recorded {
        let Some(sale) = self.keys.iter().position(|key| key == entry.key()) else {
            return Recorded::Existing(entry.clone());
        };
        let held_back = || {
            let others = next.journal.iter().flatten();
            let found = others
                .cloned()
                .find(|other| guard.keeps_out(entry, other, |other| may_be_running(next, process, other)));
            Ok::<_, ()>(found)
        };
        match admit(next.journal[sale].clone(), entry, held_back) {
            Ok(Admission::KeptOut(told)) => *told,
            Ok(Admission::Write) => {
                next.journal[sale] = Some(entry.clone());
                Recorded::Done(crate::store::receipt(entry))
            }
            Ok(Admission::Vanished) | Err(()) => Recorded::Existing(entry.clone()),
        }
    }

    fn departs(&self, next: &mut State, process: usize, sale: usize) -> Result<(), Broken> {
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
    fn answered(
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
                self.consume_goes_on(next, process, sale, machine, effect)
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
                self.reversal_goes_on(next, process, waiting.worker, sale, machine, effect, over)
            }
            _ => Ok(()),
        }
    }

    fn consume_goes_on(
        &self,
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
    fn reversal_goes_on(
        &self,
        next: &mut State,
        process: usize,
        worker: bool,
        sale: usize,
        machine: reversal::State,
        effect: reversal::Effect,
        over: bool,
    ) -> Result<(), Broken> {
        let job = match effect {
            reversal::Effect::Stands(_) => None,
            reversal::Effect::Failed { message, .. } if message.starts_with("unexpected") => {
                return Err(("panic", message));
            }
            reversal::Effect::Failed { .. } => None,
            effect => Some(Job::Reversal(sale, machine, Some(effect), over)),
        };
        let slot = &mut next.processes[process];
        if worker {
            slot.worker = job
        } else {
            slot.till = job
        }
        Ok(())
    }
}

fn rules(late_window_over: bool) -> Rules {
    Rules { late_window_over, refuses_unknown: false, knows_already: true }
}

/// Whether the attempt of an intent may still be running, as a process sees it.
fn may_be_running(state: &State, observer: usize, entry: &Entry) -> bool {
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

/// Whether the window of a sale may be over for a process: nothing of it can arrive any more (docs/money-safety.md, G5).
fn can_be_over(state: &State, process: usize, sale: usize) -> bool {
    let Some(entry) = &state.journal[sale] else { return false };
    let arrives = state
        .messages
        .iter()
        .any(|message| message.purpose == Purpose::Consume && message.sale == sale && message.said.is_none());
    entry.stage() == Stage::Reversing
        && !arrives
        && state.processes[process].window_over[sale] != entry.detail().reopened + 1
}

/// What the gateway does with a request.
fn arrive(next: &mut State, at: usize, refuses: bool) {
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
fn check(state: &State) -> Result<(), Broken> {
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
            let stage = entry.stage().as_str();
            return Err(("I3", format!("{} stands as {stage} and S is {}", entry.key().biz_id, ledger.net)));
        }
    }
    Ok(())
}
