//! The simulator under load, so that a till's test never waits for the simulator: signed quotes and consumes on kept
//! connections, at a rate that does not wait for the answers. `make load` requires 2,000 a second for a minute; the
//! ordinary run takes a sample of three seconds and fails only on errors.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use common::{RICH, Sandbox};
use serde_json::{Value, json};

/// Tills that share the rate, each with its own connection.
const TILLS: u64 = 16;
/// The capacity of the simulator's request log.
const LOG_MAX: usize = 1000;

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Three of every four requests are quotes, as in a shop.
fn request(sandbox: &Sandbox, number: u64) -> String {
    if number % 4 == 3 {
        let params = json!({"bizId": format!("L{number}"), "customerId": RICH, "amount": "0.01"});
        return sandbox.body("communal.user.consume", params);
    }
    let items = json!([{"num": "2", "trade_mark": "1", "price": "9.00"}]);
    let params = json!({"user_coupon_id": "390962138708451328", "user_id": RICH, "items": items});
    sandbox.body("user.user-by-coupon", params)
}

/// One till: sends its share of the requests, each at its scheduled time. Latencies count from that time, so that they
/// show a simulator that falls behind.
fn till(
    sandbox: &Sandbox,
    first: u64,
    count: u64,
    rate: u64,
    begin: Instant,
    errors: &AtomicU64,
) -> Vec<Duration> {
    let mut client = sandbox.client();
    let mut took = Vec::new();
    for number in (first..count).step_by(usize::try_from(TILLS).unwrap()) {
        let body = request(sandbox, number);
        let due = begin + Duration::from_nanos(number * 1_000_000_000 / rate);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        client.send("POST", "/api/v2", &body);
        let answered =
            client.answer(10_000).is_ok_and(|heard| heard.status == 200 && heard.json()["code"] == "0");
        took.push(due.elapsed());
        if !answered {
            errors.fetch_add(1, Ordering::Relaxed);
            client = sandbox.client();
        }
    }
    took
}

/// The memory of this process, in MiB; 0 if the system does not report it.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
fn it_holds_the_rate_without_an_error() {
    let (seconds, rate) = (setting("ZVPOS_LOAD_S", 3), setting("ZVPOS_LOAD_RATE", 500));
    let on_demand = env::var_os("ZVPOS_LOAD_S").is_some();
    let (sandbox, errors) = (Sandbox::start(), AtomicU64::new(0));
    let (count, memory) = (seconds * rate, resident_mib());
    // All tills are connected before the first request is due.
    let begin = Instant::now() + Duration::from_millis(200);
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let (sandbox, errors) = (&sandbox, &errors);
        let tills: Vec<_> = (0..TILLS)
            .map(|first| scope.spawn(move || till(sandbox, first, count, rate, begin, errors)))
            .collect();
        tills.into_iter().flat_map(|till| till.join().unwrap()).collect()
    });
    let elapsed = begin.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 1000).min(took.len() - 1)].as_secs_f64() * 1000.0;
    let errors = errors.into_inner();
    #[allow(clippy::cast_precision_loss, reason = "a figure to read")]
    let reached = took.len() as f64 / elapsed;
    println!(
        "{} requests in {elapsed:.1} s: {reached:.0} a second, p50 {:.2} ms, p99 {:.2} ms, {errors} errors, {memory} to {} MiB",
        took.len(),
        at(500),
        at(990),
        resident_mib(),
    );
    assert_eq!(errors, 0);
    let counters = sandbox.admin("GET", "/counters", &Value::Null);
    assert_eq!(counters, json!({"requests": count, "connections": TILLS, "faults": 0}));
    let log = sandbox.admin("GET", "/requests?last=1000000", &Value::Null);
    assert_eq!(log.as_array().unwrap().len(), LOG_MAX.min(took.len()));
    let spent = count / 4;
    let total = format!("{}.{:02}", 1_000_000 - spent.div_ceil(100), (100 - spent % 100) % 100);
    assert_eq!(sandbox.admin("GET", &format!("/members/{RICH}"), &Value::Null)["total"], total.as_str());
    if on_demand {
        // The full run checks the rate; the sample of an ordinary run does not.
        #[allow(clippy::cast_precision_loss, reason = "a figure to compare")]
        let wanted = rate as f64;
        assert!(reached > wanted * 0.98, "{reached:.0} a second instead of {wanted}");
    }
}
