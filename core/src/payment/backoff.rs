//! When an unsettled entry is tried again: pure, with the time as an argument.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);

/// The tries of one entry in this process.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    /// When this process first saw that the entry is to be undone.
    since: Instant,
    due: Instant,
    delay: Duration,
    /// The gateway has confirmed the reversal.
    promised: bool,
    /// The number of the re-opening of the entry that this backoff belongs to.
    reopened: u32,
}

impl Backoff {
    /// The backoff of an entry that this process sees for the first time; its first try is due at once.
    pub(super) fn begin(now: Instant, reopened: u32) -> Backoff {
        Backoff { since: now, due: now, delay: FIRST, promised: false, reopened }
    }

    /// The number of the re-opening of its entry that this backoff belongs to.
    pub(super) fn reopened(&self) -> u32 {
        self.reopened
    }

    /// When this process first saw the entry.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// When the next try is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Whether the lost request can no longer arrive at the gateway.
    pub(super) fn late_window_over(&self, now: Instant, late_arrival: Duration) -> bool {
        now.saturating_duration_since(self.since) >= late_arrival
    }

    /// Records one more try that did not settle the entry. If the gateway has confirmed the reversal, the next try is
    /// due only when the window is over, whatever another thread has sent meanwhile; otherwise sooner, with a growing
    /// delay.
    pub(super) fn tried(&mut self, now: Instant, late_arrival: Duration, promised: bool, random: u32) {
        let end = self.since + late_arrival;
        let again = now + jittered(self.delay, random);
        self.delay = (self.delay * 2).min(LONGEST);
        self.promised |= promised;
        self.due = match (end > now, self.promised) {
            (true, true) => end,
            // Not past the end of the window, because an answer from then on can settle the entry.
            (true, false) => again.min(end),
            (false, _) => again,
        };
    }
}

/// Between 80 and 120 percent, so that many tills that lost the gateway together do not retry together.
fn jittered(delay: Duration, random: u32) -> Duration {
    delay * (80 + random % 41) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_up_to_the_longest() {
        let now = Instant::now();
        let mut backoff = Backoff::begin(now, 0);
        assert_eq!(backoff.due(), now);
        for (random, percent) in [(0, 80), (20, 100), (40, 120), (41, 80)] {
            let mut backoff = backoff.clone();
            backoff.tried(now, Duration::ZERO, false, random);
            assert_eq!(backoff.due() - now, Duration::from_millis(500) * percent / 100);
        }
        for wanted in [500_u64, 1000, 2000, 4000, 8000, 15_000, 15_000] {
            backoff.tried(now, Duration::ZERO, false, 20);
            assert_eq!(backoff.due() - now, Duration::from_millis(wanted));
        }
    }

    #[test]
    fn a_promise_is_checked_at_the_end_of_the_window() {
        let now = Instant::now();
        let mut backoff = Backoff::begin(now, 0);
        let window = Duration::from_secs(100);
        backoff.tried(now, window, true, 0);
        assert_eq!(backoff.due(), now + window);
        assert!(!backoff.late_window_over(now + Duration::from_millis(99_999), window));
        assert!(backoff.late_window_over(now + window, window));
    }

    #[test]
    fn it_knows_when_it_began_and_for_which_reopening() {
        let now = Instant::now();
        let mut backoff = Backoff::begin(now, 3);
        backoff.tried(now + Duration::from_secs(1), Duration::ZERO, false, 20);
        assert_eq!((backoff.since(), backoff.reopened()), (now, 3));
        assert_eq!(backoff.due(), now + Duration::from_millis(1500));
    }

    #[test]
    fn a_promise_is_remembered_and_what_is_not_promised_is_tried_sooner() {
        let now = Instant::now();
        let window = Duration::from_millis(700);
        let end = now + window;
        let mut promised = Backoff::begin(now, 0);
        for again in [true, true, false] {
            promised.tried(now, window, again, 20);
            assert_eq!(promised.due(), end);
        }
        let mut open = Backoff::begin(now, 0);
        open.tried(now, window, false, 20);
        assert_eq!(open.due(), now + Duration::from_millis(500));
        // The next try would be behind the end of the window.
        open.tried(now, window, false, 20);
        assert_eq!(open.due(), end);
        // From the end on an answer can settle it, so that a promise waits for nothing more.
        for mut backoff in [promised, open] {
            backoff.tried(end, window, false, 20);
            assert!(backoff.due() > end);
        }
    }
}
