//! The shipped library, the sample tills built against it, and a run of the certifier over one of them.
// Each test file uses a part of this module.
#![allow(dead_code, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

#[path = "../../../tests/support/cargo.rs"]
mod cargo;
#[path = "../../../tests/support/own_folder.rs"]
mod own_folder;
#[path = "../../../tests/support/shipped.rs"]
mod shipped;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use zvpos_certify::{Options, Report, run};

/// The root folder of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A new folder for one caller.
pub fn own_folder() -> PathBuf {
    own_folder::own_folder(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// The folder of the release `libzvpos.so`; see [`shipped::shipped`].
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| shipped::shipped(&root(), Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

fn output(command: &mut Command, install: &str) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("install {install}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// `examples/certify/c/till.c`, built as its heading says.
pub fn c_till() -> Vec<OsString> {
    let program = own_folder().join("till");
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O1", "-Iinclude"]);
    cc.arg("examples/certify/c/till.c").arg("-o").arg(&program).arg("-L").arg(library()).arg("-lzvpos");
    // Before cargo's LD_LIBRARY_PATH, which names a folder with another one.
    cc.arg(format!("-Wl,--disable-new-dtags,-rpath,{}", library().display())).current_dir(root());
    output(&mut cc, "gcc");
    vec![program.into()]
}

/// `examples/certify/csharp/Till.cs`.
pub fn csharp_till() -> Vec<OsString> {
    let program = own_folder().join("Till.exe");
    let mut mcs = Command::new("mcs");
    mcs.arg("-warnaserror").arg(format!("-out:{}", program.display()));
    output(mcs.arg("examples/certify/csharp/Till.cs").current_dir(root()), "mono-mcs");
    vec!["mono".into(), program.into()]
}

/// A program in `examples/certify/python`.
pub fn python_till(program: &str) -> Vec<OsString> {
    // The interpreter itself: a launcher in front of it would start more than a hundred times.
    let mut python = Command::new("python3");
    let interpreter = output(python.args(["-c", "import sys; print(sys.executable)"]), "python3");
    vec![interpreter.into(), root().join("examples/certify/python").join(program).into()]
}

/// A till that is a line of shell script.
pub fn shell_till(script: &str) -> Vec<OsString> {
    ["sh", "-c", script].map(OsString::from).to_vec()
}

/// The options for certifying a till.
pub fn options(till: Vec<OsString>) -> Options {
    let mut options = Options::new(till, own_folder());
    let library = library();
    options.environment = vec![
        ("LD_LIBRARY_PATH".into(), library.into()),
        ("ZVPOS_LIBRARY".into(), library.join("libzvpos.so").into()),
        // Writes no file that the next run would find.
        ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
    ];
    options
}

/// Certifies a till, and prints the failures and their reasons to the test's output.
pub fn certify(options: &Options) -> Report {
    let report = run(options, &|_| {}).unwrap();
    for one in report.scenarios.iter().filter(|one| !one.passed) {
        println!("{}", one.id);
        for finding in &one.findings {
            println!("    {} {:?}: {}", finding.rule.word(), finding.sale, finding.seen.en);
        }
        println!("    {}", one.stderr);
    }
    println!("{} of {} passed", report.passed, report.scenarios.len());
    report
}
