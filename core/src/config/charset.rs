//! The charset of a host's texts.

use crate::json::Value;

/// The charset of the texts that a host passes and receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, in and out.
    #[default]
    Utf8,
    /// GBK (code page 936), in and out; a character that GBK lacks goes out as `\uXXXX`.
    Gbk,
    /// UTF-8 in; every character beyond ASCII goes out as `\uXXXX`.
    Ascii,
}

impl Charset {
    /// The values of `charset` in the configuration.
    pub(crate) const WORDS: [&'static str; 3] = ["utf-8", "gbk", "ascii"];

    const ALL: [Charset; 3] = [Charset::Utf8, Charset::Gbk, Charset::Ascii];

    /// The charset that a configuration names; the default if it names none or cannot be read.
    pub fn of_config(config: &str) -> Charset {
        let value = Value::parse(config).ok();
        let word = value.as_ref().and_then(Value::as_object).and_then(|object| object.given("charset"));
        let word = word.and_then(Value::scalar);
        let found = Charset::ALL.into_iter().zip(Charset::WORDS).find(|(_, known)| Some(*known) == word);
        found.map(|(charset, _)| charset).unwrap_or_default()
    }

    /// Its number, for storage in an atomic.
    pub fn number(self) -> u8 {
        match self {
            Charset::Utf8 => 0,
            Charset::Gbk => 1,
            Charset::Ascii => 2,
        }
    }

    /// The charset of that number.
    pub fn from_number(number: u8) -> Charset {
        Charset::ALL.get(usize::from(number)).copied().unwrap_or_default()
    }
}
