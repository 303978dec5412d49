//! Shared by the tests of the bindings: a binding's two pages, the program on them, and the checks that only it has.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::check;
use crate::document::{Document, looks_like};
use crate::support::{Simulator, library, own_folder, root};

/// The output of a program of this package; any failure of it fails the test.
pub fn output(command: &mut Command, package: &str) -> String {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: install {package}"));
    let Output { status, stdout, stderr } = &ran;
    let (out, err) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    assert!(status.success(), "{command:?} ended with {status}\n{out}{err}");
    out.into_owned()
}

/// The files in a folder below `bindings` whose names end so, in order.
pub fn sources(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(root().join("bindings").join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension() == Some(OsStr::new(ending))).collect();
    files.sort();
    files
}

/// A tool that `tests/tools.sh` has installed.
pub fn tool(path: &str) -> PathBuf {
    let tool = root().join(path);
    assert!(tool.exists(), "{path} is missing: tests/tools.sh installs it");
    tool
}

/// Runs a binding's test program without a table: it makes this number of checks that only this binding has.
pub fn run_own(program: &mut Command, count: usize) {
    let simulator = Simulator::start();
    program.arg(simulator.v3()).arg(simulator.inspector().trim_end_matches('/')).arg(own_folder());
    let said = output(program, "it");
    assert!(said.lines().all(|line| line.starts_with("ok own-")), "{said}");
    assert_eq!(said.lines().count(), count, "{said}");
}

/// A folder with a library whose interface has no tickets yet.
pub fn old_library() -> PathBuf {
    let folder = own_folder();
    let source = folder.join("old.c");
    fs::write(&source, "unsigned zv_abi_version(void) { return 1; }\n").unwrap();
    let mut cc = Command::new("cc");
    output(cc.args(["-shared", "-fPIC", "-o"]).arg(folder.join("libzvpos.so")).arg(source), "gcc");
    folder
}

/// A binding's test program that is given the old library must report the mismatch at the start.
pub fn refuses_the_old_library(program: &mut Command) {
    let simulator = Simulator::start();
    program.arg(simulator.v3()).arg(simulator.inspector().trim_end_matches('/')).arg(own_folder());
    let ran = program.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let refused = |line: &str| line.starts_with("FAILED") && line.contains("interface 1, needed is 3");
    assert!(ran.status.code() == Some(1) && !said.is_empty() && said.lines().all(refused), "{ran:?}");
}

/// Both pages of a binding, which say the same and name only existing things.
pub fn pages(language: &str) -> [Document; 2] {
    let pages = ["README.md", "README.zh-CN.md"]
        .map(|name| Document::read(&root(), &format!("bindings/{language}/{name}")));
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let mut wrong = check::say_the_same(&pages[0], &pages[1]);
    for page in &pages {
        wrong.extend(check::links(page));
        // COBOL's own names look like error codes.
        if language != "cobol" {
            wrong.extend(check::names(page, &read("include/zvpos.h"), &read("docs/error-codes.md")));
        }
        wrong.extend(check::targets(page, &read("Makefile")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    pages
}

/// A folder that looks like the repository's after a build, with the page's program in this file, for this simulator.
pub fn till(page: &Document, language: &str, file: &str, simulator: &Simulator) -> PathBuf {
    let folder = own_folder();
    let program = block(page, language).replace("127.0.0.1:8080", &simulator.address().to_string());
    let place = folder.to_str().unwrap();
    // COBOL ends a line at column 72: a path longer than the page's is split over several lines.
    let place = if language == "cobol" { in_lines(place) } else { place.to_owned() };
    let program = program.replace("/var/tmp/zvpos", &place);
    fs::write(folder.join(file), program).unwrap();
    fs::create_dir(folder.join("target")).unwrap();
    symlink(library(), folder.join("target/release")).unwrap();
    for name in ["bindings", "include"] {
        symlink(root().join(name), folder.join(name)).unwrap();
    }
    folder
}

/// Splits a part of a COBOL literal into literals on separate lines, between the text before and after it.
fn in_lines(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines =
        characters.chunks(40).map(|line| format!("               '{}'\n", line.iter().collect::<String>()));
    format!("'\n{}               '", lines.collect::<String>())
}

/// The page's commands, to be run in the folder.
pub fn commands(page: &Document, folder: &Path) -> Command {
    shell(block(page, "sh"), folder)
}

/// A shell that runs these commands in the folder.
pub fn shell(commands: &str, folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-ec", commands]).current_dir(folder);
    shell
}

/// Runs the page's commands and returns their output.
pub fn run_commands(page: &Document, folder: &Path) -> String {
    output(&mut commands(page, folder), "what the page asks for")
}

/// Checks that the output is what the page shows.
pub fn as_shown(page: &Document, printed: &str) {
    assert!(looks_like(printed, block(page, "output")), "{}: {printed}", page.name);
}

/// The page's first block of this language.
pub fn block<'d>(page: &'d Document, language: &str) -> &'d str {
    let block = page.blocks.iter().find(|block| block.language == language);
    &block.unwrap_or_else(|| panic!("{}: no {language}", page.name)).text
}

/// Checks that the files of a package that contain its version contain this one.
pub fn of_this_version(files: &[(&str, &str)]) {
    for (file, before) in files {
        let text = fs::read_to_string(root().join("bindings").join(file)).unwrap();
        let expected = format!("{before}{}", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&expected), "{file}: no {expected}");
    }
}
