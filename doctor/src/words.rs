//! A sentence in both languages.

use std::borrow::Cow;

use zvpos_core::outcome::Lang;

/// One sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// 简体中文
    pub zh: String,
    /// English
    pub en: String,
    /// The parts that come from the source code; the rest comes from outside and may contain a secret.
    own: Own,
}

/// The parts of a sentence that are the program's own, in order, for each language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Own {
    zh: Vec<Cow<'static, str>>,
    en: Vec<Cow<'static, str>>,
}

impl Words {
    /// The sentence in this language.
    pub fn pick(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// Two texts and the templates that they were formatted from.
    pub(crate) fn made_of(zh: (String, &'static str), en: (String, &'static str)) -> Words {
        let own = Own { zh: literals(zh.1), en: literals(en.1) };
        Words { zh: zh.0, en: en.0, own }
    }

    /// The same sentence, with this part of it also known to contain no secret.
    pub(crate) fn vouching_for(mut self, text: &str) -> Words {
        for own in [&mut self.own.zh, &mut self.own.en] {
            own.push(text.to_owned().into());
        }
        self
    }

    /// Changes both texts in the same way; the function receives a text and the parts of it that are the program's
    /// own.
    pub(crate) fn map(mut self, f: impl Fn(&str, &[Cow<'static, str>]) -> String) -> Words {
        self.zh = f(&self.zh, &self.own.zh);
        self.en = f(&self.en, &self.own.en);
        self
    }

    /// This sentence followed by another one.
    pub(crate) fn and(mut self, more: &Words) -> Words {
        self.zh.push_str(&more.zh);
        self.en.push(' ');
        self.en.push_str(&more.en);
        self.own.zh.extend_from_slice(&more.own.zh);
        self.own.en.extend_from_slice(&more.own.en);
        self
    }
}

/// The text outside the braces of a template; a doubled brace ends a part, too.
fn literals(template: &'static str) -> Vec<Cow<'static, str>> {
    let parts = template.split('{').enumerate().flat_map(|(index, part)| {
        // After an opening brace comes a name.
        let behind = if index == 0 { part } else { part.split_once('}').map_or("", |(_, rest)| rest) };
        behind.split('}')
    });
    parts.filter(|part| !part.is_empty()).map(Cow::Borrowed).collect()
}

/// A sentence in Chinese and in English, each with the names of variables in braces.
macro_rules! words {
    ($zh:literal, $en:literal $(,)?) => {
        $crate::words::Words::made_of((format!($zh), $zh), (format!($en), $en))
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_parts_are_known() {
        assert_eq!(literals("a {b} c {d:?}e"), ["a ", " c ", "e"]);
        assert_eq!(literals("{b}"), Vec::<&str>::new());
        assert_eq!(literals("plain"), ["plain"]);
        let name = "x";
        let found = words!("在{name}", "at {name}").vouching_for("v").and(&words!("。", "end"));
        assert_eq!((found.zh.as_str(), found.en.as_str()), ("在x。", "at x end"));
        assert_eq!(
            (found.own.zh, found.own.en),
            (vec!["在".into(), "v".into(), "。".into()], vec!["at ".into(), "v".into(), "end".into()])
        );
    }
}
