//! The C++ binding: the table of cases as C++11 and C++20 under the sanitizers, the programs that its types reject,
//! and its pages.
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

use binding::{as_shown, block, output, pages, run_commands, till};
use support::{Simulator, finds_what_is_wrong, library, own_folder, root, rpath, run_cases};

/// A compiler with the strictest warnings of a till.
fn compiler(program: &str, standard: &str) -> Command {
    let mut compiler = Command::new(program);
    compiler.args([&format!("-std={standard}"), "-Wall", "-Wextra", "-pedantic", "-Werror", "-g", "-O1"]);
    compiler.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("bindings/cpp/include"));
    compiler
}

/// Compiles and links a program with the library.
fn build(compiler: &mut Command, source: &Path, program: &Path) {
    compiler.arg(source).arg("-o").arg(program).arg("-L").arg(library()).args(["-lzvpos", "-pthread"]);
    output(compiler.arg(rpath(library())), "g++ clang");
}

const COMPILERS: [&str; 2] = ["g++", "clang++"];

#[test]
fn every_case_is_ok_under_the_sanitizers() {
    let source = root().join("bindings/cpp/tests/cases.cpp");
    for (program, standard) in COMPILERS.into_iter().flat_map(|it| [(it, "c++11"), (it, "c++20")]) {
        let built = own_folder().join(format!("cases-{program}-{standard}"));
        let mut compiler = compiler(program, standard);
        // clang's runtime for it is a separate package.
        if program == "g++" {
            compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        }
        build(&mut compiler, &source, &built);
        run_cases(Command::new(&built).env_clear());
        finds_what_is_wrong(Command::new(&built).env_clear());
    }
}

/// Compiles a function body with the header; returns the compiler's messages, `None` for none.
fn refused(body: &str) -> Option<String> {
    let source = own_folder().join("body.cpp");
    fs::write(&source, format!("#include \"zvpos.hpp\"\nvoid body(zvpos::Library &zv);\nvoid body(zvpos::Library &zv) {{ (void)zv; {body} }}\n"))
        .unwrap();
    let mut compiler = compiler("g++", "c++11");
    compiler.args(["-fno-exceptions", "-c", "-o", "/dev/null"]).arg(source);
    let ran = compiler.output().expect("install g++");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    (!ran.status.success()).then_some(said)
}

#[test]
fn mistakes_that_would_cost_money_do_not_compile() {
    assert_eq!(refused("zvpos::Answer a = zv.pending(); zvpos::Answer b = std::move(a); (void)b;"), None);
    assert_eq!(
        refused("zvpos::Request().set(\"amount\", \"23.00\").set(\"num\", 1).set(\"x\", true);"),
        None
    );
    for (body, why) in [
        ("zvpos::Answer a = zv.pending(); zvpos::Answer b = a; (void)b;", "deleted"),
        ("zvpos::Library other = zv; (void)other;", "deleted"),
        ("zvpos::Request().set(\"amount\", 23.0);", "deleted"),
        ("zv.consume(\"{}\");", "unused"),
        ("if (zv.pending()) return;", "could not convert"),
    ] {
        let said = refused(body).unwrap_or_else(|| panic!("this compiles: {body}"));
        assert!(said.contains(why) || said.contains("nodiscard"), "{body}: {said}");
    }
}

#[test]
fn answers_are_given_back_once_wherever_they_move() {
    let source = root().join("bindings/cpp/tests/owners.cpp");
    let program = own_folder().join("owners");
    let mut compiler = compiler("g++", "c++11");
    compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    build(&mut compiler, &source, &program);
    let simulator = Simulator::start();
    let mut owners = Command::new(program);
    let ran = owners.arg(simulator.v2()).arg(own_folder().join("journal.db")).output().unwrap();
    assert!(ran.status.success() && ran.stdout == b"ok\n" && ran.stderr.is_empty(), "{ran:?}");
}

#[test]
fn the_pages_say_the_same_and_their_program_does_what_they_show() {
    for page in pages("cpp") {
        let simulator = Simulator::start();
        let folder = till(&page, "cpp", "sale.cpp", &simulator);
        let sale = || output(Command::new(folder.join("sale")).current_dir(&folder), "it");
        run_commands(&page, &folder);
        as_shown(&page, &sale());
        // In the second build the same sale is already paid.
        for standard in ["c++11", "c++20"] {
            build(&mut compiler("g++", standard), &folder.join("sale.cpp"), &folder.join("sale"));
            as_shown(&page, &sale());
        }
    }
}

#[test]
fn cmake_finds_header_and_library() {
    let [page, _] = pages("cpp");
    let simulator = Simulator::start();
    let folder = till(&page, "cpp", "sale.cpp", &simulator);
    fs::write(folder.join("CMakeLists.txt"), block(&page, "cmake")).unwrap();
    symlink(root(), folder.join("zvpos")).unwrap();
    let chosen = format!("-DZVPOS_LIBRARY={}/libzvpos.so", library().display());
    for arguments in [&["-S", ".", "-B", "build", &chosen][..], &["--build", "build"]] {
        output(Command::new("cmake").args(arguments).current_dir(&folder), "cmake");
    }
    as_shown(&page, &output(Command::new(folder.join("build/sale")).current_dir(&folder), "it"));
}
