//! The table of rooms in docs/architecture.md names exactly the imports of `core/`, and lists a room after those that it
//! imports. The paths on that page exist. In no package do rooms, or the modules of a room, import each other in a circle.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared with another test")]

#[path = "readme/document.rs"]
mod document;
#[path = "readme/marks.rs"]
mod marks;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use document::Document;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each room of the table, in its order, with the rooms in its last cell.
fn listed(name: &str) -> Vec<(String, BTreeSet<String>)> {
    let page = Document::read(root(), name);
    let coded = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    page.table(3).iter().map(|row| (coded(&row[0]).remove(0), coded(&row[2]).into_iter().collect())).collect()
}

/// The paths in the shipped lines of a source that begin with `crate::` or `super::`, with groups written out.
fn paths(source: &str) -> Vec<String> {
    let shipped = source.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines: Vec<&str> =
        shipped.lines().map(str::trim_start).filter(|line| !line.starts_with("//")).collect();
    let text = lines.join("\n");
    let (mut rest, mut found) = (text.as_str(), Vec::new());
    while let Some(at) = ["crate::", "super::"].iter().filter_map(|start| rest.find(start)).min() {
        rest = &rest[at..];
        rest = &rest[written_out("", rest, &mut found)..];
    }
    found
}

/// Adds the paths that begin here, behind a prefix; returns the length of their text.
fn written_out(prefix: &str, text: &str, found: &mut Vec<String>) -> usize {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let length = text.find(|c| !name(c)).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..length]);
    if !(path.ends_with("::") && text[length..].starts_with('{')) {
        found.push(path);
        return length;
    }
    let (group, end) = members(&text[length + 1..]);
    for member in group {
        written_out(&path, member, found);
    }
    length + 1 + end
}

/// The members of a group of imports, from behind its opening brace, and the length up to its end.
fn members(group: &str) -> (Vec<&str>, usize) {
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
    (found, from)
}

/// The rooms that a source names behind `crate::`; the name of an item of the root is empty.
fn imports(source: &str) -> BTreeSet<String> {
    let paths = paths(source).into_iter();
    paths.filter_map(|path| Some(module(path.strip_prefix("crate::")?))).collect()
}

/// The modules that a source names behind so many `super::`.
fn imports_of_siblings(source: &str, levels: usize) -> BTreeSet<String> {
    let paths = paths(source).into_iter();
    paths.filter_map(|path| Some(module(path.strip_prefix(&"super::".repeat(levels))?))).collect()
}

/// The first name of a path if it is one of a module, else nothing.
fn module(path: &str) -> String {
    path.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().unwrap().to_owned()
}

/// The sources below a folder but those of tests, each with its path from there.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let shipped = |path: &str| path.rsplit('.').next() == Some("rs") && !path.ends_with("tests.rs");
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    marks::files(folder, &shipped)
        .into_iter()
        .map(|path| (name(&path), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// Each room of a package, that is each module directly below its root, with its imports.
fn actual(package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, source) in sources(&root().join(package).join("src")) {
        let room = name.split(['/', '.']).next().unwrap().to_owned();
        if room != "lib" && room != "main" {
            rooms.entry(room).or_default().extend(imports(&source));
        }
    }
    for (room, imports) in &mut rooms {
        imports.remove(room);
    }
    rooms
}

/// Each module directly below a folder of modules, with its imports of the others there.
fn siblings(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, source) in sources(folder) {
        let parts: Vec<&str> = name.trim_end_matches(".rs").split('/').collect();
        // `a.rs` and `a/mod.rs` are the module `a`, `a/b.rs` is one below it.
        let levels = parts.iter().filter(|part| **part != "mod").count();
        if levels > 0 {
            modules.entry(parts[0].to_owned()).or_default().extend(imports_of_siblings(&source, levels));
        }
    }
    let all: BTreeSet<String> = modules.keys().cloned().collect();
    for (module, imports) in &mut modules {
        imports.retain(|other| other != module && all.contains(other));
    }
    modules
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
    for package in
        ["certify", "cli", "collect", "doctor", "journal-postgres", "sandbox", "simulation", "tools/docgen"]
    {
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

/// The folders of modules below a folder.
fn folders(below: &Path) -> Vec<PathBuf> {
    let inner = fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    inner.flat_map(|folder| [vec![folder.clone()], folders(&folder)].concat()).collect()
}

#[test]
fn no_modules_of_a_room_import_each_other() {
    for package in [
        "certify",
        "cli",
        "collect",
        "core",
        "doctor",
        "journal-postgres",
        "sandbox",
        "simulation",
        "tools/docgen",
    ] {
        for folder in folders(&root().join(package).join("src")) {
            assert_eq!(circle(siblings(&folder)), Vec::<String>::new(), "{}", folder.display());
        }
    }
    // The library's own modules lie beside each other.
    assert_eq!(circle(actual(".")), Vec::<String>::new(), "src");
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
    assert_eq!(upward, []);
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
    let above = "use super::{\n    super::{r::{S, t}, u},\n    V, w,\n};\nfn x() { super::y::z() }";
    let named: Vec<_> = imports_of_siblings(above, 1).into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(named, ["super", "w", "y"]);
    let named: Vec<_> = imports_of_siblings(above, 2).into_iter().collect();
    assert_eq!(named, ["r", "u"]);
}
