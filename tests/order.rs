//! The order of a payment: a connection is opened while the intent waits for the disk, no byte leaves before the intent is
//! durable, and a call that sends nothing opens no connection.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Driver, Holder, MEMBER, Request, Scripted, config, gateway_answer, until};

const TAKEN: &str =
    r#"{"status":true,"code":0,"message":"ok","data":{"biz_id":"T1","change_recharge_amount":"-1.00"}}"#;

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

/// A gateway that counts its requests and says this.
fn gateway(body: &'static str) -> (Scripted, Arc<AtomicU64>) {
    let requests = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&requests);
    let server = Scripted::start(move |mut stream| {
        while Request::read(&mut stream).is_some() {
            count.fetch_add(1, Ordering::Relaxed);
            if body.is_empty() || stream.write_all(&gateway_answer(body)).is_err() {
                return;
            }
        }
    });
    (server, requests)
}

/// A till whose sale T1 waits for its journal, and the program that holds the journal.
fn waiting(url: &str) -> (Driver, Holder) {
    let config = config(url, json!({"timeouts_ms": {"connect": 10_000, "total": 20_000}}));
    let mut till = Driver::started(&config);
    let holder = Holder::take(&config["journal"]);
    till.begin(&format!("consume {}", sale("T1")));
    (till, holder)
}

#[test]
fn a_connection_opens_while_the_intent_waits_and_no_byte_leaves_before_it_is_durable() {
    let (server, requests) = gateway(TAKEN);
    let (mut till, holder) = waiting(&server.url());
    until("a connection, though the journal is held", || server.connections() == 1);
    sleep(Duration::from_millis(500));
    assert_eq!(requests.load(Ordering::Relaxed), 0);
    holder.let_go();
    till.finish().succeeded();
    assert_eq!((server.connections(), requests.load(Ordering::Relaxed)), (1, 1), "the request takes it");
}

#[test]
fn a_call_that_sends_nothing_opens_no_connection() {
    let (server, requests) = gateway(TAKEN);
    let config = config(&server.url(), json!({"guard": "member"}));
    Driver::started(&config).consume(&sale("T1")).succeeded();
    assert_eq!(server.connections(), 1);
    // Another process has no connection to use again.
    let mut till = Driver::started(&config);
    let replayed = till.consume(&sale("T1")).succeeded();
    assert_eq!(replayed.json["replayed"], true, "{}", replayed.text);
    assert_eq!((server.connections(), requests.load(Ordering::Relaxed)), (1, 1));
    till.consume(&json!({"bizId": "T1", "customerId": MEMBER, "amount": "2.00"}))
        .expect("conflict", "ZV-CONFLICT");
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_sale_that_is_held_back_opens_no_connection() {
    let (server, _) = gateway("");
    let config = config(&server.url(), json!({"guard": "member", "on_unknown": "hold"}));
    Driver::started(&config).consume(&sale("T1")).expect("unknown", "ZV-LOST");
    let mut till = Driver::started(&config);
    let opened = server.connections();
    let answer = till.consume(&sale("T2"));
    assert_eq!(answer.code(), "ZV-IN-DOUBT", "{}", answer.text);
    assert_eq!(server.connections(), opened);
}

/// A gateway that gives up a connection on which no request comes.
#[test]
fn a_connection_that_is_closed_while_the_intent_waits_is_opened_again() {
    let is_first = AtomicBool::new(true);
    let server = Scripted::start(move |mut stream| {
        if is_first.swap(false, Ordering::Relaxed) {
            return;
        }
        while Request::read(&mut stream).is_some() && stream.write_all(&gateway_answer(TAKEN)).is_ok() {}
    });
    let (mut till, holder) = waiting(&server.url());
    until("a connection, though the journal is held", || server.connections() == 1);
    sleep(Duration::from_millis(200));
    holder.let_go();
    till.finish().succeeded();
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_connection_that_is_refused_while_the_intent_waits_is_begun_again() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut till, holder) = waiting(&format!("http://{address}/api/v2"));
    sleep(Duration::from_millis(500));
    let listener = TcpListener::bind(address).unwrap();
    let gateway = spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        Request::read(&mut stream).unwrap();
        stream.write_all(&gateway_answer(TAKEN)).unwrap();
    });
    holder.let_go();
    till.finish().succeeded();
    gateway.join().unwrap();
}

/// What comes on a connection before the request is no answer to it.
#[test]
fn bytes_that_come_while_the_intent_waits_are_no_answer() {
    let requests = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&requests);
    let server = Scripted::start(move |mut stream| {
        stream.write_all(&gateway_answer(TAKEN)).unwrap();
        while Request::read(&mut stream).is_some() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (mut till, holder) = waiting(&server.url());
    until("a connection, though the journal is held", || server.connections() == 1);
    sleep(Duration::from_millis(200));
    holder.let_go();
    till.finish().expect("not_sent", "ZV-CONNECT");
    assert_eq!((server.connections(), requests.load(Ordering::Relaxed)), (1, 0));
}

/// Connections that were begun ahead and not used are closed, however the call ends.
#[test]
fn no_connection_is_left_open() {
    let (server, _) = gateway("");
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [server.url(), format!("http://{refused}/api/v2")] {
        let config = config(&url, json!({"idle_ms": 0, "on_unknown": "hold"}));
        let mut till = Driver::started(&config);
        let open = |till: &Driver| std::fs::read_dir(format!("/proc/{}/fd", till.pid())).unwrap().count();
        till.consume(&sale("T0"));
        let before = open(&till);
        for number in 1..60 {
            till.together(4, &format!("consume {}", sale(&format!("T{number}"))));
        }
        assert!(open(&till) <= before + 4, "{} open, {before} before", open(&till));
    }
}
