//! The C++ binding: the table of cases as C++11 and C++20 under the sanitizers, what its types refuse, and its pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "shared between the files of one test")]

#[path = "readme/check.rs"]
mod check;
#[path = "readme/document.rs"]
mod document;
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use document::{Document, looks_like};
use support::{Simulator, finds_what_is_wrong, library, own_folder, root, run_cases};

const PAGES: [&str; 2] = ["bindings/cpp/README.md", "bindings/cpp/README.zh-CN.md"];

/// A compiler as the strictest till would use it.
fn compiler(program: &str, standard: &str) -> Command {
    let mut compiler = Command::new(program);
    compiler.args([&format!("-std={standard}"), "-Wall", "-Wextra", "-pedantic", "-Werror", "-g", "-O1"]);
    compiler.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("bindings/cpp/include"));
    compiler
}

fn linked(compiler: &mut Command, source: &Path, program: &Path) -> Output {
    compiler.arg(source).arg("-o").arg(program).arg("-L").arg(library()).args(["-lzvpos", "-pthread"]);
    compiler.arg(format!("-Wl,-rpath,{}", library().display()));
    compiler.output().expect("install g++")
}

fn no_complaint(what: &str, output: &Output) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The compilers of this machine: g++, and clang++ where there is one.
fn compilers() -> Vec<&'static str> {
    let clang = Command::new("clang++").arg("--version").output().is_ok();
    if clang { vec!["g++", "clang++"] } else { vec!["g++"] }
}

#[test]
fn every_case_is_ok_under_the_sanitizers() {
    let source = root().join("bindings/cpp/tests/cases.cpp");
    for (program, standard) in compilers().into_iter().flat_map(|it| [(it, "c++11"), (it, "c++20")]) {
        let built = own_folder().join(format!("cases-{program}-{standard}"));
        let mut compiler = compiler(program, standard);
        // clang's runtime for it is a package of its own.
        if program == "g++" {
            compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        }
        no_complaint(standard, &linked(&mut compiler, &source, &built));
        run_cases(Command::new(&built).env_clear());
        finds_what_is_wrong(Command::new(&built).env_clear());
    }
}

/// Compiles a function body with the header; what the compiler said, `None` if nothing.
fn refused(body: &str) -> Option<String> {
    let source = own_folder().join("body.cpp");
    fs::write(&source, format!("#include \"zvpos.hpp\"\nvoid body(zvpos::Library &zv);\nvoid body(zvpos::Library &zv) {{ (void)zv; {body} }}\n"))
        .unwrap();
    let mut compiler = compiler("g++", "c++11");
    let output = compiler
        .args(["-fno-exceptions", "-c", "-o", "/dev/null"])
        .arg(source)
        .output()
        .expect("install g++");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then_some(said)
}

#[test]
fn what_would_cost_money_does_not_compile() {
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
    no_complaint("owners.cpp", &linked(&mut compiler, &source, &program));
    let simulator = Simulator::start();
    let output =
        Command::new(program).arg(simulator.v2()).arg(own_folder().join("journal.db")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    no_complaint(&said, &output);
    assert_eq!((said.as_ref(), output.stderr.len()), ("ok\n", 0));
}

/// The page's program with this simulator, in a folder of its own.
fn program_of(page: &Document, simulator: &Simulator) -> PathBuf {
    let folder = own_folder();
    let text = &page.blocks.iter().find(|block| block.language == "cpp").unwrap().text;
    fs::write(folder.join("sale.cpp"), text.replace("127.0.0.1:8080", &simulator.address().to_string()))
        .unwrap();
    folder
}

/// What the program prints must be what the page shows.
fn prints(page: &Document, folder: &Path, program: &Path) {
    let output = Command::new(program).current_dir(folder).output().unwrap();
    no_complaint(&page.name, &output);
    let shown = &page.blocks.iter().find(|block| block.language == "output").unwrap().text;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(looks_like(&printed, shown), "{}: {printed}", page.name);
}

#[test]
fn the_pages_say_the_same_and_their_program_does_what_they_show() {
    let pages = PAGES.map(|name| Document::read(&root(), name));
    let wrong = check::say_the_same(&pages[0], &pages[1]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    for page in &pages {
        let wrong =
            [check::links(page), check::names(page, &read("include/zvpos.h"), &read("docs/error-codes.md"))];
        assert!(wrong.concat().is_empty(), "{wrong:?}");
        for standard in ["c++11", "c++20"] {
            let simulator = Simulator::start();
            let folder = program_of(page, &simulator);
            let program = folder.join("sale");
            no_complaint(
                &page.name,
                &linked(&mut compiler("g++", standard), &folder.join("sale.cpp"), &program),
            );
            prints(page, &folder, &program);
        }
    }
}

#[test]
fn cmake_finds_header_and_library() {
    let page = Document::read(&root(), PAGES[0]);
    let simulator = Simulator::start();
    let folder = program_of(&page, &simulator);
    let list = &page.blocks.iter().find(|block| block.language == "cmake").unwrap().text;
    fs::write(folder.join("CMakeLists.txt"), list).unwrap();
    symlink(root(), folder.join("zvpos")).unwrap();
    let chosen = format!("-DZVPOS_LIBRARY={}/libzvpos.so", library().display());
    for arguments in [&["-S", ".", "-B", "build", &chosen][..], &["--build", "build"]] {
        let output =
            Command::new("cmake").args(arguments).current_dir(&folder).output().expect("install cmake");
        no_complaint("cmake", &output);
    }
    prints(&page, &folder, &folder.join("build/sale"));
}
