//! Many quotes in one process: memory and descriptors do not grow. `ZVPOS_SOAK=1000000` makes it a million.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::time::Instant;

use support::{Checked, Flavour, Simulator, run};

#[test]
fn a_process_does_not_grow() {
    let quotes = std::env::var("ZVPOS_SOAK").unwrap_or_else(|_| "20000".to_owned());
    let simulator = Simulator::start();
    let started = Instant::now();
    let output = run("soak", Flavour::Plain, Checked::Leaks, &[&simulator.v2(), &quotes]);
    assert!(output.code == Some(0) && output.stderr.is_empty(), "{output:?}");
    let figures: Vec<i64> = output.stdout.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let seconds = started.elapsed().as_secs_f64();
    println!("{quotes} quotes in {seconds:.1} s: {} KiB more, {} descriptors more", figures[0], figures[1]);
    assert!(figures[0] < 1024, "grew by {} KiB", figures[0]);
    // After a quote one unused connection is kept ready for the payment, and renewed every few seconds. The background
    // thread opens the journal's three files for itself, at some time after the start.
    assert!(figures[1] <= 4, "keeps {} descriptors", figures[1]);
    assert!(
        simulator.connections() <= 2 + started.elapsed().as_secs(),
        "{} connections",
        simulator.connections()
    );
}
