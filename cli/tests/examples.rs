//! Every example in every `--help` runs unchanged, in order, in one bash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;
#[path = "../../certify/tests/support/mod.rs"]
mod tills;

use std::fmt::Write;

use serde_json::json;
use support::{Location, MEMBER, Output, Simulator};

/// The simulator's address in the examples.
const START: &str = "zv sandbox --quiet &";

/// The collector's address in the examples, and its start.
const COLLECTOR: &str = "127.0.0.1:8443";
const SERVE: &str = "zv collect serve &";

/// The commands that a help text lists.
fn commands(place: &Location, path: &[&str]) -> Vec<String> {
    let help = place.zv(&[path, &["--help"]].concat()).ended(0).out;
    let listed =
        help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

/// The examples under `Examples:`, each with its continuation lines.
fn examples(place: &Location, path: &[&str]) -> Vec<String> {
    let help = place.zv(&[path, &["--help"]].concat()).ended(0).out;
    let text = help.split("Examples:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for line in text.lines().map(|line| line.strip_prefix("  ").unwrap()) {
        match found.last_mut() {
            Some(last) if line.starts_with(' ') => {
                last.push('\n');
                last.push_str(line);
            }
            _ => found.push(line.to_owned()),
        }
    }
    found
}

#[test]
fn every_example_of_every_help_runs() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"on_unknown": "hold"}));
    // The till that the examples of `zv certify` start.
    std::fs::copy(&tills::c_till()[0], place.folder.join("till")).unwrap();
    // The sale that the example of `zv settle` settles.
    simulator.arm("reset_after", "consume");
    place.zv(&["consume", "--bizId", "T1-000009", "--customerId", MEMBER, "--amount", "1.00"]).ended(4);

    let mut paths: Vec<Vec<String>> = vec![vec![]];
    for command in commands(&place, &[]) {
        let inner = commands(&place, &[&command]);
        if inner.is_empty() {
            paths.push(vec![command]);
        } else {
            paths.extend(inner.into_iter().map(|name| vec![command.clone(), name]));
        }
    }
    assert!(paths.len() > 15, "{paths:?}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let collector = free.to_string();
    let mut script = String::new();
    let mut count = 0;
    for path in &paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let examples = examples(&place, &path);
        assert!(!examples.is_empty(), "{path:?} has no example");
        for example in examples {
            assert!(example.lines().all(|line| line.len() <= 76 || !line.is_ascii()), "{example}");
            // Only the simulator's address differs.
            let line = match example.as_str() {
                START => "zv sandbox --quiet --listen 127.0.0.1:0 --admin 127.0.0.1:0 & kill $!".to_owned(),
                // On a free port, until the examples have run.
                SERVE => format!(
                    "zv collect serve --listen {collector} --port-file up.json & trap \"kill $!\" EXIT; \
                     until [ -f up.json ]; do sleep 0.1; done"
                ),
                // There is no such journal: zv says so.
                other if other.starts_with("zv journal move ") => format!("{other}\n[ $? = 5 ]"),
                other => other
                    .replace(COLLECTOR, &collector)
                    .replace("--sandbox", &format!("--sandbox {}", simulator.url())),
            };
            writeln!(script, "{line}\nended $? {count} || exit 99").unwrap();
            count += 1;
        }
    }
    // A reversal's outcome is its exit code.
    let ended =
        "ended() { [ $1 = 0 ] || [ $1 = 6 ] || { echo \"example $2 ended with $1\" >&2; false; }; }\n";
    let said = Output::of(place.command("bash").args(["-c", &format!("{ended}{script}")]));
    assert_eq!(said.code, Some(0), "{script}\n{said:?}");
    assert_eq!((simulator.net("T1-000001"), simulator.net("T1-000002")), (1, 0));
    for file in ["day.csv", "zv.bash", "data.json", "support.zip", "report.html", "report.json"] {
        assert!(place.folder.join(file).is_file(), "{file}");
    }
    println!("{count} examples ran");
}
