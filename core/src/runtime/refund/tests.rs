//! What a till and a cashier are told of a reversal, by record.

use serde_json::{Value as Json, json};

use super::*;
use crate::gateway::{GatewayStatus, Identity};
use crate::money::BizId;
use crate::payment::{Detail, Key, OnUnknown, Owner, Reversal, Said, Settlement};
use crate::runtime::response::{reversal, stands};

fn asked(amount: Option<u64>, coupons: &[&str]) -> Identity {
    Identity {
        customer_id: Some("17".to_owned()),
        kind: None,
        amount: amount.and_then(Amount::from_fen),
        coupons: coupons.iter().map(|coupon| (*coupon).to_owned()).collect(),
        points: Some(4),
    }
}

fn entry_of(identity: Identity, stage: Stage, detail: Detail) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
    Entry::restore(key, identity, stage, 3, 1, Owner("me".into()), OnUnknown::Reverse, 0, detail)
}

fn entry(stage: Stage, reversal: Reversal) -> Entry {
    entry_of(asked(Some(350), &["7"]), stage, Detail { reversal, ..Detail::default() })
}

fn status(code: &str, message: &str) -> GatewayStatus {
    GatewayStatus { code: code.to_owned(), message: message.to_owned() }
}

fn told(answer: &Answer) -> Json {
    serde_json::from_str(&answer.to_json()).unwrap()
}

fn reversal_of(entry: &Entry) -> Json {
    told(&reversal(entry, Lang::En))
}

const REFUND: fn() -> Reversal = || Reversal { asked: true, refund: true, tries: 1, ..Reversal::default() };

#[test]
fn a_refused_refund_leaves_the_sale_and_says_so_only_where_that_is_certain() {
    let last = Some(status("920002", "no"));
    let told_apart = entry(Stage::Kept, Reversal { told_apart: true, last: last.clone(), ..REFUND() });
    let answer = reversal_of(&told_apart);
    assert_eq!(answer["outcome"], "conflict");
    assert_eq!((&answer["next"], &answer["code"]), (&json!("refund_refused"), &json!("ZV-REFUND-REFUSED")));
    assert_eq!(answer["cashier"], "The refund was refused; the payment is valid.");
    assert_eq!(answer["message"], "920002 no");
    assert_eq!((&answer["bizId"], &answer["recorded"]["stage"]), (&json!("B1"), &json!("kept")));
    // Without the codes for "already" the same words may mean that it was given back before.
    let open = entry(Stage::Kept, Reversal { last, ..REFUND() });
    let answer = reversal_of(&open);
    assert_eq!(answer["next"], "refund_refused");
    let cashier = answer["cashier"].as_str().unwrap();
    assert!(cashier.contains("(code 920002)") && cashier.contains("Give no cash"), "{cashier}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with("920002 no; without routes.reverse.codes.already"), "{message}");
    let zh = told(&reversal(&open, Lang::ZhCn));
    assert!(zh["cashier"].as_str().unwrap().contains("（代码 920002）"), "{zh}");
    // The sale stands by the gateway's own answer, or by a person's word.
    for (code, wanted) in [("0", "0"), ("", "ZV-SETTLED"), ("8", "ZV-SETTLED")] {
        let detail = Detail { words: Some(status(code, "ok")), reversal: REFUND(), ..Detail::default() };
        let stood = told(&stands(&entry_of(asked(Some(350), &["7"]), Stage::Kept, detail), Lang::En));
        assert_eq!((&stood["outcome"], &stood["code"]), (&json!("succeeded"), &json!(wanted)), "{stood}");
        assert!(stood["cashier"].as_str().unwrap().starts_with("The refund was refused"), "{stood}");
    }
    // A sale that a person has kept was never refused a refund.
    let kept = reversal_of(&entry(Stage::Kept, Reversal::default()));
    assert_ne!(kept["code"], "ZV-REFUND-REFUSED", "{kept}");
    // A refusal without a code is quoted without one.
    let answer = reversal_of(&entry(Stage::Kept, REFUND()));
    assert!(answer["cashier"].as_str().unwrap().starts_with("The refund was refused. Give"), "{answer}");
}

#[test]
fn a_reversal_that_needs_a_person_is_a_conflict_with_its_own_code_and_sentence() {
    let last =
        |code: &str| Reversal { last: Some(status(code, "words")), asked: true, ..Reversal::default() };
    let other_tender = "The return could not be confirmed. Use another tender, and ask the manager to check.";
    let refund = "The refund could not be confirmed. Ask the manager to check.";
    let not_found = "The gateway knows no such payment. Check the number.";
    let late = "The gateway's answer contradicts what was settled before. Ask the manager to check.";
    let foreign = |reversal: Reversal| {
        let detail = Detail { foreign: true, reversal, ..Detail::default() };
        entry_of(asked(None, &[]), Stage::Refused, detail)
    };
    for (entry, code, cashier) in [
        (entry(Stage::Refused, last("9")), "ZV-REFUSED", other_tender),
        (entry(Stage::Refused, Reversal { refund: true, ..last("9") }), "ZV-REFUSED", refund),
        (entry(Stage::Unproven, last("9")), "ZV-UNPROVEN-REVERSAL", other_tender),
        (entry(Stage::Unproven, Reversal { refund: true, ..last("9") }), "ZV-UNPROVEN-REVERSAL", refund),
        (entry(Stage::Unproven, Reversal::default()), "ZV-UNPROVEN-REVERSAL", other_tender),
        (entry(Stage::Unproven, last("ZV-UNPROVEN-BIZID")), "ZV-UNPROVEN-BIZID", other_tender),
        (entry(Stage::Unproven, last("ZV-LATE-PROOF")), "ZV-LATE-PROOF", late),
        (foreign(Reversal { said: Some(Said::NotFound), ..last("8") }), "ZV-REVERSE-NOT-FOUND", not_found),
        (foreign(Reversal { said: Some(Said::Refused), ..last("8") }), "ZV-REFUSED", refund),
    ] {
        let answer = reversal_of(&entry);
        assert_eq!((&answer["outcome"], &answer["code"]), (&json!("conflict"), &json!(code)), "{answer}");
        assert_eq!(answer["cashier"], cashier, "{answer}");
        // A look-up says the same.
        let looked_up = told(&stands(&entry, Lang::En));
        assert_eq!((&looked_up["outcome"], &looked_up["code"]), (&json!("unknown"), &json!(code)));
        assert_eq!(looked_up["cashier"], cashier, "{looked_up}");
    }
}

#[test]
fn a_reversal_that_is_under_way_is_unknown() {
    let asked = || Reversal { asked: true, ..Reversal::default() };
    let queued = reversal_of(&entry(Stage::Sending, asked()));
    assert_eq!((&queued["outcome"], &queued["code"]), (&json!("unknown"), &json!("ZV-REVERSAL-QUEUED")));
    assert_eq!(queued["message"], "it is sent when the consume has ended");
    // The consume of an unfinished sale: another tender may be taken.
    let lost = reversal_of(&entry(Stage::Reversing, asked()));
    assert_eq!((&lost["outcome"], &lost["next"]), (&json!("unknown"), &json!("other_tender")));
    assert_eq!(lost["code"], "ZV-REVERSAL-QUEUED");
    // A refund is another matter.
    for (last, message) in
        [(None, codes::REVERSAL_QUEUED.meaning), (Some(status("ZV-LOST", "gone")), "ZV-LOST gone")]
    {
        let refund = reversal_of(&entry(Stage::Reversing, Reversal { last, ..REFUND() }));
        assert_eq!((&refund["outcome"], &refund["next"]), (&json!("unknown"), &json!("refund_pending")));
        assert_eq!(refund["cashier"], "The refund is registered and under way.");
        assert_eq!((&refund["message"], &refund["bizId"]), (&json!(message), &json!("B1")));
    }
}

/// The data that an answer to a consume had.
fn purses(recharge: &str, gift: &str) -> String {
    let mut data = serde_json::Map::new();
    for (name, amount) in [("change_recharge_amount", recharge), ("change_gift_amount", gift)] {
        if !amount.is_empty() {
            data.insert(name.to_owned(), json!(amount));
        }
    }
    Json::Object(data).to_string()
}

#[test]
fn a_refund_names_the_sums_that_are_known_and_guesses_none() {
    for (amount, recharge, gift, total) in [
        (Some(350), "-3.00", "-0.50", Some("3.50")),
        (Some(350), "3.00", "0.50", Some("3.50")),
        (Some(350), "3.50", "", Some("3.50")),
        (Some(350), "", "3.50", Some("3.50")),
        (Some(350), "", "", Some("3.50")),
        // What the gateway says does not fit.
        (Some(350), "3.00", "", None),
        (Some(350), "3.00", "3.00", None),
        (None, "3.00", "", None),
        (None, "0.00", "0.00", Some("0.00")),
        (None, "", "", None),
    ] {
        let detail = Detail { data: Some(purses(recharge, gift)), reversal: REFUND(), ..Detail::default() };
        let answer = reversal_of(&entry_of(asked(amount, &["7"]), Stage::Reversed, detail));
        let case = format!("{amount:?} {recharge} {gift}: {answer}");
        assert_eq!((&answer["outcome"], &answer["next"]), (&json!("reversed"), &json!("refunded")), "{case}");
        let refunded = &answer["data"]["refunded"];
        assert_eq!(refunded["total"], json!(total), "{case}");
        let plain = |amount: &str| (!amount.is_empty()).then(|| amount.trim_start_matches('-').to_owned());
        assert_eq!(refunded["recharge"], json!(plain(recharge)), "{case}");
        assert_eq!(refunded["gift"], json!(plain(gift)), "{case}");
        assert_eq!((&refunded["points"], &refunded["couponsCardList"]), (&json!(4), &json!(["7"])), "{case}");
        assert_eq!(refunded["elsewhere"], false, "{case}");
    }
}

#[test]
fn the_cashier_hears_what_was_given_back_in_one_sentence() {
    let sentence = |identity: Identity, data: Option<String>, reversal: Reversal, stage: Stage| {
        let entry = entry_of(identity, stage, Detail { data, reversal, ..Detail::default() });
        reversal_of(&entry)["cashier"].as_str().unwrap().to_owned()
    };
    let of =
        |amount, coupons: &[&str], data| sentence(asked(amount, coupons), data, REFUND(), Stage::Reversed);
    assert_eq!(of(Some(350), &["7"], None), "3.50 given back to the member's account, the coupons too.");
    assert_eq!(of(Some(350), &[], None), "3.50 given back to the member's account.");
    assert_eq!(of(None, &["7"], None), "The coupons are given back.");
    assert_eq!(of(Some(0), &["7"], None), "The coupons are given back.");
    // A sum was asked for, and it is not known which came back.
    assert_eq!(of(Some(350), &["7"], Some(purses("3.00", ""))), "Given back to the member's account.");
    assert_eq!(of(None, &[], None), "Given back to the member's account.");
    let elsewhere = Reversal { elsewhere: true, ..REFUND() };
    let before = "This payment had been given back before; this time nothing was given back.";
    assert_eq!(sentence(asked(Some(350), &[]), None, elsewhere, Stage::Reversed), before);
    // What a person has stated is said to be theirs.
    let undone = sentence(asked(Some(350), &[]), None, REFUND(), Stage::Undone);
    assert_eq!(undone, "Checked by a person: 3.50 given back to the member's account.");
}

#[test]
fn of_another_tills_sale_only_its_own_answer_names_a_sum() {
    let detail = |data| Detail { foreign: true, data, reversal: REFUND(), ..Detail::default() };
    let answer = reversal_of(&entry_of(asked(Some(350), &[]), Stage::Reversed, detail(None)));
    assert_eq!(answer["data"]["refunded"]["total"], Json::Null, "{answer}");
    let mut detail = detail(None);
    detail.reversal.last = Some(status("0", "done"));
    let answer = reversal_of(&entry_of(asked(None, &[]), Stage::Reversed, detail));
    assert_eq!((&answer["code"], &answer["message"]), (&json!("ZV-REVERSED"), &json!("0 done")));
}

#[test]
fn a_sale_that_stands_after_another_tender_was_taken_is_said_to_stand() {
    let settled = || Some(Settlement { by: "w".into(), reason: "r".into(), from: Stage::Refused });
    let detail = |sent_away: bool| Detail {
        settlement: settled(),
        reversal: Reversal { sent_away, ..Reversal::default() },
        ..Detail::default()
    };
    let away = entry_of(asked(Some(350), &[]), Stage::Kept, detail(true));
    let answer = told(&stands(&away, Lang::En));
    assert_eq!((&answer["outcome"], &answer["next"]), (&json!("unknown"), &json!("other_tender")));
    assert!(answer["cashier"].as_str().unwrap().contains("If another tender was used"), "{answer}");
    let kept = entry_of(asked(Some(350), &[]), Stage::Kept, detail(false));
    let answer = told(&stands(&kept, Lang::En));
    assert_eq!((&answer["outcome"], &answer["code"]), (&json!("succeeded"), &json!("ZV-SETTLED")));
    assert_eq!(open_sentence(&kept, Lang::En), None);
}

#[test]
fn what_is_no_refund_is_told_as_a_look_up_tells_it() {
    for stage in
        [Stage::Reversed, Stage::Undone, Stage::Succeeded, Stage::Declined, Stage::NotSent, Stage::Unknown]
    {
        let entry = entry(stage, Reversal::default());
        let (answer, looked_up) = (reversal_of(&entry), told(&stands(&entry, Lang::En)));
        assert_eq!((&answer["outcome"], &answer["code"]), (&looked_up["outcome"], &looked_up["code"]));
        assert_eq!(answer["recorded"]["stage"], stage.as_str(), "{answer}");
        assert!(answer["data"]["refunded"].is_null(), "{answer}");
    }
}
