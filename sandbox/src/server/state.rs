//! The state that all connections share: the gateway, its clock, the armed faults, the request log, the counters.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    faults::{ArmedFaults, Arrived, Chaos, Chosen, Content, HttpAnswer, Impossible, Meets, Step},
    rules::{self, Answer, Gateway, Note, Now, Operation, Peek, codes, http_date},
    words::{Words, words},
};

use super::{
    clock::{Change, Clock, Shown},
    connection::Request,
    delayed::Delayed,
    inspector::Feed,
};

/// The maximum length of a text in the log.
const LOG_TEXT_MAX: usize = 4096;

/// A line of the request log.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    number: u64,
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
    explanation_zh: String,
    code: String,
    effect: i64,
    answer: Option<Box<RawValue>>,
}

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

/// The machine's clock, in milliseconds since 1970.
pub(super) fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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

    /// After how many bytes to cut off the request, of which only the head is known.
    pub(super) fn cut_request_at(&self, request: &Request) -> Option<u64> {
        let chosen = self.faults().cut_request(request.fault.as_deref())?;
        let explanation = words!(
            "the connection is reset in the middle of the request: nothing done",
            "请求收到一半时连接被重置：未做任何处理",
        );
        self.hit(request, Some(chosen), explanation);
        Some(chosen.number)
    }

    /// The steps on a connection that starts with a TLS handshake. Without a fault the answer says that this is HTTP.
    pub(super) fn handshake(&self) -> Vec<Step> {
        let chosen = self.faults().choose_handshake();
        let request = Request { method: "TLS".to_owned(), ..Request::default() };
        let explanation = words!(
            "a TLS handshake: the endpoint is https://, and this port speaks http",
            "TLS 握手：接口地址是 https://，而本端口只支持 http",
        );
        self.hit(&request, chosen, explanation);
        let date = http_date(self.now().signing_ms.div_euclid(1000));
        match chosen {
            Some(chosen) => chosen.script(None, &date),
            None => vec![said(400, "this port speaks http, not https", &date), Step::Close],
        }
    }

    /// Counts and logs a request that never became complete.
    fn hit(&self, request: &Request, chosen: Option<Chosen>, explanation: Words) {
        let number = self.counters.requests.fetch_add(1, Ordering::Relaxed) + 1;
        self.counters.faults.fetch_add(u64::from(chosen.is_some()), Ordering::Relaxed);
        self.log_note(
            number,
            request,
            chosen,
            Note { rule: "connection", explanation, ..Note::default() },
            None,
        );
    }

    /// Handles a request at the gateway's socket: selects the fault, lets the gateway act or not, writes the log, and
    /// returns the steps on the connection.
    pub(super) fn handle(self: &Arc<Self>, request: &Request) -> Vec<Step> {
        let number = self.counters.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let Request { method, target, body, .. } = request;
        let now = self.now();
        let arrived = Arrived { now, method, target, body };
        let peek = rules::peek(target, body);
        let chosen = match self.choose(request, &peek, now) {
            Ok(chosen) => chosen,
            Err(impossible) => return self.refuse(number, request, peek, impossible),
        };
        let (answer, date) = {
            let mut gateway = self.gateway();
            let seen = chosen.map_or(now, |chosen| chosen.time(now));
            let date = http_date(gateway.clock(seen.signing_ms).div_euclid(1000));
            let answer = match chosen {
                None => Some(arrived.handled(&mut gateway)),
                Some(chosen) => chosen.act(&mut gateway, &arrived),
            };
            (answer, date)
        };
        let steps = match (chosen, &answer) {
            (None, Some(answer)) => Step::answer(answer, &date),
            (Some(chosen), answer) => chosen.script(answer.as_ref(), &date),
            (None, None) => Vec::new(),
        };
        if chosen.is_some() {
            self.counters.faults.fetch_add(1, Ordering::Relaxed);
        }
        let reversed = reversed_by(&peek, chosen);
        self.log(number, request, peek.clone(), chosen, answer);
        if let Some(hold) = chosen.and_then(Chosen::hold) {
            self.delay(hold, number, peek, request.clone());
        }
        if let Some(biz_id) = reversed {
            self.deliver_overtaken(&biz_id);
        }
        steps
    }

    /// The fault for a request. A reversal is matched by the sale that it reverses.
    fn choose(&self, request: &Request, peek: &Peek, now: Now) -> Result<Option<Chosen>, Impossible> {
        let mut selecting = peek.clone();
        if matches!(peek.operation, Some(Operation::Reverse | Operation::CouponReverse)) {
            let gateway = self.gateway();
            if let Some((biz_id, amount)) = peek.biz_id.as_deref().and_then(|biz_id| gateway.sale(biz_id)) {
                selecting.biz_id = Some(biz_id.to_owned());
                selecting.amount = Some(amount);
            }
        }
        self.faults().choose(request.fault.as_deref(), &selecting, now.business_ms)
    }

    /// Refuses a request that selects an impossible fault: nothing is executed, and the message says why.
    fn refuse(&self, number: u64, request: &Request, peek: Peek, impossible: Impossible) -> Vec<Step> {
        let date = http_date(self.gateway().clock(self.now().signing_ms).div_euclid(1000));
        let (why, steps) = match impossible {
            Impossible::Header(why) => {
                let steps = vec![said(400, &format!("X-Zv-Fault: {why}"), &date)];
                (why, steps)
            }
            Impossible::BizId(why) => {
                let body = rules::refusal(false, codes::BAD_PARAMS, &format!("参数错误：bizId: {why}"));
                let answer = Answer { http_status: 200, body, note: Note::default() };
                (why, Step::answer(&answer, &date))
            }
        };
        let note = Note { explanation: why, code: codes::BAD_PARAMS.to_owned(), ..not_handled(peek) };
        self.log_note(number, request, None, note, None);
        steps
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

    fn log_note(
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

/// The bizId that a reversal names, if the gateway has answered it: a reversal that a fault kept from the gateway has
/// overtaken nothing.
fn reversed_by(peek: &Peek, chosen: Option<Chosen>) -> Option<String> {
    let row = chosen.map(|chosen| chosen.fault.row());
    let answered = row.is_none_or(|row| row.acts || row.meets == Meets::Reverse);
    peek.biz_id.clone().filter(|_| answered && peek.operation == Some(Operation::Reverse))
}

/// The log's note on a request that a fault kept from the gateway.
fn not_handled(peek: rules::Peek) -> Note {
    let explanation =
        words!("a fault kept it from the gateway: nothing done", "被故障拦截，未到网关：未做任何处理");
    Note { operation: peek.operation, biz_id: peek.biz_id, rule: "fault", explanation, ..Note::default() }
}

/// A message for the programmer of the till, in JSON.
fn said(status: u16, why: &str, date: &str) -> Step {
    let body = serde_json::json!({"error": why}).to_string();
    Step::Send(HttpAnswer { status, content: Content::Json, body: &body, date }.to_bytes())
}

/// JSON text unchanged, or the beginning of a long one as a JSON string.
fn bounded(text: &str) -> Box<RawValue> {
    let whole = (text.len() <= LOG_TEXT_MAX).then(|| RawValue::from_string(text.to_owned()).ok()).flatten();
    whole.unwrap_or_else(|| {
        let beginning: String = text.chars().take(LOG_TEXT_MAX).chain("…".chars()).collect();
        let quoted = serde_json::Value::from(beginning).to_string();
        RawValue::from_string(quoted).unwrap_or_default()
    })
}
