//! What the tests of the bindings share: a binding's two pages, the program on them, and what only it has.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::check;
use crate::document::{Document, looks_like};
use crate::support::{Simulator, library, own_folder, root};

/// The output of a program of this package; whatever else happens fails the test.
pub fn output(command: &mut Command, package: &str) -> String {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: install {package}"));
    let Output { status, stdout, stderr } = &ran;
    let (out, err) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    assert!(status.success(), "{command:?} ended with {status}\n{out}{err}");
    out.into_owned()
}

/// Every file of a folder below `bindings` that ends so, in order.
pub fn sources(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(root().join("bindings").join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension() == Some(OsStr::new(ending))).collect();
    files.sort();
    files
}

/// What `tests/tools.sh` has installed.
pub fn tool(path: &str) -> PathBuf {
    let tool = root().join(path);
    assert!(tool.exists(), "{path} is missing: tests/tools.sh installs it");
    tool
}

/// Runs a binding's test program without a table: it checks what only this binding has, so many things.
pub fn run_own(program: &mut Command, count: usize) {
    let simulator = Simulator::start();
    program.arg(simulator.v3()).arg(simulator.inspector().trim_end_matches('/')).arg(own_folder());
    let said = output(program, "it");
    assert!(said.lines().all(|line| line.starts_with("ok own-")), "{said}");
    assert_eq!(said.lines().count(), count, "{said}");
}

/// A folder with a library of an interface that came before tickets.
pub fn old_library() -> PathBuf {
    let folder = own_folder();
    let source = folder.join("old.c");
    fs::write(&source, "unsigned zv_abi_version(void) { return 1; }\n").unwrap();
    let mut cc = Command::new("cc");
    output(cc.args(["-shared", "-fPIC", "-o"]).arg(folder.join("libzvpos.so")).arg(source), "gcc");
    folder
}

/// A binding's test program that was given the old library must say at the start what is wrong with it.
pub fn refuses_the_old_library(program: &mut Command) {
    let simulator = Simulator::start();
    program.arg(simulator.v3()).arg(simulator.inspector().trim_end_matches('/')).arg(own_folder());
    let ran = program.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let refused = |line: &str| line.starts_with("FAILED") && line.contains("interface 1, needed is 2");
    assert!(ran.status.code() == Some(1) && !said.is_empty() && said.lines().all(refused), "{ran:?}");
}

/// Both pages of a binding, which say the same and name only what is there.
pub fn pages(language: &str) -> [Document; 2] {
    let pages = ["README.md", "README.zh-CN.md"]
        .map(|name| Document::read(&root(), &format!("bindings/{language}/{name}")));
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let mut wrong = check::say_the_same(&pages[0], &pages[1]);
    for page in &pages {
        wrong.extend(check::links(page));
        // COBOL's own names begin like error codes.
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
    // COBOL ends a line at column 72: a path that is longer than the page's goes on several lines.
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

/// A part of a COBOL literal as literals of their own, each on a line, between what stands before and behind it.
fn in_lines(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines =
        characters.chunks(40).map(|line| format!("               '{}'\n", line.iter().collect::<String>()));
    format!("'\n{}               '", lines.collect::<String>())
}

/// The page's commands, to be run there.
pub fn commands(page: &Document, folder: &Path) -> Command {
    shell(block(page, "sh"), folder)
}

/// Does there what a shell is told.
pub fn shell(commands: &str, folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-ec", commands]).current_dir(folder);
    shell
}

/// Runs them.
pub fn run_commands(page: &Document, folder: &Path) -> String {
    output(&mut commands(page, folder), "what the page asks for")
}

/// What was printed must be what the page shows.
pub fn as_shown(page: &Document, printed: &str) {
    assert!(looks_like(printed, block(page, "output")), "{}: {printed}", page.name);
}

/// The page's first block of this language.
pub fn block<'d>(page: &'d Document, language: &str) -> &'d str {
    let block = page.blocks.iter().find(|block| block.language == language);
    &block.unwrap_or_else(|| panic!("{}: no {language}", page.name)).text
}

/// The files of a package that name its version name this one.
pub fn of_this_version(files: &[(&str, &str)]) {
    for (file, before) in files {
        let text = fs::read_to_string(root().join("bindings").join(file)).unwrap();
        let expected = format!("{before}{}", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&expected), "{file}: no {expected}");
    }
}
