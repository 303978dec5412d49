//! Texts for people, in both languages.

use std::fmt;

use serde::Serialize;

/// One text in English and in Chinese.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Words {
    /// English.
    pub en: String,
    /// 简体中文
    pub zh: String,
}

/// In English, where only one language fits.
impl fmt::Display for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.en)
    }
}

impl std::error::Error for Words {}

/// A text in English and in Chinese; in braces, each has names of variables, or of values that follow the text. A
/// missing Chinese text is a compile error.
macro_rules! words {
    ($en:literal, $zh:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        const _: () = assert!(!$zh.is_ascii(), "the second text is the Chinese one");
        $(let $name = &$value;)*
        $crate::words::Words { en: format!($en), zh: format!($zh) }
    }};
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    #[test]
    fn both_are_filled_in() {
        let name = "T1";
        let words = words!("{name} has {count}", "{name} 有 {count} 个", count = name.len());
        assert_eq!((words.en.as_str(), words.zh.as_str()), ("T1 has 2", "T1 有 2 个"));
        assert_eq!(words.to_string(), words.en);
    }
}
