//! Waits for a condition instead of a fixed time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Returns when the condition holds; fails after a minute, which is enough for a busy machine.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < Duration::from_mins(1), "not in a minute: {what}");
        sleep(Duration::from_millis(10));
    }
}
