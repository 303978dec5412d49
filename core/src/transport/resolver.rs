//! Name look-ups: at most one runs per name, each caller waits for it only until its own deadline, and known
//! addresses keep the till selling while the name server is down.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout, config::Config};

/// The age after which a new look-up is started; the old addresses are used while it runs.
const FRESH: Duration = Duration::from_mins(1);

/// The resolver, which caches addresses by name.
#[derive(Clone, Debug, Default)]
pub(super) struct CachingResolver {
    hosts: Arc<Mutex<HashMap<String, Arc<Host>>>>,
}

#[derive(Debug, Default)]
struct Host {
    known: Mutex<LookedUp>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LookedUp {
    addresses: Vec<IpAddr>,
    learned: Option<Instant>,
    running: bool,
    /// The number of failed look-ups, so that a waiting caller notices the failure of its own.
    failures: u64,
}

impl Host {
    fn known(&self) -> MutexGuard<'_, LookedUp> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a look-up unless one is running.
    fn look_up(self: &Arc<Self>, name: &str, known: &mut LookedUp) -> Result<(), Error> {
        if known.running {
            return Ok(());
        }
        let host = Arc::clone(self);
        let name = name.to_owned();
        // The system's look-up has no deadline, hence a thread: one per name, never one per call.
        std::thread::Builder::new().name("zvpos-dns".to_owned()).spawn(move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            let mut known = host.known();
            known.running = false;
            match found.map(|addresses| addresses.map(|address| address.ip()).collect::<Vec<_>>()) {
                Ok(addresses) if !addresses.is_empty() => {
                    known.addresses = addresses;
                    known.learned = Some(Instant::now());
                }
                _ => known.failures += 1,
            }
            host.changed.notify_all();
        })?;
        known.running = true;
        Ok(())
    }

    fn addresses(self: &Arc<Self>, name: &str, deadline: Instant) -> Result<Vec<IpAddr>, Error> {
        let mut known = self.known();
        if known.learned.is_some_and(|learned| learned.elapsed() < FRESH) {
            return Ok(known.addresses.clone());
        }
        self.look_up(name, &mut known)?;
        let failures = known.failures;
        while known.addresses.is_empty() && known.failures == failures {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Timeout(Timeout::Resolve));
            }
            known = self.changed.wait_timeout(known, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if known.addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(known.addresses.clone()) }
    }
}

/// The host of a URL, an IPv6 address without its brackets, and the port.
fn host_and_port(uri: &Uri) -> Option<(&str, u16)> {
    let name = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some((name, uri.port_u16().unwrap_or(default_port)))
}

impl CachingResolver {
    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(name.to_owned()).or_default())
    }

    /// The first address of a URL's host, without waiting. If none is known, a look-up is started.
    pub(super) fn known(&self, uri: &Uri) -> Option<SocketAddr> {
        let (name, port) = host_and_port(uri)?;
        if let Ok(address) = name.parse::<IpAddr>() {
            return Some(SocketAddr::new(address, port));
        }
        let host = self.host(name);
        let mut known = host.known();
        let Some(address) = known.addresses.first() else {
            // The request looks the name up again and reports the failure.
            let _ = host.look_up(name, &mut known);
            return None;
        };
        Some(SocketAddr::new(*address, port))
    }

    /// The addresses of a URL's host, waiting for them until then.
    pub(super) fn addresses(&self, uri: &Uri, deadline: Instant) -> Result<ResolvedSocketAddrs, Error> {
        let (name, port) = host_and_port(uri).ok_or(Error::HostNotFound)?;
        let addresses = match name.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.host(name).addresses(name, deadline)?,
        };
        let mut resolved = self.empty();
        for address in addresses.into_iter().take(16) {
            resolved.push(SocketAddr::new(address, port));
        }
        Ok(resolved)
    }
}

impl Resolver for CachingResolver {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let now = Instant::now();
        self.addresses(uri, now.checked_add(*timeout.after).unwrap_or(now))
    }
}
