//! The bindings for Free Pascal, Go, LuaJIT and GnuCOBOL: each runs the whole table of cases, and the program of each
//! README, built and started by the README's own commands, prints what the page shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "shared between the files of one test")]

mod binding;
#[path = "readme/check.rs"]
mod check;
#[path = "readme/document.rs"]
mod document;
mod support;

use std::fs;
use std::process::Command;

use binding::{as_shown, commands, output, pages, till};
use support::{Simulator, finds_what_is_wrong, library, own_folder, root, run_cases};

fn rpath() -> String {
    format!("-Wl,-rpath,{}", library().display())
}

/// cgo with the header and the library of this repository, in the package's folder.
fn go(arguments: &[&str]) -> Command {
    let mut go = Command::new("go");
    go.args(arguments)
        .current_dir(root().join("bindings/go"))
        .env("GOFLAGS", "-mod=mod")
        .env("GOPROXY", "off");
    go.env("CGO_CFLAGS", format!("-I{}", root().join("include").display()));
    go.env("CGO_LDFLAGS", format!("-L{} {}", library().display(), rpath()));
    go
}

/// A compiled program of the Pascal binding; warnings are errors.
fn pascal(name: &str) -> Command {
    let folder = own_folder();
    let mut compiler = Command::new("fpc");
    compiler.args(["-v0ew", "-Sew", "-k-rpath"]).arg(format!("-k{}", library().display()));
    compiler.arg(format!("-Fl{}", library().display()));
    compiler.arg(format!("-FE{}", folder.display())).arg(format!("-FU{}", folder.display()));
    output(compiler.arg(root().join("bindings/pascal").join(format!("{name}.pas"))), "fp-compiler");
    Command::new(folder.join(name))
}

/// A program of the Lua binding, with the library.
fn lua(name: &str) -> Command {
    output(Command::new("luajit").arg("-v"), "luajit");
    let mut luajit = Command::new("luajit");
    luajit.arg(root().join("bindings/lua").join(name)).arg(library().join("libzvpos.so"));
    luajit
}

/// A compiled program of the COBOL binding; warnings are errors.
fn cobol(name: &str) -> Command {
    let program = own_folder().join(name);
    let mut compiler = Command::new("cobc");
    compiler.args(["-x", "-Wall", "-Werror", "-o"]).arg(&program).arg(format!("{name}.cob"));
    compiler.args(["zvcall.cob", "-L"]).arg(library()).args(["-l", "zvpos", "-Q", &rpath()]);
    output(compiler.current_dir(root().join("bindings/cobol")), "gnucobol3");
    Command::new(program)
}

#[test]
fn pascal_every_case_is_ok() {
    run_cases(&mut pascal("cases"));
}

#[test]
fn lua_every_case_is_ok() {
    run_cases(&mut lua("cases.lua"));
}

#[test]
fn cobol_every_case_is_ok() {
    run_cases(&mut cobol("cases"));
}

#[test]
fn texts_and_sizes_survive_the_round_trip() {
    assert_eq!(output(&mut pascal("texts"), "fp-compiler"), "ok\n");
    assert_eq!(output(&mut lua("requests.lua"), "luajit"), "ok\n");
    assert_eq!(output(&mut cobol("kept"), "gnucobol3"), "ok\n");
}

/// The test program of the Go package.
fn go_cases() -> Command {
    let program = own_folder().join("cases");
    output(go(&["build", "-o"]).arg(&program).arg("./internal/cases"), "golang-go");
    Command::new(program)
}

#[test]
fn go_every_case_is_ok() {
    run_cases(&mut go_cases());
}

#[test]
fn every_test_program_finds_what_is_wrong() {
    for program in &mut [pascal("cases"), lua("cases.lua"), cobol("cases"), go_cases()] {
        finds_what_is_wrong(program);
    }
}

#[test]
fn go_is_vetted_formatted_and_does_not_lose_a_payment_with_its_context() {
    let simulator = Simulator::start();
    output(&mut go(&["vet", "./..."]), "golang-go");
    let gofmt = Command::new("gofmt").args(["-l", "."]).current_dir(root().join("bindings/go")).output();
    assert_eq!(String::from_utf8_lossy(&gofmt.expect("apt-get install golang-go").stdout), "");
    let mut test = go(&["test", "-count=1", "./..."]);
    test.env("ZVPOS_TEST_ENDPOINT", simulator.v2()).env("ZVPOS_TEST_FOLDER", own_folder());
    output(&mut test, "golang-go");
    assert_eq!(simulator.net("GO-CONTEXT~late_answer:1500"), 1);
}

#[test]
fn go_finds_an_installed_library_by_pkg_config() {
    let folder = own_folder();
    let (include, library) = (root().join("include"), library());
    let words = format!(
        "Name: zvpos\nDescription: -\nVersion: 0\nCflags: -I{}\nLibs: -L{} -lzvpos\n",
        include.display(),
        library.display()
    );
    fs::write(folder.join("zvpos.pc"), words).unwrap();
    let mut build = go(&["build", "-tags", "zvpos_pkgconfig", "-o"]);
    build.arg(folder.join("cases")).arg("./internal/cases").env("PKG_CONFIG_PATH", &folder);
    output(build.env_remove("CGO_CFLAGS").env_remove("CGO_LDFLAGS"), "golang-go pkg-config");
}

#[test]
fn the_pages_of_every_binding_say_the_same_and_their_programs_do_what_they_show() {
    for (language, file) in
        [("pascal", "sale.pas"), ("go", "sale.go"), ("lua", "sale.lua"), ("cobol", "sale.cob")]
    {
        for page in pages(language) {
            let simulator = Simulator::start();
            let folder = till(&page, language, file, &simulator);
            let mut shell = commands(&page, &folder);
            shell.env("GOFLAGS", "-mod=mod").env("GOPROXY", "off");
            as_shown(&page, &output(&mut shell, "fp-compiler golang-go luajit gnucobol3"));
        }
    }
    // Declarations only: they cannot be run here.
    for language in ["vb6", "powerbuilder", "epl"] {
        pages(language);
    }
}
