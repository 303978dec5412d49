//! Faults of single bytes, of the port and of the handshake, over a real socket.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::{
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

use common::{Client, End, RICH, Sandbox};
use serde_json::{Value, json};

/// Sends a sale whose bizId selects the fault: everything received, and how the connection ends.
fn heard(sandbox: &Sandbox, biz_id: &str) -> (String, End) {
    sandbox.sent(biz_id).rest(300)
}

fn block(sandbox: &Sandbox, fault: &str, ms: u64) {
    sandbox.admin("POST", "/faults", &json!({"fault": fault, "params": {"ms": ms}}));
}

fn reopen(sandbox: &Sandbox) {
    sandbox.admin("DELETE", "/faults", &Value::Null);
}

#[test]
fn heads_that_are_cut_or_lie() {
    let sandbox = Sandbox::start();
    for at in [0, 1, 40] {
        let (text, end) = heard(&sandbox, &format!("T~cut_head:{at}"));
        assert_eq!((text.len(), &end), (at, &End::Closed), "{text}");
        assert!("HTTP/1.1 200 OK\r\nServer: zvpos-sandbox\r\n".starts_with(&text), "{text}");
    }
    let (text, end) = heard(&sandbox, "T~wrong_length:7");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len() - 7)), "{head}");
    assert_eq!((end, body.ends_with("}}")), (End::Silent, true));
}

#[test]
fn answers_in_chunks() {
    let sandbox = Sandbox::start();
    let (text, end) = heard(&sandbox, "T1~chunked:100");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Transfer-Encoding: chunked") && !head.contains("Content-Length"), "{head}");
    assert!(body.starts_with("64\r\n{") && body.ends_with("}\r\n0\r\n\r\n"), "{body}");
    assert_eq!(end, End::Silent);
    let (text, end) = heard(&sandbox, "T2~chunked_cut:100000");
    assert!(text.ends_with("}\r\n") && !text.contains("\r\n0\r\n"), "{text}");
    assert_eq!(end, End::Closed);
}

#[test]
fn pages_that_redirect_or_slow_down() {
    let sandbox = Sandbox::start();
    let redirect = sandbox.sent("T1~redirect").answer(2000).unwrap();
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("http://portal.invalid/login")));
    let busy = sandbox.sent("T2~http_429").answer(2000).unwrap();
    assert_eq!((busy.status, busy.header("retry-after")), (429, Some("1")));
    assert_eq!((sandbox.net("T1~redirect"), sandbox.net("T2~http_429")), (0, 0));
}

#[test]
fn bodies_that_say_too_much_or_too_little() {
    let sandbox = Sandbox::start();
    let body = |biz_id: &str| sandbox.sent(biz_id).answer(2000).unwrap().body;
    let trailing = body("T~trailing_text");
    assert!(trailing.starts_with("{\"status\"") && trailing.contains("}}\n<br />"), "{trailing}");
    let twice = body("T~duplicate_keys");
    assert!(twice.starts_with("{\"status\":false,\"code\":\"900099\""), "{twice}");
    assert!(twice.contains(",\"status\":\"true\",\"code\":\"0\""), "{twice}");
    let nothing: Value = serde_json::from_str(&body("T~no_data")).unwrap();
    assert_eq!((&nothing["code"], &nothing["data"]), (&json!("0"), &Value::Null));
    let more: Value = serde_json::from_str(&body("T~wrong_amount:250")).unwrap();
    assert_eq!(more["data"]["change_recharge_amount"], "3.50");
    let other: Value = serde_json::from_str(&body("T~other_coupons")).unwrap();
    assert_eq!(other["data"]["couponsCardList"], json!(["390000000000000000"]));
    let other: Value = serde_json::from_str(&body("T~other_biz_id")).unwrap();
    let returned = other["data"]["bizId"].as_str().unwrap();
    assert!(returned.starts_with("ZV"), "{other}");
    let mut client = sandbox.client();
    client.send("POST", "/api/v2", &sandbox.body("sandbox.consume-reverse", json!({"bizId": returned})));
    assert_eq!(client.answer(2000).unwrap().json()["code"], "0");
    assert_eq!(sandbox.net("T~other_biz_id"), 0);
}

#[test]
fn a_connection_that_is_reset_when_the_next_request_starts() {
    let sandbox = Sandbox::start();
    let mut client = sandbox.sent("T1~idle_reset");
    assert_eq!(client.answer(2000).unwrap().json()["data"]["bizId"], "T1~idle_reset");
    // It stays open while nothing is sent.
    assert_eq!(client.answer(200).unwrap_err(), End::Silent);
    client.send("POST", "/api/v2", &sandbox.consume("T2"));
    assert_eq!(client.answer(2000).unwrap_err(), End::Reset);
    assert_eq!((sandbox.net("T1~idle_reset"), sandbox.net("T2")), (1, 0));
}

#[test]
fn a_request_that_is_reset_before_its_end() {
    let sandbox = Sandbox::start();
    let asked = "POST /api/v2 HTTP/1.1\r\nX-Zv-Fault: reset_during:300\r\nContent-Length: 500\r\n\r\n";
    let waiting = "POST /api/v2 HTTP/1.1\r\nContent-Length: 500\r\n\r\n";
    for head in [asked, waiting] {
        sandbox.admin("POST", "/faults", &json!({"fault": "reset_during:300", "times": 1}));
        let mut client = sandbox.client();
        client.raw(head.as_bytes());
        client.raw(&vec![b' '; 299 - head.len()]);
        assert_eq!(client.answer(200).unwrap_err(), End::Silent, "299 bytes are not 300");
        client.raw(b" ");
        assert_eq!(client.answer(2000).unwrap_err(), End::Reset);
        reopen(&sandbox);
    }
    assert_eq!(sandbox.admin("GET", "/counters", &Value::Null)["faults"], 2);
    let log = sandbox.admin("GET", "/requests", &Value::Null);
    assert_eq!((&log[1]["fault"]["number"], &log[1]["path"]), (&json!(300), &json!("/api/v2")), "{log}");
}

/// A connection to this machine takes less.
const MOMENT: Duration = Duration::from_millis(500);

#[test]
fn a_port_whose_queue_is_full() {
    let sandbox = Sandbox::start();
    let mut open = sandbox.client();
    block(&sandbox, "connect_hangs", 600_000);
    assert_eq!(open.answer(2000).unwrap_err(), End::Reset);
    for _ in 0..2 {
        let error = TcpStream::connect_timeout(&sandbox.server.gateway, MOMENT).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    }
    reopen(&sandbox);
    assert_eq!(sandbox.sent("T1").answer(2000).unwrap().status, 200);
    // The block also ends by itself.
    block(&sandbox, "connect_hangs", 100);
    let since = Instant::now();
    while TcpStream::connect_timeout(&sandbox.server.gateway, MOMENT).is_err() {
        assert!(since.elapsed().as_secs() < 10, "the port does not come back");
    }
    assert_eq!(sandbox.sent("T2").answer(2000).unwrap().status, 200);
}

#[test]
fn a_port_whose_connections_are_not_read() {
    let sandbox = Sandbox::start();
    block(&sandbox, "accept_hangs", 600_000);
    let mut unread = sandbox.sent("T1");
    assert_eq!(unread.answer(300).unwrap_err(), End::Silent);
    reopen(&sandbox);
    assert_eq!(unread.answer(2000).unwrap_err(), End::Reset);
    assert_eq!(sandbox.sent("T2").answer(2000).unwrap().status, 200);
    assert_eq!((sandbox.net("T1"), sandbox.net("T2")), (0, 1));
}

#[test]
fn handshakes() {
    let sandbox = Sandbox::start();
    // A ClientHello, as far as the simulator reads it.
    let hello = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
    let shake = |fault: Option<&str>| {
        if let Some(fault) = fault {
            sandbox.admin("POST", "/faults", &json!({"fault": fault, "times": 1}));
        }
        let mut client = sandbox.client();
        client.raw(&hello);
        client.rest(300)
    };
    assert_eq!(shake(Some("tls_hangs")), (String::new(), End::Silent));
    let alert = String::from_utf8(vec![21, 3, 3, 0, 2, 2, 40]).unwrap();
    assert_eq!(shake(Some("tls_fails")), (alert, End::Closed));
    let (plain, end) = shake(None);
    assert!(plain.starts_with("HTTP/1.1 400") && plain.contains("not https"), "{plain}");
    assert_eq!(end, End::Closed);
}

#[test]
fn a_request_that_is_overtaken_by_its_reversal() {
    let sandbox = Sandbox::start();
    let mut held = sandbox.sent("T1~overtaken");
    assert_eq!(held.answer(200).unwrap_err(), End::Silent);
    assert_eq!(sandbox.net("T1~overtaken"), 0);
    let mut client = sandbox.client();
    let mut code = |action: &str, params: Value| {
        client.send("POST", "/api/v2", &sandbox.body(action, params));
        client.answer(2000).unwrap().json()["code"].as_str().unwrap().to_owned()
    };
    // The reversal of another sale does not release it.
    assert_eq!(code("sandbox.consume-reverse", json!({"bizId": "T0"})), "920001");
    assert_eq!(sandbox.net("T1~overtaken"), 0);
    // Nor does a reversal that the gateway never received.
    sandbox.admin("POST", "/faults", &json!({"fault": "system_error", "operation": "reverse", "times": 1}));
    assert_eq!(code("sandbox.consume-reverse", json!({"bizId": "T1~overtaken"})), "900099");
    assert_eq!(sandbox.net("T1~overtaken"), 0);
    assert_eq!(code("sandbox.consume-reverse", json!({"bizId": "T1~overtaken"})), "920001");
    assert_eq!(sandbox.net("T1~overtaken"), 1);
    assert_eq!(code("sandbox.consume-reverse", json!({"bizId": "T1~overtaken"})), "0");
    assert_eq!(sandbox.net("T1~overtaken"), 0);
    let log = sandbox.admin("GET", "/requests?last=2", &Value::Null);
    assert!(log[0]["explanation"].as_str().unwrap().contains("held up"), "{log}");
}

/// The number of delayed requests is limited: beyond it the oldest one is executed.
#[test]
fn delayed_requests_are_limited() {
    let sandbox = Sandbox::start();
    let mut clients: Vec<Client> = Vec::new();
    for number in 0..201 {
        clients.push(sandbox.sent(&format!("T{number}~overtaken")));
        sleep(Duration::from_millis(u64::from(number % 50 == 0)));
    }
    let since = Instant::now();
    while sandbox.admin("GET", "/ledger", &Value::Null).as_array().unwrap().is_empty() {
        assert!(since.elapsed().as_secs() < 10, "all 201 are held");
        sleep(Duration::from_millis(10));
    }
    assert_eq!(sandbox.admin("GET", "/ledger", &Value::Null).as_array().unwrap().len(), 1);
    assert_eq!(sandbox.admin("GET", &format!("/members/{RICH}"), &Value::Null)["total"], "999999.00");
}
