//! What counts as proof, case by case, and a property: never more than the answer's bytes say.

use super::*;
use proptest::prelude::*;
use std::fmt::Write;

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
        Ok(envelope) => envelope.judge_consume(&biz_id, &identity, &CodeRules::default(), strict),
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
        // An empty form says nothing of a sale.
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
fn tells_a_refusal_from_a_doubt() {
    for (body, wanted) in [
        (r#"{"status":true,"code":"40001","message":"余额不足"}"#, "refused"),
        (r#"{"status":true,"code":-1,"message":"no"}"#, "refused"),
        (
            r#"{"status":true,"code":0,"message":"","data":{"status":true,"code":"40001","message":"余额不足"}}"#,
            "refused",
        ),
        (r#"{"status":false,"code":110004,"message":"sign"}"#, "refused"),
        (r#"{"status":false,"code":"100002","message":"params"}"#, "refused"),
        (r#"{"status":false,"code":"110007","message":"nonce"}"#, "doubt"),
        (r#"{"status":true,"code":"110007","message":"nonce"}"#, "doubt"),
        // A code in doubt stays one, whatever stands beside it.
        (r#"{"status":true,"code":"110007","message":"nonce","data":{"code":"40001"}}"#, "doubt"),
        (r#"{"status":true,"code":"40001","message":"","data":{"code":"110007"}}"#, "doubt"),
        (r#"{"status":false,"code":"999999","message":"system"}"#, "doubt"),
        (
            r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"500","bizId":"B1"}}"#,
            "doubt",
        ),
        (
            r#"{"status":true,"code":"40001","message":"","data":{"status":true,"code":0,"bizId":"B1"}}"#,
            "doubt",
        ),
        (r#"{"status":false,"code":"110004","message":"","data":{"code":0}}"#, "doubt"),
    ] {
        assert_eq!(judge(body), wanted, "{body}");
    }
    let Verdict::Refused(refusal) = judge_with(
        r#"{"status":true,"code":0,"message":"ok","data":{"status":true,"code":"40001","message":"余额不足"}}"#,
        false,
    ) else {
        panic!()
    };
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("40001", "余额不足"));
}

#[test]
fn strict_makes_a_mismatch_a_doubt() {
    let body = r#"{"status":true,"code":0,"message":"","data":{"bizId":"B2"}}"#;
    assert!(matches!(judge_with(body, false), Verdict::Accepted(accepted) if accepted.warnings().len() == 1));
    assert!(matches!(judge_with(body, true), Verdict::Doubt(doubt) if doubt.kind.text == "ZV-MISMATCH"));
}

/// Independent of the code above: reads with serde_json and asks for what the words of the rule ask for.
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
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn never_more_than_the_answer_proves(
        outer in proptest::collection::vec((0usize..4, scalar()), 0..5),
        inner in proptest::option::of(proptest::collection::vec((0usize..5, scalar()), 0..5)),
        cut in proptest::option::of(0usize..200),
        tail in prop_oneof![3 => Just(String::new()), 1 => "\\PC{1,6}"],
        noise in proptest::option::of((0usize..200, any::<u8>())),
        strict in any::<bool>(),
    ) {
        let mut body = String::from("{");
        for (name, value) in &outer {
            write!(body, "\"{}\":{value},", ["status", "code", "message", "other"][*name]).unwrap();
        }
        match inner {
            Some(inner) => {
                let members: Vec<String> = inner
                    .iter()
                    .map(|(name, value)| format!("\"{}\":{value}", ["status", "code", "message", "bizId", "total_amount"][*name]))
                    .collect();
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
        let (biz_id, identity) = asked();
        let verdict = match Envelope::read(200, &bytes) {
            Ok(envelope) => envelope.judge_consume(&biz_id, &identity, &CodeRules::default(), strict),
            Err(doubt) => Verdict::Doubt(doubt),
        };
        match verdict {
            Verdict::Accepted(accepted) => {
                prop_assert!(oracle_allows(&bytes, true), "{}", String::from_utf8_lossy(&bytes));
                prop_assert!(!strict || accepted.returned_biz_id().is_none_or(|id| id == "B1"));
            }
            Verdict::Refused(_) => prop_assert!(oracle_allows(&bytes, false), "{}", String::from_utf8_lossy(&bytes)),
            Verdict::Doubt(_) => {}
        }
    }

    #[test]
    fn survives_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(envelope) = Envelope::read(200, &bytes) {
            let (biz_id, identity) = asked();
            envelope.judge_consume(&biz_id, &identity, &CodeRules::default(), false);
        }
    }
}
