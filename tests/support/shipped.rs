//! The library as cargo builds it for a test.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::cargo::{build, finish};

/// The folder of the release `libzvpos.so`: built here, so that no test ever uses an old one, or the one in
/// `ZVPOS_LIB_DIR`, to test a library that is about to be shipped. `scratch` is the test's `CARGO_TARGET_TMPDIR`.
pub fn shipped(root: &Path, scratch: &Path) -> PathBuf {
    if let Some(directory) = env::var_os("ZVPOS_LIB_DIR") {
        return fs::canonicalize(directory).expect("ZVPOS_LIB_DIR");
    }
    finish(&mut build(root, &["--release"]));
    let directory = scratch.parent().unwrap().join("release");
    assert!(directory.join("libzvpos.so").is_file(), "no libzvpos.so in {}", directory.display());
    directory
}
