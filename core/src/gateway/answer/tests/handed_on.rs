//! What an answer hands on besides its verdict: words, data, bizIds, warnings, and why it is none of the gateway's.

use super::*;

fn read(body: &str) -> Result<Envelope<'_>, Doubt> {
    Envelope::read(200, body.as_bytes())
}

#[test]
fn a_success_hands_on_its_words_its_data_and_its_biz_id() {
    let body = r#"{"status":true,"code":0,"message":"done","data":{"bizId":"B2","total_amount":"9.00"}}"#;
    let Verdict::Accepted(accepted) = judge_with(body, false) else { panic!() };
    assert_eq!((accepted.message(), accepted.returned_biz_id()), ("done", Some("B2")));
    let data = Value::parse(accepted.data()).unwrap();
    let total = data.as_object().unwrap().get("total_amount").unwrap().scalar();
    assert_eq!(total, Some("9.00"), "{}", accepted.data());
    let body = r#"{"status":true,"code":0,"message":"","data":{"total_amount":"9.00"}}"#;
    let Verdict::Accepted(accepted) = judge_with(body, false) else { panic!() };
    assert_eq!((accepted.message(), accepted.returned_biz_id()), ("", None));
}

#[test]
fn an_envelope_hands_on_its_code_and_its_message() {
    let envelope = read(r#"{"status":true,"code":"40001","message":"no"}"#).unwrap();
    assert_eq!((envelope.code(), envelope.message.as_str()), ("40001", "no"));
    assert!(!envelope.is_system_error());
    let envelope = read(r#"{"status":false,"code":0,"message":null}"#).unwrap();
    assert_eq!((envelope.code(), envelope.message.as_str()), ("0", ""));
    assert!(envelope.is_system_error());
}

#[test]
fn an_answer_that_is_none_says_why() {
    for (body, why) in [
        ("<html>Welcome</html>", "an HTML page"),
        (" \n<p>", "an HTML page"),
        ("{\"status\":true,", "no whole JSON"),
        ("busy", "no whole JSON"),
        ("[1]", "not an object"),
        (r#"{"status":true,"code":0}"#, "no status, code and message"),
        (r#"{"status":"maybe","code":0,"message":""}"#, "status \"maybe\" and code 0 cannot be read"),
    ] {
        let doubt = read(body).unwrap_err();
        assert_eq!(doubt.kind.text, "ZV-NOT-GATEWAY", "{body}");
        assert!(doubt.message.contains(why), "{body}: {}", doubt.message);
    }
    let doubt = Envelope::read(502, b"").unwrap_err();
    assert!(doubt.message.contains("502"), "{}", doubt.message);
}

#[test]
fn a_value_that_cannot_be_read_is_repeated_only_while_it_is_short() {
    // With its quotes the first has twenty letters.
    for (status, is_repeated) in [("a23456789012345678", true), ("a234567890123456789", false)] {
        let body = format!(r#"{{"status":"{status}","code":0,"message":""}}"#);
        let doubt = read(&body).unwrap_err();
        assert_eq!(doubt.message.contains(status), is_repeated, "{}", doubt.message);
    }
}

#[test]
fn strict_keeps_what_did_not_match() {
    let body = r#"{"status":true,"code":0,"message":"","data":{"bizId":"B2","couponsCardList":[7]}}"#;
    let Verdict::Doubt(doubt) = judge_with(body, true) else { panic!() };
    assert_eq!(doubt.warnings.len(), 1);
    assert_eq!(doubt.returned_biz_id.as_deref(), Some("B2"));
    let body = r#"{"status":true,"code":"5","message":"no","data":{"bizId":"B2"}}"#;
    let Verdict::Doubt(doubt) = judge_with(body, true) else { panic!() };
    assert_eq!((doubt.warnings.len(), doubt.returned_biz_id.as_deref()), (1, Some("B2")));
}

#[test]
fn the_sign_of_the_balance_records_is_what_the_route_says() {
    for (word, sign) in [
        (Some("minus_is_taken"), Sign::MinusIsTaken),
        (Some("plus_is_taken"), Sign::PlusIsTaken),
        (Some("MINUS_IS_TAKEN"), Sign::Unknown),
        (None, Sign::Unknown),
    ] {
        assert_eq!(Sign::from_word(word), sign, "{word:?}");
    }
}

#[test]
fn secrets_that_an_answer_repeats_are_hidden_and_a_number_of_the_gateways_is_not() {
    let hidden = |body: &str| {
        let envelope = Envelope::read(200, body.as_bytes()).unwrap().hiding(["482913", "opensesame"]);
        (envelope.code().to_owned(), envelope.message.clone())
    };
    let (code, message) = hidden(r#"{"status":true,"code":"482913","message":"482913 is wrong"}"#);
    assert_eq!(code, "482913");
    assert!(!message.contains("482913") && message.contains("is wrong"), "{message}");
    let (code, _) = hidden(r#"{"status":true,"code":"E_opensesame","message":""}"#);
    assert!(code.starts_with("E_") && !code.contains("opensesame"), "{code}");
    // Inside, too.
    let body = r#"{"status":true,"code":0,"message":"","data":{"status":false,"code":"7","message":"opensesame is wrong"}}"#;
    let envelope = Envelope::read(200, body.as_bytes()).unwrap().hiding(["opensesame"]);
    let Verdict::Refused(refusal) = envelope.judge_call(&CodeRules::default()) else { panic!() };
    assert!(!refusal.message.contains("opensesame") && refusal.message.contains("is wrong"));
}
