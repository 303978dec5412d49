//! Keys and passwords in texts: what is logged, stored or shown has none of them.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_is_hidden_wherever_it_stands() {
        assert_eq!(hide("key, pass, key", ["key", "", "pass"]), "***, ***, ***");
        assert!(matches!(hide("nothing", ["key", ""]), Cow::Borrowed("nothing")));
    }
}
