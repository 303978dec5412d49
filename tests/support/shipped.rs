//! The library as cargo builds it for a test: the only place that knows how a test calls cargo.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder of the release `libzvpos.so`: built here, so that no test ever uses an old one, or the one in
/// `ZVPOS_LIB_DIR`, to test a library that is about to be shipped. `scratch` is the test's `CARGO_TARGET_TMPDIR`.
pub fn shipped(root: &Path, scratch: &Path) -> PathBuf {
    if let Some(directory) = env::var_os("ZVPOS_LIB_DIR") {
        return fs::canonicalize(directory).expect("ZVPOS_LIB_DIR");
    }
    cargo_build(root, &["--release"]);
    let directory = scratch.parent().unwrap().join("release");
    assert!(directory.join("libzvpos.so").is_file(), "no libzvpos.so in {}", directory.display());
    directory
}

/// Builds the root package.
pub fn cargo_build(root: &Path, arguments: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "zvpos", "--message-format", "short"]).args(arguments);
    cargo.current_dir(root);
    // Build scripts would see cargo's variables for this test's own package as a change.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if own.iter().any(|prefix| text.starts_with(prefix))
            || ["CARGO_TARGET_TMPDIR", "OUT_DIR"].contains(&&*text)
        {
            cargo.env_remove(&name);
        }
    }
    let output = cargo.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
