//! The connections of one process. One that had an error is thrown away; a forked child closes none of its parent's.

use std::mem;
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zvpos_core::journal::nodes::Failure;

use crate::connection::Connection;
use crate::fit::NoConnection;
use crate::target::Target;

/// The connections to one database.
pub(crate) struct Pool {
    target: Target,
    size: usize,
    /// The process that made it. A forked child shares the sockets and what waits for them with its parent: a connection
    /// that is dropped there would be taken out of what its parent waits for.
    process: u32,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    /// The last one was used last.
    idle: Vec<Connection>,
    /// How many are open or being opened, lent ones included.
    open: usize,
    /// How many wait for one.
    waiting: usize,
}

/// A connection for one statement. Dropping it throws the connection away.
pub(crate) struct Lent<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
}

impl Pool {
    /// A pool without connections.
    pub(crate) fn new(target: Target, size: usize) -> Pool {
        Pool { target, size, process: process::id(), state: Mutex::default(), returned: Condvar::new() }
    }

    /// Where it leads to.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// A connection that is open as far as anybody knows here. Nothing was sent if there is none.
    pub(crate) fn take(&self, until: Instant) -> Result<Lent<'_>, Failure> {
        self.lend(until).map_err(|none| match none {
            NotLent::Away(words) => Failure::Away(words),
            NotLent::NoConnection(NoConnection::Unreachable(error)) => Failure::Away(error.message),
            NotLent::NoConnection(NoConnection::Unfit(error)) => Failure::Refused(error),
        })
    }

    /// The same, with the error of a connection that cannot be opened as it is.
    pub(crate) fn lend(&self, until: Instant) -> Result<Lent<'_>, NotLent> {
        if self.process != process::id() {
            return Err(NotLent::Away(
                "the process was forked after it had opened the journal: the child opens one of its own"
                    .to_owned(),
            ));
        }
        let mut words = "the time was over before the statement was sent".to_owned();
        let mut state = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NotLent::Away(words));
            }
            if let Some(connection) = state.idle.pop() {
                drop(state);
                let mut taken = Lent { pool: self, connection: Some(connection) };
                if taken.connection.as_mut().is_some_and(Connection::is_open) {
                    return Ok(taken);
                }
                drop(taken);
                state = self.lock();
            } else if state.open < self.size {
                state.open += 1;
                drop(state);
                let mut taken = Lent { pool: self, connection: None };
                taken.connection = Some(self.target.connect(until).map_err(NotLent::NoConnection)?);
                return Ok(taken);
            } else {
                words = format!("no connection was free in time: all {} are in use", self.size);
                state.waiting += 1;
                let waited = self.returned.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                state.waiting -= 1;
            }
        }
    }

    /// Throws away every connection that is not lent: the servers have changed their roles.
    pub(crate) fn clear(&self) {
        let idle = {
            let mut state = self.lock();
            state.open -= state.idle.len();
            mem::take(&mut state.idle)
        };
        self.returned.notify_all();
        drop(idle);
    }

    /// Tells one that waits that there is one more. Where nobody waits, that would be a system call for nothing.
    fn tell(&self, state: MutexGuard<'_, State>) {
        let waiting = state.waiting;
        drop(state);
        if waiting > 0 {
            self.returned.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why no connection was lent.
#[derive(Debug)]
pub(crate) enum NotLent {
    /// In words.
    Away(String),
    /// None could be opened.
    NoConnection(NoConnection),
}

impl Lent<'_> {
    /// The connection.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Gives the connection back after a statement without an error.
    pub(crate) fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            let mut state = self.pool.lock();
            state.idle.push(connection);
            self.pool.tell(state);
            mem::forget(self);
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.open -= 1;
        self.pool.tell(state);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.process != process::id() {
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            mem::take(&mut state.idle).into_iter().for_each(mem::forget);
        }
    }
}

#[cfg(test)]
#[path = "../tests/cluster/mod.rs"]
mod cluster;

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use zvpos_core::journal::nodes::Failure;

    use super::cluster::{Admin, Cluster, soon, until};
    use super::{Pool, Target};

    fn connections(person: &Admin) -> String {
        person.texts("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'zvpos'").remove(0)
    }

    /// A pool with two idle connections.
    fn pool(cluster: &Cluster) -> Pool {
        let pool = Pool::new(Target::of(&cluster.settings("unused")).unwrap(), 2);
        let (one, two) = (pool.take(soon()).unwrap(), pool.take(soon()).unwrap());
        one.give_back();
        two.give_back();
        pool
    }

    /// The process number of a forked child is another one than that of the process that made the pool.
    #[test]
    fn a_forked_child_neither_uses_nor_closes_its_parents_connections() {
        let cluster = Cluster::start();
        let person = cluster.admin();
        let mut of_the_parent = pool(&cluster);
        assert_eq!(connections(&person), "2");
        of_the_parent.process += 1;
        match of_the_parent.take(soon()) {
            Err(Failure::Away(words)) => assert!(words.contains("forked"), "{words}"),
            Err(failure) => panic!("{failure:?}"),
            Ok(_) => panic!("a connection was lent"),
        }
        drop(of_the_parent);
        thread::sleep(Duration::from_millis(300));
        assert_eq!(connections(&person), "2");
        let own = pool(&cluster);
        assert_eq!(connections(&person), "4");
        drop(own);
        until("its own connections are closed", || connections(&person) == "2");
    }

    #[test]
    fn a_connection_that_is_not_given_back_makes_room_for_another() {
        let cluster = Cluster::start();
        let pool = pool(&cluster);
        for _ in 0..5 {
            drop(pool.take(soon()).unwrap());
        }
        let (one, two) = (pool.take(soon()).unwrap(), pool.take(soon()).unwrap());
        one.give_back();
        two.give_back();
        pool.clear();
        until("idle connections are closed", || connections(&cluster.admin()) == "0");
        let lent = (pool.take(soon()).unwrap(), pool.take(soon()).unwrap());
        assert_eq!(connections(&cluster.admin()), "2");
        drop(lent);
    }
}
