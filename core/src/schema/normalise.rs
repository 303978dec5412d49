//! Writes the gateway's data with one dependable type per field. The gateway's types drift; a value that cannot be
//! read as documented is passed on unchanged, with a warning, and never changes an outcome.

use std::borrow::Cow;

use super::check::{is_decimal, whole_number};
use super::json_path::JsonPath;
use super::text::{is_id_name, is_unsafe_integer};
use super::{Kind, Schema};
use crate::json::{self, Object, Value, ValueKind, push_any_name, push_name, push_string};
use crate::outcome::{Warning, codes};

/// The object as JSON text: documented fields normalised, all others unchanged.
pub(crate) fn normalise_object(
    schema: &'static Schema,
    object: &Object<'_>,
    path: &str,
    warnings: &mut Vec<Warning>,
) -> String {
    // Amounts get decimals and numbers get quotes, which seldom adds more than this.
    let mut out = String::with_capacity(raw_length(object) + 128);
    push_object(&mut out, schema, object, &JsonPath::Root(path), warnings);
    out
}

/// How ids are written in data without a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// As strings at any size, so that a host sees one type: the read is documented, and so are its ids.
    AsText,
    /// Unchanged.
    AsTheyCame,
}

/// Data without a schema, for a host: unchanged except for ids, and integers beyond 2^53, which many hosts round and
/// which are therefore written as strings.
pub(crate) fn normalise_value(value: &Value<'_>, ids: Ids) -> String {
    let mut out = String::with_capacity(value.raw().len() + 64);
    push_raw(&mut out, value, Raw { ids, secrets: true }, false);
    out
}

/// Converts stored data from before integers beyond 2^53 were written as strings.
pub(crate) fn exact_for_hosts(json: &str) -> Cow<'_, str> {
    if !may_hold_long_number(json.as_bytes()) {
        return json.into();
    }
    match Value::parse(json) {
        Ok(value) if changes(&value, Raw { ids: Ids::AsTheyCame, secrets: true }, false) => {
            normalise_value(&value, Ids::AsTheyCame).into()
        }
        _ => json.into(),
    }
}

/// Whether there may be a number of more than 15 digits. Such a run of digits covers one byte of every 16; in a string it
/// seldom stands behind one of the bytes that may precede a number.
fn may_hold_long_number(json: &[u8]) -> bool {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    (15..json.len()).step_by(16).any(|at| {
        let (before, from) = json.split_at(at);
        let right = from.iter().take_while(is_digit).count();
        let left = before.iter().rev().take_while(is_digit).count();
        let precedes = before.iter().rev().nth(left);
        right > 0 && left + right > 15 && precedes.is_none_or(|byte| b":,[- \t\n\r".contains(byte))
    })
}

/// The total length of the members, without white space between them.
fn raw_length(object: &Object<'_>) -> usize {
    object.iter().map(|(name, value)| name.len() + value.raw().len() + 4).sum()
}

fn push_object(
    out: &mut String,
    schema: &'static Schema,
    object: &Object<'_>,
    path: &JsonPath<'_>,
    warnings: &mut Vec<Warning>,
) {
    out.push('{');
    for (name, value) in object.iter() {
        let field = schema.field(name);
        if field.is_none() && is_secret(name) {
            continue;
        }
        if let Some(field) = field {
            push_name(out, name);
            push_value(out, &field.kind, value, &JsonPath::Member(path, name), warnings);
        } else {
            push_any_name(out, name);
            push_raw(out, value, UNDOCUMENTED, false);
        }
    }
    out.push('}');
}

/// How a value that is passed on may be changed.
#[derive(Clone, Copy)]
struct Raw {
    ids: Ids,
    /// Whether the gateway's secrets are kept.
    secrets: bool,
}

impl Raw {
    /// Whether numbers in a field of that name are written as texts because they are ids.
    fn is_id(self, name: &str) -> bool {
        self.ids == Ids::AsText && is_id_name(name)
    }
}

/// For fields without a schema in data that goes into the journal.
const UNDOCUMENTED: Raw = Raw { ids: Ids::AsTheyCame, secrets: false };

/// Writes a value unchanged except for secrets in it and numbers that a host would round. `is_id`: its field's name
/// is that of an id.
fn push_raw(out: &mut String, value: &Value<'_>, rules: Raw, is_id: bool) {
    if !changes(value, rules, is_id) {
        out.push_str(value.raw());
        return;
    }
    if matches!(value.kind(), ValueKind::Number) {
        push_string(out, value.raw());
        return;
    }
    let (open, close) = if value.as_array().is_some() { ('[', ']') } else { ('{', '}') };
    out.push(open);
    for (index, item) in value.as_array().unwrap_or_default().iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_raw(out, item, rules, is_id);
    }
    let members = value.as_object().into_iter().flat_map(Object::iter);
    for (index, (name, item)) in members.filter(|(name, _)| rules.secrets || !is_secret(name)).enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(out, name);
        out.push(':');
        push_raw(out, item, rules, rules.is_id(name));
    }
    out.push(close);
}

/// Whether any part of it is passed on changed.
fn changes(value: &Value<'_>, rules: Raw, is_id: bool) -> bool {
    match value.kind() {
        ValueKind::Object(object) => object.iter().any(|(name, item)| {
            (!rules.secrets && is_secret(name)) || changes(item, rules, rules.is_id(name))
        }),
        ValueKind::Array(list) => list.iter().any(|item| changes(item, rules, is_id)),
        ValueKind::Number => {
            is_unsafe_integer(value.raw()) || (is_id && whole_number_text(value.raw()).is_some())
        }
        _ => false,
    }
}

/// A secret that the gateway sends back in an undocumented field is not written to the journal.
fn is_secret(name: &str) -> bool {
    let bytes = name.as_bytes();
    let begins = |at: usize, secret: &str| {
        bytes.get(at..at + secret.len()).is_some_and(|part| part.eq_ignore_ascii_case(secret.as_bytes()))
    };
    // The shortest has seven letters.
    bytes.iter().enumerate().take(bytes.len().saturating_sub(6)).any(|(at, first)| match first {
        b'p' | b'P' => begins(at, "password"),
        b'o' | b'O' => begins(at, "openkey") || begins(at, "open_key"),
        _ => false,
    })
}

fn push_value(
    out: &mut String,
    kind: &'static Kind,
    value: &Value<'_>,
    path: &JsonPath<'_>,
    warnings: &mut Vec<Warning>,
) {
    let readable = match kind {
        Kind::List(of, _) => push_list(out, of, value, path, warnings),
        Kind::Object(schema) => match value.kind() {
            ValueKind::Object(object) => {
                push_object(out, schema, object, path, warnings);
                true
            }
            _ if value.is_blank() => {
                out.push_str("{}");
                true
            }
            _ => false,
        },
        Kind::Any | Kind::Map(_) => {
            push_raw(out, value, UNDOCUMENTED, false);
            true
        }
        scalar => push_scalar(out, scalar, value, path, warnings),
    };
    if !readable {
        push_raw(out, value, UNDOCUMENTED, false);
        warnings.push(unreadable(path, kind, value));
    }
}

/// Writes a list; also accepts PHP's encodings: `""` or `null` for an empty list, an object with numeric keys.
fn push_list(
    out: &mut String,
    of: &'static Kind,
    value: &Value<'_>,
    path: &JsonPath<'_>,
    warnings: &mut Vec<Warning>,
) -> bool {
    let items: Vec<&Value<'_>> = match value.kind() {
        ValueKind::Array(list) => list.iter().collect(),
        ValueKind::Object(object)
            if object.iter().all(|(key, _)| key.bytes().all(|b| b.is_ascii_digit())) =>
        {
            object.iter().map(|(_, item)| item).collect()
        }
        _ if value.is_blank() => Vec::new(),
        _ => return false,
    };
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_value(out, of, item, &JsonPath::Entry(path, index), warnings);
    }
    out.push(']');
    true
}

/// Writes a single value, or returns `false` and writes nothing.
fn push_scalar(
    out: &mut String,
    kind: &Kind,
    value: &Value<'_>,
    path: &JsonPath<'_>,
    warnings: &mut Vec<Warning>,
) -> bool {
    let is_text = matches!(
        kind,
        Kind::Text(_)
            | Kind::Secret(_)
            | Kind::BizId
            | Kind::Digits
            | Kind::Id
            | Kind::Coupon
            | Kind::Exact(_)
    );
    let text = match value.kind() {
        ValueKind::Null => {
            out.push_str("null");
            return true;
        }
        ValueKind::String(text) if text.is_empty() && !is_text => {
            out.push_str("null");
            return true;
        }
        _ => match value.scalar() {
            Some(text) => text,
            None => return false,
        },
    };
    match kind {
        Kind::Integer(..) | Kind::OneOf(_) => match whole_number(text) {
            // A host would round it, so it is written as a string.
            Some(_) if is_unsafe_integer(text) => return false,
            Some(number) => out.push_str(&number.to_string()),
            None => return false,
        },
        Kind::Flag => match text {
            "true" | "1" => out.push_str("true"),
            "false" | "0" => out.push_str("false"),
            _ => return false,
        },
        Kind::Money => match two_decimals(text) {
            Some(money) => push_string(out, &money),
            None if is_decimal(text) => {
                push_string(out, text);
                warnings.push(Warning::new(
                    &codes::WARN_FIELD,
                    format!("{path} has more than two decimals and is passed on as received"),
                ));
            }
            None => return false,
        },
        Kind::Decimal if !is_decimal(text) => return false,
        Kind::Digits | Kind::Id
            if matches!(value.kind(), ValueKind::Number) && whole_number_text(text).is_none() =>
        {
            return false;
        }
        _ => push_string(out, text),
    }
    true
}

/// `12`, `12.5`, `12.50` and `12.5000` with two decimals; `None` for further non-zero decimals or a text that is not
/// a decimal.
pub(crate) fn two_decimals(text: &str) -> Option<Cow<'_, str>> {
    if !is_decimal(text) {
        return None;
    }
    match text.split_once('.') {
        None => Some(format!("{text}.00").into()),
        Some((_, fraction)) if fraction.len() == 1 => Some(format!("{text}0").into()),
        Some((_, fraction)) if fraction.len() == 2 => Some(text.into()),
        // Trailing zeros that a database column has added; the value is the same.
        Some((_, fraction)) if fraction.bytes().skip(2).all(|digit| digit == b'0') => {
            text.get(..text.len() - (fraction.len() - 2)).map(Cow::Borrowed)
        }
        Some(_) => None,
    }
}

/// An integer of any length, as text.
fn whole_number_text(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

fn unreadable(path: &JsonPath<'_>, kind: &Kind, value: &json::Value<'_>) -> Warning {
    let expected = match kind {
        Kind::List(..) => "a list",
        Kind::Object(_) => "an object",
        Kind::Integer(..) | Kind::OneOf(_) => "a whole number",
        Kind::Money | Kind::Decimal => "an amount",
        Kind::Digits | Kind::Id => "an id",
        Kind::Flag => "true or false",
        _ => "a text",
    };
    Warning::new(
        &codes::WARN_FIELD,
        format!("{path} should be {expected} but is {}; it is passed on as received", value.describe()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::optional;
    use super::*;

    static PERSON: Schema =
        Schema { name: "a person", doc: "", fields: &[optional("gender", Kind::OneOf(&[0, 1, 2]), "")] };
    static DATA: Schema = Schema {
        name: "the data",
        doc: "",
        fields: &[
            optional("bizId", Kind::Text(64), ""),
            optional("coupons", Kind::List(&Kind::Digits, 9), ""),
            optional("total", Kind::Money, ""),
            optional("person", Kind::Object(&PERSON), ""),
        ],
    };

    fn normalise(text: &str) -> (String, usize) {
        let value = Value::parse(text).unwrap();
        let mut warnings = Vec::new();
        let out = normalise_object(&DATA, value.as_object().unwrap(), "data", &mut warnings);
        assert!(Value::parse(&out).is_ok(), "{out}");
        (out, warnings.len())
    }

    #[test]
    fn accepts_every_documented_drift() {
        for (given, wanted) in [
            (r#"{"bizId":390962138708451328999}"#, r#"{"bizId":"390962138708451328999"}"#),
            (r#"{"coupons":[390962138708451328,"2"]}"#, r#"{"coupons":["390962138708451328","2"]}"#),
            (r#"{"coupons":{"0":"1","2":"2"}}"#, r#"{"coupons":["1","2"]}"#),
            (r#"{"coupons":""}"#, r#"{"coupons":[]}"#),
            (r#"{"total":12}"#, r#"{"total":"12.00"}"#),
            (r#"{"total":"-3.5"}"#, r#"{"total":"-3.50"}"#),
            (r#"{"total":"23.5000"}"#, r#"{"total":"23.50"}"#),
            (r#"{"total":""}"#, r#"{"total":null}"#),
            (r#"{"person":[]}"#, r#"{"person":{}}"#),
            (r#"{"person":{"gender":"1"}}"#, r#"{"person":{"gender":1}}"#),
            (r#"{"other":  {"x" : 1.50 }}"#, r#"{"other":{"x" : 1.50 }}"#),
        ] {
            assert_eq!(normalise(given), (wanted.to_owned(), 0), "{given}");
        }
    }

    #[test]
    fn secrets_are_removed_at_any_depth_and_nothing_else() {
        for (given, wanted) in [
            (r#"{"payPassword":"1","x": 1}"#, r#"{"x":1}"#),
            (r#"{"a":{"b":[ {"OpenKey":"1","c": 2} ]}}"#, r#"{"a":{"b":[{"c":2}]}}"#),
            (r#"{"a":["usePassword", {"b" : 1}]}"#, r#"{"a":["usePassword", {"b" : 1}]}"#),
        ] {
            assert_eq!(normalise(given), (wanted.to_owned(), 0), "{given}");
        }
        assert_eq!(normalise(r#"{"total":{"pay_password":"1"}}"#), (r#"{"total":{}}"#.to_owned(), 1));
    }

    #[test]
    fn recorded_integers_beyond_2_to_53_become_texts_wherever_they_stand() {
        let long = "12345678901234567";
        for (before, behind) in [
            ("", ""),
            ("-", ""),
            (" ", " "),
            ("{\"a\":", "}"),
            ("{\"a\": -", "}"),
            ("[", "]"),
            ("[\n", "]"),
            ("[\t", "]"),
            ("[\r", "]"),
            ("[0,", "]"),
            ("[\"a: 12345678901234567\",", "]"),
        ] {
            let json = format!("{before}{long}{behind}");
            let (open, sign) = before.strip_suffix('-').map_or((before, ""), |open| (open, "-"));
            let wanted = format!("{}\"{sign}{long}\"{}", open.trim(), behind.trim());
            assert_eq!(
                exact_for_hosts(&json).replace([' ', '\n', '\t', '\r'], ""),
                wanted.replace(' ', ""),
                "{json}"
            );
        }
        for same in [
            r#"{"a":"12345678901234567","b":"no 12345678901234567"}"#,
            r#"{"a":123456789012345,"b":9007199254740991}"#,
            "[0.12345678901234567,1e12345678901234567]",
        ] {
            assert!(matches!(exact_for_hosts(same), Cow::Borrowed(text) if text == same), "{same}");
        }
    }

    #[test]
    fn passes_on_what_it_cannot_read_with_a_warning() {
        for (given, wanted) in [
            (r#"{"total":"12.345"}"#, r#"{"total":"12.345"}"#),
            (r#"{"total":1e3}"#, r#"{"total":1e3}"#),
            (r#"{"coupons":"17"}"#, r#"{"coupons":"17"}"#),
            (r#"{"person":{"gender":"m"}}"#, r#"{"person":{"gender":"m"}}"#),
            (r#"{"bizId":{"a":1}}"#, r#"{"bizId":{"a":1}}"#),
        ] {
            assert_eq!(normalise(given), (wanted.to_owned(), 1), "{given}");
        }
    }
}
