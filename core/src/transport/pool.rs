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
    connections: Mutex<Connections>,
    idle: Duration,
}

#[derive(Debug, Default)]
struct Connections {
    kept: Vec<Kept>,
    /// To where requests are under way, each of which has a connection.
    under_way: Vec<Gateway>,
}

/// What a pool has for a gateway.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// The youngest kept connection is so old.
    Kept(Duration),
    /// A request is under way, whose connection may be kept when it has ended.
    InUse,
    /// Nothing.
    None,
}

#[derive(Debug, PartialEq, Eq)]
struct Gateway {
    scheme: Scheme,
    authority: Authority,
}

/// One request under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay<'p> {
    pool: &'p Pool,
    url: &'p Uri,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let under_way = &mut self.pool.lock().under_way;
        if let Some(at) = under_way.iter().position(|gateway| gateway.leads_to(self.url)) {
            under_way.swap_remove(at);
        }
    }
}

#[derive(Debug)]
struct Kept {
    gateway: Gateway,
    since: Instant,
    connection: Connection,
}

impl Gateway {
    fn of(url: &Uri) -> Option<Gateway> {
        Some(Gateway { scheme: url.scheme()?.clone(), authority: url.authority()?.clone() })
    }

    fn leads_to(&self, url: &Uri) -> bool {
        // In the spelling of the configuration: comparing without regard to case takes ten times as long.
        url.authority().map(Authority::as_str) == Some(self.authority.as_str())
            && url.scheme() == Some(&self.scheme)
    }
}

impl Kept {
    fn leads_to(&self, url: &Uri) -> bool {
        self.gateway.leads_to(url)
    }
}

impl Pool {
    /// A pool that keeps an unused connection for that long.
    pub(super) fn new(idle: Duration) -> Pool {
        Pool { connections: Mutex::default(), idle }
    }

    /// Notes that a request is under way.
    pub(super) fn begin<'p>(&'p self, url: &'p Uri) -> UnderWay<'p> {
        self.lock().under_way.extend(Gateway::of(url));
        UnderWay { pool: self, url }
    }

    /// Whether a connection to that gateway is kept and not too old.
    pub(super) fn holds(&self, url: &Uri) -> bool {
        self.lock().kept.iter().any(|kept| kept.leads_to(url) && kept.since.elapsed() < self.idle)
    }

    /// What there is for that gateway.
    pub(super) fn ready(&self, url: &Uri) -> Ready {
        let connections = self.lock();
        match connections.kept.iter().rev().find(|kept| kept.leads_to(url)) {
            Some(kept) => Ready::Kept(kept.since.elapsed()),
            None if connections.under_way.iter().any(|gateway| gateway.leads_to(url)) => Ready::InUse,
            None => Ready::None,
        }
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
        let mut connections = self.lock();
        let kept = &mut connections.kept;
        let at = kept.iter().rposition(|kept| kept.leads_to(url))?;
        let found = kept.remove(at);
        let is_old = found.since.elapsed() >= self.idle;
        drop(connections);
        (!is_old).then_some(found.connection)
    }

    /// Keeps a connection that was just used or opened.
    pub(super) fn keep(&self, url: &Uri, connection: Connection) {
        let Some(gateway) = Gateway::of(url).filter(|_| !self.idle.is_zero()) else { return };
        let since = Instant::now();
        let mut connections = self.lock();
        let kept = &mut connections.kept;
        let old = kept.iter().take_while(|kept| kept.since.elapsed() >= self.idle).count();
        // They are closed when the lock is free.
        let mut closed: Vec<Kept> = kept.drain(..old).collect();
        kept.push(Kept { gateway, since, connection });
        let of_this = kept.iter().filter(|kept| kept.leads_to(url)).count();
        let oldest = match kept.len() {
            _ if of_this > MOST_OF_ONE => kept.iter().position(|kept| kept.leads_to(url)),
            all => (all > MOST).then_some(0),
        };
        closed.extend(oldest.map(|at| kept.remove(at)));
        drop(connections);
        drop(closed);
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
