//! Records are durable before requests are sent, as seen on the shipped library by strace: the system calls in order.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, Simulator, own_folder, reversing};

/// The relevant kinds of system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    /// Wrote to the journal's WAL.
    Wrote,
    /// Flushed the WAL.
    Flushed,
    /// Wrote to the gateway.
    Sent,
    /// Read from the gateway.
    Received,
    /// Wrote the answer to its standard output.
    Told,
}

/// The calls in the output of `strace -f -yy`, in order. A call that another thread interrupted counts where it
/// ended, and a write where it began, so that any wrong order shows.
fn read_trace(text: &str) -> Vec<Did> {
    let mut all = Vec::new();
    for line in text.lines() {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        let resumed = line.strip_prefix("<... ");
        let name = resumed.unwrap_or(line).split(['(', ' ']).next().unwrap();
        let begins = resumed.is_none();
        let ends = !line.ends_with("<unfinished ...>");
        let failed = line.contains(") = -1 ");
        let wal = line.contains("-wal>");
        let wire = line.contains("<TCP:") || line.contains("<TCPv6:");
        let did = match name {
            "write" | "pwrite64" | "writev" | "sendto" if begins && wal => Did::Wrote,
            "write" | "writev" | "sendto" if begins && wire => Did::Sent,
            "write" if begins && line.starts_with("write(1<") => Did::Told,
            "recvfrom" | "read" if ends && !failed && wire => Did::Received,
            // A resumed call does not name its file; only the journal is ever flushed.
            "fdatasync" | "fsync" if ends && !failed => Did::Flushed,
            _ => continue,
        };
        // Two flushes in a row count as two.
        if did == Did::Flushed || all.last() != Some(&did) {
            all.push(did);
        }
    }
    all
}

/// A till under strace whose journal has been used before; returns the calls made during `ask`.
fn traced(config: &Value, warm: impl Fn(&mut Driver), ask: impl Fn(&mut Driver)) -> Vec<Did> {
    let found = Command::new("strace").arg("-V").stdout(Stdio::null()).status();
    assert!(found.is_ok(), "strace is missing: apt-get install strace");
    let trace = own_folder().join("trace");
    let calls = "trace=pwrite64,write,writev,sendto,fdatasync,fsync,recvfrom,read";
    let wrapper = ["strace", "-f", "-yy", "-s", "16", "-o", trace.to_str().unwrap(), "-e", calls];
    let mut till = Driver::wrapped(&wrapper, &[]);
    till.init(config).succeeded();
    warm(&mut till);
    // A marker in the trace: the calls after it belong to the request.
    assert!(till.field("outcome").is_some());
    ask(&mut till);
    drop(till);
    let text = fs::read_to_string(&trace).unwrap();
    let (_, behind) = text.split_once("\"9\\nsucceeded\\n\"").unwrap();
    let mut of_call = read_trace(behind);
    // The library's shutdown is not part of the call.
    let end = of_call.iter().rposition(|did| *did == Did::Told).unwrap();
    of_call.truncate(end + 1);
    of_call
}

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

#[test]
fn a_consume_is_on_disk_before_it_is_sent_and_again_before_the_till_is_told() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({}));
    let seen = traced(
        &config,
        |till| drop(till.consume(&sale("T1")).succeeded()),
        |till| drop(till.consume(&sale("T2")).succeeded()),
    );
    println!("consume: {seen:?}");
    assert_eq!(
        seen,
        [Did::Wrote, Did::Flushed, Did::Sent, Did::Received, Did::Wrote, Did::Flushed, Did::Told]
    );
    assert_eq!(simulator.net("T2"), 1);
}

#[test]
fn a_lost_answer_is_on_disk_before_the_till_is_told() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let seen = traced(
        &config,
        |till| drop(till.consume(&sale("T1")).succeeded()),
        |till| drop(till.consume(&sale("T2~hang_after")).expect("unknown", "ZV-TIMEOUT")),
    );
    println!("lost: {seen:?}");
    // Reads that time out end with an error and are not reads.
    let seen: Vec<Did> = seen.into_iter().filter(|did| *did != Did::Received).collect();
    assert_eq!(seen, [Did::Wrote, Did::Flushed, Did::Sent, Did::Wrote, Did::Flushed, Did::Told]);
}

#[test]
fn a_reversal_is_on_disk_before_it_is_sent_and_again_before_the_till_is_told() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let seen = traced(
        &config,
        |till| drop(till.consume(&sale("T1")).succeeded()),
        |till| drop(till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-REVERSED")),
    );
    println!("reverse: {seen:?}");
    let first_sent = seen.iter().position(|did| *did == Did::Sent).unwrap();
    assert!(seen[..first_sent].ends_with(&[Did::Wrote, Did::Flushed]), "{seen:?}");
    let answered = seen.iter().position(|did| *did == Did::Received).unwrap();
    assert_eq!(&seen[answered + 1..], [Did::Wrote, Did::Flushed, Did::Told]);
    assert_eq!(simulator.net("T1"), 0);
}

#[test]
fn a_quote_waits_for_no_disk() {
    let simulator = Simulator::start();
    let config = reversing(&simulator.v2(), json!({"background": false}));
    let quote = json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER,
        "items": [{"num": 1, "trade_mark": "1", "price": "9.00"}]});
    let seen = traced(
        &config,
        |till| drop(till.quote(&quote).succeeded()),
        |till| drop(till.quote(&quote).succeeded()),
    );
    println!("quote: {seen:?}");
    assert_eq!(seen, [Did::Sent, Did::Received, Did::Told]);
}

/// A trace in another order than the library's is recognised.
#[test]
fn the_reading_of_a_trace_can_fail() {
    let lines = "7 sendto(5<TCP:[1->2]>, \"\"..., 9, 0, NULL, 0) = 9\n\
                 7 pwrite64(4</j.db-wal>, \"\"..., 24, 0 <unfinished ...>\n8 fdatasync(9</x>) = -1 EIO\n\
                 7 <... pwrite64 resumed>) = 24\n7 write(1</pipe>, \"\"..., 4) = 4\n";
    assert_eq!(read_trace(lines), [Did::Sent, Did::Wrote, Did::Told]);
}
