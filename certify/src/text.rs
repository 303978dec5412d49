//! Texts for people, in both languages.

pub use zvpos_sandbox::Words as Text;

/// A text in both languages.
pub(crate) fn text(en: impl Into<String>, zh: impl Into<String>) -> Text {
    Text { en: en.into(), zh: zh.into() }
}
