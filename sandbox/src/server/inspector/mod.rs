//! The inspector: a page on the admin socket that shows the simulator at work. This module has its files, which need no
//! build step and no other server; `feed` is the request log and its followers, and `guard` refuses the pages of other
//! sites.

mod feed;
mod guard;

pub(super) use self::{
    feed::{Feed, follow},
    guard::refusal,
};

/// A file of the page: its path, its media type, its text.
const FILES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/frame.css", "text/css; charset=utf-8", include_str!("../../../../page/frame.css")),
    ("/language.js", SCRIPT, include_str!("../../../../page/language.js")),
    ("/inspector.css", "text/css; charset=utf-8", include_str!("page/inspector.css")),
    ("/inspector.svg", "image/svg+xml", include_str!("page/inspector.svg")),
    ("/inspector.js", SCRIPT, include_str!("page/inspector.js")),
    ("/inspector/dom.js", SCRIPT, include_str!("page/inspector/dom.js")),
    ("/inspector/requests.js", SCRIPT, include_str!("page/inspector/requests.js")),
    ("/inspector/detail.js", SCRIPT, include_str!("page/inspector/detail.js")),
    ("/inspector/state.js", SCRIPT, include_str!("page/inspector/state.js")),
    ("/inspector/switches.js", SCRIPT, include_str!("page/inspector/switches.js")),
    ("/inspector/words.js", SCRIPT, include_str!("page/inspector/words.js")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The media type and the text of the file with this path.
pub(super) fn file(path: &str) -> Option<(&'static str, &'static str)> {
    FILES.iter().find(|(served, ..)| *served == path).map(|(_, kind, text)| (*kind, *text))
}

/// Headers of every answer of the admin socket: a browser runs only this server's own files, shows them in no frame,
/// guesses no types and caches nothing.
pub(super) const HEADERS: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
    X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Policy;

    #[test]
    fn every_field_of_the_policy_has_words() {
        let (_, words) = file("/inspector/words.js").unwrap();
        let policy = serde_json::to_value(Policy::default()).unwrap();
        for name in policy.as_object().unwrap().keys() {
            assert!(words.contains(&format!("\n  {name}: ")), "words.js has none for {name}");
        }
    }
}
