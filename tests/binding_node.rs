//! The Node.js binding: the table of cases, the checks that only it has, its types, its pages, and the package as npm
//! packs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "shared between the files of one test")]

mod binding;
#[path = "readme/check.rs"]
mod check;
#[path = "readme/document.rs"]
mod document;
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use binding::{
    as_shown, of_this_version, old_library, output, pages, refuses_the_old_library, run_own, shell, till,
    tool,
};
use support::{Simulator, finds_what_is_wrong, library, own_folder, root, run_cases};

fn test_program() -> Command {
    tool("bindings/node/node_modules/koffi");
    let mut node = Command::new("node");
    node.arg(root().join("bindings/node/test/cases.js")).env("ZVPOS_LIBRARY", library().join("libzvpos.so"));
    node
}

#[test]
fn every_case_is_ok() {
    run_cases(&mut test_program());
    finds_what_is_wrong(&mut test_program());
}

#[test]
fn numbers_promises_and_a_stop_are_what_they_should_be() {
    run_own(&mut test_program(), 8);
}

#[test]
fn an_old_library_is_refused_at_the_start() {
    refuses_the_old_library(test_program().env("ZVPOS_LIBRARY", old_library().join("libzvpos.so")));
}

/// `types.ts` also contains lines that the compiler must reject.
#[test]
fn the_types_take_what_they_should() {
    let mut compiler = Command::new(tool("bindings/node/node_modules/.bin/tsc"));
    output(compiler.arg("--project").arg(root().join("bindings/node/test")), "nodejs");
}

/// Installs what `npm install` would, without the network.
fn install(folder: &Path) {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent"]).arg(root().join("bindings/node")).current_dir(folder);
    output(&mut pack, "npm");
    let modules = folder.join("node_modules");
    fs::create_dir_all(modules.join("zvpos")).unwrap();
    let mut unpack = Command::new("tar");
    unpack.args([
        "-xzf",
        &format!("zvpos-{}.tgz", env!("CARGO_PKG_VERSION")),
        "--strip-components=1",
        "-C",
        "node_modules/zvpos",
    ]);
    output(unpack.current_dir(folder), "tar");
    for name in ["koffi", "@koromix"] {
        symlink(tool("bindings/node/node_modules").join(name), modules.join(name)).unwrap();
    }
}

#[test]
fn the_pages_say_the_same_and_their_program_does_what_they_show() {
    for page in pages("node") {
        let simulator = Simulator::start();
        let folder = till(&page, "js", "sale.js", &simulator);
        install(&folder);
        as_shown(&page, &output(Command::new("node").arg("sale.js").current_dir(&folder), "nodejs"));
    }
}

/// The page's own command, and the shorter one that people type: neither leaves a file that git reports.
#[test]
fn installing_it_leaves_nothing_in_the_repository() {
    let folder = own_folder();
    let run = |program: &str, arguments: &[&str]| {
        output(Command::new(program).args(arguments).current_dir(&folder), program)
    };
    fs::create_dir_all(folder.join("bindings/node")).unwrap();
    for name in
        [".gitignore", "bindings/node/index.js", "bindings/node/native.js", "bindings/node/tickets.js"]
    {
        fs::copy(root().join(name), folder.join(name)).unwrap();
    }
    // Uses the installed koffi: nothing is loaded from the network.
    let koffi = tool("bindings/node/node_modules/koffi");
    let manifest = fs::read_to_string(root().join("bindings/node/package.json")).unwrap();
    let local = manifest.replace("\"^3.3.4\"", &format!("\"file:{}\"", koffi.display()));
    assert_ne!(manifest, local, "koffi's version has changed");
    fs::write(folder.join("bindings/node/package.json"), local).unwrap();
    let page = fs::read_to_string(root().join("bindings/node/README.md")).unwrap();
    let shown = page.lines().find(|line| line.starts_with("npm install ")).unwrap();
    run("git", &["init", "--quiet"]);
    run("git", &["add", "."]);
    let staged = run("git", &["status", "--porcelain"]);
    for command in [shown, "npm install ./bindings/node"] {
        output(&mut shell(&format!("{command} --offline --ignore-scripts --silent"), &folder), "npm");
        assert!(folder.join("node_modules/zvpos").exists(), "{command} has installed nothing");
        assert_eq!(run("git", &["status", "--porcelain"]), staged, "{command}");
    }
}

#[test]
fn the_package_has_the_librarys_version() {
    of_this_version(&[
        ("node/package.json", "\"version\": \""),
        ("node/package-lock.json", "\"version\": \""),
    ]);
}
