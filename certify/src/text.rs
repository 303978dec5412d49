//! Texts for people, in both languages.

use serde::Serialize;

/// One text in English and in Chinese.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// 简体中文
    pub zh: String,
}

/// A text in both languages.
pub(crate) fn text(en: impl Into<String>, zh: impl Into<String>) -> Text {
    Text { en: en.into(), zh: zh.into() }
}
