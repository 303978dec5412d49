//! The body of an answer to a question: a success or a refusal that the library reads from it has its proof.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zvpos_core::gateway::{
    Balance, BalanceRules, CONSUME_ANSWER, CodeRules, Envelope, Identity, QUOTE_ANSWER, Sign, Verdict,
    repaired_read,
};
use zvpos_core::money::{Amount, BizId};
use zvpos_core::schema::Ids;
use zvpos_fuzz::tree::Tree;
use zvpos_fuzz::{choice, proof};

const OWN: &str = "S-1";
const OTHERS: &str = "T-9";
const COUPON: &str = "390962138708451328";
const DECLINED: [&str; 2] = ["910001", "DECLINED"];
const SECRET: &str = "fake-open-key-for-test-only-0001";

fuzz_target!(|input: &[u8]| {
    let Some((number, body)) = choice(input) else { return };
    let strict = number & 1 == 1;
    let listed = number & 2 == 2;
    let asked = question(number >> 2);
    let declined = if listed { &DECLINED[..] } else { &[] };
    let rules = CodeRules {
        declined: declined.iter().map(ToString::to_string).collect(),
        only_listed: number & 16 == 16,
        ..CodeRules::default()
    };
    check_repaired(body);
    let Ok(envelope) = Envelope::read(200, body) else { return };
    let envelope = envelope.hiding([SECRET]);
    assert!(Envelope::read(500, body).is_err());
    let tree = proof::envelope(200, body).unwrap_or_else(|why| panic!("was read, though {why}"));
    let Ok(biz_id) = BizId::new(OWN) else { return };
    match envelope.judge_consume(&biz_id, &asked, &rules, strict, &|named| named == OTHERS) {
        Verdict::Accepted(accepted) => {
            proof::of_success(&tree, OWN, strict).unwrap_or_else(|why| panic!("a success, though {why}"));
            assert!(proof::named(&tree).all(|named| named.trim() != OTHERS), "another sale's");
            let data = Tree::read(accepted.data());
            assert!(data.is_some_and(|data| matches!(data, Tree::Object(_))), "{}", accepted.data());
            let carried = tree.get("data").and_then(|data| data.given("bizId")?.scalar());
            assert_eq!(accepted.returned_biz_id(), carried);
            assert!(!strict || carried.is_none_or(|carried| carried == OWN));
            assert!(proof::named(&tree).all(|named| named == OWN) || !accepted.warnings().is_empty());
        }
        Verdict::Refused(refusal) => {
            proof::of_refusal(&tree, declined).unwrap_or_else(|why| panic!("a refusal, though {why}"));
            assert!(proof::named(&tree).all(|named| named.trim() != OTHERS), "another sale's");
            assert!(!refusal.message.contains(SECRET) && !refusal.code.contains(SECRET));
        }
        Verdict::Doubt(_) => {}
    }
    match envelope.judge_call(&rules) {
        Verdict::Accepted(accepted) => {
            assert!(proof::says_yes(&tree));
            let told = Tree::read(accepted.data()).unwrap_or_else(|| panic!("{}", accepted.data()));
            assert!(tree.get("data").unwrap_or(&Tree::Null).is_as_told(&told), "{}", accepted.data());
        }
        Verdict::Refused(_) => {
            proof::of_refusal(&tree, declined).unwrap_or_else(|why| panic!("a refusal, though {why}"));
        }
        Verdict::Doubt(_) => {}
    }
    for shape in [None, Some(&QUOTE_ANSWER), Some(&CONSUME_ANSWER)] {
        if let Verdict::Accepted(accepted) = envelope.judge_read(shape, Ids::AsText) {
            assert!(proof::says_yes(&tree));
            assert!(Tree::read(accepted.data()).is_some(), "{}", accepted.data());
        }
    }
    let not_found = ["100007".to_owned()];
    for sign in [Sign::Unknown, Sign::MinusIsTaken, Sign::PlusIsTaken] {
        let rules = BalanceRules { complete: true, not_found: &not_found, sign };
        let said = envelope.judge_balance(OWN, Amount::parse("1.00").ok(), rules);
        assert!(!matches!(said, Balance::Taken | Balance::Unfit) || proof::says_yes(&tree));
        assert!(said != Balance::Missing || not_found[0] == envelope.code());
    }
    if envelope.shows_unused(COUPON) {
        let names = tree.any_member(&|name, value| name == "cardId" && value.scalar() == Some(COUPON));
        assert!(proof::says_yes(&tree) && names);
    }
    assert!(!envelope.shows_no_member() || proof::says_yes(&tree));
});

fn question(number: u8) -> Identity {
    let coupons = vec![COUPON.to_owned()];
    let amount = Amount::parse("23.00").ok();
    let member = Some("383933091455959041".to_owned());
    match number & 3 {
        0 => Identity { customer_id: member, amount, ..Identity::default() },
        1 => Identity { customer_id: member, coupons, ..Identity::default() },
        2 => Identity { customer_id: member, amount, coupons, points: Some(5), ..Identity::default() },
        _ => Identity { kind: Some(1), coupons: vec!["600000000001".to_owned()], ..Identity::default() },
    }
}

/// A repaired answer to a read is valid JSON and names the repaired places.
fn check_repaired(body: &[u8]) {
    for shape in [None, Some(&QUOTE_ANSWER)] {
        if let Some((text, warning)) = repaired_read(body, shape) {
            assert!(Tree::read(&text).is_some() && text.contains('\u{fffd}'), "{text}");
            assert!(!warning.message.is_empty());
        }
    }
}
