//! Answers with broken strings. A read accepts them if no broken string identifies something, is an amount or tells a
//! result; a payment, a reversal and evidence never accept them.

use super::{Doubt, codes};
use crate::json::{Repaired, Spot, Value, repair};
use crate::outcome::Warning;
use crate::schema::{Kind, Schema, is_name_of_exact, is_name_of_words};

/// What is wrong with a body that is the gateway's whole answer except for its strings; `None` if anything else is
/// wrong.
pub(super) fn doubt(body: &[u8]) -> Option<Doubt> {
    let repaired = whole(body)?;
    let spot = repaired.spots.first()?;
    let what = if spot.is_name { "the name" } else { "the text of" };
    Some(Doubt::new(
        &codes::BROKEN_TEXT,
        format!("{what} {:?} in the answer holds {}", spot.name, spot.broken),
    ))
}

/// The answer to a read with U+FFFD in place of what is not text, and a warning for the till. `None` if a name, an
/// id, a code or a number is affected: no letter of those can be guessed. `schema` describes the data.
pub fn repaired_read(body: &[u8], schema: Option<&'static Schema>) -> Option<(String, Warning)> {
    let repaired = whole(body)?;
    if repaired.spots.iter().any(|spot| is_exact(spot, schema)) {
        return None;
    }
    let mut names: Vec<&str> = repaired.spots.iter().map(|spot| spot.name.as_str()).collect();
    names.dedup();
    names.truncate(5);
    let broken = repaired.spots.first().map(|spot| spot.broken.to_string()).unwrap_or_default();
    let message = format!("{} held {broken}; U+FFFD replaces it", names.join(", "));
    Some((repaired.text, Warning::new(&codes::WARN_TEXT, message)))
}

/// The body with its strings repaired, if it is then JSON.
fn whole(body: &[u8]) -> Option<Repaired> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    repair(body).filter(|repaired| Value::parse(&repaired.text).is_ok())
}

/// Whether the broken string must be read exactly.
fn is_exact(spot: &Spot, schema: Option<&'static Schema>) -> bool {
    let looks_like_number = spot.whole.bytes().any(|byte| byte.is_ascii_digit())
        && spot.whole.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b',' | b'-' | b'+'));
    spot.is_name
        || is_name_of_exact(&spot.name)
        || (looks_like_number && !is_name_of_words(&spot.name))
        || schema.is_some_and(|schema| is_no_text_of(schema, &spot.name))
}

/// Whether the schema has a field of that name that is not a text.
fn is_no_text_of(schema: &'static Schema, name: &str) -> bool {
    schema.fields.iter().any(|field| {
        let mut kind = &field.kind;
        while let Kind::List(of, _) = kind {
            kind = of;
        }
        match kind {
            Kind::Object(inner) | Kind::Map(inner) => is_no_text_of(inner, name),
            Kind::Text(_) | Kind::Note(_) => false,
            _ => field.name == name,
        }
    })
}
