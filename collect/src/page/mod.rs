//! The page for people: its files, which need no build step and no other server.

/// A file of the page: its path, its media type, its text.
const FILES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("files/index.html")),
    ("/frame.css", "text/css; charset=utf-8", include_str!("../../../page/frame.css")),
    ("/language.js", SCRIPT, include_str!("../../../page/language.js")),
    ("/collect.css", "text/css; charset=utf-8", include_str!("files/collect.css")),
    ("/collect.svg", "image/svg+xml", include_str!("files/collect.svg")),
    ("/collect.js", SCRIPT, include_str!("files/collect.js")),
    ("/charts.js", SCRIPT, include_str!("files/charts.js")),
    ("/tables.js", SCRIPT, include_str!("files/tables.js")),
    ("/words.js", SCRIPT, include_str!("files/words.js")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The media type and the text of the file with this path.
pub fn file(path: &str) -> Option<(&'static str, &'static str)> {
    FILES.iter().find(|(served, ..)| *served == path).map(|(_, kind, text)| (*kind, *text))
}
