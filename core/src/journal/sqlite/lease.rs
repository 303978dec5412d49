//! One connection that many threads use in turn, none waiting longer for it than its call may last.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How long SQLite waits for another process if the caller's time is already over: about one commit.
const LEAST: Duration = Duration::from_millis(20);

/// The shared connection.
pub(super) struct SharedConnection {
    connection: Mutex<Connection>,
    taken: Mutex<bool>,
    returned: Condvar,
}

/// How waiting for the connection ended.
pub(super) enum Waited<'s, T> {
    /// The connection is free.
    Lease(Lease<'s>),
    /// There is nothing left to do.
    Done(T),
    /// It did not become free in time.
    TooLate,
}

/// The connection for one use.
pub(super) struct Lease<'s> {
    // Before the ticket, so that it is unlocked when the next one comes.
    connection: MutexGuard<'s, Connection>,
    _ticket: Ticket<'s>,
}

struct Ticket<'s>(&'s SharedConnection);

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        *lock(&self.0.taken) = false;
        // All waiting threads, because this turn may have done the work of some of them.
        self.0.returned.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedConnection {
    pub(super) fn new(connection: Connection) -> SharedConnection {
        SharedConnection {
            connection: Mutex::new(connection),
            taken: Mutex::new(false),
            returned: Condvar::new(),
        }
    }

    /// The connection, if it is free now. The time is SQLite's patience with other processes.
    pub(super) fn turn_now(&self, until: Instant) -> rusqlite::Result<Option<Lease<'_>>> {
        let mut taken = lock(&self.taken);
        if *taken {
            return Ok(None);
        }
        *taken = true;
        drop(taken);
        self.begun(until).map(Some)
    }

    /// The connection once it is free, with what is then left of the time as SQLite's patience with other processes;
    /// unless another thread has `done` the work meanwhile.
    pub(super) fn turn<T>(
        &self,
        until: Instant,
        done: impl Fn() -> Option<T>,
    ) -> rusqlite::Result<Waited<'_, T>> {
        let mut taken = lock(&self.taken);
        loop {
            if let Some(done) = done() {
                return Ok(Waited::Done(done));
            }
            if !*taken {
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::TooLate);
            }
            taken = self.returned.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        drop(taken);
        self.begun(until).map(Waited::Lease)
    }

    fn begun(&self, until: Instant) -> rusqlite::Result<Lease<'_>> {
        let turn = Lease { _ticket: Ticket(self), connection: lock(&self.connection) };
        turn.connection.busy_timeout(until.saturating_duration_since(Instant::now()).max(LEAST))?;
        Ok(turn)
    }
}

impl std::ops::Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl std::ops::DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
