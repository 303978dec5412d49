//! The bindings in the archive of this machine, used without the repository: each page's program is built and run by
//! the page's own commands, in the unpacked folder. `make dist` creates the archive; its library is in `lib` and not
//! in `target/release`, as docs/platforms.md says.
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
use std::path::{Path, PathBuf};
use std::process::Command;

use binding::{as_shown, output, tool};
use document::Document;
use support::{Simulator, own_folder, root, run_cases};

/// The archive, unpacked into its own folder.
fn unpacked() -> PathBuf {
    let name = format!("zvpos-{}-{}-unknown-linux-gnu", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let archive = root().join("dist").join(format!("{name}.tar.gz"));
    assert!(archive.is_file(), "no {}: make dist", archive.display());
    let folder = own_folder();
    output(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&folder), "tar");
    folder.join(name)
}

/// Puts the page's program into the folder, for this simulator.
fn write_program(page: &Document, file: &str, folder: &Path, simulator: &Simulator) {
    let program = page.blocks[0].text.replace("127.0.0.1:8080", &simulator.address().to_string());
    let program = program.replace("/var/tmp/zvpos", folder.to_str().unwrap());
    fs::write(folder.join(file), program.replace("target/release", "lib")).unwrap();
}

/// Runs shell commands there, without cargo's or this machine's settings for other libraries.
fn shell(commands: &str, folder: &Path) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-ec", commands]).current_dir(folder).env("GOFLAGS", "-mod=mod").env("GOPROXY", "off");
    output(shell.env_remove("LD_LIBRARY_PATH").env_remove("PYTHONPATH"), "what the page asks for")
}

/// Runs the page's commands in a folder with its program in the file, and then these further ones.
fn does_what_its_page_shows(language: &str, file: &str, after: &str) {
    let (simulator, folder) = (Simulator::start(), unpacked());
    let page = Document::read(&folder, &format!("bindings/{language}/README.md"));
    write_program(&page, file, &folder, &simulator);
    let commands = page.blocks.iter().find(|block| block.language == "sh").unwrap();
    let commands = commands.text.replace("target/release", "lib");
    assert!(commands.contains("lib"), "{commands}");
    as_shown(&page, &shell(&format!("{commands}{after}"), &folder));
}

#[test]
#[ignore = "needs the archive: make dist"]
fn the_pages_of_the_languages_hold_in_the_archive() {
    for (language, file, after) in [
        ("cpp", "sale.cpp", "./sale"),
        ("csharp", "Sale.cs", ""),
        ("java", "Sale.java", ""),
        ("pascal", "sale.pas", ""),
        ("go", "sale.go", ""),
        ("lua", "sale.lua", ""),
        ("cobol", "sale.cob", ""),
    ] {
        does_what_its_page_shows(language, file, after);
    }
}

#[test]
#[ignore = "needs the archive: make dist"]
fn go_finds_the_archive_by_pkg_config() {
    let (simulator, folder) = (Simulator::start(), unpacked());
    let page = Document::read(&folder, "bindings/go/README.md");
    write_program(&page, "sale.go", &folder, &simulator);
    let commands = "go mod init till && go mod edit -require=zvpos@v0.0.0 -replace=zvpos=./bindings/go
        PKG_CONFIG_PATH=$PWD/lib/pkgconfig go build -tags zvpos_pkgconfig -o sale sale.go
        LD_LIBRARY_PATH=lib ./sale";
    as_shown(&page, &shell(commands, &folder));
}

/// Without a network: instead of loading koffi, `npm install` uses the installed one.
#[test]
#[ignore = "needs the archive: make dist"]
fn the_page_of_node_holds_in_the_archive() {
    let (simulator, folder) = (Simulator::start(), unpacked());
    let page = Document::read(&folder, "bindings/node/README.md");
    write_program(&page, "sale.js", &folder, &simulator);
    let modules = folder.join("node_modules");
    fs::create_dir(&modules).unwrap();
    symlink("../bindings/node", modules.join("zvpos")).unwrap();
    for name in ["koffi", "@koromix"] {
        symlink(tool("bindings/node/node_modules").join(name), modules.join(name)).unwrap();
    }
    as_shown(&page, &shell("node sale.js", &folder));
}

/// The wheel of the archive in a clean environment, without a network: its page and the table of cases.
#[test]
#[ignore = "needs the archive: make dist"]
fn the_wheel_in_the_archive_needs_nothing_else() {
    let (simulator, folder) = (Simulator::start(), unpacked());
    let install =
        "python3 -m venv venv && venv/bin/pip install --quiet --no-index bindings/python/zvpos-*.whl";
    shell(install, &folder);
    let page = Document::read(&folder, "bindings/python/README.md");
    write_program(&page, "sale.py", &folder, &simulator);
    as_shown(&page, &shell("PYTHONIOENCODING=utf-8 venv/bin/python sale.py", &folder));
    let program = folder.join("bindings/python/tests/cases.py");
    run_cases(Command::new(folder.join("venv/bin/python")).arg(program).env_clear());
    let wheels = shell("ls bindings/python/*.whl", &folder);
    assert!(wheels.contains("-py3-none-manylinux_2_"), "{wheels}");
}

/// Every page in the archive links only to files in it.
#[test]
#[ignore = "needs the archive: make dist"]
fn the_links_of_its_pages_lead_somewhere() {
    let folder = unpacked();
    let listed = shell("find . -name '*.md' | sort", &folder);
    assert!(listed.lines().count() > 30, "{listed}");
    let wrong: Vec<String> =
        listed.lines().flat_map(|name| check::links(&Document::read(&folder, name))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
