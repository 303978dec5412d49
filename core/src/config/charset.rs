//! What a host's texts are written in.

use crate::json::Value;

/// See the module's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, in and out.
    #[default]
    Utf8,
    /// GBK (code page 936), in and out; what it cannot say goes out as `\uXXXX`.
    Gbk,
    /// UTF-8 in; out everything beyond ASCII as `\uXXXX`.
    Ascii,
}

impl Charset {
    /// The words of the configuration.
    pub const WORDS: [&'static str; 3] = ["utf-8", "gbk", "ascii"];

    const ALL: [Charset; 3] = [Charset::Utf8, Charset::Gbk, Charset::Ascii];

    /// What a configuration names; the default where it names none, or cannot be read.
    pub fn of_config(config: &str) -> Charset {
        let value = Value::parse(config).ok();
        let word = value.as_ref().and_then(Value::as_object).and_then(|object| object.given("charset"));
        let word = word.and_then(Value::scalar);
        let found = Charset::ALL.into_iter().zip(Charset::WORDS).find(|(_, known)| Some(*known) == word);
        found.map(|(charset, _)| charset).unwrap_or_default()
    }

    /// A number for each, to be kept where only a number can be.
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
