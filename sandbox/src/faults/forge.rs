//! Falsified answers of the gateway: the answer differs from what the gateway did, or is malformed.

use crate::rules::{Fen, Tree, codes, refusal_with};

/// The answer without its data.
pub(super) fn without_data(body: &Tree) -> Tree {
    let Tree::Object(fields) = body else { return body.clone() };
    Tree::Object(fields.iter().filter(|(name, _)| *name != "data").cloned().collect())
}

/// Another answer followed by the real one, in one JSON object with duplicate keys: parsers differ in which one they
/// read.
pub(super) fn twice_said(body: &Tree) -> Tree {
    let Tree::Object(fields) = body else { return body.clone() };
    let first = [
        ("status", Tree::Bare("false".to_owned())),
        ("code", Tree::text(codes::SYSTEM_BUSY)),
        ("message", Tree::text("系统繁忙，请稍后再试")),
    ];
    Tree::Object(first.into_iter().chain(fields.iter().cloned()).collect())
}

/// The answer with a larger deduction.
pub(super) fn more_taken(body: &Tree, fen: u64) -> Tree {
    in_data(body, "change_recharge_amount", |amount| {
        let taken = amount.as_text().and_then(Fen::parse).unwrap_or_default();
        Tree::text(taken.plus(Fen::new(fen)))
    })
}

/// The answer with a coupon that belongs to nobody.
pub(super) fn other_coupons(body: &Tree) -> Tree {
    in_data(body, "couponsCardList", |_| Tree::List(vec![Tree::text("390000000000000000")]))
}

/// A refusal whose data still shows the deduction; a refusal is returned unchanged.
pub(super) fn refused_with_data(body: &Tree) -> Tree {
    let Some(Tree::Object(data)) = body.get("data") else { return body.clone() };
    let shown = data.iter().filter(|(name, _)| !matches!(*name, "status" | "code" | "message"));
    refusal_with(codes::FAILED_AFTER_EFFECT, "处理失败", Tree::Object(shown.cloned().collect()))
}

/// A refusal that names this sale.
pub(super) fn refusal_of(biz_id: &str) -> Tree {
    let data = Tree::Object(vec![("bizId", Tree::text(biz_id))]);
    refusal_with(codes::COUPON_USED, "优惠券已核销", data)
}

/// The vendor's own sample: every documented field of the data is present and empty (DOC).
pub(super) fn emptied(body: &Tree) -> Tree {
    let Tree::Object(fields) = body else { return body.clone() };
    let emptied = fields.iter().map(|(field, value)| match value {
        Tree::Object(data) if *field == "data" => {
            let repeats = |name: &str| matches!(name, "status" | "code" | "message");
            let data = data
                .iter()
                .map(|(name, value)| (*name, if repeats(name) { value.clone() } else { Tree::text("") }));
            (*field, Tree::Object(data.collect()))
        }
        _ => (*field, value.clone()),
    });
    Tree::Object(emptied.collect())
}

/// Every amount with four decimals, as a database column prints it.
pub(super) fn four_decimals(body: &Tree) -> Tree {
    let written = |text: &str| {
        let (whole, fraction) = text.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        (digits(whole) && digits(fraction) && fraction.len() == 2).then(|| format!("{text}00"))
    };
    match body {
        Tree::Text(text) => Tree::Text(written(text).unwrap_or_else(|| text.clone())),
        Tree::Bare(text) => Tree::Bare(written(text).unwrap_or_else(|| text.clone())),
        Tree::List(items) => Tree::List(items.iter().map(four_decimals).collect()),
        Tree::Object(fields) => {
            Tree::Object(fields.iter().map(|(name, value)| (*name, four_decimals(value))).collect())
        }
    }
}

/// The answer with one field of its data changed; a refusal has no data and is returned unchanged.
fn in_data(body: &Tree, name: &str, change: impl Fn(&Tree) -> Tree) -> Tree {
    let Tree::Object(fields) = body else { return body.clone() };
    let changed = fields.iter().map(|(field, value)| match value {
        Tree::Object(data) if *field == "data" => {
            let data = data
                .iter()
                .map(|(field, value)| (*field, if *field == name { change(value) } else { value.clone() }));
            (*field, Tree::Object(data.collect()))
        }
        _ => (*field, value.clone()),
    });
    Tree::Object(changed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Tree {
        let data =
            vec![("couponsCardList", Tree::List(Vec::new())), ("change_recharge_amount", Tree::text("1.50"))];
        Tree::Object(vec![
            ("status", Tree::text("true")),
            ("code", Tree::text("0")),
            ("data", Tree::Object(data)),
        ])
    }

    #[test]
    fn what_a_refusal_shows_and_what_an_empty_form_keeps() {
        assert_eq!(
            refused_with_data(&answer()).to_json(),
            r#"{"status":true,"code":"910012","message":"处理失败","data":{"couponsCardList":[],"change_recharge_amount":"1.50"}}"#
        );
        assert!(emptied(&answer()).to_json().contains(r#""couponsCardList":"","change_recharge_amount":"""#));
        assert!(four_decimals(&answer()).to_json().contains(r#""change_recharge_amount":"1.5000""#));
        assert!(refusal_of("A1").to_json().contains(r#""data":{"bizId":"A1"}"#));
    }

    #[test]
    fn each_changes_its_own_part() {
        assert_eq!(without_data(&answer()).to_json(), r#"{"status":"true","code":"0"}"#);
        assert!(more_taken(&answer(), 100).to_json().contains(r#""change_recharge_amount":"2.50""#));
        assert!(other_coupons(&answer()).to_json().contains(r#"["390000000000000000"]"#));
        let both = twice_said(&answer()).to_json();
        assert_eq!((both.matches("\"status\"").count(), both.matches("\"code\"").count()), (2, 2));
        let refusal = Tree::Object(vec![("status", Tree::text("true")), ("code", Tree::text("910001"))]);
        assert_eq!((more_taken(&refusal, 1), other_coupons(&refusal)), (refusal.clone(), refusal));
    }
}
