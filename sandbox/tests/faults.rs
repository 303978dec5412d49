//! Every fault over a real socket: the bytes at the till, and the effect in the ledger.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::{net::TcpStream, time::Instant};

use common::{End, RICH, Sandbox};
use serde_json::{Value, json};
use zvpos_sandbox::faults::{Fault, Meets, Named};

/// Sends a request under the fault on a new connection, and waits until the simulator has handled it.
fn ask(sandbox: &Sandbox, fault: &str, body: &str) {
    let last = || sandbox.admin("GET", "/requests?last=1", &Value::Null)[0]["number"].as_u64();
    let before = last();
    let mut client = sandbox.client();
    client.send_asking(fault, body);
    let since = Instant::now();
    while last() == before {
        assert!(since.elapsed().as_secs() < 10, "{fault}: the request is not in the log");
    }
    // A fault that blocks the port resets this connection, too, and only then.
    let blocks = Named::read(fault).unwrap().fault.blockage().is_some();
    let (_, end) = client.rest(if blocks { 10_000 } else { 20 });
    assert!(!blocks || end == End::Reset, "{fault}: {end:?}");
}

/// The ledger agrees with the row of each fault.
#[test]
fn every_fault_has_the_effect_in_its_row() {
    let sandbox = Sandbox::start();
    for fault in Fault::ALL {
        let row = fault.row();
        let biz_id = format!("T-{}", row.name);
        let consume = sandbox.consume(&biz_id);
        let expected = match (row.meets, fault) {
            (Meets::Handshake, _) => continue,
            (Meets::Reverse, _) => {
                ask(&sandbox, "chunked", &consume);
                ask(&sandbox, row.name, &sandbox.body("sandbox.consume-reverse", json!({"bizId": biz_id})));
                if *fault == Fault::ReverseTwice { -1 } else { i64::from(!row.acts) }
            }
            (_, Fault::LateArrival | Fault::Overtaken) => {
                ask(&sandbox, &format!("{}:200", row.name), &consume);
                let since = Instant::now();
                while sandbox.net(&biz_id) == 0 && since.elapsed().as_secs() < 5 {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                1
            }
            // The header applies the clock to this request only, which is refused; signed again, the sale would
            // succeed.
            (_, Fault::ClockAhead | Fault::ClockBehind) => {
                ask(&sandbox, row.name, &consume);
                0
            }
            _ => {
                ask(&sandbox, row.name, &consume);
                if *fault == Fault::SameAgain { 2 } else { i64::from(row.acts) }
            }
        };
        assert_eq!(sandbox.net(&biz_id), expected, "{}", row.name);
        sandbox.admin("DELETE", "/faults", &Value::Null);
    }
}

#[test]
fn no_fault() {
    let sandbox = Sandbox::start();
    let mut client = sandbox.sent("T1");
    let heard = client.answer(2000).unwrap();
    assert_eq!((heard.status, &heard.json()["data"]["change_recharge_amount"]), (200, &json!("1.00")));
    // The connection stays open, without stray bytes.
    client.send("POST", "/api/v2", &sandbox.consume("T2"));
    assert_eq!(client.answer(2000).unwrap().json()["data"]["bizId"], "T2");
    assert!(client.left().is_empty());
    assert_eq!((sandbox.net("T1"), sandbox.net("T2"), sandbox.net("T3")), (1, 1, 0));
}

#[test]
fn refused() {
    let sandbox = Sandbox::start();
    let mut open = sandbox.client();
    sandbox.admin("POST", "/faults", &json!({"fault": "refused", "params": {"ms": 60_000}}));
    assert_eq!(open.answer(2000).unwrap_err(), End::Reset);
    let error = TcpStream::connect(sandbox.server.gateway).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    sandbox.admin("DELETE", "/faults", &Value::Null);
    assert_eq!(sandbox.sent("T1").answer(2000).unwrap().status, 200);

    // Selected by a request: the connection is reset, and the port reopens by itself.
    assert_eq!(sandbox.sent("T2~refused:300").answer(2000).unwrap_err(), End::Reset);
    let since = Instant::now();
    assert!(TcpStream::connect(sandbox.server.gateway).is_err());
    while TcpStream::connect(sandbox.server.gateway).is_err() {
        assert!(since.elapsed().as_secs() < 5, "the port does not come back");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(sandbox.net("T2~refused:300"), 0);
}

#[test]
fn hang_and_hang_after() {
    let sandbox = Sandbox::start();
    for (biz_id, net) in [("T1~hang", 0), ("T2~hang_after", 1)] {
        assert_eq!(sandbox.sent(biz_id).answer(300).unwrap_err(), End::Silent);
        assert_eq!(sandbox.net(biz_id), net);
    }
}

#[test]
fn reset_before_and_after() {
    let sandbox = Sandbox::start();
    for (biz_id, net) in [("T1~reset_before", 0), ("T2~reset_after", 1)] {
        assert_eq!(sandbox.sent(biz_id).answer(2000).unwrap_err(), End::Reset);
        assert_eq!(sandbox.net(biz_id), net);
    }
}

#[test]
fn stray_answer() {
    let sandbox = Sandbox::start();
    let mut client = sandbox.sent("T1~stray_answer");
    assert_eq!(client.answer(2000).unwrap().json()["data"]["bizId"], "T1~stray_answer");
    client.send("POST", "/api/v2", &sandbox.consume("T2"));
    let stray = client.answer(2000).unwrap().json();
    assert_eq!((&stray["code"], &stray["data"]["bizId"]), (&json!("0"), &json!("OTHER-TILL-0001")));
    assert_eq!(client.answer(2000).unwrap().json()["data"]["bizId"], "T2");
    assert_eq!((sandbox.net("T1~stray_answer"), sandbox.net("OTHER-TILL-0001")), (1, 0));
}

#[test]
fn pages_and_http_errors() {
    let sandbox = Sandbox::start();
    for (biz_id, status, net) in [
        ("T1~html_200", 200, 0),
        ("T2~html_200_after", 200, 1),
        ("T3~http_500", 500, 0),
        ("T4~http_500_after", 500, 1),
        ("T5~http_500:503", 503, 0),
        ("T6~http_500_after:504", 504, 1),
    ] {
        let mut client = sandbox.sent(biz_id);
        let heard = client.answer(2000).unwrap();
        assert_eq!((heard.status, sandbox.net(biz_id)), (status, net), "{biz_id}");
        assert!(heard.body.contains("<html>"), "{biz_id}: {}", heard.body);
        assert!(heard.header("content-type").unwrap().starts_with("text/html"));
    }
}

#[test]
fn cut_body() {
    let sandbox = Sandbox::start();
    let mut whole = sandbox.sent("T0");
    let length = whole.answer(2000).unwrap().body.len();
    for at in [0, 1, 57, length - 1] {
        // As long as T0's answer, except for the bizId.
        let biz_id = format!("T~cut_body:{at}");
        let mut client = sandbox.sent(&biz_id);
        assert_eq!(client.answer(2000).unwrap_err(), End::Closed);
        let text = String::from_utf8_lossy(client.left()).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let promised = length + biz_id.len() - "T0".len();
        assert!(head.contains(&format!("Content-Length: {promised}")), "{head}");
        // Bytes, because the cut may split a Chinese character.
        assert_eq!(client.left().len() - head.len() - 4, at, "{body}");
        assert_eq!(sandbox.net(&biz_id), 1);
    }
}

#[test]
fn drifted_types() {
    let sandbox = Sandbox::start();
    let params = |biz_id: &str| json!({"bizId": biz_id, "customerId": RICH, "amount": "1.00", "couponsCardList": ["390962138708451328"]});
    for (biz_id, status, list, amount) in [
        ("T0~drifted_types", "\"status\":true", "[390962138708451328]", ":1.00"),
        ("T1~drifted_types:1", "\"status\":1", "[390962138708451328]", ":1.00"),
        ("T2~drifted_types:2", "\"status\":\"1\"", "[\"390962138708451328\"]", ":\"1.00\""),
    ] {
        let mut client = sandbox.client();
        client.send("POST", "/api/v2", &sandbox.body("communal.user.consume", params(biz_id)));
        let body = client.answer(2000).unwrap().body;
        for part in [status, list, amount] {
            assert!(body.contains(part), "{part} is not in {body}");
        }
        assert_eq!(sandbox.net(biz_id), 1);
    }
}

#[test]
fn slow_body() {
    let sandbox = Sandbox::start();
    let mut client = sandbox.sent("T1~slow_body:150");
    let since = Instant::now();
    assert_eq!(client.answer(100).unwrap_err(), End::Silent);
    assert_eq!(sandbox.net("T1~slow_body:150"), 1);
    while since.elapsed().as_millis() < 700 {
        let _ = client.answer(100);
    }
    let text = String::from_utf8_lossy(client.left()).into_owned();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    assert!((2..=8).contains(&body.len()), "{} bytes after {:?}", body.len(), since.elapsed());
    // The whole answer arrives in the end.
    assert_eq!(sandbox.sent("T2~slow_body:1").answer(2000).unwrap().json()["code"], "0");
}

#[test]
fn late_answer() {
    let sandbox = Sandbox::start();
    let mut client = sandbox.sent("T1~late_answer:400");
    assert_eq!(client.answer(150).unwrap_err(), End::Silent);
    assert_eq!(sandbox.net("T1~late_answer:400"), 1);
    assert_eq!(client.answer(2000).unwrap().json()["code"], "0");
}

#[test]
fn system_errors() {
    let sandbox = Sandbox::start();
    for (biz_id, net) in [("T1~system_error", 0), ("T2~system_error_after", 1)] {
        let json = sandbox.sent(biz_id).answer(2000).unwrap().json();
        assert_eq!((&json["status"], &json["code"]), (&json!(false), &json!("900099")));
        assert_eq!(sandbox.net(biz_id), net);
    }
}

#[test]
fn armed_faults_hit_their_operation_as_often_as_ordered() {
    let sandbox = Sandbox::start();
    let armed = sandbox.admin(
        "POST",
        "/faults",
        &json!({"fault": "system_error", "times": 2, "operation": "reverse"}),
    );
    assert_eq!(armed["armed"][0]["times"], 2);
    let code = |action: &str| {
        let mut client = sandbox.client();
        client.send(
            "POST",
            "/api/v2",
            &sandbox.body(action, json!({"bizId": "T1", "customerId": RICH, "amount": "1.00"})),
        );
        client.answer(2000).unwrap().json()["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("communal.user.consume"), "0");
    assert_eq!(code("sandbox.consume-reverse"), "900099");
    assert_eq!(code("sandbox.consume-reverse"), "900099");
    assert_eq!(sandbox.net("T1"), 1);
    assert_eq!(code("sandbox.consume-reverse"), "0");
    assert_eq!(sandbox.net("T1"), 0);
    let error = sandbox.admin("POST", "/faults", &json!({"fault": "hangs"}));
    assert!(error["error"].as_str().unwrap().contains("hangs"), "{error}");
}
