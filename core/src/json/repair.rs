//! Repairs JSON with broken strings: raw control characters, halves of surrogate pairs, invalid UTF-8. Each broken
//! part becomes U+FFFD and is reported; nothing else is changed, so that any other error remains an error.

use std::fmt;

use super::MAX_DEPTH;

/// The maximum depth that is scanned; deeper text is refused when it is parsed.
const MOST_LEVELS: usize = 4 * MAX_DEPTH;

/// A repaired text.
#[derive(Debug)]
pub struct Repaired {
    /// The same JSON with U+FFFD in place of each broken part.
    pub text: String,
    /// The broken strings.
    pub spots: Vec<Spot>,
}

/// A string with a broken part.
#[derive(Debug, PartialEq, Eq)]
pub struct Spot {
    /// The nearest member name: of the member whose value it is or lies in.
    pub name: String,
    /// Whether the string is itself a member name.
    pub is_name: bool,
    /// The intact part of the string, as written.
    pub whole: String,
    /// The kind of breakage.
    pub broken: Broken,
}

/// Why a string is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A control character that is not escaped.
    Control,
    /// Half of a surrogate pair.
    Surrogate,
    /// Bytes that are not UTF-8.
    Utf8,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Control => "a raw control character",
            Broken::Surrogate => "half a surrogate pair",
            Broken::Utf8 => "bytes that are not UTF-8",
        })
    }
}

/// An object or array that is still open.
struct Container {
    is_object: bool,
    /// The name of the member whose value comes next; in an array, the name of the member whose value the array is.
    name: String,
    /// Whether the next string is a value.
    behind_colon: bool,
}

/// Repairs the strings of a text. `None` if none of them is broken, or if something else is: the text is truncated,
/// or is visibly not JSON. The result must still be parsed.
pub fn repair(bytes: &[u8]) -> Option<Repaired> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    let mut spots = Vec::new();
    let mut containers: Vec<Container> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        at += 1;
        match byte {
            b'"' => {
                let length = string_length(bytes.get(at..)?)?;
                let string = RepairedString::repaired(bytes.get(at..at + length)?);
                at += length + 1;
                let is_name =
                    containers.last().is_some_and(|container| container.is_object && !container.behind_colon);
                if is_name && let Some(container) = containers.last_mut() {
                    container.name = unescaped(&string.text);
                }
                if let Some(broken) = string.broken {
                    let name = containers.last().map_or_else(String::new, |container| container.name.clone());
                    spots.push(Spot { name, is_name, whole: string.whole, broken });
                }
                out.push(b'"');
                out.extend_from_slice(string.text.as_bytes());
            }
            b'{' | b'[' if containers.len() >= MOST_LEVELS => return None,
            b'{' => containers.push(Container { is_object: true, name: String::new(), behind_colon: false }),
            b'[' => {
                let name = containers.last().map_or_else(String::new, |container| container.name.clone());
                containers.push(Container { is_object: false, name, behind_colon: false });
            }
            b'}' | b']' => drop(containers.pop()?),
            b':' | b',' => {
                if let Some(container) = containers.last_mut() {
                    container.behind_colon = byte == b':';
                }
            }
            // Outside strings JSON has only ASCII.
            _ if !byte.is_ascii() => return None,
            _ => {}
        }
        out.push(byte);
    }
    let text = String::from_utf8(out).ok().filter(|_| !spots.is_empty())?;
    Some(Repaired { text, spots })
}

/// The number of bytes before the quote that ends a string.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn unescaped(written: &str) -> String {
    serde_json::from_str(&format!("\"{written}\"")).unwrap_or_else(|_| written.to_owned())
}

/// The text of a string between its quotes, as written.
#[derive(Default)]
struct RepairedString {
    text: String,
    whole: String,
    broken: Option<Broken>,
}

impl RepairedString {
    fn repaired(bytes: &[u8]) -> RepairedString {
        let mut written = RepairedString::default();
        for chunk in bytes.utf8_chunks() {
            written.push(chunk.valid());
            if !chunk.invalid().is_empty() {
                written.replace(Broken::Utf8);
            }
        }
        written
    }

    fn push(&mut self, mut rest: &str) {
        while let Some(letter) = rest.chars().next() {
            let (length, broken) = match letter {
                '\\' => escape(rest.as_bytes()),
                ..' ' => (1, Some(Broken::Control)),
                _ => (letter.len_utf8(), None),
            };
            // An escape that is truncated or invalid is left unchanged.
            let (part, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
            match broken {
                None => {
                    self.text.push_str(part);
                    self.whole.push_str(part);
                }
                Some(broken) => self.replace(broken),
            }
            rest = behind;
        }
    }

    fn replace(&mut self, broken: Broken) {
        self.text.push('\u{fffd}');
        self.broken.get_or_insert(broken);
    }
}

/// The length of the escape that begins here, and whether it is half of a surrogate pair.
fn escape(bytes: &[u8]) -> (usize, Option<Broken>) {
    match (unit(bytes), bytes.get(6..).and_then(unit)) {
        (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (12, None),
        (Some(0xd800..0xe000), _) => (6, Some(Broken::Surrogate)),
        (Some(_), _) => (6, None),
        (None, _) => (2, None),
    }
}

/// The UTF-16 unit that `\uXXXX` encodes.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..6)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;
    use proptest::prelude::*;

    fn repaired(bytes: &[u8]) -> (String, Vec<(String, bool, String)>) {
        let repaired = repair(bytes).unwrap();
        assert!(Value::parse(&repaired.text).is_ok(), "{}", repaired.text);
        (
            repaired.text,
            repaired.spots.into_iter().map(|spot| (spot.name, spot.is_name, spot.whole)).collect(),
        )
    }

    #[test]
    fn broken_strings_are_replaced_and_reported() {
        for (given, text, name, is_name, whole) in [
            (&b"{\"a\":\"\x14x\"}"[..], "{\"a\":\"\u{fffd}x\"}", "a", false, "x"),
            (b"{\"a\":[1,\"\xff\"]}", "{\"a\":[1,\"\u{fffd}\"]}", "a", false, ""),
            (
                br#"{"a":{"b":1},"c":["\ud800\ud83d\ude00"]}"#,
                "{\"a\":{\"b\":1},\"c\":[\"\u{fffd}\\ud83d\\ude00\"]}",
                "c",
                false,
                "\\ud83d\\ude00",
            ),
            (br#"{"a":[{"b":1},"\udc00"]}"#, "{\"a\":[{\"b\":1},\"\u{fffd}\"]}", "a", false, ""),
            (b"{\"\x01\":1}", "{\"\u{fffd}\":1}", "\u{fffd}", true, ""),
            (
                b"{\"\\u0061\" : \"\\\\\\\"\n\"}",
                "{\"\\u0061\" : \"\\\\\\\"\u{fffd}\"}",
                "a",
                false,
                "\\\\\\\"",
            ),
            (b"\"\t\"", "\"\u{fffd}\"", "", false, ""),
        ] {
            let (repaired, spots) = repaired(given);
            assert_eq!(repaired, text);
            assert_eq!(spots, [(name.to_owned(), is_name, whole.to_owned())], "{text}");
        }
    }

    #[test]
    fn nothing_else_is_repaired() {
        // Nothing is broken, or something outside a string is.
        for whole in [&br#"{"a":"x"}"#[..], b"", b"{\"a\":\"\x14", b"\xff{\"a\":\"\x14\"}", b"]\"\x14\""] {
            assert!(repair(whole).is_none(), "{}", String::from_utf8_lossy(whole));
        }
        // Repaired, and still not JSON.
        for wrong in [
            &b"{\"a\":\"\x14\""[..],
            b"{\"a\":01,\"b\":\"\x14\"}",
            b"[\"\x14\\x\"]",
            b"[\"\\\xff\"]",
            b"[\x14\"\x14\"]",
        ] {
            assert!(
                repair(wrong).is_none_or(|repaired| Value::parse(&repaired.text).is_err()),
                "{}",
                String::from_utf8_lossy(wrong)
            );
        }
        assert!(repair(&[&b"[".repeat(1_000_000)[..], b"\"\x14\""].concat()).is_none());
    }

    /// Names, numbers and the rest of a text, without the contents of its strings.
    fn skeleton(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::String(_) => "s".to_owned(),
            serde_json::Value::Array(list) => format!("[{}]", list.iter().map(skeleton).collect::<String>()),
            serde_json::Value::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{name:?}:{},", skeleton(value)));
                format!("{{{}}}", members.collect::<String>())
            }
            other => other.to_string(),
        }
    }

    fn strings(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => out.push(text.clone()),
            serde_json::Value::Array(list) => list.iter().for_each(|item| strings(item, out)),
            serde_json::Value::Object(members) => members.values().for_each(|item| strings(item, out)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn any_input_is_repaired_or_refused(bytes in prop::collection::vec(
            prop_oneof![prop::sample::select(&b"{}[]:,\"\\ud8c01a\x14\xff\xe7\x90"[..]), any::<u8>()], 0..40))
        {
            if let Some(repaired) = repair(&bytes) {
                let replaced = repaired.text.contains('\u{fffd}');
                prop_assert!(replaced, "{}", repaired.text);
                prop_assert!(repair(repaired.text.as_bytes()).is_none(), "{}", repaired.text);
            }
        }

        #[test]
        fn only_the_broken_string_changes(
            tree in super::super::tests::tree(),
            at in any::<prop::sample::Index>(),
            dirt in prop::sample::select(vec![&b"\x14"[..], b"\xff", b"\xe7\x90", br"\ud800", br"\udc00", b"\n"]),
        ) {
            let whole = tree.to_string();
            prop_assert!(repair(whole.as_bytes()).is_none(), "{whole}");
            let at = at.index(whole.len() + 1);
            let bytes = [&whole.as_bytes()[..at], dirt, &whole.as_bytes()[at..]].concat();
            let Some(repaired) = repair(&bytes) else { return Ok(()) };
            let Ok(read) = serde_json::from_str::<serde_json::Value>(&repaired.text) else { return Ok(()) };
            if repaired.spots.iter().any(|spot| spot.is_name) {
                return Ok(());
            }
            prop_assert_eq!(skeleton(&read), skeleton(&tree), "{}", repaired.text);
            let (mut before, mut after) = (Vec::new(), Vec::new());
            strings(&tree, &mut before);
            strings(&read, &mut after);
            let other = before.iter().zip(&after).filter(|(before, after)| before != after).count();
            prop_assert!(other <= 1, "{}", repaired.text);
        }
    }
}
