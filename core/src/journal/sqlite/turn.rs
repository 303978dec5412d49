//! One connection that many threads use in turn, none waiting longer for it than its call may last.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// What SQLite may wait for another process when the time is up already: as long as a commit of its takes.
const LEAST: Duration = Duration::from_millis(20);

/// See the module's words.
pub(super) struct Shared {
    connection: Mutex<Connection>,
    taken: Mutex<bool>,
    returned: Condvar,
}

/// The connection for one use.
pub(super) struct Turn<'s> {
    // Before the ticket, so that it is unlocked when the next one comes.
    connection: MutexGuard<'s, Connection>,
    _ticket: Ticket<'s>,
}

struct Ticket<'s>(&'s Shared);

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        *lock(&self.0.taken) = false;
        self.0.returned.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(connection: Connection) -> Shared {
        Shared { connection: Mutex::new(connection), taken: Mutex::new(false), returned: Condvar::new() }
    }

    /// The connection once it is free, with what is then left of the time as SQLite's patience with other processes.
    /// `None` if it does not become free in time.
    pub(super) fn turn(&self, until: Instant) -> rusqlite::Result<Option<Turn<'_>>> {
        let mut taken = lock(&self.taken);
        while *taken {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            taken = self.returned.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        drop(taken);
        let turn = Turn { _ticket: Ticket(self), connection: lock(&self.connection) };
        turn.connection.busy_timeout(until.saturating_duration_since(Instant::now()).max(LEAST))?;
        Ok(Some(turn))
    }
}

impl std::ops::Deref for Turn<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl std::ops::DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
