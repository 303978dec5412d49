//! The right answer in other JSON types. SEEN: status as a bool, "true" or 1; codes, amounts and 18-digit ids as
//! numbers or strings; an empty object as `[]`, `""` or `null`, because the gateway runs on PHP.

use crate::rules::Tree;

/// The number of variants.
pub const VARIANTS: u64 = 3;

/// Changes the types of an answer by one of [`VARIANTS`] variants (a larger number wraps around):
/// 0 strings of digits become numbers, numbers become strings, status becomes a bool, empty lists and objects become
/// `[]`;
/// 1 like 0, but status becomes 1 or 0, and an empty value becomes `""`;
/// 2 every scalar becomes a string, status becomes "1" or "0", and an empty value becomes `null`.
pub fn drift(tree: &Tree, variant: u64) -> Tree {
    drifted(None, tree, variant % VARIANTS)
}

fn drifted(name: Option<&str>, tree: &Tree, variant: u64) -> Tree {
    match tree {
        Tree::Text(text) | Tree::Bare(text) if name == Some("status") => status(text == "true", variant),
        Tree::Text(text) if variant < 2 && is_number(text) => Tree::Bare(text.clone()),
        Tree::Bare(letters) => Tree::Text(letters.clone()),
        Tree::Text(text) => Tree::Text(text.clone()),
        Tree::List(elements) if elements.is_empty() => empty(variant),
        Tree::Object(fields) if fields.is_empty() => empty(variant),
        Tree::List(elements) => {
            Tree::List(elements.iter().map(|element| drifted(None, element, variant)).collect())
        }
        Tree::Object(fields) => {
            let field = |(name, value): &(&'static str, Tree)| (*name, drifted(Some(name), value, variant));
            Tree::Object(fields.iter().map(field).collect())
        }
    }
}

fn status(yes: bool, variant: u64) -> Tree {
    match variant {
        0 => Tree::Bare(yes.to_string()),
        1 => Tree::Bare(u8::from(yes).to_string()),
        _ => Tree::text(u8::from(yes)),
    }
}

fn empty(variant: u64) -> Tree {
    match variant {
        0 => Tree::List(Vec::new()),
        1 => Tree::text(""),
        _ => Tree::Bare("null".to_owned()),
    }
}

/// Whether the text is a JSON number.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_is_another_text_of_the_same_answer() {
        let tree = Tree::Object(vec![
            ("status", Tree::text("true")),
            ("code", Tree::text("0")),
            ("cards", Tree::List(vec![Tree::text("390962138708451328")])),
            ("none", Tree::Object(Vec::new())),
            ("amount", Tree::text("1.50")),
            ("count", Tree::Bare("3".into())),
            ("phone", Tree::text("0138")),
        ]);
        let text = |variant| drift(&tree, variant).to_json();
        assert_eq!(
            text(0),
            r#"{"status":true,"code":0,"cards":[390962138708451328],"none":[],"amount":1.50,"count":"3","phone":"0138"}"#
        );
        assert_eq!(
            text(1),
            r#"{"status":1,"code":0,"cards":[390962138708451328],"none":"","amount":1.50,"count":"3","phone":"0138"}"#
        );
        assert_eq!(
            text(2),
            r#"{"status":"1","code":"0","cards":["390962138708451328"],"none":null,"amount":"1.50","count":"3","phone":"0138"}"#
        );
    }
}
