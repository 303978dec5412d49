//! The table of cases that every binding runs (tests/cases), and the expected output of a binding's test program.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::build::{own_folder, root};
use super::simulator::Simulator;

/// Every file of the table.
pub fn case_files() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/cases")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    files.sort();
    files
}

/// Every case of the table by its name.
pub fn case_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in case_files() {
        let table: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for case in table["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap().to_owned();
            assert!(names.insert(name.clone()), "{}: a second {name}", file.display());
        }
    }
    names
}

/// A test program is useful only if it prints `FAILED` for a wrong case: it is given a table with one right case and
/// two wrong ones, each with a word that its message must contain.
pub fn finds_what_is_wrong(program: &mut Command) {
    let simulator = Simulator::start();
    let folder = own_folder();
    let case = |name: &str, outcome: &str, code: &str| {
        let call = json!({"call": "lookup", "request": {"bizId": "X-1"}, "outcome": outcome, "fields": [["code", code]]});
        json!({"name": name, "calls": [call]})
    };
    let table = json!({"config": super::config(&simulator.v2(), json!({"journal": "$JOURNAL"})), "cases": [
        case("right", "invalid", "ZV-NOT-FOUND"), case("outcome", "reversed", "ZV-NOT-FOUND"), case("field", "invalid", "0"),
    ]});
    fs::write(folder.join("table.json"), table.to_string()).unwrap();
    program.arg(simulator.v3()).arg(simulator.inspector().trim_end_matches('/')).arg(&folder);
    let output = program.arg(folder.join("table.json")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let begins: Vec<_> = said.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(begins, ["ok right", "FAILED outcome", "FAILED field"], "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}

/// Runs a binding's test program as `PROGRAM… GATEWAY ADMIN FOLDER FILE…` against its own simulator: it must print
/// `ok` for every case, once, and nothing else.
pub fn run_cases(program: &mut Command) {
    let simulator = Simulator::start();
    program.arg(simulator.v3()).arg(simulator.inspector().trim_end_matches('/')).arg(own_folder());
    let output = program.args(case_files()).output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let whole = format!(
        "{program:?} ended with {}\n{said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let mut missing = case_names();
    for line in said.lines() {
        let name = line.strip_prefix("ok ").unwrap_or_else(|| panic!("{line}\n{whole}"));
        assert!(missing.remove(name), "{name} is no case, or was run twice\n{whole}");
    }
    assert!(missing.is_empty(), "not run: {missing:?}\n{whole}");
    assert!(output.status.success() && output.stderr.is_empty(), "{whole}");
    println!("{} cases ok: {}", case_names().len(), program.get_program().to_string_lossy());
}
