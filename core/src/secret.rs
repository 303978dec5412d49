//! Keys, passwords and phone numbers in texts: what is logged, stored or shown has none of them.

use std::borrow::Cow;

/// What stands where a secret was.
pub const HIDDEN: &str = "***";

/// The text without these secrets. An empty one is nowhere in it.
pub fn hide<'t, 's>(text: &'t str, secrets: impl IntoIterator<Item = &'s str>) -> Cow<'t, str> {
    let mut clean = Cow::Borrowed(text);
    for secret in secrets {
        if !secret.is_empty() && clean.contains(secret) {
            clean = Cow::Owned(clean.replace(secret, HIDDEN));
        }
    }
    clean
}

/// Hides the middle of every mainland mobile number: a run of exactly 11 digits that begins with 13 to 19, also
/// behind 86, and also as people write it: 138-1234-5678.
pub fn mask_phones(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        out.push_str(before);
        rest = after;
        let country = if matches!(run.len(), 5 | 13) && run.starts_with("86") { 2 } else { 0 };
        let (prefix, number) = run.split_at(country);
        let mobile =
            number.starts_with('1') && number.get(1..2).is_some_and(|second| ("3"..="9").contains(&second));
        match (number.len(), number.get(..3), number.get(7..), grouped(after)) {
            (11, Some(head), Some(tail), _) if mobile => {
                out.extend([prefix, head, "****", tail]);
            }
            (3, Some(head), _, Some((separator, tail, behind))) if mobile => {
                out.extend([prefix, head, separator, "****", separator, tail]);
                rest = behind;
            }
            _ => out.push_str(run),
        }
    }
    out.push_str(rest);
    out
}

/// The two groups of four digits that end a number: their separator, the second group, and what is behind.
fn grouped(text: &str) -> Option<(&str, &str, &str)> {
    let digits = |from: usize| {
        let group = text.get(from..from + 4)?;
        group.bytes().all(|b| b.is_ascii_digit()).then_some(group)
    };
    let separator = text.get(..1).filter(|separator| ["-", " "].contains(separator))?;
    digits(1)?;
    let tail = digits(6).filter(|_| text.get(5..6) == Some(separator))?;
    let behind = text.get(10..)?;
    (!behind.starts_with(|c: char| c.is_ascii_digit())).then_some((separator, tail, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_is_hidden_wherever_it_stands() {
        assert_eq!(hide("key, pass, key", ["key", "", "pass"]), "***, ***, ***");
        assert!(matches!(hide("nothing", ["key", ""]), Cow::Borrowed("nothing")));
    }

    #[test]
    fn masks_phones_and_nothing_else() {
        for (text, wanted) in [
            ("会员13812345678不存在", "会员138****5678不存在"),
            ("+8613812345678.", "+86138****5678."),
            ("390962138708451328", "390962138708451328"),
            ("12812345678", "12812345678"),
            ("138123456789", "138123456789"),
            ("138-1234-5678, 86138 1234 5678.", "138-****-5678, 86138 **** 5678."),
            ("138-1234-56789 138-1234 5678 2026-11-22", "138-1234-56789 138-1234 5678 2026-11-22"),
            ("138-", "138-"),
            ("", ""),
        ] {
            assert_eq!(mask_phones(text), wanted);
        }
    }
}
