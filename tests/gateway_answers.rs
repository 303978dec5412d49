//! What counts as the gateway's answer to a consume: a complete HTTP 200 with the whole envelope and nothing else
//! (docs/money-safety.md, I3). A wrong `succeeded` or `declined` costs money.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::{Driver, MEMBER, Scripted, Simulator, config, gateway_answer};

const GOOD: &str = r#"{"status":"true","code":"0","message":"ok","data":{"status":"true","code":"0","message":"ok","change_recharge_amount":"1.00"}}"#;

fn sale(number: usize) -> Value {
    json!({"bizId": format!("T{number}"), "customerId": MEMBER, "amount": "1.00"})
}

/// Sends a consume to a server that answers these bytes and closes; returns the library's answer.
fn told(bytes: &[u8]) -> support::Answer {
    let bytes = bytes.to_vec();
    let server = Scripted::then(move |stream| {
        let _ = stream.write_all(&bytes);
    });
    let timeouts = json!({"timeouts_ms": {"connect": 500, "total": 1000}});
    Driver::started(&config(&server.url(), timeouts)).consume(&sale(1))
}

#[test]
fn bodies() {
    let data = r#""data":{"change_recharge_amount":"1.00"}"#;
    let deep = format!(
        r#"{{"status":true,"code":0,"message":"","x":{}1{},{data}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let long = format!("{GOOD}{}", " ".repeat(100_000));
    let envelope = |rest: &str| format!(r#"{{"message":"m",{rest}}}"#);
    let cases: Vec<(String, &str, &str)> = vec![
        (GOOD.to_owned(), "succeeded", "0"),
        (format!("\u{feff} \n{GOOD}\n"), "succeeded", "0"),
        (long, "succeeded", "0"),
        (envelope(&format!(r#""status":1,"code":0,{data}"#)), "succeeded", "0"),
        // Truncated, doubled, or with trailing bytes.
        (String::new(), "unknown", "ZV-NOT-GATEWAY"),
        (GOOD[..GOOD.len() - 1].to_owned(), "unknown", "ZV-NOT-GATEWAY"),
        (format!("{GOOD}{GOOD}"), "unknown", "ZV-NOT-GATEWAY"),
        (format!("{GOOD}<html>"), "unknown", "ZV-NOT-GATEWAY"),
        (format!("<html>{GOOD}"), "unknown", "ZV-NOT-GATEWAY"),
        (format!("[{GOOD}]"), "unknown", "ZV-NOT-GATEWAY"),
        (envelope(&format!(r#""status":true,"status":true,"code":0,{data}"#)), "unknown", "ZV-NOT-GATEWAY"),
        (envelope(&format!(r#""status":true,"code":0,{data},{data}"#)), "unknown", "ZV-NOT-GATEWAY"),
        (deep, "unknown", "ZV-NOT-GATEWAY"),
        // Not the whole envelope.
        (r"{}".to_owned(), "unknown", "ZV-NOT-GATEWAY"),
        (envelope(&format!(r#""status":true,{data}"#)), "unknown", "ZV-NOT-GATEWAY"),
        (envelope(&format!(r#""code":0,{data}"#)), "unknown", "ZV-NOT-GATEWAY"),
        (format!(r#"{{"status":true,"code":0,{data}}}"#), "unknown", "ZV-NOT-GATEWAY"),
        (envelope(&format!(r#""status":"maybe","code":0,{data}"#)), "unknown", "ZV-NOT-GATEWAY"),
        (envelope(&format!(r#""status":true,"code":{{}},{data}"#)), "unknown", "ZV-NOT-GATEWAY"),
        // A success without proof.
        (envelope(r#""status":true,"code":0"#), "unknown", "ZV-UNPROVEN"),
        (envelope(r#""status":true,"code":0,"data":[]"#), "unknown", "ZV-UNPROVEN"),
        (envelope(r#""status":true,"code":0,"data":null"#), "unknown", "ZV-UNPROVEN"),
        (envelope(r#""status":true,"code":0,"data":{"other":1}"#), "unknown", "ZV-UNPROVEN"),
        (
            envelope(r#""status":true,"code":0,"data":{"status":true,"code":0,"message":"ok"}"#),
            "unknown",
            "ZV-UNPROVEN",
        ),
        (envelope(&format!(r#""status":false,"code":0,{data}"#)), "unknown", "ZV-UNPROVEN"),
        (
            envelope(r#""status":true,"code":0,"data":{"status":false,"change_recharge_amount":"1.00"}"#),
            "unknown",
            "ZV-UNPROVEN",
        ),
        // A refusal of the business, outer or inner, is a refusal. An inner success with it is a contradiction.
        (envelope(r#""status":true,"code":"910001""#), "declined", "910001"),
        (envelope(r#""status":true,"code":910001,"data":null"#), "declined", "910001"),
        (
            envelope(r#""status":true,"code":0,"data":{"status":false,"code":"910001","message":"no"}"#),
            "declined",
            "910001",
        ),
        (
            envelope(
                r#""status":true,"code":1,"data":{"status":true,"code":0,"change_recharge_amount":"1.00"}"#,
            ),
            "unknown",
            "1",
        ),
        // A system error is a refusal only if it is known to precede any effect.
        (envelope(r#""status":false,"code":110004"#), "declined", "110004"),
        (envelope(r#""status":"false","code":"100002""#), "declined", "100002"),
        (envelope(r#""status":false,"code":110007"#), "unknown", "110007"),
        (envelope(r#""status":true,"code":110007"#), "unknown", "110007"),
        (envelope(r#""status":0,"code":"5""#), "unknown", "5"),
    ];
    for (body, outcome, code) in &cases {
        let answer = told(&gateway_answer(body));
        let shown = body.get(..200).unwrap_or(body);
        assert_eq!((answer.outcome(), answer.code()), (*outcome, *code), "{shown}\n{}", answer.text);
    }
}

#[test]
fn http_around_a_good_body() {
    let length = GOOD.len();
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{GOOD}\r\n");
    let plain = |line: &str| format!("{line}\r\nContent-Length: {length}\r\n\r\n{GOOD}");
    let gzip = [
        &b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n"[..],
        b"\x1f\x8b\x08\0\0\0",
    ]
    .concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (plain("HTTP/1.1 200 OK").into_bytes(), "succeeded"),
        (plain("HTTP/1.1 200 Something Else").into_bytes(), "succeeded"),
        (plain("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK").into_bytes(), "succeeded"),
        (format!("{chunked}0\r\n\r\n").into_bytes(), "succeeded"),
        (chunked.into_bytes(), "unknown"),
        (plain("HTTP/1.1 201 Created").into_bytes(), "unknown"),
        (plain("HTTP/1.1 206 Partial Content").into_bytes(), "unknown"),
        (plain("HTTP/1.1 400 Bad Request").into_bytes(), "unknown"),
        (plain("HTTP/1.1 500 Error").into_bytes(), "unknown"),
        (b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), "unknown"),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{GOOD}", length + 1).into_bytes(), "unknown"),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{GOOD}", length - 1).into_bytes(), "unknown"),
        (gzip, "unknown"),
        (GOOD.as_bytes().to_vec(), "unknown"),
        (b"\0\x01\x02 nonsense\r\n\r\n".to_vec(), "unknown"),
        (b"HTTP/1.1 200".to_vec(), "unknown"),
        (Vec::new(), "unknown"),
    ];
    for (bytes, outcome) in cases {
        let answer = told(&bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
        assert_eq!(answer.outcome(), outcome, "{shown:?}\n{}", answer.text);
    }
}

#[test]
fn a_body_that_is_not_utf8_is_not_an_answer() {
    let mut bytes = gateway_answer(&GOOD.replace("ok", "??"));
    let at = bytes.iter().rposition(|byte| *byte == b'?').unwrap();
    bytes[at] = 0xc6;
    assert_eq!(told(&bytes).expect("unknown", "ZV-BROKEN-TEXT").json["next"], "wait");
}

/// A redirect is not followed: the money would go to a server that is not configured.
#[test]
fn a_redirect_is_not_followed() {
    let simulator = Simulator::start();
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = simulator.v2();
        let answer = told(
            format!(
                "HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: {}\r\n\r\n{GOOD}",
                GOOD.len()
            )
            .as_bytes(),
        );
        answer.expect("unknown", "ZV-NOT-GATEWAY");
    }
    assert_eq!(simulator.requests(), 0);
}

/// A field of an unreadable type is passed on unchanged, and the outcome does not change.
#[test]
fn a_field_beyond_recognition_is_a_warning() {
    let body = r#"{"status":true,"code":0,"message":"ok","data":{"change_recharge_amount":"1.00","total_amount":{"a":[1]},"gift_amount":"12.345"}}"#;
    let answer = told(&gateway_answer(body)).succeeded();
    assert!(answer.warns("ZV-W-FIELD"), "{}", answer.text);
    assert_eq!(answer.data()["total_amount"], json!({"a": [1]}));
    assert_eq!(answer.data()["gift_amount"], "12.345");
    assert_eq!(answer.data()["change_recharge_amount"], "1.00");
}

/// An answer that does not match the request: a warning, and under `strict_answer` it proves nothing.
#[test]
fn an_answer_that_does_not_match_the_question() {
    for (data, warning) in [
        (r#"{"bizId":"OTHER"}"#, "ZV-W-BIZID"),
        (r#"{"couponsCardList":["1","77"]}"#, "ZV-W-COUPONS"),
        (r#"{"change_recharge_amount":"0.60","change_gift_amount":"0.50"}"#, "ZV-W-AMOUNT"),
    ] {
        let body = format!(r#"{{"status":true,"code":0,"message":"ok","data":{data}}}"#);
        let server = Scripted::answering(move |_| gateway_answer(&body));
        for (strict, outcome) in [(false, "succeeded"), (true, "unknown")] {
            let mut till = Driver::started(&config(&server.url(), json!({"strict_answer": strict})));
            let mut sale = sale(1);
            sale["couponsCardList"] = json!(["1"]);
            let answer = till.consume(&sale);
            assert_eq!(answer.outcome(), outcome, "{}", answer.text);
            assert!(answer.warns(warning), "{}", answer.text);
        }
    }
}

/// Configured codes in doubt and codes before any effect are honoured.
#[test]
fn codes_are_configuration() {
    let code = Arc::new(Mutex::new("0"));
    let answered = Arc::clone(&code);
    let server = Scripted::answering(move |_| {
        let code = answered.lock().unwrap();
        gateway_answer(&format!(r#"{{"status":false,"code":{code},"message":"m"}}"#))
    });
    let codes = json!({"codes": {"before_effect": [777], "in_doubt": ["110004", "778"]}});
    let mut till = Driver::started(&config(&server.url(), codes));
    for (number, (given, outcome)) in
        [("777", "declined"), ("778", "unknown"), ("110004", "unknown"), ("100002", "unknown")]
            .into_iter()
            .enumerate()
    {
        *code.lock().unwrap() = given;
        till.consume(&sale(number)).expect(outcome, given);
    }
}

/// A gateway that repeats the request in its message: neither the journal nor the log may contain it.
#[test]
fn a_secret_in_an_answer_is_not_stored() {
    const PASSWORD: &str = "246813579";
    const KEY: &str = "fake-open-key-for-test-only-0001";
    let words = format!("password {PASSWORD} key {KEY}");
    let refusal =
        format!(r#"{{"status":true,"code":"910001","message":"{words}","data":{{"message":"{words}"}}}}"#);
    let inner = format!(
        r#"{{"status":true,"code":"0","message":"ok","data":{{"status":false,"code":"9","message":"{words}"}}}}"#
    );
    let success = format!(
        r#"{{"status":true,"code":"0","message":"{words}","data":{{"change_recharge_amount":"1.00","payPassword":"{PASSWORD}"}}}}"#
    );
    // The whole request, as some programs show it during development.
    let echo = format!(
        r#"{{"status":true,"code":"0","message":"ok","data":{{"change_recharge_amount":"1.00","gift_amount":{{"pay_password":"{PASSWORD}"}},"request":[{{"Params":{{"amount":"1.00","payPassword":"{PASSWORD}"}}}}]}}}}"#
    );
    let no_status =
        format!(r#"{{"status":"all that was sent: {PASSWORD}","code":"{KEY}","message":"{words}"}}"#);
    // The name of a member is quoted where the answer cannot be read.
    let twice = format!(r#"{{"{KEY}":1,"{KEY}":2,"{PASSWORD}":{{"{PASSWORD}":1,"{PASSWORD}":2}}}}"#);
    for (body, outcome) in [
        (twice, "unknown"),
        (refusal, "declined"),
        (inner, "declined"),
        (success, "succeeded"),
        (echo, "succeeded"),
        (no_status, "unknown"),
    ] {
        let server = Scripted::answering(move |_| gateway_answer(&body));
        let folder = support::own_folder();
        let log = folder.join("zvpos.log");
        let journal = folder.join("journal.db");
        let more =
            json!({"password_over_http": true, "journal": journal, "log": {"path": log, "level": "trace"}});
        let mut till = Driver::started(&config(&server.url(), more));
        let mut sale = sale(1);
        sale["payPassword"] = json!(PASSWORD);
        let answer = till.consume(&sale);
        assert_eq!(answer.outcome(), outcome, "{}", answer.text);
        assert!(!answer.text.contains(PASSWORD) && !answer.text.contains(KEY), "{}", answer.text);
        drop(till);
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let Ok(bytes) = std::fs::read(&path) else { continue };
            for secret in [PASSWORD, KEY] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {}", path.display());
            }
        }
    }
}

/// Sends one sale for each body; `{id}` is replaced by the sale's bizId. Returns the answers as outcome and code.
fn told_each(more: &Value, sale: &Value, bodies: &[&str]) -> Vec<(String, String)> {
    let bodies: Vec<String> = bodies.iter().map(|body| (*body).to_owned()).collect();
    let turn = Arc::new(Mutex::new(0));
    let server = {
        let (turn, bodies) = (Arc::clone(&turn), bodies.clone());
        Scripted::answering(move |request| {
            let sent: Value = serde_json::from_str(&request.body).unwrap();
            let id = sent["Params"]["bizId"].as_str().unwrap();
            gateway_answer(&bodies[*turn.lock().unwrap()].replace("{id}", id))
        })
    };
    let mut till = Driver::started(&config(&server.url(), more.clone()));
    let mut answers = Vec::new();
    for number in 0..bodies.len() {
        *turn.lock().unwrap() = number;
        let mut sale = sale.clone();
        sale["bizId"] = json!(format!("T{number}"));
        let answer = till.consume(&sale);
        answers.push((answer.outcome().to_owned(), answer.code().to_owned()));
    }
    answers
}

fn check_each(more: &Value, sale: &Value, cases: &[(&str, &str, &str)]) {
    let bodies: Vec<&str> = cases.iter().map(|case| case.0).collect();
    for ((body, outcome, code), answer) in cases.iter().zip(told_each(more, sale, &bodies)) {
        assert_eq!(answer, ((*outcome).to_owned(), (*code).to_owned()), "{more} {body}");
    }
}

/// A complete answer of another sale that arrives while this one waits, on a connection that was clean when it was
/// checked. Wherever it names that sale, success or refusal, it proves nothing about this one.
#[test]
fn an_answer_that_names_another_sale_proves_nothing_about_this_one() {
    for late in [
        r#"{"status":true,"code":"5001","message":"used","data":{"bizId":"SALE-A"}}"#,
        r#"{"status":true,"code":0,"message":"ok","data":{"status":false,"code":5001,"message":"used","bizId":"SALE-A"}}"#,
        r#"{"status":true,"code":0,"message":"ok","data":{"status":true,"code":5001,"message":"used","bizId":"SALE-A"}}"#,
        r#"{"status":true,"code":"5001","message":"used","bizId":"SALE-A"}"#,
        r#"{"status":false,"code":"110004","message":"sign","data":{"bizId":"SALE-A"}}"#,
        r#"{"status":true,"code":"0","message":"ok","data":{"bizId":"SALE-A","change_recharge_amount":"1.00"}}"#,
        r#"{"status":true,"code":"0","message":"ok","bizId":"SALE-A","data":{"change_recharge_amount":"1.00"}}"#,
        // The gateway's own id of that sale.
        r#"{"status":true,"code":"5001","message":"used","data":{"bizId":"G-77"}}"#,
        r#"{"status":true,"code":"0","message":"ok","data":{"bizId":"G-77","change_recharge_amount":"1.00"}}"#,
    ] {
        for (strict, listed) in [(false, false), (true, false), (false, true)] {
            let server = Scripted::answering(move |request| {
                let sent = &request.body;
                if sent.contains("SALE-B") {
                    return gateway_answer(late);
                }
                let id = if late.contains("G-77") { "G-77" } else { "SALE-A" };
                gateway_answer(&format!(
                    r#"{{"status":true,"code":0,"message":"ok","data":{{"bizId":"{id}","change_recharge_amount":"1.00"}}}}"#
                ))
            });
            let codes = if listed { json!({"declined": ["5001"]}) } else { json!({}) };
            let more = json!({"strict_answer": strict, "codes": codes});
            let mut till = Driver::started(&config(&server.url(), more));
            let mut first = sale(1);
            first["bizId"] = json!("SALE-A");
            let wanted = if strict && late.contains("G-77") { "unknown" } else { "succeeded" };
            assert_eq!(till.consume(&first).outcome(), wanted);
            let mut second = sale(2);
            second["bizId"] = json!("SALE-B");
            // Under strict_answer the first one's own id is unknown.
            if wanted == "succeeded" {
                till.consume(&second).expect("unknown", "ZV-MISMATCH");
            } else {
                assert_eq!(till.consume(&second).outcome(), "unknown");
            }
        }
    }
}

/// A refusal is compared with the request, too: shown redemptions or deductions contradict it; a balance does not,
/// and an unknown bizId is a warning, as with a success.
#[test]
fn a_refusal_that_shows_a_deduction_is_not_believed() {
    let coupon = json!({"customerId": MEMBER, "couponsCardList": ["390962138708451328"]});
    for strict in [false, true] {
        check_each(
            &json!({"strict_answer": strict}),
            &coupon,
            &[
                (
                    r#"{"status":true,"code":"200","message":"success","data":{"bizId":"{id}","couponsCardList":["390962138708451328"],"gift_amount":"0.00","recharge_amount":"88.00","total_amount":"88.00"}}"#,
                    "unknown",
                    "200",
                ),
                (
                    r#"{"status":true,"code":"200","message":"success","data":{"bizId":"{id}","couponsCardList":["390962138708451328"]}}"#,
                    "unknown",
                    "200",
                ),
                (
                    r#"{"status":true,"code":"200","message":"success","data":{"cardIdList":["390962138708451328"]}}"#,
                    "unknown",
                    "200",
                ),
                (
                    r#"{"status":true,"code":"200","message":"success","couponsCardList":["390962138708451328"]}"#,
                    "unknown",
                    "200",
                ),
                (
                    r#"{"status":true,"code":"200","message":"success","data":{"bizId":"{id}","change_recharge_amount":"0.00"}}"#,
                    "unknown",
                    "200",
                ),
                (
                    r#"{"status":true,"code":"5001","message":"余额不足","data":{"bizId":"{id}","couponsCardList":[],"total_amount":"88.00"}}"#,
                    "declined",
                    "5001",
                ),
                (
                    r#"{"status":true,"code":"5001","message":"x","data":{"bizId":"somebody-else"}}"#,
                    if strict { "unknown" } else { "declined" },
                    "5001",
                ),
            ],
        );
    }
}

/// The vendor's page shows a code in words. Such a code may mean success, so it proves nothing for a payment; for a
/// read it is a refusal like any other. The vendor's refusals are listed under `codes.declined`.
#[test]
fn codes_in_words() {
    let word = r#"{"status":true,"code":"异常编码,根据不同的业务返回编码","message":"查询的信息不存在"}"#;
    let code = "异常编码,根据不同的业务返回编码";
    let one = sale(1);
    let inner = r#"{"status":true,"code":0,"message":"ok","data":{"status":false,"code":"E_LOW","message":"余额不足"}}"#;
    check_each(
        &json!({}),
        &one,
        &[
            (word, "unknown", code),
            (inner, "unknown", "E_LOW"),
            (
                r#"{"status":true,"code":"SUCCESS","message":"ok","data":{"bizId":"{id}"}}"#,
                "unknown",
                "SUCCESS",
            ),
            (
                r#"{"status":true,"code":" 0","message":"ok","data":{"bizId":"{id}"}}"#,
                "unknown",
                "ZV-NOT-GATEWAY",
            ),
            (r#"{"status":false,"code":"系统错误编码","message":"系统错误说明"}"#, "unknown", "系统错误编码"),
        ],
    );
    check_each(
        &json!({"codes": {"declined": [code, "E_LOW", "5001"]}}),
        &one,
        &[
            (word, "declined", code),
            (inner, "declined", "E_LOW"),
            // All amounts clearly zero.
            (
                r#"{"status":true,"code":"E_LOW","message":"m","data":{"change_gift_amount":"0.00","change_recharge_amount":"0.0000","storeBalance":0}}"#,
                "declined",
                "E_LOW",
            ),
            (
                r#"{"status":true,"code":"E_LOW","message":"m","data":{"change_recharge_amount":"0.01"}}"#,
                "unknown",
                "E_LOW",
            ),
            (
                r#"{"status":true,"code":"E_LOW","message":"m","data":{"change_gift_amount":"?"}}"#,
                "unknown",
                "E_LOW",
            ),
            (r#"{"status":true,"code":"E_LOW","message":"m","data":{"shopBalance":1}}"#, "unknown", "E_LOW"),
            // An inner success is a contradiction, whatever is listed.
            (
                r#"{"status":true,"code":"5001","message":"m","data":{"status":true,"code":0}}"#,
                "unknown",
                "5001",
            ),
            // Not listed, and not excluded by only_listed.
            (r#"{"status":true,"code":"5002","message":"m"}"#, "declined", "5002"),
        ],
    );
    check_each(
        &json!({"codes": {"declined": ["910001"], "only_listed": true}}),
        &one,
        &[
            (r#"{"status":true,"code":"910001","message":"余额不足"}"#, "declined", "910001"),
            (r#"{"status":true,"code":"20011","message":"交易处理中，请稍后查询结果"}"#, "unknown", "20011"),
            (
                r#"{"status":true,"code":0,"message":"ok","data":{"status":false,"code":"20011","message":"处理中"}}"#,
                "unknown",
                "20011",
            ),
            // Known to precede any effect.
            (r#"{"status":false,"code":"100002","message":"m"}"#, "declined", "100002"),
        ],
    );
    let body = word.to_owned();
    let server = Scripted::answering(move |_| gateway_answer(&body));
    let mut till = Driver::started(&config(&server.url(), json!({})));
    till.call("member_lookup", &json!({"identifierNumber": "1", "type": 1})).expect("declined", code);
    let both = json!({"codes": {"declined": ["7"], "in_doubt": ["7"]}});
    let refused = Driver::new().init(&config("https://h", both)).expect("invalid", "ZV-CONFIG");
    assert_eq!(refused.errors(), ["codes.declined"]);
}

/// `data.status` and `data.code` are the vendor's 成功或失败标识 and 代码 of the business: both refusing with an outer success
/// is a refusal, unless the code is in doubt. A code without the flag counts only if it is listed.
#[test]
fn a_refusal_inside() {
    let no = |rest: &str| format!(r#"{{"status":true,"code":0,"message":"ok","data":{{{rest}}}}}"#);
    let cases = [
        (no(r#""status":false,"code":"5001","message":"余额不足""#), "declined", "5001"),
        (
            no(r#""status":"false","code":5001,"message":"m","bizId":"{id}","change_recharge_amount":"""#),
            "declined",
            "5001",
        ),
        // 200 is a number, too: the flag refuses, or the code is listed.
        (no(r#""status":true,"code":5001,"message":"m""#), "unknown", "5001"),
        (no(r#""code":5001"#), "unknown", "5001"),
        (no(r#""status":true,"code":5009,"message":"m""#), "declined", "5009"),
        (no(r#""code":5009"#), "declined", "5009"),
        (no(r#""status":false,"code":"110007","message":"m""#), "unknown", "110007"),
        (no(r#""status":false,"code":"0","message":"m""#), "unknown", "ZV-UNPROVEN"),
        (no(r#""status":false,"message":"m""#), "unknown", "ZV-UNPROVEN"),
        (no(r#""status":false,"code":"5001","change_recharge_amount":"1.00""#), "unknown", "5001"),
        (no(r#""status":false,"code":"5001","couponsCardList":["7"]"#), "unknown", "5001"),
        (no(r#""status":false,"code":"5002""#), "unknown", "5002"),
        (
            r#"{"status":true,"code":"5001","message":"m","data":{"status":false,"code":0}}"#.to_owned(),
            "unknown",
            "5001",
        ),
    ];
    let cases: Vec<(&str, &str, &str)> = cases.iter().map(|(body, o, c)| (body.as_str(), *o, *c)).collect();
    check_each(&json!({"codes": {"in_doubt": ["110007", "5002"], "declined": ["5009"]}}), &sale(1), &cases);
}

/// The page's own sample: every status is a success, every documented field is present, and all are empty.
#[test]
fn the_vendors_own_sample() {
    let sample = r#"{ "status": "true", "code": "0", "message": "说明", "data": { "status": "true", "code": "0", "message": "操作成功", "bizId": "", "couponsCardList": "", "gift_amount": "", "recharge_amount": "", "total_amount": "", "change_gift_amount": "", "change_recharge_amount": "", "storeBalance": "", "shopBalance": "" } }"#;
    let bytes = gateway_answer(sample);
    let answer = told(&bytes).succeeded();
    assert!(answer.warns("ZV-W-EMPTY"), "{}", answer.text);
    check_each(
        &json!({}),
        &sale(1),
        &[
            (&sample.replace(r#", "shopBalance": """#, ""), "unknown", "ZV-UNPROVEN"),
            (&sample.replace(r#""bizId": "", "#, ""), "unknown", "ZV-UNPROVEN"),
            (
                &sample.replace(r#""status": "true", "code": "0", "message": "操作成功", "#, ""),
                "unknown",
                "ZV-UNPROVEN",
            ),
            (
                &sample.replace(
                    r#"{ "status": "true", "code": "0", "message": "操作"#,
                    r#"{ "code": "0", "message": "操作"#,
                ),
                "unknown",
                "ZV-UNPROVEN",
            ),
        ],
    );
    check_each(&json!({"strict_answer": true}), &sale(1), &[(sample, "unknown", "ZV-MISMATCH")]);
}

/// Amounts compare as values, and a missing requested coupon is reported.
#[test]
fn sums_are_values_and_a_missing_coupon_is_a_warning() {
    let body = r#"{"status":true,"code":"0","message":"ok","data":{"bizId":"{id}","change_recharge_amount":"1.0000","change_gift_amount":"0.0000","couponsCardList":[],"total_amount":"77.0000"}}"#;
    for strict in [false, true] {
        check_each(&json!({"strict_answer": strict}), &sale(1), &[(body, "succeeded", "0")]);
    }
    let body = body.replace("{id}", "T1");
    let server = Scripted::answering(move |_| gateway_answer(&body));
    let mut till = Driver::started(&config(&server.url(), json!({})));
    let answer = till.consume(&sale(1)).succeeded();
    assert_eq!(
        (answer.json["warnings"].clone(), &answer.data()["total_amount"]),
        (json!([]), &json!("77.00"))
    );
    for list in ["[]", r#"["1"]"#, "\"\""] {
        let body = format!(
            r#"{{"status":true,"code":0,"message":"ok","data":{{"bizId":"T2","change_recharge_amount":"1.00","couponsCardList":{list}}}}}"#
        );
        let server = Scripted::answering(move |_| gateway_answer(&body));
        for (strict, outcome) in [(false, "succeeded"), (true, "unknown")] {
            let mut till = Driver::started(&config(&server.url(), json!({"strict_answer": strict})));
            let mut sale = sale(2);
            sale["couponsCardList"] = json!(["1", "2"]);
            let answer = till.consume(&sale);
            assert_eq!(answer.outcome(), outcome, "{list} {}", answer.text);
            assert!(answer.warns("ZV-W-COUPONS"), "{list} {}", answer.text);
        }
    }
}

/// The late answer of another sale on the connection of a reversal reverses nothing: the reversal is sent again, and
/// only its own answer counts.
#[test]
fn another_sales_answer_to_a_reversal_confirms_nothing() {
    for late in [
        r#"{"status":true,"code":"0","message":"ok","data":{"bizId":"SALE-A","change_recharge_amount":"1.00"}}"#,
        r#"{"status":true,"code":"920002","message":"already","data":{"bizId":"SALE-A"}}"#,
        r#"{"status":true,"code":"920003","message":"refused","bizId":"SALE-A"}"#,
    ] {
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let server = Scripted::answering(move |request| {
            let sent: Value = serde_json::from_str(&request.body).unwrap();
            let id = sent["Params"]["bizId"].as_str().unwrap().to_owned();
            if sent["Action"] == "communal.user.consume" {
                return gateway_answer(&format!(
                    r#"{{"status":true,"code":0,"message":"ok","data":{{"bizId":"{id}","change_recharge_amount":"1.00"}}}}"#
                ));
            }
            let mut count = count.lock().unwrap();
            *count += 1;
            if *count == 1 {
                return gateway_answer(late);
            }
            gateway_answer(&format!(r#"{{"status":true,"code":0,"message":"ok","data":{{"bizId":"{id}"}}}}"#))
        });
        let mut till = Driver::started(&support::reversing(&server.url(), json!({"background": false})));
        for biz_id in ["SALE-A", "SALE-B"] {
            let mut sale = sale(1);
            sale["bizId"] = json!(biz_id);
            till.consume(&sale).succeeded();
        }
        let answer = till.reverse(&json!({"bizId": "SALE-B"}));
        assert_eq!(answer.outcome(), "unknown", "{late} {}", answer.text);
        support::until("it is asked for again", || {
            till.recover();
            *asked.lock().unwrap() >= 2
        });
        assert_eq!(till.look_up("SALE-B").outcome(), "reversed", "{late}");
    }
}
