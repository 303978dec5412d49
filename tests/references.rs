//! Every reference in sources and pages has a target: pages, sections of a page, the labels of docs/money-safety.md.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared with another test")]

#[path = "readme/document.rs"]
mod document;
#[path = "readme/marks.rs"]
mod marks;
#[path = "readme/references.rs"]
mod references;

use std::fs;
use std::path::Path;

use document::Document;
use references::{LABELS, References};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_reference_has_a_target() {
    let kinds = ["rs", "md", "py", "h", "hpp", "c", "cs", "java", "js", "go", "pas", "lua", "sh", "toml"];
    let wanted = |path: &str| kinds.iter().any(|kind| path.ends_with(&format!(".{kind}")));
    // Its references are broken on purpose.
    let examples = root().join("tests/references.rs");
    let mut files = marks::files(root(), &wanted);
    files.retain(|path| *path != examples);
    files.push(root().join("Makefile"));
    assert!(files.len() > 400, "{} files", files.len());
    let mut references = References::new(root());
    for path in files {
        references.read(&path, &fs::read_to_string(&path).unwrap());
    }
    assert!(references.wrong.is_empty(), "{}", references.wrong.join("\n"));
    // A finder that finds nothing proves nothing.
    assert!(references.pages > 400 && references.sections > 4 && references.labels > 100, "{references:?}");
}

#[test]
fn the_labels_are_the_same_in_both_languages() {
    let labels = |name: &str| references::labels(&Document::read(root(), name));
    let english = labels(LABELS);
    let assumed = ["G1", "G2", "G3", "G4", "G5", "G6", "D1", "D2", "D3"];
    let must_hold = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "R", "J", "L"];
    assert_eq!(english, [&assumed[..], &must_hold].concat());
    assert_eq!(english, labels("docs/money-safety.zh-CN.md"));
}

/// The broken references of that text in that file.
fn wrong(name: &str, text: &str) -> Vec<String> {
    let mut references = References::new(root());
    references.read(&root().join(name), text);
    references.wrong
}

#[test]
fn valid_references_are_not_reported() {
    for (name, text) in [
        (
            "core/src/a.rs",
            "/// As it is (docs/money-safety.md, G2), and docs/gateway.md, section 2.\nfn f() {}",
        ),
        ("core/src/a.rs", "//! What is said in docs/gateway.md,\n//! section 7.\n"),
        ("core/src/a.rs", "/// RFC 2202, section 3.\nlet id = \"G9\"; // I3, I7"),
        ("core/src/a.rs", "let url = \"https://example.org/nowhere.md\";"),
        ("simulation/src/a.rs", "broken(\"I3\"); &[\"R\", \"G1\", \"L\"]; name(\"x\"); // D1 is off."),
        ("docs/a.md", "[a](money-safety.md#i3), [b](../README.md#documents), G5, docs/zv.md, `specific`"),
        ("bindings/go/a.go", "// See docs/integrating.md."),
    ] {
        assert_eq!(wrong(name, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn broken_references_are_reported() {
    for (name, text) in [
        // Pages.
        ("core/src/a.rs", "/// (gateway.md, section 2)"),
        ("core/src/a.rs", "/// See docs/nowhere.md."),
        ("core/src/a.rs", "let help = \"read docs/nowhere.md first\";"),
        ("core/src/a.rs", "/// as the spec wants it"),
        ("bindings/go/a.go", "// See docs/nowhere.md."),
        ("docs/a.md", "see [a](nowhere.md)"),
        ("docs/a.md", "see [a](money-safety.md#i9)"),
        // Sections.
        ("core/src/a.rs", "/// docs/gateway.md, section 9"),
        ("core/src/a.rs", "/// docs/money-safety.md, section 2"),
        ("core/src/a.rs", "/// as section 2 says"),
        ("docs/a.md", "as docs/gateway.md, section 99 says"),
        // Labels.
        ("core/src/a.rs", "/// docs/money-safety.md, X1"),
        ("core/src/a.rs", "/// docs/gateway.md, G2"),
        ("core/src/a.rs", "/// By G7 it is so."),
        ("core/src/a.rs", "/// D4 is off."),
        ("core/src/a.rs", "let a = 1; // I8"),
        ("docs/a.md", "by I8 it is so"),
        ("tests/a.rs", "format!(\"I8: {biz_id}\")"),
        ("simulation/src/a.rs", "broken(\"I8\")"),
        ("simulation/src/a.rs", "&[\"I1\", \"R2\"]"),
        ("simulation/src/a.rs", "broken(\"L2\")"),
    ] {
        assert_eq!(wrong(name, text).len(), 1, "{text}: {:?}", wrong(name, text));
    }
}
