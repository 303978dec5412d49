//! The ways to request a fault, seen by a till: by an amount, by chance, by the endpoint; and the simulator's clock.

use serde_json::{Value, json};
use zvpos_sandbox::faults::{Chaos, Fault, Meets, Named};

use super::support::{Driver, FIVE_OFF, MEMBER, Simulator, until};
use super::{arm, consume, disarm, impatient, sale, till};

/// The faults that only a till with an `https://` endpoint meets.
pub(super) const HANDSHAKES: [(&str, &str); 2] = [("tls_hangs", "ZV-CONNECT"), ("tls_fails", "ZV-TLS")];

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_tls_handshake_that_fails_is_not_sent() {
    let simulator = Simulator::start();
    let mut till = impatient(&format!("https://{}/api/v2", simulator.address()), &json!({}));
    println!("{:<22} {:<10} {:<10} code", "kind", "expected", "seen");
    for (asked, code) in HANDSHAKES {
        simulator.admin("POST", "/faults", &json!({"fault": asked}));
        let answer = till.consume(&sale(&format!("T-{asked}"), "1.00")).expect("not_sent", code);
        println!("{asked:<22} {:<10} {:<10} {}", "not_sent", answer.outcome(), answer.code());
        disarm(&simulator);
    }
    // Without a fault the server answers the handshake with plain HTTP.
    till.consume(&sale("T-plain", "1.00")).expect("not_sent", "ZV-TLS");
    assert_eq!(simulator.admin("GET", "/counters", &Value::Null)["faults"], 2);
    assert!(simulator.last_request()["explanation"].as_str().unwrap().contains("https://"));
    assert_eq!(simulator.admin("GET", "/ledger", &Value::Null), json!([]));
}

/// A fault that no server can cause is requested by the endpoint, as the table says.
#[test]
fn endpoints_that_lead_nowhere_are_not_sent() {
    let nowhere =
        [("http://no-such-host.invalid/api/v2", "ZV-DNS"), ("http://127.0.0.1:1/api/v2", "ZV-CONNECT")];
    for (endpoint, code) in nowhere {
        impatient(endpoint, &json!({})).consume(&sale("T1", "1.00")).expect("not_sent", code);
        assert!(zvpos_sandbox::faults::table().contains(endpoint));
    }
}

/// The table's amount requests the fault, with the fault's default number.
#[test]
fn an_amount_requests_its_fault() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    for fault in Fault::ALL {
        let row = fault.row();
        if matches!(row.meets, Meets::Reverse | Meets::Handshake) {
            continue;
        }
        let biz_id = format!("T-{}", row.name);
        let answer = till.consume(&sale(&biz_id, row.amount));
        let expected = consume::outcome_of(Named { fault: *fault, number: None }.chosen());
        assert_eq!(answer.outcome(), expected, "{}: {}", row.name, answer.text);
        disarm(&simulator);
        if *fault == Fault::IdleReset {
            till.consume(&sale("T-on-a-dead-line", "0.01")).expect("unknown", "ZV-LOST");
        }
    }
    // No other amount near them requests a fault.
    for amount in ["9001.00", "9001.99", "9000.15", "901.15", "9001"] {
        till.consume(&sale(&format!("T-{amount}"), amount)).succeeded();
    }
}

#[test]
fn a_name_that_is_not_known_is_refused_with_the_nearest() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let answer = till.consume(&sale("T1~reset_aftr", "1.00")).expect("declined", "100002");
    assert!(answer.json["message"].as_str().unwrap().contains("reset_after"), "{}", answer.text);
    let answer = simulator.admin("POST", "/faults", &json!({"fault": "reset_aftr"}));
    assert!(answer["error"].as_str().unwrap().contains("reset_after"), "{answer}");
    assert_eq!(simulator.net("T1~reset_aftr"), 0);
}

/// What the till is told in this number of sales, with faults by chance from a seed.
fn told(chaos: &str, sales: usize) -> Vec<String> {
    let simulator = Simulator::start();
    let answer = simulator.admin("PUT", "/chaos", &json!({"chaos": chaos}));
    assert!(answer["error"].is_null(), "{answer}");
    let mut till = till(&simulator);
    let mut told = Vec::new();
    for number in 0..sales {
        let biz_id = format!("T{number}");
        let answer = till.consume(&sale(&biz_id, "0.01"));
        let net = simulator.net(&biz_id);
        match answer.outcome() {
            "succeeded" => assert_eq!(net, 1, "{}", answer.text),
            "declined" | "not_sent" => assert_eq!(net, 0, "{}", answer.text),
            _ => {}
        }
        told.push(format!("{} {} {net}", answer.outcome(), answer.code()));
    }
    told
}

#[test]
fn chance_repeats_itself_with_its_seed() {
    let chaos = "seed=7,lost_answer=0.2,http_502=0.1,declined=0.1,cut_body:57=0.1,delivered_twice=0.1";
    let first = told(chaos, 150);
    assert_eq!(first, told(chaos, 150));
    assert_ne!(first, told(&chaos.replace("seed=7", "seed=8"), 150));
    let kinds: std::collections::BTreeSet<_> =
        first.iter().map(|told| told.split(' ').next().unwrap()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["declined", "succeeded", "unknown"]);
    // Some of the unknown sales were taken, some were not.
    assert!(first.iter().any(|told| told.starts_with("unknown") && told.ends_with('1')));
    assert!(first.iter().any(|told| told.starts_with("unknown") && told.ends_with('0')));
}

#[test]
fn chance_is_an_option_and_can_be_ended() {
    let simulator = Simulator::start();
    simulator.server().set_chaos(Some(Chaos::parse("declined=1").unwrap()));
    let mut till = till(&simulator);
    till.consume(&sale("T1", "1.00")).expect("declined", "910001");
    let refused = simulator.admin("PUT", "/chaos", &json!({"chaos": "seed=7,declind=1"}));
    assert!(refused["error"].as_str().unwrap().contains("\"declined\""), "{refused}");
    till.consume(&sale("T2", "1.00")).expect("declined", "910001");
    simulator.admin("DELETE", "/chaos", &Value::Null);
    till.consume(&sale("T3", "1.00")).succeeded();
}

/// A coupon expires because the simulator's clock is moved; the till's own clock and its signatures stay unchanged.
#[test]
fn a_coupon_expires_when_the_clock_is_moved() {
    let expires_s =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 86_400;
    let mut seed: Value = serde_json::from_str(zvpos_sandbox::rules::Seed::DEFAULT_JSON).unwrap();
    seed["coupons"][0]["expiresS"] = json!(expires_s);
    let simulator = Simulator::with(zvpos_sandbox::rules::Policy::default(), &seed.to_string());
    let mut till = till(&simulator);
    let redeem = |biz_id: &str| json!({"bizId": biz_id, "customerId": MEMBER, "couponsCardList": [FIVE_OFF]});
    till.consume(&redeem("T1")).succeeded();
    simulator.admin("PUT", "/clock", &json!({"advance_ms": 2 * DAY_MS}));
    let answer = till.consume(&redeem("T2")).expect("declined", "910004");
    assert!(!answer.warns("ZV-W-CLOCK"), "{}", answer.text);
    // A day ahead of the till: its signature's timestamp is refused, corrected, and accepted.
    simulator.admin("PUT", "/clock", &json!({"offset_ms": 0}));
    till.consume(&redeem("T3")).succeeded();
    simulator.admin("PUT", "/clock", &json!({"advance_ms": DAY_MS / 2, "till_follows": false}));
    assert!(till.consume(&redeem("T4")).succeeded().warns("ZV-W-CLOCK"));
    assert_eq!(["T1", "T2", "T3", "T4"].map(|biz_id| simulator.net(biz_id)), [1, 0, 1, 1]);
}

/// The gateway's records and ledger show the simulator's time, and a frozen clock does not advance.
#[test]
fn the_ledger_goes_by_the_simulators_clock() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let shown =
        simulator.admin("PUT", "/clock", &json!({"set": "2030-01-01T00:00:00+08:00", "freeze": true}));
    assert_eq!((&shown["now"], &shown["frozen"]), (&json!("2029-12-31T16:00:00.000Z"), &json!(true)));
    till.consume(&sale("T1", "1.00")).succeeded();
    let ledger = simulator.admin("GET", "/ledger?bizId=T1", &Value::Null);
    assert_eq!(ledger["entries"][0]["at_unix_ms"], shown["now_ms"]);
    assert_eq!(simulator.server().clock().now_ms, shown["now_ms"].as_i64().unwrap());
    for wrong in
        [json!({"set": "tomorrow"}), json!({"offset_ms": 1, "advance_ms": 1}), json!({"ofset_ms": 1})]
    {
        assert!(simulator.admin("PUT", "/clock", &wrong)["error"].is_string(), "{wrong}");
    }
    simulator.admin("POST", "/reset", &Value::Null);
    let now = simulator.admin("GET", "/clock", &Value::Null);
    assert_eq!((&now["offset_ms"], &now["frozen"]), (&json!(0), &json!(false)), "{now}");
}

/// An outage of a day, for which no test has to wait.
#[test]
fn an_outage_of_a_day_ends_when_the_clock_is_moved() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&super::support::reversing(&simulator.v2(), json!({})));
    arm(&simulator, "outage", "reverse", None);
    till.consume(&sale("T1~reset_after", "1.00")).expect("unknown", "ZV-LOST");
    let tries =
        |till: &mut Driver| till.look_up("T1~reset_after").json["recorded"]["reversal"]["tries"].as_u64();
    until("tried in vain", || tries(&mut till) >= Some(2));
    simulator.server().advance_clock(DAY_MS - 60_000).unwrap();
    let before = tries(&mut till);
    until("still in vain", || tries(&mut till) > before);
    assert_eq!((till.look_up("T1~reset_after").outcome(), simulator.net("T1~reset_after")), ("unknown", 1));
    simulator.server().advance_clock(60_000).unwrap();
    until("reversed", || till.look_up("T1~reset_after").outcome() == "reversed");
    assert_eq!(simulator.net("T1~reset_after"), 0);
}
