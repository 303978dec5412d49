//! Refunds and voids as a till sees them, and V3's default reverse route, for which no codes are configured. Each
//! test checks the gateway's ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Answer, Driver, FIVE_OFF, MEMBER, POOR_MEMBER, Simulator, config, reversing, until};
use zvpos_core::gateway::{Identity, environment_of};
use zvpos_core::journal::{Guard, Recorded, Sqlite, Store};
use zvpos_core::money::BizId;
use zvpos_core::payment::{Entry, Key};

fn sale(biz_id: &str, amount: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": amount})
}

fn till(simulator: &Simulator) -> Driver {
    Driver::started(&reversing(&simulator.v2(), json!({})))
}

fn reverse(till: &mut Driver, biz_id: &str) -> Answer {
    till.reverse(&json!({"bizId": biz_id}))
}

/// V3's own route, without codes.
fn as_it_comes(simulator: &Simulator, late_arrival_ms: u64) -> Value {
    config(
        &simulator.v3(),
        json!({"api": "v3", "late_arrival_ms": late_arrival_ms, "timeouts_ms": {"connect": 300, "total": 800}}),
    )
}

fn said(answer: &Answer) -> (&str, &str, &str) {
    (answer.outcome(), answer.json["next"].as_str().unwrap(), answer.json["cashier"].as_str().unwrap())
}

#[test]
fn a_refund_is_reported_as_a_refund() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(
        &json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF], "amount": "3.00", "points": 2}),
    )
    .succeeded();
    let done = reverse(&mut till, "T1");
    let wanted = ("reversed", "refunded", "已退回 3.00 元到会员账户，优惠券已退回");
    assert_eq!(said(&done), wanted, "{}", done.text);
    let refunded = json!({"refunded": {
        "recharge": "3.00", "gift": "0.00", "total": "3.00", "points": 2, "couponsCardList": [FIVE_OFF], "elsewhere": false
    }});
    assert_eq!(done.data(), &refunded);
    let seen = till.look_up("T1");
    assert_eq!((said(&seen), seen.data()), (wanted, &refunded), "{}", seen.text);
    assert_eq!(simulator.net("T1"), 0);
}

#[test]
fn a_pending_refund_is_reported_and_blocks_no_member() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(&sale("T1", "3.00")).succeeded();
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    let wanted = ("unknown", "refund_pending", "退款已登记，正在处理");
    assert_eq!(said(&reverse(&mut till, "T1")), wanted);
    assert_eq!(said(&till.look_up("T1")), wanted);
    assert_eq!(till.look_up("T1").data(), &Value::Null);
    // Reverse the whole, then consume the smaller sum at once.
    till.consume(&sale("T2", "2.00")).succeeded();
    simulator.admin("DELETE", "/faults", &Value::Null);
    until("refunded", || till.look_up("T1").json["next"] == "refunded");
    assert_eq!((simulator.net("T1"), simulator.net("T2")), (0, 1));
}

#[test]
fn a_refused_refund_leaves_the_sale_unchanged() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    for biz_id in ["T1~reverse_too_late", "T2~reverse_refused"] {
        till.consume(&sale(biz_id, "3.00")).succeeded();
        for _ in 0..2 {
            let refused = reverse(&mut till, biz_id).expect("conflict", "ZV-REFUND-REFUSED");
            assert_eq!(said(&refused), ("conflict", "refund_refused", "退款未成功，原交易仍有效"));
            assert_eq!(refused.json["recorded"]["stage"], "kept", "{}", refused.text);
            let seen = till.look_up(biz_id).succeeded();
            assert_eq!(seen.data()["change_recharge_amount"], "3.00", "{}", seen.text);
        }
        assert_eq!(simulator.net(biz_id), 1);
    }
    assert_eq!(till.pending(None).succeeded().data()["count"], 0);
    till.consume(&sale("T3", "1.00")).succeeded();
}

/// The first attempt acts and its answer is lost; the second is refused with an unconfigured code.
#[test]
fn a_refusal_after_a_lost_attempt_does_not_prove_the_sale_valid() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&as_it_comes(&simulator, 300));
    till.consume(&sale("T1", "3.00")).succeeded();
    simulator.arm("reset_after", "reverse", 1, &json!({}));
    reverse(&mut till, "T1");
    until("a person's", || till.look_up("T1").code() == "ZV-REFUSED");
    let seen = till.look_up("T1");
    assert_eq!(said(&seen), ("unknown", "wait", "退款未能确认，请联系店长核实"), "{}", seen.text);
    assert_eq!(simulator.net("T1"), 0);
    // It does not block the member either.
    till.consume(&sale("T2", "2.00")).succeeded();
}

#[test]
fn a_sale_never_reported_as_succeeded_does_not_become_so() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(&sale("T1~reset_after~reverse_refused", "3.00"));
    until("refused", || till.look_up("T1~reset_after~reverse_refused").code() == "ZV-REFUSED");
    reverse(&mut till, "T1~reset_after~reverse_refused");
    until("refused", || till.look_up("T1~reset_after~reverse_refused").code() == "ZV-REFUSED");
    reverse(&mut till, "T1~reset_after~reverse_refused");
    let listed = till.pending(None).succeeded();
    assert_eq!(listed.data()["entries"][0]["entry"]["reversal"]["refund"], false, "{}", listed.text);
}

/// A retry loop must not send a voided sale.
fn voided(till: &mut Driver, request: &Value, stood: &str) {
    let biz_id = request["bizId"].as_str().unwrap();
    for answer in [reverse(till, biz_id), till.look_up(biz_id), reverse(till, biz_id)] {
        let answer = answer.expect("reversed", "ZV-VOIDED");
        assert_eq!(answer.json["cashier"], "该单未扣款，已作废");
        assert_eq!(answer.json["recorded"]["reversal"]["voided"], stood, "{}", answer.text);
        assert_eq!(answer.json["recorded"]["reversal"]["asked"], true);
    }
    for _ in 0..3 {
        let again = till.consume(request);
        assert_eq!(again.outcome(), "conflict", "{}", again.text);
    }
}

#[test]
fn a_void_closes_the_biz_id_and_shows_its_earlier_state() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    let poor = json!({"bizId": "T1", "customerId": POOR_MEMBER, "amount": "500.00"});
    till.consume(&poor).expect("declined", "910001");
    voided(&mut till, &poor, "declined");
    assert_eq!((simulator.net("T1"), simulator.requests()), (0, 1));
    let mut alone = Driver::started(&reversing("http://127.0.0.1:1/", json!({})));
    let never = sale("T2", "1.00");
    assert_eq!(alone.consume(&never).outcome(), "not_sent");
    voided(&mut alone, &never, "not_sent");
    // For a bizId without a record the till is not told that there is nothing to reverse.
    let unknown = till.reverse(&json!({"bizId": "T9"})).expect("invalid", "ZV-REQUEST");
    assert_eq!(unknown.errors(), ["returnedBizId"]);
}

/// V3's defaults: confirmed inside the window, refused after it.
#[test]
fn default_v3_ends_unproven_without_the_guard_and_a_configured_code_settles_it() {
    let simulator = Simulator::start();
    let plain = as_it_comes(&simulator, 300);
    let mut till = Driver::new();
    assert!(till.init(&plain).succeeded().warns("ZV-W-REVERSE-CODES"));
    let biz_id = "T1~reset_after";
    assert_eq!(till.consume(&sale(biz_id, "3.00")).json["next"], "other_tender");
    until("it ends", || till.look_up(biz_id).code() == "ZV-UNPROVEN-REVERSAL");
    let seen = till.look_up(biz_id);
    assert_eq!((seen.outcome(), &seen.json["next"]), ("unknown", &json!("other_tender")), "{}", seen.text);
    assert_eq!(simulator.net(biz_id), 0);
    let listed = till.pending(None).succeeded();
    let entry = &listed.data()["entries"][0];
    assert_eq!(entry["next"], "person");
    assert_eq!(entry["entry"]["reversal"]["gateway"]["code"], "920002", "{}", listed.text);
    assert_eq!(entry["settings"], json!(["routes.reverse.codes.already", "routes.reverse.refuses_unknown"]));
    till.consume(&sale("T2", "1.00")).succeeded();
    let sent = simulator.requests();
    till.shutdown().succeeded();
    // The code is configured: the sale is judged by it at the start, and nothing is sent.
    let mut told = plain.clone();
    told["routes"] = json!({"reverse": {"codes": {"already": ["920002"], "not_found": ["920001"]}}});
    let answer = till.init(&told).succeeded();
    assert!(!answer.warns("ZV-W-REVERSE-CODES"), "{}", answer.text);
    till.look_up(biz_id).expect("reversed", "ZV-REVERSED");
    assert_eq!(simulator.requests(), sent);
}

#[test]
fn a_gateway_that_refuses_unknown_biz_ids_is_believed() {
    let simulator = Simulator::start();
    let mut config = as_it_comes(&simulator, 300);
    config["routes"] = json!({"reverse": {"refuses_unknown": true}});
    let mut till = Driver::started(&config);
    till.consume(&sale("T1~reset_after", "3.00"));
    until("reversed", || till.look_up("T1~reset_after").outcome() == "reversed");
    assert_eq!(simulator.net("T1~reset_after"), 0);
}

/// Confirmed by an `already` code inside the window: not sent again before the window is over.
#[test]
fn a_reversal_confirmed_by_an_already_code_is_sent_once_more() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({"late_arrival_ms": 4000})));
    // The first attempt acts and its answer is lost, so that the next one is answered "already".
    simulator.arm("reset_after", "reverse", 1, &json!({}));
    let before = simulator.requests();
    till.consume(&sale("T1~reset_after", "3.00"));
    let began = Instant::now();
    until("reversed", || till.look_up("T1~reset_after").outcome() == "reversed");
    assert!(began.elapsed() > Duration::from_millis(3900));
    // The consume, the lost attempt, the confirmed one, and one more when the window is over.
    assert_eq!((simulator.requests() - before, simulator.net("T1~reset_after")), (4, 0));
}

/// Drops the sale's details as an earlier version did, which did not keep whether a success was delivered.
fn retire(config: &Value, biz_id: &str) {
    let text = |name: &str| config[name].as_str().unwrap().to_owned();
    let journal = Sqlite::open(Path::new(&text("journal"))).unwrap();
    let environment = environment_of(&text("endpoint"));
    let key = Key { open_id: text("openId"), environment, biz_id: BizId::new(biz_id).unwrap() };
    let retired = journal.find(&key).unwrap().unwrap().retired().unwrap();
    let record = Entry::restore(
        key,
        Identity::default(),
        retired.stage(),
        retired.revision(),
        retired.attempt(),
        retired.owner().clone(),
        retired.on_unknown(),
        retired.created_unix_ms(),
        retired.detail().clone(),
    );
    let recorded = journal.record(&record, Guard::Off, Instant::now() + Duration::from_secs(3));
    assert!(matches!(recorded, Ok(Recorded::Done(()))), "{recorded:?}");
}

/// A sale that the till was told succeeded, and whose details are dropped.
fn old_sale(simulator: &Simulator, more: Value) -> Driver {
    let config = reversing(&simulator.v2(), more);
    let mut till = Driver::started(&config);
    till.consume(&sale("T1", "3.00")).succeeded();
    till.shutdown().succeeded();
    retire(&config, "T1");
    till.init(&config).succeeded();
    till
}

#[test]
fn missing_params_of_an_old_sale_are_named_and_nothing_is_sent() {
    let params = json!({"bizId": "$returnedBizId", "customerId": "$customerId", "amount": "$amount"});
    let route = json!({"action": "sandbox.consume-reverse", "params": params});
    for (more, named) in
        [(json!({}), &["customerId"][..]), (json!({"routes": {"reverse": route}}), &["customerId", "amount"])]
    {
        let simulator = Simulator::start();
        let mut till = old_sale(&simulator, more);
        let before = simulator.requests();
        for lacking in [json!({"bizId": "T1"}), json!({"bizId": "T1", "type": 2})] {
            let refused = till.reverse(&lacking).expect("invalid", "ZV-REQUEST");
            assert_eq!(refused.errors(), named, "{}", refused.text);
        }
        assert_eq!((simulator.requests(), simulator.net("T1")), (before, 1), "nothing was sent");
        assert_eq!(till.look_up("T1").succeeded().json["recorded"]["reversal"]["asked"], false);
        let whole = json!({"bizId": "T1", "customerId": MEMBER, "amount": "3.00"});
        till.reverse(&whole).expect("reversed", "ZV-REVERSED");
        let sent = &simulator.last_request()["params"];
        assert!(named.iter().all(|name| sent[name] == whole[name]), "{sent}");
        assert_eq!(simulator.net("T1"), 0);
    }
}

/// The end-of-day report shows what is not settled, including refunds.
#[test]
fn an_open_refund_is_open_in_the_days_totals() {
    let simulator = Simulator::start();
    let mut till = till(&simulator);
    till.consume(&sale("T1", "3.00")).succeeded();
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    reverse(&mut till, "T1");
    let listed = till.pending(Some(&json!({"day": "today"}))).succeeded();
    assert_eq!(listed.data()["entries"][0]["kinds"], json!(["sale", "open"]), "{}", listed.text);
    let totals = &listed.data()["totals"];
    assert_eq!((&totals["open"], &totals["sales"]["sum"]), (&json!(1), &json!("3.00")));
    let csv = till.pending(Some(&json!({"day": "today", "format": "csv"}))).succeeded();
    let text = csv.data()["text"].as_str().unwrap();
    let last: Vec<&str> = text.lines().filter(|line| line.contains(",total ")).collect();
    let ends: Vec<_> = last.iter().map(|line| line.split(',').rev().take(2).collect::<Vec<_>>()).collect();
    // Sales, refunds, net, open: how many have an unknown split, and the count.
    assert_eq!(ends, [["0", "1"], ["0", "0"], ["0", "1"], ["", "1"]], "{text}");
    assert!(last[3].contains("total open"), "{text}");
}

/// Only an action that can settle an entry is suggested for it.
#[test]
fn only_settings_that_can_settle_an_entry_are_suggested() {
    let simulator = Simulator::start();
    let settings = |till: &mut Driver, biz_id: &str| {
        until("refused", || till.look_up(biz_id).json["recorded"]["stage"] == "refused");
        till.pending(None).data()["entries"][0]["settings"].clone()
    };
    let mut plain = Driver::started(&as_it_comes(&simulator, 300));
    plain.consume(&sale("T1~reset_after~reverse_too_late", "1.00"));
    let named = settings(&mut plain, "T1~reset_after~reverse_too_late");
    assert_eq!(named, json!(["routes.reverse.codes.already"]), "nobody has told what the code means");
    // On a route with configured codes, an unlisted code is none of them; nor is one that is listed as "not found".
    let mut till = till(&simulator);
    till.consume(&sale("T2~reset_after~reverse_too_late", "1.00"));
    assert_eq!(settings(&mut till, "T2~reset_after~reverse_too_late"), Value::Null);
    let mut config = as_it_comes(&simulator, 300);
    config["routes"] = json!({"reverse": {"codes": {"not_found": ["920001"]}}});
    let mut foreign = Driver::started(&config);
    foreign.reverse(&json!({"bizId": "T9", "returnedBizId": "T9", "customerId": MEMBER}));
    assert_eq!(settings(&mut foreign, "T9"), Value::Null);
}
