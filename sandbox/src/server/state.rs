//! What the connections share: the gateway, the faults that wait, the request log, the counters.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    faults::{Book, Chosen, Step},
    rules::{self, Gateway, Note, http_date},
};

use super::{connection::Request, inspector::Feed};

/// How many letters of one text the log keeps.
const LOG_TEXT_MAX: usize = 4096;

/// A line of the request log.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    /// The log gives it.
    pub(super) number: u64,
    at_unix_ms: i64,
    method: String,
    path: String,
    operation: Option<rules::Operation>,
    biz_id: Option<String>,
    fault: Option<Chosen>,
    signed_text: Option<String>,
    params: Option<Box<RawValue>>,
    rule: &'static str,
    explanation: String,
    code: String,
    effect: i64,
    answer: Option<Box<RawValue>>,
}

impl Line {
    /// The line as a person reads it on stderr.
    fn words(&self) -> String {
        let called = self.operation.map_or_else(|| self.path.clone(), |operation| format!("{operation:?}"));
        let fault = self.fault.map_or_else(String::new, |chosen| format!(" ~{}", chosen.fault.row().name));
        let biz_id = self.biz_id.as_deref().unwrap_or("-");
        format!("{called} {biz_id}{fault} {} {}: {}", self.code, self.rule, self.explanation)
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) faults: AtomicU64,
}

pub(super) struct Shared {
    gateway: Mutex<Gateway>,
    book: Mutex<Book>,
    pub(super) feed: Feed,
    pub(super) counters: Counters,
    quiet: bool,
}

/// A lock that a panic elsewhere does not take away: the values behind these locks are whole between any two calls.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The machine's clock, in milliseconds since 1970.
pub(super) fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Shared {
    pub(super) fn new(gateway: Gateway, quiet: bool) -> Self {
        let (gateway, book) = (Mutex::new(gateway), Mutex::default());
        Self { gateway, book, feed: Feed::default(), counters: Counters::default(), quiet }
    }

    pub(super) fn gateway(&self) -> MutexGuard<'_, Gateway> {
        lock(&self.gateway)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    /// Back to the seed data, no faults, an empty log.
    pub(super) fn reset(&self) {
        self.gateway().reset();
        self.book().disarm();
        self.feed.clear();
    }

    /// Handles a request at the gateway's socket: chooses the fault, lets the gateway act or not, writes the log, and
    /// answers with what is to happen on the connection.
    pub(super) fn handle(&self, request: &Request) -> Vec<Step> {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let now = now_unix_ms();
        let Request { method, target, body, .. } = request;
        let peek = rules::peek(target, body);
        let chosen = self.book().choose(&peek);
        let (answer, date) = {
            let mut gateway = self.gateway();
            let date = http_date(gateway.clock(now).div_euclid(1000));
            let acts = chosen.is_none_or(|chosen| chosen.fault.row().acts);
            (acts.then(|| gateway.handle(now, method, target, body)), date)
        };
        let steps = match (chosen, &answer) {
            (None, Some(answer)) => Step::answer(answer, &date),
            (Some(chosen), answer) => chosen.script(answer.as_ref(), &date),
            (None, None) => Vec::new(),
        };
        if chosen.is_some() {
            self.counters.faults.fetch_add(1, Ordering::Relaxed);
        }
        let body = answer.as_ref().map(|answer| bounded(&answer.body.to_json()));
        let note = answer.map_or_else(|| not_handled(peek), |answer| answer.note);
        self.note(Line {
            number: 0,
            at_unix_ms: now,
            method: method.clone(),
            path: target.chars().take(256).collect(),
            operation: note.operation,
            biz_id: note.biz_id,
            fault: chosen,
            signed_text: note.signed_text,
            params: note.params.as_deref().map(bounded),
            rule: note.rule,
            explanation: note.explanation,
            code: note.code,
            effect: note.effect,
            answer: body,
        });
        steps
    }

    fn note(&self, line: Line) {
        let words = (!self.quiet).then(|| line.words());
        let number = self.feed.push(line);
        if let Some(words) = words {
            eprintln!("#{number} {words}");
        }
    }
}

/// What the log says of a request that a fault kept from the gateway.
fn not_handled(peek: rules::Peek) -> Note {
    let explanation = "a fault kept it from the gateway: nothing done".to_owned();
    Note { operation: peek.operation, biz_id: peek.biz_id, rule: "fault", explanation, ..Note::default() }
}

/// JSON text as it is, or the beginning of a long one as a JSON string.
fn bounded(text: &str) -> Box<RawValue> {
    let whole = (text.len() <= LOG_TEXT_MAX).then(|| RawValue::from_string(text.to_owned()).ok()).flatten();
    whole.unwrap_or_else(|| {
        let beginning: String = text.chars().take(LOG_TEXT_MAX).chain("…".chars()).collect();
        let quoted = serde_json::Value::from(beginning).to_string();
        RawValue::from_string(quoted).unwrap_or_default()
    })
}
