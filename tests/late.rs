//! Requests that arrive late: after the gateway has already answered about them, or after their till was presumed
//! dead. The final answer matches the gateway's ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    Driver, MEMBER, Request, Scripted, Simulator, config, lose_owner_files, reversing, system, until,
};
use zvpos_sandbox::rules::{Policy, UnknownReversal};

/// Longer than a test needs between two of its steps, so that they fall within the window.
const WINDOW_MS: u64 = 3000;

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "3.00"})
}

/// The network in front of a simulator: it holds each consume until it is told to release it, and returns no answer
/// to one.
struct Network {
    server: Scripted,
    keeps_one: Arc<AtomicBool>,
    lets_through: Arc<AtomicBool>,
}

impl Network {
    fn before(simulator: &Simulator) -> Network {
        let (keeps_one, lets_through) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (keeps, lets, gateway) = (Arc::clone(&keeps_one), Arc::clone(&lets_through), simulator.address());
        let server = Scripted::start(move |mut stream| {
            while let Some(request) = Request::read(&mut stream) {
                let is_consume = request.body.contains("communal.user.consume");
                if is_consume {
                    keeps.store(true, Ordering::SeqCst);
                    until("it is let through", || lets.load(Ordering::SeqCst));
                }
                let answer = carried(gateway, &request);
                if is_consume || stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Network { server, keeps_one, lets_through }
    }

    fn let_through(&self) {
        self.lets_through.store(true, Ordering::SeqCst);
    }
}

/// The gateway's answer.
fn carried(gateway: SocketAddr, request: &Request) -> String {
    let mut stream = TcpStream::connect(gateway).unwrap();
    write!(stream, "{}\r\n\r\n{}", request.head, request.body).unwrap();
    let answer = Request::read(&mut stream).unwrap();
    format!("{}\r\n\r\n{}", answer.head, answer.body)
}

/// A till that is stopped while its consume of T1 is on its way, and whose liveness file is deleted.
fn standing_still(network: &Network, config: &Value) -> Driver {
    let mut till = Driver::started(config);
    till.begin(&format!("consume {}", sale("T1")));
    until("the consume is on its way", || network.keeps_one.load(Ordering::SeqCst));
    signal(&till, "STOP");
    let status = format!("/proc/{}/status", till.pid());
    until("it stands still", || fs::read_to_string(&status).unwrap().contains("State:\tT"));
    lose_owner_files(&config["journal"], till.pid());
    till
}

fn signal(till: &Driver, name: &str) {
    system("sh", &["-c", &format!("kill -{name} {}", till.pid())]);
}

/// The till continues, and its call ends without proof.
fn goes_on(till: &mut Driver, next: &str) {
    signal(till, "CONT");
    let answer = till.finish().expect("unknown", "ZV-TIMEOUT");
    assert_eq!(answer.json["next"], next, "{}", answer.text);
}

/// Nothing settles in the background: each step is the test's own.
fn by_hand(endpoint: &str, more: Value) -> Value {
    let mut config = config(
        endpoint,
        json!({"background": false, "late_arrival_ms": WINDOW_MS, "timeouts_ms": {"connect": 300, "total": 800}}),
    );
    let Value::Object(more) = more else { panic!("an object") };
    config.as_object_mut().unwrap().extend(more);
    config
}

fn stage(till: &mut Driver) -> String {
    till.look_up("T1").json["recorded"]["stage"].as_str().unwrap().to_owned()
}

/// It was not found twice, the second time when it apparently could no longer arrive.
#[test]
fn a_sale_that_arrives_after_its_reversal_is_reversed_again() {
    let simulator = Simulator::start();
    let network = Network::before(&simulator);
    let config = reversing(&network.server.url(), json!({"late_arrival_ms": WINDOW_MS}));
    let mut other = Driver::started(&config);
    let mut till = standing_still(&network, &config);
    until("it is taken for dead and reversed", || other.look_up("T1").outcome() == "reversed");
    assert_eq!(simulator.net("T1"), 0);
    network.let_through();
    until("it arrives", || simulator.net("T1") == 1);

    let went_on = Instant::now();
    goes_on(&mut till, "other_tender");
    let seen = other.look_up("T1");
    assert_eq!(
        (seen.outcome(), &seen.json["recorded"]["stage"]),
        ("unknown", &json!("reversing")),
        "{}",
        seen.text
    );
    until("it is given back", || simulator.net("T1") == 0);
    until("it is reversed", || other.look_up("T1").outcome() == "reversed");
    // A confirmation is final only after the window that began when the sale was re-opened.
    assert!(went_on.elapsed() >= Duration::from_millis(WINDOW_MS), "{:?}", went_on.elapsed());
    assert_eq!(simulator.net("T1"), 0);
    till.consume(&sale("T1")).expect("conflict", "ZV-CONFLICT");
}

/// The other till has been reversing it for longer than the window: its answer is still no proof now.
#[test]
fn a_reopened_sale_has_a_new_window_in_every_till() {
    let simulator = Simulator::start();
    let network = Network::before(&simulator);
    let more = json!({"background": false, "late_arrival_ms": WINDOW_MS});
    let config = reversing(&network.server.url(), more);
    let mut other = Driver::started(&config);
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    let mut till = standing_still(&network, &config);
    until("it is taken for dead", || {
        other.recover().succeeded();
        stage(&mut other) == "reversing"
    });
    std::thread::sleep(Duration::from_millis(WINDOW_MS));
    goes_on(&mut till, "other_tender");
    simulator.admin("DELETE", "/faults", &Value::Null);
    other.recover().succeeded();
    let seen = other.look_up("T1");
    assert_eq!(seen.json["recorded"]["reversal"]["said"], "not_found", "{}", seen.text);
    assert_eq!(seen.json["recorded"]["stage"], "reversing", "{}", seen.text);

    network.let_through();
    until("it arrives", || simulator.net("T1") == 1);
    until("it is reversed", || {
        other.recover().succeeded();
        other.look_up("T1").outcome() == "reversed"
    });
    assert_eq!(simulator.net("T1"), 0);
}

/// The gateway's records without the sale prove nothing any more until they contain it.
#[test]
fn a_held_sale_is_unknown_again_although_the_records_lacked_it() {
    let simulator = Simulator::start();
    let network = Network::before(&simulator);
    let records = json!({"generation": "v3", "endpoint": simulator.v3(), "complete": true, "codes": {"not_found": ["100007"]}});
    let config = by_hand(
        &network.server.url(),
        json!({"on_unknown": "hold", "routes": {"balance_by_biz_id": records}}),
    );
    let mut other = Driver::started(&config);
    let mut till = standing_still(&network, &config);
    until("it is taken for dead, and the records do not have it", || {
        other.recover().succeeded();
        other.look_up("T1").outcome() == "reversed"
    });
    goes_on(&mut till, "wait");
    other.recover().succeeded();
    let seen = other.look_up("T1");
    assert_eq!(
        (seen.outcome(), &seen.json["recorded"]["stage"]),
        ("unknown", &json!("unknown")),
        "{}",
        seen.text
    );

    network.let_through();
    until("it arrives", || simulator.net("T1") == 1);
    other.recover().succeeded();
    other.look_up("T1").succeeded();
    assert_eq!(simulator.net("T1"), 1);
}

#[test]
fn a_held_sale_that_a_till_asked_to_reverse_is_reversed() {
    let simulator = Simulator::start();
    let network = Network::before(&simulator);
    let more = json!({"on_unknown": "hold", "background": false, "late_arrival_ms": WINDOW_MS});
    let config = reversing(&network.server.url(), more);
    let mut other = Driver::started(&config);
    let mut till = standing_still(&network, &config);
    until("it is taken for dead", || stage(&mut other) == "unknown");
    other.reverse(&json!({"bizId": "T1"})).expect("unknown", "ZV-REVERSAL-QUEUED");
    goes_on(&mut till, "other_tender");
    assert_eq!(stage(&mut other), "reversing");
    network.let_through();
    until("it arrives", || simulator.net("T1") == 1);
    until("it is reversed", || {
        other.recover().succeeded();
        other.look_up("T1").outcome() == "reversed"
    });
    assert_eq!(simulator.net("T1"), 0);
}

/// Counter-example 1 of the answers that would be false: the gateway confirms a reversal of a bizId that it does not
/// know, the original arrives and is taken, and the next reversal is too late. Net 1, so it may not be called
/// reversed.
#[test]
fn a_sale_that_arrives_after_its_confirmed_reversal_is_never_reported_reversed() {
    let policy = Policy {
        unknown_reversal: UnknownReversal::Success,
        reversal_window_ms: Some(0),
        ..Policy::default()
    };
    let simulator = Simulator::with_policy(policy);
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({})));
    let biz_id = "T1~overtaken";
    till.consume(&sale(biz_id)).expect("unknown", "ZV-TIMEOUT");
    until("nobody can know", || {
        let seen = till.look_up(biz_id);
        assert_eq!(seen.outcome(), "unknown", "{}", seen.text);
        seen.code() == "ZV-UNPROVEN-REVERSAL"
    });
    assert_eq!(simulator.net(biz_id), 1);
    let seen = till.look_up(biz_id);
    assert_eq!(seen.json["recorded"]["reversal"]["gateway"]["code"], "920004", "{}", seen.text);
    let listed = till.pending(None).succeeded();
    assert_eq!(listed.data()["entries"][0]["next"], "person", "{}", listed.text);
    // Nor by reversing it again.
    till.reverse(&json!({"bizId": biz_id})).expect("conflict", "ZV-UNPROVEN-REVERSAL");
    // Nor may a person call it kept: the till was told that the money comes back, and a reversal was confirmed. A
    // deduction that the gateway shows must be reversed there.
    let kept = json!({"bizId": biz_id, "as": "kept", "by": "Li", "reason": "it stands"});
    till.settle(&kept).expect("invalid", "ZV-NOT-SETTLED");
    till.look_up(biz_id).expect("unknown", "ZV-UNPROVEN-REVERSAL");
    assert_eq!(simulator.net(biz_id), 1);
}
