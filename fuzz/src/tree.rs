//! A JSON text as serde_json takes it apart, with every number's own text, and held to the rules by which the library is
//! stricter: no name twice in an object, no value deeper than 32 levels.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value at this depth is still read; the outermost has depth 0.
const DEEPEST: usize = 32;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// A string, unescaped.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// The members of an object in their order.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a text. `None` where serde_json refuses it or one of the stricter rules does.
    ///
    /// Beyond serde_json's reader of values a number may be larger than a double: its text is kept.
    pub fn read(text: &str) -> Option<Tree> {
        let whole: &RawValue = serde_json::from_str(text).ok()?;
        node(whole.get(), 0)
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The member of that name, unless it says nothing: `null`, `""`, `[]` or `{}`.
    pub fn given(&self, name: &str) -> Option<&Tree> {
        self.get(name).filter(|value| !value.is_blank())
    }

    /// Whether it says nothing.
    pub fn is_blank(&self) -> bool {
        match self {
            Tree::Null => true,
            Tree::Text(text) => text.is_empty(),
            Tree::List(list) => list.is_empty(),
            Tree::Object(members) => members.is_empty(),
            Tree::Bool(_) | Tree::Number(_) => false,
        }
    }

    /// A string's content, the text of a number or a boolean.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Tree::Text(text) | Tree::Number(text) => Some(text),
            Tree::Bool(yes) => Some(if *yes { "true" } else { "false" }),
            _ => None,
        }
    }

    /// The members; none where it is no object.
    pub fn members(&self) -> &[(String, Tree)] {
        match self {
            Tree::Object(members) => members,
            _ => &[],
        }
    }

    /// Whether an object in it, or it itself, has a member of which this is true.
    pub fn any_member(&self, is: &dyn Fn(&str, &Tree) -> bool) -> bool {
        match self {
            Tree::List(list) => list.iter().any(|item| item.any_member(is)),
            Tree::Object(members) => {
                members.iter().any(|(name, value)| is(name, value) || value.any_member(is))
            }
            _ => false,
        }
    }

    /// Whether it is the same, but that a number may have become a text: integers that a host would round do.
    pub fn is_as_told(&self, told: &Tree) -> bool {
        match (self, told) {
            (Tree::Number(number), Tree::Text(text)) => number == text,
            (Tree::List(one), Tree::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_as_told(other))
            }
            (Tree::Object(one), Tree::Object(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|((name, one), (same, other))| name == same && one.is_as_told(other))
            }
            (one, other) => one == other,
        }
    }
}

fn node(raw: &str, depth: usize) -> Option<Tree> {
    if depth > DEEPEST {
        return None;
    }
    Some(match raw.as_bytes().first()? {
        b'n' => Tree::Null,
        b't' => Tree::Bool(true),
        b'f' => Tree::Bool(false),
        b'"' => Tree::Text(serde_json::from_str(raw).ok()?),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            Tree::List(items.iter().map(|item| node(item.get(), depth + 1)).collect::<Option<_>>()?)
        }
        b'{' => {
            let Members(members) = serde_json::from_str(raw).ok()?;
            let mut read: Vec<(String, Tree)> = Vec::with_capacity(members.len());
            for (name, value) in members {
                if read.iter().any(|(known, _)| *known == name) {
                    return None;
                }
                read.push((name, node(value.get(), depth + 1)?));
            }
            Tree::Object(read)
        }
        _ => Tree::Number(raw.to_owned()),
    })
}

/// The members of an object, those whose name comes again included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
