//! Parses JSON strictly and exactly: duplicate keys, trailing text and excessive nesting are errors, and every value
//! keeps its original text, so that an 18-digit id or an undocumented field passes through this library unchanged.
//! The parser is this module's own, one pass without copies, and the tests compare it with serde_json; errors in a
//! text that is not JSON are reported in serde_json's words.

mod reader;
mod repair;

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use reader::Reader;
pub use repair::{Broken, Repaired, Spot, repair};

/// The maximum depth of arrays and objects. The vendor's deepest answer has four levels.
pub(crate) const MAX_DEPTH: usize = 32;

/// A JSON value that borrows from the text it was parsed from.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    raw: &'a str,
    kind: ValueKind<'a>,
}

/// The type of a [`Value`].
#[derive(Clone, Debug)]
pub enum ValueKind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; its text is [`Value::raw`].
    Number,
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object; its keys are unique.
    Object(Object<'a>),
}

/// The members of an object in their original order.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// Why a text is not accepted as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is empty or white space.
    #[error("the text is empty")]
    Empty,
    /// Not JSON at all, or truncated.
    #[error("not valid JSON: {0}")]
    Syntax(String),
    /// Text follows a complete value.
    #[error("there is more text behind the end of the JSON value: {0}")]
    Trailing(String),
    /// An object has a duplicate key.
    #[error("the key \"{key}\" occurs twice in {path}")]
    Duplicate {
        /// The object.
        path: String,
        /// The key.
        key: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

impl JsonError {
    /// The same error, seen from the enclosing object or array: `step` is a name, or a position such as `[0]`.
    fn inside(self, step: &str) -> JsonError {
        match self {
            JsonError::Duplicate { path, key } => {
                let point = if path.is_empty() || path.starts_with('[') { "" } else { "." };
                JsonError::Duplicate { path: format!("{step}{point}{path}"), key }
            }
            other => other,
        }
    }

    fn at_the_top(self) -> JsonError {
        match self {
            JsonError::Duplicate { path, key } if path.is_empty() => {
                JsonError::Duplicate { path: "the outermost object".to_owned(), key }
            }
            other => other,
        }
    }
}

impl<'a> Value<'a> {
    /// Parses exactly one JSON value.
    pub fn parse(text: &'a str) -> Result<Value<'a>, JsonError> {
        let mut reader = Reader::new(text);
        let read = reader.value(0).and_then(|value| reader.end().map(|()| value));
        read.map_err(|error| explain(text, error))
    }

    /// The value at a path of names and array positions, without building the others; `None` if there is no such
    /// value, if a name of the path is a duplicate, or if the text is not JSON.
    pub fn find<'p>(text: &'a str, path: impl IntoIterator<Item = &'p str>) -> Option<Value<'a>> {
        let path: Vec<&str> = path.into_iter().collect();
        let (mut whole, mut places) = (Reader::new(text), Vec::with_capacity(1));
        whole.locate(&path, 0, &mut places).ok()?;
        whole.end().ok()?;
        match *places.as_slice() {
            [at] => Reader::at(text, at).value(0).ok(),
            _ => None,
        }
    }

    /// As [`Value::find`], in a text of this library's own, which is JSON without duplicates: the text behind the value is
    /// not read.
    pub fn find_in_own<'p>(text: &'a str, path: impl IntoIterator<Item = &'p str>) -> Option<Value<'a>> {
        let mut reader = Reader::new(text);
        path.into_iter().try_for_each(|step| reader.enter(step))?;
        reader.value(0).ok()
    }

    /// The original text.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The object, if it is one.
    pub(crate) fn into_object(self) -> Option<Object<'a>> {
        match self.kind {
            ValueKind::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Its type.
    pub fn kind(&self) -> &ValueKind<'a> {
        &self.kind
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match &self.kind {
            ValueKind::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The array, if it is one.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match &self.kind {
            ValueKind::Array(list) => Some(list),
            _ => None,
        }
    }

    /// A string's content, or the text of a number or boolean; `None` for other types.
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::String(text) => Some(text),
            ValueKind::Number | ValueKind::Bool(_) => Some(self.raw),
            _ => None,
        }
    }

    /// The content, if it is a string; numbers and booleans do not count.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// `null`, `""`, `[]` and `{}`: how the gateway and many hosts write "nothing".
    pub fn is_blank(&self) -> bool {
        match &self.kind {
            ValueKind::Null => true,
            ValueKind::String(text) => text.is_empty(),
            ValueKind::Array(list) => list.is_empty(),
            ValueKind::Object(object) => object.members.is_empty(),
            ValueKind::Bool(_) | ValueKind::Number => false,
        }
    }

    /// The value with its members sorted by name and without white space: equal for two texts with the same meaning.
    pub fn push_canonical(&self, out: &mut String) {
        match &self.kind {
            ValueKind::Object(object) => {
                let mut members: Vec<_> = object.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                for (index, (name, value)) in members.into_iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    push_string(out, name);
                    out.push(':');
                    value.push_canonical(out);
                }
                out.push_str(if object.is_empty() { "{}" } else { "}" });
            }
            ValueKind::Array(list) => {
                out.push('[');
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.push_canonical(out);
                }
                out.push(']');
            }
            ValueKind::String(text) => push_string(out, text),
            ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number => out.push_str(self.raw),
        }
    }

    /// Its type, in words for an error message.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            ValueKind::Null => "null",
            ValueKind::Bool(_) => "a boolean",
            ValueKind::Number => "a number",
            ValueKind::String(_) => "a string",
            ValueKind::Array(_) => "a list",
            ValueKind::Object(_) => "an object",
        }
    }
}

impl<'a> Object<'a> {
    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The member of that name, unless it is [blank](Value::is_blank).
    pub fn given(&self, name: &str) -> Option<&Value<'a>> {
        self.get(name).filter(|value| !value.is_blank())
    }

    /// Every member in the order in which it was written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// A duplicate name.
    fn repeated(&self) -> Option<&str> {
        // Comparing a few names with each other is faster than hashing them.
        const FEW: usize = 24;
        if self.members.len() <= FEW {
            let mut members = self.members.iter().enumerate();
            let twice = members.find(|(index, (key, _))| {
                self.members.iter().take(*index).any(|(earlier, _)| earlier == key)
            });
            return twice.map(|(_, (key, _))| key.as_ref());
        }
        let mut names = HashSet::with_capacity(self.members.len());
        self.members.iter().map(|(key, _)| key.as_ref()).find(|key| !names.insert(*key))
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// The error of a text that could not be parsed. "Not JSON at all" comes before an error that only this parser
/// reports.
fn explain(text: &str, error: JsonError) -> JsonError {
    if text.trim_ascii().is_empty() {
        return JsonError::Empty;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    if let Err(error) = <&RawValue>::deserialize(&mut reader) {
        return JsonError::Syntax(error.to_string());
    }
    match reader.end() {
        Err(error) => JsonError::Trailing(error.to_string()),
        Ok(()) => error.at_the_top(),
    }
}

/// The number of leading bytes that need no escape in a JSON string: up to a quote, a backslash or a control
/// character.
fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let found = first_mark(u64::from_le_bytes(*word));
        if let Some(at) = found {
            return 8 * index + at;
        }
    }
    // The last eight bytes, of which the first are plain.
    if let Some(last) = bytes.last_chunk() {
        return first_mark(u64::from_le_bytes(*last)).map_or(bytes.len(), |at| bytes.len() - last.len() + at);
    }
    // A few bytes as a word: what is missing in it are spaces, which need no escape.
    let last = rest.iter().rev().fold(ONES * u64::from(b' '), |word, byte| word << 8 | u64::from(*byte));
    first_mark(last).unwrap_or(rest.len())
}

/// A word of eight bytes that are 1.
const ONES: u64 = u64::MAX / 0xff;

/// The position of the first of eight bytes that needs an escape.
fn first_mark(word: u64) -> Option<usize> {
    // Sets the highest bit of each byte of ASCII that is less than `limit` once it is combined with `with`; after the
    // first such byte there may be false positives.
    let below = |limit: u8, with: u8| (word ^ (ONES * u64::from(with))).wrapping_sub(ONES * u64::from(limit));
    let marks = (below(b' ', 0) | below(1, b'"') | below(1, b'\\')) & !word & (ONES << 7);
    (marks != 0).then(|| marks.trailing_zeros() as usize / 8)
}

/// An upper bound for the length that [`push_string`] writes.
pub(crate) fn most_string_length(text: &str) -> usize {
    let plain = plain_length(text.as_bytes()) == text.len();
    2 + if plain { text.len() } else { 6 * text.len() }
}

/// Writes `text` as a JSON string, quotes included.
pub fn push_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    if plain_length(text.as_bytes()) == text.len() {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut rest = text;
    loop {
        let (plain, from) = rest.split_at(plain_length(rest.as_bytes()));
        out.push_str(plain);
        let mut letters = from.chars();
        match letters.next() {
            None => break,
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(other) => push_escape(out, other),
        }
        rest = letters.as_str();
    }
    out.push('"');
}

/// Writes the name of a member and the colon behind it, and in front of it a comma unless it is the first one. (No value ends
/// with an open brace.)
pub(crate) fn push_any_name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(out, name);
    out.push(':');
}

/// As [`push_any_name`], for a name of a table, which needs no escapes.
pub(crate) fn push_name(out: &mut String, name: &str) {
    out.push_str(if out.ends_with('{') { "\"" } else { ",\"" });
    out.push_str(name);
    out.push_str("\":");
}

/// JSON in ASCII only: every other character as `\uXXXX`, which every host's charset can represent.
pub fn escape_beyond_ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 64);
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            push_escape(&mut out, letter);
        }
    }
    out
}

/// Writes a character as `\uXXXX`. A JSON text has characters beyond ASCII only inside strings, where an escape is
/// valid.
pub(crate) fn push_escape(out: &mut String, letter: char) {
    use std::fmt::Write;
    for unit in letter.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests;
