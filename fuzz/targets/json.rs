//! Bytes of a host in each charset, compared with encoding_rs, and their JSON, compared with serde_json. Every value
//! that is read is written back unchanged.
#![no_main]

use std::borrow::Cow;

use encoding_rs::GB18030;
use libfuzzer_sys::fuzz_target;
use zvpos_core::config::Charset;
use zvpos_core::json::{Value, ValueKind, escape_beyond_ascii, push_string, repair};
use zvpos_core::outcome::Lang;
use zvpos_core::text::{Expected, decode_config, encode};
use zvpos_fuzz::choice;
use zvpos_fuzz::tree::Tree;

fuzz_target!(|input: &[u8]| {
    let Some((number, bytes)) = choice(input) else { return };
    let charset = Charset::from_number(number % 3);
    let _ = decode_config(bytes, Lang::En);
    check_repaired(bytes);
    let decoded = Expected { what: "request", charset, lang: Lang::En }.decode_given(bytes);
    assert_eq!(decoded.as_ref().ok().map(AsRef::as_ref), as_others_read(bytes, charset).as_deref());
    let Ok(text) = decoded else { return };
    check_json(&text, charset);
});

/// What encoding_rs and std make of the bytes. A mark of UTF-16 is refused where the bytes are not UTF-8 all the same.
fn as_others_read(bytes: &[u8], charset: Charset) -> Option<Cow<'_, str>> {
    if let Some(marked) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return std::str::from_utf8(marked).ok().map(Cow::Borrowed);
    }
    match charset {
        Charset::Utf8 | Charset::Ascii => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Charset::Gbk if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") => None,
        Charset::Gbk => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
    }
}

fn check_json(text: &str, charset: Charset) {
    let ours = Value::parse(text);
    let theirs = Tree::read(text);
    assert_eq!(ours.is_ok(), theirs.is_some(), "{ours:?}");
    // Finding a value is reading it and taking it out.
    let found = Value::find(text, ["data"]);
    let (Ok(value), Some(tree)) = (ours, theirs) else { return };
    check_same(&value, &tree);
    assert_eq!(found.map(|value| value.raw().to_owned()), member(&value, "data"));
    let mut canonical = String::new();
    value.push_canonical(&mut canonical);
    let again = Value::parse(&canonical).unwrap_or_else(|error| panic!("{canonical}: {error}"));
    let mut twice = String::new();
    again.push_canonical(&mut twice);
    assert_eq!(canonical, twice);
    assert_eq!(Tree::read(&escape_beyond_ascii(text)), Some(tree.clone()), "escaped");
    let written = encode(text.into(), charset);
    let back = as_others_read(&written, charset).unwrap_or_else(|| panic!("{written:?} cannot be read"));
    assert_eq!(Tree::read(&back), Some(tree), "written and read again");
}

fn member(value: &Value<'_>, name: &str) -> Option<String> {
    value.as_object()?.get(name).map(|value| value.raw().to_owned())
}

fn check_same(ours: &Value<'_>, theirs: &Tree) {
    match (ours.kind(), theirs) {
        (ValueKind::Null, Tree::Null) => {}
        (ValueKind::Bool(one), Tree::Bool(other)) => assert_eq!(one, other),
        (ValueKind::Number, Tree::Number(text)) => {
            assert_eq!(ours.raw(), text);
            assert!(text.parse::<f64>().is_ok(), "{text}");
        }
        (ValueKind::String(text), Tree::Text(other)) => {
            assert_eq!(text, other);
            let mut written = String::new();
            push_string(&mut written, text);
            assert_eq!(serde_json::from_str::<String>(&written).as_deref().ok(), Some(other.as_str()));
        }
        (ValueKind::Array(list), Tree::List(others)) => {
            assert_eq!(list.len(), others.len());
            list.iter().zip(others).for_each(|(one, other)| check_same(one, other));
        }
        (ValueKind::Object(object), Tree::Object(others)) => {
            assert_eq!(object.iter().count(), others.len());
            for ((name, value), (other_name, other)) in object.iter().zip(others) {
                assert_eq!(name, other_name);
                check_same(value, other);
            }
        }
        (ours, theirs) => panic!("{ours:?} is no {theirs:?}"),
    }
}

/// Repaired JSON is valid, and names the repaired places.
fn check_repaired(bytes: &[u8]) {
    let Some(repaired) = repair(bytes) else { return };
    assert!(!repaired.spots.is_empty() && repaired.text.contains('\u{fffd}'));
    assert!(repair(repaired.text.as_bytes()).is_none(), "{}", repaired.text);
}
