//! The state of one call on its thread while ureq runs: its deadline, and whether a byte of its request was sent.
//! ureq never leaves the calling thread, so the state is thread-local; a ureq setting cannot hold it, because
//! connections are shared and pooled.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::ahead::Ahead;

const EARLY: &str = "the server sent something before it was asked, or closed the connection";

thread_local! {
    static CURRENT: RefCell<Option<CallState>> = const { RefCell::new(None) };
}

/// The observed state of one call.
#[derive(Debug)]
pub(super) struct CallState {
    authority: String,
    begun: Instant,
    deadline: Instant,
    connect_deadline: Instant,
    /// Whether the request itself is being written, not a handshake.
    requesting: bool,
    /// Whether only data that has already arrived is read, without waiting for the socket.
    probing: bool,
    /// The socket has accepted a byte of the request.
    pub(super) departed: bool,
    /// The time spent on getting a connection.
    pub(super) connect: Duration,
    /// The connection that was begun before the call.
    ahead: Option<Ahead>,
}

/// Starts a call on this thread.
pub(super) fn begin(url: &Uri, deadline: Instant, connect_deadline: Instant, ahead: Option<Ahead>) {
    let seen = CallState {
        authority: url.authority().map(ToString::to_string).unwrap_or_default(),
        begun: Instant::now(),
        deadline,
        connect_deadline,
        requesting: false,
        probing: false,
        departed: false,
        connect: Duration::ZERO,
        ahead,
    };
    CURRENT.with(|current| current.replace(Some(seen)));
}

/// Ends the call.
pub(super) fn end() -> CallState {
    let now = Instant::now();
    let mut seen = CURRENT.with(RefCell::take).unwrap_or(CallState {
        authority: String::new(),
        begun: now,
        deadline: now,
        connect_deadline: now,
        requesting: true,
        probing: false,
        // Cannot happen; a byte that is not known to be unsent counts as sent.
        departed: true,
        connect: Duration::ZERO,
        ahead: None,
    });
    if !seen.requesting {
        seen.connect = seen.begun.elapsed();
    }
    seen
}

fn with<T>(f: impl FnOnce(&mut CallState) -> T) -> Option<T> {
    CURRENT.with(|current| current.borrow_mut().as_mut().map(f))
}

/// Records that the socket has accepted a byte.
pub(super) fn byte_left() {
    with(|seen| seen.departed |= seen.requesting);
}

/// The connection that was begun before the call, if it leads to one of these addresses.
pub(super) fn take_ahead(addresses: &[SocketAddr]) -> Option<Ahead> {
    with(|seen| seen.ahead.take()).flatten().filter(|ahead| addresses.contains(&ahead.address()))
}

/// The time left for connecting.
pub(super) fn left_to_connect() -> Result<Duration, Error> {
    left(with(|seen| seen.connect_deadline), Timeout::Connect)
}

/// The time left for I/O: until the request begins that for connecting (TLS, proxy), afterwards that of the call.
pub(super) fn left_for_io() -> Result<Duration, Error> {
    let (requesting, probing) = with(|seen| (seen.requesting, seen.probing)).unwrap_or((true, true));
    match (probing, requesting) {
        (true, _) => Err(Error::Timeout(Timeout::Global)),
        (false, true) => left(with(|seen| seen.deadline), Timeout::Global),
        (false, false) => left_to_connect(),
    }
}

/// At least a millisecond, since zero means "no timeout" to a socket.
fn left(until: Option<Instant>, timeout: Timeout) -> Result<Duration, Error> {
    until
        .and_then(|until| until.checked_duration_since(Instant::now()))
        .filter(|left| *left >= Duration::from_millis(1))
        .ok_or(Error::Timeout(timeout))
}

/// The outermost link of the connector chain: the bytes that pass through it are the request itself.
#[derive(Debug)]
pub(super) struct MarkRequests;

impl<In: Transport> Connector<In> for MarkRequests {
    type Out = Marked<In>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Marked<In>>, Error> {
        // The chain also runs for the connection to a proxy, whose CONNECT is not the request.
        let authority = details.uri.authority().map(ToString::to_string).unwrap_or_default();
        let marks = with(|seen| {
            let ours = seen.authority == authority;
            if ours {
                // The last link: look-up, proxy, TCP and TLS are done.
                seen.connect = seen.begun.elapsed();
            }
            ours
        })
        .unwrap_or(true);
        Ok(chained.map(|inner| Marked { inner, marks }))
    }
}

/// A connection to the gateway.
#[derive(Debug)]
pub(super) struct Marked<T> {
    inner: T,
    marks: bool,
}

impl<T: Transport> Transport for Marked<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.marks {
            let first = with(|seen| !std::mem::replace(&mut seen.requesting, true)).unwrap_or(false);
            // Bytes that arrive before anything was sent are not an answer. (Over TLS there may be some: session
            // tickets.)
            if first && !self.inner.is_tls() && !self.inner.is_open() {
                return Err(std::io::Error::new(ErrorKind::ConnectionAborted, EARLY).into());
            }
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        // ureq also checks after reading the answer. Bytes between two calls arrive later, and the next call checks
        // when it takes the connection and again before its first byte; skipping this check saves a system call.
        if self.marks && !self.inner.is_tls() && with(|seen| seen.requesting).unwrap_or(false) {
            return true;
        }
        self.inner.is_open() && !(self.inner.is_tls() && self.has_plaintext())
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl<T: Transport> Marked<T> {
    /// Whether TLS has decrypted unread data, or its end: the socket does not show that.
    fn has_plaintext(&mut self) -> bool {
        with(|seen| seen.probing = true);
        let found = self.inner.await_input(NextTimeout::default()).is_ok();
        with(|seen| seen.probing = false);
        found
    }
}
