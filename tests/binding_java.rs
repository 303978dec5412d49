//! The Java binding, compiled for Java 8: the table of cases, the checks that only it has, and its pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "shared between the files of one test")]

mod binding;
#[path = "readme/check.rs"]
mod check;
#[path = "readme/document.rs"]
mod document;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use binding::{
    as_shown, of_this_version, old_library, output, pages, refuses_the_old_library, run_commands, run_own,
    sources, till, tool,
};
use support::{Simulator, finds_what_is_wrong, library, own_folder, run_cases};

const JNA: &str = "/usr/share/java/jna.jar";

/// The package and its test program.
fn classes() -> PathBuf {
    let folder = own_folder();
    let mut javac = Command::new("javac");
    // `-options` is the warning that Java 8 is old.
    javac.args(["--release", "8", "-encoding", "UTF-8", "-Xlint:all,-options", "-Werror", "-cp"]);
    javac.arg(tool(JNA)).arg("-d").arg(&folder);
    javac.args(sources("java/src/main/java/cn/zvpos", "java"));
    output(javac.args(sources("java/src/test/java/cn/zvpos", "java")), "default-jdk-headless");
    folder
}

fn test_program(library: &Path) -> Command {
    let mut java = Command::new("java");
    java.arg(format!("-Djna.library.path={}", library.display())).arg("-cp");
    java.arg(format!("{}:{JNA}", classes().display())).arg("cn.zvpos.Cases");
    java
}

#[test]
fn every_case_is_ok() {
    run_cases(&mut test_program(library()));
    finds_what_is_wrong(&mut test_program(library()));
}

#[test]
fn maps_futures_and_a_stop_are_what_they_should_be() {
    run_own(&mut test_program(library()), 10);
}

#[test]
fn an_old_library_is_refused_at_the_start() {
    refuses_the_old_library(&mut test_program(&old_library()));
}

#[test]
fn the_pages_say_the_same_and_their_program_does_what_they_show() {
    for page in pages("java") {
        let simulator = Simulator::start();
        let folder = till(&page, "java", "Sale.java", &simulator);
        as_shown(&page, &run_commands(&page, &folder));
    }
}

#[test]
fn the_package_has_the_librarys_version() {
    of_this_version(&[("java/pom.xml", "<version>")]);
}
