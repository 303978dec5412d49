//! The Python binding: a wheel that contains the library, installed into a clean environment, the table of cases with
//! it, its types, and its pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "shared between the files of one test")]

mod binding;
#[path = "readme/check.rs"]
mod check;
#[path = "readme/document.rs"]
mod document;
mod support;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use binding::{block, commands, output, pages, till};
use support::{Simulator, finds_what_is_wrong, library, own_folder, root, run_cases, scratch};

/// Runs Python without this machine's settings; returns its stdout.
fn python<I: AsRef<OsStr>>(program: &Path, folder: &Path, arguments: impl IntoIterator<Item = I>) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("PYTHONIOENCODING", "utf-8").env_remove("PYTHONPATH");
    output(command.env("ZVPOS_LIBRARY", library().join("libzvpos.so")), "python3")
}

fn environment(folder: &Path) -> PathBuf {
    python(Path::new("python3"), &root(), ["-m".as_ref(), "venv".as_ref(), folder.as_os_str()]);
    folder.join("bin/python")
}

/// A Python environment that can build the wheel and check its types; kept for the next run.
fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let folder = scratch().join("python-tools");
        if !folder.join("complete").exists() {
            let program = environment(&folder);
            python(&program, &folder, ["-m", "pip", "install", "--quiet", "hatchling>=1.26", "mypy>=1.10"]);
            fs::write(folder.join("complete"), "").unwrap();
        }
        folder.join("bin/python")
    })
}

/// The wheel, from the sources and the release library.
fn wheel() -> &'static Path {
    static WHEEL: OnceLock<PathBuf> = OnceLock::new();
    WHEEL.get_or_init(|| {
        let folder = own_folder();
        let build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"];
        let package = root().join("bindings/python");
        python(
            tools(),
            &folder,
            build.iter().map(OsStr::new).chain([folder.as_os_str(), package.as_os_str()]),
        );
        let mut wheels = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        wheels.find(|path| path.extension().is_some_and(|it| it == "whl")).expect("a wheel")
    })
}

/// A clean environment with nothing but the wheel, without a network.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let program = environment(&own_folder().join("venv"));
        let install = ["-m", "pip", "install", "--quiet", "--no-index"].map(OsStr::new);
        python(&program, &own_folder(), install.into_iter().chain([wheel().as_os_str()]));
        program
    })
}

#[test]
fn every_case_is_ok_through_the_installed_wheel() {
    let program = root().join("bindings/python/tests/cases.py");
    run_cases(Command::new(installed()).arg(&program).env_clear());
    finds_what_is_wrong(Command::new(installed()).arg(&program).env_clear());
}

#[test]
fn mistakes_are_exceptions_threads_get_their_own_answers_and_the_log_ends_in_time() {
    let (simulator, folder) = (Simulator::start(), own_folder());
    let test = root().join("bindings/python/tests/package.py");
    let arguments = [test.as_os_str(), simulator.v2().as_ref(), folder.as_os_str()].map(OsStr::to_owned);
    assert_eq!(python(installed(), &folder, arguments), "ok\n");
}

#[test]
fn the_wheel_promises_what_its_library_keeps() {
    let name = wheel().file_name().unwrap().to_str().unwrap();
    let versions = output(Command::new("readelf").arg("-V").arg(library().join("libzvpos.so")), "binutils");
    let minors = versions.split("GLIBC_2.").skip(1).filter_map(|rest| {
        rest.split(|it: char| !it.is_ascii_digit()).next().and_then(|minor| minor.parse::<u32>().ok())
    });
    let (newest, machine) = (minors.max().unwrap(), std::env::consts::ARCH);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(name, format!("zvpos-{version}-py3-none-manylinux_2_{newest}_{machine}.whl"));
    // The files that a Linux machine cannot build.
    let script = "
import struct
from wheel_hook import platform_tag
def elf(word, machine, text): return b'\\x7fELF' + bytes([word]) + bytes(13) + struct.pack('<H', machine) + text
def pe(machine): return b'MZ' + bytes(58) + struct.pack('<I', 64) + b'PE\\0\\0' + struct.pack('<H', machine)
print(platform_tag(elf(2, 183, b'GLIBC_2.9 GLIBC_2.17')), platform_tag(elf(1, 40, b'GLIBC_2.17')), platform_tag(elf(1, 3, b'')),
      platform_tag(pe(0x14c)), platform_tag(pe(0x8664)))";
    let tags = python(tools(), &root().join("bindings/python"), ["-B", "-c", script]);
    assert_eq!(
        tags.trim(),
        "manylinux_2_17_aarch64 manylinux_2_17_armv7l musllinux_1_2_i686 win32 win_amd64"
    );
}

#[test]
fn the_types_hold_and_the_syntax_is_old_enough() {
    let package = root().join("bindings/python");
    let cache = own_folder();
    let mypy = ["-m", "mypy", "--strict", "--warn-unused-ignores", "--python-executable"].map(OsStr::new);
    let checked = [
        installed().as_os_str(),
        "--cache-dir".as_ref(),
        cache.as_os_str(),
        "src".as_ref(),
        "tests/cases.py".as_ref(),
        "tests/package.py".as_ref(),
    ];
    let said = python(tools(), &package, mypy.into_iter().chain(checked));
    assert!(said.starts_with("Success: no issues found in 8 source files"), "{said}");
    // Outside the package, so that only `py.typed` can provide the types.
    let folder = own_folder();
    fs::write(
        folder.join("till.py"),
        "import zvpos\nreveal_type(zvpos.Library('').consume(bizId='1').next)\n",
    )
    .unwrap();
    let outside = [OsStr::new("till.py"), "--cache-dir".as_ref(), folder.as_os_str()];
    let said = python(tools(), &folder, mypy.into_iter().chain([installed().as_os_str()]).chain(outside));
    assert!(
        said.contains("Revealed type is \"str\"") || said.contains("Revealed type is \"builtins.str\""),
        "{said}"
    );
    let script = "
import ast, pathlib
for file in pathlib.Path('src').rglob('*.py'):
    ast.parse(file.read_text('utf-8'), str(file), feature_version=(3, 7))
    print(file.name)";
    assert_eq!(python(tools(), &package, ["-c", script]).lines().count(), 6);
}

#[test]
fn the_pages_say_the_same_and_their_commands_end_with_what_they_show() {
    for page in pages("python") {
        let simulator = Simulator::start();
        let folder = till(&page, "python", "sale.py", &simulator);
        let mut shell = commands(&page, &folder);
        shell.env("PYTHONIOENCODING", "utf-8").env_remove("PYTHONPATH").env_remove("ZVPOS_LIBRARY");
        let said = output(&mut shell, "python3-venv");
        // pip prints before the program does.
        assert!(said.ends_with(&format!("\n{}", block(&page, "output"))), "{}: {said}", page.name);
    }
}
