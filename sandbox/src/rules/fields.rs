//! The fields of a JSON object, read without loss. A number keeps the digits that were sent, so that a 19-digit id
//! never passes through a double; a scalar is read as text whether it was sent as `5` or `"5"`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::fen::Fen;
use crate::words::{Words, words};

/// An invalid field, in words for the programmer of the till.
pub(super) type Bad = Words;

/// One JSON object. If a name occurs twice, the last value applies, as in PHP.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }

    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|raw| raw.get())
    }

    /// A scalar as text. A missing field, `null` and `""` are all absent: the vendor's sample sends every unused field
    /// as `""` (DOC).
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Bad> {
        match self.0.get(name) {
            None => Ok(None),
            Some(raw) => scalar(raw)
                .map_err(|()| words!("{name} must be a text or a number", "{name} 必须是文本或数字")),
        }
    }

    /// The first present field among several names of one scalar.
    pub(super) fn any(&self, names: &[&str]) -> Result<Option<String>, Bad> {
        for name in names {
            if let Some(text) = self.text(name)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// A required scalar.
    pub(super) fn must(&self, name: &str) -> Result<String, Bad> {
        self.text(name)?.ok_or_else(|| words!("{name} is missing", "缺少 {name}"))
    }

    /// A non-negative integer.
    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, Bad> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(Some(number)),
            _ => Err(words!(
                "{name} must be a whole number, not {text:?}",
                "{name} 必须是非负整数，不能是 {text:?}"
            )),
        }
    }

    /// An amount in 元 with at most two decimals.
    pub(super) fn money(&self, name: &str) -> Result<Option<Fen>, Bad> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let fen = Fen::parse(&text);
        fen.map(Some).ok_or_else(|| {
            words!(
                "{name} must be an amount with at most two decimals, not {text:?}",
                "{name} 必须是最多两位小数的金额，不能是 {text:?}",
            )
        })
    }

    /// The elements of an array; absent means empty.
    fn elements(&self, name: &str) -> Result<Vec<Box<RawValue>>, Bad> {
        match self.raw(name) {
            None | Some("null" | "\"\"") => Ok(Vec::new()),
            Some(text) => {
                serde_json::from_str(text).map_err(|_| words!("{name} must be an array", "{name} 必须是数组"))
            }
        }
    }

    /// An array of present scalars.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Bad> {
        let texts: Option<Vec<_>> =
            self.elements(name)?.iter().map(|raw| scalar(raw).ok().flatten()).collect();
        texts.ok_or_else(|| {
            words!(
                "every element of {name} must be a text or a number",
                "{name} 的每个元素都必须是文本或数字"
            )
        })
    }

    /// An array of objects.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, Bad> {
        self.elements(name)?.iter().map(|raw| Self::parse(raw.get())).collect::<Result<_, _>>().map_err(
            |error| {
                words!(
                    "every element of {name} must be an object: {error}",
                    "{name} 的每个元素都必须是对象：{error}"
                )
            },
        )
    }

    /// The object as text with the named fields masked, for the request log.
    pub(super) fn masked(&self, hide: &[&str]) -> String {
        let shown = self.0.iter().map(|(name, raw)| {
            let given = !matches!(raw.get(), "null" | "\"\"");
            let value = if given && hide.contains(&name.as_str()) { "\"***\"" } else { raw.get() };
            format!("{}:{value}", serde_json::Value::from(name.as_str()))
        });
        format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
    }
}

/// The text of a scalar: the content of a string, or the characters of a number or a bool.
fn scalar(raw: &RawValue) -> Result<Option<String>, ()> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{' | b'[') | None => Err(()),
        Some(b'"') => serde_json::from_str::<String>(text)
            .map(|text| (!text.is_empty()).then_some(text))
            .map_err(|_| ()),
        Some(b'n') => Ok(None),
        Some(_) => Ok(Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn big_ids_keep_every_digit() {
        let fields =
            Fields::parse(r#"{"a": 9007199254740993, "b": 99999999999999999999, "c": "12", "d": ""}"#)
                .unwrap();
        assert_eq!(fields.must("a").unwrap(), "9007199254740993");
        assert_eq!(fields.must("b").unwrap(), "99999999999999999999");
        assert_eq!(fields.must("c").unwrap(), "12");
        assert!(fields.must("d").unwrap_err().en.contains("missing"));
        assert_eq!(fields.whole("c").unwrap(), Some(12));
        assert!(fields.whole("b").is_err());
    }

    #[test]
    fn a_password_is_hidden() {
        let fields = Fields::parse(r#"{"payPassword": "123456", "bizId": "T1"}"#).unwrap();
        assert_eq!(fields.masked(&["payPassword"]), r#"{"bizId":"T1","payPassword":"***"}"#);
    }
}
