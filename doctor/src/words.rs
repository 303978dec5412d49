//! A sentence in both languages.

use zvpos_core::outcome::Lang;

/// One sentence, said twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// 简体中文
    pub zh: String,
    /// English
    pub en: String,
}

impl Words {
    /// The one of this language.
    pub fn pick(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// Both, changed in the same way.
    pub(crate) fn map(self, f: impl Fn(&str) -> String) -> Words {
        Words { zh: f(&self.zh), en: f(&self.en) }
    }

    /// This and another one behind it.
    pub(crate) fn and(mut self, more: &Words) -> Words {
        self.zh.push_str(&more.zh);
        self.en.push(' ');
        self.en.push_str(&more.en);
        self
    }
}

/// A sentence in Chinese and in English, each with the names of variables in braces.
macro_rules! words {
    ($zh:literal, $en:literal $(,)?) => {
        $crate::words::Words { zh: format!($zh), en: format!($en) }
    };
}
pub(crate) use words;
