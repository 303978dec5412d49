//! The ABI that a till built against an earlier version relies on: functions, their types, constants, and the oldest
//! supported systems. `tests/abi` holds the baseline; additions are allowed (`make abi-baseline`), changes are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::{library, library_with_debug_info, root, scratch};

fn baseline(file: &str) -> PathBuf {
    root().join("tests/abi").join(file)
}

/// The baseline under this name; with `ZVPOS_WRITE_BASELINE` it is written first.
fn promised(file: &str, now: &str) -> String {
    if std::env::var_os("ZVPOS_WRITE_BASELINE").is_some() {
        fs::write(baseline(file), now).unwrap();
    }
    fs::read_to_string(baseline(file)).unwrap()
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Checks that no function of a list in `tests/abi` is missing.
fn all_there(file: &str, exported: &BTreeSet<String>) {
    let now = exported.iter().fold(String::new(), |text, name| text + name + "\n");
    let missing: Vec<String> = lines(&promised(file, &now)).difference(exported).cloned().collect();
    assert!(missing.is_empty(), "{file}: a till that calls {missing:?} does not start any more");
}

fn exports_of_linux(library: &Path) -> BTreeSet<String> {
    let names = output(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    names.lines().map(|line| line.split_whitespace().last().unwrap().to_owned()).collect()
}

/// The names in a module definition file, as the DLL exports them.
fn exports_of_definition(file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("include").join(file)).unwrap();
    let (_, names) = text.split_once("EXPORTS\n").unwrap();
    names.lines().map(|name| name.trim().split('@').next().unwrap().to_owned()).collect()
}

#[test]
fn no_function_is_gone() {
    all_there("exports-linux.txt", &exports_of_linux(&library().join("libzvpos.so")));
    all_there("exports-windows.txt", &exports_of_definition("zvpos.def"));
    all_there("exports-windows-x86.txt", &exports_of_definition("zvpos-x86.def"));
}

/// The `#define NAME number` lines of the header.
fn constants(text: &str) -> BTreeMap<String, i64> {
    let defined = text.lines().filter_map(|line| line.strip_prefix("#define ZV_")?.split_once(' '));
    defined.filter_map(|(name, value)| Some((format!("ZV_{name}"), value.trim().parse().ok()?))).collect()
}

#[test]
fn no_constant_has_another_value() {
    let header = constants(&fs::read_to_string(root().join("include/zvpos.h")).unwrap());
    let now: Vec<String> = header.iter().map(|(name, value)| format!("#define {name} {value}\n")).collect();
    let now = now.concat();
    for (name, value) in constants(&promised("constants.txt", &now)) {
        let today = header.get(&name);
        // The one constant that grows.
        let stands = if name == "ZV_ABI_VERSION" { today >= Some(&value) } else { today == Some(&value) };
        assert!(stands, "{name} was {value} and is {today:?}: tills have it compiled in");
    }
}

/// A till can detect an added function only by the version.
#[test]
fn an_addition_raises_the_version() {
    let read = |file: &str| fs::read_to_string(baseline(file)).unwrap();
    let exported = exports_of_linux(&library().join("libzvpos.so"));
    let added = exported.difference(&lines(&read("exports-linux.txt"))).count();
    let header = constants(&fs::read_to_string(root().join("include/zvpos.h")).unwrap());
    let raised = header["ZV_ABI_VERSION"] - constants(&read("constants.txt"))["ZV_ABI_VERSION"];
    assert!(added == 0 || raised > 0, "{added} functions were added: raise ZV_ABI_VERSION");
}

/// The functions and the types that they use, from the debug information.
fn described() -> String {
    let mut abidw = Command::new("abidw");
    abidw.args(["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"]).arg(library_with_debug_info());
    let mut described = abidw.stdout(Stdio::piped()).spawn().expect("abidw: install abigail-tools");
    let slice =
        output(Command::new("python3").arg(baseline("slice.py")).stdin(described.stdout.take().unwrap()));
    assert!(described.wait().unwrap().success());
    slice
}

/// abidiff's report on a change from one description to another; `None` for no change.
fn difference(before: &Path, now: &str, name: &str) -> Option<String> {
    let file = scratch().join(name);
    fs::write(&file, now).unwrap();
    let found =
        Command::new("abidiff").args(["--no-added-syms", "--harmless"]).arg(before).arg(&file).output();
    let found = found.expect("abidiff: install abigail-tools");
    (!found.status.success()).then(|| String::from_utf8_lossy(&found.stdout).into_owned())
}

#[test]
fn no_function_has_another_type() {
    let now = described();
    promised("zvpos.abi", &now);
    let before = baseline("zvpos.abi");
    let changed = difference(&before, &now, "now.abi");
    assert!(changed.is_none(), "{}", changed.unwrap());
    // The checker detects an added parameter, another width and a removed function.
    let wider = now.replace("name=\"i32\" size-in-bits=\"32\"", "name=\"i64\" size-in-bits=\"64\"");
    let longer = now.replace("name=\"ticket\" />", "name=\"ticket\" /><parameter type-id=\"type-id-1\" />");
    let gone = now.replace("zv_poll_json", "zv_pool_json");
    for (name, planted) in [("wider", wider), ("longer", longer), ("gone", gone)] {
        assert_ne!(planted, now, "{name}");
        assert!(difference(&before, &planted, &format!("{name}.abi")).is_some(), "{name} is not found");
    }
}

/// The libraries in `target/shipped`, by the name of their target.
fn shipped() -> BTreeMap<String, PathBuf> {
    let wanted = std::env::var("ZVPOS_TARGETS").unwrap_or_default();
    let wanted = lines(&wanted.replace(' ', "\n"));
    let folders = fs::read_dir(root().join("target/shipped")).expect("packaging/build.sh");
    let all = folders.map(|folder| folder.unwrap());
    let named = all.map(|folder| (folder.file_name().into_string().unwrap(), folder.path()));
    named.filter(|(name, _)| wanted.is_empty() || wanted.contains(name)).collect()
}

#[test]
#[ignore = "needs the libraries of every target: make targets"]
fn the_shipped_libraries_export_all_that_was_promised() {
    for (target, folder) in shipped() {
        let (file, exported) = if target.contains("linux") {
            ("exports-linux.txt", exports_of_linux(&folder.join("libzvpos.so")))
        } else {
            let listed = output(Command::new("objdump").arg("-p").arg(folder.join("zvpos.dll")));
            let (_, names) = listed.split_once("[Ordinal/Name Pointer] Table").expect("exports");
            let names = names.lines().map_while(|line| {
                let name = line.split_once(']').map(|(_, name)| name.trim().to_owned());
                if line.is_empty() { Some(String::new()) } else { name }
            });
            let x86 = target.starts_with("i686");
            let file = if x86 { "exports-windows-x86.txt" } else { "exports-windows.txt" };
            (file, names.filter(|name| !name.is_empty()).collect())
        };
        let promised = lines(&fs::read_to_string(baseline(file)).unwrap());
        assert_eq!(exported, promised, "{target}");
        println!("{target}: {} functions", exported.len());
    }
}

/// A program that was linked with one library starts with the other.
#[test]
#[ignore = "needs the libraries of every target: make targets"]
fn the_linux_libraries_have_one_name() {
    for (target, folder) in shipped().into_iter().filter(|(target, _)| target.contains("linux")) {
        let entries = output(Command::new("readelf").args(["-d", "-W"]).arg(folder.join("libzvpos.so")));
        let name = entries.lines().find(|line| line.contains("(SONAME)")).expect("a name");
        assert!(name.ends_with("[libzvpos.so]"), "{target}: {name}");
    }
}

/// CentOS 7, and other systems of a till from 2014.
const OLDEST_GLIBC: (u32, u32) = (2, 17);

#[test]
#[ignore = "needs the libraries of every target: make targets"]
fn the_linux_libraries_need_no_newer_glibc() {
    for (target, folder) in shipped().into_iter().filter(|(target, _)| target.contains("linux")) {
        let versions = output(Command::new("readelf").args(["-V", "-W"]).arg(folder.join("libzvpos.so")));
        let needed = versions.split("GLIBC_").skip(1).filter_map(|rest| {
            let number = rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
            let mut parts = number.split('.').map(str::parse::<u32>);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        });
        let newest = needed.max();
        assert_eq!(newest.is_none(), target.ends_with("musl"), "{target}: {newest:?}");
        assert!(newest <= Some(OLDEST_GLIBC), "{target} needs glibc {newest:?}");
        println!("{target}: glibc {newest:?}");
    }
}

/// The functions that a DLL imports from the system, one `kernel32.dll CreateFileW` per line.
fn imports(dll: &Path) -> BTreeSet<String> {
    let listed = output(Command::new("objdump").arg("-p").arg(dll));
    let mut library = String::new();
    let mut found = BTreeSet::new();
    for line in listed.lines() {
        if let Some((_, name)) = line.split_once("DLL Name: ") {
            library = name.to_ascii_lowercase();
        } else if library.is_empty() || line.starts_with("There is an export table") {
            library.clear();
        } else {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Address, hint and name of one function.
            if let [address, hint, name] = words[..]
                && u64::from_str_radix(address, 16).is_ok()
                && hint.parse::<u32>().is_ok()
            {
                found.insert(format!("{library} {name}"));
            }
        }
    }
    found
}

/// `windows7.txt` is maintained by hand: a line is added only if Microsoft's page says that Windows 7 has the
/// function.
#[test]
#[ignore = "needs the libraries of every target: make targets"]
fn the_dlls_import_only_what_windows_7_has() {
    let known = lines(&fs::read_to_string(baseline("windows7.txt")).unwrap());
    for (target, folder) in shipped().into_iter().filter(|(target, _)| target.contains("windows")) {
        let imported = imports(&folder.join("zvpos.dll"));
        assert!(imported.len() > 50, "{target}: {imported:?}");
        let unknown: Vec<&String> = imported.difference(&known).collect();
        assert!(unknown.is_empty(), "{target}: does Windows 7 have {unknown:#?}?");
        println!("{target}: {} functions of the system", imported.len());
    }
}
