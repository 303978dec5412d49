//! Who is let in and what is taken: tokens, limits, and connections that say nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::chain::{enrolled, shipper};
use support::tills::Till;
use support::{Folder, NOON, collector, now_ms, store};
use zvpos_collect::serve::Server;
use zvpos_collect::ship::{NotShipped, NotTaken, Settings};
use zvpos_core::payment::Stage;

#[test]
fn a_wrong_token_ships_nothing_and_an_old_one_is_worth_nothing() {
    let folder = Folder::new("token");
    let server = collector(&folder);
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    let settings = enrolled(&folder, &server, "T1");
    let (number, secret) = settings.token.split_once('.').unwrap();
    let mut other: Vec<u8> = secret.bytes().collect();
    other[63] ^= 1;
    let other = String::from_utf8(other).unwrap();
    for token in [
        format!("{number}.{other}"),
        format!("99.{secret}"),
        format!("{number}."),
        "x.y".to_owned(),
        ".".to_owned(),
    ] {
        let wrong = Settings { token: token.clone(), ..settings.clone() };
        let refused = shipper(&till, &wrong).round().unwrap_err();
        assert!(
            matches!(&refused, NotShipped::Collector(NotTaken::Refused { status: 401, .. })),
            "{token}: {refused}"
        );
    }
    assert_eq!(store(&folder).tally("chain").unwrap().0, 0);
    let new = enrolled(&folder, &server, "T1");
    assert!(shipper(&till, &settings).round().is_err(), "the old token");
    assert_eq!(shipper(&till, &new).round().unwrap().records, 1);
}

/// One request over plain TCP on a loopback address, as behind a reverse proxy.
fn asked(server: &Server, head: &str, body: &[u8]) -> String {
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    // The collector may refuse before everything was sent.
    let _ = socket.write_all(body);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_is_too_long_or_no_batch_is_refused() {
    let folder = Folder::new("refused");
    let token = store(&folder).enroll("chain", "T1", "S01", now_ms()).unwrap();
    let options = zvpos_collect::serve::Options { tls: None, ..support::options(folder.store()) };
    let server = Server::start(&options).unwrap();
    let ship = |token: &str, length: usize, body: &[u8]| {
        let head = format!(
            "POST /v1/ship HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        asked(&server, &head, body)
    };
    let too_long = ship(&token, 3_000_000, &vec![b' '; 100_000]);
    assert!(too_long.starts_with("HTTP/1.1 413"), "{too_long}");
    let unknown = ship("1.secret", 3_000_000, &vec![b' '; 100_000]);
    assert!(unknown.starts_with("HTTP/1.1 401"), "{unknown}");
    assert!(ship(&token, 2, b"{}").starts_with("HTTP/1.1 400"));
    let not_utf8 = ship(&token, 4, &[0xff, 0xfe, 0, 0]);
    assert!(not_utf8.starts_with("HTTP/1.1 400") && not_utf8.contains("error_zh"), "{not_utf8}");
    assert!(
        asked(&server, "GET /v1/ship HTTP/1.1\r\nConnection: close\r\n\r\n", b"").starts_with("HTTP/1.1 405")
    );
    assert!(
        asked(&server, "GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n", b"").starts_with("HTTP/1.1 404")
    );
    assert!(asked(&server, "\u{16}\u{3}\u{1}\r\n\r\n", b"").starts_with("HTTP/1.1 400"));
    assert_eq!(store(&folder).tally("chain").unwrap().0, 0);
    let public = zvpos_collect::serve::Options { listen: "0.0.0.0:0".parse().unwrap(), ..options };
    assert!(Server::start(&public).err().unwrap().contains("--cert"), "plain HTTP to the world");
}

/// So many connections that say nothing keep no till away: for a newer one the oldest of them is ended.
#[test]
fn connections_that_say_nothing_keep_no_till_away() {
    let folder = Folder::new("idle");
    store(&folder);
    let options = zvpos_collect::serve::Options { connections: 256, ..support::options(folder.store()) };
    let server = Server::start(&options).unwrap();
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    let mut idle: Vec<_> = (0..300).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let started = Instant::now();
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 1);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    // What is left of them is ended once a head should have come.
    for socket in &mut idle {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert!(!matches!(socket.read(&mut [0]), Ok(1..)), "it said nothing, and was answered");
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}
