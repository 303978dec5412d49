//! Texts of a host, in its charset: bytes are decoded strictly, with a clear answer for any other encoding; answers
//! are encoded without loss.

mod gbk;

use std::borrow::Cow;

use crate::api::MAX_TEXT_BYTES;
use crate::bytes::without_mark;
use crate::config::Charset;
use crate::json::{escape_beyond_ascii, push_escape};
use crate::outcome::codes::Code;
use crate::outcome::{Answer, Lang, Outcome, codes};

/// The name of a host's text, and how it is decoded.
#[derive(Clone, Copy)]
pub struct Expected<'w> {
    /// Its name in messages.
    pub what: &'w str,
    /// Its charset.
    pub charset: Charset,
    /// The language of an answer that refuses it.
    pub lang: Lang,
}

impl Expected<'_> {
    /// The same expectation for a text of another name.
    pub fn named(self, what: &str) -> Expected<'_> {
        Expected { what, charset: self.charset, lang: self.lang }
    }

    /// Decodes a request or a configuration. A text that is too large, such as one whose NUL is missing, is refused
    /// before it is converted: conversion takes several times its size, and without memory the host would abort.
    pub fn decode_given(self, bytes: &[u8]) -> Result<Cow<'_, str>, Answer> {
        if bytes.len() > MAX_TEXT_BYTES {
            let message = format!("has {} bytes; at most {MAX_TEXT_BYTES} are taken", bytes.len());
            return Err(self.refused(&codes::TOO_LARGE, &message));
        }
        self.decode(bytes)
    }

    /// Decodes bytes strictly: the error for a bad byte names its position and the encoding that the text appears to
    /// have. One leading byte order mark is skipped; the text after it is UTF-8, whatever charset is set.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, Answer> {
        let (charset, bytes, skipped) = match without_mark(bytes) {
            Some(rest) => (Charset::Utf8, rest, bytes.len() - rest.len()),
            None => (self.charset, bytes, 0),
        };
        let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
        let as_utf8 = std::str::from_utf8(bytes);
        let (code, message) = match (charset, as_utf8) {
            (Charset::Utf8 | Charset::Ascii, Ok(text)) => return Ok(text.into()),
            (Charset::Gbk, Ok(text)) if bytes.is_ascii() => return Ok(text.into()),
            _ if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => (
                &codes::UTF16,
                "begins with a UTF-16 byte order mark; pass a text of single bytes".to_owned(),
            ),
            (Charset::Utf8 | Charset::Ascii, Err(error)) => {
                let at = error.valid_up_to();
                let bad = format!("is not UTF-8: byte {} is 0x{:02x}", at + skipped, byte(at));
                match gbk::decode(bytes) {
                    Ok(_) => {
                        (&codes::LOOKS_GBK, format!("{bad}; it looks like GBK: set \"charset\": \"gbk\""))
                    }
                    Err(_) => (&codes::UTF8, bad),
                }
            }
            (Charset::Gbk, as_utf8) => match gbk::decode(bytes) {
                Ok(text) => return Ok(text.into()),
                Err(at) => {
                    let bad = format!("is not GBK: byte {at} is 0x{:02x}", byte(at));
                    let hint = if as_utf8.is_ok() { "; it is UTF-8" } else { "" };
                    (&codes::GBK, bad + hint)
                }
            },
        };
        Err(self.refused(code, &message))
    }

    /// The answer that refuses the text for this reason.
    pub fn refused(self, code: &'static Code, message: &str) -> Answer {
        Answer::of(Outcome::Invalid, code, self.lang, format!("{} {message}", self.what))
    }
}

/// A configuration names its own charset; the words that do so are ASCII, which is the same in GBK and UTF-8.
pub fn decode_config(bytes: &[u8], lang: Lang) -> Result<(Cow<'_, str>, Charset), Answer> {
    let expected = |charset| Expected { what: "config_json", charset, lang };
    if without_mark(bytes).is_some() {
        let text = expected(Charset::Utf8).decode_given(bytes)?;
        let charset = Charset::of_config(&text);
        return Ok((text, charset));
    }
    let as_gbk = expected(Charset::Gbk).decode_given(bytes);
    if let Some(text) = as_gbk.as_ref().ok().filter(|text| Charset::of_config(text) == Charset::Gbk) {
        return Ok((text.clone(), Charset::Gbk));
    }
    let text = expected(Charset::Utf8).decode_given(bytes)?;
    match Charset::of_config(&text) {
        // It names GBK, but is not valid GBK.
        Charset::Gbk => as_gbk.map(|text| (text, Charset::Gbk)),
        charset => Ok((text, charset)),
    }
}

/// A text in the host's charset. Characters that the charset lacks become `\uXXXX`, which is equivalent in JSON: a
/// JSON text has characters beyond ASCII only inside strings.
pub fn encode(text: Cow<'_, str>, charset: Charset) -> Cow<'_, [u8]> {
    match charset {
        _ if text.is_ascii() => {}
        Charset::Utf8 => {}
        Charset::Ascii => return escape_beyond_ascii(&text).into_bytes().into(),
        Charset::Gbk => return to_gbk(&text).into(),
    }
    match text {
        Cow::Borrowed(text) => text.as_bytes().into(),
        Cow::Owned(text) => text.into_bytes().into(),
    }
}

fn to_gbk(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    for letter in text.chars() {
        // Tables disagree on GBK's bytes for private-use characters, so none of them is used.
        let is_private = ('\u{e000}'..='\u{f8ff}').contains(&letter);
        if is_private || !gbk::push(&mut out, letter) {
            let mut escape = String::new();
            push_escape(&mut escape, letter);
            out.extend_from_slice(escape.as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;

    fn read(bytes: &[u8], charset: Charset) -> Result<String, (String, String)> {
        let expected = Expected { what: "request", charset, lang: Lang::En };
        expected
            .decode(bytes)
            .map(Cow::into_owned)
            .map_err(|answer| (answer.code().to_owned(), answer.message().to_owned()))
    }

    #[test]
    fn escapes_keep_every_letter() {
        let json = "{\"a\":\"扣款 😀 ok\"}";
        let escaped = encode(json.into(), Charset::Ascii);
        assert_eq!(&*escaped, br#"{"a":"\u6263\u6b3e \ud83d\ude00 ok"}"#);
        let gbk = encode(json.into(), Charset::Gbk);
        assert_eq!(&*gbk, b"{\"a\":\"\xbf\xdb\xbf\xee \\ud83d\\ude00 ok\"}");
        assert_eq!(&*encode(json.into(), Charset::Utf8), json.as_bytes());
    }

    #[test]
    fn says_what_is_wrong_with_the_bytes() {
        for (bytes, charset, code, says) in [
            (&b"a\xc6\xf3\xc2\xf5"[..], Charset::Utf8, "ZV-LOOKS-GBK", "byte 1 is 0xc6; it looks like GBK"),
            (b"\xff\xfe{", Charset::Utf8, "ZV-UTF16", "byte order mark"),
            (b"\xff\xfe{", Charset::Gbk, "ZV-UTF16", "byte order mark"),
            (b"ab\xff\xff", Charset::Ascii, "ZV-UTF8", "byte 2 is 0xff"),
            (b"{\"\xbf\xdb\xff\"}", Charset::Gbk, "ZV-GBK", "byte 4 is 0xff"),
            (b"{\"\xbf\"}", Charset::Gbk, "ZV-GBK", "byte 2 is 0xbf"),
            ("{\"扣\"}".as_bytes(), Charset::Gbk, "ZV-GBK", "it is UTF-8"),
            (b"\xef\xbb\xbfab\xff\xff", Charset::Gbk, "ZV-UTF8", "byte 5 is 0xff"),
        ] {
            let (found, message) = read(bytes, charset).unwrap_err();
            assert_eq!(found, code, "{message}");
            assert!(message.starts_with("request ") && message.contains(says), "{message}");
        }
    }

    /// Every two-byte character of GBK decodes to itself and encodes back to the same bytes.
    #[test]
    fn the_whole_of_gbk_survives_a_round_trip() {
        let mut characters = 0;
        for lead in 0x81..=0xfe_u8 {
            for trail in 0x40..=0xfe_u8 {
                let Ok(text) = read(&[lead, trail], Charset::Gbk) else { continue };
                // Two characters mean an ASCII byte after an unassigned lead byte.
                assert!(text.chars().count() == 1, "{lead:02x} {trail:02x} is {text:?}");
                characters += 1;
                let back = encode(Cow::Owned(text.clone()), Charset::Gbk);
                let again = if back.starts_with(b"\\u") {
                    let json = format!("\"{}\"", String::from_utf8_lossy(&back));
                    Value::parse(&json).unwrap().scalar().unwrap().to_owned()
                } else {
                    read(&back, Charset::Gbk).unwrap()
                };
                assert_eq!(again, text, "{lead:02x} {trail:02x}");
            }
        }
        // GBK/1 to GBK/5 have 21,886 characters (GB 18030, two bytes); the user-defined areas come on top.
        assert!(characters >= 21_886, "{characters}");
    }

    /// Every Unicode character can be in a JSON answer, in every charset.
    #[test]
    fn all_of_unicode_is_encoded_as_equivalent_json() {
        let all: Vec<char> = ('\u{20}'..=char::MAX).filter(|c| !matches!(c, '"' | '\\')).collect();
        for letters in all.chunks(4096) {
            let json = format!("\"{}\"", letters.iter().collect::<String>());
            let wanted = Value::parse(&json).unwrap().scalar().unwrap().to_owned();
            for charset in [Charset::Gbk, Charset::Ascii, Charset::Utf8] {
                let bytes = encode(json.as_str().into(), charset);
                let text = read(&bytes, charset).unwrap();
                assert!(
                    Value::parse(&text).unwrap().scalar() == Some(wanted.as_str()),
                    "{charset:?} {:?}",
                    letters.first()
                );
            }
        }
    }

    #[test]
    fn a_configuration_names_its_charset() {
        let config = |bytes: &[u8]| {
            decode_config(bytes, Lang::En)
                .map(|(text, charset)| (text.into_owned(), charset))
                .map_err(|answer| answer.code().to_owned())
        };
        let gbk = |letters: &[u8]| [b"{\"charset\":\"gbk\",\"journal\":\"", letters, b"\"}"].concat();
        assert_eq!(
            config(&gbk(b"\xca\xd5\xd2\xf8")),
            Ok(("{\"charset\":\"gbk\",\"journal\":\"收银\"}".into(), Charset::Gbk))
        );
        assert_eq!(config(&gbk(b"")).unwrap().1, Charset::Gbk);
        assert_eq!(config(&gbk("收".as_bytes())), Err("ZV-GBK".into()));
        assert_eq!(config("{\"journal\":\"收银\"}".as_bytes()).unwrap().1, Charset::Utf8);
        assert_eq!(config(b"{\"journal\":\"\xca\xd5\xd2\xf8\"}"), Err("ZV-LOOKS-GBK".into()));
        assert_eq!(config(b"{\"charset\":\"ascii\"}").unwrap().1, Charset::Ascii);
        // A byte order mark means UTF-8, whatever charset the host uses later.
        let marked = |text: &str| config(&[b"\xef\xbb\xbf", text.as_bytes()].concat());
        assert_eq!(marked("{\"journal\":\"收银\"}"), Ok(("{\"journal\":\"收银\"}".into(), Charset::Utf8)));
        let gbk_later = "{\"charset\":\"gbk\",\"journal\":\"收银\"}";
        assert_eq!(marked(gbk_later), Ok((gbk_later.into(), Charset::Gbk)));
        assert_eq!(marked("\u{feff}{}").unwrap().0, "\u{feff}{}", "only one is skipped");
        // Other errors are reported by the parser of the configuration.
        assert_eq!(config(b"{").unwrap().1, Charset::Utf8);
    }
}
