//! https and proxies: which servers are trusted, which are not, and that nothing is sent before the handshake is
//! done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, reason = "shared between the files of one test")]

mod support;
#[path = "support/tls.rs"]
mod tls;

use std::io::{Read, Write, copy};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Driver, MEMBER, Scripted, Simulator, config, own_folder, root};
use tls::Tls;

fn certificate(alternative_name: &str) -> PathBuf {
    tls::certificate(own_folder(), "test-ca", alternative_name, 2)
}

/// A TLS server in front of the simulator.
fn in_front_of(simulator: &Simulator, certificate: &Path) -> Tls {
    Tls::start(&root().join("tests/tls_proxy.py"), certificate, &simulator.address().to_string())
}

fn url(tls: &Tls, host: &str) -> String {
    format!("https://{host}:{}/api/v2", tls.port)
}

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

#[test]
fn a_certificate_of_the_configured_ca_is_trusted() {
    let simulator = Simulator::start();
    let certificate = certificate("IP:127.0.0.1,DNS:localhost");
    let tls = in_front_of(&simulator, &certificate);
    let pem = json!({"tls": {"pem": certificate.join("ca.pem").to_str().unwrap()}});
    for (round, host) in ["127.0.0.1", "localhost"].into_iter().enumerate() {
        let mut till = Driver::new();
        let init = till.init(&config(&url(&tls, host), pem.clone())).succeeded();
        assert!(!init.warns("ZV-W-PLAIN-HTTP"), "{}", init.text);
        let biz_id = format!("T{round}");
        till.consume(&sale(&biz_id)).succeeded();
        assert_eq!(simulator.net(&biz_id), 1);
        // The one case in which a payment password may be sent without a setting.
        let biz_id = format!("P{round}");
        let sale = json!({"bizId": biz_id, "customerId": "383933091455959043", "amount": "1.00", "payPassword": "246810"});
        till.consume(&sale).succeeded();
        // Connections are reused over TLS, too, and faults behind it mean the same.
        assert_eq!(simulator.connections(), 1 + round as u64);
        till.consume(&self::sale(&format!("R{round}~reset_after"))).expect("unknown", "ZV-LOST");
        assert_eq!(simulator.net(&format!("R{round}~reset_after")), 1);
    }
}

#[test]
fn no_other_certificate_is_trusted() {
    let simulator = Simulator::start();
    let right = certificate("IP:127.0.0.1");
    let wrong_name = certificate("DNS:gateway.example");
    let other_ca = certificate("IP:127.0.0.1");
    let ca = |directory: &Path| json!({"tls": {"pem": directory.join("ca.pem").to_str().unwrap()}});
    for (why, certificate, trust) in [
        ("the bundled roots do not know it", &right, json!({})),
        ("the system's roots do not know it", &right, json!({"tls": {"roots": "system"}})),
        ("it is for another name", &wrong_name, ca(&wrong_name)),
        ("another CA is trusted", &right, ca(&other_ca)),
    ] {
        let tls = in_front_of(&simulator, certificate);
        // A machine without any certificates starts, too.
        let mut till = Driver::started(&config(&url(&tls, "127.0.0.1"), trust));
        let answer = till.consume(&sale("T1"));
        assert_eq!((answer.outcome(), answer.code()), ("not_sent", "ZV-TLS"), "{why}: {}", answer.text);
        assert_eq!(answer.json["next"], "retry");
    }
    assert_eq!(simulator.requests(), 0);
}

/// A till whose machine has lost its certificates must still be able to query and settle its journal.
#[test]
fn without_the_systems_certificates_only_the_handshake_fails() {
    let simulator = Simulator::start();
    let right = certificate("IP:127.0.0.1");
    let tls = in_front_of(&simulator, &right);
    let hide = "for f in /etc/ssl /etc/pki; do [ ! -d $f ] || mount -t tmpfs none $f; done; exec \"$@\"";
    let mut till = Driver::wrapped(&["unshare", "-rm", "sh", "-c", hide, "sh"], &[]);
    let trust = json!({"lang": "en", "tls": {"roots": "system"}});
    till.init(&config(&url(&tls, "127.0.0.1"), trust)).succeeded();
    let answer = till.consume(&sale("T1")).expect("not_sent", "ZV-TLS");
    assert!(answer.text.contains("tls.roots: the system has no certificates"), "{}", answer.text);
    assert_eq!(till.look_up("T1").outcome(), "not_sent");
    assert_eq!(simulator.requests(), 0);
}

#[test]
fn https_to_a_server_that_speaks_plain_http_is_not_sent() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&format!("https://{}/api/v2", simulator.address()), json!({})));
    till.consume(&sale("T1")).expect("not_sent", "ZV-TLS");
    assert_eq!(simulator.net("T1"), 0);
}

/// As Notepad saves it.
#[test]
fn a_pem_file_with_a_byte_order_mark_is_read() {
    let simulator = Simulator::start();
    let certificate = certificate("IP:127.0.0.1");
    let tls = in_front_of(&simulator, &certificate);
    let (pem, marked) = (certificate.join("ca.pem"), own_folder().join("marked.pem"));
    std::fs::write(&marked, [b"\xef\xbb\xbf", &*std::fs::read(pem).unwrap()].concat()).unwrap();
    let trust = json!({"tls": {"pem": marked}});
    Driver::started(&config(&url(&tls, "127.0.0.1"), trust)).consume(&sale("T1")).succeeded();
}

/// A clock before all dates of certificates: the error names the clock, not the network.
#[test]
fn the_error_names_a_clock_that_was_reset() {
    let simulator = Simulator::start();
    let certificate = certificate("IP:127.0.0.1");
    let tls = in_front_of(&simulator, &certificate);
    let trust = json!({"tls": {"pem": certificate.join("ca.pem")}});
    let mut till = Driver::wrapped(&["faketime", "-f", "@1970-01-01 08:00:05"], &[("TZ", "UTC")]);
    till.init(&config(&url(&tls, "127.0.0.1"), trust)).succeeded();
    let answer = till.consume(&sale("T1")).expect("not_sent", "ZV-TLS-CLOCK");
    assert!(
        answer.json["message"].as_str().unwrap().contains("clock says 1970-01-01T08:00"),
        "{}",
        answer.text
    );
    assert_eq!(simulator.net("T1"), 0);
}

#[test]
fn an_invalid_pem_file_is_a_configuration_error() {
    let mut till = Driver::new();
    let missing = json!({"tls": {"pem": "/nowhere/ca.pem"}});
    assert_eq!(till.init(&config("https://h", missing)).expect("invalid", "ZV-CONFIG").errors(), ["tls.pem"]);
    let source = json!({"tls": {"pem": root().join("Cargo.toml").to_str().unwrap()}});
    assert_eq!(till.init(&config("https://h", source)).expect("invalid", "ZV-CONFIG").errors(), ["tls.pem"]);
}

/// The size of the largest TLS record, and of the buffers.
const RECORD: i32 = 16_384;

/// Bytes behind an answer may be decrypted inside TLS, where no check of the socket finds them.
#[test]
fn a_stray_answer_inside_tls_is_never_read_as_the_next_one() {
    let certificate = certificate("IP:127.0.0.1");
    let pem = json!({"tls": {"pem": certificate.join("ca.pem").to_str().unwrap()}});
    for size in
        [0, RECORD - 300, RECORD - 100, RECORD - 1, RECORD, RECORD + 1, RECORD + 200, 2 * RECORD - 100]
    {
        let tls = Tls::start(&root().join("tests/tls_stray.py"), &certificate, &size.to_string());
        let mut till = Driver::started(&config(&url(&tls, "127.0.0.1"), pem.clone()));
        for biz_id in ["T1", "T2", "T3"] {
            let answer = till.consume(&sale(biz_id)).succeeded();
            assert_eq!(answer.data()["bizId"], biz_id, "{size}: {}", answer.text);
        }
    }
}

/// A proxy that supports only CONNECT and connects every name to `target`, or refuses with this status.
fn proxy(target: Option<SocketAddr>) -> Scripted {
    Scripted::start(move |mut stream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let Some(target) = target.filter(|_| head.starts_with(b"CONNECT ")) else {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            return;
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        splice(stream, target);
    })
}

/// Copies bytes in both directions until both have ended.
fn splice(mut outside: TcpStream, target: SocketAddr) {
    let inside = TcpStream::connect(target).unwrap();
    let (mut from, mut to) = (outside.try_clone().unwrap(), inside.try_clone().unwrap());
    let up = std::thread::spawn(move || {
        let _ = copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let _ = copy(&mut &inside, &mut outside);
    let _ = outside.shutdown(std::net::Shutdown::Both);
    up.join().unwrap();
}

#[test]
fn through_a_proxy() {
    let simulator = Simulator::start();
    let certificate = certificate("DNS:gateway.invalid");
    let tls = in_front_of(&simulator, &certificate);
    let proxy = proxy(Some(SocketAddr::from(([127, 0, 0, 1], tls.port))));
    // The name exists nowhere: the proxy looks it up.
    let endpoint = "https://gateway.invalid/api/v2";
    let more = json!({"proxy": format!("http://{}", proxy.address),
        "tls": {"pem": certificate.join("ca.pem").to_str().unwrap()}});
    let mut till = Driver::started(&config(endpoint, more));
    till.consume(&sale("T1")).succeeded();
    assert_eq!((simulator.net("T1"), proxy.connections()), (1, 1));
    till.consume(&sale("T2~reset_after")).expect("unknown", "ZV-LOST");
}

#[test]
fn plain_http_through_a_proxy() {
    let simulator = Simulator::start();
    let proxy = proxy(Some(simulator.address()));
    let more = json!({"proxy": format!("http://{}", proxy.address)});
    let mut till = Driver::started(&config("http://gateway.invalid/api/v2", more));
    till.consume(&sale("T1")).succeeded();
    assert_eq!((simulator.net("T1"), proxy.connections()), (1, 1));
}

#[test]
fn a_proxy_that_refuses_or_is_not_there() {
    let refusing = proxy(None);
    for (address, code) in
        [(refusing.address.to_string(), "ZV-PROXY"), ("127.0.0.1:1".to_owned(), "ZV-CONNECT")]
    {
        for endpoint in ["https://gateway.invalid/api/v2", "http://gateway.invalid/api/v2"] {
            let more = json!({"proxy": format!("http://{address}")});
            let mut till = Driver::started(&config(endpoint, more));
            let answer = till.consume(&sale("T1"));
            assert_eq!((answer.outcome(), answer.code()), ("not_sent", code), "{endpoint}: {}", answer.text);
        }
    }
}

#[test]
fn a_name_that_does_not_exist_is_not_sent() {
    let mut till = Driver::started(&config("https://gateway.invalid/api/v2", json!({})));
    let answer = till.consume(&sale("T1"));
    assert_eq!(answer.outcome(), "not_sent", "{}", answer.text);
    assert!(matches!(answer.code(), "ZV-DNS" | "ZV-CONNECT"), "{}", answer.text);
}

/// The time of the handshake is `connect`, not `wait`, where support staff look for the gateway's latency.
#[test]
fn the_time_of_a_handshake_is_time_to_connect() {
    let simulator = Simulator::start();
    let certificate = certificate("IP:127.0.0.1");
    let tls = in_front_of(&simulator, &certificate);
    let port = tls.port;
    let slow = Scripted::start(move |stream| {
        std::thread::sleep(Duration::from_millis(300));
        splice(stream, SocketAddr::from(([127, 0, 0, 1], port)));
    });
    let pem = json!({"tls": {"pem": certificate.join("ca.pem").to_str().unwrap()}});
    let mut till = Driver::started(&config(&format!("https://{}/api/v2", slow.address), pem));
    let answer = till.consume(&sale("T1")).succeeded();
    assert!(answer.json["timing_ms"]["connect"].as_f64().unwrap() >= 295.0, "{}", answer.text);
    assert_eq!(till.consume(&sale("T2")).succeeded().json["timing_ms"]["connect"], 0.0);
}

/// No environment variable is read (docs/configuration.md). A till must not talk through a proxy, or trust a
/// certificate, because of where it was started.
#[test]
fn the_environment_changes_nothing() {
    let simulator = Simulator::start();
    let certificate = certificate("IP:127.0.0.1");
    let tls = in_front_of(&simulator, &certificate);
    let pem = certificate.join("ca.pem");
    let proxy = "http://127.0.0.1:1";
    let variables = [
        ("http_proxy", proxy),
        ("HTTP_PROXY", proxy),
        ("https_proxy", proxy),
        ("HTTPS_PROXY", proxy),
        ("ALL_PROXY", proxy),
        ("SSL_CERT_FILE", pem.to_str().unwrap()),
    ];
    let mut till = Driver::in_environment(&variables);
    till.init(&config(&simulator.v2(), json!({}))).succeeded();
    till.consume(&sale("T1")).succeeded();
    till.shutdown();
    for roots in ["bundled", "system"] {
        let init = till.init(&config(&url(&tls, "127.0.0.1"), json!({"tls": {"roots": roots}})));
        if init.outcome() == "invalid" && init.errors() == ["tls.roots"] {
            continue;
        }
        till.consume(&sale("T2")).expect("not_sent", "ZV-TLS");
        till.shutdown();
    }
    assert_eq!(simulator.net("T2"), 0);
}
