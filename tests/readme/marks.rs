//! Chinese text has full-width punctuation. Code between back-ticks keeps its own.

use std::fs;
use std::path::{Path, PathBuf};

use super::document::Document;

/// Every file below a folder whose path a test wants to read; build output and installed packages are left out.
pub fn files(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            found.extend(files(&path, wanted));
        } else if path.is_file() && wanted(&path.to_string_lossy()) {
            found.push(path);
        }
    }
    found
}

/// The lines of a Chinese page with half-width punctuation next to a Chinese character.
pub fn of_page(page: &Document) -> Vec<String> {
    let wrong = page.prose.iter().filter(|(_, line)| text_of(line).any(|text| beside(text, |_, _, _| true)));
    wrong.map(|(_, line)| format!("{}: {line}", page.name)).collect()
}

/// The lines of a Rust source whose strings have some. In an English text a Chinese word may be in parentheses, and a
/// blank follows its comma.
pub fn of_source(name: &str, source: &str) -> Vec<String> {
    let chinese = |before: char, mark: char, after: char| match mark {
        '(' => before != ' ',
        ')' => is_chinese(after),
        _ => after != ' ',
    };
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let wrong = lines.filter(|line| line.split('`').step_by(2).any(|text| beside(text, chinese)));
    wrong.map(|line| format!("{name}: {}", line.trim())).collect()
}

/// A line without its code and without the targets of its links.
fn text_of(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').step_by(2).flat_map(|text| {
        let mut parts = text.split("](");
        let first = parts.next();
        first.into_iter().chain(parts.filter_map(|rest| rest.split_once(')').map(|(_, text)| text)))
    })
}

/// Whether half-width punctuation is next to a Chinese character, and wrong there.
fn beside(text: &str, is_wrong: impl Fn(char, char, char) -> bool) -> bool {
    let around: Vec<_> = [' '].into_iter().chain(text.chars()).chain([' ']).collect();
    around.windows(3).any(|three| {
        let [before, mark, after] = three else { return false };
        ",;:?!()".contains(*mark)
            && (is_chinese(*before) || is_chinese(*after))
            && is_wrong(*before, *mark, *after)
    })
}

fn is_chinese(letter: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&letter)
}
