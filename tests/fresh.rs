//! A machine that has never been used: each tool that the README's commands need is requested in one line or
//! installed, and a failing test does not keep others from running. `.ci/run` runs the commands themselves in a bare
//! Debian.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{own_folder, root};

/// Programs of essential packages, which every Debian has.
const EVERYWHERE: [&str; 8] = ["bash", "chmod", "date", "mkfifo", "script", "sh", "tar", "timeout"];

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A folder with the programs of a bare Debian that the scripts use, and a user other than root.
fn bare() -> PathBuf {
    let folder = own_folder();
    let programs = "awk bash cut dirname grep head mktemp rm sed sh sleep sort tail uname cat";
    for program in programs.split(' ') {
        let place = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(program));
        let place = place.iter().find(|place| place.exists()).expect(program);
        symlink(place, folder.join(program)).unwrap();
    }
    script(&folder.join("id"), "echo 1000");
    // The machine of the test may have everything installed.
    script(&folder.join("dpkg-query"), "exit 1");
    folder
}

fn tools(path: &Path, mode: &[&str]) -> Output {
    let mut tools = Command::new(root().join("tests/tools.sh"));
    tools.args(mode).env_clear().env("PATH", path).output().unwrap()
}

/// The program fails with one line, which is returned.
fn one_line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{output:?}");
    assert!(said.starts_with("missing: ") && said.trim_end().lines().count() == 1, "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
    said
}

#[test]
fn a_missing_tool_is_reported_in_one_line() {
    let bare = bare();
    let build = one_line(&tools(&bare, &["build"]));
    assert!(build.contains("gcc") && build.contains("Rust 1.") && !build.contains("python3 ("), "{build}");
    assert!(build.contains(&prerequisites("README.md")), "{build}");
    let demo = one_line(&tools(&bare, &["demo"]));
    assert!(demo.contains("gcc python3 Rust"), "{demo}");
    let tests = one_line(&tools(&bare, &[]));
    assert!(tests.contains("chromium") && tests.contains("apt-get install"), "{tests}");
    // A version that is too old counts as missing.
    script(&bare.join("cargo"), "echo 'cargo 1.60.0 (d1fd9fe2c 2022-03-01)'");
    assert!(one_line(&tools(&bare, &["build"])).contains("Rust 1."));
    script(&bare.join("cargo"), "echo 'cargo 99.0.0 (d1fd9fe2c 2099-03-01)'");
    script(&bare.join("cc"), "");
    let enough = tools(&bare, &["build"]);
    assert!(enough.status.success() && enough.stderr.is_empty(), "{enough:?}");
}

/// Rust's test programs stop at the first failure unless told not to.
#[test]
fn make_test_runs_everything_and_then_fails() {
    let folder = own_folder();
    let (cargo, calls) = (folder.join("cargo"), folder.join("calls"));
    for (fails, code) in [("test", 2), ("run", 2), ("nothing", 0)] {
        let lines = format!("echo \"$*\" >> '{}'\n[ \"$1\" != {fails} ]", calls.display());
        script(&cargo, &lines);
        let _ = fs::remove_file(&calls);
        let mut make = Command::new("make");
        make.args(["--old-file=tools", "--old-file=library", "--old-file=server", "test"])
            .current_dir(root());
        let output = make.arg(format!("CARGO={}", cargo.display())).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{fails}: {output:?}");
        let called = fs::read_to_string(&calls).unwrap();
        let called: Vec<&str> = called.lines().collect();
        assert_eq!(called.len(), 3, "{called:?}");
        assert!(called[0].starts_with("test --workspace") && called[0].contains("--no-fail-fast"));
        assert!(called[1].contains("zvpos-simulation") && called[1].contains("--seeds"), "{called:?}");
        assert!(called[2].contains("zvpos-simulation") && called[2].contains("--model"), "{called:?}");
    }
}

/// Every Rust file below these folders.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The programs that a source starts by a literal name.
fn started(text: &str) -> impl Iterator<Item = &str> {
    ["Command::new(\"", "system(\"", "shell::command(\"", "place.command(\""]
        .into_iter()
        .flat_map(move |call| text.split(call).skip(1))
        .filter_map(|rest| rest.split_once('"').map(|(program, _)| program))
        .filter(|program| program.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_.".contains(&byte)))
}

/// The programs that `tests/tools.sh` checks for.
fn brought() -> BTreeSet<String> {
    let text = read("tests/tools.sh");
    let (_, list) = text.split_once("wanted=(").unwrap();
    let (list, _) = list.split_once(')').unwrap();
    list.split_whitespace().map(|pair| pair.split_once(':').unwrap().0.to_owned()).collect()
}

#[test]
fn every_program_that_the_tests_start_is_installed_by_tools_sh() {
    let brought = brought();
    let mut files = Vec::new();
    sources(&root().join("tests"), &mut files);
    for part in ["sandbox", "certify", "cli", "collect", "doctor", "journal-postgres"] {
        sources(&root().join(part).join("tests"), &mut files);
    }
    let mut lacking = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        // This file itself starts only make.
        let programs = started(&text).filter(|_| !file.ends_with("tests/fresh.rs"));
        for program in programs {
            if !brought.contains(program) && !EVERYWHERE.contains(&program) {
                lacking.push(format!("{}: {program}", file.display()));
            }
        }
    }
    assert!(lacking.is_empty(), "not in tests/tools.sh:\n{}", lacking.join("\n"));
    // The check detects a planted use.
    let planted: Vec<_> = started("Command::new(\"abidw\"); system(\"mkfs.ext4\", &[])").collect();
    assert_eq!(planted, ["abidw", "mkfs.ext4"]);
}

fn prerequisites(page: &str) -> String {
    let text = read(page);
    let (_, command) = text.split_once("apt-get install ").expect(page);
    format!("apt-get install {}", command.split_once('`').unwrap().0)
}

/// `.ci/run` types the README's commands into a bare Debian; the other page has the same ones.
#[test]
fn both_pages_ask_for_the_same_packages() {
    assert_eq!(prerequisites("README.md"), prerequisites("README.zh-CN.md"));
    assert!(read(".ci/run").contains("grep -o 'apt-get install [^`]*' README.md"));
}
