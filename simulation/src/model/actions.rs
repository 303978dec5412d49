//! What can happen in a state, and what it makes of it. Every decision is the library's own; what is carried out here is
//! what a runtime carries out.
#![allow(
    clippy::indexing_slicing,
    reason = "sales and processes are numbered within the bounds of their arrays"
)]

use std::time::{Duration, Instant};

use zvpos_core::gateway::{CodeRules, Envelope, Identity, Verdict};
use zvpos_core::journal::Guard;
use zvpos_core::money::{Amount, BizId};
use zvpos_core::payment::consume::{self, abandoned};
use zvpos_core::payment::reversal::{self, By, Requested, request};
use zvpos_core::payment::schedule::{Facts, Schedule, ScheduleSettings, Task};
use zvpos_core::payment::{Entry, Key, OnUnknown, Stage};

use super::rules::{Broken, arrive, can_be_over, check, may_be_running, rules};
use super::state::{Job, Process, Purpose, SALES, State};

/// One thing that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A till asks for a consume.
    Consume(usize, usize),
    /// A till asks for a reversal; true: the late-arrival window of the sale is over for its process.
    AskReversal(usize, usize, bool),
    /// The library's thread looks at an unsettled sale, likewise.
    Look(usize, usize, bool),
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
    /// A process dies.
    Crash(usize),
    /// A process starts again.
    Start(usize),
    /// A process is stopped so long that the others take it for dead.
    Stop(usize),
    /// It goes on.
    GoOn(usize),
}

/// What the library is given: the two sales, and what the gateway's answers prove.
pub struct Given {
    pub(super) keys: [Key; SALES],
    identity: Identity,
    pub(super) accepted: Vec<Verdict>,
    pub(super) refused: Verdict,
    now: Instant,
    settings: ScheduleSettings,
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
        let settings =
            ScheduleSettings { late_arrival: Duration::from_secs(1), confirm_after: Duration::ZERO };
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
                            !matches!(effect, consume::Effect::Send(_) | consume::Effect::AwaitOther(_));
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
                        for sale in (0..SALES).filter(|sale| self.is_due(state, number, *sale)) {
                            found.push(Action::Look(number, sale, false));
                            if can_be_over(state, sale) {
                                found.push(Action::Look(number, sale, true));
                            }
                        }
                    }
                    None => {
                        if state.left.consumes > 0 {
                            found.extend((0..SALES).map(|sale| Action::Consume(number, sale)));
                        }
                        if state.left.reversals > 0 && state.left.tries > 0 {
                            let known = (0..SALES).filter(|sale| state.journal[*sale].is_some());
                            for sale in known {
                                found.push(Action::AskReversal(number, sale, false));
                                if can_be_over(state, sale) {
                                    found.push(Action::AskReversal(number, sale, true));
                                }
                            }
                        }
                    }
                }
            }
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
                let asked = consume::Event::Asked { connected: true };
                let (machine, effect) = consume::step(consume::State::New(intent), asked);
                Given::consume_goes_on(&mut next, process, sale, machine, effect)?;
            }
            Action::AskReversal(process, sale, over) => self.ask_reversal(&mut next, process, sale, over)?,
            Action::Look(process, sale, over) => self.look(&mut next, process, sale, over)?,
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
                    Given::consume_goes_on(&mut next, process, sale, machine, effect)?;
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
            Action::Crash(process) => {
                next.left.crashes -= 1;
                let dead = &mut next.processes[process];
                (dead.alive, dead.stopped, dead.till, dead.worker) = (false, false, None, None);
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

    fn look(&self, next: &mut State, process: usize, sale: usize, over: bool) -> Result<(), Broken> {
        let Some(entry) = next.journal[sale].clone() else { return Ok(()) };
        match self.task(next, process, &entry) {
            Task::MarkAbandoned => {
                let record = abandoned(&entry);
                drop(self.record(next, process, &record, Guard::Off));
            }
            Task::Drive => Given::drive(next, process, sale, entry, true, over)?,
            Task::Leave | Task::Wait(_) => {}
        }
        Ok(())
    }

    fn ask_reversal(&self, next: &mut State, process: usize, sale: usize, over: bool) -> Result<(), Broken> {
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
            Some(entry) if entry.stage() == Stage::Reversing => {
                Given::drive(next, process, sale, entry, false, over)
            }
            _ => Ok(()),
        }
    }

    fn drive(
        next: &mut State,
        process: usize,
        sale: usize,
        entry: Entry,
        worker: bool,
        over: bool,
    ) -> Result<(), Broken> {
        next.left.tries = next.left.tries.saturating_sub(1);
        let begin = reversal::Event::Begin { other_biz_ids: false };
        let (machine, effect) = reversal::step(reversal::State::New(entry), begin, rules(over));
        Given::reversal_goes_on(next, process, worker, sale, machine, effect, over)
    }
}
