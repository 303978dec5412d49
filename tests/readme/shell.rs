//! Runs the pages' commands unchanged, one after the other in one shell, in a folder that looks like the repository,
//! so that their files do no harm. Only the two ports are replaced by free ones, also where `zv` uses them by
//! default, and the folders of the journals and of the user by the test's own.

use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use super::document::{Block, Document, looks_like};
use super::support;

/// The addresses that the pages use.
pub const GATEWAY: &str = "127.0.0.1:8080";
pub const ADMIN: &str = "127.0.0.1:8081";
const COLLECTOR: &str = "127.0.0.1:8443";

/// The folder of the pages' journals.
const JOURNALS: &str = "/var/tmp/zvpos";

/// The text with a folder of the test's own for its journals.
pub fn with_own_journals(text: &str, folder: &Path) -> String {
    text.replace(JOURNALS, &folder.join("target/journals").display().to_string())
}

/// The time limit of all commands of a page; the first ones build.
const SECONDS_MAX: &str = "1200";

/// A folder with links to everything in the repository, and a `cargo` that works in the repository itself.
pub fn lookalike(name: &str) -> PathBuf {
    let root = support::root();
    let folder = support::scratch().join(format!("readme-{}", name.replace(['/', '.'], "-")));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let release = folder.join("target/release");
    fs::create_dir_all(&release).unwrap();
    fs::create_dir_all(folder.join("target/bin")).unwrap();
    for entry in fs::read_dir(&root).unwrap() {
        let file = entry.unwrap().file_name();
        let text = file.to_string_lossy().into_owned();
        if text != "target" && text != ".git" && !text.starts_with("pay") {
            symlink(root.join(&file), folder.join(&file)).unwrap();
        }
    }
    let library = support::library();
    let built = support::scratch().parent().unwrap().join("release");
    symlink(library.join("libzvpos.so"), release.join("libzvpos.so")).unwrap();
    symlink(library.join("libzvpos.a"), release.join("libzvpos.a")).unwrap();
    symlink(built.join("zv"), release.join("zv")).unwrap();
    let cargo = folder.join("target/bin/cargo");
    let script = format!("#!/bin/sh\ncd '{}' && exec '{}' \"$@\"\n", root.display(), env!("CARGO"));
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A command with a person's shell environment, without what the test runner has set.
pub fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    for name in ["HOME", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    let own = folder.join("target/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(own).chain(env::split_paths(&path))).unwrap();
    command.env("PATH", path).env("LANG", "C.UTF-8").env("PYTHONIOENCODING", "utf-8");
    // The files that `zv` keeps for this user.
    command.env("XDG_STATE_HOME", folder.join("target/state"));
    command.env("XDG_CONFIG_HOME", folder.join("target/config"));
    command
}

/// Compiles a block with the strictest warnings; a block without `main` is only compiled.
pub fn compile(folder: &Path, source: &Path, whole: bool) -> Output {
    let mut cc = command("cc", folder);
    cc.args(["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Iinclude"]).arg(source);
    cc.arg("-o").arg(source.with_extension(if whole { "run" } else { "o" }));
    if whole {
        cc.args(["-Ltarget/release", "-lzvpos"]);
        cc.arg(support::rpath(support::library()));
    } else {
        cc.arg("-c");
    }
    cc.output().expect("cc: install gcc")
}

/// Runs the page's `sh` blocks in one bash. A block that is followed by an `output` block must print that; any other
/// must end with status 0, each of its commands. Returns the problems.
pub fn run(document: &Document) -> Vec<String> {
    let folder = lookalike(&document.name);
    let (gateway, admin, collector) = (free_port(), free_port(), free_port());
    let ported = |text: &str| {
        with_own_journals(text, &folder)
            .replace("zv sandbox --quiet", &format!("zv sandbox --listen {GATEWAY} --admin {ADMIN} --quiet"))
            .replace("--sandbox", &format!("--sandbox http://{GATEWAY}"))
            // The user's folder contains witnesses of journals of an earlier run, which no longer exist.
            .replace("zv doctor", "zv doctor --witness target/witness")
            .replace(GATEWAY, &format!("127.0.0.1:{gateway}"))
            .replace(ADMIN, &format!("127.0.0.1:{admin}"))
            .replace("zv collect serve", &format!("zv collect serve --listen {COLLECTOR}"))
            .replace(COLLECTOR, &format!("127.0.0.1:{collector}"))
    };
    for block in document.blocks.iter().filter(|block| block.language == "c") {
        if let Some(name) = block.file_name() {
            fs::write(folder.join(name), ported(&block.text)).unwrap();
        }
    }
    let commands: Vec<(&Block, Option<&Block>)> = document
        .blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| block.language == "sh")
        .map(|(at, block)| (block, document.blocks.get(at + 1).filter(|next| next.language == "output")))
        .collect();

    let open = |ports: &[u16]| -> Vec<String> {
        ports.iter().map(|port| format!("(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null")).collect()
    };
    let mut script = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n".to_owned();
    for (number, (block, output)) in commands.iter().enumerate() {
        let strict = if output.is_some() { "set +e" } else { "set -e" };
        let text = ported(&block.text);
        let starts = text.lines().any(|line| line.trim_end().ends_with('&'));
        let is_collector = text.contains("zv collect serve");
        let open = if is_collector { open(&[collector]) } else { open(&[gateway, admin]) };
        // A reader does not type so fast that a killed process still holds the ports.
        if starts {
            script += &wait_while(&open.join(" || "));
        }
        script += &["echo ", &number.to_string(), " > target/begun\n{\n", strict, "\n", &text].concat();
        script += &"} > target/N.out 2> target/N.err\nset +e\n".replace('N', &number.to_string());
        if starts {
            script += &wait_while(&format!("! {{ {}; }}", open.join(" && ")));
        }
    }
    script.push_str("echo all > target/begun\n");
    fs::write(folder.join("target/commands"), script).unwrap();
    let ended = command("timeout", &folder)
        .args(["--kill-after=10", SECONDS_MAX, "bash", "target/commands"])
        .output()
        .expect("bash");

    let kept = |file: String| fs::read_to_string(folder.join("target").join(file)).unwrap_or_default();
    let mut wrong = Vec::new();
    let begun = kept("begun".to_owned());
    for (number, (block, output)) in commands.iter().enumerate() {
        let place = format!("{}:{}", document.name, block.line);
        let (out, err) = (kept(format!("{number}.out")), kept(format!("{number}.err")));
        if begun.trim() == number.to_string() {
            wrong.push(format!("{place}: ended with {}\n{}{out}{err}", ended.status, block.text));
            break;
        }
        if let Some(output) = output
            && !looks_like(&out, &ported(&output.text))
        {
            wrong.push(format!("{place}: printed\n{out}{err}instead of\n{}", output.text));
        }
    }
    if wrong.is_empty() && begun.trim() != "all" {
        wrong.push(format!("{}: {}", document.name, String::from_utf8_lossy(&ended.stderr)));
    }
    wrong
}

/// A line of the script that waits while the condition holds, for ten seconds at most.
fn wait_while(so: &str) -> String {
    format!("for i in $(seq 200); do {{ {so}; }} || break; sleep 0.05; done\n")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port()
}
