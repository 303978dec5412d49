//! The C# binding: one file, compiled once with C# 5, on mono and on `CoreCLR`; the table of cases, the checks that
//! only it has, and its pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "shared between the files of one test")]

mod binding;
#[path = "readme/check.rs"]
mod check;
#[path = "readme/document.rs"]
mod document;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use binding::{
    as_shown, of_this_version, old_library, output, pages, refuses_the_old_library, run_commands, run_own,
    shell, sources, till, tool,
};
use document::Document;
use support::{Simulator, finds_what_is_wrong, library, own_folder, run_cases};

/// Modern .NET, without its SDK.
const DOTNET: &str = "target/tools/dotnet/dnv/net/runtime/.net/dotnet";

/// The class library and the test program, in one folder.
fn test_program() -> PathBuf {
    let folder = own_folder();
    let (class_library, program) = (folder.join("Zvpos.dll"), folder.join("Cases.exe"));
    let mut mcs = compiler(&class_library);
    output(mcs.arg("-target:library").args(sources("csharp/src", "cs")), "mono-mcs");
    let mut mcs = compiler(&program);
    mcs.arg(format!("-r:{}", class_library.display())).args(sources("csharp/tests", "cs"));
    output(&mut mcs, "mono-mcs");
    program
}

/// The syntax that the compiler of .NET Framework accepts.
fn compiler(out: &Path) -> Command {
    let mut mcs = Command::new("mcs");
    mcs.args(["-langversion:5", "-warnaserror", "-warn:4"]).arg(format!("-out:{}", out.display()));
    mcs
}

fn on_mono(program: &Path) -> Command {
    let mut mono = Command::new("mono");
    mono.arg(program).env("LD_LIBRARY_PATH", library());
    mono
}

/// On modern .NET: writes the files that an SDK would generate for the program.
fn on_core(program: &Path) -> Command {
    let config = program.with_extension("runtimeconfig.json");
    let framework = r#"{"name": "Microsoft.NETCore.App", "version": "8.0.0"}"#;
    let invariant = r#"{"System.Globalization.Invariant": true}"#;
    fs::write(
        &config,
        format!(r#"{{"runtimeOptions": {{"framework": {framework}, "configProperties": {invariant}}}}}"#),
    )
    .unwrap();
    let mut dotnet = Command::new(tool(DOTNET));
    dotnet.args(["exec", "--runtimeconfig"]).arg(config).arg(program).env("LD_LIBRARY_PATH", library());
    dotnet
}

#[test]
fn every_case_is_ok_on_mono_and_on_core() {
    let program = test_program();
    run_cases(&mut on_mono(&program));
    run_cases(&mut on_core(&program));
    finds_what_is_wrong(&mut on_mono(&program));
    finds_what_is_wrong(&mut on_core(&program));
}

#[test]
fn objects_tasks_and_a_stop_are_what_they_should_be() {
    let program = test_program();
    run_own(&mut on_mono(&program), 10);
    run_own(&mut on_core(&program), 10);
}

#[test]
fn an_old_library_is_refused_at_the_start() {
    let program = test_program();
    let old = old_library();
    refuses_the_old_library(on_mono(&program).env("LD_LIBRARY_PATH", &old));
    refuses_the_old_library(on_core(&program).env("LD_LIBRARY_PATH", &old));
}

#[test]
fn the_pages_say_the_same_and_their_program_does_what_they_show() {
    for page in pages("csharp") {
        let simulator = Simulator::start();
        let folder = till(&page, "csharp", "Sale.cs", &simulator);
        as_shown(&page, &run_commands(&page, &folder));
        // On the other runtime the same sale is already paid.
        as_shown(&page, &output(&mut core_commands(&page, &folder), "the runtime"));
    }
}

/// The page's commands for modern .NET, its second ones, with a `dotnet` in the path.
fn core_commands(page: &Document, folder: &Path) -> Command {
    let mut blocks = page.blocks.iter().filter(|block| block.language == "sh").skip(1);
    let mut commands = shell(&blocks.next().expect("commands for modern .NET").text, folder);
    let mut path = tool(DOTNET).parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    commands.env("PATH", path);
    commands
}

#[test]
fn the_package_has_the_librarys_version() {
    of_this_version(&[("csharp/Zvpos.csproj", "<Version>"), ("csharp/Zvpos.nuspec", "<version>")]);
}
