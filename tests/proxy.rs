//! A proxy that allows no CONNECT to plain http (Squid's default), and requests with whole URLs (`proxy.mode:
//! absolute`) through a proxy that really forwards. docs/money-safety.md lists under "Does not hold" what no longer
//! holds then.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{Read, Write, copy};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::{Driver, MEMBER, Request, Scripted, Simulator, config, gateway_answer, until};

const ENDPOINT: &str = "http://gateway.invalid/api/v2";

/// What a proxy does with a request in absolute form.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Forward,
    ForwardTwice,
    DieBefore,
    DieAfter,
    BadGateway,
}

/// A proxy that forwards plain http to `target` whatever the name, and allows no CONNECT; and the heads that it has
/// read.
fn forwarding(target: SocketAddr, does: Does) -> (Scripted, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let proxy = Scripted::start(move |mut stream| {
        while let Some(request) = Request::read(&mut stream) {
            seen.lock().unwrap().push(request.head.clone());
            let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
            let line = request.head.lines().next().unwrap().to_owned();
            let Some(url) = line.strip_prefix("POST http://") else {
                let _ = stream.write_all(refused);
                return;
            };
            let path = url.find('/').map(|at| &url[at..]).unwrap();
            let rest: Vec<&str> =
                request.head.lines().skip(1).filter(|l| !l.to_lowercase().starts_with("proxy-")).collect();
            let onward =
                format!("POST {path}\r\n{}\r\nconnection: close\r\n\r\n{}", rest.join("\r\n"), request.body);
            let ask = || {
                let mut inside = TcpStream::connect(target).unwrap();
                inside.write_all(onward.as_bytes()).unwrap();
                let mut answer = Vec::new();
                let _ = inside.read_to_end(&mut answer);
                answer
            };
            let answer = match does {
                Does::DieBefore => return,
                Does::BadGateway => b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n".to_vec(),
                Does::DieAfter => {
                    ask();
                    return;
                }
                Does::Forward => ask(),
                Does::ForwardTwice => {
                    let first = ask();
                    ask();
                    first
                }
            };
            // The connection to the till is the proxy's own and stays open.
            let text = String::from_utf8_lossy(&answer).replace("Connection: close\r\n", "");
            let text = text.replace("connection: close\r\n", "");
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    });
    (proxy, heads)
}

fn through(proxy: &Scripted, login: &str, more: Value) -> Value {
    let mut whole = config(
        ENDPOINT,
        json!({
            "proxy": {"url": format!("http://{login}{}", proxy.address), "mode": "absolute"},
            "routes": {"reverse": {"action": "sandbox.consume-reverse", "codes": {"already": ["920002"], "not_found": ["920001"]}}},
            "late_arrival_ms": 300, "timeouts_ms": {"connect": 500, "total": 1500},
        }),
    );
    let Value::Object(more) = more else { panic!("an object") };
    whole.as_object_mut().unwrap().extend(more);
    whole
}

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

/// Nothing is sent, and the message names the available setting. The setting is never enabled automatically.
#[test]
fn a_proxy_that_refuses_connect_to_plain_http_names_the_setting() {
    let simulator = Simulator::start();
    let (proxy, heads) = forwarding(simulator.address(), Does::Forward);
    for (endpoint, named) in [(ENDPOINT, true), ("https://gateway.invalid/api/v2", false)] {
        let mut till =
            Driver::started(&config(endpoint, json!({"proxy": format!("http://{}", proxy.address)})));
        let answer = till.consume(&sale("T1")).expect("not_sent", "ZV-PROXY");
        let message = answer.json["message"].as_str().unwrap();
        assert_eq!(message.contains("proxy.mode") && message.contains("absolute"), named, "{message}");
    }
    assert!(heads.lock().unwrap().iter().all(|head| head.starts_with("CONNECT gateway.invalid:")));
    assert_eq!(simulator.requests(), 0);
}

#[test]
fn plain_http_in_absolute_form() {
    let simulator = Simulator::start();
    let (proxy, heads) = forwarding(simulator.address(), Does::Forward);
    let mut till = Driver::new();
    let started = till.init(&through(&proxy, "user:p%40ss@", json!({}))).succeeded();
    assert!(started.warns("ZV-W-PROXY-ABSOLUTE"), "{}", started.text);
    for biz_id in ["T1", "T2"] {
        till.consume(&sale(biz_id)).succeeded();
    }
    till.reverse(&json!({"bizId": "T2"}));
    until("the second is given back", || simulator.net("T2") == 0);
    assert_eq!(simulator.net("T1"), 1);
    let heads = heads.lock().unwrap();
    assert_eq!((heads.len(), proxy.connections()), (3, 1), "one connection for all");
    for head in heads.iter() {
        assert!(head.starts_with("POST http://gateway.invalid/api/v2 HTTP/1.1\r\n"), "{head}");
        // "user:p@ss"
        assert!(head.contains("\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n"), "{head}");
        assert_eq!(head.to_lowercase().matches("host: gateway.invalid").count(), 1, "{head}");
    }
}

/// Counter-example: behind an open connection to a dead proxy a payment is `unknown`, not `not_sent`. Nothing was
/// sent only if the proxy itself cannot be reached.
#[test]
fn payments_when_the_proxy_fails() {
    let simulator = Simulator::start();
    for (does, code, net) in [
        (Does::DieBefore, "ZV-LOST", 0),
        (Does::DieAfter, "ZV-LOST", 1),
        (Does::BadGateway, "ZV-NOT-GATEWAY", 0),
    ] {
        let (proxy, _) = forwarding(simulator.address(), does);
        let mut till = Driver::started(&through(&proxy, "", json!({"on_unknown": "hold"})));
        let biz_id = format!("T-{net}-{code}");
        till.consume(&sale(&biz_id)).expect("unknown", code);
        assert_eq!(simulator.net(&biz_id), net);
    }
    let (proxy, _) = forwarding(simulator.address(), Does::ForwardTwice);
    let mut till = Driver::started(&through(&proxy, "", json!({})));
    till.consume(&sale("T9")).succeeded();
    assert_eq!(simulator.net("T9"), 1, "the gateway's G3, not the library's");
    let nobody = json!({"proxy": {"url": "http://127.0.0.1:1", "mode": "absolute"}});
    let mut till = Driver::started(&config(ENDPOINT, nobody));
    till.consume(&sale("T8")).expect("not_sent", "ZV-CONNECT");
}

/// The proxy reads everything: no payment password is sent, whatever `password_over_http` is.
#[test]
fn no_password_in_absolute_form() {
    let simulator = Simulator::start();
    let (proxy, heads) = forwarding(simulator.address(), Does::Forward);
    let both = Driver::new().init(&through(&proxy, "", json!({"password_over_http": true})));
    assert_eq!(both.expect("invalid", "ZV-CONFIG").errors(), ["proxy.mode"]);
    let mut till = Driver::started(&through(&proxy, "", json!({})));
    let mut sale = sale("T1");
    sale["payPassword"] = json!("246813579");
    assert_eq!(till.consume(&sale).expect("invalid", "ZV-REQUEST").errors(), ["payPassword"]);
    assert!(heads.lock().unwrap().is_empty());
}

/// A `Date` may be the proxy's, or an old one: it neither corrects the clock nor makes a refused request be signed
/// again.
#[test]
fn no_date_is_learnt_through_it() {
    let sent = Arc::new(Mutex::new(0));
    let count = Arc::clone(&sent);
    let proxy = Scripted::answering(move |_| {
        *count.lock().unwrap() += 1;
        let answer = gateway_answer(r#"{"status":false,"code":"110004","message":"sign"}"#);
        let text = String::from_utf8(answer).unwrap();
        text.replace("Content-Type", "Date: Thu, 01 Jan 2037 00:00:00 GMT\r\nContent-Type").into_bytes()
    });
    let mut till = Driver::started(&through(&proxy, "", json!({})));
    let answer = till.consume(&sale("T1")).expect("declined", "110004");
    assert!(!answer.warns("ZV-W-CLOCK"), "{}", answer.text);
    let answer =
        till.call("member_lookup", &json!({"identifierNumber": "1", "type": 1})).expect("declined", "110004");
    assert!(!answer.warns("ZV-W-CLOCK"), "{}", answer.text);
    assert_eq!(*sent.lock().unwrap(), 2);
    // Without the proxy it does.
    let endpoint = proxy.url();
    let mut till = Driver::started(&config(&endpoint, json!({})));
    assert!(till.consume(&sale("T1")).expect("declined", "110004").warns("ZV-W-CLOCK"));
}

/// https never uses the absolute form: it goes by CONNECT in this mode, too.
#[test]
fn https_always_uses_connect() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let proxy = Scripted::start(move |mut stream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
            head.push(byte[0]);
        }
        seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        let _ = copy(&mut stream, &mut std::io::sink());
    });
    let more = json!({"endpoint": "https://gateway.invalid/api/v2"});
    let mut till = Driver::new();
    let started = till.init(&through(&proxy, "", more)).succeeded();
    assert!(!started.warns("ZV-W-PROXY-ABSOLUTE"), "{}", started.text);
    till.consume(&sale("T1")).expect("not_sent", "ZV-PROXY");
    let heads = heads.lock().unwrap();
    assert!(
        !heads.is_empty() && heads.iter().all(|head| head.starts_with("CONNECT gateway.invalid:443")),
        "{heads:?}"
    );
}
