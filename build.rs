//! Writes include/zvpos.h from the sources, and sets what the linker must know about the shared library.

use std::path::Path;
use std::{env, fs};

fn main() {
    for source in ["src", "cbindgen.toml", "build.rs"] {
        println!("cargo:rerun-if-changed={source}");
    }
    write_header();
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Plain cargo sets no SONAME. The library's threads and thread-locals do not survive an unload, so it
        // stays (`nodelete`). Symbols are bound at load time: a till finds a missing one at once.
        for argument in ["-Wl,-soname,libzvpos.so", "-Wl,-z,nodelete", "-Wl,-z,relro,-z,now"] {
            println!("cargo:rustc-cdylib-link-arg={argument}");
        }
    }
}

fn write_header() {
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| ".".to_owned());
    let config = cbindgen::Config::from_file(Path::new(&root).join("cbindgen.toml"))
        .unwrap_or_else(|error| panic!("cbindgen.toml: {error}"));
    let mut header = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(Path::new(&root).join("src/calls.rs"))
        .with_src(Path::new(&root).join("src/callback.rs"))
        .generate()
        .unwrap_or_else(|error| panic!("cbindgen: {error}"))
        .write(&mut header);
    let header = with_calling_convention(&String::from_utf8_lossy(&header));
    let path = Path::new(&root).join("include/zvpos.h");
    // Only when it changed: a file that is always new makes every C build run again.
    if fs::read_to_string(&path).ok().as_deref() != Some(header.as_str()) {
        fs::write(&path, header).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// `char *zv_init(` as `char *ZV_CALL zv_init(`: the place where both MSVC and gcc take a calling convention,
/// and which cbindgen cannot fill. Rust's `# Safety` chapters say to Rust what the prose says to C.
fn with_calling_convention(header: &str) -> String {
    let mut out = String::new();
    let mut in_safety = false;
    for line in header.lines() {
        let trimmed = line.trim();
        if trimmed == "* # Safety" {
            in_safety = true;
            // The empty comment line before it.
            while out.ends_with(" *\n") {
                out.truncate(out.len() - 3);
            }
        }
        if trimmed == "*/" {
            in_safety = false;
        }
        if in_safety {
            continue;
        }
        let is_comment = trimmed.starts_with(['*', '/']);
        match line.find("zv_").filter(|_| !is_comment) {
            Some(at)
                if line
                    .get(at..)
                    .is_some_and(|rest| rest.contains('(') && !rest.starts_with("zv_log_fn")) =>
            {
                out.push_str(&line[..at]);
                out.push_str("ZV_CALL ");
                out.push_str(&line[at..]);
            }
            _ => out.push_str(
                &line
                    .replace("(*zv_log_fn)", "(ZV_CALL *zv_log_fn)")
                    // `//` is no comment in C89.
                    .replace("// __cplusplus", "/* __cplusplus */")
                    .replace("// extern \"C\"", "/* extern \"C\" */"),
            ),
        }
        out.push('\n');
    }
    out
}
