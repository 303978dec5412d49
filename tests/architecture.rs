//! The table of rooms in docs/architecture.md names exactly the imports of `core/`, and lists a room after those that it
//! imports. The paths on that page exist.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared with another test")]

#[path = "readme/document.rs"]
mod document;
#[path = "readme/marks.rs"]
mod marks;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use document::Document;

/// The imports that do not name a room further up in the table.
const UPWARD: [(&str, &str); 2] = [("gateway", "text"), ("transport", "text")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each room of the table, in its order, with the rooms in its last cell.
fn listed(name: &str) -> Vec<(String, BTreeSet<String>)> {
    let page = Document::read(root(), name);
    let coded = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    page.table(3).iter().map(|row| (coded(&row[0]).remove(0), coded(&row[2]).into_iter().collect())).collect()
}

/// The rooms that the shipped lines of a source name behind `crate::`.
fn imports(source: &str) -> BTreeSet<String> {
    let shipped = source.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
    let named = lines.flat_map(|line| line.split("crate::").skip(1));
    let room =
        |rest: &str| rest.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().map(str::to_owned);
    named.filter_map(room).collect()
}

/// Each room of `core/` with its imports.
fn actual() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("core/src");
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in
        marks::files(&folder, &|path| path.rsplit('.').next() == Some("rs") && !path.ends_with("tests.rs"))
    {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let room = name.split(['/', '.']).next().unwrap().to_owned();
        if room != "lib" {
            rooms.entry(room).or_default().extend(imports(&fs::read_to_string(&path).unwrap()));
        }
    }
    for (room, imports) in &mut rooms {
        imports.remove(room);
    }
    rooms
}

#[test]
fn the_table_of_rooms_is_true() {
    let rooms = actual();
    for name in ["docs/architecture.md", "docs/architecture.zh-CN.md"] {
        let table = listed(name);
        assert_eq!(table.iter().cloned().collect::<BTreeMap<_, _>>(), rooms, "{name}");
        assert_eq!(table.len(), rooms.len(), "{name}: a room is listed twice");
    }
}

#[test]
fn imports_name_rooms_further_up() {
    let table = listed("docs/architecture.md");
    let place = |room: &str| table.iter().position(|(known, _)| known == room);
    let mut upward = Vec::new();
    for (room, imports) in &table {
        upward.extend(
            imports
                .iter()
                .filter(|other| place(other) > place(room))
                .map(|other| (room.as_str(), other.as_str())),
        );
    }
    assert_eq!(upward, UPWARD);
}

/// The words between back-ticks of a page that are paths, and do not exist below the root or `core/src`.
fn missing_paths(page: &Document) -> Vec<String> {
    let coded = page.prose.iter().flat_map(|(_, line)| line.split('`').skip(1).step_by(2));
    let folders = [root().to_owned(), root().join("core/src")];
    let missing = coded.filter(|word| {
        word.contains('/') && !word.contains(' ') && !folders.iter().any(|folder| folder.join(word).exists())
    });
    missing.map(str::to_owned).collect()
}

#[test]
fn the_paths_exist() {
    for name in ["docs/architecture.md", "docs/architecture.zh-CN.md"] {
        assert_eq!(missing_paths(&Document::read(root(), name)), Vec::<String>::new(), "{name}");
    }
    let page = Document::parse("made-up.md", root(), "`core/src/money.rs`, `journal/sqlite/`, `src/no.rs`\n");
    assert_eq!(missing_paths(&page), ["src/no.rs"]);
}

#[test]
fn imports_of_tests_and_comments_do_not_count() {
    let source = "//! crate::a\nuse crate::b_c::{D, E};\npub(in crate::f) fn g() { crate::h::i() }\n#[cfg(test)]\nmod tests {\n    use crate::j;\n}\n";
    let named: Vec<_> = imports(source).into_iter().collect();
    assert_eq!(named, ["b_c", "f", "h"]);
}
