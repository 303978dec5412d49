//! The C programs on every shipped target: each compiled by the target's own compiler, linked with the library in
//! `target/shipped`, and run (under wine, under qemu, or natively) against the simulator on this machine. `make
//! targets` builds the libraries first; `ZVPOS_TARGETS` names the targets to run, by default all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use support::{Simulator, own_folder, root};

/// Behind `server-` the library for servers, with the same header, name and functions.
const TARGETS: [&str; 9] = [
    "x86_64-win7-windows-gnu",
    "i686-win7-windows-gnu",
    "x86_64-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "armv7-unknown-linux-gnueabihf",
    "x86_64-unknown-linux-musl",
    "server-x86_64-unknown-linux-gnu",
    "server-aarch64-unknown-linux-gnu",
];

/// The programs of `tests/c` that need nothing but C and threads.
const PROGRAMS: [&str; 9] =
    ["input", "answers", "log", "lifetime", "gbk", "tickets", "threads", "reload", "stdcall"];

/// One row of the table in `packaging/targets.sh`.
struct Target {
    name: &'static str,
    windows: bool,
    compiler: Vec<String>,
    runner: Vec<String>,
    library: PathBuf,
}

impl Target {
    fn named(name: &'static str) -> Target {
        let script = root().join("packaging/targets.sh");
        let output = Command::new(script).arg(name).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let table: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let words = |key: &str| table[key].split_whitespace().map(str::to_owned).collect();
        Target {
            name,
            windows: table["system"] == "windows",
            compiler: words("compiler"),
            runner: words("runner"),
            library: table["library"].into(),
        }
    }

    fn shared_library(&self) -> PathBuf {
        let name = if self.windows { "zvpos.dll" } else { "libzvpos.so" };
        let path = self.library.join(name);
        assert!(path.is_file(), "no {}: packaging/build.sh {}", path.display(), self.name);
        path
    }

    /// Compiles one source in `folder`, next to which the library is.
    fn compile(&self, source: &Path, folder: &Path) -> PathBuf {
        fs::copy(self.shared_library(), folder.join(self.shared_library().file_name().unwrap())).unwrap();
        let program = folder.join(if self.windows { "program.exe" } else { "program" });
        let mut cc = Command::new(&self.compiler[0]);
        cc.args(&self.compiler[1..]);
        cc.args(["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2"]);
        cc.arg("-I").arg(root().join("include")).arg(source).arg("-o").arg(&program);
        if self.windows {
            // Otherwise a DLL of mingw's would have to be next to every program.
            cc.arg(self.library.join("libzvpos.dll.a")).args(["-static", "-lpthread"]);
        } else {
            // glibc's own headers use _Generic if clang has it.
            cc.arg("-Wno-c11-extensions");
            cc.arg("-L").arg(folder).args(["-lzvpos", "-lpthread", "-ldl", "-Wl,-rpath,$ORIGIN"]);
        }
        let output = cc.output().unwrap_or_else(|error| panic!("{}: {error}", self.compiler[0]));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {}: {errors}", self.name, source.display());
        program
    }

    /// Runs a program to its end and returns its output.
    fn run(&self, program: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new("timeout");
        command.arg("600").args(&self.runner).arg(program).args(arguments);
        // Cargo's variable names folders with other builds of the library.
        command.current_dir(program.parent().unwrap()).env_remove("LD_LIBRARY_PATH");
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {command:?}: {}\n{text}\n{errors}", self.name, output.status);
        assert_eq!(errors, "", "{}: the library writes nothing to stderr", self.name);
        text
    }
}

/// Checks that every entry of the ledger is one deduction.
fn each_sale_was_taken_once(simulator: &Simulator) -> usize {
    let ledger = simulator.admin("GET", "/ledger", &Value::Null);
    let entries = ledger.as_array().unwrap();
    for entry in entries {
        assert_eq!(entry["net"], 1, "{entry}");
    }
    entries.len()
}

fn run_program(target: &Target, name: &str) {
    let started = Instant::now();
    let simulator = Simulator::start();
    let program = target.compile(&root().join("tests/c").join(format!("{name}.c")), &own_folder());
    let endpoint = simulator.v2();
    let arguments = match name {
        "threads" => vec![endpoint.as_str(), "60"],
        "reload" if target.windows => vec!["zvpos.dll"],
        "reload" => vec!["./libzvpos.so"],
        _ => vec![endpoint.as_str()],
    };
    let printed = target.run(&program, &arguments);
    let sales = each_sale_was_taken_once(&simulator);
    let said = match name {
        "threads" => {
            assert_eq!(sales, 240);
            "240 sales, each taken once".to_owned()
        }
        _ => printed.lines().last().expect("it says how many checks it made").to_owned(),
    };
    assert!(said.contains("checks") || name == "threads", "{printed}");
    println!("{:30} {name:9} {said}, {:.1} s", target.name, started.elapsed().as_secs_f64());
}

/// A program like the README's: a quote, payments, a refusal, a lost answer.
fn run_sample(target: &Target) {
    let simulator = Simulator::start();
    let program = target.compile(&root().join("examples/c/till.c"), &own_folder());
    // wine's drive for the root of the file system.
    let drive = if target.name.contains("windows") { "Z:" } else { "" };
    let journal = format!("{drive}{}/till.db", own_folder().display());
    let printed = target.run(&program, &[&simulator.v2(), &journal, "~reset_after"]);
    let outcomes: Vec<&str> = printed
        .lines()
        .map(|line| line.split_once("outcome ").unwrap().1.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(outcomes, ["0", "0", "0", "0", "1", "4", "0"], "{printed}");
    println!("{:30} till.c    outcomes {}", target.name, outcomes.join(" "));
}

/// Every target of `packaging/targets.sh` is tested here and is in both tables of the pages about them.
#[test]
fn the_targets_are_those_of_the_scripts_and_of_the_pages() {
    let script = fs::read_to_string(root().join("packaging/targets.sh")).unwrap();
    let (_, listed) = script.split_once("\nTARGETS=\"").unwrap();
    let listed: Vec<&str> = listed.split_once('"').unwrap().0.split_whitespace().collect();
    assert_eq!(listed, TARGETS);
    for page in ["docs/platforms.md", "docs/platforms.zh-CN.md"] {
        let page = fs::read_to_string(root().join(page)).unwrap();
        let first = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
        let targets: Vec<&str> = first
            .map(|(name, _)| name)
            .filter(|name| name.contains("-gnu") || name.contains("-musl"))
            .collect();
        assert_eq!(targets, [TARGETS, TARGETS].concat());
    }
}

#[test]
#[ignore = "needs the compilers and emulators of every target: make targets"]
fn the_c_programs_run_on_every_target() {
    let wanted = std::env::var("ZVPOS_TARGETS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    assert!(wanted.iter().all(|name| TARGETS.contains(name)), "{wanted:?} of {TARGETS:?}");
    let chosen = TARGETS.into_iter().filter(|name| wanted.is_empty() || wanted.contains(name));
    for target in chosen.map(Target::named) {
        let x86_windows = target.name == "i686-win7-windows-gnu";
        for name in PROGRAMS.into_iter().filter(|name| *name != "stdcall" || x86_windows) {
            run_program(&target, name);
        }
        run_sample(&target);
    }
}
