//! Compares the table of packages in CONTRIBUTING.md with the manifests: each of the ten is used where the table
//! says, and nowhere else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const TEN: [&str; 10] =
    ["serde", "serde_json", "ureq", "hmac", "sha1", "base64", "libc", "cbindgen", "once_cell", "thiserror"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The packages in a manifest's own dependency tables, not in its workspace's.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]") && line != "[workspace.dependencies]";
        } else if inside && let Some((name, _)) = line.split_once('=') {
            found.insert(name.trim().trim_end_matches(".workspace").to_owned());
        }
    }
    found
}

/// The packages of the workspace that use a dependency; the one in the root folder is `root`.
fn users() -> BTreeMap<String, BTreeSet<String>> {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let below = |folder: &str| fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    for folder in below("").chain(below("tools")).chain([root().to_owned()]) {
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { continue };
        let own = folder == root();
        let name =
            if own { "root".into() } else { folder.file_name().unwrap().to_string_lossy().into_owned() };
        for dependency in dependencies(&manifest) {
            users.entry(dependency).or_default().insert(name.clone());
        }
    }
    users
}

#[test]
fn the_table_of_packages_is_what_the_manifests_say() {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let table = page.split("\n## Dependencies\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let users = users();
    let mut listed = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, places, what] = cells[..] else { panic!("three cells: {row}") };
        let name = name.trim_matches('`');
        let places: BTreeSet<String> = places.split(", ").map(str::to_owned).collect();
        assert_eq!(users.get(name), Some(&places), "{name}");
        assert!(what.len() > 20, "{name}: {what:?} says too little");
        listed.push(name.to_owned());
    }
    assert_eq!(listed, TEN);
}

/// A package that the manifest of `core` names is also used in its code.
#[test]
fn each_of_them_is_really_used() {
    let mut sources = String::new();
    let mut folders = vec![root().join("core/src"), root().join("src"), root().join("build")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                sources += &fs::read_to_string(path).unwrap();
            }
        }
    }
    sources += &fs::read_to_string(root().join("build.rs")).unwrap();
    for name in TEN {
        assert!(sources.contains(&format!("{name}::")), "{name}");
    }
    assert!(sources.contains("get_or_try_init("), "once_cell is here for what may fail");
}
