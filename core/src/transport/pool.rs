//! The connections that are kept between calls.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::http::uri::{Authority, Scheme};

use super::connection::Connection;

/// How many connections are kept to one gateway, and to all of them.
const MOST_OF_ONE: usize = 64;
const MOST: usize = 128;

/// Kept connections, in the order in which they were last used.
#[derive(Debug)]
pub(super) struct Pool {
    kept: Mutex<Vec<Kept>>,
    idle: Duration,
}

#[derive(Debug)]
struct Kept {
    scheme: Scheme,
    authority: Authority,
    since: Instant,
    connection: Connection,
}

impl Kept {
    fn leads_to(&self, url: &Uri) -> bool {
        // In the spelling of the configuration: comparing without regard to case takes ten times as long.
        url.authority().map(Authority::as_str) == Some(self.authority.as_str())
            && url.scheme() == Some(&self.scheme)
    }
}

impl Pool {
    /// A pool that keeps an unused connection for that long.
    pub(super) fn new(idle: Duration) -> Pool {
        Pool { kept: Mutex::default(), idle }
    }

    /// Whether a connection to that gateway is kept and not too old.
    pub(super) fn holds(&self, url: &Uri) -> bool {
        self.kept().iter().any(|kept| kept.leads_to(url) && kept.since.elapsed() < self.idle)
    }

    /// How old the youngest connection to that gateway is.
    pub(super) fn age(&self, url: &Uri) -> Option<Duration> {
        self.kept().iter().rev().find(|kept| kept.leads_to(url)).map(|kept| kept.since.elapsed())
    }

    /// How long an unused connection is kept.
    pub(super) fn idle(&self) -> Duration {
        self.idle
    }

    /// Takes out a connection to that gateway that is open and on which nothing waits.
    pub(super) fn take(&self, url: &Uri) -> Option<Connection> {
        loop {
            let mut connection = self.youngest(url)?;
            if connection.is_idle() {
                return Some(connection);
            }
        }
    }

    fn youngest(&self, url: &Uri) -> Option<Connection> {
        let mut kept = self.kept();
        let at = kept.iter().rposition(|kept| kept.leads_to(url))?;
        let found = kept.remove(at);
        let is_old = found.since.elapsed() >= self.idle;
        drop(kept);
        (!is_old).then_some(found.connection)
    }

    /// Keeps a connection that was just used or opened.
    pub(super) fn keep(&self, url: &Uri, connection: Connection) {
        let (Some(scheme), Some(authority)) = (url.scheme(), url.authority()) else { return };
        if self.idle.is_zero() {
            return;
        }
        let (scheme, authority, since) = (scheme.clone(), authority.clone(), Instant::now());
        let mut kept = self.kept();
        let old = kept.iter().take_while(|kept| kept.since.elapsed() >= self.idle).count();
        // They are closed when the lock is free.
        let mut closed: Vec<Kept> = kept.drain(..old).collect();
        kept.push(Kept { scheme, authority, since, connection });
        let of_this = kept.iter().filter(|kept| kept.leads_to(url)).count();
        let oldest = match kept.len() {
            _ if of_this > MOST_OF_ONE => kept.iter().position(|kept| kept.leads_to(url)),
            all => (all > MOST).then_some(0),
        };
        closed.extend(oldest.map(|at| kept.remove(at)));
        drop(kept);
        drop(closed);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
