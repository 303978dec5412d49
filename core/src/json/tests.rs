//! What is parsed exactly, what is refused, and that the parser agrees with serde_json on any text.

use super::*;
use proptest::prelude::*;

#[test]
fn keeps_every_text_exactly() {
    let text =
        r#"{ "id": 390962138708451328999, "m": 12.50, "e": 1E+2, "s": "a\u4e2d\n", "o": {"x" : [1, 2]} }"#;
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

#[test]
fn finds_nothing_if_a_name_is_ambiguous() {
    let text = r#"{"a":{"x":1},"b":[{"x":2},{"x":3,"x":4}],"c":{"y":5},"c":{"z":6}}"#;
    let found = |path: &[&str]| Value::find(text, path.iter().copied()).map(|value| value.raw());
    assert_eq!(found(&["a", "x"]), Some("1"));
    assert_eq!(found(&["b", "0", "x"]), Some("2"));
    assert_eq!(found(&["b", "1", "x"]), None);
    assert_eq!((found(&["c"]), found(&["c", "y"]), found(&["c", "z"])), (None, None, None));
    assert_eq!(
        (found(&["a", "x", "y"]), found(&["a", "0"]), found(&["b", "x"]), found(&["b", "2"])),
        (None, None, None, None)
    );
    // Neither a deeply nested text nor a long path may exhaust the stack.
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    assert!(Value::find(&deep, std::iter::repeat_n("0", 400_000)).is_none());
    assert!(Value::find(&deep, ["0"]).is_none());
}

/// The corner cases of the grammar: each is JSON exactly if serde_json accepts it.
#[test]
fn agrees_on_the_corners() {
    for text in [
        "0",
        "-0",
        "-",
        "01",
        "-01",
        "1.",
        ".5",
        "1.5",
        "1e",
        "1e+",
        "1E-07",
        "+1",
        "0x1",
        "1 2",
        "tru",
        "true",
        "truee",
        "nul",
        "null",
        "False",
        "\u{feff}1",
        "\u{a0}1",
        "\u{c}1",
        "\u{b}1",
        "\t\r\n 1",
        "\"\t\"",
        "\"\u{7f}\"",
        "\"\\u12G4\"",
        "\"\\u123\"",
        "\"\\x\"",
        "\"\\ud83d\\ude00\"",
        "\"\\/\"",
        "\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{,}",
        "{1:1}",
        "{}{}",
        "[]]",
        "[}",
        "{]",
        "'a'",
        "",
    ] {
        let theirs = serde_json::from_str::<serde_json::Value>(text);
        assert_eq!(Value::parse(text).is_ok(), theirs.is_ok(), "{text:?} {theirs:?}");
        for around in [format!("{{\"a\":{text}}}"), format!("[{text}]")] {
            let theirs = serde_json::from_str::<serde_json::Value>(&around);
            assert_eq!(Value::parse(&around).is_ok(), theirs.is_ok(), "{around:?} {theirs:?}");
            if theirs.is_err() {
                assert!(
                    Value::find(&around, ["a"]).is_none() && Value::find(&around, ["0"]).is_none(),
                    "{around:?}"
                );
            }
        }
    }
}

/// Any tree, with strings that look like JSON syntax.
pub(super) fn tree() -> impl Strategy<Value = serde_json::Value> {
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
        (ValueKind::Object(ours), serde_json::Value::Object(theirs)) => {
            ours.iter().count() == theirs.len()
                && ours.iter().all(|(key, value)| theirs.get(key).is_some_and(|other| same(value, other)))
        }
        (ValueKind::Array(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (ValueKind::String(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number, theirs) => {
            let theirs = theirs.to_string();
            ours.raw() == theirs
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn parses_what_serde_json_parses(tree in tree()) {
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
                prop_assert_eq!(Value::find_in_own(&text, [name]).unwrap().raw(), member.raw());
                for (index, entry) in member.as_array().unwrap_or_default().iter().enumerate() {
                    let index = index.to_string();
                    let found = Value::find(&text, [name, index.as_str()]).unwrap();
                    prop_assert_eq!(found.raw(), entry.raw());
                    let found = Value::find_in_own(&text, [name, index.as_str()]).unwrap();
                    prop_assert_eq!(found.raw(), entry.raw());
                }
            }
            prop_assert!(Value::find(&text, ["not there"]).is_none());
            prop_assert!(Value::find_in_own(&text, ["not there"]).is_none());
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

    /// A valid text with one character replaced or removed is accepted exactly if serde_json accepts it.
    #[test]
    fn agrees_on_texts_that_are_almost_json(
        tree in tree(),
        at in any::<prop::sample::Index>(),
        letter in r#"[\[\]{}",:\\\n\x00-\x1f\x0c\x0b\u{a0}0-9au.eE+tn -]{0,2}"#,
    ) {
        let mut letters: Vec<String> = tree.to_string().chars().map(String::from).collect();
        let at = at.index(letters.len());
        letters[at] = letter;
        let text = letters.concat();
        let theirs = serde_json::from_str::<Box<RawValue>>(&text).is_ok();
        match Value::parse(&text) {
            Ok(_) | Err(JsonError::Duplicate { .. }) => prop_assert!(theirs, "{text:?}"),
            // Half a surrogate pair, which serde_json finds only when it decodes the string.
            Err(JsonError::Syntax(_)) if text.contains("\\u") => {}
            Err(error) => prop_assert!(!theirs, "{text:?} {error}"),
        }
        if Value::find(&text, ["a"]).is_some() || Value::find(&text, ["0"]).is_some() {
            prop_assert!(theirs, "{text:?}");
        }
    }

    #[test]
    fn finds_the_first_letter_that_needs_an_escape(text in any::<String>(), mark in r#"["\\\x00-\x1f]{0,2}"#) {
        let text = format!("{}{mark}{}", text.replace(['"', '\\'], "é"), text);
        let naive = text.bytes().position(|b| b < b' ' || b == b'"' || b == b'\\').unwrap_or(text.len());
        prop_assert_eq!(plain_length(text.as_bytes()), naive);
        let mut out = String::new();
        push_string(&mut out, &text);
        prop_assert!(out.len() <= most_string_length(&text));
    }

    #[test]
    fn strings_survive(text in any::<String>()) {
        let mut out = String::new();
        push_string(&mut out, &text);
        let value = Value::parse(&out).unwrap();
        prop_assert_eq!(value.scalar(), Some(text.as_str()));
    }
}
