//! A consume end to end: what is taken, what the till is told, and the meaning of a repeated bizId.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, POOR_MEMBER, SAVINGS_COUPON, Simulator, config};
use zvpos_sandbox::rules::{Policy, ReturnedBizId};

fn sale(biz_id: &str, amount: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": amount})
}

#[test]
fn coupons_balance_and_points_in_both_generations() {
    let simulator = Simulator::start();
    for (api, endpoint) in [("v2", simulator.v2()), ("v3", simulator.v3())] {
        let mut till = Driver::started(&config(&endpoint, json!({"api": api})));
        let before = simulator.member(MEMBER);
        let biz_id = format!("T1-{api}");
        let answer = till
            .consume(
                &json!({"bizId": biz_id, "customerId": MEMBER, "couponsCardList": [FIVE_OFF, SAVINGS_COUPON],
                "amount": 23.5, "points": "7"}),
            )
            .succeeded();
        assert_eq!(answer.json["next"], "complete_sale");
        assert_eq!(answer.json["bizId"], biz_id.as_str());
        assert_eq!(answer.json["replayed"], false);
        assert_eq!(answer.json["cashier"], "优惠券已核销，扣款成功");
        assert_eq!(answer.data()["bizId"], biz_id.as_str());
        assert_eq!(answer.data()["change_recharge_amount"], "23.50");
        assert_eq!(answer.data()["change_gift_amount"], "0.00");
        let mut coupons: Vec<&str> = answer.data()["couponsCardList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c.as_str().unwrap())
            .collect();
        coupons.sort_unstable();
        assert_eq!(coupons, [SAVINGS_COUPON, FIVE_OFF]);
        assert!(answer.json["warnings"].as_array().unwrap().is_empty(), "{}", answer.text);
        for part in ["journal", "connect", "wait", "total"] {
            assert!(answer.json["timing_ms"][part].as_f64().unwrap() >= 0.0, "{}", answer.text);
        }
        assert!(answer.json["timing_ms"]["total"].as_f64().unwrap() > 0.0);
        assert_eq!(simulator.net(&biz_id), 1);
        let after = simulator.member(MEMBER);
        assert_eq!(before["points"].as_u64().unwrap() - after["points"].as_u64().unwrap(), 7);
        assert_eq!(after["total"], answer.data()["total_amount"]);
    }
}

#[test]
fn scanned_codes_need_no_member() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let answer = till
        .consume(&json!({"bizId": "T1", "type": 1, "couponsCardList": ["600000000001", "600000000002"]}))
        .succeeded();
    assert_eq!(answer.json["cashier"], "优惠券已核销");
    // The answer names the coupons behind the codes, which is not a mismatch.
    assert!(answer.json["warnings"].as_array().unwrap().is_empty(), "{}", answer.text);
    assert_eq!(simulator.net("T1"), 1);
}

#[test]
fn a_decline_takes_nothing_and_the_same_biz_id_is_sent_again() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let sale = |amount: &str| json!({"bizId": "T1", "customerId": POOR_MEMBER, "amount": amount});
    for round in 1..=2 {
        let answer = till.consume(&sale("500.00")).expect("declined", "910001");
        assert_eq!(answer.json["next"], "other_tender");
        assert_eq!(answer.json["message"], "余额不足");
        assert_eq!(answer.json["cashier"], "未扣款：余额不足");
        assert_eq!((simulator.net("T1"), simulator.requests()), (0, round));
    }
    // Another amount under this bizId is another sale.
    till.consume(&sale("1.00")).expect("conflict", "ZV-NEW-BIZID");
    assert_eq!((simulator.net("T1"), simulator.requests()), (0, 2));
}

#[test]
fn an_unsent_sale_may_be_sent_again_under_the_same_biz_id() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    simulator.admin("POST", "/faults", &json!({"fault": "refused", "params": {"ms": 600_000}}));
    let answer = till.consume(&sale("T1", "1.00")).expect("not_sent", "ZV-CONNECT");
    assert_eq!(answer.json["next"], "retry");
    assert!(answer.json["retry_after_ms"].as_u64().unwrap() > 0);
    simulator.admin("DELETE", "/faults", &Value::Null);
    let answer = till.consume(&sale("T1", "1.00")).succeeded();
    assert_eq!(answer.json["replayed"], false);
    assert_eq!((simulator.net("T1"), simulator.requests()), (1, 1));
}

#[test]
fn the_same_sale_again_is_answered_from_the_record() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let sale = json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF, SAVINGS_COUPON], "amount": "2.50"});
    let first = till.consume(&sale).succeeded();
    // Another order, other types, another remark: the same sale.
    let again = json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [SAVINGS_COUPON, FIVE_OFF], "amount": 2.5,
        "remark": "again", "operatorName": "other"});
    let second = till.consume(&again).succeeded();
    assert_eq!((&first.json["replayed"], &second.json["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(first.data(), second.data());
    assert_eq!((simulator.net("T1"), simulator.requests()), (1, 1));
    for other in [
        json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF, SAVINGS_COUPON], "amount": "2.51"}),
        json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF], "amount": "2.50"}),
        json!({"bizId": "T1", "customerId": POOR_MEMBER, "couponsCardList": [FIVE_OFF, SAVINGS_COUPON], "amount": "2.50"}),
        json!({"bizId": "T1", "customerId": MEMBER, "couponsCardList": [FIVE_OFF, SAVINGS_COUPON], "amount": "2.50", "points": 1}),
    ] {
        let answer = till.consume(&other).expect("conflict", "ZV-CONFLICT");
        assert_eq!(answer.json["next"], "lookup");
        assert_eq!(answer.json["recorded"]["request"]["amount"], "2.50", "{}", answer.text);
    }
    assert_eq!((simulator.net("T1"), simulator.requests()), (1, 1));
}

/// A bizId is known even if the rest of its request cannot be read (docs/money-safety.md, I1). A till that is told
/// `invalid` would fix the request and send it, although the sale under this bizId is done.
#[test]
fn an_unreadable_request_under_a_known_biz_id_is_a_conflict() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.consume(&sale("T1", "1.00")).succeeded();
    let answer = till.consume(&json!({"bizId": "T1", "customerId": MEMBER, "amount": "1.005"}));
    let answer = answer.expect("conflict", "ZV-CONFLICT");
    assert_eq!(answer.json["recorded"]["request"]["amount"], "1.00");
}

#[test]
fn an_unknown_outcome_stays_unknown_and_is_not_sent_again() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.consume(&sale("T1~reset_after", "1.00")).expect("unknown", "ZV-LOST");
    let answer = till.consume(&sale("T1~reset_after", "1.00")).expect("unknown", "ZV-LOST");
    assert_eq!((&answer.json["replayed"], &answer.json["next"]), (&json!(true), &json!("wait")));
    till.consume(&sale("T1~reset_after", "2.00")).expect("conflict", "ZV-CONFLICT");
    assert_eq!((simulator.net("T1~reset_after"), simulator.requests()), (1, 1));
}

#[test]
fn many_threads_with_one_biz_id_take_once() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    // The first call is slow, so that all others find it running.
    let line = format!("consume {}", sale("T1~late_answer:400", "1.00"));
    let answers = till.together(8, &line);
    assert!(answers.iter().all(|answer| answer.outcome() == "succeeded"), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.json["replayed"] == true).count(), 7);
    assert_eq!((simulator.net("T1~late_answer:400"), simulator.requests()), (1, 1));
}

#[test]
fn waiting_for_another_caller_ends_at_the_deadline() {
    let simulator = Simulator::start();
    let timeouts = json!({"timeouts_ms": {"connect": 200, "total": 400}});
    let mut till = Driver::started(&config(&simulator.v2(), timeouts));
    let answers = till.together(4, &format!("consume {}", sale("T1~hang_after", "1.00")));
    for answer in &answers {
        assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
    }
    assert_eq!((simulator.net("T1~hang_after"), simulator.requests()), (1, 1));
}

#[test]
fn money_is_never_rounded_and_every_mistake_is_named() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    for amount in [
        "\"1.005\"",
        "1.005",
        "1e3",
        "\"NaN\"",
        "-1",
        "\"-0.01\"",
        "\" 1\"",
        "\"١\"",
        "\"1,00\"",
        "0.0",
        "\"100000000\"",
        "true",
        "[]",
        "{}",
    ] {
        let line = format!(r#"consume {{"bizId":"T1","customerId":"1","amount":{amount}}}"#);
        let answer = till.ask(&line).expect("invalid", "ZV-REQUEST");
        assert_eq!(answer.errors(), ["amount"], "{amount}: {}", answer.text);
    }
    let answer =
        till.ask(r#"consume {"bizID":"T1","couponsCardList":["1","1",""],"points":1.5,"operatorId":"x"}"#);
    let mut paths = answer.errors();
    paths.sort();
    paths.dedup();
    assert_eq!(
        paths,
        ["bizID", "bizId", "couponsCardList", "couponsCardList[2]", "customerId", "operatorId", "points"],
        "{}",
        answer.text
    );
    assert!(answer.text.contains("did you mean \\\"bizId\\\"?"));
    assert_eq!(answer.json["next"], "fix_request");
    assert_eq!(simulator.requests(), 0);
}

#[test]
fn points_alone_are_refused() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let answer = till.consume(&json!({"bizId": "T1", "customerId": MEMBER, "points": 5}));
    assert_eq!(answer.expect("invalid", "ZV-REQUEST").errors(), ["amount"]);
    assert_eq!(simulator.requests(), 0);
}

#[test]
fn defaults_are_merged_and_a_request_overrides_them() {
    let simulator = Simulator::start();
    let defaults =
        json!({"defaults": {"multiMark": "S7", "deviceSn": "POS-1", "operatorId": 42, "multi_mark": "S8"}});
    let mut till = Driver::started(&config(&simulator.v2(), defaults));
    let mut request = sale("T1", "1.00");
    request["deviceSn"] = json!("POS-2");
    let answer = till.consume(&request).succeeded();
    let params = simulator.last_request()["params"].clone();
    assert_eq!(
        params,
        json!({"bizId": "T1", "customerId": MEMBER, "amount": "1.00", "deviceSn": "POS-2", "operatorId": "42", "multiMark": "S7"})
    );
    assert_eq!(answer.data()["shopBalance"], "1.00");
    till.quote(&json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER,
        "items": [{"num": 1, "trade_mark": "1", "price": "9"}]}))
        .succeeded();
    assert_eq!(simulator.last_request()["params"]["multi_mark"], "S8");
    assert!(simulator.last_request()["params"]["deviceSn"].is_null());
}

#[test]
fn several_accounts_by_name() {
    let simulator = Simulator::start();
    let account = |number: u8| {
        json!({"openId": format!("fake-open-id-for-test-only-000{number}"), "grantCode": format!("fake-grant-code-000{number}"),
            "openKey": format!("fake-open-key-for-test-only-000{number}")})
    };
    let config = json!({"endpoint": simulator.v2(), "accounts": {"north": account(1), "south": account(2)}});
    let mut till = Driver::started(&config);
    let mut sale = sale("T1", "1.00");
    for (account, sent) in [("north", 1), ("south", 2)] {
        sale["account"] = json!(account);
        let answer = till.consume(&sale).succeeded();
        // The same bizId of another account is another sale.
        assert_eq!(answer.json["replayed"], false);
        assert_eq!(simulator.requests(), sent);
        assert!(simulator.last_request()["params"]["account"].is_null());
    }
    for wrong in [json!("west"), Value::Null] {
        sale["account"] = wrong;
        let answer = till.consume(&sale).expect("invalid", "ZV-REQUEST");
        assert_eq!(answer.errors(), ["account"]);
        assert!(answer.text.contains("north, south"), "{}", answer.text);
    }
    assert_eq!(simulator.requests(), 2);
}

#[test]
fn a_payment_password_does_not_leave_over_plain_http() {
    let simulator = Simulator::start();
    let sale =
        json!({"bizId": "T1", "customerId": "383933091455959043", "amount": "1.00", "payPassword": "246810"});
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let answer = till.consume(&sale).expect("invalid", "ZV-REQUEST");
    assert_eq!(answer.errors(), ["payPassword"]);
    assert!(!answer.text.contains("246810"));
    assert_eq!(simulator.requests(), 0);
    drop(till);

    let mut till = Driver::new();
    till.log(5);
    till.init(&config(&simulator.v2(), json!({"password_over_http": true}))).succeeded();
    till.consume(&sale).succeeded();
    till.consume(
        &json!({"bizId": "T2", "customerId": "383933091455959043", "amount": "1.00", "payPassword": "13579"}),
    )
    .expect("declined", "910009");
    let logged = till.logged();
    assert!(logged.contains("T1") && logged.contains("910009"), "{logged}");
    for secret in ["246810", "13579", "fake-open-key-for-test-only-0001"] {
        assert!(!logged.contains(secret), "{logged}");
    }
}

#[test]
fn another_biz_id_in_the_answer_is_a_warning_and_under_strict_answer_unknown() {
    let policy = Policy { returned_biz_id: ReturnedBizId::Other, ..Policy::default() };
    let simulator = Simulator::with_policy(policy);
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let answer = till.consume(&sale("T1", "1.00")).succeeded();
    assert!(answer.warns("ZV-W-BIZID"), "{}", answer.text);
    assert_eq!(answer.json["bizId"], "T1");
    assert_eq!(answer.data()["bizId"], "ZV000000000001");
    let mut strict = Driver::started(&config(&simulator.v2(), json!({"strict_answer": true})));
    let answer = strict.consume(&sale("T2", "1.00")).expect("unknown", "ZV-MISMATCH");
    assert!(answer.warns("ZV-W-BIZID"), "{}", answer.text);
    assert_eq!(simulator.net("T2"), 1);
}

#[test]
fn drifted_types_make_the_same_answer() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let mut seen = Vec::new();
    for biz_id in ["T0", "T1~drifted_types:0", "T2~drifted_types:1", "T3~drifted_types:2"] {
        let answer = till
            .consume(&json!({"bizId": biz_id, "customerId": MEMBER, "couponsCardList": [FIVE_OFF], "amount": "1.00"}))
            .succeeded();
        assert!(answer.json["warnings"].as_array().unwrap().is_empty(), "{}", answer.text);
        assert_eq!(answer.data()["bizId"], biz_id);
        assert_eq!(simulator.net(biz_id), 1);
        let mut data = answer.data().clone();
        for changes in ["bizId", "recharge_amount", "total_amount"] {
            assert!(data[changes].is_string(), "{}", answer.text);
            data[changes] = Value::Null;
        }
        seen.push(data);
    }
    assert!(seen.iter().all(|data| *data == seen[0]), "{seen:#?}");
}

#[test]
fn the_cashiers_sentence_in_both_languages() {
    let simulator = Simulator::start();
    for (lang, done, unknown) in [
        ("zh-CN", "扣款成功", "结果未知，请勿重复扣款，等待核实"),
        ("en", "Payment taken.", "Not known whether it was taken. Do not charge again; wait for the check."),
    ] {
        let mut till = Driver::started(&config(&simulator.v2(), json!({"lang": lang})));
        assert_eq!(till.consume(&sale(&format!("T-{lang}"), "1.00")).succeeded().json["cashier"], done);
        let answer = till.consume(&sale(&format!("T-{lang}~reset_before"), "1.00"));
        assert_eq!(answer.expect("unknown", "ZV-LOST").json["cashier"], unknown);
    }
}

#[test]
fn ascii_answers_hold_the_same_in_ascii_only() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({"charset": "ascii"})));
    let answer = till.consume(&sale("T1", "1.00")).succeeded();
    assert!(answer.text.is_ascii());
    assert_eq!(answer.json["cashier"], "扣款成功");
    // Also a request that was refused before its text could be decoded.
    let answer = till.ask("consume {\"bizId\":\"订单1\",\"customerId\":\"1\",\"amount\":\"1\",\"备注\":1}");
    assert!(answer.text.is_ascii(), "{}", answer.text);
    assert_eq!(answer.expect("invalid", "ZV-REQUEST").errors(), ["bizId", "备注"]);
}
