//! One total deadline holds for a call whatever the server does, and the till is told the truth then: "not sent"
//! before a byte left, and "unknown" afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, Request, Scripted, Simulator, config, gateway_answer};

const CONNECT_MS: u64 = 300;
const TOTAL_MS: u64 = 800;
/// Time for waking up, and for a busy machine.
const SLACK_MS: u64 = 300;

/// A till that talks to `endpoint` with the deadlines above.
fn till(endpoint: &str, more: Value) -> Driver {
    let mut config = config(endpoint, json!({"timeouts_ms": {"connect": CONNECT_MS, "total": TOTAL_MS}}));
    let Value::Object(more) = more else { panic!("an object") };
    config.as_object_mut().unwrap().extend(more);
    Driver::started(&config)
}

fn sale() -> Value {
    json!({"bizId": "T1", "customerId": MEMBER, "amount": "1.00"})
}

fn basket() -> Value {
    json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER, "items": [{"num": 1, "trade_mark": "1", "price": "9.00"}]})
}

/// A consume ends in time with this outcome and code, and so does a quote, which is never unknown.
fn ends(till: &mut Driver, by_ms: u64, outcome: &str, code: &str) {
    let answer = till.consume(&sale());
    let took = answer.took;
    assert_eq!((answer.outcome(), answer.code()), (outcome, code), "{}", answer.text);
    assert!(took <= Duration::from_millis(by_ms + SLACK_MS), "took {took:?}: {}", answer.text);
    let answer = till.quote(&basket());
    assert_eq!(answer.outcome(), "not_sent", "{}", answer.text);
    assert!(
        answer.took <= Duration::from_millis(by_ms + SLACK_MS),
        "took {:?}: {}",
        answer.took,
        answer.text
    );
}

/// Writes until the peer has disconnected, with this many milliseconds between two pieces.
fn drip(stream: &mut TcpStream, ms: u64, mut piece: impl FnMut(usize) -> Vec<u8>) {
    for number in 0.. {
        if stream.write_all(&piece(number)).is_err() {
            return;
        }
        sleep(Duration::from_millis(ms));
    }
}

/// Waits until the peer has disconnected.
fn hang(stream: &mut TcpStream) {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

#[test]
fn a_connect_that_hangs() {
    // A listener whose queue is full: the kernel drops further connection attempts.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let moment = Duration::from_millis(100);
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, moment) {
        waiting.push(stream);
        assert!(waiting.len() < 100, "the queue does not fill");
    }
    let mut till = till(&format!("http://{address}/api/v2"), json!({}));
    ends(&mut till, CONNECT_MS, "not_sent", "ZV-CONNECT");
}

#[test]
fn a_tls_handshake_that_hangs() {
    let server = Scripted::start(|mut stream| hang(&mut stream));
    let mut till = till(&format!("https://{}/api/v2", server.address), json!({}));
    ends(&mut till, CONNECT_MS, "not_sent", "ZV-CONNECT");
}

#[test]
fn a_tls_handshake_that_drips() {
    // The beginning of a ServerHello, then a byte from time to time.
    let server = Scripted::start(|mut stream| {
        let hello = [0x16, 3, 3, 0, 0x7a, 2, 0, 0, 0x76, 3, 3];
        drip(&mut stream, 50, |number| vec![hello.get(number).copied().unwrap_or(0)]);
    });
    let mut till = till(&format!("https://{}/api/v2", server.address), json!({}));
    ends(&mut till, CONNECT_MS, "not_sent", "ZV-CONNECT");
}

#[test]
fn a_proxy_that_hangs() {
    let server = Scripted::start(|mut stream| hang(&mut stream));
    let proxy = json!({"proxy": format!("http://{}", server.address)});
    let mut till = till("https://gateway.invalid/api/v2", proxy);
    ends(&mut till, CONNECT_MS, "not_sent", "ZV-CONNECT");
}

#[test]
fn an_answer_that_never_comes() {
    let server = Scripted::then(hang);
    ends(&mut till(&server.url(), json!({})), TOTAL_MS, "unknown", "ZV-TIMEOUT");
}

#[test]
fn a_request_that_nobody_reads() {
    let server = Scripted::start(|stream| {
        sleep(Duration::from_secs(5));
        drop(stream);
    });
    let mut till = till(&server.url(), json!({"pass_unknown_fields": true}));
    // Larger than the kernel's buffers.
    let padding = vec!["x".repeat(900); 1000];
    let mut sale = sale();
    sale["padding"] = json!(padding);
    let answer = till.consume(&sale);
    assert_eq!((answer.outcome(), answer.code()), ("unknown", "ZV-TIMEOUT"), "{}", answer.text);
    assert!(answer.took <= Duration::from_millis(TOTAL_MS + SLACK_MS), "took {:?}", answer.took);
}

#[test]
fn one_byte_a_time_in_the_head() {
    let server = Scripted::then(|stream| {
        let answer = gateway_answer("{}");
        drip(stream, 100, |number| answer.get(number..=number).unwrap_or_default().to_vec());
    });
    ends(&mut till(&server.url(), json!({})), TOTAL_MS, "unknown", "ZV-TIMEOUT");
}

#[test]
fn a_head_without_an_end() {
    let server = Scripted::then(|stream| {
        drip(stream, 20, |number| match number {
            0 => b"HTTP/1.1 200 OK\r\n".to_vec(),
            _ => format!("X-{number}: y\r\n").into_bytes(),
        });
    });
    ends(&mut till(&server.url(), json!({})), TOTAL_MS, "unknown", "ZV-TIMEOUT");
}

#[test]
fn continue_without_an_end() {
    let server = Scripted::then(|stream| drip(stream, 20, |_| b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()));
    let mut till = till(&server.url(), json!({}));
    let answer = till.consume(&sale());
    assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
    assert!(answer.took <= Duration::from_millis(TOTAL_MS + SLACK_MS), "took {:?}", answer.took);
}

#[test]
fn one_byte_a_time_in_the_body() {
    let server = Scripted::then(|stream| {
        drip(stream, 100, |number| match number {
            0 => b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{".to_vec(),
            _ => b" ".to_vec(),
        });
    });
    ends(&mut till(&server.url(), json!({})), TOTAL_MS, "unknown", "ZV-TIMEOUT");
}

#[test]
fn chunks_without_an_end() {
    let server = Scripted::then(|stream| {
        drip(stream, 50, |number| match number {
            0 => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n".to_vec(),
            _ => b"1\r\n \r\n".to_vec(),
        });
    });
    ends(&mut till(&server.url(), json!({})), TOTAL_MS, "unknown", "ZV-TIMEOUT");
}

#[test]
fn a_head_of_megabytes() {
    let server = Scripted::then(|stream| {
        let line = format!("X: {}\r\n", "y".repeat(8000));
        drip(stream, 0, |number| match number {
            0 => b"HTTP/1.1 200 OK\r\n".to_vec(),
            _ => line.clone().into_bytes(),
        });
    });
    let mut till = till(&server.url(), json!({}));
    let answer = till.consume(&sale());
    assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
    assert!(answer.took <= Duration::from_millis(TOTAL_MS + SLACK_MS), "took {:?}", answer.took);
}

#[test]
fn a_body_beyond_the_limit() {
    let padding = " ".repeat(2 * 1024 * 1024);
    let body = format!(r#"{{"status":true,"code":0,"message":"ok","data":{{"bizId":"T1"}}}}{padding}"#);
    let server = Scripted::answering(move |_| gateway_answer(&body));
    let mut till = till(&server.url(), json!({}));
    // With a valid end, and with a wrong length.
    ends(&mut till, TOTAL_MS, "unknown", "ZV-NOT-GATEWAY");
    let liar = Scripted::then(|stream| {
        drip(stream, 0, |number| match number {
            0 => b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{".to_vec(),
            _ => vec![b' '; 64 * 1024],
        });
    });
    ends(&mut self::till(&liar.url(), json!({})), TOTAL_MS, "unknown", "ZV-NOT-GATEWAY");
}

#[test]
fn an_answer_in_small_pieces_but_in_time_is_an_answer() {
    let body =
        r#"{"status":true,"code":0,"message":"ok","data":{"bizId":"T1","change_recharge_amount":"1.00"}}"#;
    let server = Scripted::then(move |stream| {
        for piece in gateway_answer(body).chunks(7) {
            stream.write_all(piece).unwrap();
            sleep(Duration::from_millis(2));
        }
        hang(stream);
    });
    till(&server.url(), json!({})).consume(&sale()).succeeded();
}

#[test]
fn a_connection_is_reused_until_its_idle_limit() {
    let simulator = Simulator::start();
    let mut kept = Driver::started(&config(&simulator.v2(), json!({"idle_ms": 60_000})));
    for _ in 0..5 {
        kept.quote(&basket()).succeeded();
    }
    assert_eq!(simulator.connections(), 1);
    let mut fresh = Driver::started(&config(&simulator.v2(), json!({"idle_ms": 100, "warm_s": 0})));
    for round in 2..=4 {
        fresh.quote(&basket()).succeeded();
        assert_eq!(simulator.connections(), round);
        sleep(Duration::from_millis(300));
    }
    let mut never_kept = Driver::started(&config(&simulator.v2(), json!({"idle_ms": 0})));
    for round in 5..=9 {
        never_kept.quote(&basket()).succeeded();
        assert_eq!(simulator.connections(), round);
    }
}

/// A server that closes an idle connection must cost nothing but a new connection.
#[test]
fn a_connection_that_was_closed_meanwhile_is_not_used() {
    let body = r#"{"status":true,"code":0,"message":"ok","data":{"change_recharge_amount":"1.00"}}"#;
    let server = Scripted::then(move |stream| stream.write_all(&gateway_answer(body)).unwrap());
    let mut till = till(&server.url(), json!({}));
    for round in 1..=5 {
        till.consume(&json!({"bizId": format!("T{round}"), "customerId": MEMBER, "amount": "1.00"}))
            .succeeded();
        // Until the end of the connection has arrived.
        sleep(Duration::from_millis(50));
        assert_eq!(server.connections(), round);
    }
}

/// An answer that waits on a kept connection belongs to another sale and is never read.
#[test]
fn a_stray_answer_is_never_read_as_the_next_one() {
    let simulator = Simulator::start();
    let mut till = till(&simulator.v2(), json!({}));
    for round in 0..20 {
        let stray = format!("T{round}~stray_answer");
        let answer =
            till.consume(&json!({"bizId": stray, "customerId": MEMBER, "amount": "1.00"})).succeeded();
        assert_eq!(answer.data()["bizId"], stray.as_str());
        let next = format!("N{round}");
        let answer =
            till.consume(&json!({"bizId": next, "customerId": MEMBER, "amount": "2.00"})).succeeded();
        assert_eq!(answer.data()["bizId"], next.as_str(), "{}", answer.text);
        assert_eq!((simulator.net(&stray), simulator.net(&next)), (1, 1));
    }
}

/// The same if the other answer arrives a moment later, when the connection is already idle.
#[test]
fn a_late_stray_answer_is_never_read_either() {
    let server = Scripted::start(|mut stream| {
        while let Some(request) = Request::read(&mut stream) {
            let sent: Value = serde_json::from_str(&request.body).unwrap();
            for biz_id in [&sent["Params"]["bizId"], &json!("OTHER")] {
                let body = json!({"status": true, "code": 0, "message": "ok", "data": {"bizId": biz_id}});
                if stream.write_all(&gateway_answer(&body.to_string())).is_err() {
                    return;
                }
                sleep(Duration::from_millis(50));
            }
        }
    });
    let mut till = till(&server.url(), json!({}));
    for round in 1..=3 {
        let biz_id = format!("T{round}");
        let answer =
            till.consume(&json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})).succeeded();
        assert_eq!(answer.data()["bizId"], biz_id.as_str(), "{}", answer.text);
        sleep(Duration::from_millis(150));
        assert_eq!(server.connections(), round);
    }
}
