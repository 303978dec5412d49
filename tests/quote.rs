//! A coupon quote end to end, in both generations of the vendor's API: the request, and the till's answer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, SAVINGS_COUPON, Scripted, Simulator, config, gateway_answer};
use zvpos_sandbox::rules::{Policy, Seed};

fn basket() -> Value {
    json!([
        {"num": 1, "trade_mark": "201909280011111", "price": "18.00"},
        {"num": "2", "trade_mark": "201909280011112", "price": 5.5},
        {"num": 1, "trade_mark": "3", "price": "0.01"},
    ])
}

fn request(coupon: &str) -> Value {
    json!({"user_coupon_id": coupon, "user_id": MEMBER, "items": basket()})
}

/// The discount and its split over the goods, in 分.
fn split(data: &Value) -> (u64, Vec<u64>) {
    let fen = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
    let goods = data["goods_item"].as_array().unwrap();
    (fen(&data["coupon_discount"]), goods.iter().map(|item| fen(&item["coupon_minus"])).collect())
}

#[test]
fn a_quote_in_both_generations() {
    let simulator = Simulator::start();
    for (api, endpoint) in [("v2", simulator.v2()), ("v3", simulator.v3())] {
        let mut till = Driver::started(&config(&endpoint, json!({"api": api})));
        for (coupon, discount, coupon_type) in [(FIVE_OFF, 500, 0), (SAVINGS_COUPON, 435, 1)] {
            let answer = till.quote(&request(coupon)).succeeded();
            let (whole, parts) = split(answer.data());
            assert_eq!(whole, discount, "{}", answer.text);
            assert_eq!(parts.len(), 3);
            assert_eq!(parts.iter().sum::<u64>(), whole, "the parts add up to the whole: {}", answer.text);
            assert_eq!(answer.data()["coupon_type"], json!(coupon_type));
            assert_eq!(answer.json["next"], "go_on");
            assert_eq!(answer.data()["userInfo"]["phone"], "13800000001");
        }
        let sent = simulator.last_request();
        let by_path = sent["path"] == "/v3/cy/customer/computeCoupon";
        assert_eq!(by_path, api == "v3", "{sent}");
        // In the vendor's samples every scalar is a string, so they are sent as strings.
        assert_eq!(
            sent["params"]["items"][1],
            json!({"num": "2", "trade_mark": "201909280011112", "price": "5.50"})
        );
    }
}

#[test]
fn a_scanned_code_needs_no_member() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let answer =
        till.quote(&json!({"user_coupon_id": "600000000001", "type": 1, "items": basket()})).succeeded();
    assert_eq!(answer.data()["coupon_discount"], "5.00");
    assert_eq!(answer.data()["user_coupon_id"], FIVE_OFF);
    assert_eq!(answer.data()["finance_payment"], "24.01");
}

#[test]
fn a_coupon_that_cannot_be_used_is_declined_with_the_gateways_words() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    for (coupon, code) in [
        ("390913439370321925", "910004"),
        ("390913439370321926", "910007"),
        ("390913439370321923", "910005"),
        ("1", "910002"),
    ] {
        let answer = till.quote(&request(coupon)).expect("declined", code);
        assert_eq!(answer.json["next"], "go_on");
        let (message, cashier) = (&answer.json["message"], answer.json["cashier"].as_str().unwrap());
        assert!(cashier.contains(message.as_str().unwrap()) && !cashier.is_empty(), "{}", answer.text);
    }
}

#[test]
fn ids_beyond_every_integer_type_are_exact() {
    let mut seed: Value = serde_json::from_str(Seed::DEFAULT_JSON).unwrap();
    seed["members"].as_array_mut().unwrap().push(json!({
        "customerId": "18446744073709551999", "memberCode": "M9", "phone": "1", "cardNo": "9",
        "nickname": "n", "recharge": "10.00", "gift": "0.00", "points": 0,
    }));
    for (id, code) in [("9223372036854775809", "R1"), ("99999999999999999999", "R2")] {
        seed["coupons"].as_array_mut().unwrap().push(json!({
            "cardId": id, "couponId": "1", "customerId": "18446744073709551999", "name": "c",
            "couponType": 0, "amount": "1.00", "timesLeft": 9, "redemptionCode": code, "couponCode": code,
        }));
    }
    let simulator = Simulator::with(Policy::default(), &seed.to_string());
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    for coupon in ["9223372036854775809", "99999999999999999999"] {
        for quote in ["", "\""] {
            let items = basket();
            let line = format!(
                r#"quote {{"user_coupon_id":{quote}{coupon}{quote},"user_id":{quote}18446744073709551999{quote},"items":{items}}}"#
            );
            till.ask(&line).succeeded();
            let sent = simulator.last_request();
            assert_eq!(sent["params"]["user_coupon_id"], coupon, "{sent}");
            assert_eq!(sent["params"]["user_id"], "18446744073709551999");
        }
        let line = format!(
            r#"consume {{"bizId":"B-{coupon}","customerId":18446744073709551999,"couponsCardList":[{coupon}]}}"#
        );
        let answer = till.ask(&line).succeeded();
        assert_eq!(answer.data()["couponsCardList"], json!([coupon]));
    }
    // The same if the gateway answers with bare numbers.
    let answer = till
        .consume(&json!({"bizId": "B~drifted_types", "customerId": "18446744073709551999",
            "couponsCardList": ["99999999999999999999"]}))
        .succeeded();
    assert_eq!(answer.data()["couponsCardList"], json!(["99999999999999999999"]));
    assert!(answer.json["warnings"].as_array().unwrap().is_empty(), "{}", answer.text);
}

#[test]
fn an_unknown_field_is_refused_and_the_nearest_one_named() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let answer = till.quote(&json!({"user_coupon_id": FIVE_OFF, "userid": MEMBER, "item": basket()}));
    assert_eq!((answer.outcome(), answer.code()), ("invalid", "ZV-REQUEST"));
    let mut paths = answer.errors();
    paths.sort();
    assert_eq!(paths, ["item", "items", "user_id", "userid"]);
    assert!(answer.text.contains("did you mean \\\"user_id\\\"?"), "{}", answer.text);
    assert!(answer.text.contains("did you mean \\\"items\\\"?"), "{}", answer.text);
    assert_eq!(simulator.requests(), 0);

    let mut open = Driver::started(&config(&simulator.v2(), json!({"pass_unknown_fields": true})));
    let mut request = request(FIVE_OFF);
    request["newField"] = json!({"x": [1, 2.50]});
    open.quote(&request).succeeded();
    assert_eq!(simulator.last_request()["params"]["newField"], json!({"x": [1, 2.50]}));
}

#[test]
fn undocumented_fields_are_returned_byte_for_byte() {
    let extra = r#"{ "b" : [1.50, 1E+2, 123456789012345], "a":"\u4e2d\/", "é":null }"#;
    let body = format!(
        r#"{{"status":1,"code":0,"message":"ok","data":{{"new_thing":{extra},"coupon_discount":4.2,"type_cate":"1","userInfo":[],"goods_item":{{"0":{{"trade_mark":7,"coupon_minus":"4.2","x":{extra}}}}}}}}}"#
    );
    let server = Scripted::answering(move |_| gateway_answer(&body));
    let mut till = Driver::started(&config(&server.url(), json!({})));
    let answer = till.quote(&request(FIVE_OFF)).succeeded();
    assert!(answer.text.contains(&format!(r#""new_thing":{extra}"#)), "{}", answer.text);
    assert!(answer.text.contains(&format!(r#""x":{extra}"#)), "{}", answer.text);
    // Documented fields keep their one type.
    assert_eq!(answer.data()["coupon_discount"], "4.20");
    assert_eq!(answer.data()["type_cate"], 1);
    assert_eq!(answer.data()["userInfo"], json!({}));
    assert_eq!(answer.data()["goods_item"][0]["trade_mark"], "7");
    assert_eq!(answer.data()["goods_item"][0]["coupon_minus"], "4.20");
}

#[test]
fn a_till_without_a_json_parser_reads_fields() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({"charset": "ascii"})));
    let answer = till.quote(&request(SAVINGS_COUPON)).succeeded();
    assert!(answer.text.is_ascii(), "{}", answer.text);
    assert!(answer.text.contains("\\u"), "the name of the coupon is Chinese: {}", answer.text);
    assert_eq!(answer.data()["user_coupon_name"], Value::Null, "only when type = 1");
    assert_eq!(till.outcome(), 0);
    assert_eq!(till.field("data.coupon_discount").as_deref(), Some("4.35"));
    assert_eq!(till.field("data.goods_item.0.trade_mark").as_deref(), Some("201909280011111"));
    assert_eq!(till.field("data.goods_item[1].trade_mark").as_deref(), Some("201909280011112"));
    assert_eq!(till.field("data.coupon_type").as_deref(), Some("1"));
    assert_eq!(till.field("replayed").as_deref(), Some("false"));
    assert_eq!(till.field("errors").as_deref(), Some("[]"));
    for nothing in
        ["data.nothing", "data.goods_item.9", "data.goods_item.x", "data.coupon_discount.x", "outcome.0"]
    {
        assert_eq!(till.field(nothing), None, "{nothing}");
    }
}

#[test]
fn the_other_reads_are_called_by_name_action_or_path() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({"routes": {"balance_by_biz_id": "v3"}})));
    for action in ["member_lookup", "communal.user.gether-customer-info"] {
        let answer = till.call(action, &json!({"identifierNumber": "13800000002", "type": 2})).succeeded();
        assert_eq!(answer.data()["customerId"], support::POOR_MEMBER);
    }
    till.call("coupon_status", &json!({"customerId": MEMBER, "useStatus": "6"})).succeeded();
    till.call("no.such", &json!({})).expect("invalid", "ZV-ACTION");
    till.call("communal.user.consume", &json!({"bizId": "X", "customerId": MEMBER, "amount": "1"}))
        .expect("invalid", "ZV-ACTION");
    till.call("consume", &json!({"bizId": "X", "customerId": MEMBER, "amount": "1"}))
        .expect("invalid", "ZV-ACTION");
    assert_eq!(simulator.net("X"), 0);
}
