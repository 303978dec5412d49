//! The bounded number of connections. One that has not proven who it is, or that waits for its next request, gives its seat
//! to a newer one when all are taken.

use std::collections::HashMap;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long one that was ended may take to leave its seat, before another one is ended.
const LEAVES: Duration = Duration::from_millis(200);

/// The seats, and who sits there.
pub(super) struct Seats {
    taken: Mutex<Taken>,
    left: Condvar,
    all: usize,
}

#[derive(Default)]
struct Taken {
    /// Grows with every seat that is taken, so that a lower number is an older connection.
    last: u64,
    sitting: HashMap<u64, Sitting>,
}

struct Sitting {
    socket: Arc<TcpStream>,
    peer: IpAddr,
    /// It may be ended for another one; not while a peer that has proven itself is served.
    may_go: bool,
}

/// A seat that is taken until it is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.locked().sitting.remove(&self.number);
        self.seats.left.notify_all();
    }
}

impl Seat {
    /// Keeps the seat while what a proven peer asks for is done, or gives it up to newer ones again.
    pub(super) fn keep(&self, is_served: bool) {
        if let Some(own) = self.seats.locked().sitting.get_mut(&self.number) {
            own.may_go = !is_served;
        }
        if !is_served {
            self.seats.left.notify_all();
        }
    }

    /// Whether others may be waiting for a seat.
    pub(super) fn are_scarce(&self) -> bool {
        self.seats.locked().sitting.len() * 2 > self.seats.all
    }
}

impl Seats {
    pub(super) fn new(all: usize) -> Arc<Seats> {
        Arc::new(Seats { taken: Mutex::default(), left: Condvar::new(), all: all.max(1) })
    }

    fn locked(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a seat. While all are taken, one after the other is ended of those that may go.
    pub(super) fn take(self: &Arc<Seats>, socket: &Arc<TcpStream>, peer: IpAddr) -> Seat {
        let mut taken = self.locked();
        while taken.sitting.len() >= self.all {
            let ended = taken.end_one();
            taken = if ended {
                self.left.wait_timeout(taken, LEAVES).unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.left.wait(taken).unwrap_or_else(PoisonError::into_inner)
            };
        }
        taken.last += 1;
        let number = taken.last;
        taken.sitting.insert(number, Sitting { socket: Arc::clone(socket), peer, may_go: true });
        Seat { seats: Arc::clone(self), number }
    }

    pub(super) fn wait_until_empty(&self, until: Instant) {
        let mut taken = self.locked();
        while !taken.sitting.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (taken, _) = self.left.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Taken {
    /// Ends the oldest connection that may go, of the address that has most of them.
    fn end_one(&mut self) -> bool {
        let mut of_peers: HashMap<IpAddr, usize> = HashMap::new();
        for sitting in self.sitting.values().filter(|sitting| sitting.may_go) {
            *of_peers.entry(sitting.peer).or_default() += 1;
        }
        let rank = |number: u64, sitting: &Sitting| (of_peers.get(&sitting.peer).copied(), u64::MAX - number);
        let those = self.sitting.iter_mut().filter(|(_, sitting)| sitting.may_go);
        let Some((_, oldest)) = those.max_by_key(|(number, sitting)| rank(**number, sitting)) else {
            return false;
        };
        oldest.may_go = false;
        // Its thread finds the connection ended and leaves.
        let _ = oldest.socket.shutdown(Shutdown::Both);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn is_ended(socket: &TcpStream) -> bool {
        socket.set_nonblocking(true).unwrap();
        matches!(socket.peek(&mut [0]), Ok(0))
    }

    #[test]
    fn the_oldest_of_the_busiest_address_goes_and_the_proven_stay() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections: Vec<_> = (0..4)
            .map(|_| (TcpStream::connect(address).unwrap(), Arc::new(listener.accept().unwrap().0)))
            .collect();
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let seats = Seats::new(4);
        let peers = [other, one, one, one];
        let taken: Vec<_> =
            connections.iter().zip(peers).map(|((_, own), peer)| seats.take(own, peer)).collect();
        taken[1].keep(true);
        assert!(seats.locked().end_one());
        let ended = || connections.iter().map(|(till, _)| is_ended(till)).collect::<Vec<_>>();
        assert_eq!(ended(), [false, false, true, false]);
        assert!(seats.locked().end_one() && seats.locked().end_one());
        assert_eq!(ended(), [true, false, true, true]);
        assert!(!seats.locked().end_one(), "it is served");
        taken[1].keep(false);
        assert!(seats.locked().end_one());
        drop(taken);
        seats.wait_until_empty(Instant::now());
        assert!(seats.locked().sitting.is_empty());
    }
}
