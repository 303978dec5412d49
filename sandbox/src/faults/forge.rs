//! An answer of the gateway, falsified: what it says is not what was done, or is said in a way that is no answer.

use crate::rules::{Fen, Tree, codes};

/// The answer without its data.
pub(super) fn without_data(body: &Tree) -> Tree {
    let Tree::Object(fields) = body else { return body.clone() };
    Tree::Object(fields.iter().filter(|(name, _)| *name != "data").cloned().collect())
}

/// The answer behind the beginning of another one, in one object: which of the two a reader takes is up to its parser.
pub(super) fn twice_said(body: &Tree) -> Tree {
    let Tree::Object(fields) = body else { return body.clone() };
    let first = [
        ("status", Tree::Bare("false".to_owned())),
        ("code", Tree::text(codes::SYSTEM_BUSY)),
        ("message", Tree::text("系统繁忙,请稍后再试")),
    ];
    Tree::Object(first.into_iter().chain(fields.iter().cloned()).collect())
}

/// The answer with so much more taken.
pub(super) fn more_taken(body: &Tree, fen: u64) -> Tree {
    in_data(body, "change_recharge_amount", |amount| {
        let taken = amount.as_text().and_then(Fen::parse).unwrap_or_default();
        Tree::text(taken.plus(Fen::new(fen)))
    })
}

/// The answer with a coupon that is nobody's.
pub(super) fn other_coupons(body: &Tree) -> Tree {
    in_data(body, "couponsCardList", |_| Tree::List(vec![Tree::text("390000000000000000")]))
}

/// The answer with one field of its data changed; a refusal has no data and stays as it is.
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
