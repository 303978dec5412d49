//! Texts for people in both languages, and texts of people.

use serde::{Deserialize, Serialize};

/// A text in Chinese and in English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Words {
    /// The two texts.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Words {
        Words { zh: zh.into(), en: en.into() }
    }
}

/// The longest name, in bytes.
const NAME_MAX: usize = 64;

/// The longest reason, in bytes.
const REASON_MAX: usize = 512;

/// A name that a person gives, of themselves or of a till, a shop or a chain.
pub fn name(text: &str) -> Option<&str> {
    plain(text, NAME_MAX)
}

/// Why a person has done something.
pub fn reason(text: &str) -> Option<&str> {
    plain(text, REASON_MAX)
}

fn plain(text: &str, longest: usize) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= longest && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_something_and_has_an_end() {
        assert_eq!(name("  王店长 "), Some("王店长"));
        let long = "x".repeat(65);
        for wrong in ["", "  ", "a\nb", "\u{1b}[2J", &long] {
            assert_eq!(name(wrong), None, "{wrong:?}");
        }
        assert_eq!((reason(&long).is_some(), reason(&"x".repeat(513))), (true, None));
    }
}
