//! What counts as proof, case by case, and a property: never more than the answer's bytes say.

use super::*;
use crate::money::Amount;
use proptest::prelude::*;
use proptest::sample::Index;
use std::fmt::Write;

mod handed_on;
mod proofs;

fn asked() -> (BizId, Identity) {
    let identity = Identity {
        customer_id: Some("1".into()),
        kind: None,
        amount: crate::money::Amount::parse("3.50").ok(),
        coupons: vec!["7".into()],
        points: None,
    };
    (BizId::new("B1").unwrap(), identity)
}

fn judge_with(body: &str, strict: bool) -> Verdict {
    let (biz_id, identity) = asked();
    match Envelope::read(200, body.as_bytes()) {
        Ok(envelope) => {
            envelope.judge_consume(&biz_id, &identity, &CodeRules::default(), strict, &|id| id == "A1")
        }
        Err(doubt) => Verdict::Doubt(doubt),
    }
}

fn judge(body: &str) -> &'static str {
    match judge_with(body, false) {
        Verdict::Accepted(_) => "accepted",
        Verdict::Refused(_) => "refused",
        Verdict::Doubt(_) => "doubt",
    }
}

#[test]
fn proves_a_success_only_by_the_whole_envelope() {
    for (body, wanted) in [
        (
            r#"{"status":"true","code":"0","message":"","data":{"status":"true","code":"0","message":"","bizId":"B1"}}"#,
            "accepted",
        ),
        (
            r#"{"status":true,"code":0,"message":null,"data":{"status":1,"code":"0","total_amount":"1"}}"#,
            "accepted",
        ),
        (r#"{"status":1,"code":0,"message":"","data":{"bizId":"B1"}}"#, "accepted"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":true,"code":0,"message":"ok"}}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":{"unheard_of":1}}"#, "doubt"),
        // An empty form proves nothing about a sale.
        (r#"{"status":true,"code":0,"message":"","data":{"bizId":""}}"#, "doubt"),
        (
            r#"{"status":true,"code":0,"message":"","data":{"couponsCardList":[],"gift_amount":null}}"#,
            "doubt",
        ),
        (r#"{"status":true,"code":0,"message":""}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":[]}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":null}"#, "doubt"),
        (r#"{"status":true,"code":0,"data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":"yes","code":0,"message":"","data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":0.0,"message":"","data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":"","message":"","data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":"00","message":"","data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":false,"code":0,"message":"","data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":0,"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":"","bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"status":true,"code":0,"message":"","data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":{"bizId":"B1"}} {}"#, "doubt"),
        (r#"[{"status":true,"code":0,"message":"","data":{"bizId":"B1"}}]"#, "doubt"),
        ("<html>Welcome</html>", "doubt"),
        ("", "doubt"),
    ] {
        assert_eq!(judge(body), wanted, "{body}");
    }
    let good = r#"{"status":true,"code":0,"message":"","data":{"bizId":"B1"}}"#;
    for status in [201, 204, 301, 302, 400, 500, 502] {
        assert!(Envelope::read(status, good.as_bytes()).is_err(), "{status}");
    }
}

#[test]
fn distinguishes_a_refusal_from_a_doubt() {
    for (body, wanted) in [
        (r#"{"status":true,"code":"40001","message":"余额不足"}"#, "refused"),
        (r#"{"status":true,"code":-1,"message":"no"}"#, "refused"),
        (
            r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"40001","message":"余额不足"}}"#,
            "refused",
        ),
        (r#"{"status":false,"code":110004,"message":"sign"}"#, "refused"),
        (r#"{"status":false,"code":"100002","message":"params"}"#, "refused"),
        (r#"{"status":false,"code":"110007","message":"nonce"}"#, "doubt"),
        (r#"{"status":true,"code":"110007","message":"nonce"}"#, "doubt"),
        // A code in doubt remains in doubt, whatever else the answer says.
        (r#"{"status":true,"code":"110007","message":"nonce","data":{"code":"40001"}}"#, "doubt"),
        (r#"{"status":true,"code":"40001","message":"","data":{"code":"110007"}}"#, "doubt"),
        (r#"{"status":false,"code":"999999","message":"system"}"#, "doubt"),
        // The inner flag is the business's own refusal; a flag without a code, or with a code of 0, proves nothing.
        (
            r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"500","bizId":"B1"}}"#,
            "refused",
        ),
        (r#"{"status":true,"code":"500","message":"","data":{"status":false}}"#, "refused"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":false,"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":"500","message":"","data":{"status":false,"code":0}}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"110007"}}"#, "doubt"),
        // Redeemed coupons or amounts taken; a balance is neither.
        (r#"{"status":true,"code":"500","message":"","data":{"couponsCardList":["7"]}}"#, "doubt"),
        (r#"{"status":true,"code":"500","message":"","data":{"change_gift_amount":"0.00"}}"#, "doubt"),
        (r#"{"status":true,"code":"500","message":"","data":{"total_amount":"88.00"}}"#, "refused"),
        // A code in words may mean success.
        (r#"{"status":true,"code":"SUCCESS","message":"","data":{"bizId":"B1"}}"#, "doubt"),
        (r#"{"status":true,"code":"5001a","message":""}"#, "doubt"),
        // A refusal in the data needs the flag that refuses: 200 may be a number that means success.
        (r#"{"status":true,"code":0,"message":"","data":{"status":true,"code":"200"}}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":{"code":"200","total_amount":"9.00"}}"#, "doubt"),
        (r#"{"status":true,"code":"40001","message":"","data":{"status":true,"code":"40001"}}"#, "doubt"),
        (r#"{"status":true,"code":"40001","message":"","data":{"status":true}}"#, "doubt"),
        (r#"{"status":true,"code":0,"message":"","data":{"code":"110004"}}"#, "refused"),
        // An amount taken counts wherever it is shown, in any spelling.
        (r#"{"status":true,"code":"500","message":"","data":[{"change_recharge_amount":"3.50"}]}"#, "doubt"),
        (r#"{"status":true,"code":"500","message":"","data":[{"couponsCardList":["7"]}]}"#, "doubt"),
        (
            r#"{"status":true,"code":"500","message":"","data":"{\"change_recharge_amount\":\"3.50\"}"}"#,
            "doubt",
        ),
        (
            r#"{"status":true,"code":"500","message":"","data":{"result":{"changeRechargeAmount":"3.50"}}}"#,
            "doubt",
        ),
        (r#"{"status":true,"code":"500","message":"","result":{"cardIdList":["7"]}}"#, "doubt"),
        (r#"{"status":true,"code":"500","message":"","data":[{"total_amount":"88.00"}]}"#, "refused"),
        (r#"{"status":true,"code":"500","message":"[couponsCardList] 错误","data":"{"}"#, "refused"),
        // Another sale's answer, wherever its bizId is named.
        (r#"{"status":true,"code":"500","message":"","data":{"bizId":"A1"}}"#, "doubt"),
        (r#"{"status":true,"code":"500","message":"","bizId":" A1 "}"#, "doubt"),
        (r#"{"status":true,"code":"500","message":"","bizId":"A2"}"#, "refused"),
        (
            r#"{"status":true,"code":"40001","message":"","data":{"status":true,"code":0,"bizId":"B1"}}"#,
            "doubt",
        ),
        (r#"{"status":false,"code":"110004","message":"","data":{"code":0}}"#, "doubt"),
    ] {
        assert_eq!(judge(body), wanted, "{body}");
    }
    let Verdict::Refused(refusal) = judge_with(
        r#"{"status":true,"code":0,"message":"ok","data":{"status":false,"code":"40001","message":"余额不足"}}"#,
        false,
    ) else {
        panic!()
    };
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("40001", "余额不足"));
}

#[test]
fn strict_makes_a_mismatch_a_doubt() {
    let body = r#"{"status":true,"code":0,"message":"","data":{"bizId":"B2","couponsCardList":[7]}}"#;
    assert!(matches!(judge_with(body, false), Verdict::Accepted(accepted) if accepted.warnings().len() == 1));
    assert!(matches!(judge_with(body, true), Verdict::Doubt(doubt) if doubt.kind.text == "ZV-MISMATCH"));
    let body = r#"{"status":true,"code":"5","message":"no","data":{"bizId":"B2"}}"#;
    assert!(matches!(judge_with(body, false), Verdict::Refused(refusal) if refusal.warnings.len() == 1));
    let Verdict::Doubt(doubt) = judge_with(body, true) else { panic!() };
    assert_eq!((doubt.kind.text, doubt.code.as_str(), doubt.answered), ("ZV-MISMATCH", "5", false));
    // A refusal inside the data has the code there.
    let data = r#"{"status":false,"code":"5","message":"no","bizId":"B2"}"#;
    let body = format!(r#"{{"status":true,"code":0,"message":"","data":{data}}}"#);
    let Verdict::Doubt(doubt) = judge_with(&body, true) else { panic!() };
    assert_eq!((doubt.kind.text, doubt.code.as_str()), ("ZV-MISMATCH", "5"));
}

#[test]
fn the_answer_of_another_sale_leaves_the_request_on_its_way() {
    for body in [
        r#"{"status":true,"code":0,"message":"","data":{"bizId":"A1"}}"#,
        r#"{"status":true,"code":"5","message":"","data":{"bizId":"A1"}}"#,
        r#"{"status":false,"code":"110004","message":"","bizId":"A1"}"#,
    ] {
        for strict in [false, true] {
            let Verdict::Doubt(doubt) = judge_with(body, strict) else { panic!("{body}") };
            assert_eq!((doubt.kind.text, doubt.answered), ("ZV-MISMATCH", false), "{body}");
            assert_eq!(doubt.returned_biz_id.as_deref(), Some("A1"), "{body}");
        }
    }
}

#[test]
fn only_an_answer_that_shows_the_deduction_proves_that_the_request_has_arrived() {
    for (body, answered) in [
        (r#"{"status":true,"code":"110007","message":"","data":null}"#, false),
        (r#"{"status":false,"code":504,"message":"upstream timed out","data":null}"#, false),
        (r#"{"status":true,"code":0,"message":"accepted","data":null}"#, false),
        (r#"{"status":true,"code":"0","message":"","data":{"status":false,"bizId":"B1"}}"#, false),
        (
            r#"{"status":true,"code":"5","message":"","data":{"bizId":"B1","change_recharge_amount":"3.50"}}"#,
            false,
        ),
        (
            r#"{"status":true,"code":"5","message":"","data":{"bizId":"B1","change_recharge_amount":"3.50","couponsCardList":["7"]}}"#,
            true,
        ),
        (
            r#"{"status":true,"code":"5","message":"","bizId":" B1","change_gift_amount":"3.50","couponsCardList":["7"]}"#,
            false,
        ),
        (
            r#"{"status":true,"code":"5","message":"","data":{"bizId":"B2","change_recharge_amount":"3.50","couponsCardList":["7"]}}"#,
            false,
        ),
        (
            r#"{"status":true,"code":"5","message":"","data":{"bizId":"B1","change_recharge_amount":"3.00","couponsCardList":["7"]}}"#,
            false,
        ),
        (r#"{"status":true,"code":"5","message":"","data":{"bizId":"B1","couponsCardList":["7"]}}"#, false),
    ] {
        let Verdict::Doubt(doubt) = judge_with(body, false) else { panic!("{body}") };
        assert_eq!(doubt.answered, answered, "{body}");
    }
}

#[test]
fn a_signed_amount_proves_only_what_the_route_configures() {
    for (amount, sign, taken) in [
        ("\"3.00\"", Sign::Unknown, true),
        ("3", Sign::Unknown, true),
        ("\"3.0000\"", Sign::Unknown, true),
        ("\"-3.00\"", Sign::Unknown, false),
        ("\"+3.00\"", Sign::Unknown, false),
        ("-3", Sign::MinusIsTaken, true),
        ("\"3.00\"", Sign::MinusIsTaken, false),
        ("\"--3.00\"", Sign::MinusIsTaken, false),
        ("\"+3.00\"", Sign::PlusIsTaken, true),
        ("3.0", Sign::PlusIsTaken, true),
        ("-3.00", Sign::PlusIsTaken, false),
        ("\"\"", Sign::Unknown, false),
        ("{}", Sign::PlusIsTaken, false),
    ] {
        let body =
            format!(r#"{{"status":true,"code":0,"message":"","data":{{"bizId":"B1","amount":{amount}}}}}"#);
        let envelope = Envelope::read(200, body.as_bytes()).unwrap();
        let wanted = taken.then(|| Amount::parse("3.00").unwrap());
        // An amount that cannot be read still proves that the record exists.
        assert_eq!(envelope.balance_record(sign), Some(("B1", wanted)), "{amount} {sign:?}");
    }
}

#[test]
fn coupon_status_is_read_from_both_forms_and_only_for_single_use_coupons() {
    for (data, unused) in [
        (r#"[{"cardId":"7","useStatus":"0"}]"#, true),
        (r#"[{"cardId":7,"useStatus":0}]"#, true),
        (r#"{"list":[{"cardId":7,"useStatus":0}],"total":1}"#, true),
        (r#"{"list":[{"cardId":"7","useStatus":"0","couponType":1}],"total":"1"}"#, true),
        (r#"{"list":[{"cardId":"7","useStatus":"0"}]}"#, true),
        (r#"{"list":[{"cardId":"7","useStatus":"1"}],"total":1}"#, false),
        // One page of several: another row of the same coupon may be on the next page.
        (r#"{"list":[{"cardId":"7","useStatus":"0"}],"total":2}"#, false),
        (r#"{"list":[{"cardId":"7","useStatus":"0"}],"total":"many"}"#, false),
        (r#"{"list":[],"total":0}"#, false),
        (r#"{"list":"","total":0}"#, false),
        (r#"{"rows":[{"cardId":"7","useStatus":"0"}]}"#, false),
        (r#"[{"cardId":"8","useStatus":"0"}]"#, false),
        (r#"[{"cardId":"7","useStatus":"0"},{"cardId":"7","useStatus":"1"}]"#, false),
        // One of its uses may be gone.
        (r#"[{"cardId":"7","useStatus":"0","timesLeft":4}]"#, false),
        (r#"[{"cardId":"7","useStatus":"0","use_count":"2"}]"#, false),
        (r#"[{"cardId":"7","useStatus":"0","timesLeft":1,"discountCount":5,"timestamp":9}]"#, true),
        (r#"[{"cardId":"7","useStatus":"0","timesLeft":""}]"#, true),
    ] {
        let body = format!(r#"{{"status":true,"code":0,"message":"","data":{data}}}"#);
        assert_eq!(Envelope::read(200, body.as_bytes()).unwrap().shows_unused("7"), unused, "{data}");
    }
    let no = br#"{"status":true,"code":5,"message":"","data":[{"cardId":"7","useStatus":"0"}]}"#;
    assert!(!Envelope::read(200, no).unwrap().shows_unused("7"));
}

/// Whether the value shows such a member anywhere, also in a string that contains JSON.
fn shows(value: &serde_json::Value, is: &dyn Fn(&str, &serde_json::Value) -> bool) -> bool {
    use serde_json::Value as Json;
    match value {
        Json::Object(object) => object.iter().any(|(name, value)| is(name, value) || shows(value, is)),
        Json::Array(list) => list.iter().any(|value| shows(value, is)),
        Json::String(text) => serde_json::from_str::<Json>(text).is_ok_and(|value| shows(&value, is)),
        _ => false,
    }
}

/// What a refusal must and must not say; written independently of the code above, like the oracle below.
fn may_be_refused(body: &[u8], rules: &CodeRules) -> bool {
    use serde_json::Value as Json;
    let Ok(Json::Object(outer)) = serde_json::from_slice::<Json>(body) else { return false };
    let text = |value: Option<&Json>| match value {
        Some(Json::String(text)) => Some(text.clone()),
        Some(value @ (Json::Number(_) | Json::Bool(_))) => Some(value.to_string()),
        _ => None,
    };
    let blank = |value: &Json| match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        Json::Object(object) => object.is_empty(),
        _ => false,
    };
    let inner = outer.get("data").and_then(Json::as_object).cloned().unwrap_or_default();
    let yes = |value: Option<&Json>| matches!(text(value).as_deref(), Some("true" | "1"));
    let codes: Vec<String> = [text(outer.get("code")), text(inner.get("code"))]
        .into_iter()
        .flatten()
        .filter(|code| code != "0")
        .collect();
    let listed = codes.iter().all(|code| rules.declined.contains(code));
    let before = codes.iter().all(|code| rules.before_effect.contains(code));
    let places = [&outer, &inner];
    let is_taken = |name: &str, value: &Json| match name {
        "couponsCardList" | "cardIdList" => !blank(value),
        "change_gift_amount" | "change_recharge_amount" | "storeBalance" | "shopBalance" => {
            let is_zero = text(Some(value)).is_some_and(|text| text.parse() == Ok(0.0));
            !blank(value) && (!listed || !is_zero)
        }
        _ => false,
    };
    let taken = shows(&Json::Object(outer.clone()), &is_taken);
    // A refusal in the data needs its flag, and no flag may mean success, unless the code is a known one.
    let flag = text(inner.get("status"));
    let outer_yes = yes(outer.get("status")) && text(outer.get("code")).as_deref() == Some("0");
    let flagged = !matches!(flag.as_deref(), Some("true" | "1")) && (flag.is_some() || !outer_yes || before);
    let inner_yes = (yes(inner.get("status")) || text(inner.get("code")).as_deref() == Some("0"))
        && (inner.get("status").is_none() || yes(inner.get("status")))
        && (inner.get("code").is_none() || text(inner.get("code")).as_deref() == Some("0"));
    outer.contains_key("message")
        && !codes.is_empty()
        && !inner_yes
        && !taken
        && (listed || flagged)
        && !places.iter().any(|place| text(place.get("bizId")).is_some_and(|id| id.trim() == "A1"))
        && !codes.iter().any(|code| rules.in_doubt.contains(code))
        && (listed || before || (!rules.only_listed && codes.iter().all(|code| code.parse::<i64>().is_ok())))
        && (listed || before || yes(outer.get("status")))
}

/// Independent of the code above: reads with serde_json and checks the rule as it is worded.
fn oracle_allows(body: &[u8], accepted: bool) -> bool {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
    let Some(outer) = value.as_object() else { return false };
    let text = |value: Option<&serde_json::Value>| match value {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => Some(value.to_string()),
        _ => None,
    };
    let status = text(outer.get("status"));
    let code = text(outer.get("code"));
    let inner = outer.get("data").and_then(|data| data.as_object());
    let yes = |text: &Option<String>| matches!(text.as_deref(), Some("true" | "1"));
    let names = |place: Option<&serde_json::Map<String, serde_json::Value>>| {
        place.and_then(|place| text(place.get("bizId"))).is_some_and(|id| id.trim() == "A1")
    };
    if names(Some(outer)) || names(inner) {
        return false;
    }
    if accepted {
        let inner_fine = inner.is_some_and(|data| {
            (data.get("status").is_none() || yes(&text(data.get("status"))))
                && (data.get("code").is_none() || text(data.get("code")).as_deref() == Some("0"))
                && [
                    "bizId",
                    "couponsCardList",
                    "gift_amount",
                    "recharge_amount",
                    "total_amount",
                    "change_gift_amount",
                    "change_recharge_amount",
                    "storeBalance",
                    "shopBalance",
                ]
                .iter()
                .any(|name| data.contains_key(*name))
        });
        yes(&status) && code.as_deref() == Some("0") && inner_fine
    } else {
        let inner_code = inner.and_then(|data| text(data.get("code")));
        let no = code.as_deref() != Some("0") || inner_code.is_some_and(|code| code != "0");
        status.is_some() && code.is_some() && no && outer.contains_key("message")
    }
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("\"true\"".to_owned()),
        Just("\"false\"".to_owned()),
        Just("0".to_owned()),
        Just("1".to_owned()),
        Just("\"0\"".to_owned()),
        Just("\"1\"".to_owned()),
        Just("\"\"".to_owned()),
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("0.0".to_owned()),
        Just("-0".to_owned()),
        Just("\"00\"".to_owned()),
        Just("110004".to_owned()),
        Just("\"110007\"".to_owned()),
        Just("\"40001\"".to_owned()),
        Just("\" 0\"".to_owned()),
        Just("\"E_LOW\"".to_owned()),
        Just("\"B1\"".to_owned()),
        Just("\"A1\"".to_owned()),
        Just("\"A2\"".to_owned()),
        Just("\"0.00\"".to_owned()),
        Just("\"3.50\"".to_owned()),
        Just("[7]".to_owned()),
        Just(r#"[{"change_gift_amount":"3.50"}]"#.to_owned()),
        Just(r#"{"n":{"couponsCardList":["7"]}}"#.to_owned()),
        Just(r#""{\"shopBalance\":\"1.00\"}""#.to_owned()),
    ]
}

const OUTER: [&str; 7] =
    ["status", "code", "message", "other", "bizId", "couponsCardList", "change_gift_amount"];

/// The fields of a consume's data (DOC); the first three repeat the envelope.
const INNER: [&str; 12] = [
    "status",
    "code",
    "message",
    "bizId",
    "couponsCardList",
    "gift_amount",
    "recharge_amount",
    "total_amount",
    "change_gift_amount",
    "change_recharge_amount",
    "storeBalance",
    "shopBalance",
];

fn code_rules() -> impl Strategy<Value = CodeRules> {
    (any::<bool>(), any::<bool>()).prop_map(|(only_listed, listed)| CodeRules {
        declined: if listed { vec!["40001".into(), "E_LOW".into()] } else { Vec::new() },
        only_listed,
        ..CodeRules::default()
    })
}

/// `succeeded` and `declined` only with their proof; everything else is a doubt.
fn proves_what_it_says(bytes: &[u8], strict: bool, rules: &CodeRules) -> Result<(), TestCaseError> {
    let (biz_id, identity) = asked();
    let verdict = match Envelope::read(200, bytes) {
        Ok(envelope) => envelope.judge_consume(&biz_id, &identity, rules, strict, &|id| id == "A1"),
        Err(doubt) => Verdict::Doubt(doubt),
    };
    let shown = String::from_utf8_lossy(bytes);
    match verdict {
        Verdict::Accepted(accepted) => {
            prop_assert!(oracle_allows(bytes, true), "accepted: {shown}");
            prop_assert!(!strict || accepted.returned_biz_id().is_none_or(|id| id == "B1"), "{shown}");
            prop_assert!(!strict || !shown.contains("\"bizId\":\"A2\""), "{shown}");
        }
        Verdict::Refused(refusal) => {
            prop_assert!(oracle_allows(bytes, false) && may_be_refused(bytes, rules), "refused: {shown}");
            prop_assert!(!strict || refusal.warnings.is_empty(), "{shown}");
        }
        Verdict::Doubt(_) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Bad bytes anywhere in an answer: a read may lose letters of its words and nothing else; a payment's answer is
    /// refused.
    #[test]
    fn bad_bytes_change_only_words(
        at in any::<Index>(),
        dirt in prop::sample::select(vec![&b"\x14"[..], b"\n", b"\xff", b"\xe7\x90", br"\ud83c", br"\udf6d"]),
    ) {
        let whole = r#"{"status":"true","code":"0","message":"ok 7","data":{"customerId":"17","nickname":"Kit 520","coupon_discount":"5.00","n":12,"couponsCardList":["9","10"],"list":[{"cardId":"9","couponName":"5 off"}],"code":"0"}}"#;
        let at = at.index(whole.len() + 1);
        let bytes = [&whole.as_bytes()[..at], dirt, &whole.as_bytes()[at..]].concat();
        let strict = Envelope::read(200, &bytes);
        if let Ok(envelope) = &strict {
            // White space between the values.
            prop_assert_eq!(dirt, b"\n");
            prop_assert_eq!(envelope.data().map(Value::raw).map(|raw| raw.replace('\n', "")), Value::parse(whole).ok().and_then(|v| v.as_object()?.get("data").map(|data| data.raw().to_owned())));
        }
        if let Some((text, _)) = repaired_read(&bytes, Some(&crate::gateway::QUOTE_ANSWER)) {
            prop_assert!(strict.is_err());
            let without_words = |text: &str| {
                let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
                for words in ["/message", "/data/nickname", "/data/list/0/couponName"] {
                    *value.pointer_mut(words).unwrap() = serde_json::Value::Null;
                }
                value
            };
            prop_assert_eq!(without_words(&text), without_words(whole), "{}", text);
        }
    }

    #[test]
    fn never_more_than_the_answer_proves(
        outer in proptest::collection::vec((0usize..OUTER.len(), scalar()), 0..6),
        inner in proptest::option::of(proptest::collection::vec((0usize..INNER.len(), scalar()), 0..6)),
        cut in proptest::option::of(0usize..200),
        tail in prop_oneof![3 => Just(String::new()), 1 => "\\PC{1,6}"],
        noise in proptest::option::of((0usize..200, any::<u8>())),
        strict in any::<bool>(),
        rules in code_rules(),
    ) {
        let mut body = String::from("{");
        for (name, value) in &outer {
            write!(body, "\"{}\":{value},", OUTER[*name]).unwrap();
        }
        match inner {
            Some(inner) => {
                let members: Vec<String> =
                    inner.iter().map(|(name, value)| format!("\"{}\":{value}", INNER[*name])).collect();
                write!(body, "\"data\":{{{}}}}}", members.join(",")).unwrap();
            }
            None => body.push_str("\"z\":1}"),
        }
        body.push_str(&tail);
        let mut bytes = body.into_bytes();
        if let Some(cut) = cut { bytes.truncate(cut); }
        if let Some((byte, noise)) = noise.and_then(|(at, noise)| Some((bytes.get_mut(at)?, noise))) {
            *byte = noise;
        }
        proves_what_it_says(&bytes, strict, &rules)?;
    }

    /// As above, for complete answers that are nearly right: a success or a refusal in the vendor's form, with a few
    /// members changed, dropped or added.
    #[test]
    fn never_more_than_a_mutated_answer_proves(
        code in prop_oneof![Just("\"0\""), Just("0"), Just("\"40001\""), Just("\"E_LOW\""), Just("\"20011\""), Just("110004")],
        status in prop_oneof![3 => Just("true"), 1 => Just("false")],
        inner_code in proptest::option::of(prop_oneof![Just("0"), Just("\"40001\""), Just("\"E_LOW\""), Just("110007")]),
        inner_status in proptest::option::of(prop_oneof![Just("true"), Just("\"false\"")]),
        form in 0usize..3,
        changes in proptest::collection::vec((0usize..INNER.len(), proptest::option::of(scalar())), 0..4),
        beside in proptest::option::of((4usize..OUTER.len(), scalar())),
        strict in any::<bool>(),
        rules in code_rules(),
    ) {
        let mut data: Vec<(&str, String)> = Vec::new();
        data.extend(inner_status.map(|status| ("status", status.to_owned())));
        data.extend(inner_code.map(|code| ("code", code.to_owned())));
        data.push(("message", "\"m\"".to_owned()));
        match form {
            0 => data.extend(INNER[3..].iter().map(|name| (*name, "\"\"".to_owned()))),
            1 => data.extend([("bizId", "\"B1\"".to_owned()), ("change_gift_amount", "\"3.50\"".to_owned()), ("couponsCardList", "[7]".to_owned())]),
            _ => {}
        }
        for (name, value) in changes {
            data.retain(|(known, _)| *known != INNER[name]);
            data.extend(value.map(|value| (INNER[name], value)));
        }
        let members: Vec<String> = data.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let beside = beside.map_or(String::new(), |(name, value)| format!(",\"{}\":{value}", OUTER[name]));
        let body = format!("{{\"status\":{status},\"code\":{code},\"message\":\"m\",\"data\":{{{}}}{beside}}}", members.join(","));
        proves_what_it_says(body.as_bytes(), strict, &rules)?;
    }

    #[test]
    fn survives_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(envelope) = Envelope::read(200, &bytes) {
            let (biz_id, identity) = asked();
            envelope.judge_consume(&biz_id, &identity, &CodeRules::default(), false, &|id| id == "A1");
        }
    }
}
