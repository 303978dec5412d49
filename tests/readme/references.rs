//! Finds the references of a source or a page: `docs/gateway.md, section 2`, `docs/money-safety.md, I3`, a label
//! alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document::Document;

/// The page with the labels.
pub const LABELS: &str = "docs/money-safety.md";

/// The references found so far.
#[derive(Debug)]
pub struct References {
    root: PathBuf,
    known: BTreeMap<PathBuf, Option<Document>>,
    /// The number of references to pages, sections and labels.
    pub pages: usize,
    pub sections: usize,
    pub labels: usize,
    /// The broken references.
    pub wrong: Vec<String>,
}

/// The labels of a page: its anchors of one letter and at most one digit.
pub fn labels(page: &Document) -> Vec<String> {
    page.anchors().iter().map(|anchor| anchor.to_uppercase()).filter(|name| is_label(name)).collect()
}

fn is_label(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_uppercase())
        && letters.next().is_none_or(|second| second.is_ascii_digit())
        && letters.next().is_none()
}

/// Whether its first letter is one of that page's labels.
fn is_ours(text: &str) -> bool {
    is_label(text) && text.starts_with(['D', 'G', 'I', 'L', 'R'])
}

/// A label that can be recognised anywhere.
fn is_numbered_label(word: &str) -> bool {
    is_ours(word) && word.len() == 2 && !word.starts_with(['L', 'R'])
}

impl References {
    pub fn new(root: &Path) -> References {
        References {
            root: root.to_owned(),
            known: BTreeMap::new(),
            pages: 0,
            sections: 0,
            labels: 0,
            wrong: Vec::new(),
        }
    }

    /// Reads one file.
    pub fn read(&mut self, path: &Path, text: &str) {
        let name = path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned();
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        if kind(&name) == "md" {
            self.prose(&name, &folder, text);
        } else if kind(&name) == "rs" {
            let (comments, code) = split(text);
            self.prose(&name, &folder, &comments);
            if has_word(&comments, "spec") {
                self.wrong.push(format!("{name}: \"spec\" is no page"));
            }
            self.whole_paths(&name, &code);
            self.texts(&name, &code);
        } else {
            self.whole_paths(&name, text);
        }
    }

    /// Comments and pages: every page, section and label.
    fn prose(&mut self, name: &str, folder: &Path, text: &str) {
        let is_source = kind(name) == "rs";
        let mut cited = 0;
        for (at, word) in words(text, "_-./:#") {
            if !is_page(word) {
                continue;
            }
            let page = self.page(name, folder, word);
            let rest = text.get(at + word.len()..).unwrap_or_default();
            let Some(rest) = rest.strip_prefix(", ") else { continue };
            if let Some(number) = rest.strip_prefix("section ") {
                cited += 1;
                self.section(name, page.as_deref(), &digits(number));
            } else if is_source
                && let Some((0, label)) = words(rest, "_-").next().filter(|(_, l)| is_label(l))
            {
                self.label_of(name, page.as_deref(), label);
            }
        }
        if is_source {
            let sections = text.match_indices("section ").filter(|(at, _)| {
                !digits(&text[at + "section ".len()..]).is_empty() && !follows_an_rfc(&text[..*at])
            });
            if sections.count() != cited {
                self.wrong.push(format!("{name}: a section without its page"));
            }
        }
        for (_, word) in words(text, "_-").filter(|(_, word)| is_numbered_label(word)) {
            self.label_of(name, Some(&self.root.join(LABELS)), word);
        }
    }

    /// Code and other sources: pages by their whole path.
    fn whole_paths(&mut self, name: &str, text: &str) {
        let root = self.root.clone();
        for (_, word) in words(text, "_-./:#").filter(|(_, word)| word.starts_with("docs/") && is_page(word))
        {
            self.page(name, &root, word);
        }
    }

    /// Labels that a test or the simulation prints.
    fn texts(&mut self, name: &str, code: &str) {
        for text in code.split('"').skip(1) {
            let before_colon = text.split_once(": ").map(|(label, _)| label).filter(|l| is_numbered_label(l));
            let alone = Some(text).filter(|text| name.starts_with("simulation/") && is_ours(text));
            if let Some(label) = before_colon.or(alone) {
                self.label_of(name, Some(&self.root.join(LABELS)), label);
            }
        }
    }

    /// The page that is meant, if it exists.
    fn page(&mut self, name: &str, folder: &Path, word: &str) -> Option<PathBuf> {
        self.pages += 1;
        let (file, anchor) = word.split_once('#').unwrap_or((word, ""));
        // A source names a page from the root, a page also from its own folder.
        let from_here = (kind(name) == "md").then(|| folder.join(file));
        let path = from_here.into_iter().chain([self.root.join(file)]).find(|path| path.is_file());
        let there = path.as_deref().and_then(|path| self.document(path));
        if there.is_none_or(|page| !anchor.is_empty() && !page.anchors().iter().any(|known| known == anchor))
        {
            self.wrong.push(format!("{name}: {word} leads nowhere"));
            return None;
        }
        path
    }

    fn section(&mut self, name: &str, page: Option<&Path>, number: &str) {
        self.sections += 1;
        let Some(path) = page else { return };
        let start = format!("{number}. ");
        let there =
            self.document(path).is_some_and(|page| page.headings.iter().any(|(_, h)| h.starts_with(&start)));
        if !there {
            self.wrong.push(format!("{name}: {} has no section {number}", path.display()));
        }
    }

    fn label_of(&mut self, name: &str, page: Option<&Path>, label: &str) {
        self.labels += 1;
        let Some(path) = page else { return };
        if !self.document(path).is_some_and(|page| labels(page).iter().any(|known| known == label)) {
            self.wrong.push(format!("{name}: {} has no label {label}", path.display()));
        }
    }

    fn document(&mut self, path: &Path) -> Option<&Document> {
        let root = &self.root;
        let read = |path: &PathBuf| path.is_file().then(|| Document::read(root, &path.to_string_lossy()));
        self.known.entry(path.to_owned()).or_insert_with_key(read).as_ref()
    }
}

/// The comments of a Rust source, with consecutive ones joined in one line; and the rest of it.
fn split(source: &str) -> (String, String) {
    let (mut comments, mut code) = (String::new(), String::new());
    for line in source.lines() {
        let at = if line.trim_start().starts_with("//") { line.find("//") } else { line.find(" // ") };
        let (before, comment) = line.split_at(at.unwrap_or(line.len()));
        if before.trim().is_empty() && !comment.is_empty() {
            comments.push(' ');
        } else {
            comments.push('\n');
        }
        comments.push_str(comment.trim_start().trim_start_matches(['/', '!']).trim());
        code.push_str(before);
        code.push('\n');
    }
    (comments, code)
}

/// Every maximal run of letters, digits and these marks, without trailing points and colons, and its position.
fn words<'t>(text: &'t str, marks: &'static str) -> impl Iterator<Item = (usize, &'t str)> {
    text.split(move |c: char| !(c.is_ascii_alphanumeric() || marks.contains(c))).filter_map(move |word| {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let word = word.trim_end_matches(['.', ':']);
        (!word.is_empty()).then_some((at, word))
    })
}

fn has_word(text: &str, wanted: &str) -> bool {
    words(text, "_-./").any(|(_, word)| word == wanted)
}

/// The extension of a file's name.
fn kind(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, kind)| kind)
}

/// Whether it is the name of a page of this repository; `.zh-CN.md` is only a suffix.
fn is_page(word: &str) -> bool {
    let file = word.split('#').next().unwrap_or_default();
    let is_end = file.starts_with('.') && !file.starts_with("../");
    kind(file) == "md" && !is_end && !word.contains("://")
}

fn digits(text: &str) -> String {
    text.chars().take_while(char::is_ascii_digit).collect()
}

/// Whether `before` ends with the number of a standard.
fn follows_an_rfc(before: &str) -> bool {
    let number = before.trim_end().trim_end_matches(',').trim_end_matches(|c: char| c.is_ascii_digit());
    number.ends_with("RFC ")
}
