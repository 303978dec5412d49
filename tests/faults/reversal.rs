//! The result of a consume whose answer is lost and whose reversal meets a fault.

use std::thread;

use serde_json::json;
use zvpos_sandbox::faults::{Fault, Meets};

use super::support::{Driver, Simulator, reversing, until};
use super::{arm, consume, named, sale};

/// A fault of reversals, and its final result.
pub(super) struct Case {
    pub(super) asked: &'static str,
    /// The sale's own fault.
    first: &'static str,
    /// The final outcome and code.
    outcome: &'static str,
    code: &'static str,
    /// The final net deductions at the gateway.
    net: i64,
}

pub(super) const EXPECTED: &[Case] = &[
    Case { asked: "reverse_refused", first: "reset_after", outcome: "unknown", code: "ZV-REFUSED", net: 1 },
    Case { asked: "reverse_too_late", first: "reset_after", outcome: "unknown", code: "ZV-REFUSED", net: 1 },
    // Not found for longer than any request could still be on its way: the gateway has said twice that nothing
    // exists.
    Case {
        asked: "reverse_not_found",
        first: "reset_after",
        outcome: "reversed",
        code: "ZV-REVERSED",
        net: 1,
    },
    Case {
        asked: "reverse_unknown_success",
        first: "reset_before",
        outcome: "reversed",
        code: "ZV-REVERSED",
        net: 0,
    },
    Case {
        asked: "reverse_unknown_success",
        first: "reset_after",
        outcome: "reversed",
        code: "ZV-REVERSED",
        net: 0,
    },
    Case { asked: "reverse_already", first: "reset_after", outcome: "reversed", code: "ZV-REVERSED", net: 0 },
    Case {
        asked: "reverse_without_acting",
        first: "reset_after",
        outcome: "reversed",
        code: "ZV-REVERSED",
        net: 1,
    },
    Case { asked: "reverse_twice", first: "reset_after", outcome: "reversed", code: "ZV-REVERSED", net: -1 },
];

/// Gateways that lie: G1, the reading of `already`, and G2 switched off. No till can detect it.
const LIES: [&str; 3] = ["reverse_not_found", "reverse_without_acting", "reverse_twice"];

fn heading() {
    println!(
        "{:<22} {:<10} {:<10} {:<16} {:>8} {:>3}",
        "reversal meets", "expected", "seen", "code", "S wanted", "S"
    );
}

#[test]
fn a_reversal_under_each_of_its_faults_ends_as_it_should() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({})));
    let mut wrong = Vec::new();
    heading();
    for case in EXPECTED {
        let Case { asked, first, outcome, code, net } = case;
        let biz_id = format!("T~{first}~{asked}");
        till.consume(&sale(&biz_id, "1.00")).expect("unknown", "ZV-LOST");
        until(&format!("{biz_id} ends"), || till.look_up(&biz_id).code() == *code);
        let answer = till.look_up(&biz_id);
        let stands = simulator.net(&biz_id);
        println!(
            "{asked:<22} {outcome:<10} {:<10} {:<16} {net:>8} {stands:>3}",
            answer.outcome(),
            answer.code()
        );
        let truth = answer.outcome() != "reversed" || stands == 0 || LIES.contains(asked);
        if answer.outcome() != *outcome || stands != *net || !truth {
            wrong.push(format!("{asked}, S {stands}: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A refused reversal needs a person, and nothing else is left.
    let pending = till.pending(None).succeeded();
    let listed: Vec<_> =
        pending.data()["entries"].as_array().unwrap().iter().map(|entry| &entry["next"]).collect();
    assert_eq!(listed, ["person", "person"], "{}", pending.text);
}

/// The sale's amount also requests the fault of its reversal.
#[test]
fn an_amount_requests_its_fault_for_a_reversal() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({})));
    till.consume(&sale("T1~reset_after", Fault::ReverseRefused.row().amount)).expect("unknown", "ZV-LOST");
    until("refused", || till.look_up("T1~reset_after").code() == "ZV-REFUSED");
    // Also by the bizId in the gateway's answer.
    let amount = Fault::ReverseTooLate.row().amount;
    till.consume(&sale("T2~other_biz_id", amount)).succeeded();
    let answer = till.reverse(&json!({"bizId": "T2~other_biz_id"})).expect("conflict", "ZV-REFUND-REFUSED");
    assert_eq!(answer.json["recorded"]["reversal"]["gateway"]["code"], "920004", "{}", answer.text);
    assert_eq!((simulator.net("T1~reset_after"), simulator.net("T2~other_biz_id")), (1, 1));
}

/// The request arrives after its own reversal, which was answered "not found": no resurrection.
#[test]
fn an_original_that_its_reversal_overtakes_ends_reversed() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({"late_arrival_ms": 3000})));
    let biz_id = "T1~overtaken";
    till.consume(&sale(biz_id, "1.00")).expect("unknown", "ZV-TIMEOUT");
    until("it was taken after its reversal and given back", || {
        let ledger = simulator.admin("GET", &format!("/ledger?bizId={biz_id}"), &serde_json::Value::Null);
        ledger["entries"].as_array().unwrap().len() == 2
    });
    until("reversed", || till.look_up(biz_id).outcome() == "reversed");
    assert_eq!(simulator.net(biz_id), 0);
}

/// One reversal meets the fault, which then ends.
fn once(asked: &str) -> Result<String, String> {
    let simulator = Simulator::start();
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({})));
    // A random refusal, too, is sent again while the sale itself could still be on its way.
    let (outcome, code, net) = ("reversed", "ZV-REVERSED", 0);
    let times = if asked.starts_with("outage") { None } else { Some(1) };
    arm(&simulator, asked, "reverse", times);
    till.consume(&sale("T1~reset_after", "1.00")).expect("unknown", "ZV-LOST");
    until(&format!("{asked}: it ends"), || till.look_up("T1~reset_after").code() == code);
    let answer = till.look_up("T1~reset_after");
    let (seen, stands) = (answer.outcome(), simulator.net("T1~reset_after"));
    let line = format!("{asked:<22} {outcome:<10} {seen:<10} {:<16} {net:>8} {stands:>3}", answer.code());
    if (seen, stands) == (outcome, net) { Ok(line) } else { Err(format!("{line}\n{}", answer.text)) }
}

#[test]
fn a_reversal_recovers_from_every_other_fault() {
    // A fault that blocks the port, or everything, for a time is given a short one here.
    let short = |asked: &'static str| match named(asked).fault {
        Fault::Refused => "refused:700",
        Fault::ConnectHangs => "connect_hangs:700",
        Fault::AcceptHangs => "accept_hangs:700",
        Fault::Outage => "outage:700",
        _ => asked,
    };
    let cases: Vec<_> = consume::EXPECTED
        .iter()
        .map(|case| case.asked)
        .filter(|asked| named(asked).fault.row().meets == Meets::Request)
        .map(short)
        .collect();
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = cases
            .chunks(cases.len().div_ceil(6))
            .map(|chunk| scope.spawn(|| chunk.iter().map(|asked| once(asked)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    heading();
    for line in results.iter().flatten() {
        println!("{line}");
    }
    let wrong: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
