//! Disks that ignore a flush, and slow disks: the doctor runs in a process whose flushes do nothing, at once or after
//! a delay.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{config, flush_shim, options, own_folder, run};
use zvpos_core::outcome::Lang;

/// Runs in the child process only; prints its report after a mark.
#[test]
#[ignore = "the other tests run it in a process of its own"]
fn in_a_process_of_its_own() {
    let folder = own_folder();
    let config = config("http://127.0.0.1:1/api/v2", &folder, json!({}));
    println!("\nREPORT{}", run(&options(&config, &folder)).to_json(Lang::En));
}

/// The line about flushes, if each takes this long.
fn flush_line(milliseconds: &str) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "in_a_process_of_its_own", "--nocapture"])
        .env("LD_PRELOAD", flush_shim(&own_folder()))
        .env("ZVPOS_FLUSH_MS", milliseconds)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let json =
        text.lines().find_map(|line| line.strip_prefix("REPORT")).unwrap_or_else(|| panic!("{output:?}"));
    let report: Value = serde_json::from_str(json).unwrap();
    let lines = report["lines"].as_array().unwrap();
    lines.iter().find(|line| line["check"] == "journal.flush").unwrap().clone()
}

#[test]
fn a_disk_that_lies_is_too_fast_to_be_true() {
    let line = flush_line("0");
    assert_eq!(line["status"], "warning", "{line}");
    assert!(line["found"].as_str().unwrap().contains("too fast to be true"), "{line}");
    assert!(line["remedy"].as_str().unwrap().contains("unprotected drive"), "{line}");
}

#[test]
fn a_slow_disk_is_not_called_a_liar() {
    let line = flush_line("150");
    assert_eq!(line["status"], "warning", "{line}");
    assert!(line["found"].as_str().unwrap().contains("slow"), "{line}");
    assert!(line["facts"]["p50_us"].as_u64().unwrap() >= 150_000, "{line}");
}

#[test]
fn a_disk_that_takes_its_time_is_not_called_a_liar() {
    let line = flush_line("2");
    assert!(!line["found"].as_str().unwrap().contains("too fast"), "{line}");
}
