//! Carries out statements over the pool, each until its deadline.

use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::Row;
use zvpos_core::journal::nodes::Failure;

use crate::connection::Parameter;
use crate::failure::{Purpose, Then};
use crate::pool::Pool;

/// How long a statement waits before it is repeated.
const PAUSE: Duration = Duration::from_millis(10);

/// It is not repeated with less time than that: the deadline would cut it off, and leave open what is certain now.
const LEAST: Duration = Duration::from_millis(50);

/// The pool, and how long one statement may take on it.
pub(crate) struct Asking {
    pub(crate) pool: Pool,
    pub(crate) patience: Duration,
}

impl Asking {
    /// Carries out a statement that changes nothing.
    pub(crate) fn read(
        &self,
        text: &str,
        parameters: &[Parameter<'_>],
        until: Instant,
    ) -> Result<Vec<Row>, Failure> {
        self.ask(Purpose::Read, text, parameters, until)
    }

    /// Carries out a statement that writes.
    pub(crate) fn change(
        &self,
        text: &str,
        parameters: &[Parameter<'_>],
        until: Instant,
    ) -> Result<Vec<Row>, Failure> {
        self.ask(Purpose::Write, text, parameters, until)
    }

    /// Carries out a statement until then, again where the server says that it was not carried out and may be.
    fn ask(
        &self,
        purpose: Purpose,
        text: &str,
        parameters: &[Parameter<'_>],
        until: Instant,
    ) -> Result<Vec<Row>, Failure> {
        let Asking { pool, patience } = self;
        let mut last = None;
        loop {
            let mut lent = pool.take(until).map_err(|failure| match (failure, last.take()) {
                // What the server has said says more.
                (Failure::Away(_), Some(words)) => Failure::Away(words),
                (failure, _) => failure,
            })?;
            let Some(connection) = lent.connection() else { continue };
            let broken =
                match connection.ask(purpose, text, parameters, until.min(Instant::now() + *patience)) {
                    Ok(rows) => {
                        lent.give_back();
                        return Ok(rows);
                    }
                    Err(broken) => broken,
                };
            let words = match broken.then(purpose) {
                Then::Repeat(words) => {
                    lent.give_back();
                    words
                }
                // Nothing more is sent on this connection.
                Then::AskAgain(words, distrusts) => {
                    drop(lent);
                    if distrusts {
                        pool.clear();
                    }
                    words
                }
                Then::Fail(failure, distrusts) => {
                    drop(lent);
                    if distrusts {
                        pool.clear();
                    }
                    return Err(failure);
                }
            };
            if Instant::now() + PAUSE + LEAST >= until {
                return Err(Failure::Away(words));
            }
            last = Some(words);
            thread::sleep(PAUSE);
        }
    }
}
