//! What a C programmer links: the header compared with the symbols, every language standard, and the file itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Checked, Flavour, library, own_folder, root, rpath, run_checked, scratch};

fn header() -> String {
    fs::read_to_string(root().join("include/zvpos.h")).unwrap()
}

/// The output of a command, which must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn readelf(option: &str) -> String {
    output(Command::new("readelf").arg(option).arg("-W").arg(library().join("libzvpos.so")))
}

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    let text = header();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/'])).collect();
    let after = code.split("ZV_CALL ").skip(1);
    after
        .filter_map(|rest| rest.split_once('('))
        .map(|(name, _)| name.to_owned())
        .filter(|n| n.starts_with("zv_"))
        .collect()
}

#[test]
fn the_header_names_exactly_what_the_library_exports() {
    let names = output(Command::new("nm").args(["-D", "--defined-only"]).arg(library().join("libzvpos.so")));
    let exported: BTreeSet<String> =
        names.lines().map(|line| line.split_whitespace().last().unwrap().to_owned()).collect();
    assert_eq!(declared(), exported);
    assert!(exported.len() >= 12 && exported.iter().all(|name| name.starts_with("zv_")), "{exported:?}");
}

/// Runs the header generator again on a copy, so that a header that was edited by hand or not regenerated is
/// detected.
#[test]
fn the_header_is_what_the_sources_give() {
    let directory = scratch().join("header");
    let _ = fs::remove_dir_all(&directory);
    for folder in ["src", "include"] {
        fs::create_dir_all(directory.join(folder)).unwrap();
    }
    fs::copy(root().join("cbindgen.toml"), directory.join("cbindgen.toml")).unwrap();
    // Folders of modules hold only tests, which are no part of the interface.
    let sources = fs::read_dir(root().join("src")).unwrap().map(|file| file.unwrap());
    for file in sources.filter(|file| file.path().is_file()) {
        fs::copy(file.path(), directory.join("src").join(file.file_name())).unwrap();
    }
    let mut generator = Command::new(generator());
    output(
        generator
            .current_dir(&directory)
            .env("CARGO_MANIFEST_DIR", &directory)
            .env("CARGO_CFG_TARGET_OS", ""),
    );
    for file in ["zvpos.h", "zvpos.def", "zvpos-x86.def"] {
        let text = |folder: &Path| fs::read_to_string(folder.join("include").join(file)).unwrap();
        assert_eq!(text(&directory), text(&root()), "{file}");
    }
}

/// The build script of the root package, built together with the library: the newest of its name.
fn generator() -> PathBuf {
    library();
    let build = scratch().parent().unwrap().join("release/build");
    let found = fs::read_dir(build).unwrap().filter_map(|entry| {
        let entry = entry.unwrap();
        let script = entry.path().join("build-script-build");
        let hash = entry.file_name().to_string_lossy().strip_prefix("zvpos-")?.to_owned();
        let own = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some((own.then(|| fs::metadata(&script).ok()?.modified().ok())??, script))
    });
    found.max().expect("the build script of zvpos").1
}

/// In a checkout with committed sources the committed header matches them. (The build has already regenerated the
/// file, so only git knows the committed one.)
#[test]
fn the_committed_header_is_this_one() {
    let git = |arguments: &[&str]| Command::new("git").current_dir(root()).args(arguments).output().ok();
    let clean = |paths: &[&str]| {
        git(&[&["diff", "--quiet", "HEAD", "--"], paths].concat())
            .is_some_and(|output| output.status.success())
    };
    if clean(&["src", "build.rs", "build", "cbindgen.toml"]) {
        let written = ["include/zvpos.h", "include/zvpos.def", "include/zvpos-x86.def"];
        assert!(clean(&written), "{written:?} are not committed as they are: git diff include");
    }
}

/// The macro of `src/stdcall.rs` lists every function; a missing one would be declared and not exported.
#[test]
fn every_function_has_a_stdcall_twin() {
    let text = header();
    let twins = text.lines().filter_map(|line| line.split_once("__stdcall zvs_")?.1.split_once('('));
    let declared_twins: BTreeSet<String> = twins.map(|(name, _)| format!("zv_{name}")).collect();
    assert_eq!(declared_twins, declared());
    let source = fs::read_to_string(root().join("src/stdcall.rs")).unwrap();
    for name in declared_twins {
        let twin = name.replacen("zv_", "zvs_", 1);
        let written = [format!("{twin} = {name}("), format!("fn {twin}(")];
        assert!(written.iter().any(|text| source.contains(text)), "{twin} is not in src/stdcall.rs");
    }
}

const COMPILERS: &[(&str, &[&str])] = &[
    ("cc -x c", &["gnu89", "c89", "c99", "gnu99", "c11", "c17"]),
    ("c++ -x c++", &["c++11", "c++14", "c++17", "c++20"]),
];

/// Compiles two units that include the header (once, and twice), links them with the library, and runs the program.
#[test]
fn the_header_compiles_alone_in_every_standard() {
    let directory = scratch().join("standards");
    fs::create_dir_all(&directory).unwrap();
    let alone = "#include \"zvpos.h\"\n#include \"zvpos.h\"\n";
    let one = format!("{alone}int other(void);\nint main(void) {{ return other() - ZV_ABI_VERSION; }}\n");
    let two = format!(
        "{alone}int other(void);\nint other(void) {{ char *a = zv_shutdown(); int o = zv_outcome(a); zv_free(a);\n\
         return o == ZV_INVALID ? (int)zv_abi_version() : -1; }}\n"
    );
    fs::write(directory.join("one"), one).unwrap();
    fs::write(directory.join("two"), two).unwrap();
    for (compiler, standards) in COMPILERS {
        for standard in *standards {
            let words: Vec<&str> = compiler.split(' ').collect();
            let program = directory.join(format!("program-{standard}"));
            let mut command = Command::new(words[0]);
            command.current_dir(&directory).arg(format!("-std={standard}"));
            command.args([
                "-Wall",
                "-Wextra",
                "-pedantic",
                "-Werror",
                "-Wstrict-aliasing",
                "-Wundef",
                "-Wshadow",
            ]);
            if standard.ends_with("89") {
                command.arg("-Wno-long-long");
            }
            if words[0] == "cc" {
                command.args(["-Wstrict-prototypes", "-Wmissing-prototypes"]);
            }
            command
                .arg("-I")
                .arg(root().join("include"))
                .args(&words[1..])
                .args(["one", "two", "-x", "none"]);
            link(&mut command, &program);
            output(&mut command);
            output(&mut Command::new(&program));
        }
    }
}

fn link(command: &mut Command, program: &Path) {
    command.arg("-o").arg(program).arg("-L").arg(library()).arg("-lzvpos");
    command.arg(rpath(library()));
}

#[test]
fn the_shared_library_is_named_stays_and_needs_no_executable_stack() {
    let dynamic = readelf("-d");
    assert!(dynamic.contains("Library soname: [libzvpos.so]"), "{dynamic}");
    let flags = dynamic.lines().find(|line| line.contains("(FLAGS_1)")).unwrap();
    assert!(flags.contains("NODELETE") && flags.contains("NOW"), "{flags}");
    assert!(!dynamic.contains("TEXTREL"), "{dynamic}");
    assert!(!dynamic.contains("RPATH") && !dynamic.contains("RUNPATH"), "{dynamic}");
    let stack = readelf("-l").lines().find(|line| line.contains("GNU_STACK")).unwrap().to_owned();
    assert!(stack.contains(" RW ") && !stack.contains("RWE"), "{stack}");
    let needed: BTreeSet<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .map(|line| line.split(['[', ']']).nth(1).unwrap())
        .collect();
    let libc = BTreeSet::from([
        "libc.so.6",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "libdl.so.2",
        "ld-linux-x86-64.so.2",
    ]);
    assert!(needed.is_subset(&libc), "a till has no other libraries: {needed:?}");
}

#[test]
fn the_shared_library_is_loaded_unloaded_and_loaded_again() {
    let library = library().join("libzvpos.so");
    run_checked("reload", Flavour::Plain, Checked::Leaks, &[library.to_str().unwrap()]);
}

#[test]
fn the_static_library_links_too() {
    let program = scratch().join("static");
    let mut command = Command::new("cc");
    command.args(["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I"]).arg(root().join("include"));
    command.arg(root().join("examples/c/till.c")).arg("-o").arg(&program).arg(library().join("libzvpos.a"));
    // The libraries that std needs: `rustc --print native-static-libs`.
    command.args(["-lpthread", "-ldl", "-lm", "-lgcc_s"]);
    output(&mut command);
    // Nothing listens at that address: the request must be reported as not sent, without a crash.
    let run = Command::new(&program)
        .arg("http://127.0.0.1:1/api/v2")
        .arg(own_folder().join("till.db"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && text.contains("outcome 3  code ZV-CONNECT"), "{text}");
}

#[test]
fn the_example_is_under_sixty_lines() {
    let example = fs::read_to_string(root().join("examples/c/till.c")).unwrap();
    let lines = example.lines().count();
    assert!(lines < 60, "{lines}");
}
