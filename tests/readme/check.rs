//! The rules for the pages as texts. Each check returns a list of problems, so that a test can also show that the
//! check finds something.

use std::fs;

use super::document::Document;

/// The languages of blocks: those that a test runs or reads, and `text` for those that cannot be run here.
const LANGUAGES: [&str; 6] = ["c", "sh", "python", "json", "output", "text"];

/// Two pages in two human languages: the same headings by level, the same code, the same tables by size.
pub fn say_the_same(one: &Document, other: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    let levels = |document: &Document| document.headings.iter().map(|(level, _)| *level).collect::<Vec<_>>();
    if levels(one) != levels(other) {
        wrong.push(format!("headings: {:?} and {:?}", one.headings, other.headings));
    }
    if one.blocks.len() != other.blocks.len() {
        wrong.push(format!("{} and {} blocks", one.blocks.len(), other.blocks.len()));
    }
    for (a, b) in one.blocks.iter().zip(&other.blocks) {
        if (&a.language, &a.about, a.bare()) != (&b.language, &b.about, b.bare()) {
            wrong.push(format!("{}:{} is not {}:{}", one.name, a.line, other.name, b.line));
        }
    }
    for heading in 0..one.headings.len().min(other.headings.len()) {
        let size = |document: &Document| document.table(heading).iter().map(Vec::len).collect::<Vec<_>>();
        if size(one) != size(other) {
            wrong.push(format!("the tables under {:?} differ in size", one.headings[heading].1));
        }
    }
    wrong
}

/// The language of every block is known to a test.
pub fn known_languages(document: &Document) -> Vec<String> {
    let unknown = document.blocks.iter().filter(|block| !LANGUAGES.contains(&block.language.as_str()));
    unknown.map(|block| format!("{}:{}: {:?}", document.name, block.line, block.language)).collect()
}

/// Every link within the repository has a target, headings included.
pub fn links(document: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    for link in document.links() {
        if link.contains("://") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let path = document.folder.join(file);
        let anchors = if file.is_empty() {
            document.anchors()
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let Ok(text) = fs::read_to_string(&path) else {
                wrong.push(format!("{}: {link} leads nowhere", document.name));
                continue;
            };
            Document::parse(file, &document.folder, &text).anchors()
        } else {
            Vec::new()
        };
        if !path.exists() || (!anchor.is_empty() && !anchors.iter().any(|known| known == anchor)) {
            wrong.push(format!("{}: {link} leads nowhere", document.name));
        }
    }
    wrong
}

/// No page names a function, constant or code that does not exist.
pub fn names(document: &Document, header: &str, codes: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let has = |text: &str, word: &str| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c))).any(|known| known == word)
    };
    for word in document.words("zv_", "_").into_iter().chain(document.words("ZV_", "_")) {
        if !has(header, &word) {
            wrong.push(format!("{}: {word} is not in the header", document.name));
        }
    }
    for word in document.words("ZV-", "-") {
        // `ZV-W-` and the like mean all codes with that prefix.
        if !word.ends_with('-') && !has(codes, &word) {
            wrong.push(format!("{}: {word} is not in docs/error-codes.md", document.name));
        }
    }
    wrong
}

/// Every `make` target that a page names in code exists in the Makefile.
pub fn targets(document: &Document, makefile: &str) -> Vec<String> {
    let blocks =
        document.blocks.iter().filter(|block| block.language == "sh").map(|block| block.text.as_str());
    let prose = document.prose.iter().flat_map(|(_, line)| line.split('`').skip(1).step_by(2));
    let mut wrong = Vec::new();
    for command in blocks.flat_map(|text| text.split(['\n', '&', ';'])).chain(prose) {
        let mut words = command.split_whitespace();
        if words.next() != Some("make") {
            continue;
        }
        let target = words.next().filter(|word| !word.starts_with('#')).unwrap_or("all");
        if !makefile.lines().any(|line| line.split_once(':').is_some_and(|(known, _)| known == target)) {
            wrong.push(format!("{}: make {target} is not in the Makefile", document.name));
        }
    }
    wrong
}
