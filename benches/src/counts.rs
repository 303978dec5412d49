//! Figures that do not depend on the machine's load. Instructions and allocations, in user space, are counted by
//! valgrind, system calls by strace, cache flushes and bytes by the kernel at a loop device of their own. Where a
//! process is counted twice, with more calls the second time, the difference is due to the calls.
//!
//! Of the thread that calls, only the calls are counted. What has to be done for the journal outside of them it shares with
//! the thread in the background, and which of the two does it differs from process to process, on a quiet machine, too. In
//! the difference of two whole threads a start that took 76 system calls more was a quarter of a call per quote, and 25
//! million instructions outside of the calls were 84,000 per consume.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Location;
use crate::bounds::{self, Bound};
use crate::contestant::Contestant;
use crate::disk::Disk;
use crate::gateway::Gateway;
use crate::peers::{
    self, CONSUME, CURL, CURL_SECURE, LOOP, QUOTE, QUOTE_SECURE, SOCKET, STRACE, VALGRIND, is_there,
    request_file,
};
use crate::report::Report;
use crate::server::Server;

const FEW: u64 = 50;
const MANY: u64 = 350;

/// Sales of a till from its start to its stop.
const WHOLE: usize = 1000;
/// A till that rests between its sales.
const SLOW: usize = 200;
const REST: Duration = Duration::from_millis(50);

pub(crate) fn run(place: &Location, gateway: &Gateway, report: &mut Report) -> Result<(), String> {
    let mut there = |tool: &peers::Tool, what: &str| {
        let there = is_there(place, tool);
        if !there {
            report.missing(what, tool.why, tool.install);
        }
        there
    };
    let valgrind = there(&VALGRIND, "instructions and allocations");
    let strace = there(&STRACE, "system calls");
    let mountable = there(&LOOP, "cache flushes and KB to the device");
    if valgrind {
        contestants(place, gateway, report)?;
    }
    if valgrind && strace {
        calling_thread(place, &gateway.plain, report)?;
    }
    if mountable {
        devices(place, &gateway.plain, report)?;
    }
    Ok(())
}

/// Instructions and allocations of the contestants in C, all threads together.
fn contestants(place: &Location, gateway: &Gateway, report: &mut Report) -> Result<(), String> {
    let server = &gateway.plain;
    let built = |name: &str| place.program(name).display().to_string();
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let mut programs = vec![
        (SOCKET, vec![built("socket"), host, port, text(&request_file(place, server)?)]),
        (CURL, vec![built("curl"), server.endpoint()]),
        (QUOTE, vec![built("zvpos"), "quote".into(), text(&place.config(server, "counted-quote")?)]),
        (CONSUME, vec![built("zvpos"), "consume".into(), text(&place.config(server, "counted-consume")?)]),
    ];
    if let Ok(secure) = gateway.secure() {
        let config = place.secure_config(gateway, secure.address, "counted-https")?;
        programs.push((QUOTE_SECURE, vec![built("zvpos"), "quote".into(), text(&config)]));
        programs.push((CURL_SECURE, vec![built("curl"), secure.endpoint(), text(&gateway.ca())]));
    }
    for (name, program) in programs {
        // A contestant that is not measured is not compiled.
        if report.of(name).is_none() {
            continue;
        }
        make_journal(&program)?;
        let instructions = difference(|calls| instructions(place, &program, calls))?;
        let allocations = difference(|calls| allocations(&program, calls))?;
        report.counts(name, instructions, allocations);
    }
    Ok(())
}

/// System calls and instructions of the thread that calls, and the instructions of a whole process.
pub(crate) fn calling_thread(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    for (what, calls, instructions) in [
        ("quote", &bounds::QUOTE_CALLS, &bounds::QUOTE_INSTRUCTIONS),
        ("consume", &bounds::CONSUME_CALLS, &bounds::CONSUME_INSTRUCTIONS),
    ] {
        let program = till(place, server, what, &format!("calling-{what}"))?;
        make_journal(&program)?;
        report.count(calls, system_calls(place, &program)?);
        report.count(
            instructions,
            difference(|calls| instructions_of_the_caller(place, &program, what, calls))?,
        );
    }
    let program = till(place, server, "consume", "whole")?;
    make_journal(&program)?;
    let whole = instructions(place, &program, WHOLE as u64)?;
    report.count(&bounds::WHOLE_INSTRUCTIONS, average(whole, WHOLE as u64));
    Ok(())
}

/// Cache flushes and KB at the device, background work included.
pub(crate) fn devices(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    let disk = Disk::in_memory("counted", place.folder.join("counted-disk"))?;
    let own = place.with_folder(disk.folder.clone());
    let start = || {
        let mut command = peers::zvpos(&own, server, "consume")?;
        Contestant::start(CONSUME, &mut command)
    };
    // The first process makes the journal.
    start()?.calls(1)?;

    let mut till = start()?;
    let count = |till: &mut Contestant, sales: usize| {
        let before = disk.traffic()?;
        till.calls(sales)?;
        Ok::<_, String>(disk.traffic()?.each(before, sales))
    };
    let both = |report: &mut Report, [flushes, kb]: [&Bound; 2], counted: [f64; 2]| {
        report.count(flushes, counted[0]);
        report.count(kb, counted[1]);
    };
    both(report, [&bounds::FIRST_FLUSHES, &bounds::FIRST_KB], count(&mut till, 50)?);
    till.calls(200)?;
    both(report, [&bounds::LATER_FLUSHES, &bounds::LATER_KB], count(&mut till, 400)?);
    drop(till);

    let before = disk.traffic()?;
    start()?.calls(WHOLE)?;
    both(report, [&bounds::WHOLE_FLUSHES, &bounds::WHOLE_KB], disk.traffic()?.each(before, WHOLE));

    let before = disk.traffic()?;
    let mut till = start()?;
    for _ in 0..SLOW {
        till.calls(1)?;
        thread::sleep(REST);
    }
    drop(till);
    both(report, [&bounds::SLOW_FLUSHES, &bounds::SLOW_KB], disk.traffic()?.each(before, SLOW));
    Ok(())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A till in C with a journal of its own.
fn till(place: &Location, server: &Server, what: &str, journal: &str) -> Result<Vec<String>, String> {
    Ok(vec![text(&place.program("zvpos")), what.to_owned(), text(&place.config(server, journal)?)])
}

/// One call, uncounted: the first process makes the journal, which is no part of a later one's work.
fn make_journal(program: &[String]) -> Result<(), String> {
    under("env", &[], program, &line(1)).map(drop)
}

fn difference(count: impl Fn(u64) -> Result<u64, String>) -> Result<f64, String> {
    let few = count(FEW)?;
    Ok(average(count(MANY)?.saturating_sub(few), MANY - FEW))
}

#[allow(clippy::cast_precision_loss, reason = "a figure to be printed with few digits")]
fn average(sum: u64, calls: u64) -> f64 {
    sum as f64 / calls as f64
}

/// Of the whole process.
fn instructions(place: &Location, program: &[String], calls: u64) -> Result<u64, String> {
    let out = format!("--callgrind-out-file={}", place.folder.join("callgrind.out").display());
    let said = under("valgrind", &["--tool=callgrind", &out], program, &line(calls))?;
    number_behind(&said, "Collected : ")
}

/// Of its first thread, in the function of that name, which makes one call.
fn instructions_of_the_caller(
    place: &Location,
    program: &[String],
    function: &str,
    calls: u64,
) -> Result<u64, String> {
    let out = place.folder.join("callgrind.threads");
    let file = format!("--callgrind-out-file={}", out.display());
    let only = format!("--toggle-collect={function}");
    under("valgrind", &["--tool=callgrind", "--separate-threads=yes", &file, &only], program, &line(calls))?;
    let first = format!("{}-01", out.display());
    let said = fs::read_to_string(&first).map_err(|error| format!("{first}: {error}"))?;
    match number_behind(&said, "totals: ")? {
        0 => Err(format!("{program:?} never entered {function}")),
        count => Ok(count),
    }
}

fn allocations(program: &[String], calls: u64) -> Result<u64, String> {
    let said = under("valgrind", &["--tool=memcheck"], program, &line(calls))?;
    number_behind(&said, "total heap usage: ")
}

/// What each of many calls takes once a few have been made, in the first thread: strace follows no other unless told to.
fn system_calls(place: &Location, program: &[String]) -> Result<f64, String> {
    let out = text(&place.folder.join("strace.out"));
    under("strace", &["-o", &out], program, &(line(FEW) + &line(MANY)))?;
    let trace = fs::read_to_string(&out).map_err(|error| format!("{out}: {error}"))?;
    // The program writes its results after the few calls and after the many.
    let mut parts = trace.split("\nwrite(1, ");
    let (Some(_), Some(many), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!(
            "{program:?} under strace: the results of {FEW} and {MANY} calls are not both there"
        ));
    };
    // A line each, behind the rest of the first results.
    Ok(average(many.lines().skip(1).count() as u64, MANY))
}

/// Has a program of `benches/peers` make so many calls.
fn line(calls: u64) -> String {
    format!("{calls}\n")
}

/// Has the program make the calls that these lines name under a tool, and returns what that says.
fn under(tool: &str, options: &[&str], program: &[String], lines: &str) -> Result<String, String> {
    let mut child = Command::new(tool)
        .args(options)
        .args(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{tool}: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // All lines at once: to wait for another one would be one more system call. If the program has ended already, its
        // output tells why.
        let _ = input.write_all(lines.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| format!("{error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("{program:?} under {tool}: {said}")) }
}

fn number_behind(said: &str, words: &str) -> Result<u64, String> {
    let rest = said.split(words).nth(1).ok_or_else(|| format!("no {words:?} in {said}"))?;
    let digits: String =
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().map_err(|error| format!("{words}{digits}: {error}"))
}
