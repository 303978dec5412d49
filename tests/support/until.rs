//! Waiting for what happens, not for a while.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Returns when it is so; a minute is for a machine that does much else.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < Duration::from_mins(1), "not in a minute: {what}");
        sleep(Duration::from_millis(10));
    }
}
