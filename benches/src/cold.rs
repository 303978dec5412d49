//! From the start of a process to its first answer, beside the command `curl`, over http and https.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Location;
use crate::contestant::linked;
use crate::gateway::Gateway;
use crate::peers::{CURL_COMMAND, OPENSSL, body_file, is_there};
use crate::report::{FirstAnswer, Report};

pub(crate) const HTTP: &str = "http";
pub(crate) const HTTPS: &str = "https";
const ROUNDS: usize = 100;

/// The duration from the start of a program to the first byte that it writes, which is its answer.
pub(crate) fn first_answer(command: &mut Command) -> Result<Duration, String> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let mut output = child.stdout.take().ok_or("no stdout")?;
    let answered = output.read_exact(&mut [0]);
    let took = begun.elapsed();
    let rest = std::io::copy(&mut output, &mut std::io::sink());
    let status = child.wait();
    if answered.is_ok() && rest.is_ok() && status.is_ok_and(|status| status.success()) {
        return Ok(took);
    }
    Err(format!("{command:?} gave no answer"))
}

/// The commands in turn; the median of each in milliseconds.
pub(crate) fn medians<const N: usize>(commands: [Command; N], rounds: usize) -> Result<[f64; N], String> {
    let mut all = commands.map(|command| (command, Vec::new()));
    for round in 0..=rounds {
        for (command, took) in &mut all {
            let answered = first_answer(command)?;
            // The first one finds its files in no cache, and may have to make its journal.
            if round > 0 {
                took.push(answered);
            }
        }
    }
    Ok(all.map(|(_, mut took)| {
        took.sort_unstable();
        took.get(took.len() / 2).map_or(f64::NAN, |median| median.as_secs_f64() * 1e3)
    }))
}

pub(crate) fn run(place: &Location, gateway: &Gateway, report: &mut Report) -> Result<(), String> {
    if !is_there(place, &CURL_COMMAND) {
        report.missing("a cold process beside curl", CURL_COMMAND.why, CURL_COMMAND.install);
        return Ok(());
    }
    let program = linked(place, "once", &[])?;
    let body = body_file(place)?;
    let quote = |config| {
        let mut command = Command::new(&program);
        command.arg("quote").arg(config);
        command
    };
    let curl = |url| {
        let mut command = Command::new("curl");
        command.args(["-s", "-S", "-H", "Content-Type: application/json", "-d"]);
        command.arg(format!("@{}", body.display())).arg(url);
        command
    };
    let rounds = place.calls(ROUNDS);
    let config = place.config(&gateway.plain, "first-answer")?;
    let [zvpos_ms, curl_ms] = medians([quote(config), curl(gateway.plain.endpoint())], rounds)?;
    report.first_answers.push(FirstAnswer { scheme: HTTP.to_owned(), zvpos_ms, curl_ms });
    if is_there(place, &OPENSSL) {
        let secure = gateway.secure()?;
        let config = place.secure_config(gateway, secure.address, "first-answer-https")?;
        let mut curl = curl(secure.endpoint());
        curl.arg("--cacert").arg(gateway.ca());
        let [zvpos_ms, curl_ms] = medians([quote(config), curl], rounds)?;
        report.first_answers.push(FirstAnswer { scheme: HTTPS.to_owned(), zvpos_ms, curl_ms });
    }
    Ok(())
}
