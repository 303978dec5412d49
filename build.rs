//! Writes the header and the export lists from the sources, and sets what the linker must know about the shared library.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "build/header.rs"]
mod header;
#[path = "build/windows.rs"]
mod windows;

fn main() {
    for source in ["src", "cbindgen.toml", "build.rs", "build"] {
        println!("cargo:rerun-if-changed={source}");
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into()));
    let include = root.join("include");
    let header = header::Header::of(&root);
    write(&include.join("zvpos.h"), header.text());
    write(&include.join("zvpos.def"), &windows::exports(header.functions(), false));
    write(&include.join("zvpos-x86.def"), &windows::exports(header.functions(), true));
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => {
            // Plain cargo sets no SONAME. The library's threads and thread-locals do not survive an unload, so it
            // stays (`nodelete`). Symbols are bound at load time: a till finds a missing one at once.
            for argument in ["-Wl,-soname,libzvpos.so", "-Wl,-z,nodelete", "-Wl,-z,relro,-z,now"] {
                println!("cargo:rustc-cdylib-link-arg={argument}");
            }
        }
        Ok("windows") => windows::link(&root),
        _ => {}
    }
}

/// Writes a file only when it changed: a file that is always new makes every C build run again.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
