//! The library as cargo builds it for a test.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::cargo::{build, finish};

/// The folder of the release `libzvpos.so`: built here, so that no test ever uses an old one, or the one in
/// `ZVPOS_LIB_DIR`, to test a library that is about to be shipped. `scratch` is the test's `CARGO_TARGET_TMPDIR`.
pub fn shipped(root: &Path, scratch: &Path) -> PathBuf {
    built(root, scratch, "ZVPOS_LIB_DIR", &["--release"], "release")
}

/// As [`shipped`], of the library for servers; `ZVPOS_SERVER_LIB_DIR` names another one.
pub fn shipped_for_servers(root: &Path, scratch: &Path) -> PathBuf {
    built(root, scratch, "ZVPOS_SERVER_LIB_DIR", &["--profile", "server", "--features", "postgres"], "server")
}

fn built(root: &Path, scratch: &Path, instead: &str, arguments: &[&str], profile: &str) -> PathBuf {
    if let Some(directory) = env::var_os(instead) {
        return fs::canonicalize(directory).expect(instead);
    }
    finish(&mut build(root, arguments));
    let directory = scratch.parent().unwrap().join(profile);
    assert!(directory.join("libzvpos.so").is_file(), "no libzvpos.so in {}", directory.display());
    directory
}
