//! Figures that do not depend on the machine's load: instructions and allocations of a call, in user space, counted
//! by valgrind. Counted twice, with more calls the second time: the difference is due to the calls.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Location;
use crate::peers::{CONSUME, CURL, QUOTE, SOCKET, request_file};
use crate::report::Report;
use crate::server::Server;

const FEW: u64 = 100;
const MANY: u64 = 600;

pub(crate) fn run(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        report.missing("instructions and allocations", "no valgrind", "apt-get install valgrind");
        return Ok(());
    }
    let built = |name: &str| place.program(name).display().to_string();
    let text = |path: &Path| path.display().to_string();
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let programs = [
        (SOCKET, vec![built("socket"), host, port, text(&request_file(place, server)?)]),
        (CURL, vec![built("curl"), server.endpoint()]),
        (QUOTE, vec![built("zvpos"), "quote".into(), text(&place.config(server, "counted-quote")?)]),
        (CONSUME, vec![built("zvpos"), "consume".into(), text(&place.config(server, "counted-consume")?)]),
    ];
    for (name, program) in programs {
        // A contestant that is not measured is not compiled.
        if report.of(name).is_none() {
            continue;
        }
        let instructions = difference(place, &program, instructions)?;
        let allocations = difference(place, &program, allocations)?;
        report.counts(name, instructions, allocations);
    }
    Ok(())
}

fn difference(
    place: &Location,
    program: &[String],
    count: impl Fn(&Location, &[String], u64) -> Result<u64, String>,
) -> Result<f64, String> {
    let few = count(place, program, FEW)?;
    let many = count(place, program, MANY)?;
    #[allow(clippy::cast_precision_loss, reason = "a figure to be printed with few digits")]
    Ok(many.saturating_sub(few) as f64 / (MANY - FEW) as f64)
}

fn instructions(place: &Location, program: &[String], calls: u64) -> Result<u64, String> {
    let out = place.folder.join("callgrind.out");
    let said =
        valgrind(&["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())], program, calls)?;
    number_behind(&said, "Collected : ")
}

fn allocations(_: &Location, program: &[String], calls: u64) -> Result<u64, String> {
    let said = valgrind(&["--tool=memcheck"], program, calls)?;
    number_behind(&said, "total heap usage: ")
}

fn valgrind(options: &[&str], program: &[String], calls: u64) -> Result<String, String> {
    let mut child = Command::new("valgrind")
        .args(options)
        .args(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("valgrind: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // If the program has ended already, its output tells why.
        let _ = writeln!(input, "{calls}");
    }
    let output = child.wait_with_output().map_err(|error| format!("{error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("{program:?} under valgrind: {said}")) }
}

fn number_behind(said: &str, words: &str) -> Result<u64, String> {
    let rest = said.split(words).nth(1).ok_or_else(|| format!("no {words:?} in {said}"))?;
    let digits: String =
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().map_err(|error| format!("{words}{digits}: {error}"))
}
