//! The actions that `zv_call_json` accepts: documented reads always, actions that move value never, and others only
//! if the configuration lists them, with a warning; if the answer to such a call is lost, its result is unknown.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Driver, MEMBER, Scripted, config, gateway_answer};

fn v3(more: Value) -> Value {
    let mut config = config("https://gateway.invalid", json!({"api": "v3"}));
    let Value::Object(more) = more else { panic!("an object") };
    config.as_object_mut().unwrap().extend(more);
    config
}

/// Money moves only with the journal: in any spelling, a path or an action that moves value is refused.
#[test]
fn actions_that_move_value_cannot_be_listed() {
    for action in [
        "/v3/crm/account/decreaseBalance",
        "/v3/crm/account/decreaseBalanceReverse",
        "/V3/CRM/account/decreasebalance",
        "//v3/crm//account/./decreaseBalance/",
        "/v3/crm/account/x/../decreaseBalance",
        "/v3/crm/account/decrease%42alance",
        "/v3/crm/account/decrease%2542alance",
        "/v3/crm/account/decreaseBalance?a=1",
        "/v3/crm/account/decreaseBalance;a=1",
        "/v3/bsns/customerBalance/userRecharge",
        "/v3/bsns/customerBalance/userRechargeReverse",
        "/v3/crm/customer/customerConsume",
        "/v3/crm/customer/consumeReverse",
        "/v3/crm/coupon/couponReverse",
        "/v3/crm/coupon/writeOffCoupon",
        "/v3/crm/points/addCustomerPoints",
        "/v3/crm/points/reducePoints",
        "/v3/crm/points/reversePoints",
        "/v3/crm/giftCard/unifyCardConsume",
        "/v3/crm/giftCard/unifyCardReverse",
        "/v3/crm/giftCard/unifyCardPartReverse",
        "/v3/crm/giftCard/unifyMultiCardConsume",
        // Another host, and an empty path.
        ".invalid/v3/crm/points/anything",
        "?",
    ] {
        let answer = Driver::new().init(&v3(json!({"call_actions": [action]})));
        assert_eq!(
            (answer.outcome(), answer.errors()),
            ("invalid", vec!["call_actions[0]".to_owned()]),
            "{action}"
        );
    }
    for action in [
        "communal.user.consume",
        "Communal.User.Consume",
        "communal%2Euser.consume",
        "communal.user.coupons-vertify",
        "user.points-add",
        "coupon.off-coupon",
        "coupon.coupon-exchange",
        "the.configured-reverse",
        "THE.configured-consume",
    ] {
        let routes = json!({"reverse": {"action": "the.configured-reverse"}, "consume": {"action": "the.configured-consume"}});
        let more = json!({"call_actions": [action], "routes": routes});
        let answer = Driver::new().init(&config("https://gateway.invalid/api/v2", more));
        assert_eq!(
            (answer.outcome(), answer.errors()),
            ("invalid", vec!["call_actions[0]".to_owned()]),
            "{action}"
        );
    }
    // A base that moves value only together with the path.
    let parts =
        json!({"endpoint": "https://gateway.invalid/v3/crm/account", "call_actions": ["/decreaseBalance"]});
    assert_eq!(Driver::new().init(&v3(parts)).errors(), ["call_actions[0]"]);
}

/// A read's route cannot be used for a consume, nor can a reversal's.
#[test]
fn a_route_of_a_read_that_moves_value_is_refused() {
    for (route, value) in [
        ("member_lookup", json!({"action": "communal.user.consume"})),
        ("coupon_status", json!({"action": "user.points-add"})),
        ("quote", json!({"generation": "v3", "path": "/v3/crm/account/decreaseBalance"})),
        ("balance_by_biz_id", json!({"action": "my.consume"})),
        ("usable_coupons", json!({"action": "my.reverse"})),
        ("reverse", json!({"action": "my.consume"})),
        ("reverse", json!({"generation": "v3", "path": "/v3/crm/customer/customerConsume"})),
    ] {
        let mut routes = json!({"consume": {"action": "my.consume"}, "reverse": {"action": "my.reverse"}});
        routes[route] = value.clone();
        let answer = Driver::new().init(&config("https://gateway.invalid/api/v2", json!({"routes": routes})));
        assert_eq!(
            (answer.outcome(), answer.errors()),
            ("invalid", vec![format!("routes.{route}")]),
            "{value}"
        );
    }
}

/// A lost answer of an action that may take something does not lead to `retry`.
#[test]
fn the_lost_answer_of_a_listed_action_is_unknown() {
    const UPLOAD: &str = "/v3/bsns/order/orderUpload";
    for (body, outcome, code, next) in [
        ("", "unknown", "ZV-CALL-LOST", "stop"),
        ("<html>", "unknown", "ZV-CALL-LOST", "stop"),
        (r#"{"status":true,"code":"ok","message":"m"}"#, "unknown", "ZV-CALL-LOST", "stop"),
        (r#"{"status":false,"code":"500","message":"m"}"#, "unknown", "ZV-CALL-LOST", "stop"),
        (r#"{"status":true,"code":"110007","message":"m"}"#, "unknown", "ZV-CALL-LOST", "stop"),
        (
            r#"{"status":true,"code":0,"message":"m","data":{"status":false}}"#,
            "unknown",
            "ZV-CALL-LOST",
            "stop",
        ),
        (
            r#"{"status":true,"code":"5","message":"m","data":{"status":true,"code":0}}"#,
            "unknown",
            "ZV-CALL-LOST",
            "stop",
        ),
        (r#"{"status":true,"code":"5001","message":"m"}"#, "declined", "5001", "go_on"),
        (
            r#"{"status":true,"code":0,"message":"m","data":{"status":false,"code":5001}}"#,
            "declined",
            "5001",
            "go_on",
        ),
        (r#"{"status":false,"code":"100002","message":"m"}"#, "declined", "100002", "go_on"),
        (r#"{"status":true,"code":0,"message":"m","data":[]}"#, "succeeded", "0", "go_on"),
    ] {
        let server =
            Scripted::answering(move |_| if body.is_empty() { Vec::new() } else { gateway_answer(body) });
        let endpoint = server.url().replace("/api/v2", "");
        let more = json!({"endpoint": endpoint, "call_actions": [UPLOAD, "/v3/crm/account/queryAccountFlow"],
            "timeouts_ms": {"connect": 300, "total": 700}});
        let mut till = Driver::new();
        let started = till.init(&v3(more)).succeeded();
        let warnings = started.json["warnings"].to_string();
        assert!(started.warns("ZV-W-CALL-ACTION") && warnings.contains(UPLOAD), "{warnings}");
        assert!(!warnings.contains("queryAccountFlow"), "{warnings}");
        let answer = till.call(UPLOAD, &json!({"orderNo": "1"}));
        assert_eq!((answer.outcome(), answer.code()), (outcome, code), "{body} {}", answer.text);
        assert_eq!(answer.json["next"], next, "{body} {}", answer.text);
        // Once, whatever the answer.
        assert_eq!(server.connections(), 1, "{body}");
    }
    // Nothing was sent.
    let mut till = Driver::started(&v3(json!({"endpoint": "http://127.0.0.1:1", "call_actions": [UPLOAD]})));
    till.call(UPLOAD, &json!({})).expect("not_sent", "ZV-CONNECT");
}

/// The documented reads need not be listed; after a lost answer they may be retried.
#[test]
fn documented_reads_are_known() {
    let server = Scripted::answering(|request| {
        assert!(
            request.body.contains("balance-history") || request.body.contains("cybuy"),
            "{}",
            request.body
        );
        gateway_answer(r#"{"status":true,"code":0,"message":"m","data":{"reta_list":[]}}"#)
    });
    let mut till = Driver::started(&config(&server.url(), json!({})));
    for action in
        ["user.balance-history", "/v3/crm/giftCard/getCustomerGiftCardList", "user.cybuy-cards-canused"]
    {
        let answer = till.call(action, &json!({"user_mobile": "1"})).succeeded();
        assert_eq!(answer.data()["reta_list"], json!([]));
    }
    // A read of the other generation.
    till.call("/v3/crm/account/queryAccountFlow", &json!({})).expect("invalid", "ZV-ACTION");
    till.call("user.points-add", &json!({})).expect("invalid", "ZV-ACTION");
    let silent = Scripted::then(|_| {});
    let mut till = Driver::started(&config(&silent.url(), json!({})));
    let answer = till.call("user.balance-history", &json!({})).expect("not_sent", "ZV-NO-ANSWER");
    assert_eq!(answer.json["next"], "retry");
}

/// The answer of a sale is not accepted as the answer to another request.
#[test]
fn the_answer_of_a_sale_answers_no_other_request() {
    let server = Scripted::answering(|_| {
        gateway_answer(
            r#"{"status":true,"code":0,"message":"m","data":{"bizId":"SALE-B","total_amount":"1.00"}}"#,
        )
    });
    let mut till = Driver::started(&config(&server.url(), json!({})));
    till.consume(&json!({"bizId": "SALE-B", "customerId": MEMBER, "amount": "1.00"})).succeeded();
    till.call("member_lookup", &json!({"identifierNumber": "1", "type": 1}))
        .expect("not_sent", "ZV-NO-ANSWER");
    // A request that names its bizId.
    till.call("coupon_status", &json!({"bizId": "SALE-B"})).succeeded();
}
