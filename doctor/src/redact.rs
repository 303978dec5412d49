//! Removes what support must not see: keys, passwords and whole phone numbers. The secrets are collected from the
//! configuration and removed from every text in any of their spellings; text that looks like a secret is removed as
//! well, wherever it comes from.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use zvpos_core::log::mask_phones;
use zvpos_core::secret::{HIDDEN, hide};

/// Parts of the names of fields that hold a secret.
const SECRET_NAMES: [&str; 7] =
    ["openkey", "grantcode", "password", "passwd", "secret", "token", "authorization"];

/// Environment variables that may contain a proxy's password.
pub(crate) const PROXY_VARIABLES: [&str; 6] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// The known secrets, which it removes from texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// Longest first: one may be part of another.
    secrets: Vec<String>,
}

impl Redactor {
    /// Collects the secrets of this configuration and of the environment.
    pub(crate) fn of(config: &str) -> Redactor {
        let mut secrets = Vec::new();
        if let Ok(value) = serde_json::from_str::<Value>(config) {
            gather("", &value, &mut secrets);
        }
        for variable in PROXY_VARIABLES {
            if let Ok(text) = std::env::var(variable) {
                gather_userinfo(&text, &mut secrets);
            }
        }
        let mut spelled: Vec<String> = secrets.iter().flat_map(|secret| spellings(secret)).collect();
        spelled.retain(|secret| !secret.trim().is_empty());
        spelled.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        spelled.dedup();
        Redactor { secrets: spelled }
    }

    /// One line without secrets, whole phone numbers and control characters.
    pub(crate) fn line(&self, text: &str) -> String {
        self.text(&text.replace(char::is_control, " "))
    }

    /// One line of the doctor's own, of which these parts, in order, contain no secret: a short key such as `on` is
    /// also a word of a sentence, which must stay intact. In the rest a short secret is hidden only as a separate
    /// word.
    pub(crate) fn said(&self, text: &str, own: &[Cow<'static, str>]) -> String {
        let own = places(text, own);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let hidden = self.secrets.iter().find(|secret| {
                let end = at + secret.len();
                let vouched = own.iter().any(|part| part.start <= at && end <= part.end);
                rest.starts_with(secret.as_str()) && !vouched && is_shown(text, at, end)
            });
            at += if let Some(secret) = hidden {
                out.push_str(HIDDEN);
                secret.len()
            } else {
                let letter = rest.chars().next().unwrap_or_default();
                out.push(letter);
                letter.len_utf8()
            };
        }
        let out = out.replace(char::is_control, " ");
        mask_phones(&hide_userinfo(&hide_named(&out)))
    }

    /// A text of several lines without secrets and whole phone numbers.
    pub(crate) fn text(&self, text: &str) -> String {
        let text = hide_userinfo(&hide_named(text));
        mask_phones(&hide(&text, self.secrets.iter().map(String::as_str)))
    }

    /// A configuration that can be parsed again: only values are changed.
    pub(crate) fn config(&self, config: &str) -> Option<Value> {
        let mut value = serde_json::from_str(config).ok()?;
        self.clean("", &mut value);
        Some(value)
    }

    fn clean(&self, name: &str, value: &mut Value) {
        match value {
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| self.clean(name, value)),
            Value::Array(items) => items.iter_mut().for_each(|value| self.clean(name, value)),
            Value::Null | Value::Bool(_) => {}
            scalar if is_secret(name) => *scalar = HIDDEN.into(),
            Value::String(text) => *text = self.text(text),
            Value::Number(number) => {
                let text = number.to_string();
                if self.text(&text) != text {
                    *value = self.text(&text).into();
                }
            }
        }
    }
}

/// The ranges of these parts in the text, in order.
fn places(text: &str, parts: &[Cow<'static, str>]) -> Vec<Range<usize>> {
    let mut from = 0;
    let found = parts.iter().filter_map(|part| {
        let start = from + text.get(from..)?.find(part.as_ref())?;
        from = start + part.len();
        Some(start..from)
    });
    found.collect()
}

/// Whether the range is a separate word and not part of a longer one, which a short secret may match by chance.
fn is_shown(text: &str, start: usize, end: usize) -> bool {
    const SHORT: usize = 8;
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let (before, inside, behind) = (text.get(..start), text.get(start..end), text.get(end..));
    let (before, inside, behind) =
        (before.unwrap_or_default(), inside.unwrap_or_default(), behind.unwrap_or_default());
    let grown = letter(before.chars().next_back()) && letter(inside.chars().next())
        || letter(inside.chars().next_back()) && letter(behind.chars().next());
    end - start >= SHORT || !grown
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `password_over_http` is a switch.
    SECRET_NAMES.into_iter().any(|part| name.contains(part)) && name != "password_over_http"
}

fn gather(name: &str, value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| gather(name, value, secrets)),
        Value::Array(items) => items.iter().for_each(|value| gather(name, value, secrets)),
        Value::String(text) if is_secret(name) => secrets.push(text.clone()),
        Value::Number(number) if is_secret(name) => secrets.push(number.to_string()),
        Value::String(text) => gather_userinfo(text, secrets),
        _ => {}
    }
}

/// The password, or the only word, before the `@` of a URL.
fn gather_userinfo(text: &str, secrets: &mut Vec<String>) {
    let Some((_, rest)) = text.split_once("://") else { return };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((userinfo, _)) = authority.rsplit_once('@') {
        let password = userinfo.split_once(':').map_or(userinfo, |(_, password)| password);
        secrets.push(password.to_owned());
    }
}

/// The spellings of a secret in plain text, in JSON and in a URL.
fn spellings(secret: &str) -> Vec<String> {
    let quoted = Value::from(secret).to_string();
    let escaped = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let percent = secret.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    vec![secret.to_owned(), escaped, percent.collect()]
}

/// Removes `name:password@` from every URL.
fn hide_userinfo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || "/?#\"'<>,;)".contains(c)).unwrap_or(after.len());
        let (authority, behind) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str(HIDDEN);
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Hides the value after a secret's name, in text such as `name=value`, `"name": "value"` or `name: value`.
fn hide_named(text: &str) -> String {
    // Only ASCII letters change, so that positions are the same in both texts.
    let lower = text.to_ascii_lowercase();
    let found = SECRET_NAMES.into_iter().flat_map(|name| lower.match_indices(name));
    let ends: BTreeSet<usize> = found.map(|(start, name)| start + name.len()).collect();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for end in ends {
        let rest = text.get(end.max(done)..).unwrap_or_default();
        let Some(value) = value_behind(rest).filter(|_| end >= done) else { continue };
        out.push_str(text.get(done..end + value.start).unwrap_or_default());
        out.push_str(HIDDEN);
        done = end + value.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// The range of the value, in a text that begins right after its name.
fn value_behind(rest: &str) -> Option<Range<usize>> {
    let skip = |text: &str| text.len() - text.trim_start_matches(['"', '\\', ' ', '\'']).len();
    let before = skip(rest);
    if !rest.get(before..)?.starts_with([':', '=']) {
        return None;
    }
    let start = before + 1 + skip(rest.get(before + 1..)?);
    let opening = rest.get(before + 1..start)?;
    let value = rest.get(start..)?;
    let length = if opening.ends_with("\\\"") {
        value.find("\\\"")
    } else if opening.ends_with('"') {
        value
            .match_indices('"')
            .map(|(at, _)| at)
            .find(|at| !value.get(..*at).unwrap_or_default().ends_with('\\'))
    } else {
        value.find(|c: char| c.is_whitespace() || "&,;}\"".contains(c))
    };
    let length = length.unwrap_or(value.len());
    (length > 0).then_some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_secrets_name_is_hidden() {
        for (text, wanted) in [
            (r#"{"payPassword": "24\"6810", "a": 1}"#, r#"{"payPassword": "***", "a": 1}"#),
            (r#"{\"openKey\":\"abc\",\"a\":1}"#, r#"{\"openKey\":\"***\",\"a\":1}"#),
            ("grantCode=g1&nonce=3", "grantCode=***&nonce=3"),
            ("the openKey is wrong", "the openKey is wrong"),
            ("http://user:pw@h:1/x and http://h/a@b", "http://***@h:1/x and http://h/a@b"),
            ("电话13812345678", "电话138****5678"),
        ] {
            assert_eq!(Redactor::default().text(text), wanted);
        }
    }

    #[test]
    fn a_short_key_changes_no_word_of_the_doctors_own() {
        let redactor = Redactor::of(
            r#"{"openKey":"on","grantCode":"k","password":"long-enough-key","proxy":"http://u:is@p"}"#,
        );
        let own = ["it is on and ".into(), " is on".into()];
        assert_eq!(redactor.said("it is on and (on): k is on", &own), "it is on and (***): *** is on");
        assert_eq!(redactor.said("no connection to on.example", &[]), "no connection to ***.example");
        assert_eq!(redactor.said("xlong-enough-keyx", &[]), "x***x");
        // Only text from the source code counts as the program's own.
        assert_eq!(redactor.said("on is it", &own), "*** *** it");
        assert_eq!(redactor.said("电话13812345678 http://a:b@c\n", &[]), "电话138****5678 http://***@c ");
    }

    #[test]
    fn a_configuration_s_secrets_are_hidden_in_every_spelling() {
        let config = r#"{"openKey":"k/\"é1","proxy":"http://u:pa%40ss@p:3128","accounts":{"b":{"grantCode":"grant-b"}},
            "password_over_http":true,"idle_ms":4000}"#;
        let redactor = Redactor::of(config);
        for text in ["x k/\"é1 y", "x k/\\\"é1 y", "x k%2F%22%C3%A91 y", "x pa%40ss y", "x grant-b y"] {
            assert_eq!(redactor.line(text), "x *** y");
        }
        let clean = redactor.config(config).unwrap();
        assert_eq!(clean["proxy"], "http://***@p:3128");
        assert_eq!(clean["password_over_http"], true);
        assert_eq!(clean["idle_ms"], 4000);
        assert_eq!(clean["accounts"]["b"]["grantCode"], "***");
    }
}
