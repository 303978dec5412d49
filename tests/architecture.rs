//! The table of rooms in docs/architecture.md names exactly the imports of `core/`, and lists a room after those that it
//! imports. The paths on that page exist. In the other packages no rooms import each other in a circle.
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

/// The rooms that the shipped lines of a source name behind `crate::`; the name of an item of the root is empty.
fn imports(source: &str) -> BTreeSet<String> {
    let shipped = source.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines: Vec<&str> =
        shipped.lines().map(str::trim_start).filter(|line| !line.starts_with("//")).collect();
    let text = lines.join("\n");
    let room =
        |name: &str| name.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().unwrap().to_owned();
    let named = text.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(group) => members(group).into_iter().map(room).collect(),
        None => vec![room(rest)],
    });
    named.collect()
}

/// The members of a group of imports, from behind its opening brace.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut found, mut from) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(group[from..at].trim());
                from = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|member| !member.is_empty());
    found
}

/// Each room of a package, that is each module directly below its root, with its imports.
fn actual(package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join(package).join("src");
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in
        marks::files(&folder, &|path| path.rsplit('.').next() == Some("rs") && !path.ends_with("tests.rs"))
    {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let room = name.split(['/', '.']).next().unwrap().to_owned();
        if room != "lib" && room != "main" {
            rooms.entry(room).or_default().extend(imports(&fs::read_to_string(&path).unwrap()));
        }
    }
    for (room, imports) in &mut rooms {
        imports.remove(room);
    }
    rooms
}

/// The rooms that import each other in a circle, and those between two circles.
fn circle(mut rooms: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        let left: BTreeSet<String> = rooms.keys().cloned().collect();
        let imported: BTreeSet<String> = rooms.values().flatten().cloned().collect();
        rooms.retain(|room, imports| imported.contains(room) && !imports.is_disjoint(&left));
        if rooms.len() == left.len() {
            return left.into_iter().collect();
        }
    }
}

#[test]
fn no_rooms_import_each_other() {
    for package in ["certify", "cli", "doctor", "sandbox", "tools/docgen"] {
        let rooms = actual(package);
        assert_eq!(circle(rooms.clone()), Vec::<String>::new(), "{package}");
        // The root imports every room, so a room that imports an item of the root closes a circle.
        let closing: Vec<_> = rooms.iter().filter(|(_, imports)| imports.contains("")).collect();
        assert_eq!(closing, [], "{package}: these rooms import from the root");
    }
    let rooms = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("d", "e")];
    let mut made_up: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (room, import) in rooms {
        made_up.entry(room.to_owned()).or_default().insert(import.to_owned());
    }
    assert_eq!(circle(made_up), ["b", "c"]);
}

#[test]
fn the_table_of_rooms_is_true() {
    let rooms = actual("core");
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
    let grouped = "use crate::{\n    k::{l, m},\n    N,\n    o,\n};\nfn p() { crate::Q }";
    let named: Vec<_> = imports(grouped).into_iter().collect();
    assert_eq!(named, ["", "k", "o"]);
}
