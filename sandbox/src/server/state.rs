//! The state that all connections share: the gateway, its clock, the armed faults, the request log, the counters.

use std::sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64};

use serde_json::value::RawValue;

use crate::{
    faults::{ArmedFaults, Chaos, Chosen},
    rules::{self, Answer, Gateway, Note, Now, Peek},
    words::{Words, words},
};

use super::{
    clock::{Change, Clock, Shown},
    connection::Request,
    delayed::Delayed,
    inspector::Feed,
    line::{Line, bounded, now_unix_ms},
};

#[derive(Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) faults: AtomicU64,
}

pub(super) struct Shared {
    gateway: Mutex<Gateway>,
    faults: Mutex<ArmedFaults>,
    clock: Mutex<Clock>,
    /// The delayed requests.
    pub(super) delayed: Mutex<Delayed>,
    pub(super) feed: Feed,
    pub(super) counters: Counters,
    quiet: bool,
}

/// Locks despite a panic elsewhere: the values behind these locks are consistent between any two calls.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(gateway: Gateway, chaos: Option<Chaos>, quiet: bool) -> Self {
        Self {
            gateway: Mutex::new(gateway),
            faults: Mutex::new(ArmedFaults::new(chaos)),
            clock: Mutex::default(),
            delayed: Mutex::default(),
            feed: Feed::default(),
            counters: Counters::default(),
            quiet,
        }
    }

    /// The time for the gateway's rules.
    pub(super) fn now(&self) -> Now {
        lock(&self.clock).now(now_unix_ms())
    }

    pub(super) fn clock_shown(&self) -> Shown {
        lock(&self.clock).shown(now_unix_ms())
    }

    pub(super) fn set_clock(&self, change: &Change) -> Result<Shown, Words> {
        let machine_ms = now_unix_ms();
        let mut clock = lock(&self.clock);
        clock.change(change, machine_ms)?;
        Ok(clock.shown(machine_ms))
    }

    pub(super) fn gateway(&self) -> MutexGuard<'_, Gateway> {
        lock(&self.gateway)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, ArmedFaults> {
        lock(&self.faults)
    }

    /// Restores the seed data and the machine's time, disarms all faults, restarts the random ones, and empties the
    /// log.
    pub(super) fn reset(&self) {
        *lock(&self.delayed) = Delayed::default();
        self.gateway().reset();
        self.faults().reset();
        *lock(&self.clock) = Clock::default();
        self.feed.clear();
    }

    /// Writes a request to the log.
    pub(super) fn log(
        &self,
        number: u64,
        request: &Request,
        peek: Peek,
        fault: Option<Chosen>,
        answer: Option<Answer>,
    ) {
        let body = answer.as_ref().map(|answer| bounded(&answer.body.to_json()));
        let note = answer.map_or_else(|| not_handled(peek), |answer| answer.note);
        self.log_note(number, request, fault, note, body);
    }

    pub(super) fn log_note(
        &self,
        number: u64,
        request: &Request,
        fault: Option<Chosen>,
        note: Note,
        answer: Option<Box<RawValue>>,
    ) {
        self.note(Line {
            number,
            at_unix_ms: self.now().business_ms,
            method: request.method.clone(),
            path: request.target.chars().take(256).collect(),
            operation: note.operation,
            biz_id: note.biz_id,
            fault,
            signed_text: note.signed_text,
            params: note.params.as_deref().map(bounded),
            rule: note.rule,
            explanation: note.explanation.en,
            explanation_zh: note.explanation.zh,
            code: note.code,
            effect: note.effect,
            answer,
        });
    }

    fn note(&self, line: Line) {
        if !self.quiet {
            let called =
                line.operation.map_or_else(|| line.path.clone(), |operation| format!("{operation:?}"));
            let fault =
                line.fault.map_or_else(String::new, |chosen| format!(" ~{}", chosen.fault.row().name));
            let biz_id = line.biz_id.as_deref().unwrap_or("-");
            eprintln!(
                "#{} {called} {biz_id}{fault} {} {}: {}",
                line.number, line.code, line.rule, line.explanation
            );
        }
        self.feed.push(line);
    }
}

/// The log's note on a request that a fault kept from the gateway.
pub(super) fn not_handled(peek: rules::Peek) -> Note {
    let explanation =
        words!("a fault kept it from the gateway: nothing done", "被故障拦截，未到网关：未做任何处理");
    Note { operation: peek.operation, biz_id: peek.biz_id, rule: "fault", explanation, ..Note::default() }
}
