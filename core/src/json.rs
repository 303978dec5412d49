//! Reading JSON strictly and exactly: duplicate keys, trailing text and absurd nesting are errors, and every
//! value keeps the very text it was written with, so that an 18-digit id or an undocumented field goes through
//! this library untouched. serde_json does the scanning; this module adds the strictness.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

/// How deep lists and objects may be nested. The vendor's deepest answer has four levels.
pub const MAX_DEPTH: usize = 32;

/// A JSON value that borrows from the text it was read from.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    raw: &'a str,
    kind: Kind<'a>,
}

/// What a [`Value`] is.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; its text is [`Value::raw`].
    Number,
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Value<'a>>),
    /// An object; its keys are unique.
    Object(Object<'a>),
}

/// The members of an object in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// Why a text is not the JSON that is taken here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// Not JSON at all, or cut off.
    #[error("not valid JSON: {0}")]
    Syntax(String),
    /// Something stands behind a complete value.
    #[error("there is more text behind the end of the JSON value: {0}")]
    Trailing(String),
    /// One object names a key twice.
    #[error("the key \"{key}\" stands twice in {path}")]
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
    /// The same, seen from the object or list around it: `step` is a name, or a position such as `[0]`.
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
    /// Reads exactly one JSON value.
    pub fn parse(text: &'a str) -> Result<Value<'a>, JsonError> {
        if text.trim_ascii().is_empty() {
            return Err(JsonError::Empty);
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let raw = <&RawValue>::deserialize(&mut reader).map_err(|e| JsonError::Syntax(e.to_string()))?;
        reader.end().map_err(|e| JsonError::Trailing(e.to_string()))?;
        Splitter { text: raw.get(), at: 0 }.value(0).map_err(JsonError::at_the_top)
    }

    /// The value at a path of names and list positions, without looking at the others; `None` if there is none or there
    /// are two, or if the text is no JSON.
    pub fn find<'p>(text: &'a str, path: impl IntoIterator<Item = &'p str>) -> Option<Value<'a>> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let raw = <&RawValue>::deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        let mut splitter = Splitter { text: raw.get(), at: 0 };
        for step in path {
            splitter.enter(step)?;
        }
        splitter.value(0).ok()
    }

    /// The text as it was written.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// What it is.
    pub fn kind(&self) -> &Kind<'a> {
        &self.kind
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match &self.kind {
            Kind::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match &self.kind {
            Kind::Array(list) => Some(list),
            _ => None,
        }
    }

    /// A string's content, a number's or a boolean's own text; `None` for the rest.
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            Kind::Number | Kind::Bool(_) => Some(self.raw),
            _ => None,
        }
    }

    /// `null`, `""`, `[]` and `{}`: how the gateway and many hosts write "nothing".
    pub fn is_blank(&self) -> bool {
        match &self.kind {
            Kind::Null => true,
            Kind::String(text) => text.is_empty(),
            Kind::Array(list) => list.is_empty(),
            Kind::Object(object) => object.members.is_empty(),
            Kind::Bool(_) | Kind::Number => false,
        }
    }

    /// The value with its members in the order of their names and without white space: equal for two texts
    /// that mean the same.
    pub fn push_canonical(&self, out: &mut String) {
        match &self.kind {
            Kind::Object(object) => {
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
            Kind::Array(list) => {
                out.push('[');
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.push_canonical(out);
                }
                out.push(']');
            }
            Kind::String(text) => push_string(out, text),
            Kind::Null | Kind::Bool(_) | Kind::Number => out.push_str(self.raw),
        }
    }

    /// What it is, in words for an error message.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }
}

/// Takes a text apart that serde_json has found to be valid JSON: it only has to find where each value ends.
struct Splitter<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Splitter<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no white space; not taken.
    fn next_token(&mut self) -> Option<u8> {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.peek()
    }

    /// What was passed since `from`.
    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// Goes to a member of the object or to an entry of the list that begins here.
    fn enter(&mut self, step: &str) -> Option<()> {
        let is_object = self.next_token() == Some(b'{');
        let entry = step.parse::<usize>().ok();
        if !is_object && (self.peek() != Some(b'[') || entry.is_none()) {
            return None;
        }
        self.at += 1;
        let mut place = None;
        for index in 0.. {
            if self.next_token().is_none_or(|byte| matches!(byte, b'}' | b']')) {
                break;
            }
            let found = if is_object {
                let key = self.string().ok()?;
                // The colon.
                self.next_token();
                self.at += 1;
                key == step
            } else {
                Some(index) == entry
            };
            // Which of two is meant would be a guess.
            if found && place.replace(self.at).is_some() {
                return None;
            }
            self.skip();
            if self.next_token() == Some(b',') {
                self.at += 1;
            }
        }
        self.at = place?;
        Some(())
    }

    /// Goes behind the value that begins here.
    fn skip(&mut self) {
        let mut open = 0_usize;
        self.next_token();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.skip_string();
                }
                Some(b'{' | b'[') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                // Of what is around it.
                Some(b'}' | b']' | b',') | None if open == 0 => return,
                None => return,
                Some(_) => self.at += 1,
            }
        }
    }

    /// Goes behind the string that begins here; whether it has escapes.
    fn skip_string(&mut self) -> bool {
        self.at += 1;
        let mut escaped = false;
        while let Some(length) = memchr::memchr2(b'"', b'\\', self.rest()) {
            self.at += length;
            if self.peek() == Some(b'"') {
                break;
            }
            escaped = true;
            self.at += 2;
        }
        self.at += 1;
        escaped
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        let first = self.next_token();
        let from = self.at;
        let kind = match first {
            Some(b'{') => Kind::Object(self.object(depth)?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(b'"') => Kind::String(self.string()?),
            _ => {
                while self.peek().is_some_and(|byte| !matches!(byte, b',' | b'}' | b']') && byte > b' ') {
                    self.at += 1;
                }
                match first {
                    Some(b't') => Kind::Bool(true),
                    Some(b'f') => Kind::Bool(false),
                    Some(b'n') => Kind::Null,
                    _ => Kind::Number,
                }
            }
        };
        Ok(Value { raw: self.since(from), kind })
    }

    fn object(&mut self, depth: usize) -> Result<Object<'a>, JsonError> {
        let mut object = Object { members: Vec::with_capacity(8) };
        self.at += 1;
        while self.next_token() == Some(b'"') {
            let key = self.string()?;
            // The colon.
            self.next_token();
            self.at += 1;
            match self.value(depth + 1) {
                Ok(value) => object.members.push((key, value)),
                Err(error) => return Err(error.inside(&key)),
            }
            if self.next_token() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        match object.repeated() {
            Some(key) => Err(JsonError::Duplicate { path: String::new(), key: key.to_owned() }),
            None => Ok(object),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value<'a>>, JsonError> {
        let mut list = Vec::new();
        self.at += 1;
        while self.next_token().is_some_and(|byte| byte != b']') {
            match self.value(depth + 1) {
                Ok(value) => list.push(value),
                Err(error) => return Err(error.inside(&format!("[{}]", list.len()))),
            }
            if self.next_token() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        Ok(list)
    }

    /// The string that begins here; only one with escapes is copied.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let from = self.at;
        if self.skip_string() {
            let text: String =
                serde_json::from_str(self.since(from)).map_err(|e| JsonError::Syntax(e.to_string()))?;
            return Ok(text.into());
        }
        Ok(self.text.get(from + 1..self.at - 1).unwrap_or_default().into())
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

    /// A name that stands twice.
    fn repeated(&self) -> Option<&str> {
        // Few are compared with each other faster than they are hashed.
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

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// Writes `text` as a JSON string, quotes included.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    // Nearly every text has nothing to escape, and that is seen without a look at each letter.
    let least = text.bytes().fold(u8::MAX, u8::min);
    if least >= b' ' && memchr::memchr2(b'"', b'\\', text.as_bytes()).is_none() {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b == b'"' || b == b'\\' || b < b' ') {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = from.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(other) => {
                use fmt::Write;
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// JSON in ASCII only: everything else as `\uXXXX`, which every host's charset can hold.
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

/// A letter as `\uXXXX`. Beyond ASCII a JSON text has letters only inside strings, where an escape may stand.
pub fn push_escape(out: &mut String, letter: char) {
    use fmt::Write;
    for unit in letter.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_every_text_exactly() {
        let text = r#"{ "id": 390962138708451328999, "m": 12.50, "e": 1E+2, "s": "a\u4e2d\n", "o": {"x" : [1, 2]} }"#;
        let value = Value::parse(text).unwrap();
        let object = value.as_object().unwrap();
        assert_eq!(object.get("id").unwrap().raw(), "390962138708451328999");
        assert_eq!(object.get("m").unwrap().scalar(), Some("12.50"));
        assert_eq!(object.get("e").unwrap().scalar(), Some("1E+2"));
        assert_eq!(object.get("s").unwrap().scalar(), Some("a中\n"));
        assert_eq!(object.get("o").unwrap().raw(), r#"{"x" : [1, 2]}"#);
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(Value::parse("  ").unwrap_err(), JsonError::Empty);
        assert!(matches!(Value::parse("{\"a\":1").unwrap_err(), JsonError::Syntax(_)));
        assert!(matches!(Value::parse("{} x").unwrap_err(), JsonError::Trailing(_)));
        assert!(matches!(Value::parse("{\"a\":\"\\ud800\"}").unwrap_err(), JsonError::Syntax(_)));
        assert_eq!(
            Value::parse(r#"{"a":[{"b":1,"b":2}]}"#).unwrap_err(),
            JsonError::Duplicate { path: "a[0]".into(), key: "b".into() }
        );
        assert!(matches!(Value::parse(r#"{"a":1,"\u0061":2}"#).unwrap_err(), JsonError::Duplicate { .. }));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Value::parse(&deep).unwrap_err(), JsonError::TooDeep);
        assert!(Value::parse(&"[".repeat(1_000_000)).is_err());
    }

    #[test]
    fn escapes_keep_every_letter() {
        let json = "{\"a\":\"扣款 😀 ok\"}";
        let escaped = escape_beyond_ascii(json);
        assert!(escaped.is_ascii());
        assert_eq!(escaped, "{\"a\":\"\\u6263\\u6b3e \\ud83d\\ude00 ok\"}");
    }

    /// Any tree, with texts that look like the marks of JSON.
    fn tree() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            r#"[\[\]{}",:\\ \nа中😀-]{0,8}"#.prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::vec((r#"[a-c"\\{},:]{0,3}"#, inner), 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
        match (ours.kind(), theirs) {
            (Kind::Object(ours), serde_json::Value::Object(theirs)) => {
                ours.iter().count() == theirs.len()
                    && ours.iter().all(|(key, value)| theirs.get(key).is_some_and(|other| same(value, other)))
            }
            (Kind::Array(ours), serde_json::Value::Array(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
            }
            (Kind::String(ours), serde_json::Value::String(theirs)) => ours == theirs,
            (Kind::Null | Kind::Bool(_) | Kind::Number, theirs) => {
                let theirs = theirs.to_string();
                ours.raw() == theirs
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn takes_apart_what_serde_json_takes_apart(tree in tree()) {
            for text in [tree.to_string(), format!("{tree:#}"), format!("\t{tree}\r\n ")] {
                let value = Value::parse(&text).unwrap();
                prop_assert!(same(&value, &tree), "{text}");
                prop_assert_eq!(value.raw(), text.trim_ascii());
            }
        }

        #[test]
        fn finds_what_parsing_finds(tree in tree()) {
            for text in [tree.to_string(), format!("{tree:#}")] {
                let value = Value::parse(&text).unwrap();
                let members = value.as_object().into_iter().flat_map(Object::iter);
                for (name, member) in members {
                    let found = Value::find(&text, [name]).unwrap();
                    prop_assert_eq!(found.raw(), member.raw());
                    for (index, entry) in member.as_array().unwrap_or_default().iter().enumerate() {
                        let index = index.to_string();
                        let found = Value::find(&text, [name, index.as_str()]).unwrap();
                        prop_assert_eq!(found.raw(), entry.raw());
                    }
                }
                prop_assert!(Value::find(&text, ["not there"]).is_none());
                let more = format!("{text},");
                prop_assert!(Value::find(&more, []).is_none());
            }
        }

        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9a-c\\ne.+ -]{0,24}"#) {
            let ours = Value::parse(&text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            if ours.is_ok() {
                prop_assert!(theirs.is_ok() || theirs.unwrap_err().to_string().contains("out of range"));
            } else if theirs.is_ok() {
                let duplicate = matches!(ours, Err(JsonError::Duplicate { .. }));
                prop_assert!(duplicate, "{:?}", ours);
            }
        }

        #[test]
        fn strings_survive(text in any::<String>()) {
            let mut out = String::new();
            push_string(&mut out, &text);
            let value = Value::parse(&out).unwrap();
            prop_assert_eq!(value.scalar(), Some(text.as_str()));
        }
    }
}
