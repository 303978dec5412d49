//! The rules from the till's side: complete requests and complete answers.
#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is passed")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_795_000_000_000;
const RICH: &str = "383933091455959041";
const POOR: &str = "383933091455959042";
const GUARDED: &str = "383933091455959043";
const ENDLESS: &str = "390962138708451328";
const ONCE: &str = "390913439370321922";
const CONSUME: &str = "communal.user.consume";
const REVERSE: &str = "sandbox.consume-reverse";

/// Every answer in these tests has a Chinese explanation, and the inspector has a text for its rule.
fn is_explained_in_both_languages(note: &Note) {
    const PAGE: &str = include_str!("../server/inspector/page/inspector/words.js");
    let Words { en, zh } = &note.explanation;
    let chinese = |text: &str| text.contains(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    assert!(!en.is_empty() && en != zh && chinese(zh), "{en} / {zh}");
    let has_words = |name: String| PAGE.contains(&format!("\n  {name}: ["));
    assert!(has_words(note.rule.to_owned()) || has_words(format!("{:?}", note.rule)), "{}", note.rule);
}

struct Till {
    gateway: Gateway,
    nonce: u64,
}

/// The parts of an answer that these tests check.
struct Heard {
    json: Value,
    note: Note,
}

impl Heard {
    fn code(&self) -> &str {
        self.json["code"].as_str().unwrap()
    }

    fn data(&self, name: &str) -> &str {
        self.json["data"][name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.json))
    }
}

impl Till {
    fn new(policy: Value) -> Self {
        let seed = Arc::new(Seed::parse(Seed::DEFAULT_JSON).unwrap());
        Self { gateway: Gateway::new(seed, serde_json::from_value(policy).unwrap()), nonce: 0 }
    }

    fn envelope(&mut self, action: &str, params: Value) -> Value {
        self.nonce += 1;
        let (nonce, timestamp) = (self.nonce.to_string(), (NOW / 1000).to_string());
        let (open_id, grant_code) = ("fake-open-id-for-test-only-0001", "fake-grant-code-0001");
        let text = format!("grantCode={grant_code}&nonce={nonce}&openId={open_id}&timestamp={timestamp}");
        json!({
            "OpenId": open_id, "GrantCode": grant_code, "Timestamp": timestamp, "Nonce": nonce,
            "Token": token("fake-open-key-for-test-only-0001", &text), "Action": action, "Params": params,
        })
    }

    fn send(&mut self, now: i64, path: &str, body: &Value) -> Heard {
        let answer = self.gateway.handle(now, "POST", path, body.to_string().as_bytes());
        is_explained_in_both_languages(&answer.note);
        Heard { json: serde_json::from_str(&answer.body.to_json()).unwrap(), note: answer.note }
    }

    fn call(&mut self, action: &str, params: Value) -> Heard {
        let body = self.envelope(action, params);
        self.send(NOW, "/api/v2", &body)
    }

    /// Sends a consume of this amount by the rich member.
    fn consume(&mut self, biz_id: &str, amount: &str) -> Heard {
        self.call(CONSUME, json!({"bizId": biz_id, "customerId": RICH, "amount": amount}))
    }

    fn reverse(&mut self, biz_id: &str) -> String {
        self.call(REVERSE, json!({"bizId": biz_id})).code().to_owned()
    }

    fn net(&self, biz_id: &str) -> i64 {
        self.gateway.ledger(Some(biz_id)).iter().map(|view| view.net).sum()
    }

    fn total(&self, customer_id: &str) -> String {
        self.gateway.member_view(customer_id, NOW).unwrap().total
    }

    fn times_left(&self, customer_id: &str, card_id: &str) -> u32 {
        let coupons = self.gateway.member_view(customer_id, NOW).unwrap().coupons;
        coupons.iter().find(|coupon| coupon.card_id == card_id).unwrap().times_left
    }
}

#[test]
fn a_consume_answers_the_vendors_fields() {
    let mut till = Till::new(json!({}));
    let heard = till.call(
        CONSUME,
        json!({"bizId": "T1", "customerId": POOR, "amount": "6.50", "points": "4",
               "couponsCardList": ["496996143645872129"], "type": "", "remark": "", "multiMark": "S1"}),
    );
    assert_eq!(
        heard.json,
        json!({"status": "true", "code": "0", "message": "操作成功", "data": {
            "status": "true", "code": "0", "message": "操作成功", "bizId": "T1",
            "couponsCardList": ["496996143645872129"], "gift_amount": "2.00", "recharge_amount": "0.00",
            "total_amount": "2.00", "change_gift_amount": "1.50", "change_recharge_amount": "5.00",
            "storeBalance": "0.00", "shopBalance": "6.50"}})
    );
    assert_eq!(heard.note.effect, 1);
    assert_eq!(till.net("T1"), 1);
    assert_eq!(till.gateway.member_view(POOR, NOW).unwrap().points, 6);
}

#[test]
fn all_or_nothing() {
    for (params, code) in [
        (json!({"amount": "8.51", "couponsCardList": ["496996143645872129"], "points": 1}), codes::BALANCE),
        (json!({"amount": "1.00", "couponsCardList": [ENDLESS]}), codes::COUPON_UNKNOWN),
        (json!({"amount": "1.00", "couponsCardList": ["496996143645872129"], "points": 11}), codes::POINTS),
        (
            json!({"amount": "1.00", "couponsCardList": ["496996143645872129"], "payPassword": "1"}),
            codes::PAY_PASSWORD,
        ),
    ] {
        let mut till = Till::new(json!({}));
        let mut params = params;
        params["bizId"] = json!("T1");
        params["customerId"] = json!(POOR);
        let heard = till.call(CONSUME, params);
        assert_eq!((heard.code(), &heard.json["status"]), (code, &json!(true)));
        assert_eq!((till.total(POOR).as_str(), till.net("T1")), ("8.50", 0));
        assert_eq!(till.times_left(POOR, "496996143645872129"), 1_000_000_000);
        assert!(till.gateway.ledger(None).is_empty());
    }
}

#[test]
fn what_the_vendors_page_demands() {
    for params in [
        json!({"customerId": RICH, "amount": "1.00"}),
        json!({"bizId": "", "customerId": RICH, "amount": "1.00"}),
        json!({"bizId": "T1", "amount": "1.00"}),
        json!({"bizId": "T1", "customerId": RICH}),
        json!({"bizId": "T1", "customerId": RICH, "points": 5}),
        json!({"bizId": "T1", "customerId": RICH, "amount": "0.00"}),
        json!({"bizId": "T1", "customerId": RICH, "amount": "1.005"}),
        json!({"bizId": "T1", "customerId": RICH, "amount": "-1"}),
        json!({"bizId": "T1", "customerId": RICH, "amount": "1", "points": "-1"}),
        json!({"bizId": "T1", "customerId": RICH, "couponsCardList": ENDLESS}),
        json!({"bizId": "T1", "customerId": RICH, "couponsCardList": [ENDLESS, ENDLESS]}),
        json!({"bizId": "T1", "customerId": RICH, "couponsCardList": [ENDLESS], "type": 2}),
        json!({"bizId": "T1", "type": 1, "amount": "1.00"}),
        json!("a text"),
        json!([]),
    ] {
        let heard = Till::new(json!({})).call(CONSUME, params.clone());
        assert_eq!((heard.code(), &heard.json["status"]), (codes::BAD_PARAMS, &json!(false)), "{params}");
    }
}

#[test]
fn coupons_by_id_and_by_scanned_code() {
    let mut till = Till::new(json!({}));
    let by_number =
        json!({"bizId": "T1", "customerId": RICH, "couponsCardList": [390_913_439_370_321_922_u64]});
    assert_eq!(till.call(CONSUME, by_number).code(), codes::SUCCESS);
    let again = json!({"bizId": "T2", "customerId": RICH, "couponsCardList": [ONCE]});
    assert_eq!(till.call(CONSUME, again).code(), codes::COUPON_USED);
    let scanned = till.call(CONSUME, json!({"bizId": "T3", "type": 1, "couponsCardList": ["600000000001"]}));
    assert_eq!(scanned.json["data"]["couponsCardList"], json!([ENDLESS]));
    for (card, code) in [
        ("390913439370321925", codes::COUPON_EXPIRED),
        ("390913439370321926", codes::COUPON_STATE),
        ("390913439370321927", codes::COUPON_USED),
        ("1", codes::COUPON_UNKNOWN),
    ] {
        let params = json!({"bizId": "T4", "customerId": RICH, "couponsCardList": [card]});
        assert_eq!(till.call(CONSUME, params).code(), code);
    }
}

#[test]
fn a_guarded_member_needs_the_password() {
    let mut till = Till::new(json!({}));
    let mut code = |password: &str| {
        let params = json!({"bizId": "T1", "customerId": GUARDED, "amount": "1", "payPassword": password});
        let heard = till.call(CONSUME, params);
        assert!(!format!("{:?}", heard.note).contains("24681"), "the password is in the note");
        heard.code().to_owned()
    };
    assert_eq!(code(""), codes::PAY_PASSWORD);
    assert_eq!(code("246811"), codes::PAY_PASSWORD);
    assert_eq!(code("246810"), codes::SUCCESS);
}

#[test]
fn a_reversal_gives_everything_back_once() {
    let mut till = Till::new(json!({}));
    let params = json!({"bizId": "T1", "customerId": RICH, "amount": "900001.00", "points": 3, "couponsCardList": [ONCE]});
    assert_eq!(till.call(CONSUME, params).code(), codes::SUCCESS);
    assert_eq!((till.total(RICH).as_str(), till.times_left(RICH, ONCE)), ("99999.00", 0));
    assert_eq!(till.call(REVERSE, json!({"bizId": "T1", "amount": "1.00"})).code(), codes::REVERSE_MISMATCH);
    assert_eq!(
        till.call(REVERSE, json!({"bizId": "T1", "customerId": POOR})).code(),
        codes::REVERSE_MISMATCH
    );
    assert_eq!(till.net("T1"), 1);
    assert_eq!(till.reverse("T1"), codes::SUCCESS);
    assert_eq!(till.reverse("T1"), codes::REVERSE_ALREADY);
    let member = till.gateway.member_view(RICH, NOW).unwrap();
    assert_eq!(
        (member.recharge.as_str(), member.gift.as_str(), member.points),
        ("900000.00", "100000.00", 1_000_000)
    );
    assert_eq!((till.net("T1"), till.times_left(RICH, ONCE)), (0, 1));
    assert_eq!(till.reverse("T2"), codes::REVERSE_NOT_FOUND);
    // A late original after a reversal that was answered "not found" is executed.
    assert_eq!(till.consume("T2", "1").code(), codes::SUCCESS);
    assert_eq!(till.net("T2"), 1);
}

#[test]
fn a_coupon_reversal_leaves_the_balance_taken() {
    let mut till = Till::new(json!({}));
    till.call(
        CONSUME,
        json!({"bizId": "T1", "customerId": RICH, "amount": "1.00", "couponsCardList": [ONCE]}),
    );
    let reverse =
        |till: &mut Till| till.call("sandbox.coupon-reverse", json!({"bizId": "T1"})).code().to_owned();
    assert_eq!(reverse(&mut till), codes::SUCCESS);
    assert_eq!((till.net("T1"), till.times_left(RICH, ONCE), till.total(RICH).as_str()), (1, 1, "999999.00"));
    assert_eq!(reverse(&mut till), codes::REVERSE_ALREADY);
    assert_eq!(till.reverse("T1"), codes::SUCCESS);
    assert_eq!(
        (till.net("T1"), till.times_left(RICH, ONCE), till.total(RICH).as_str()),
        (0, 1, "1000000.00")
    );
    till.call(CONSUME, json!({"bizId": "T2", "customerId": RICH, "couponsCardList": [ONCE]}));
    let params = json!({"bizId": "T2", "couponsCardList": [ONCE]});
    assert_eq!(till.call("sandbox.coupon-reverse", params).note.effect, -1);
    assert_eq!(till.net("T2"), 0);
}

#[test]
fn the_same_biz_id_again() {
    let mut till = Till::new(json!({}));
    let first = till.consume("T1", "2.00");
    till.consume("T2", "3.00");
    let again = till.consume("T1", "2.00");
    assert_eq!((&again.json, again.note.effect, till.net("T1")), (&first.json, 0, 1));
    assert_eq!(till.total(RICH), "999995.00");

    let mut till = Till::new(json!({"same_biz_id": "duplicate"}));
    assert_eq!(till.consume("T1", "2.00").code(), codes::SUCCESS);
    assert_eq!((till.consume("T1", "2.00").code(), till.net("T1")), (codes::DUPLICATE, 1));

    let mut till = Till::new(json!({"same_biz_id": "again"}));
    till.consume("T1", "2.00");
    assert_eq!((till.consume("T1", "2.00").code(), till.net("T1")), (codes::SUCCESS, 2));
    assert_eq!((till.reverse("T1").as_str(), till.net("T1")), (codes::SUCCESS, 0));
}

#[test]
fn another_biz_id_in_the_answer() {
    let mut till = Till::new(json!({"returned_biz_id": "other", "reverse_by_sent": false}));
    let returned = till.consume("T1", "2.00").data("bizId").to_owned();
    assert_ne!(returned, "T1");
    assert_eq!((till.reverse("T1").as_str(), till.net("T1")), (codes::REVERSE_NOT_FOUND, 1));
    assert_eq!((till.reverse(&returned).as_str(), till.net("T1")), (codes::SUCCESS, 0));

    let mut till = Till::new(json!({"returned_biz_id": "other"}));
    till.consume("T1", "2.00");
    assert_eq!((till.reverse("T1").as_str(), till.net("T1")), (codes::SUCCESS, 0));
}

#[test]
fn the_switches_of_a_reversal() {
    let mut till = Till::new(json!({"reversal_acts_twice": true}));
    till.consume("T1", "2.00");
    till.reverse("T1");
    assert_eq!((till.reverse("T1").as_str(), till.net("T1")), (codes::SUCCESS, -1));
    assert_eq!(till.total(RICH), "1000002.00");

    let mut till = Till::new(json!({"refuse_reversals": true}));
    till.consume("T1", "2.00");
    assert_eq!((till.reverse("T1").as_str(), till.net("T1")), (codes::REVERSE_REFUSED, 1));

    let mut till = Till::new(json!({"already_reversed": "success"}));
    till.consume("T1", "2.00");
    till.reverse("T1");
    assert_eq!((till.reverse("T1").as_str(), till.net("T1")), (codes::SUCCESS, 0));

    let mut till = Till::new(json!({"unknown_reversal": "success", "remember_unknown_reversals": true}));
    assert_eq!(till.reverse("T1"), codes::SUCCESS);
    assert_eq!((till.consume("T1", "2.00").code(), till.net("T1")), (codes::REVERSED_BEFORE, 0));

    let mut till = Till::new(json!({"reversal_window_ms": 5000}));
    till.consume("T1", "2.00");
    let mut at = |now: i64| {
        let body = till.envelope(REVERSE, json!({"bizId": "T1"}));
        till.send(now, "/api/v2", &body).code().to_owned()
    };
    assert_eq!(at(NOW + 5001), codes::REVERSE_TOO_LATE);
    assert_eq!(at(NOW + 5000), codes::SUCCESS);
}

#[test]
fn refusals_with_an_effect() {
    let mut till = Till::new(json!({"refusals": "partial"}));
    let heard = till.call(
        CONSUME,
        json!({"bizId": "T1", "customerId": POOR, "amount": "1.00", "couponsCardList": ["1"]}),
    );
    assert_eq!((heard.code(), heard.note.effect), (codes::COUPON_UNKNOWN, 1));
    assert_eq!((till.total(POOR).as_str(), till.net("T1")), ("7.50", 1));

    let mut till = Till::new(json!({"refusals": "full_effect"}));
    assert_eq!((till.consume("T1", "2.00").code(), till.net("T1")), (codes::FAILED_AFTER_EFFECT, 1));
}

#[test]
fn a_wrong_signature_is_explained() {
    let explained = |policy: Value, field: &str, change: &dyn Fn(&str) -> String| {
        let mut till = Till::new(policy);
        let mut body = till.envelope(CONSUME, json!({"bizId": "T1", "customerId": RICH, "amount": "1"}));
        body[field] = json!(change(body[field].as_str().unwrap()));
        let heard = till.send(NOW, "/api/v2", &body);
        assert_eq!((heard.code(), till.net("T1")), (codes::SIGNATURE, 0));
        (heard.json["message"].as_str().unwrap().to_owned(), heard.note.explanation.en)
    };
    let plain = |token: &str| token.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let (message, explanation) = explained(json!({}), "Token", &plain);
    assert!(message.contains("not percent-encoded"), "{message}");
    for part in ["grantCode=fake-grant-code-0001&nonce=1&openId=", "expected", "received", "%3D"] {
        assert!(explanation.contains(part), "{part} is not in {explanation}");
    }
    let said = |policy: Value, field: &str, change: &dyn Fn(&str) -> String, part: &str| {
        let (message, _) = explained(policy, field, change);
        assert!(message.contains(part), "{part} is not in {message}");
    };
    said(json!({}), "Token", &|token| token.replace('%', "%25"), "twice");
    said(json!({}), "Token", &|_| "x".into(), "openKey differs");
    said(json!({}), "OpenId", &|_| "nobody".into(), "unknown openId");
    said(json!({}), "GrantCode", &|_| "other".into(), "grantCode");
    said(json!({"sign_names": "as_sent"}), "Action", &str::to_owned, "other case");
    said(json!({"clock_offset_ms": 601_000}), "Action", &str::to_owned, "-601");
    said(json!({"clock_offset_ms": -601_000}), "Action", &str::to_owned, "601");
}

#[test]
fn the_window_and_the_nonce() {
    let mut till = Till::new(json!({"clock_offset_ms": 600_000}));
    assert_eq!(till.consume("T1", "1").code(), codes::SUCCESS);
    let body = till.envelope(CONSUME, json!({"bizId": "T2", "customerId": RICH, "amount": "1"}));
    assert_eq!(till.send(NOW, "/api/v2", &body).code(), codes::SUCCESS);
    assert_eq!(till.send(NOW, "/api/v2", &body).code(), codes::NONCE);
    // A nonce is forgotten only if there are too many.
    till.gateway.set_policy(Policy { nonces_max: 1, clock_offset_ms: 600_000, ..Policy::default() });
    till.consume("T3", "1");
    till.consume("T4", "1");
    assert_eq!(till.send(NOW, "/api/v2", &body).code(), codes::SUCCESS);
}

#[test]
fn names_as_sent() {
    let mut till = Till::new(json!({"sign_names": "as_sent"}));
    let mut body = till.envelope(CONSUME, json!({"bizId": "T1", "customerId": RICH, "amount": "1"}));
    let text = format!(
        "GrantCode=fake-grant-code-0001&Nonce=1&OpenId=fake-open-id-for-test-only-0001&Timestamp={}",
        NOW / 1000
    );
    body["Token"] = json!(token("fake-open-key-for-test-only-0001", &text));
    assert_eq!(till.send(NOW, "/api/v2", &body).code(), codes::SUCCESS);
}

#[test]
fn every_operation_answers_in_both_generations() {
    let params = |operation: Operation| match operation {
        Operation::Consume => {
            json!({"bizId": "T1", "customerId": RICH, "amount": "2.00", "couponsCardList": [ONCE]})
        }
        Operation::Quote => json!({"user_coupon_id": ENDLESS, "user_id": RICH,
            "items": [{"num": "2", "trade_mark": "a", "price": "1.50"}, {"num": 1, "trade_mark": "b", "price": 4}]}),
        Operation::Reverse | Operation::CouponReverse | Operation::BalanceByBiz => json!({"bizId": "T1"}),
        Operation::CouponStatus => json!({"customerId": RICH, "useStatus": "0"}),
        Operation::Member => json!({"identifierNumber": "13800000001", "type": "2"}),
        Operation::Usable => {
            json!({"user_code": "M0001", "trade_marks": [{"num": 1, "trade_mark": "a", "price": "50"}]})
        }
    };
    let order = [0, 1, 4, 3, 2, 5, 6, 7];
    let mut answers = Vec::new();
    let (mut v2, mut v3) = (Till::new(json!({})), Till::new(json!({})));
    for (operation, action, path) in order.map(|at: usize| ROUTES[at]) {
        let params = params(operation);
        let heard = v2.call(action, params.clone());
        assert_eq!((heard.code(), heard.note.operation), (codes::SUCCESS, Some(operation)), "{}", heard.json);
        let envelope = v3.envelope("", params);
        let body = json!({
            "openId": envelope["OpenId"], "grantCode": envelope["GrantCode"], "timestamp": envelope["Timestamp"],
            "nonce": envelope["Nonce"], "token": envelope["Token"], "params": envelope["Params"],
        });
        assert_eq!(v3.send(NOW, path, &body).json, heard.json);
        answers.push(heard);
    }
    let quote = &answers[1];
    assert_eq!(quote.data("coupon_discount"), "5.00");
    assert_eq!(
        quote.json["data"]["goods_item"],
        json!([{"trade_mark": "a", "coupon_minus": "2.14"}, {"trade_mark": "b", "coupon_minus": "2.86"}])
    );
    assert!(quote.json["data"]["user_coupon_id"].is_null(), "only with type = 1");
    assert_eq!(answers[2].data("amount"), "2.00");
    assert_eq!(answers[2].data("changeTime"), "2026-11-18 19:06:40");
    assert!(answers[5].json["data"].as_array().unwrap().iter().all(|coupon| coupon["useStatus"] == "0"));
    assert_eq!(answers[6].data("customerId"), RICH);
    let usable: Vec<_> = answers[7].json["data"].as_array().unwrap().iter().map(|c| &c["cardId"]).collect();
    assert!(
        usable.contains(&&json!(ENDLESS)) && !usable.contains(&&json!("390913439370321923")),
        "{usable:?}"
    );
    assert_eq!(v2.call("sandbox.balance-by-biz", json!({"bizId": "T1"})).code(), codes::NOT_FOUND);
    assert_eq!(v2.call("no.such-action", json!({})).code(), codes::UNKNOWN_OPERATION);
}

#[test]
fn a_quote_by_scanned_code_names_the_coupon() {
    let mut till = Till::new(json!({}));
    let items = json!([{"num": 1, "trade_mark": "a", "price": "100"}]);
    let heard = till
        .call("user.user-by-coupon", json!({"user_coupon_id": "600000000002", "type": 1, "items": items}));
    assert_eq!(heard.data("user_coupon_id"), "390913439370321921");
    assert_eq!((heard.data("coupon_discount"), heard.data("finance_payment")), ("15.00", "85.00"));
    assert_eq!((heard.data("amount"), heard.data("coupon_type")), ("8.50", "1"));
    let quote = |till: &mut Till, coupon: Value| {
        let mut params = coupon;
        params["items"] = json!([{"num": 1, "trade_mark": "a", "price": "99.99"}]);
        till.call("user.user-by-coupon", params).code().to_owned()
    };
    assert_eq!(quote(&mut till, json!({"coupon_code": "C0001", "user_id": RICH})), codes::SUCCESS);
    assert_eq!(quote(&mut till, json!({"coupon_code": "C0004", "user_id": RICH})), codes::COUPON_MIN_SPEND);
    assert_eq!(quote(&mut till, json!({"coupon_code": "C0005", "user_id": RICH})), codes::COUPON_GOODS);
    assert_eq!(quote(&mut till, json!({"coupon_code": "C0006", "user_id": RICH})), codes::COUPON_EXPIRED);
    assert_eq!(quote(&mut till, json!({"coupon_code": "C0001", "user_id": POOR})), codes::COUPON_UNKNOWN);
    assert_eq!(quote(&mut till, json!({"coupon_code": "C0001"})), codes::BAD_PARAMS);
    assert_eq!(quote(&mut till, json!({"user_id": RICH})), codes::BAD_PARAMS);
}

#[test]
fn two_accounts_may_use_one_biz_id() {
    let mut till = Till::new(json!({}));
    till.consume("T1", "1");
    let mut body = till.envelope(CONSUME, json!({"bizId": "T1", "customerId": POOR, "amount": "1"}));
    body["OpenId"] = json!("fake-open-id-for-test-only-0002");
    body["GrantCode"] = json!("fake-grant-code-0002");
    let text = format!(
        "grantCode=fake-grant-code-0002&nonce=2&openId=fake-open-id-for-test-only-0002&timestamp={}",
        NOW / 1000
    );
    body["Token"] = json!(token("fake-open-key-for-test-only-0002", &text));
    assert_eq!(till.send(NOW, "/api/v2", &body).code(), codes::SUCCESS);
    assert_eq!((till.net("T1"), till.gateway.ledger(Some("T1")).len()), (2, 2));
    till.gateway.reset();
    assert!(till.gateway.ledger(None).is_empty());
    assert_eq!(till.total(POOR), "8.50");
}
