//! The way between a process and the gateway's rules: what leaves, what arrives, how often, when, and what comes back.

use std::collections::BTreeMap;

use zvpos_core::gateway::Route;
use zvpos_core::outcome::{codes, codes::Code};
use zvpos_sandbox::faults::{VARIANTS, drift};
use zvpos_sandbox::rules::{Answer, JsonValue, system_error};

use crate::random::Random;

macro_rules! faults {
    ($($fault:ident $name:literal;)+) => {
        /// What can happen to one request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $name] $fault,)+
        }

        impl Fault {
            /// Every one.
            pub const ALL: &[Fault] = &[$(Fault::$fault,)+];

            /// Its name in the counters.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$fault => $name,)+ }
            }
        }
    };
}

faults! {
    NameLookup "name lookup fails";
    Refused "connection refused";
    ConnectHangs "connect hangs";
    TlsFails "TLS fails";
    Lost "request lost";
    ResetBefore "reset before the request arrived";
    ResetDuring "reset in the middle of the request";
    ResetAfter "reset after it was carried out";
    AnswerLost "answer lost";
    AnswerCut "answer cut at a random byte";
    AnswerLate "answer after the timeout";
    AnswerSlow "answer one byte a second";
    Portal "portal page, not delivered";
    PortalAfter "portal page, carried out";
    Http5xx "HTTP 5xx, not delivered";
    Http5xxAfter "HTTP 5xx, carried out";
    SystemError "system error, not carried out";
    SystemErrorAfter "system error, carried out";
    Garbage "garbage around the answer";
    Drifted "drifted types";
    NoData "success without data";
    OtherSale "another sale's answer";
    Copied "delivered twice";
    Overtaken "delayed, may arrive after its reversal";
    Stalled "slow, within the timeout";
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Taking.
    Consume,
    /// Undoing.
    Reverse,
    /// Asking the gateway's records.
    Records,
}

/// What leaves a process.
#[derive(Clone, Debug)]
pub struct Request {
    /// What for.
    pub purpose: Purpose,
    /// The till's own id of the sale.
    pub biz_id: String,
    /// The URL's path.
    pub path: String,
    /// The signed body.
    pub body: String,
}

/// The path of a route's URL.
pub fn path_of(route: &Route) -> String {
    route.url.trim_start_matches("http://gateway.invalid").to_owned()
}

/// What is done to the gateway's answer on its way back.
#[derive(Clone, Copy, Debug)]
enum Mangle {
    Whole,
    Cut(u64),
    Drift(u64),
    NoData,
    OtherSale(u64),
    Garbage(u64),
    Html,
    Status(u16),
    SystemError,
}

/// How an exchange ends for the sender.
#[derive(Clone, Debug)]
enum Ending {
    NotSent(&'static Code),
    Lost(&'static Code),
    /// Somebody on the way answers.
    Between(u16, String),
    /// The answer to that copy.
    Gateway(usize, Mangle),
}

/// What the sender gets.
#[derive(Debug)]
pub enum Received {
    /// No byte left.
    NotSent(&'static Code),
    /// A byte left, and no answer came.
    Lost(&'static Code),
    /// An HTTP answer.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
}

/// One request on its way.
#[derive(Debug)]
pub struct Exchange {
    /// What left.
    pub request: Request,
    ending: Ending,
    /// What each copy was answered.
    answers: Vec<Option<Answer>>,
    /// Whether the first copy acted, once it was delivered.
    pub first_acted: Option<bool>,
    collected: bool,
    under_way: usize,
}

/// Everything that is on its way.
#[derive(Debug, Default)]
pub struct Wire {
    /// Answers that name their sale, the last one last.
    said: Vec<(String, JsonValue)>,
    exchanges: BTreeMap<u64, Exchange>,
    /// By arrival, then in the order of sending.
    arrivals: BTreeMap<(u64, u64), (u64, usize)>,
    next: u64,
    /// The first exchange since the journal was lost: no connection is older.
    lines_since: u64,
}

/// What a fault makes of one request.
struct Course {
    ending: Ending,
    ends_at: u64,
    arrivals: Vec<u64>,
}

impl Wire {
    /// Sends at `now`; gives the exchange's number and when it ends for the sender. Nothing arrives `late_ms` or
    /// later after it was sent.
    pub fn send(
        &mut self,
        random: &mut Random,
        fault: Option<Fault>,
        request: Request,
        now: u64,
        deadline: u64,
        late_ms: u64,
    ) -> (u64, u64) {
        let course = course(random, fault, now, deadline.max(now + 1), late_ms);
        let id = self.next;
        self.next += 1;
        for (copy, at) in course.arrivals.iter().enumerate() {
            self.arrivals.insert((*at, self.next), (id, copy));
            self.next += 1;
        }
        let under_way = course.arrivals.len();
        let exchange = Exchange {
            request,
            ending: course.ending,
            answers: vec![None; under_way],
            first_acted: None,
            collected: false,
            under_way,
        };
        self.exchanges.insert(id, exchange);
        (id, course.ends_at)
    }

    /// What an exchange is for, and of which sale.
    pub fn purpose(&self, id: u64) -> (Purpose, String) {
        let request = self.exchanges.get(&id).map(|exchange| &exchange.request);
        request.map_or((Purpose::Records, String::new()), |request| (request.purpose, request.biz_id.clone()))
    }

    /// When the next copy arrives.
    pub fn next_arrival(&self) -> Option<u64> {
        self.arrivals.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next arrival: the exchange's number, the copy's, and the request.
    pub fn arrive(&mut self) -> Option<(u64, usize, Request, Option<bool>)> {
        let (_, (id, copy)) = self.arrivals.pop_first()?;
        let exchange = self.exchanges.get(&id)?;
        Some((id, copy, exchange.request.clone(), exchange.first_acted))
    }

    /// Every process has ended, and no sale of theirs is in the next one's journal: nothing that was answered on their
    /// connections comes to it.
    pub fn all_lines_end(&mut self) {
        self.said.clear();
        self.lines_since = self.next;
    }

    /// Notes what a copy was answered; `None` where it went nowhere.
    pub fn answered(&mut self, id: u64, copy: usize, answer: Option<Answer>) {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        if copy == 0 {
            exchange.first_acted = Some(answer.as_ref().is_some_and(|answer| answer.note.effect != 0));
        }
        // What names its sale may come again, late, to somebody else. Another till's sale (`F…`) is in no journal here, and
        // no till could tell whose its answer is.
        if let Some(answer) = &answer
            && !exchange.request.biz_id.starts_with('F')
            && id >= self.lines_since
            && answer.body.get("data").and_then(|data| data.get("bizId")).and_then(JsonValue::as_text)
                == Some(exchange.request.biz_id.as_str())
        {
            self.said.retain(|(biz_id, _)| *biz_id != exchange.request.biz_id);
            self.said.push((exchange.request.biz_id.clone(), answer.body.clone()));
        }
        if let Some(place) = exchange.answers.get_mut(copy) {
            *place = answer;
        }
        exchange.under_way = exchange.under_way.saturating_sub(1);
        if exchange.collected && exchange.under_way == 0 {
            self.exchanges.remove(&id);
        }
    }

    /// What the sender gets at the end of its exchange; one whose process died collects nothing.
    pub fn collect(&mut self, id: u64) -> Received {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return Received::Lost(&codes::LOST) };
        exchange.collected = true;
        let received = match exchange.ending.clone() {
            Ending::NotSent(code) => Received::NotSent(code),
            Ending::Lost(code) => Received::Lost(code),
            Ending::Between(status, body) => Received::Answer { status, body: body.into_bytes() },
            Ending::Gateway(copy, mangle) => match exchange.answers.get(copy).and_then(Option::as_ref) {
                Some(answer) => match mangle {
                    Mangle::OtherSale(form) => {
                        let own = &exchange.request.biz_id;
                        let other = self.said.iter().rev().find(|(biz_id, _)| biz_id != own);
                        others(answer, other, form)
                    }
                    mangle => mangled(answer, mangle),
                },
                None => Received::Lost(&codes::TIMEOUT),
            },
        };
        if exchange.under_way == 0 {
            self.exchanges.remove(&id);
        }
        received
    }

    /// Whether anything of this sale may still arrive.
    pub fn is_under_way(&self, biz_id: &str) -> bool {
        self.exchanges.values().any(|exchange| {
            exchange.request.biz_id == biz_id && (exchange.under_way > 0 || !exchange.collected)
        })
    }
}

fn course(random: &mut Random, fault: Option<Fault>, now: u64, deadline: u64, late_ms: u64) -> Course {
    let arrives = now + random.range(1, 60);
    let comes_back = arrives + random.range(1, 60);
    let soon = now + random.range(1, 400);
    let by_deadline = |at: u64| at.min(deadline);
    let gateway = |mangle| Course {
        // An answer that is not there by the deadline is lost by `collect`.
        ending: if comes_back < deadline {
            Ending::Gateway(0, mangle)
        } else {
            Ending::Lost(&codes::TIMEOUT)
        },
        ends_at: by_deadline(comes_back),
        arrivals: vec![arrives],
    };
    let fails = |ending, ends_at, arrivals: &[u64]| Course {
        ending,
        ends_at: by_deadline(ends_at),
        arrivals: arrivals.to_vec(),
    };
    let Some(fault) = fault else { return gateway(Mangle::Whole) };
    match fault {
        Fault::NameLookup => fails(Ending::NotSent(&codes::DNS), soon, &[]),
        Fault::Refused => fails(Ending::NotSent(&codes::CONNECT), soon, &[]),
        Fault::ConnectHangs => fails(Ending::NotSent(&codes::CONNECT), now + 1000, &[]),
        Fault::TlsFails => fails(Ending::NotSent(&codes::TLS), soon, &[]),
        Fault::Lost => fails(Ending::Lost(&codes::TIMEOUT), deadline, &[]),
        Fault::ResetBefore | Fault::ResetDuring => fails(Ending::Lost(&codes::LOST), soon, &[]),
        Fault::ResetAfter => fails(Ending::Lost(&codes::LOST), comes_back, &[arrives]),
        Fault::AnswerLost | Fault::AnswerLate | Fault::AnswerSlow => {
            fails(Ending::Lost(&codes::TIMEOUT), deadline, &[arrives])
        }
        // A length that promises more is the transport's to see; without one the cut text comes through.
        Fault::AnswerCut if random.per_mille(300) => {
            fails(Ending::Lost(&codes::LOST), comes_back, &[arrives])
        }
        Fault::AnswerCut => gateway(Mangle::Cut(random.number())),
        Fault::Portal => {
            let page = "<html><body>请登录 Wi-Fi</body></html>".to_owned();
            fails(Ending::Between(200, page), soon, &[])
        }
        Fault::PortalAfter => gateway(Mangle::Html),
        Fault::Http5xx => {
            let status = random.pick(502, &[500, 503, 504]);
            // Some proxies copy the gateway's manners into their own errors.
            let body = if random.per_mille(500) { system_error().to_json() } else { String::new() };
            fails(Ending::Between(status, body), soon, &[])
        }
        Fault::Http5xxAfter => gateway(Mangle::Status(random.pick(502, &[500, 503, 504]))),
        Fault::SystemError => fails(Ending::Between(200, system_error().to_json()), soon, &[]),
        Fault::SystemErrorAfter => gateway(Mangle::SystemError),
        Fault::Garbage => gateway(Mangle::Garbage(random.number())),
        Fault::Drifted => gateway(Mangle::Drift(random.below(VARIANTS))),
        Fault::NoData => gateway(Mangle::NoData),
        Fault::OtherSale => gateway(Mangle::OtherSale(random.below(4))),
        Fault::Copied => {
            let apart = random.pick(40, &[4_000, late_ms]).min(late_ms - 61);
            let second = arrives + random.range(1, apart);
            let of = usize::from(second < comes_back && random.per_mille(500));
            let mut course = gateway(Mangle::Whole);
            if let Ending::Gateway(copy, _) = &mut course.ending {
                *copy = of;
            }
            // The answer of the first may be lost while the second is still on its way.
            if random.per_mille(400) {
                course = fails(Ending::Lost(&codes::LOST), comes_back, &[]);
            }
            course.arrivals = vec![arrives, second];
            course
        }
        Fault::Overtaken => {
            let at = now + random.range(1, late_ms - 1);
            let gone = if random.per_mille(500) { soon } else { deadline };
            fails(Ending::Lost(&codes::LOST), gone, &[at])
        }
        Fault::Stalled => {
            let slow = now + random.range(1, (deadline - now).min(late_ms - 1));
            Course {
                ending: Ending::Gateway(0, Mangle::Whole),
                ends_at: by_deadline(slow + 1),
                arrivals: vec![slow.saturating_sub(1).max(now)],
            }
        }
    }
}

/// The answer of another sale, a yes or a no that names it; where there is none, the right one.
fn others(answer: &Answer, other: Option<&(String, JsonValue)>, form: u64) -> Received {
    let Some((biz_id, body)) = other else { return mangled(answer, Mangle::Whole) };
    let body = match form {
        0 => body.to_json(),
        1 => format!(r#"{{"status":true,"code":"910003","message":"m","data":{{"bizId":"{biz_id}"}}}}"#),
        2 => format!(r#"{{"status":true,"code":"910003","message":"m","bizId":"{biz_id}"}}"#),
        _ => format!(
            r#"{{"status":true,"code":0,"message":"m","data":{{"status":false,"code":"910003","bizId":"{biz_id}"}}}}"#
        ),
    };
    Received::Answer { status: 200, body: body.into_bytes() }
}

fn mangled(answer: &Answer, mangle: Mangle) -> Received {
    let whole =
        |body: JsonValue| Received::Answer { status: answer.http_status, body: body.to_json().into_bytes() };
    match mangle {
        Mangle::Whole | Mangle::OtherSale(_) => whole(answer.body.clone()),
        Mangle::Drift(variant) => whole(drift(&answer.body, variant)),
        Mangle::SystemError => whole(system_error()),
        Mangle::Status(status) => Received::Answer { status, body: answer.body.to_json().into_bytes() },
        Mangle::Html => Received::Answer {
            status: 200,
            body: "<!DOCTYPE html><title>认证</title>".to_owned().into_bytes(),
        },
        Mangle::NoData => match &answer.body {
            JsonValue::Object(fields) => {
                whole(JsonValue::Object(fields.iter().filter(|(name, _)| *name != "data").cloned().collect()))
            }
            other => whole(other.clone()),
        },
        Mangle::Cut(chance) => {
            let mut body = answer.body.to_json().into_bytes();
            let length = Random::new(chance).index(body.len());
            body.truncate(length);
            Received::Answer { status: 200, body }
        }
        Mangle::Garbage(chance) => {
            let mut random = Random::new(chance);
            let body = answer.body.to_json();
            let body = match random.below(4) {
                0 => format!("{body}{body}"),
                1 => format!("{body}\n<!-- 0.03s -->"),
                // The same key twice: a reader that takes the last would believe the proxy.
                2 => body.replacen('{', "{\"status\":\"true\",\"code\":\"0\",\"message\":\"ok\",", 1),
                _ => format!("\u{1}\u{2}{body}"),
            };
            Received::Answer { status: 200, body: body.into_bytes() }
        }
    }
}
