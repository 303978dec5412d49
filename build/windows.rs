//! What a Windows DLL has beside its code: the list of its exports and its version resource.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::header::Function;

/// A module definition file, from which import libraries are made. The twins are decorated in it because the linker
/// looks for them so; the DLL exports them without, which is what `--kill-at` says to dlltool.
pub(crate) fn exports(functions: &[Function], with_twins: bool) -> String {
    let made_with = if with_twins {
        "; 32-bit: dlltool --kill-at -d zvpos-x86.def -l libzvpos.dll.a, llvm-dlltool -m i386 --kill-at …"
    } else {
        "; 64-bit: dlltool -d zvpos.def -l libzvpos.dll.a, llvm-dlltool -m i386:x86-64 …"
    };
    let mut lines = vec![
        "; Written from src/ by every build; do not edit.".to_owned(),
        made_with.to_owned(),
        "LIBRARY zvpos.dll".to_owned(),
        "EXPORTS".to_owned(),
    ];
    lines.extend(functions.iter().map(|function| format!("    {}", function.name)));
    if with_twins {
        let twin = |function: &Function| format!("    {}@{}", function.twin(), function.parameter_bytes());
        lines.extend(functions.iter().map(twin));
    }
    lines.join("\n") + "\n"
}

/// Tells the linker about the version resource, and to write no time into the DLL.
pub(crate) fn link(root: &Path) {
    println!("cargo:rustc-cdylib-link-arg=-Wl,--no-insert-timestamp");
    let object = resource(root);
    println!("cargo:rustc-cdylib-link-arg={}", object.display());
}

/// Compiles the version resource: what Explorer shows under Properties, and an installer compares.
fn resource(root: &Path) -> PathBuf {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let folder = PathBuf::from(variable("OUT_DIR"));
    let number = |part: &str| variable(&format!("CARGO_PKG_VERSION_{part}"));
    let numbers = format!("{},{},{},0", number("MAJOR"), number("MINOR"), number("PATCH"));
    let template = root.join("build/zvpos.rc");
    let text =
        fs::read_to_string(&template).unwrap_or_else(|error| panic!("{}: {error}", template.display()));
    let text = text.replace("@NUMBERS@", &numbers).replace("@VERSION@", &variable("CARGO_PKG_VERSION"));
    let script = folder.join("zvpos.rc");
    fs::write(&script, text).unwrap_or_else(|error| panic!("{}: {error}", script.display()));

    let prefix = if variable("CARGO_CFG_TARGET_ARCH") == "x86" { "i686" } else { "x86_64" };
    let windres = env::var("WINDRES").unwrap_or_else(|_| format!("{prefix}-w64-mingw32-windres"));
    println!("cargo:rerun-if-env-changed=WINDRES");
    let object = folder.join("version.o");
    let ran = Command::new(&windres)
        .current_dir(&folder)
        .args(["zvpos.rc", "-O", "coff", "-o", "version.o"])
        .status();
    match ran {
        Ok(status) if status.success() => object,
        Ok(status) => panic!("{windres}: {status}"),
        Err(error) => panic!("{windres}: {error}; it comes with mingw-w64, or set WINDRES"),
    }
}
