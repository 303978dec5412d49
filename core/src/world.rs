//! The machine that the runtime acts on: time, waiting, random numbers, threads and the network. The library has one
//! implementation over the operating system, [`System`]; the simulation has another and runs the same runtime on it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::Uri;

use crate::clock::machine_unix_ms;
use crate::transport::{Ahead, Exchanged, Http, MaySend};

/// Everything beside the journal that the runtime needs. Every method may be called from any thread.
pub trait World: Send + Sync {
    /// The monotonic time.
    fn now(&self) -> Instant;

    /// The machine's wall clock in Unix milliseconds. It may be wrong and may jump.
    fn unix_ms(&self) -> i64;

    /// Blocks the calling thread for that long.
    fn sleep(&self, duration: Duration);

    /// A random number from a source that nobody can predict. The error says why there is none.
    fn random(&self) -> Result<u32, String>;

    /// Runs `work` on a thread of its own. The error says why there is no thread.
    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> Result<Box<dyn Worker>, String>;

    /// A new signal.
    fn signal(&self) -> Box<dyn Signal>;

    /// Whether a connection to that gateway is open, as far as this process knows.
    fn is_connected(&self, url: &Uri) -> bool;

    /// Begins to open a connection to that gateway, without waiting for it; `None` if it cannot be begun. No byte leaves
    /// through it before it is given to [`World::post`].
    fn connect_ahead(&self, url: &Uri) -> Option<Ahead>;

    /// Sees to it that a connection to that gateway is open that stays usable for a while, without a request; returns after
    /// how long it is done again.
    fn keep_warm(&self, url: &Uri) -> Duration;

    /// Posts a JSON body and reads the whole answer, at the latest until the deadline; on the connection that was begun
    /// ahead if there is one. `may_send` is asked immediately before the first byte.
    fn post(
        &self,
        url: &Uri,
        body: &str,
        deadline: Instant,
        ahead: Option<Ahead>,
        may_send: MaySend<'_>,
    ) -> Exchanged;

    /// Whether plain http goes through a proxy that reads it.
    fn is_absolute(&self) -> bool;
}

/// A thread that was spawned.
pub trait Worker: Send {
    /// Waits until the thread has ended, by a panic too.
    fn join(self: Box<Self>);
}

/// An event count: threads wait until somebody says that something has changed. A thread reads the count, looks at what
/// it waits for, and then waits past that count, so that no notification between the look and the wait is lost.
pub trait Signal: Send + Sync {
    /// How many notifications there were.
    fn count(&self) -> u64;

    /// Wakes every thread that waits.
    fn notify(&self);

    /// Blocks until there are more notifications than `seen`, at the latest until that time.
    fn wait(&self, seen: u64, until: Instant);
}

/// The operating system's clocks, threads and sockets.
#[derive(Debug)]
pub struct System {
    http: Http,
}

impl System {
    /// The operating system, with this way to the gateway.
    pub fn new(http: Http) -> System {
        System { http }
    }
}

impl World for System {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn unix_ms(&self) -> i64 {
        machine_unix_ms()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }

    fn random(&self) -> Result<u32, String> {
        getrandom::u32().map_err(|error| error.to_string())
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> Result<Box<dyn Worker>, String> {
        match thread::Builder::new().name(name.to_owned()).spawn(work) {
            Ok(handle) => Ok(Box::new(handle)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn signal(&self) -> Box<dyn Signal> {
        Box::new(EventCount::default())
    }

    fn is_connected(&self, url: &Uri) -> bool {
        self.http.is_connected(url)
    }

    fn connect_ahead(&self, url: &Uri) -> Option<Ahead> {
        self.http.connect_ahead(url)
    }

    fn keep_warm(&self, url: &Uri) -> Duration {
        self.http.keep_warm(url)
    }

    fn post(
        &self,
        url: &Uri,
        body: &str,
        deadline: Instant,
        ahead: Option<Ahead>,
        may_send: MaySend<'_>,
    ) -> Exchanged {
        self.http.post(url, body, deadline, ahead, may_send)
    }

    fn is_absolute(&self) -> bool {
        self.http.is_absolute()
    }
}

impl Worker for thread::JoinHandle<()> {
    fn join(self: Box<Self>) {
        // The panic hook has logged a panic of the thread.
        let _ = thread::JoinHandle::join(*self);
    }
}

#[derive(Default)]
struct EventCount {
    count: Mutex<u64>,
    changed: Condvar,
}

impl EventCount {
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signal for EventCount {
    fn count(&self) -> u64 {
        *self.lock()
    }

    fn notify(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    fn wait(&self, seen: u64, until: Instant) {
        let mut count = self.lock();
        while *count == seen {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            count = self.changed.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_notification_between_look_and_wait_is_not_lost() {
        let signal = Arc::new(EventCount::default());
        let seen = signal.count();
        signal.notify();
        let started = Instant::now();
        signal.wait(seen, started + Duration::from_mins(1));
        assert!(started.elapsed() < Duration::from_secs(30));
        signal.wait(signal.count(), Instant::now());
    }

    #[test]
    fn a_waiting_thread_is_woken() {
        let signal = Arc::new(EventCount::default());
        let seen = signal.count();
        let waiting = Arc::clone(&signal);
        let thread = thread::spawn(move || waiting.wait(seen, Instant::now() + Duration::from_mins(1)));
        signal.notify();
        let started = Instant::now();
        thread.join().unwrap();
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
