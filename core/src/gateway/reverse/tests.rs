//! What the answer to a reversal is believed to say. After a wrong "done" a sale is reported as reversed but was not;
//! after a wrong "refused" a refund is reported as refused but was paid.

use super::*;

fn judged(body: &str, codes: &CodeRules, strict: bool) -> &'static str {
    let rules = ReverseRules { already: vec!["9".into()], not_found: vec!["8".into()], ..Default::default() };
    let envelope = Envelope::read(200, body.as_bytes()).unwrap();
    match envelope.judge_reverse(&rules, codes, &["B1", "R1"], strict, &|id| id == "A1") {
        Reversed::Done(_) => "done",
        Reversed::Already(_) => "already",
        Reversed::NotFound(_) => "not found",
        Reversed::Refused(_) => "refused",
        Reversed::Again(_) => "again",
    }
}

/// A reversal's answer is compared with the request, too: with the bizId sent and the one returned.
#[test]
fn the_answer_to_another_sales_reversal_confirms_nothing() {
    for (body, wanted) in [
        (r#"{"status":true,"code":0,"message":"","data":{"bizId":"R1"}}"#, "done"),
        (r#"{"status":true,"code":0,"message":"","data":{"bizId":"B1"}}"#, "done"),
        (r#"{"status":true,"code":0,"message":"","data":{"bizId":"new"}}"#, "done"),
        (r#"{"status":true,"code":0,"message":"","data":{"bizId":"A1"}}"#, "again"),
        (
            r#"{"status":true,"code":0,"message":"","bizId":"A1","data":{"change_gift_amount":"1.00"}}"#,
            "again",
        ),
        (r#"{"status":true,"code":"9","message":"","data":{"bizId":"A1"}}"#, "again"),
        (r#"{"status":true,"code":"8","message":"","data":{"bizId":"A1"}}"#, "again"),
        (r#"{"status":true,"code":"7","message":"","data":{"bizId":"A1"}}"#, "again"),
        (r#"{"status":true,"code":"7","message":""}"#, "refused"),
        (r#"{"status":true,"code":"ok","message":""}"#, "again"),
        // Inside, as a consume's.
        (r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"9"}}"#, "already"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"8"}}"#, "not found"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"7"}}"#, "refused"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":0}}"#, "again"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":false}}"#, "again"),
    ] {
        assert_eq!(judged(body, &CodeRules::default(), false), wanted, "{body}");
    }
}

#[test]
fn a_refusal_is_judged_like_a_consumes() {
    for (body, wanted) in [
        // The answer contradicts itself.
        (r#"{"status":true,"code":5001,"message":"","data":{"status":true,"code":"0"}}"#, "again"),
        (r#"{"status":true,"code":5001,"message":"","data":{"status":true,"code":"5001"}}"#, "again"),
        (r#"{"status":true,"code":0,"message":"","data":{"status":true,"code":200}}"#, "again"),
        (r#"{"status":true,"code":0,"message":"","data":{"code":200}}"#, "again"),
        (r#"{"status":true,"code":5001,"message":"","data":{"status":"maybe"}}"#, "again"),
        (r#"{"status":true,"code":"8","message":"","data":{"status":true,"code":"0"}}"#, "again"),
        // The answer shows what was given back.
        (r#"{"status":true,"code":5001,"message":"","data":{"change_recharge_amount":"3.00"}}"#, "again"),
        (r#"{"status":true,"code":5001,"message":"","data":{"refundAmount":"3.00"}}"#, "again"),
        (r#"{"status":true,"code":"8","message":"","data":[{"couponsCardList":["7"]}]}"#, "again"),
        (r#"{"status":true,"code":5001,"message":"","data":{"total_amount":"88.00"}}"#, "refused"),
        // A code in doubt, also inside.
        (r#"{"status":true,"code":110007,"message":""}"#, "again"),
        (r#"{"status":true,"code":5001,"message":"","data":{"status":false,"code":110007}}"#, "again"),
        (r#"{"status":false,"code":110004,"message":""}"#, "again"),
        (r#"{"status":true,"code":5001,"message":""}"#, "refused"),
    ] {
        assert_eq!(judged(body, &CodeRules::default(), false), wanted, "{body}");
    }
    let listed =
        CodeRules { only_listed: true, declined: vec!["5001".into(), "E_NO".into()], ..CodeRules::default() };
    for (code, wanted) in [("5001", "refused"), ("E_NO", "refused"), ("5003", "again"), ("E_OTHER", "again")]
    {
        let body = format!(r#"{{"status":true,"code":"{code}","message":""}}"#);
        assert_eq!(judged(&body, &listed, false), wanted, "{body}");
    }
}

#[test]
fn a_success_around_a_refusal_is_not_a_success() {
    for (data, wanted) in [
        ("null", "done"),
        ("{}", "done"),
        (r#"[{"status":false,"code":5003,"message":"处理失败"}]"#, "again"),
        (r#"{"result":{"status":false,"code":5003,"message":"处理失败"}}"#, "again"),
        (r#"[{"status":0,"code":"A7"}]"#, "done"),
    ] {
        let body = format!(r#"{{"status":true,"code":0,"message":"","data":{data}}}"#);
        assert_eq!(judged(&body, &CodeRules::default(), false), wanted, "{body}");
    }
}

#[test]
fn under_strict_answer_an_unknown_biz_id_proves_nothing() {
    for rest in [r#""code":0"#, r#""code":"9""#, r#""code":"8""#, r#""code":5001"#] {
        for (named, believed) in [("B1", true), ("R1", true), ("OTHER", false)] {
            let body = format!(r#"{{"status":true,{rest},"message":"","data":{{"bizId":"{named}"}}}}"#);
            assert_eq!(judged(&body, &CodeRules::default(), true) != "again", believed, "{body}");
            assert_ne!(judged(&body, &CodeRules::default(), false), "again", "{body}");
        }
    }
}
