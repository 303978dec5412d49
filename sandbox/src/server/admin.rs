//! The admin API: JSON on a separate socket, which no fault affects.

use std::{borrow::Cow, sync::atomic::Ordering};

use serde::Serialize;
use serde_json::json;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::{
    faults::{Armed, ChaosOrder, Fault, reason},
    rules::Policy,
    words::{Words, words},
};

use super::{
    clock::Change,
    connection::Request,
    inspector::{self, HEADERS},
    port::Command,
    state::Shared,
};

const PATHS: &[&str] = &[
    "GET /: the inspector, a page for a browser",
    "GET /events: the request log as server-sent events",
    "GET /health",
    "GET /faults",
    "POST /faults {fault, times?, operation?, params?}",
    "DELETE /faults",
    "GET /chaos",
    "PUT /chaos {chaos: \"seed=7,lost_answer=0.05\"} or {seed, rates: {fault: rate}}",
    "DELETE /chaos",
    "GET /clock",
    "PUT /clock {offset_ms or advance_ms or set, freeze?, till_follows?}",
    "GET /ledger",
    "GET /ledger?bizId=X",
    "GET /ledger?last=n",
    "GET /members?first=n",
    "GET /members/{customerId}",
    "POST /reset",
    "GET /policy",
    "PUT /policy {…}, what is not given has its default",
    "GET /requests?last=n",
    "GET /counters",
];

const CHAOS: &str = r#"{"chaos": "seed=7,lost_answer=0.05"} or {"seed": 7, "rates": {"lost_answer": 0.05}}"#;

const JSON: &str = "application/json; charset=utf-8";

/// An answer of the admin API or a file of the inspector.
pub(super) struct Reply {
    status: u16,
    kind: &'static str,
    body: Cow<'static, str>,
}

impl Reply {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self { status, kind, body } = self;
        let (reason, length) = (reason(*status), body.len());
        format!(
            "HTTP/1.1 {status} {reason}\r\nServer: zvpos-sandbox\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\n{HEADERS}\r\n{body}"
        )
        .into_bytes()
    }
}

fn ok(value: &impl Serialize) -> Reply {
    match serde_json::to_string(value) {
        Ok(text) => Reply { status: 200, kind: JSON, body: text.into() },
        Err(error) => failed(500, &unreadable(&error)),
    }
}

pub(super) fn failed(status: u16, why: &Words) -> Reply {
    let body = json!({"error": why.en, "error_zh": why.zh}).to_string();
    Reply { status, kind: JSON, body: body.into() }
}

/// The JSON parser's error, in English only.
fn unreadable(error: &serde_json::Error) -> Words {
    words!("{error}", "内容有误：{error}")
}

/// Answers a request, and notifies the followers of the log if it changed anything.
pub(super) async fn answer(shared: &Shared, port: &UnboundedSender<Command>, request: &Request) -> Reply {
    let reply = carry_out(shared, port, request).await;
    if request.method != "GET" && reply.status == 200 {
        shared.feed.changed();
    }
    reply
}

async fn carry_out(shared: &Shared, port: &UnboundedSender<Command>, request: &Request) -> Reply {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let number = |name: &str| parameter(query, name).and_then(|number| number.parse::<usize>().ok());
    match (request.method.as_str(), path) {
        ("GET", "/health") => ok(&json!({"ok": true})),
        ("GET", "/faults") => faults(shared),
        ("POST", "/faults") => arm(shared, port, &request.body).await,
        ("DELETE", "/faults") => {
            shared.faults().disarm();
            let (done, opened) = oneshot::channel();
            let _ = port.send(Command::Open { done });
            // An error means that the server is shutting down.
            let _ = opened.await;
            faults(shared)
        }
        ("GET", "/chaos") => chaos(shared),
        ("PUT", "/chaos") => {
            let order = serde_json::from_slice::<ChaosOrder>(&request.body)
                .map_err(|_| words!("the body must be {CHAOS}", "请求体应为 {CHAOS}"));
            match order.and_then(|order| order.read()) {
                Ok(chaos) => shared.faults().set_chaos(Some(chaos)),
                Err(why) => return failed(400, &why),
            }
            chaos(shared)
        }
        ("DELETE", "/chaos") => {
            shared.faults().set_chaos(None);
            chaos(shared)
        }
        ("GET", "/clock") => ok(&shared.clock_shown()),
        ("PUT", "/clock") => {
            let change = serde_json::from_slice::<Change>(&request.body).map_err(|error| unreadable(&error));
            match change.and_then(|change| shared.set_clock(&change)) {
                Ok(shown) => ok(&shown),
                Err(why) => failed(400, &why),
            }
        }
        ("GET", "/ledger") => match number("last") {
            Some(count) => ok(&shared.gateway().last_of_ledger(count)),
            None => ledger(shared, parameter(query, "bizId").as_deref()),
        },
        ("POST", "/reset") => {
            shared.reset();
            ok(&json!({"ok": true}))
        }
        ("GET", "/policy") => ok(shared.gateway().policy()),
        ("PUT", "/policy") => match serde_json::from_slice::<Policy>(&request.body) {
            Ok(policy) => {
                shared.gateway().set_policy(policy.clone());
                ok(&policy)
            }
            Err(error) => failed(400, &unreadable(&error)),
        },
        ("GET", "/requests") => {
            let last = number("last").unwrap_or(20);
            ok(&shared.feed.last(last))
        }
        ("GET", "/counters") => {
            let counters = &shared.counters;
            ok(&json!({
                "requests": counters.requests.load(Ordering::Relaxed),
                "connections": counters.connections.load(Ordering::Relaxed),
                "faults": counters.faults.load(Ordering::Relaxed),
            }))
        }
        ("GET", "/members") => {
            let first = number("first").unwrap_or(100);
            ok(&shared.gateway().member_views(first, shared.now().business_ms))
        }
        ("GET", path) if path.starts_with("/members/") => {
            let customer_id = path.trim_start_matches("/members/");
            match shared.gateway().member_view(customer_id, shared.now().business_ms) {
                Some(member) => ok(&member),
                None => {
                    failed(404, &words!("there is no member {customer_id:?}", "没有会员 {customer_id:?}"))
                }
            }
        }
        (method, path) => match inspector::file(path) {
            Some((kind, text)) if method == "GET" => Reply { status: 200, kind, body: text.into() },
            _ => {
                let error = format!("there is no {method} {path} here");
                let body = json!({"error": error, "paths": PATHS}).to_string();
                Reply { status: 404, kind: JSON, body: body.into() }
            }
        },
    }
}

fn faults(shared: &Shared) -> Reply {
    let table: Vec<_> = Fault::ALL.iter().map(|fault| fault.row()).collect();
    ok(&json!({"armed": shared.faults().armed(), "table": table}))
}

/// The random faults; `{"seed": 0, "rates": []}` without any.
fn chaos(shared: &Shared) -> Reply {
    match shared.faults().chaos() {
        Some(chaos) => ok(chaos),
        None => ok(&json!({"seed": 0, "rates": []})),
    }
}

/// Arms a fault. A fault of the whole port without an operation blocks the port at once, and the answer follows once it
/// is blocked.
async fn arm(shared: &Shared, port: &UnboundedSender<Command>, body: &[u8]) -> Reply {
    let armed: Armed = match serde_json::from_slice(body) {
        Ok(armed) => armed,
        Err(error) => return failed(400, &unreadable(&error)),
    };
    let blockage = armed.fault.blockage().filter(|_| armed.operation.is_none());
    if let Some(how) = blockage {
        if let Err(why) = armed.check() {
            return failed(400, &why);
        }
        let (done, closed) = oneshot::channel();
        let _ = port.send(Command::Block { how, ms: armed.chosen().number, done: Some(done) });
        let _ = closed.await;
        return faults(shared);
    }
    let now_ms = shared.now().business_ms;
    let outcome = shared.faults().arm(armed, now_ms);
    match outcome {
        Ok(()) => faults(shared),
        Err(why) => failed(400, &why),
    }
}

/// The effects of one bizId; net 0 and no entries without any. If several accounts sent it, the nets are added up and
/// the entries joined. Without a bizId: all.
fn ledger(shared: &Shared, biz_id: Option<&str>) -> Reply {
    let views = shared.gateway().ledger(biz_id);
    let Some(biz_id) = biz_id else { return ok(&views) };
    let net: i64 = views.iter().map(|view| view.net).sum();
    let entries: Vec<_> = views.iter().flat_map(|view| &view.entries).collect();
    let returned: Vec<_> = views.iter().map(|view| &view.returned_biz_id).collect();
    ok(&json!({"bizId": biz_id, "returnedBizIds": returned, "net": net, "entries": entries}))
}

/// The value of a query's parameter, percent-decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let pair = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    let mut bytes = pair.1.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_parameter_is_decoded() {
        assert_eq!(parameter("a=1&bizId=T1%7Ehang+x", "bizId").as_deref(), Some("T1~hang x"));
        assert_eq!(parameter("a=1", "bizId"), None);
        assert_eq!(parameter("a=%4", "a"), None);
    }
}
