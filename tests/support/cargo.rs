//! Cargo as a test calls it: the only place that knows how.

use std::env;
use std::path::Path;
use std::process::Command;

/// `cargo build` of the root package.
pub fn build(root: &Path, arguments: &[&str]) -> Command {
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
    cargo
}

/// Runs it; its errors end the test.
pub fn finish(cargo: &mut Command) {
    let output = cargo.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
