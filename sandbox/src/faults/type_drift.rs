//! The right answer in other JSON types. SEEN: status as a bool, "true" or 1; codes, amounts and 18-digit ids as
//! numbers or strings; an empty object as `[]`, `""` or `null`, because the gateway runs on PHP.

use crate::rules::JsonValue;

/// The number of variants.
pub const VARIANTS: u64 = 3;

/// Changes the types of an answer by one of [`VARIANTS`] variants (a larger number wraps around):
/// 0 strings of digits become numbers, numbers become strings, status becomes a bool, empty lists and objects become
/// `[]`;
/// 1 like 0, but status becomes 1 or 0, and an empty value becomes `""`;
/// 2 every scalar becomes a string, status becomes "1" or "0", and an empty value becomes `null`.
pub fn drift(value: &JsonValue, variant: u64) -> JsonValue {
    drifted(None, value, variant % VARIANTS)
}

fn drifted(name: Option<&str>, value: &JsonValue, variant: u64) -> JsonValue {
    match value {
        JsonValue::Text(text) | JsonValue::Bare(text) if name == Some("status") => {
            status(text == "true", variant)
        }
        JsonValue::Text(text) if variant < 2 && is_number(text) => JsonValue::Bare(text.clone()),
        JsonValue::Bare(letters) => JsonValue::Text(letters.clone()),
        JsonValue::Text(text) => JsonValue::Text(text.clone()),
        JsonValue::List(elements) if elements.is_empty() => empty(variant),
        JsonValue::Object(fields) if fields.is_empty() => empty(variant),
        JsonValue::List(elements) => {
            JsonValue::List(elements.iter().map(|element| drifted(None, element, variant)).collect())
        }
        JsonValue::Object(fields) => {
            let field =
                |(name, value): &(&'static str, JsonValue)| (*name, drifted(Some(name), value, variant));
            JsonValue::Object(fields.iter().map(field).collect())
        }
    }
}

fn status(yes: bool, variant: u64) -> JsonValue {
    match variant {
        0 => JsonValue::Bare(yes.to_string()),
        1 => JsonValue::Bare(u8::from(yes).to_string()),
        _ => JsonValue::text(u8::from(yes)),
    }
}

fn empty(variant: u64) -> JsonValue {
    match variant {
        0 => JsonValue::List(Vec::new()),
        1 => JsonValue::text(""),
        _ => JsonValue::Bare("null".to_owned()),
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
        let value = JsonValue::Object(vec![
            ("status", JsonValue::text("true")),
            ("code", JsonValue::text("0")),
            ("cards", JsonValue::List(vec![JsonValue::text("390962138708451328")])),
            ("none", JsonValue::Object(Vec::new())),
            ("amount", JsonValue::text("1.50")),
            ("count", JsonValue::Bare("3".into())),
            ("phone", JsonValue::text("0138")),
        ]);
        let text = |variant| drift(&value, variant).to_json();
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
