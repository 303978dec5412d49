use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;

const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/// A gateway that answers each request on a connection with the next of these texts, and then closes it.
struct Gateway {
    url: Uri,
    connections: Arc<AtomicU64>,
}

impl Gateway {
    fn start(answers: &'static [&'static str]) -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api/v2", listener.local_addr().unwrap()).parse().unwrap();
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || answer(stream.unwrap(), answers));
            }
        });
        Gateway { url, connections }
    }

    fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

fn answer(mut stream: TcpStream, answers: &[&str]) {
    for answer in answers {
        let (mut seen, mut piece) = (Vec::new(), [0; 1024]);
        while !seen.ends_with(b"\r\n\r\nbody") {
            match stream.read(&mut piece) {
                Ok(count) if count > 0 => seen.extend_from_slice(&piece[..count]),
                _ => return,
            }
        }
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

fn http(idle: Duration) -> Http {
    let connect = Duration::from_secs(5);
    let settings = TransportSettings { connect, idle, roots: Roots::Bundled, proxy: None, absolute: false };
    Http::new(&settings).unwrap()
}

const LONG: Duration = Duration::from_mins(10);

fn post(http: &Http, gateway: &Gateway) -> Exchanged {
    http.post(&gateway.url, "body", Instant::now() + Duration::from_secs(30), None, &|| Ok(()))
}

#[test]
fn a_kept_connection_is_used_again_and_its_time_is_no_time_to_connect() {
    let gateway = Gateway::start(&[WHOLE; 3]);
    let http = http(LONG);
    assert!(!http.is_connected(&gateway.url));
    let first = post(&http, &gateway);
    assert!(first.result.is_ok() && first.connect > Duration::ZERO);
    assert!(http.is_connected(&gateway.url));
    let other: Uri = "http://127.0.0.1:1/".parse().unwrap();
    assert!(!http.is_connected(&other));
    for _ in 0..2 {
        let next = post(&http, &gateway);
        assert_eq!((next.result.unwrap().body, next.connect), (b"{}".into(), Duration::ZERO));
    }
    assert_eq!(gateway.connections(), 1);
}

/// A gateway that closes behind each answer, or whose answer ends only there, is not connected afterwards: the next payment
/// opens its connection while its intent is being flushed.
#[test]
fn a_connection_that_carries_no_other_request_does_not_count_as_open() {
    for answer in [
        &["HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"],
        &["HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"],
        &["HTTP/1.1 200 OK\r\n\r\n{}"],
        &["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}more"],
        &["HTTP/1.1 101 Switching\r\n\r\n"],
    ] {
        let gateway = Gateway::start(answer);
        let http = http(LONG);
        let exchanged = post(&http, &gateway);
        assert!(exchanged.result.is_ok(), "{answer:?}: {exchanged:?}");
        assert!(!http.is_connected(&gateway.url), "{answer:?}");
    }
}

#[test]
fn a_connection_that_was_idle_for_too_long_does_not_count_as_open() {
    let gateway = Gateway::start(&[WHOLE; 3]);
    for (idle, wait) in
        [(Duration::ZERO, Duration::ZERO), (Duration::from_millis(50), Duration::from_millis(60))]
    {
        let (http, before) = (http(idle), gateway.connections());
        for round in 1..=3 {
            assert!(post(&http, &gateway).result.is_ok());
            thread::sleep(wait);
            assert!(!http.is_connected(&gateway.url));
            assert_eq!(gateway.connections(), before + round);
        }
    }
}

#[test]
fn a_connection_after_an_error_is_not_kept() {
    for answer in [
        &["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"],
        &["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"],
    ] {
        let gateway = Gateway::start(answer);
        let http = http(LONG);
        assert!(matches!(post(&http, &gateway).result, Err(TransportError::Lost(_))), "{answer:?}");
        assert!(!http.is_connected(&gateway.url), "{answer:?}");
    }
}

/// The request is larger than any buffer on its way.
#[test]
fn a_large_request_arrives_as_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let body: String = (0..300_000).map(|number: u32| char::from(b'a' + (number % 23) as u8)).collect();
    let wanted = body.clone();
    let gateway = thread::spawn(move || {
        let (mut stream, mut seen, mut piece) = (listener.accept().unwrap().0, Vec::new(), [0; 10_000]);
        while !seen.ends_with(wanted.as_bytes()) {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "it ends early");
            seen.extend_from_slice(&piece[..count]);
        }
        stream.write_all(WHOLE.as_bytes()).unwrap();
        seen.len() - wanted.len()
    });
    let http = http(LONG);
    let answer =
        http.post(&url, &body, Instant::now() + Duration::from_secs(30), None, &|| Ok(())).result.unwrap();
    assert_eq!((answer.status, answer.body), (200, b"{}".into()));
    assert_eq!(gateway.join().unwrap(), request::head(&url, body.len(), None).len());
}

#[test]
fn a_warm_connection_carries_the_first_request_and_is_renewed_before_it_is_too_old() {
    let gateway = Gateway::start(&[WHOLE; 3]);
    let http = http(LONG);
    let renewed = http.keep_warm(&gateway.url);
    assert_eq!(renewed, LONG * 3 / 4);
    assert!(http.is_connected(&gateway.url));
    assert!(http.keep_warm(&gateway.url) <= renewed);
    let exchanged = post(&http, &gateway);
    assert!(exchanged.result.is_ok() && exchanged.connect == Duration::ZERO, "{exchanged:?}");
    assert_eq!(gateway.connections(), 1);
    let http = self::http(Duration::from_millis(200));
    http.keep_warm(&gateway.url);
    thread::sleep(Duration::from_millis(160));
    assert_eq!(http.keep_warm(&gateway.url), Duration::from_millis(150), "it was renewed");
    let begun = Instant::now();
    while gateway.connections() != 3 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} connections", gateway.connections());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_gateway_whose_connection_is_in_use_needs_no_other() {
    let gateway = Gateway::start(&[WHOLE; 2]);
    let http = http(LONG);
    assert!(post(&http, &gateway).result.is_ok());
    let under_way = http.pool.begin(&gateway.url);
    let taken = http.pool.take(&gateway.url).unwrap();
    assert_eq!(http.keep_warm(&gateway.url), SOON);
    let elsewhere: Uri = "http://127.0.0.1:1/".parse().unwrap();
    assert_eq!(http.pool.ready(&elsewhere), Ready::None);
    http.pool.keep(&gateway.url, taken);
    drop(under_way);
    assert!(http.keep_warm(&gateway.url) > LONG / 2);
    assert_eq!(gateway.connections(), 1);
}

/// A gateway that cannot be reached is tried again later, and one that speaks first has no use for a connection.
#[test]
fn what_cannot_be_kept_warm_is_no_connection() {
    let refused: Uri = "http://127.0.0.1:1/".parse().unwrap();
    let http = http(LONG);
    assert_eq!(http.keep_warm(&refused), LONG * 3 / 4);
    assert!(!http.is_connected(&refused));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let gateway = thread::spawn(move || {
        let mut early = listener.accept().unwrap().0;
        early.write_all(WHOLE.as_bytes()).unwrap();
        answer(listener.accept().unwrap().0, &[WHOLE]);
    });
    http.keep_warm(&url);
    thread::sleep(Duration::from_millis(100));
    let exchanged = http.post(&url, "body", Instant::now() + Duration::from_secs(30), None, &|| Ok(()));
    assert!(exchanged.result.is_ok() && exchanged.connect > Duration::ZERO, "{exchanged:?}");
    gateway.join().unwrap();
}

#[test]
fn a_pool_has_a_limit_for_each_gateway() {
    let gateway = Gateway::start(&[WHOLE; 3]);
    let http = http(LONG);
    let opened: Vec<_> = (0..70)
        .map(|_| http.opener.open(&gateway.url, Instant::now() + Duration::from_secs(30), None).unwrap())
        .collect();
    for connection in opened {
        http.pool.keep(&gateway.url, connection);
    }
    let mut kept = 0;
    while http.pool.take(&gateway.url).is_some() {
        kept += 1;
    }
    assert_eq!(kept, 64);
}

#[test]
fn a_request_that_may_not_leave_any_more_does_not() {
    let gateway = Gateway::start(&[WHOLE; 1]);
    let http = http(LONG);
    let until = Instant::now() + Duration::from_secs(30);
    let late = NotSent { code: &codes::JOURNAL_AWAY, message: "too late".to_owned() };
    let exchanged = http.post(&gateway.url, "body", until, None, &|| Err(late.clone()));
    match exchanged.result {
        Err(TransportError::NotSent(why)) => assert_eq!(why.message, "too late"),
        other => panic!("{other:?}"),
    }
    // Nothing of it is on the next connection, either.
    assert_eq!(post(&http, &gateway).result.unwrap().body, b"{}");
}
