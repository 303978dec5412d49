//! Exactly what is proven: every combination of the members that decide, compared with the oracles of the properties;
//! and the records and reads, case by case.

use super::*;
use crate::gateway::QUOTE_ANSWER;
use crate::schema::Ids;

fn envelope(body: &str) -> Envelope<'_> {
    Envelope::read(200, body.as_bytes()).unwrap_or_else(|doubt| panic!("{body}: {}", doubt.message))
}

fn with_data(data: &str) -> String {
    format!(r#"{{"status":true,"code":0,"message":"m","data":{data}}}"#)
}

fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted(_) => "accepted",
        Verdict::Refused(_) => "refused",
        Verdict::Doubt(_) => "doubt",
    }
}

/// The rules that a till can set.
fn every_rules() -> Vec<CodeRules> {
    let declined = [Vec::new(), vec!["40001".to_owned(), "E_LOW".to_owned()]];
    let rules = declined.into_iter().flat_map(|declined| {
        [false, true].map(|only_listed| CodeRules {
            declined: declined.clone(),
            only_listed,
            ..CodeRules::default()
        })
    });
    rules.collect()
}

const SHOWN: [&str; 6] = [
    "",
    r#","total_amount":"88.00""#,
    r#","change_gift_amount":"0.00""#,
    r#","change_gift_amount":"0.10""#,
    r#","couponsCardList":["7"]"#,
    r#","couponsCardList":[],"change_recharge_amount":"""#,
];

#[test]
fn a_refusal_is_believed_exactly_where_nothing_speaks_against_it() {
    let codes = ["\"0\"", "\"40001\"", "20011", "-7", "\"E_LOW\"", "110004", "\"110007\""];
    let inner_codes = [&[""][..], &codes].concat();
    for rules in every_rules() {
        for (status, code) in
            ["true", "false"].into_iter().flat_map(|status| codes.map(|code| (status, code)))
        {
            for (inner_status, inner_code) in ["", "true", "\"false\""]
                .into_iter()
                .flat_map(|status| inner_codes.iter().map(move |code| (status, *code)))
            {
                if code == "\"0\"" && matches!(inner_code, "" | "\"0\"") {
                    continue;
                }
                for shown in SHOWN {
                    let mut data = String::from(r#""message":"i""#);
                    for (name, value) in [("status", inner_status), ("code", inner_code)] {
                        if !value.is_empty() {
                            write!(data, r#","{name}":{value}"#).unwrap();
                        }
                    }
                    let body = format!(
                        r#"{{"status":{status},"code":{code},"message":"m","data":{{{data}{shown}}}}}"#
                    );
                    let (biz_id, identity) = asked();
                    let verdict =
                        envelope(&body).judge_consume(&biz_id, &identity, &rules, false, &|_| false);
                    // A code of 0 beside the flag that refuses contradicts itself.
                    let contradicts = inner_status == "\"false\"" && inner_code == "\"0\"";
                    let wanted = if may_be_refused(body.as_bytes(), &rules) && !contradicts {
                        "refused"
                    } else {
                        "doubt"
                    };
                    assert_eq!(kind(&verdict), wanted, "{body} {rules:?}");
                    // An action is judged in the same way.
                    assert_eq!(kind(&envelope(&body).judge_call(&rules)), wanted, "{body} {rules:?}");
                }
            }
        }
    }
}

#[test]
fn a_success_is_believed_exactly_where_every_flag_says_yes_and_something_is_shown() {
    for (status, yes) in [("true", true), ("1", true), ("\"true\"", true), ("false", false), ("0", false)] {
        for (inner_status, inner_yes) in [("", None), ("true", Some(true)), ("\"0\"", Some(false))] {
            for inner_code in ["", "0", "\"0\""] {
                for (shown, is_proof) in [
                    ("", false),
                    (r#","unheard_of":1"#, false),
                    (r#","bizId":"""#, false),
                    (r#","bizId":"B1""#, true),
                    (r#","gift_amount":"1.00""#, true),
                    (r#","couponsCardList":["7"]"#, true),
                ] {
                    let mut data = String::from(r#""message":"i""#);
                    for (name, value) in [("status", inner_status), ("code", inner_code)] {
                        if !value.is_empty() {
                            write!(data, r#","{name}":{value}"#).unwrap();
                        }
                    }
                    let body =
                        format!(r#"{{"status":{status},"code":0,"message":"m","data":{{{data}{shown}}}}}"#);
                    let wanted =
                        if yes && inner_yes != Some(false) && is_proof { "accepted" } else { "doubt" };
                    assert_eq!(judge(&body), wanted, "{body}");
                    let whole_yes = yes && inner_yes != Some(false);
                    assert_eq!(envelope(&body).says_yes_throughout(), whole_yes, "{body}");
                    let read = kind(&envelope(&body).judge_read(None, Ids::AsText));
                    assert_eq!(read, if yes { "accepted" } else { "refused" }, "{body}");
                    let call = kind(&envelope(&body).judge_call(&CodeRules::default()));
                    assert_eq!(call, if whole_yes { "accepted" } else { "doubt" }, "{body}");
                }
            }
        }
    }
}

/// The vendor's own sample: it says yes three times, and every field is there and empty.
#[test]
fn an_empty_form_is_a_success_only_as_a_whole() {
    let form = |skip: &str, status: &str, code: &str| {
        let fields = INNER[3..].iter().filter(|name| **name != skip).map(|name| format!(r#","{name}":"""#));
        with_data(&format!(
            r#"{{"status":{status},"code":{code},"message":""{}}}"#,
            fields.collect::<String>()
        ))
    };
    let verdict = judge_with(&form("", "true", "0"), false);
    assert!(
        matches!(verdict, Verdict::Accepted(accepted) if accepted.warnings().iter().any(|w| w.code == "ZV-W-EMPTY"))
    );
    for name in &INNER[3..] {
        assert_eq!(judge(&form(name, "true", "0")), "doubt", "without {name}");
    }
    assert_eq!(judge(&form("", "false", "0")), "doubt");
    assert_eq!(judge(&form("", "\"\"", "0")), "doubt");
    // With its fields, but without the inner flag or the inner code.
    for member in [r#""status":true,"#, r#""code":0,"#] {
        let body = form("", "true", "0");
        let (head, data) = body.split_once(r#""data":"#).unwrap();
        let body = format!(r#"{head}"data":{}"#, data.replace(member, ""));
        assert_eq!(judge(&body), "doubt", "{body}");
    }
}

#[test]
fn a_flag_and_a_code_are_read_in_every_spelling_that_is_known_and_no_other() {
    let read = |status: &str, code: &str| {
        let body = format!(r#"{{"status":{status},"code":{code},"message":""}}"#);
        Envelope::read(200, body.as_bytes()).ok().map(|envelope| (envelope.yes, envelope.code))
    };
    for (status, yes) in [
        ("true", Some(true)),
        ("1", Some(true)),
        ("\"true\"", Some(true)),
        ("\"1\"", Some(true)),
        ("false", Some(false)),
        ("0", Some(false)),
        ("\"false\"", Some(false)),
        ("\"0\"", Some(false)),
        ("\"TRUE\"", None),
        ("2", None),
        ("null", None),
        ("[]", None),
    ] {
        assert_eq!(read(status, "0").map(|(yes, _)| yes), yes, "{status}");
    }
    let longest = format!("\"{}\"", "9".repeat(64));
    let too_long = format!("\"{}\"", "9".repeat(65));
    for (code, wanted) in [
        ("0", Some("0")),
        ("\"0\"", Some("0")),
        ("-1", Some("-1")),
        ("\"E_LOW\"", Some("E_LOW")),
        ("\"10\"", Some("10")),
        ("\"0x\"", Some("0x")),
        (&longest, Some(&longest[1..65])),
        (&too_long, None),
        ("1.5", None),
        ("1e3", None),
        ("-0", None),
        ("\"\"", None),
        ("\"00\"", None),
        ("\" 0\"", None),
        ("\"0.0\"", None),
        ("\"+0\"", None),
        ("\"-\"", None),
        ("\"\\u0001\"", None),
        ("\"\u{ff10}\"", None),
        ("true", None),
        ("null", None),
    ] {
        assert_eq!(read("true", code).map(|(_, code)| code).as_deref(), wanted, "{code}");
    }
    for (code, number) in
        [("0", true), ("-7", true), ("40001", true), ("", false), ("-", false), ("4a", false), ("--4", false)]
    {
        assert_eq!(is_number(code), number, "{code}");
    }
}

#[test]
fn an_answer_contradicts_itself_where_its_data_says_the_opposite() {
    for (status, code, data, contradicts) in [
        ("true", "5", r#"{"status":true}"#, true),
        ("true", "5", r#"{"code":0}"#, true),
        ("true", "5", r#"{"status":true,"code":0}"#, true),
        ("true", "5", r#"{"status":false,"code":0}"#, true),
        ("true", "5", r#"{"status":true,"code":6}"#, false),
        ("true", "5", r#"{"status":false,"code":6}"#, false),
        ("true", "5", r#"{"status":false}"#, false),
        ("true", "5", "{}", false),
        ("true", "5", "null", false),
        ("true", "5", r#"{"status":"maybe"}"#, true),
        ("false", "0", r#"{"status":true}"#, true),
        ("false", "0", r#"{"code":0}"#, true),
        ("true", "0", r#"{"status":true,"code":0}"#, false),
        ("true", "0", r#"{"status":false,"code":0}"#, true),
        ("true", "0", r#"{"status":false,"code":6}"#, false),
    ] {
        let body = format!(r#"{{"status":{status},"code":{code},"message":"","data":{data}}}"#);
        assert_eq!(envelope(&body).contradicts_itself(), contradicts, "{body}");
    }
}

#[test]
fn the_words_of_a_refusal_are_those_that_refuse() {
    for (code, data, wanted) in [
        ("\"5\"", r#"{"status":false,"code":"6","message":"i"}"#, ("6", "m")),
        ("\"5\"", "null", ("5", "m")),
        ("0", r#"{"status":false,"code":"6","message":"i"}"#, ("6", "i")),
        ("0", r#"{"status":false,"code":"6"}"#, ("6", "m")),
        ("0", r#"{"status":"maybe"}"#, ("0", "m")),
        ("0", "{}", ("0", "m")),
    ] {
        let body = format!(r#"{{"status":true,"code":{code},"message":"m","data":{data}}}"#);
        let words = envelope(&body).telling_words();
        assert_eq!((words.code.as_str(), words.message.as_str()), wanted, "{body}");
    }
    // A doubt keeps the refusing code, and a doubt without one has the library's.
    let doubt = |body: &str| match judge_with(body, false) {
        Verdict::Doubt(doubt) => (doubt.code, doubt.kind.text, doubt.returned_biz_id),
        other => panic!("{other:?}"),
    };
    let (code, kind, _) = doubt(r#"{"status":false,"code":"9","message":"m","data":{"code":"110007"}}"#);
    assert_eq!((code.as_str(), kind), ("110007", "ZV-UNPROVEN"));
    let (code, kind, named) = doubt(&with_data(r#"{"status":false,"bizId":"B1"}"#));
    assert_eq!((code.as_str(), kind, named.as_deref()), ("ZV-UNPROVEN", "ZV-UNPROVEN", Some("B1")));
}

#[test]
fn what_was_moved_is_seen_in_any_place_and_any_spelling() {
    let quoted = |inner: &str| serde_json::to_string(inner).unwrap();
    let taken = r#"{"change_gift_amount":"1.00"}"#;
    let deep = |depth: usize| (0..depth).fold(taken.to_owned(), |inner, _| quoted(&inner));
    for (data, is_taken, is_moved) in [
        ("null".to_owned(), false, false),
        (taken.to_owned(), true, true),
        (format!("[[{taken}]]"), true, true),
        (format!(r#"{{"a":{{"b":[{taken}]}}}}"#), true, true),
        (deep(1), true, true),
        (deep(3), true, true),
        // Deeper than anybody writes.
        (deep(4), false, false),
        (quoted(&format!("  [{taken}]")), true, true),
        (quoted("change_gift_amount 1.00"), false, false),
        (r#"{"Change_Gift_Amount":1}"#.to_owned(), true, true),
        (r#"{"changeGiftAmount":"0.00"}"#.to_owned(), false, false),
        (r#"{"changeGiftAmount":"much"}"#.to_owned(), true, true),
        (r#"{"changeGiftAmount":""}"#.to_owned(), false, false),
        (r#"{"storeBalance":"5.00"}"#.to_owned(), true, true),
        (r#"{"card_id_list":[7]}"#.to_owned(), true, true),
        (r#"{"card_id_list":[]}"#.to_owned(), false, false),
        (r#"{"total_amount":"5.00","giftAmount":"1","rechargeAmount":"2"}"#.to_owned(), false, false),
        (r#"{"refundAmount":"5.00"}"#.to_owned(), false, true),
        (r#"{"refund_amount":"0"}"#.to_owned(), false, false),
        (r#"{"refund_amount":""}"#.to_owned(), false, false),
        (r#"{"refund":"5.00"}"#.to_owned(), false, false),
    ] {
        let body = with_data(&data);
        assert_eq!(envelope(&body).shows_something_taken(), is_taken, "{data}");
        assert_eq!(envelope(&body).shows_something_moved(), is_moved, "{data}");
    }
    // Beside the data, too.
    let body = r#"{"status":true,"code":5,"message":"","cardIdList":["7"]}"#;
    assert!(envelope(body).shows_something_taken());
}

#[test]
fn an_envelope_inside_counts_only_if_it_is_one_and_says_no() {
    for (data, no) in [
        (r#"{"result":{"status":false,"code":1,"message":""}}"#, true),
        (r#"[{"status":"0","code":1,"message":""}]"#, true),
        (r#""{\"status\":false,\"code\":1,\"message\":\"\"}""#, true),
        (r#"{"result":{"status":true,"code":1,"message":""}}"#, false),
        (r#"{"result":{"status":false,"code":1}}"#, false),
        (r#"{"result":{"status":false,"message":""}}"#, false),
        (r#"{"result":{"code":1,"message":""}}"#, false),
        ("null", false),
    ] {
        assert_eq!(envelope(&with_data(data)).holds_a_no(), no, "{data}");
    }
}

#[test]
fn a_deduction_is_shown_by_its_sum_or_where_no_sum_was_asked_by_its_coupons() {
    let (biz_id, identity) = asked();
    let without_money =
        [None, Amount::parse("0.00").ok()].map(|amount| Identity { amount, ..identity.clone() });
    let shows =
        |identity: &Identity, data: &str| envelope(&with_data(data)).shows_this_deduction(&biz_id, identity);
    let sum = r#"{"bizId":"B1","change_gift_amount":"3.50","couponsCardList":["7"]}"#;
    let coupons = r#"{"bizId":"B1","couponsCardList":["7"]}"#;
    assert!(shows(&identity, sum) && !shows(&identity, coupons));
    for identity in &without_money {
        assert!(shows(identity, coupons) && !shows(identity, sum));
        assert!(!shows(identity, r#"{"bizId":"B1"}"#) && !shows(identity, r#"{"couponsCardList":["7"]}"#));
        assert!(!shows(identity, r#"{"bizId":"B1","couponsCardList":["8"]}"#));
    }
}

#[test]
fn the_balance_records_prove_a_deduction_by_its_amount_and_an_absence_by_being_complete() {
    let not_found = vec!["404".to_owned()];
    let amount = Amount::parse("3.50").ok();
    let record = |data: &str| with_data(data);
    let missing = |status: &str, code: &str, rest: &str| {
        format!(r#"{{"status":{status},"code":{code},"message":""{rest}}}"#)
    };
    for (body, asked, complete, wanted) in [
        (record(r#"{"bizId":"B1","amount":"3.50"}"#), amount, true, Balance::Taken),
        (record(r#"{"bizId":"B1","amount":"3.50"}"#), amount, false, Balance::Taken),
        (record(r#"{"bizId":"B1","amount":"3.51"}"#), amount, true, Balance::Unfit),
        (record(r#"{"bizId":"B1","amount":"much"}"#), amount, true, Balance::Unfit),
        (record(r#"{"bizId":"B1"}"#), amount, true, Balance::Unfit),
        (record(r#"{"bizId":"B1","amount":"3.50"}"#), None, true, Balance::Unfit),
        (record(r#"{"bizId":"B2","amount":"3.50"}"#), amount, true, Balance::Nothing),
        (record(r#"{"amount":"3.50"}"#), amount, true, Balance::Nothing),
        (record("null"), amount, true, Balance::Nothing),
        (missing("true", "404", ""), amount, true, Balance::Missing),
        (missing("true", "404", ""), amount, false, Balance::Nothing),
        (missing("false", "404", ""), amount, true, Balance::Nothing),
        (missing("true", "405", ""), amount, true, Balance::Nothing),
        (missing("true", "404", r#","data":{"bizId":"B1"}"#), amount, true, Balance::Missing),
        (missing("true", "404", r#","data":{"bizId":"B2"}"#), amount, true, Balance::Nothing),
        // Not a success: its amount is none.
        (missing("true", "5", r#","data":{"bizId":"B1","amount":"3.50"}"#), amount, true, Balance::Nothing),
        (missing("false", "0", r#","data":{"bizId":"B1","amount":"3.50"}"#), amount, true, Balance::Nothing),
    ] {
        let rules = BalanceRules { complete, not_found: &not_found, sign: Sign::Unknown };
        assert_eq!(envelope(&body).judge_balance("B1", asked, rules), wanted, "{body} {complete}");
    }
}

#[test]
fn a_coupon_with_several_uses_is_known_by_any_name_for_their_count() {
    for (member, unused) in [
        (r#""x":1"#, true),
        (r#""use_times":2"#, false),
        (r#""UseTimes":"1""#, true),
        (r#""use_times":0"#, true),
        (r#""use_times":"many""#, false),
        (r#""use_times":"""#, true),
        (r#""timestamp":1795000000"#, true),
        (r#""timestamps":5"#, true),
        (r#""left_count":3"#, false),
        (r#""remainCount":3"#, false),
        (r#""useNum":3"#, false),
        (r#""left_num":3"#, false),
        (r#""remain_num":3"#, false),
        (r#""number":3"#, true),
    ] {
        let body = with_data(&format!(r#"[{{"cardId":"7","useStatus":"0",{member}}}]"#));
        assert_eq!(envelope(&body).shows_unused("7"), unused, "{member}");
    }
    let body = r#"{"status":false,"code":0,"message":"","data":[{"cardId":"7","useStatus":"0"}]}"#;
    assert!(!envelope(body).shows_unused("7"));
}

#[test]
fn a_read_hands_on_documented_data_or_the_refusal_inside_it() {
    let read = |body: &str| envelope(body).judge_read(Some(&QUOTE_ANSWER), Ids::AsText);
    let Verdict::Accepted(accepted) = read(&with_data(r#"{"coupon_discount":"5"}"#)) else { panic!() };
    assert!(accepted.data().contains("5.00"), "{}", accepted.data());
    assert_eq!((accepted.message(), accepted.returned_biz_id()), ("m", None));
    let Verdict::Refused(refusal) = read(&with_data(r#"{"status":false,"code":"6","message":"i"}"#)) else {
        panic!()
    };
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("6", "i"));
    for data in [
        "null",
        "{}",
        "[]",
        r#"{"status":true,"code":0}"#,
        r#"{"unheard_of":1}"#,
        r#"{"coupon_discount":""}"#,
    ] {
        let Verdict::Doubt(doubt) = read(&with_data(data)) else { panic!("{data}") };
        assert_eq!(doubt.kind.text, "ZV-NO-ANSWER", "{data}");
    }
    for body in [r#"{"status":true,"code":5,"message":"m"}"#, r#"{"status":false,"code":0,"message":"m"}"#] {
        let Verdict::Refused(refusal) = read(body) else { panic!("{body}") };
        assert_eq!(refusal.message, "m");
    }
    let Verdict::Accepted(nothing) =
        envelope(r#"{"status":true,"code":0,"message":""}"#).judge_read(None, Ids::AsText)
    else {
        panic!()
    };
    assert_eq!(nothing.data(), "null");
}

#[test]
fn nobody_is_a_member_with_the_number_zero_in_a_success() {
    for (body, nobody) in [
        (with_data(r#"{"customerId":0}"#), true),
        (with_data(r#"{"customerId":"0"}"#), true),
        (with_data(r#"{"customerId":"17"}"#), false),
        (with_data("{}"), false),
        (r#"{"status":true,"code":5,"message":"","data":{"customerId":0}}"#.to_owned(), false),
        (r#"{"status":false,"code":0,"message":"","data":{"customerId":0}}"#.to_owned(), false),
    ] {
        assert_eq!(envelope(&body).shows_no_member(), nobody, "{body}");
    }
}

#[test]
fn the_biz_ids_of_an_answer_are_compared_without_their_blanks() {
    let body = r#"{"status":true,"code":0,"message":"","bizId":" B1 ","data":{"bizId":"A1"}}"#;
    let known = |own: &[&str], others: &[&str]| {
        envelope(body).names_another_sale(own, &|id| others.contains(&id)).map(str::to_owned)
    };
    assert_eq!(known(&["B1"], &["A1", "B1"]).as_deref(), Some("A1"));
    assert_eq!(known(&["B1", "A1"], &["A1", "B1"]), None);
    assert_eq!(known(&["B1"], &[]), None);
    assert!(envelope(body).names_only(&["B1", "A1"]) && !envelope(body).names_only(&["B1"]));
}

#[test]
fn a_broken_text_is_named_with_its_place() {
    let doubt = |body: &[u8]| match Envelope::read(200, body) {
        Err(doubt) => (doubt.kind.text, doubt.message),
        Ok(_) => panic!(),
    };
    let (kind, message) = doubt(b"{\"status\":true,\"code\":0,\"message\":\"a\xffb\"}");
    assert_eq!(kind, "ZV-BROKEN-TEXT");
    assert!(message.starts_with("the text of \"message\""), "{message}");
    let (kind, message) = doubt(b"{\"status\":true,\"code\":0,\"message\":\"\",\"n\xff\":1}");
    assert!(kind == "ZV-BROKEN-TEXT" && message.starts_with("the name"), "{message}");
    // What is no JSON even without its broken strings is not one of the gateway's.
    assert_eq!(doubt(b"{\"status\":true,\"code\":0,\"message\":\"a\xffb\"").0, "ZV-NOT-GATEWAY");
}

#[test]
fn a_read_with_a_broken_text_is_taken_unless_the_text_must_be_exact() {
    let repaired = |data: &str| {
        let body = with_data(data).replace('!', "\u{1}");
        repaired_read(body.as_bytes(), Some(&QUOTE_ANSWER))
    };
    for (data, taken) in [
        (r#"{"note":"a!b"}"#, true),
        (r#"{"user_coupon_name":"5!"}"#, true),
        (r#"{"user_coupon_name":"5!0"}"#, true),
        (r#"{"note":"5!"}"#, false),
        (r#"{"note":"1,5!0"}"#, false),
        (r#"{"note":"+!"}"#, true),
        (r#"{"note":"5!x"}"#, true),
        (r#"{"no!te":"a"}"#, false),
        (r#"{"coupon_discount":"x!"}"#, false),
        (r#"{"userInfo":{"nickname":"L!"}}"#, true),
        (r#"{"goods_item":[{"unknown":"L!"}]}"#, true),
        (r#"{"goods_item":[{"coupon_minus":"x!"}]}"#, false),
        (r#"{"bizId":"L!"}"#, false),
    ] {
        assert_eq!(repaired(data).is_some(), taken, "{data}");
    }
    let (text, warning) = repaired(r#"{"note":"a!b","note2":"c!"}"#).unwrap();
    assert!(text.contains("a\u{fffd}b") && text.contains("c\u{fffd}"), "{text}");
    assert!(warning.message.starts_with("note, note2 held"), "{}", warning.message);
}
