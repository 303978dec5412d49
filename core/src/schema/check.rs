//! Checks an object against its schema: every mistake is reported with its path, not only the first.

use super::json_path::JsonPath;
use super::text::trimmed_id;
use super::{Field, Kind, Schema};
use crate::json::{Object, Value, ValueKind};
use crate::money::{Amount, BizId};
use crate::outcome::Problem;

/// What to do with a field that the schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is a mistake, probably a typing error.
    Refuse,
    /// It is accepted unchanged.
    Pass,
}

/// Checks `object` against `schema`. `path` is the object's own path, empty for the outermost; a field that is
/// missing in it may be in `fallback`.
pub fn check(
    schema: &'static Schema,
    object: &Object<'_>,
    fallback: &Object<'_>,
    path: &str,
    unknown: Unknown,
    problems: &mut Vec<Problem>,
) {
    check_object(schema, object, fallback, &JsonPath::Root(path), unknown, problems);
}

fn check_object(
    schema: &'static Schema,
    object: &Object<'_>,
    fallback: &Object<'_>,
    path: &JsonPath<'_>,
    unknown: Unknown,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in object.iter() {
        let here = JsonPath::Member(path, name);
        match schema.field(name) {
            Some(field) => check_field(field, value, &here, unknown, problems),
            None if unknown == Unknown::Pass => {}
            None => problems.push(Problem { path: here.to_string(), message: unknown_name(schema, name) }),
        }
    }
    for field in schema.fields.iter().filter(|field| field.required) {
        if object.given(field.name).is_none() && fallback.given(field.name).is_none() {
            problems.push(Problem {
                path: JsonPath::Member(path, field.name).to_string(),
                message: format!("is missing: {}", field.doc),
            });
        }
    }
}

/// `null`, `""`, `[]` and `{}` mean "not given", as in the vendor's samples.
fn check_field(
    field: &'static Field,
    value: &Value<'_>,
    path: &JsonPath<'_>,
    unknown: Unknown,
    problems: &mut Vec<Problem>,
) {
    // An empty path is a variable that was not filled in; treating it as absent would select another path.
    let is_given = match field.kind {
        Kind::Path => value.raw() != "null",
        _ => !value.is_blank(),
    };
    if is_given {
        check_kind(&field.kind, value, path, unknown, problems);
    }
}

fn check_kind(
    kind: &'static Kind,
    value: &Value<'_>,
    path: &JsonPath<'_>,
    unknown: Unknown,
    problems: &mut Vec<Problem>,
) {
    let wrong = match kind {
        Kind::Any => None,
        Kind::List(of, max) => {
            check_list(of, *max, value, path, unknown, problems);
            None
        }
        Kind::Object(schema) => match value.as_object() {
            Some(object) => {
                check_object(schema, object, &Object::default(), path, unknown, problems);
                None
            }
            None => Some(format!("must be an object, not {}", value.describe())),
        },
        Kind::Map(schema) => match value.as_object() {
            Some(object) => {
                for (name, entry) in object.iter() {
                    let here = JsonPath::Member(path, name);
                    match entry.as_object() {
                        Some(entry) => {
                            check_object(schema, entry, &Object::default(), &here, unknown, problems);
                        }
                        None => problems.push(Problem {
                            path: here.to_string(),
                            message: format!("must be an object, not {}", entry.describe()),
                        }),
                    }
                }
                None
            }
            None => Some(format!("must be an object, not {}", value.describe())),
        },
        Kind::Path if value.as_text().is_none() => Some(format!("must be a text, not {}", value.describe())),
        Kind::Secret(max) => match value.scalar() {
            Some(text) => check_text(text, *max).err(),
            None => Some(format!("must be a text, not {}", value.describe())),
        },
        scalar => match value.scalar() {
            Some(text) => {
                let checked = check_named(scalar, value).and_then(|()| check_scalar(scalar, text));
                checked.err().map(|what| format!("{what}; got {}", shown(value)))
            }
            None => Some(format!("must be a single value, not {}", value.describe())),
        },
    };
    if let Some(message) = wrong {
        problems.push(Problem { path: path.to_string(), message });
    }
}

fn check_list(
    of: &'static Kind,
    max: usize,
    value: &Value<'_>,
    path: &JsonPath<'_>,
    unknown: Unknown,
    problems: &mut Vec<Problem>,
) {
    let Some(list) = value.as_array() else {
        problems.push(Problem {
            path: path.to_string(),
            message: format!("must be a list [...], not {}", value.describe()),
        });
        return;
    };
    if list.len() > max {
        problems.push(Problem {
            path: path.to_string(),
            message: format!("has {} entries; at most {max} are taken", list.len()),
        });
        return;
    }
    for (index, item) in list.iter().enumerate() {
        let here = JsonPath::Entry(path, index);
        if item.is_blank() {
            problems.push(Problem { path: here.to_string(), message: "is empty".to_owned() });
        } else {
            check_kind(of, item, &here, unknown, problems);
        }
    }
}

/// Checks a value that names a member, a coupon or a sale: a string, or a number that no host can have rounded.
fn check_named(kind: &Kind, value: &Value<'_>) -> Result<(), String> {
    let names = matches!(kind, Kind::Digits | Kind::Id | Kind::Coupon | Kind::Exact(_) | Kind::BizId);
    match value.kind() {
        ValueKind::Bool(_) if names => Err("must be a text, not a boolean".to_owned()),
        ValueKind::Number if names && !value.raw().bytes().all(|byte| byte.is_ascii_digit()) => {
            Err("is a number with a sign, a fraction or an exponent: what names something is sent as a text"
                .to_owned())
        }
        _ => Ok(()),
    }
}

fn check_scalar(kind: &Kind, text: &str) -> Result<(), String> {
    match kind {
        Kind::Path => check_text(text, 4096),
        Kind::Text(max) | Kind::Exact(max) => check_text(text, *max),
        // Only an id is trimmed; whether it is one depends on the whole request.
        Kind::Coupon => check_text(trimmed_id(text), 64),
        Kind::Note(_)
            if text.chars().any(|letter| letter.is_control() && !"\r\n\t\u{85}".contains(letter)) =>
        {
            Err("holds a control character".to_owned())
        }
        Kind::BizId => BizId::new(text).map(drop).map_err(str::to_owned),
        Kind::Digits | Kind::Id => match trimmed_id(text) {
            id if id.bytes().all(|b| b.is_ascii_digit()) && id.len() <= 40 => Ok(()),
            _ => Err("must be an id of digits only".to_owned()),
        },
        Kind::Integer(min, max) => match whole_number(text) {
            Some(number) if (*min..=*max).contains(&number) => Ok(()),
            Some(_) => Err(format!("must be between {min} and {max}")),
            None => Err("must be a whole number".to_owned()),
        },
        Kind::OneOf(numbers) => match whole_number(text) {
            Some(number) if numbers.contains(&number) => Ok(()),
            _ => Err(format!("must be one of {numbers:?}")),
        },
        Kind::Word(words) if words.contains(&text) => Ok(()),
        Kind::Word(words) => Err(format!("must be one of {words:?}")),
        Kind::Flag if matches!(text, "true" | "false") => Ok(()),
        Kind::Flag => Err("must be true or false".to_owned()),
        Kind::Money => Amount::parse(text).map(drop).map_err(|e| e.to_string()),
        Kind::Decimal if is_decimal(text) => Ok(()),
        Kind::Decimal => Err("must be a decimal number".to_owned()),
        Kind::Note(_) | Kind::Secret(_) | Kind::List(..) | Kind::Object(_) | Kind::Map(_) | Kind::Any => {
            Ok(())
        }
    }
}

fn check_text(text: &str, max: usize) -> Result<(), String> {
    if text.chars().count() > max {
        return Err(format!("is longer than {max} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("holds a control character".to_owned());
    }
    Ok(())
}

/// An integer of digits with an optional minus; no plus, point or exponent.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Whether it is digits with an optional minus and one point inside.
pub(super) fn is_decimal(text: &str) -> bool {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction)
}

/// The value for a message, truncated.
fn shown(value: &Value<'_>) -> String {
    let raw = value.raw();
    match raw.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", raw.get(..cut).unwrap_or_default()),
        None => raw.to_owned(),
    }
}

fn unknown_name(schema: &'static Schema, name: &str) -> String {
    let nearest = schema
        .fields
        .iter()
        .map(|field| (distance(&field.name.to_lowercase(), &name.to_lowercase()), field.name))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
    match nearest {
        Some((_, known)) => format!("is not a field of {}; did you mean \"{known}\"?", schema.name),
        None => format!("is not a field of {}", schema.name),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut last = i + 1;
        let mut next = vec![last];
        for (above, right) in row.iter().skip(1).zip(&b) {
            last = (diagonal + usize::from(left != *right)).min(last + 1).min(above + 1);
            diagonal = *above;
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{optional, required};
    use super::*;

    static ITEM: Schema = Schema {
        name: "an item",
        doc: "",
        fields: &[required("num", Kind::Integer(1, 9), "how many"), optional("price", Kind::Money, "元")],
    };
    static ORDER: Schema = Schema {
        name: "an order",
        doc: "",
        fields: &[
            required("bizId", Kind::BizId, "the till's id"),
            optional("items", Kind::List(&Kind::Object(&ITEM), 2), "the basket"),
            optional("openKey", Kind::Secret(4), "key"),
            optional("couponsCardList", Kind::List(&Kind::Digits, 3), "coupons"),
        ],
    };

    fn problems(text: &str) -> Vec<(String, String)> {
        let value = Value::parse(text).unwrap();
        let mut problems = Vec::new();
        check(&ORDER, value.as_object().unwrap(), &Object::default(), "", Unknown::Refuse, &mut problems);
        problems.into_iter().map(|p| (p.path, p.message)).collect()
    }

    #[test]
    fn names_every_mistake_with_its_path() {
        let found = problems(
            r#"{"couponCardList":["1"],"items":[{"num":0,"price":"1.005"},{"price":1e3}],"openKey":"secret!"}"#,
        );
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "couponCardList",
                "items[0].num",
                "items[0].price",
                "items[1].price",
                "items[1].num",
                "openKey",
                "bizId"
            ]
        );
        assert!(found[0].1.contains("did you mean \"couponsCardList\""), "{}", found[0].1);
        assert!(!found[5].1.contains("secret"), "{}", found[5].1);
    }

    #[test]
    fn blank_means_not_given() {
        assert!(problems(r#"{"bizId":"1","items":"","openKey":null,"couponsCardList":[]}"#).is_empty());
        assert_eq!(problems(r#"{"bizId":""}"#)[0].0, "bizId");
        assert_eq!(problems(r#"{"bizId":"1","couponsCardList":[""]}"#)[0].0, "couponsCardList[0]");
    }

    #[test]
    fn numbers_and_strings_are_both_taken() {
        assert!(problems(r#"{"bizId":17,"items":[{"num":"2","price":1.5}],"couponsCardList":[390962138708451328,"99999999999999999999"]}"#).is_empty());
    }
}
