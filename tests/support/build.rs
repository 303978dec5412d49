//! The shipped library and the C programs that link it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::cargo;
use super::shipped::{shipped, shipped_for_servers};

/// The folder of the root package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for files that the tests build and write.
pub fn scratch() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&path).unwrap();
    path
}

/// The folder of the release `libzvpos.so`; see [`shipped`].
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| shipped(&root(), &scratch()))
}

/// The folder of the `libzvpos.so` for servers; see [`shipped_for_servers`].
pub fn library_for_servers() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| shipped_for_servers(&root(), &scratch()))
}

/// The library with full debug information, which the shipped one does not have.
pub fn library_with_debug_info() -> PathBuf {
    cargo::finish(&mut cargo::build(&root(), &["--config", "profile.dev.package.zvpos.debug=true"]));
    let path = scratch().parent().unwrap().join("debug/libzvpos.so");
    assert!(path.is_file(), "no {}", path.display());
    path
}

/// How a C program is built and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// As a till would run it.
    Plain,
    /// Under `AddressSanitizer` with leak detection, and `UndefinedBehaviorSanitizer`.
    Sanitized,
    /// Under valgrind.
    Valgrind,
}

/// Whether unreachable memory counts as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It does.
    Leaks,
    /// It does not: a forked child keeps its parent's memory.
    NoLeaks,
}

/// The result of a program.
#[derive(Debug)]
pub struct Output {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A new folder that no other test uses.
pub fn own_folder() -> PathBuf {
    super::own_folder::own_folder(&scratch())
}

/// The folder in which a program looks for the library first: cargo's LD_LIBRARY_PATH names folders with others.
pub fn rpath(directory: &Path) -> String {
    format!("-Wl,--disable-new-dtags,-rpath,{}", directory.display())
}

/// Compiles `tests/c/<name>.c` against the library and returns the program's path.
pub fn program(name: &str, flavour: Flavour) -> PathBuf {
    linked(name, library(), flavour, scratch().join(format!("{name}-{flavour:?}").to_lowercase()))
}

/// As [`program`], against the library for servers.
pub fn program_for_servers(name: &str) -> PathBuf {
    linked(name, library_for_servers(), Flavour::Plain, scratch().join(format!("{name}-server")))
}

fn linked(name: &str, directory: &Path, flavour: Flavour, out: PathBuf) -> PathBuf {
    // Two tests may need the same program at once: each builds its own and the last one is kept.
    let own = out.with_extension(format!("{}-{:?}", std::process::id(), std::thread::current().id()));
    let mut cc = Command::new("cc");
    cc.args([
        "-std=c99",
        "-D_GNU_SOURCE",
        "-Wall",
        "-Wextra",
        "-pedantic",
        "-Werror",
        "-g",
        "-O1",
        "-pthread",
    ]);
    if flavour == Flavour::Sanitized {
        cc.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]);
    }
    cc.arg("-I").arg(root().join("include"));
    cc.arg(root().join("tests/c").join(format!("{name}.c")));
    cc.arg("-o").arg(&own).arg("-L").arg(directory).args(["-lzvpos", "-ldl"]);
    cc.arg(rpath(directory));
    let output = cc.output().expect("cc: install gcc");
    assert!(output.status.success(), "{name}.c: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&own, &out).unwrap();
    out
}

/// Compiles `tests/c/<name>.c` to a shared object that is loaded before the C library (`LD_PRELOAD`).
pub fn preload(name: &str) -> PathBuf {
    let out = own_folder().join(format!("{name}.so"));
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-pedantic", "-Werror", "-g", "-O1"]);
    cc.args(["-shared", "-fPIC", "-pthread"]);
    cc.arg(root().join("tests/c").join(format!("{name}.c"))).arg("-o").arg(&out).arg("-ldl");
    let output = cc.output().expect("cc: install gcc");
    assert!(output.status.success(), "{name}.c: {}", String::from_utf8_lossy(&output.stderr));
    out
}

/// Runs a C program under its flavour's tool.
pub fn run(name: &str, flavour: Flavour, leaks: Checked, arguments: &[&str]) -> Output {
    let program = program(name, flavour);
    // A program that hangs fails, too; a long soak is requested explicitly.
    let mut command = Command::new("timeout");
    command.arg(if name == "soak" { "0" } else { "300" });
    match flavour {
        Flavour::Plain => {}
        Flavour::Sanitized => {
            let detect = u8::from(leaks == Checked::Leaks);
            command.env("ASAN_OPTIONS", format!("detect_leaks={detect}:exitcode=9"));
        }
        Flavour::Valgrind => {
            let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
            assert!(found.is_ok(), "valgrind is missing: apt-get install valgrind");
            command.args([
                "valgrind",
                "--quiet",
                "--error-exitcode=9",
                "--fair-sched=yes",
                "--num-callers=30",
            ]);
            if leaks == Checked::Leaks {
                command.args(["--leak-check=full", "--errors-for-leak-kinds=definite"]);
                command.arg("--show-leak-kinds=definite");
            }
        }
    }
    command.arg(&program);
    let output = command.args(arguments).current_dir(own_folder()).output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a C program that checks things itself and then prints one line with the number of its checks. Any other
/// output comes from a failed check, from a checker, or from the library, which must not print.
pub fn run_checked(name: &str, flavour: Flavour, leaks: Checked, arguments: &[&str]) {
    let Output { code, stdout, stderr } = run(name, flavour, leaks, arguments);
    let count = stdout.strip_suffix(" checks\n").and_then(|count| count.parse::<u32>().ok());
    assert!(
        code == Some(0) && stderr.is_empty() && count.is_some_and(|count| count > 0),
        "{name} {flavour:?} ended with {code:?}\n{stdout}{stderr}"
    );
}
