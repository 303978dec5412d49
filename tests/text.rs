//! Ids, numbers and texts on input and output: one rule for ids before the guard and the journal see them, no number
//! that a host would round, and invalid texts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::{Answer, Driver, FIVE_OFF, MEMBER, Scripted, Simulator, config, gateway_answer};

/// A gateway that confirms every request, and the requests that it received.
struct Willing {
    server: Scripted,
    sent: Arc<Mutex<Vec<Value>>>,
}

impl Willing {
    fn start() -> Willing {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sent);
        let server = Scripted::answering(move |request| {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let params = &body["Params"];
            let amount = params["amount"].as_str().unwrap_or("0.00");
            let answer = json!({"status": true, "code": "0", "message": "ok", "data": {
                "bizId": params["bizId"], "coupon_discount": "5.00",
                "change_recharge_amount": amount, "change_gift_amount": "0.00"}});
            seen.lock().unwrap().push(params.clone());
            gateway_answer(&answer.to_string())
        });
        Willing { server, sent }
    }

    fn till(&self, more: Value) -> Driver {
        Driver::started(&config(&self.server.url(), more))
    }

    fn last(&self) -> Value {
        self.sent.lock().unwrap().last().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

/// A gateway that answers every request with the same bytes, and its till.
struct Answering {
    body: Arc<Mutex<Vec<u8>>>,
    till: Driver,
    _server: Scripted,
}

impl Answering {
    fn start() -> Answering {
        let body = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::clone(&body);
        let server = Scripted::answering(move |_| {
            let body = said.lock().unwrap().clone();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            [head.as_bytes(), &body].concat()
        });
        let till = Driver::started(&config(&server.url(), json!({})));
        Answering { body, till, _server: server }
    }

    /// The till, after the gateway's answer was set to this.
    fn says(&mut self, body: impl Into<Vec<u8>>) -> &mut Driver {
        *self.body.lock().unwrap() = body.into();
        &mut self.till
    }
}

fn quote() -> Value {
    json!({"user_coupon_id": "1", "user_id": "1", "items": [{"num": 1, "trade_mark": "x", "price": "9.00"}]})
}

fn refused_by_name(answer: &Answer, path: &str, shown: &str) {
    assert_eq!((answer.outcome(), answer.code()), ("invalid", "ZV-REQUEST"), "{shown}: {}", answer.text);
    assert!(answer.errors().iter().any(|error| error.starts_with(path)), "{shown}: {}", answer.text);
}

#[test]
fn what_a_scanner_adds_to_an_id_is_cut_before_it_is_sent() {
    let gateway = Willing::start();
    let mut till = gateway.till(json!({}));
    let spellings = ["38 ", " 38", "38\r\n", "\t38", "\u{feff}38", "38\u{feff}", " \t38\r\n \u{feff}"]
        .map(|text| json!(text));
    for (number, id) in spellings.into_iter().chain([json!(38)]).enumerate() {
        let sale = json!({"bizId": format!("T{number}"), "customerId": id, "amount": "1.00",
            "couponsCardList": [id], "groupId": id, "operatorId": id});
        till.consume(&sale).succeeded();
        let sent = gateway.last();
        assert_eq!(sent["customerId"], "38", "{id}");
        assert_eq!(sent["couponsCardList"], json!(["38"]), "{id}");
        assert_eq!((&sent["groupId"], &sent["operatorId"]), (&json!("38"), &json!("38")), "{id}");
        let recorded = till.look_up(&format!("T{number}")).json["recorded"]["request"].clone();
        assert_eq!((&recorded["customerId"], &recorded["couponsCardList"]), (&json!("38"), &json!(["38"])));
        let mut request = quote();
        request["user_id"] = id.clone();
        request["user_coupon_id"] = id.clone();
        request["coupon_id"] = id.clone();
        till.quote(&request).succeeded();
        let sent = gateway.last();
        for name in ["user_id", "user_coupon_id", "coupon_id"] {
            assert_eq!(sent[name], "38", "{name} {id}");
        }
    }
}

#[test]
fn an_invalid_id_is_refused_by_name() {
    let gateway = Willing::start();
    let mut till = gateway.till(json!({"guard": "off"}));
    let wrong = [
        "3.8393309145596e+17",
        "\"3.83933E+17\"",
        "383933091455959040.0",
        "-1",
        "true",
        "\"３８\"",
        "\"3\u{200b}8\"",
        "\"38\u{200b}\"",
        "\"3 8\"",
        "\"]C138\"",
        "\"38.0\"",
        "\"+38\"",
        "\"38\u{a0}\"",
        "\"38\u{3000}\"",
        "[38]",
        "{\"a\":1}",
    ];
    for id in wrong {
        for (name, value) in [
            ("customerId", id.to_owned()),
            ("groupId", id.to_owned()),
            ("operatorId", id.to_owned()),
            ("couponsCardList", format!("[{id}]")),
        ] {
            let member =
                if name == "customerId" { String::new() } else { "\"customerId\":\"1\",".to_owned() };
            let sale = format!(r#"consume {{"bizId":"E",{member}"amount":"1.00","{name}":{value}}}"#);
            refused_by_name(&till.ask(&sale), name, &sale);
        }
        for name in ["user_id", "user_coupon_id", "coupon_id"] {
            let mut request = quote();
            request.as_object_mut().unwrap().remove(name);
            let request = request.to_string();
            let line = format!(r#"quote {},"{name}":{id}}}"#, request.strip_suffix('}').unwrap());
            refused_by_name(&till.ask(&line), name, &line);
        }
    }
    // A member's id has no leading zeros, and none are cut: that would be another member.
    for id in ["0383", "00", "0000000000383933091455959041"] {
        refused_by_name(
            &till.consume(&json!({"bizId": "E", "customerId": id, "amount": "1.00"})),
            "customerId",
            id,
        );
        let mut request = quote();
        request["user_id"] = json!(id);
        refused_by_name(&till.quote(&request), "user_id", id);
    }
    // Numbers and words are not bizIds either, nor is a code valid with a scanner's additions.
    for id in ["true", "1e17", "1.5", "-1", "\"B 1\"", "\"B1 \""] {
        let sale = format!(r#"consume {{"bizId":{id},"customerId":"1","amount":"1.00"}}"#);
        refused_by_name(&till.ask(&sale), "bizId", &sale);
    }
    for code in [
        "true",
        "6e11",
        "1.5",
        "\"QR1 \"",
        "\" QR1\"",
        "\"]C1600000000001\"",
        "\"Q\u{200b}R\"",
        "\"ＱＲ\"",
        "\"\u{feff}QR1\"",
    ] {
        let sale = format!(r#"consume {{"bizId":"E","type":1,"couponsCardList":[{code}]}}"#);
        refused_by_name(&till.ask(&sale), "couponsCardList", &sale);
        let mut request = quote();
        request.as_object_mut().unwrap().remove("user_coupon_id");
        let request = request.to_string();
        for name in ["user_coupon_id", "coupon_code"] {
            let line = format!(r#"quote {},"type":1,"{name}":{code}}}"#, request.strip_suffix('}').unwrap());
            refused_by_name(&till.ask(&line), name, &line);
        }
    }
    assert_eq!(gateway.count(), 0);
}

#[test]
fn ids_and_codes_keep_their_zeros() {
    let gateway = Willing::start();
    let mut till =
        gateway.till(json!({"routes": {"consume": {"action": "communal.user.consume", "numbers": true}}}));
    till.consume(&json!({"bizId": "007", "customerId": "7", "operatorId": "007", "groupId": "0012",
        "couponsCardList": ["007", "390962138708451328"], "points": "05", "opType": "01", "amount": "0005.5"}))
        .succeeded();
    let sent = gateway.last();
    assert_eq!(sent["bizId"], "007");
    // The vendor's type of a customerId is a text.
    assert_eq!(sent["customerId"], "7");
    assert_eq!((&sent["operatorId"], &sent["groupId"]), (&json!("007"), &json!("0012")));
    assert_eq!(sent["couponsCardList"].to_string(), r#"["007",390962138708451328]"#);
    assert_eq!((&sent["points"], &sent["opType"], &sent["amount"]), (&json!(5), &json!(1), &json!("5.50")));
    till.consume(&json!({"bizId": "B2", "type": "01", "couponsCardList": ["600000000001", "0012"]}))
        .succeeded();
    let sent = gateway.last();
    assert_eq!(sent["couponsCardList"], json!(["600000000001", "0012"]), "codes are texts");
    assert_eq!(sent["type"], 1);

    let mut till =
        gateway.till(json!({"routes": {"quote": {"action": "user.user-by-coupon", "numbers": true}}}));
    let mut request = quote();
    request["user_coupon_id"] = json!("390962138708451328");
    request["items"] = json!([{"num": "02", "trade_mark": "0012", "price": "0009"}]);
    till.quote(&request).succeeded();
    let sent = gateway.last();
    assert_eq!(sent["user_coupon_id"].to_string(), "390962138708451328");
    assert_eq!(sent["items"].to_string(), r#"[{"num":2,"price":"9.00","trade_mark":"0012"}]"#);
    request["type"] = json!(1);
    till.quote(&request).succeeded();
    assert_eq!(gateway.last()["user_coupon_id"], "390962138708451328", "a code is a text");
}

#[test]
fn numbers_of_a_payment_and_a_basket_are_canonical() {
    let gateway = Willing::start();
    let mut till = gateway.till(json!({}));
    till.consume(&json!({"bizId": "B1", "customerId": "1", "amount": 0.5, "points": "005", "opType": "01",
        "couponsCardList": ["1"], "type": "00"}))
        .succeeded();
    let sent = gateway.last();
    assert_eq!(
        (&sent["amount"], &sent["points"], &sent["opType"]),
        (&json!("0.50"), &json!("5"), &json!("1"))
    );
    assert_eq!(sent["type"], "0");
    let mut request = quote();
    request["items"] = json!([{"num": "01", "trade_mark": "01", "price": "0005.5"}]);
    request["discount_price"] = json!("1");
    request["type_cate"] = json!(2);
    till.quote(&request).succeeded();
    let sent = gateway.last();
    assert_eq!(sent["items"][0], json!({"num": "1", "trade_mark": "01", "price": "5.50"}));
    assert_eq!((&sent["discount_price"], &sent["type_cate"]), (&json!("1"), &json!("2")));
}

#[test]
fn one_member_has_one_spelling_for_the_guard_and_for_a_repeated_biz_id() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&taken);
    let server = Scripted::start(move |mut stream| {
        use std::io::Write;
        while let Some(request) = support::Request::read(&mut stream) {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let params = &body["Params"];
            let biz_id = params["bizId"].as_str().unwrap().to_owned();
            seen.lock().unwrap().push(biz_id.clone());
            if biz_id == "G-1" {
                return;
            }
            let answer = json!({"status": true, "code": "0", "message": "ok",
                "data": {"bizId": biz_id, "change_recharge_amount": params["amount"]}});
            stream.write_all(&gateway_answer(&answer.to_string())).unwrap();
        }
    });
    let sale = |biz_id: &str, member: &str| json!({"bizId": biz_id, "customerId": member, "amount": "23.00"});
    let mut till = Driver::started(&config(&server.url(), json!({"guard": "member"})));
    till.consume(&sale("G-0", "39\t")).succeeded();
    let again = till.consume(&sale("G-0", " 39")).succeeded();
    assert_eq!(again.json["replayed"], true);
    assert_eq!(till.consume(&sale("G-1", MEMBER)).outcome(), "unknown");
    for spelling in [format!("{MEMBER} "), format!("\u{feff}{MEMBER}"), format!("{MEMBER}\r\n")] {
        till.consume(&sale("G-2", &spelling)).expect("not_sent", "ZV-IN-DOUBT");
    }
    assert_eq!(*taken.lock().unwrap(), ["G-0", "G-1"]);
}

#[test]
fn member_0_is_not_a_member() {
    let gateway = Willing::start();
    let mut till = gateway.till(json!({}));
    for zero in [json!(0), json!("0"), json!(" 0 ")] {
        let answer = till.consume(&json!({"bizId": "B1", "customerId": zero, "amount": "1.00"}));
        refused_by_name(&answer, "customerId", &zero.to_string());
        assert!(answer.text.contains("no such member"), "{}", answer.text);
        let mut request = quote();
        request["user_id"] = zero.clone();
        refused_by_name(&till.quote(&request), "user_id", &zero.to_string());
        assert_eq!(gateway.count(), 0);
    }
    // A scanned code needs no member, so 0 means that none is given.
    till.consume(&json!({"bizId": "B2", "type": 1, "customerId": 0, "couponsCardList": ["QR1"]})).succeeded();
    assert!(gateway.last().get("customerId").is_none(), "{}", gateway.last());
    assert_eq!(till.look_up("B2").json["recorded"]["request"]["customerId"], Value::Null);
    let again = till.consume(&json!({"bizId": "B2", "type": 1, "couponsCardList": ["QR1"]})).succeeded();
    assert_eq!(again.json["replayed"], true);
    let mut request = quote();
    request["type"] = json!(1);
    request["user_id"] = json!("0");
    till.quote(&request).succeeded();
    assert!(gateway.last().get("user_id").is_none(), "{}", gateway.last());
}

#[test]
fn a_look_up_that_finds_member_0_is_declined_in_words() {
    let mut gateway = Answering::start();
    for zero in ["0", "\"0\""] {
        let body = format!(
            r#"{{"status":true,"code":0,"message":"success","data":{{"customerId":{zero},"phone":""}}}}"#
        );
        let till = gateway.says(body);
        for action in ["member_lookup", "communal.user.gether-customer-info"] {
            let answer = till.call(action, &json!({"identifierNumber": "13900000000", "type": 2}));
            let answer = answer.expect("declined", "ZV-NO-MEMBER");
            assert_eq!(answer.json["next"], "go_on");
            assert!(answer.json["cashier"].as_str().unwrap().contains("没有"), "{}", answer.text);
        }
    }
    let till = gateway.says(r#"{"status":true,"code":0,"message":"","data":{"customerId":10,"phone":""}}"#);
    till.call("member_lookup", &json!({"identifierNumber": "M", "type": 1})).succeeded();
}

#[test]
fn a_number_that_hosts_round_warns_in_a_payment() {
    let gateway = Willing::start();
    let mut till = gateway.till(json!({}));
    let big = "383933091455959041";
    for (number, more) in [
        format!(r#""customerId":{big}"#),
        format!(r#""customerId":"1","couponsCardList":["5",{big}]"#),
        format!(r#""customerId":"1","operatorId":{big}"#),
        r#""customerId":"1","groupId":9007199254740993"#.to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let sale = format!(r#"consume {{"bizId":"W{number}","amount":"1.00",{more}}}"#);
        let answer = till.ask(&sale).succeeded();
        assert!(answer.warns("ZV-W-NUMBER"), "{sale}: {}", answer.text);
        // The same from the journal.
        assert!(till.ask(&sale).succeeded().warns("ZV-W-NUMBER"));
    }
    // A reversal by another bizId would reverse another sale.
    let answer = till.ask(&format!(r#"reverse {{"bizId":"W0","returnedBizId":{big}}}"#));
    assert!(answer.warns("ZV-W-NUMBER"), "{}", answer.text);
    for wrong in ["3.8e17", "383933091455959041.0", "true", "-1"] {
        let line = format!(r#"reverse {{"bizId":"W0","returnedBizId":{wrong}}}"#);
        refused_by_name(&till.ask(&line), "returnedBizId", &line);
    }
    assert!(
        till.ask(r#"consume {"bizId":20261122000000017,"customerId":"1","amount":"1"}"#).warns("ZV-W-NUMBER")
    );
    assert!(
        till.ask(&format!(r#"consume {{"bizId":"T","type":1,"couponsCardList":[{big}]}}"#))
            .warns("ZV-W-NUMBER")
    );
    for text in [json!(big), json!(9_007_199_254_740_991_u64)] {
        let answer = till.consume(
            &json!({"bizId": format!("B{text}").replace('"', ""), "customerId": text, "amount": "1.00"}),
        );
        assert!(!answer.succeeded().warns("ZV-W-NUMBER"));
    }
}

#[test]
fn a_note_is_cut_and_the_payment_goes_on() {
    let gateway = Willing::start();
    let mut till = gateway.till(json!({}));
    let long = "券".repeat(600);
    let answer = till
        .consume(&json!({"bizId": "B1", "customerId": "1", "amount": "1.00", "remark": long, "reason": "one\r\ntwo\n",
            "productName": "  as\tit is  ", "operatorName": "王".repeat(65)}))
        .succeeded();
    let cut: Vec<&Value> =
        answer.json["warnings"].as_array().unwrap().iter().filter(|w| w["code"] == "ZV-W-CUT").collect();
    assert_eq!(cut.len(), 4, "{}", answer.text);
    let sent = gateway.last();
    assert_eq!(sent["remark"], "券".repeat(512));
    assert_eq!(sent["reason"], "one two");
    assert_eq!(sent["operatorName"], "王".repeat(64));
    let answer = till
        .consume(&json!({"bizId": "B2", "customerId": "1", "amount": "1.00", "remark": "券".repeat(512),
            "reason": "x".repeat(256), "operatorName": " 007 "}))
        .succeeded();
    assert!(!answer.warns("ZV-W-CUT"), "{}", answer.text);
    assert_eq!(gateway.last()["operatorName"], " 007 ");
    // Everything else is refused as before.
    for (name, value) in [
        ("deviceSn", "x".repeat(129)),
        ("channel", "a\nb".to_owned()),
        ("ip", "x".repeat(65)),
        ("remark", "a\u{1}b".to_owned()),
    ] {
        let mut sale = json!({"bizId": "B3", "customerId": "1", "amount": "1.00"});
        sale[name] = json!(value);
        refused_by_name(&till.consume(&sale), name, name);
    }
    assert_eq!(gateway.count(), 2);
}

#[test]
fn integers_that_hosts_round_are_returned_as_strings() {
    let extra = r#"{ "b" : [1.50, 1E+2, 9007199254740991, 9007199254740993], "n":-9007199254740993, "s":"12345678901234567890" }"#;
    let told = r#"{"b":[1.50,1E+2,9007199254740991,"9007199254740993"],"n":"-9007199254740993","s":"12345678901234567890"}"#;
    // In a read that is only listed it is not known which fields are ids.
    let body = format!(r#"{{"status":true,"code":0,"message":"","data":{{"customerId":17,"x":{extra}}}}}"#);
    let server = Scripted::answering(move |_| gateway_answer(&body));
    let mut till = Driver::started(&config(&server.url(), json!({"call_actions": ["some.read"]})));
    let answer = till.call("some.read", &json!({})).succeeded();
    assert!(answer.text.contains(&format!(r#""data":{{"customerId":17,"x":{told}}}"#)), "{}", answer.text);
    // In a documented one, ids are strings at any size.
    for action in ["member_lookup", "coupon_status", "usable_coupons"] {
        let answer = till.call(action, &json!({"customerId": "1"})).succeeded();
        assert!(
            answer.text.contains(&format!(r#""data":{{"customerId":"17","x":{told}}}"#)),
            "{}",
            answer.text
        );
    }
    // Also in undocumented fields of a quote and a payment.
    let extra = extra.to_owned();
    let server = Scripted::answering(move |request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let biz_id = body["Params"]["bizId"].clone();
        gateway_answer(&format!(
            r#"{{"status":true,"code":0,"message":"","data":{{"bizId":{biz_id},"change_recharge_amount":"1.00","coupon_discount":"5.00","userInfo":{{"province":9007199254740993,"groupId":5}},"x":{extra}}}}}"#
        ))
    });
    let mut till = Driver::started(&config(&server.url(), json!({})));
    let answer = till.quote(&quote()).succeeded();
    assert!(answer.text.contains(&format!(r#""x":{told}"#)), "{}", answer.text);
    assert_eq!(answer.data()["userInfo"], json!({"province": "9007199254740993", "groupId": "5"}));
    assert!(answer.warns("ZV-W-FIELD"), "{}", answer.text);
    let sale = json!({"bizId": "B1", "customerId": "1", "amount": "1.00"});
    for answer in [till.consume(&sale), till.consume(&sale), till.look_up("B1")] {
        let answer = answer.succeeded();
        assert!(answer.text.contains(&format!(r#""x":{told}"#)), "{}", answer.text);
    }
}

#[test]
fn ids_of_documented_reads_are_strings_at_any_depth() {
    let mut gateway = Answering::start();
    let till = gateway.says(
        r#"{"status":true,"code":0,"message":"","data":{"list":[{"cardId":5,"couponId":6,"useStatus":0,"num":3,
            "id":7,"store_id":8,"cardIdList":[9,"10"],"amount":1.5,"paid":1,"valid":1}],"total":1,"cardNo":11}}"#,
    );
    let answer = till.call("coupon_status", &json!({"customerId": "1"})).succeeded();
    assert_eq!(
        *answer.data(),
        json!({"list": [{"cardId": "5", "couponId": "6", "useStatus": 0, "num": 3, "id": "7", "store_id": "8",
            "cardIdList": ["9", "10"], "amount": 1.5, "paid": 1, "valid": 1}], "total": 1, "cardNo": "11"})
    );
}

/// The answer of a read whose member has this nickname, byte for byte.
fn nicknamed(nickname: &[u8], more: &[u8]) -> Vec<u8> {
    [
        &br#"{"status":true,"code":"0","message":"ok","data":{"coupon_discount":"5.00","customerId":"17","userInfo":{"nickname":""#[..],
        nickname,
        br#""},"nickname":""#,
        nickname,
        br#"""#,
        more,
        br"}}",
    ]
    .concat()
}

#[test]
fn a_member_with_a_broken_name_can_be_looked_up_and_quoted() {
    let mut gateway = Answering::start();
    for (nickname, wanted) in [
        (&b"\x14Kit"[..], "\u{fffd}Kit"),
        (b"a\tb\nc", "a\u{fffd}b\u{fffd}c"),
        (br"\ud83c", "\u{fffd}"),
        (br"a\udf6db", "a\u{fffd}b"),
        (br"\ud83c\ud83c\udf6d", "\u{fffd}🍭"),
        (b"\xe7\x90", "\u{fffd}"),
        (b"\xc0\xafx\xff", "\u{fffd}\u{fffd}x\u{fffd}"),
        (b"\x14520", "\u{fffd}520"),
        (b"\\\"\x01\\\\", "\"\u{fffd}\\"),
    ] {
        let till = gateway.says(nicknamed(nickname, b""));
        for answer in [
            till.call("member_lookup", &json!({"identifierNumber": "M1", "type": 1})),
            till.call("usable_coupons", &json!({"user_id": "1"})),
            till.quote(&quote()),
        ] {
            let answer = answer.succeeded();
            assert_eq!(answer.data()["nickname"], wanted, "{nickname:?}");
            assert_eq!(answer.data()["userInfo"]["nickname"], wanted, "{nickname:?}");
            assert!(answer.warns("ZV-W-TEXT"), "{}", answer.text);
        }
    }
    let till = gateway.says(nicknamed("琦娅🍭".as_bytes(), b""));
    assert!(!till.quote(&quote()).succeeded().warns("ZV-W-TEXT"));
}

#[test]
fn names_ids_and_numbers_are_never_repaired() {
    let mut gateway = Answering::start();
    for more in [
        &b",\"a\x14\":1"[..],
        b",\"a\xff\":1",
        br#","\ud800":1"#,
        b",\"cardId\":\"1\x14\"",
        b",\"cardIdList\":[\"1\x14\"]",
        b",\"user_coupon_id\":\"1\xff\"",
        b",\"coupon_code\":\"Q\x01R\"",
        b",\"amount\":\"1\x010\"",
        b",\"coupon_discount_2\":\"1\x01.00\"",
        b",\"list\":[{\"id\":\"\x14\"}]",
    ] {
        let till = gateway.says(nicknamed(b"Kit", more));
        for answer in
            [till.call("member_lookup", &json!({"identifierNumber": "M1", "type": 1})), till.quote(&quote())]
        {
            let shown = String::from_utf8_lossy(more).into_owned();
            let answer = answer.expect("not_sent", "ZV-BROKEN-TEXT");
            assert!(!answer.json["cashier"].as_str().unwrap().contains("网络"), "{shown}: {}", answer.text);
            assert_eq!(answer.json["next"], "stop", "{shown}");
        }
    }
    // Text that is not JSON for another reason is unaffected.
    for more in [&b",\"a\":\"\x14"[..], b",\x14", b",\"a\":01", b",\"a\":\"\\x\""] {
        let till = gateway.says(nicknamed(b"Kit", more));
        till.quote(&quote()).expect("not_sent", "ZV-NO-ANSWER");
    }
}

#[test]
fn a_payment_with_broken_text_is_unknown_and_not_the_networks_fault() {
    let mut gateway = Answering::start();
    for (number, broken) in [&b"\x14"[..], br"\ud800", b"\xff"].into_iter().enumerate() {
        let biz_id = format!("B{number}");
        let body = [
            &br#"{"status":true,"code":"0","message":""#[..],
            broken,
            br#"","data":{"bizId":"B1","change_recharge_amount":"1.00"}}"#,
        ]
        .concat();
        let till = gateway.says(body);
        let answer = till
            .consume(&json!({"bizId": biz_id, "customerId": "1", "amount": "1.00"}))
            .expect("unknown", "ZV-BROKEN-TEXT");
        assert!(!answer.json["cashier"].as_str().unwrap().contains("网络"), "{}", answer.text);
        assert_eq!(till.look_up(&biz_id).outcome(), "unknown");
    }
}

#[test]
fn a_scanned_quote_needs_only_a_coupon_code() {
    let gateway = Willing::start();
    let mut till = gateway.till(json!({}));
    let mut request = quote();
    request.as_object_mut().unwrap().retain(|name, _| name == "items");
    request["type"] = json!(1);
    request["coupon_code"] = json!("C0001");
    till.quote(&request).succeeded();
    assert_eq!(gateway.last()["coupon_code"], "C0001");
    request.as_object_mut().unwrap().remove("coupon_code");
    refused_by_name(&till.quote(&request), "user_coupon_id", "neither");

    let simulator = Simulator::start();
    let code = simulator.member(MEMBER)["coupons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|coupon| coupon["cardId"] == FIVE_OFF)
        .map(|coupon| coupon["couponCode"].clone());
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    request["coupon_code"] = code.unwrap_or_default();
    if request["coupon_code"].is_string() {
        till.quote(&request).succeeded();
    }
}
