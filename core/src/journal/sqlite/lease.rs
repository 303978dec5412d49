//! One connection that many threads use in turn, none waiting longer for it than its call may last.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How long SQLite waits for another process if the caller's time is already over: about one commit.
const LEAST: Duration = Duration::from_millis(20);

/// The shared connection.
pub(super) struct SharedConnection {
    connection: Mutex<Connection>,
    turns: Mutex<Turns>,
    returned: Condvar,
}

#[derive(Default)]
struct Turns {
    is_taken: bool,
    /// How many threads wait for the next turn.
    waiting: usize,
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
        let mut turns = lock(&self.0.turns);
        turns.is_taken = false;
        // A wake-up is a system call, also where nobody waits.
        if turns.waiting > 0 {
            // All waiting threads, because this turn may have done the work of some of them.
            self.0.returned.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedConnection {
    pub(super) fn new(connection: Connection) -> SharedConnection {
        SharedConnection {
            connection: Mutex::new(connection),
            turns: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// The connection, if it is free now. The time is SQLite's patience with other processes.
    pub(super) fn turn_now(&self, until: Instant) -> rusqlite::Result<Option<Lease<'_>>> {
        let mut turns = lock(&self.turns);
        if turns.is_taken {
            return Ok(None);
        }
        turns.is_taken = true;
        drop(turns);
        self.begun(until).map(Some)
    }

    /// The connection once it is free, with what is then left of the time as SQLite's patience with other processes;
    /// unless another thread has `done` the work meanwhile.
    pub(super) fn turn<T>(
        &self,
        until: Instant,
        done: impl Fn() -> Option<T>,
    ) -> rusqlite::Result<Waited<'_, T>> {
        let mut turns = lock(&self.turns);
        loop {
            if let Some(done) = done() {
                return Ok(Waited::Done(done));
            }
            if !turns.is_taken {
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::TooLate);
            }
            turns.waiting += 1;
            turns = self.returned.wait_timeout(turns, left).unwrap_or_else(PoisonError::into_inner).0;
            turns.waiting -= 1;
        }
        turns.is_taken = true;
        drop(turns);
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
