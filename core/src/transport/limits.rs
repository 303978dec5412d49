//! What a call allows its connection: how long it may wait, and what its bytes are. The layers of a connection share one
//! value, so that one deadline holds for all of them and the socket can say whether a byte of the request left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::{Error, Timeout};

/// The limits of one connection, which each call sets for itself.
#[derive(Clone, Debug)]
pub(super) struct Limits(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    deadline: Instant,
    phase: Phase,
    departed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Look-up, TCP, proxy and TLS.
    Connecting,
    /// Only what has already been read from the socket is read.
    Looking,
    /// Only what has already arrived is read, from the socket too.
    Arrived,
    /// The request itself, and its answer.
    Requesting,
}

impl Limits {
    /// The limits of a connection that is to be open by then.
    pub(super) fn of_connecting(deadline: Instant) -> Limits {
        Limits(Arc::new(Mutex::new(State { deadline, phase: Phase::Connecting, departed: false })))
    }

    /// From now on nothing is waited for.
    pub(super) fn look(&self) {
        self.state().phase = Phase::Looking;
    }

    /// From now on what has arrived is read, and what is unsent is sent until then; nothing else is waited for.
    pub(super) fn take_arrived(&self, deadline: Instant) {
        *self.state() = State { deadline, phase: Phase::Arrived, departed: false };
    }

    /// Whether only what has already arrived is read.
    pub(super) fn takes_only_arrived(&self) -> bool {
        self.state().phase == Phase::Arrived
    }

    /// From now on bytes are those of a request that is to be answered by then.
    pub(super) fn request(&self, deadline: Instant) {
        *self.state() = State { deadline, phase: Phase::Requesting, departed: false };
    }

    /// The socket has accepted a byte.
    pub(super) fn byte_left(&self) {
        let mut state = self.state();
        state.departed |= state.phase == Phase::Requesting;
    }

    /// Whether the socket has accepted a byte of the request.
    pub(super) fn departed(&self) -> bool {
        self.state().departed
    }

    /// The time left: at least a millisecond, since zero means "no timeout" to a socket.
    pub(super) fn left(&self) -> Result<Duration, Error> {
        let (deadline, timeout) = {
            let state = self.state();
            match state.phase {
                Phase::Looking => return Err(Error::Timeout(Timeout::Global)),
                Phase::Requesting => (state.deadline, Timeout::Global),
                Phase::Connecting | Phase::Arrived => (state.deadline, Timeout::Connect),
            }
        };
        deadline
            .checked_duration_since(Instant::now())
            .filter(|left| *left >= Duration::from_millis(1))
            .ok_or(Error::Timeout(timeout))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_byte_of_the_request_departs_and_each_call_begins_without_one() {
        let soon = Instant::now() + Duration::from_secs(9);
        let limits = Limits::of_connecting(soon);
        limits.byte_left();
        assert!(!limits.departed(), "a handshake");
        limits.look();
        limits.byte_left();
        assert!(!limits.departed());
        assert!(matches!(limits.left(), Err(Error::Timeout(Timeout::Global))));
        limits.request(soon);
        assert!(!limits.departed() && limits.left().is_ok());
        limits.byte_left();
        assert!(limits.departed());
        limits.request(Instant::now());
        assert!(!limits.departed());
        assert!(matches!(limits.left(), Err(Error::Timeout(Timeout::Global))));
    }
}
