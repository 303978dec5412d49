//! The actions that are possible in a state, and the state after each. Every decision is the library's own; this module
//! carries out what a runtime carries out.
#![allow(
    clippy::indexing_slicing,
    reason = "sales and processes are numbered within the bounds of their arrays"
)]

use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

use zvpos_core::gateway::{CodeRules, Envelope, Identity, Verdict};
use zvpos_core::journal::Guard;
use zvpos_core::money::{Amount, BizId};
use zvpos_core::payment::consume::{self, abandoned};
use zvpos_core::payment::reversal::{self, By, Requested, request};
use zvpos_core::payment::schedule::{Facts, Schedule, ScheduleSettings, Task};
use zvpos_core::payment::{Entry, Key, OnUnknown, Stage};

use super::rules::{Broken, can_be_over, check, handled, may_be_running, rules};
use super::state::{Attempt, BIZ_IDS, Call, Job, Process, Purpose, SALES, State, Table};

/// One possible action. A thread is named by its process and by whether it is the library's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A till asks for a consume.
    Consume(usize, usize),
    /// A till asks for a reversal; true: the late-arrival window of the sale is over for its process.
    AskReversal(usize, usize, bool),
    /// The library's thread looks at an unsettled sale, likewise.
    Look(usize, usize, bool),
    /// A thread carries out its next effect.
    Effect(usize, bool),
    /// The next record of a thread meets a full disk.
    FullDisk(usize, bool),
    /// A call waits no longer for another call.
    GiveUpWaiting(usize),
    /// A request arrives, and its answer comes back if its caller still waits. True: the gateway refuses.
    Arrive(usize, bool),
    /// A request arrives, and its answer is lost, likewise.
    LoseAnswer(usize, bool),
    /// A request is lost.
    LoseRequest(usize),
    /// The caller gives up a request that will still arrive.
    Overtake(usize),
    /// A process dies.
    Crash(usize),
    /// A process starts again.
    Start(usize),
    /// A process is stopped so long that the others presume it dead.
    Stop(usize),
    /// A stopped process goes on.
    GoOn(usize),
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let biz_id = |sale: usize| BIZ_IDS.get(sale).copied().unwrap_or_default();
        let thread = |worker: bool| if worker { "the library's thread" } else { "the till's thread" };
        let over = |over: bool| if over { ", the late-arrival window over" } else { "" };
        let refuses = |refuses: bool| if refuses { " and is refused" } else { "" };
        match *self {
            Action::Consume(process, sale) => write!(out, "P{process}: a till consumes {}", biz_id(sale)),
            Action::AskReversal(process, sale, is_over) => {
                write!(out, "P{process}: a till asks for the reversal of {}{}", biz_id(sale), over(is_over))
            }
            Action::Look(process, sale, is_over) => {
                write!(out, "P{process}: the library's thread looks at {}{}", biz_id(sale), over(is_over))
            }
            Action::Effect(process, worker) => {
                write!(out, "P{process}: {} carries out its next effect", thread(worker))
            }
            Action::FullDisk(process, worker) => {
                write!(out, "P{process}: the next record of {} meets a full disk", thread(worker))
            }
            Action::GiveUpWaiting(process) => write!(out, "P{process}: the till's thread waits no longer"),
            Action::Arrive(at, no) => {
                write!(out, "request {at} arrives{}, the answer comes back if its caller waits", refuses(no))
            }
            Action::LoseAnswer(at, no) => {
                write!(out, "request {at} arrives{}, the answer is lost", refuses(no))
            }
            Action::LoseRequest(at) => write!(out, "request {at} is lost"),
            Action::Overtake(at) => {
                write!(out, "the caller of request {at} gives it up; it is still on its way")
            }
            Action::Crash(process) => write!(out, "P{process} dies"),
            Action::Start(process) => write!(out, "P{process} starts again"),
            Action::Stop(process) => write!(out, "P{process} is stopped, and the other presumes it dead"),
            Action::GoOn(process) => write!(out, "P{process} goes on"),
        }
    }
}

/// What the library is given: the two sales, and what the gateway's answers prove.
pub struct Given {
    pub(super) keys: [Key; SALES],
    identity: Identity,
    pub(super) accepted: Vec<Verdict>,
    pub(super) refused: Verdict,
    pub(super) table: RefCell<Table>,
    now: Instant,
    settings: ScheduleSettings,
    on_unknown: OnUnknown,
}

impl Given {
    /// Two sales of one member under that policy.
    pub fn new(on_unknown: OnUnknown) -> Result<Given, String> {
        let key = |biz_id: &str| {
            BizId::new(biz_id)
                .map(|biz_id| Key { open_id: "o".to_owned(), environment: "e".to_owned(), biz_id })
                .map_err(|error| format!("{error:?}"))
        };
        let [one, other] = BIZ_IDS;
        let keys = [key(one)?, key(other)?];
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
        let table = RefCell::default();
        Ok(Given { keys, identity, accepted, refused, table, now: Instant::now(), settings, on_unknown })
    }

    /// Every possible action.
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
            self.thread_actions(state, number, false, &mut found);
            self.thread_actions(state, number, true, &mut found);
        }
        for (at, message) in state.messages.iter().enumerate() {
            let may_refuse =
                message.purpose == Purpose::Consume && state.ledger[message.sale].answered.is_none();
            let waits = message.waiting.is_some();
            for refuses in [false, true].into_iter().take(1 + usize::from(may_refuse)) {
                found.push(Action::Arrive(at, refuses));
                if waits && state.left.losses > 0 {
                    found.push(Action::LoseAnswer(at, refuses));
                }
            }
            if waits && state.left.losses > 0 {
                found.push(Action::LoseRequest(at));
            }
            if waits && state.left.late > 0 && message.purpose == Purpose::Consume {
                found.push(Action::Overtake(at));
            }
        }
        found
    }

    fn thread_actions(&self, state: &State, number: usize, worker: bool, found: &mut Vec<Action>) {
        let process = &state.processes[number];
        let job = if worker { &process.worker } else { &process.till };
        let records = match job.as_ref().map(|job| &job.call.value) {
            Some(Call::Consume(_, Some(effect))) => {
                if matches!(effect, consume::Effect::AwaitOther(_)) {
                    found.push(Action::GiveUpWaiting(number));
                }
                matches!(
                    effect,
                    consume::Effect::RecordIntent { .. }
                        | consume::Effect::RecordAgain(_)
                        | consume::Effect::Record(_)
                )
            }
            Some(Call::Reversal(_, Some(effect), _)) => matches!(effect, reversal::Effect::Record(_)),
            // Its request is on its way.
            Some(Call::Consume(_, None) | Call::Reversal(_, None, _)) => return,
            None => return self.idle_actions(state, number, worker, found),
        };
        found.push(Action::Effect(number, worker));
        if records && state.left.full_disks > 0 {
            found.push(Action::FullDisk(number, worker));
        }
    }

    fn idle_actions(&self, state: &State, number: usize, worker: bool, found: &mut Vec<Action>) {
        let windows = |sale: usize| [false, true].into_iter().take(1 + usize::from(can_be_over(state, sale)));
        if worker {
            for sale in (0..SALES).filter(|sale| self.is_due(state, number, *sale)) {
                found.extend(windows(sale).map(|over| Action::Look(number, sale, over)));
            }
            return;
        }
        if state.left.consumes > 0 {
            found.extend((0..SALES).map(|sale| Action::Consume(number, sale)));
        }
        if state.left.reversals > 0 && state.left.tries > 0 {
            for sale in (0..SALES).filter(|sale| state.journal[*sale].is_some()) {
                found.extend(windows(sale).map(|over| Action::AskReversal(number, sale, over)));
            }
        }
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
                self.consume_goes_on(&mut next, process, sale, machine, effect)?;
            }
            Action::AskReversal(process, sale, over) => self.ask_reversal(&mut next, process, sale, over)?,
            Action::Look(process, sale, over) => self.look(&mut next, process, sale, over)?,
            Action::Effect(process, worker) => self.effect(&mut next, process, worker, false)?,
            Action::FullDisk(process, worker) => {
                next.left.full_disks -= 1;
                self.effect(&mut next, process, worker, true)?;
            }
            Action::GiveUpWaiting(process) => {
                if let Some(Job { sale, call }) = next.processes[process].till.take()
                    && let Call::Consume(machine, _) = &call.value
                {
                    let (machine, effect) = consume::step(machine.clone(), consume::Event::WaitTimedOut);
                    self.consume_goes_on(&mut next, process, sale, machine, effect)?;
                }
            }
            Action::Arrive(at, refuses) => {
                let message = next.messages.remove(at);
                let said = handled(&mut next, message, refuses);
                self.answered(&mut next, message, Some(said))?;
            }
            Action::LoseAnswer(at, refuses) => {
                next.left.losses -= 1;
                let message = next.messages.remove(at);
                handled(&mut next, message, refuses);
                self.answered(&mut next, message, None)?;
            }
            Action::LoseRequest(at) => {
                next.left.losses -= 1;
                let message = next.messages.remove(at);
                self.answered(&mut next, message, None)?;
            }
            Action::Overtake(at) => {
                next.left.late -= 1;
                let message = next.messages[at];
                next.messages[at].waiting = None;
                self.answered(&mut next, message, None)?;
            }
            Action::Crash(process) => next.dies(process),
            Action::Start(process) => {
                let started = &mut next.processes[process];
                started.life += 1;
                started.alive = true;
            }
            Action::Stop(process) => {
                next.left.pauses -= 1;
                let stopped = &mut next.processes[process];
                stopped.stopped = true;
                if stopped.attempt == Attempt::InTime && (0..SALES).any(|sale| stopped.carries_out(sale)) {
                    stopped.attempt = Attempt::Late;
                }
            }
            Action::GoOn(process) => next.processes[process].stopped = false,
        }
        check(&next)?;
        Ok(next)
    }

    /// Whether a sale stays unsettled though no more action follows by itself.
    pub fn is_stuck(&self, state: &State, actions: &[Action]) -> Option<Broken> {
        let quiet = actions.iter().all(|action| {
            matches!(
                action,
                Action::Crash(_) | Action::Stop(_) | Action::Consume(..) | Action::AskReversal(..)
            )
        });
        let open = (0..SALES)
            .filter_map(|sale| state.entry(sale))
            .find(|entry| matches!(entry.stage(), Stage::Sending | Stage::Reversing));
        let open = open.filter(|_| quiet && state.left.tries > 0)?;
        Some(("I2", format!("{} stays {}", open.key().biz_id, open.stage().as_str())))
    }

    fn is_due(&self, state: &State, process: usize, sale: usize) -> bool {
        let Some(entry) = state.entry(sale) else { return false };
        // The other thread of the process may be at it: then it waits.
        let till = state.processes[process].till.as_ref().filter(|job| job.sale == sale);
        let driven = till.is_some_and(|job| matches!(job.call.value, Call::Reversal(..)));
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
        let Some(entry) = next.entry(sale).cloned() else { return Ok(()) };
        match self.task(next, process, &entry) {
            Task::MarkAbandoned => {
                let record = abandoned(&entry);
                self.record(next, process, &record, Guard::Off)?;
            }
            Task::Drive => self.drive(next, process, sale, entry, true, over)?,
            Task::Leave | Task::Wait(_) => {}
        }
        Ok(())
    }

    fn ask_reversal(&self, next: &mut State, process: usize, sale: usize, over: bool) -> Result<(), Broken> {
        let Some(entry) = next.entry(sale).cloned() else { return Ok(()) };
        // As a look-up does: what a dead process left is recorded as that first. The call goes on with the next action.
        if entry.stage() == Stage::Sending && !may_be_running(next, process, &entry) {
            self.record(next, process, &abandoned(&entry), Guard::Off)?;
            return Ok(());
        }
        next.left.reversals -= 1;
        if let Requested::Record(record) = request(&entry, None, true, By::Till) {
            self.record(next, process, &record, Guard::Off)?;
        }
        match next.entry(sale).cloned() {
            Some(entry) if entry.stage() == Stage::Reversing => {
                self.drive(next, process, sale, entry, false, over)
            }
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
        over: bool,
    ) -> Result<(), Broken> {
        next.left.tries = next.left.tries.saturating_sub(1);
        let begin = reversal::Event::Begin { other_biz_ids: false };
        let (machine, effect) = reversal::step(reversal::State::New(entry), begin, rules(over));
        self.reversal_goes_on(next, process, worker, sale, machine, effect, over)
    }
}
