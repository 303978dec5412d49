//! What a till is told of each record, each end and each look-up.

use serde_json::{Value as Json, json};

use super::*;
use crate::gateway::{CodeRules, Envelope, NotSent, Refusal};
use crate::money::BizId;
use crate::payment::{Detail, Key, OnUnknown, Owner, Reversal};

fn identity(amount: Option<u64>, coupons: &[&str]) -> Identity {
    Identity {
        amount: amount.and_then(Amount::from_fen),
        coupons: coupons.iter().map(|coupon| (*coupon).to_owned()).collect(),
        ..Identity::default()
    }
}

fn entry_of(identity: Identity, stage: Stage, detail: Detail) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
    Entry::restore(key, identity, stage, 3, 1, Owner("me".into()), OnUnknown::Reverse, 0, detail)
}

fn entry(stage: Stage, detail: Detail) -> Entry {
    entry_of(identity(Some(350), &[]), stage, detail)
}

fn status(code: &str, message: &str) -> GatewayStatus {
    GatewayStatus { code: code.to_owned(), message: message.to_owned() }
}

fn words(code: &str) -> Detail {
    Detail { words: Some(status(code, "words")), ..Detail::default() }
}

fn told(answer: &Answer) -> Json {
    serde_json::from_str(&answer.to_json()).unwrap()
}

fn lookup(entry: &Entry) -> Json {
    told(&stands(entry, Lang::En))
}

#[test]
fn each_stage_is_told_with_its_outcome_and_its_code() {
    let doubt = Detail { doubt: Some("ZV-TIMEOUT".to_owned()), ..words("504") };
    let voided = Reversal { voided: Some(Stage::Declined), ..Reversal::default() };
    for (entry, outcome, code) in [
        (entry(Stage::Succeeded, words("0")), "succeeded", "0"),
        (entry(Stage::Declined, words("40001")), "declined", "40001"),
        (entry(Stage::NotSent, words("ZV-CONNECT")), "not_sent", "ZV-CONNECT"),
        (entry(Stage::Sending, Detail::default()), "unknown", "ZV-BUSY"),
        (entry(Stage::Unknown, doubt), "unknown", "504"),
        (entry(Stage::Reversing, words("504")), "unknown", "504"),
        (entry(Stage::Reversing, words("0")), "unknown", "ZV-REVERSING"),
        (entry(Stage::Reversing, Detail::default()), "unknown", "ZV-REVERSING"),
        (entry(Stage::Reversed, Detail::default()), "reversed", "ZV-REVERSED"),
        (entry(Stage::Reversed, Detail { reversal: voided, ..Detail::default() }), "reversed", "ZV-VOIDED"),
        (entry(Stage::Kept, words("0")), "succeeded", "ZV-SETTLED"),
        (entry(Stage::Undone, words("0")), "reversed", "ZV-SETTLED"),
    ] {
        let answer = lookup(&entry);
        assert_eq!((&answer["outcome"], &answer["code"]), (&json!(outcome), &json!(code)), "{answer}");
        assert_eq!(answer["bizId"], "B1", "{answer}");
    }
}

#[test]
fn the_words_of_a_record_are_those_of_the_last_answer_that_says_something() {
    let reversing = |words: Option<GatewayStatus>, last: Option<GatewayStatus>| {
        let reversal = Reversal { last, ..Reversal::default() };
        let answer = lookup(&entry(Stage::Reversing, Detail { words, reversal, ..Detail::default() }));
        (answer["code"].as_str().unwrap().to_owned(), answer["message"].as_str().unwrap().to_owned())
    };
    let of = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    assert_eq!(reversing(None, None), of("ZV-REVERSING", "it is being reversed"));
    assert_eq!(reversing(Some(status("0", "ok")), Some(status("7", "no"))), of("7", "no"));
    assert_eq!(reversing(Some(status("", "x")), Some(status("7", "no"))), of("7", "no"));
    assert_eq!(reversing(Some(status("5", "hm")), Some(status("7", "no"))), of("5", "hm"));
    // Without words of the gateway's the library's own stand there.
    let busy = lookup(&entry(Stage::Sending, Detail::default()));
    assert_eq!(busy["message"], codes::BUSY.meaning);
    let busy = lookup(&entry(Stage::Sending, words("110004")));
    assert_eq!(busy["message"], "110004 words");
}

#[test]
fn a_success_says_what_was_taken_and_what_the_till_does_next() {
    for (identity, sentence) in [
        (identity(Some(350), &[]), "Payment taken."),
        (identity(None, &[]), "Payment taken."),
        (identity(Some(350), &["7"]), "Coupons redeemed and payment taken."),
        (identity(Some(0), &["7"]), "Coupons redeemed."),
        (identity(None, &["7"]), "Coupons redeemed."),
    ] {
        let answer = lookup(&entry_of(identity, Stage::Succeeded, words("0")));
        assert_eq!(answer["cashier"], sentence, "{answer}");
    }
    for (confirmation, next) in [
        (Confirmation::Awaited, "store_then_confirm"),
        (Confirmation::Given, "complete_sale"),
        (Confirmation::NotAsked, "complete_sale"),
    ] {
        let answer = lookup(&entry(Stage::Succeeded, Detail { confirmation, ..words("0") }));
        assert_eq!(answer["next"], next, "{answer}");
    }
}

#[test]
fn data_stands_only_beside_a_success() {
    let data = Some(r#"{"bizId":"B1"}"#.to_owned());
    for stage in Stage::ALL {
        let answer = lookup(&entry(stage, Detail { data: data.clone(), ..words("0") }));
        let success = matches!(stage, Stage::Succeeded | Stage::Kept);
        assert_eq!(answer["data"].is_null(), !success, "{stage:?}: {answer}");
    }
}

#[test]
fn another_tender_is_taken_exactly_where_the_reversal_was_on_disk() {
    for stage in Stage::ALL {
        for refund in [false, true] {
            let reversal = Reversal { refund, ..Reversal::default() };
            let answer = lookup(&entry(stage, Detail { reversal, ..words("5") }));
            let undoing = matches!(stage, Stage::Reversing | Stage::Refused | Stage::Unproven);
            let away = undoing && !refund;
            let by_itself = matches!(stage, Stage::Reversed | Stage::Undone | Stage::Declined);
            if !by_itself {
                assert_eq!(answer["next"] == "other_tender", away, "{stage:?} {refund}: {answer}");
            }
        }
    }
}

#[test]
fn the_warnings_of_a_record_are_told_and_unknown_ones_are_not() {
    let warnings = vec![status("ZV-W-BIZID", "other"), status("ZV-W-OF-ANOTHER-VERSION", "x")];
    let answer = lookup(&entry(Stage::Succeeded, Detail { warnings, ..words("0") }));
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{answer}");
    assert_eq!(warnings[0]["code"], "ZV-W-BIZID");
}

#[test]
fn a_call_that_sent_nothing_says_why() {
    let told = |reply: Reply| told(&consume(reply, Lang::En));
    let voided = Reversal { voided: Some(Stage::NotSent), ..Reversal::default() };
    for (reply, outcome, code, words) in [
        (
            Reply::Conflict(entry(Stage::Reversed, Detail::default())),
            "conflict",
            "ZV-CONFLICT",
            "was reversed",
        ),
        (Reply::Conflict(entry(Stage::Undone, Detail::default())), "conflict", "ZV-CONFLICT", "was reversed"),
        (
            Reply::Conflict(entry(Stage::Reversed, Detail { reversal: voided, ..Detail::default() })),
            "conflict",
            "ZV-CONFLICT",
            "was voided",
        ),
        (Reply::Conflict(entry(Stage::Succeeded, words("0"))), "conflict", "ZV-CONFLICT", "another request"),
        (
            Reply::NewBizId(entry(Stage::Declined, words("5"))),
            "conflict",
            "ZV-NEW-BIZID",
            "nothing was taken",
        ),
        (Reply::Busy, "unknown", "ZV-BUSY", "this call sent nothing"),
        (Reply::InDoubt(entry(Stage::Unknown, words("5"))), "not_sent", "ZV-IN-DOUBT", "bizId B1"),
        (Reply::OtherJournal(None), "unknown", "ZV-OTHER-JOURNAL", "nothing was sent"),
        (Reply::Unrecorded(left_behind()), "unknown", "ZV-ABANDONED", "not recorded"),
        (
            Reply::Internal { code: &codes::JOURNAL_FULL, message: "full".to_owned() },
            "internal",
            "ZV-JOURNAL-FULL",
            "full",
        ),
    ] {
        let answer = told(reply);
        assert_eq!((&answer["outcome"], &answer["code"]), (&json!(outcome), &json!(code)), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
    }
    let ended = told(Reply::Ended(entry(Stage::Succeeded, words("0"))));
    let again = told(Reply::Existing(entry(Stage::Succeeded, words("0"))));
    assert_eq!((&ended["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
    let held = told(Reply::InDoubt(entry(Stage::Unknown, words("5"))));
    assert_eq!((&held["next"], &held["recorded"]["bizId"]), (&json!("other_tender"), &json!("B1")));
    assert_eq!(told(Reply::NewBizId(entry(Stage::Declined, words("5"))))["next"], "new_bizid");
}

#[test]
fn a_look_up_says_what_is_known_and_what_is_not() {
    let told = |of: Known| told(&known(&of, Lang::En));
    let existing = told(Known::Existing(entry(Stage::Declined, words("5"))));
    assert_eq!((&existing["outcome"], &existing["replayed"]), (&json!("declined"), &json!(true)));
    assert_eq!(existing["recorded"]["stage"], "declined");
    let left = told(Known::LeftBehind(entry(Stage::Sending, Detail::default())));
    assert_eq!((&left["outcome"], &left["code"]), (&json!("unknown"), &json!("ZV-ABANDONED")));
    let never = told(Known::NeverSent);
    assert_eq!((&never["outcome"], &never["retry_after_ms"]), (&json!("not_sent"), &json!(0)));
    let other = told(Known::OtherJournal(Some(entry(Stage::Succeeded, words("0")))));
    assert_eq!((&other["code"], &other["recorded"]["bizId"]), (&json!("ZV-OTHER-JOURNAL"), &json!("B1")));
    assert!(told(Known::OtherJournal(None))["recorded"].is_null());
    let missing = told(Known::NotRecorded);
    assert_eq!((&missing["outcome"], &missing["code"]), (&json!("invalid"), &json!("ZV-NOT-FOUND")));
    assert_eq!(missing["errors"][0]["path"], "journal_id");
}

fn verdict(body: &str) -> Verdict {
    Envelope::read(200, body.as_bytes()).unwrap().judge_call(&CodeRules::default())
}

#[test]
fn the_end_of_a_read_is_told_without_a_doubt_about_money() {
    let answers = |end: fn() -> ReadEnd| (told(&read(end(), Lang::En)), told(&listed(end(), Lang::En)));
    let success = || ReadEnd::Verdict(verdict(r#"{"status":true,"code":0,"message":"ok","data":{"n":1}}"#));
    let (answer, as_listed) = answers(success);
    assert_eq!(
        (&answer["outcome"], &answer["next"], &answer["data"]["n"]),
        (&json!("succeeded"), &json!("go_on"), &json!(1))
    );
    assert_eq!(answer, as_listed);
    let refused = || {
        let warnings = Vec::new();
        ReadEnd::Verdict(Verdict::Refused(Refusal { code: "5".into(), message: "no".into(), warnings }))
    };
    let (answer, as_listed) = answers(refused);
    assert_eq!((&answer["outcome"], &answer["next"]), (&json!("declined"), &json!("go_on")));
    assert_eq!((&answer["cashier"], &as_listed), (&json!("Not possible: no"), &answer));
    let nobody =
        || ReadEnd::NoMember(verdict(r#"{"status":true,"code":0,"message":"","data":{"customerId":0}}"#));
    let (answer, _) = answers(nobody);
    assert_eq!((&answer["outcome"], &answer["code"]), (&json!("declined"), &json!("ZV-NO-MEMBER")));
    // A doubt about a read is a lost answer; about an action that may take something it is unknown.
    let lost = || ReadEnd::Lost(Doubt { code: "504".to_owned(), ..Doubt::new(&codes::LOST, "gone") });
    let (answer, as_listed) = answers(lost);
    assert_eq!((&answer["outcome"], &answer["code"]), (&json!("not_sent"), &json!("ZV-NO-ANSWER")));
    assert_eq!((&answer["message"], &answer["retry_after_ms"]), (&json!("ZV-LOST: gone"), &json!(1000)));
    assert_eq!((&as_listed["outcome"], &as_listed["code"]), (&json!("unknown"), &json!("ZV-CALL-LOST")));
    assert_eq!(as_listed["message"], "ZV-LOST: 504 gone");
    let own = told(&listed(ReadEnd::Lost(Doubt::new(&codes::LOST, "gone")), Lang::En));
    assert_eq!(own["message"], "ZV-LOST: gone", "the library's code is not repeated");
    let broken = || ReadEnd::Lost(Doubt::new(&codes::BROKEN_TEXT, "x"));
    let (answer, _) = answers(broken);
    assert_eq!((&answer["code"], &answer["next"]), (&json!("ZV-BROKEN-TEXT"), &json!("stop")));
    let not_sent = || ReadEnd::NotSent(NotSent { code: &codes::CONNECT, message: "no way".to_owned() });
    let (answer, as_listed) = answers(not_sent);
    assert_eq!((&answer["code"], &answer["retry_after_ms"]), (&json!("ZV-CONNECT"), &json!(1000)));
    assert_eq!(answer, as_listed);
}
