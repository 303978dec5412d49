//! The start: makes the tables where they are missing, and refuses what this version does not know.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use zvpos_core::journal::JournalError;
use zvpos_core::journal::moving::{self, MOVED, UNFINISHED};
use zvpos_core::journal::nodes::NodeLocks;
use zvpos_core::outcome::codes;

use crate::connection::Connection;
use crate::database::{Postgres, place_of};
use crate::failure::{Broken, Purpose, passes, words_of};
use crate::pool::{Lent, NotLent, Pool};
use crate::settings::Settings;
use crate::statements::{ASYNC, EXISTING, Statements};
use crate::target::Target;

/// The format of the tables that this version reads and writes.
pub(crate) const FORMAT: i32 = 1;

/// How long a start waits for another one that makes the same tables.
const PAUSE: Duration = Duration::from_millis(20);

/// A journal that is open.
pub struct Opened {
    /// The database.
    pub database: Postgres,
    /// The server has replicas, and no commit waits for one: a failover may lose what was acknowledged.
    pub is_async: bool,
}

impl Postgres {
    /// Opens the journal, and makes its tables if there are none.
    ///
    /// # Errors
    /// If the settings are wrong, the database cannot be reached or must not be used as it is set up, or the journal is of
    /// a newer version. The message says what to do, and has no password in it.
    pub fn open(settings: &Settings, until: Instant) -> Result<Opened, JournalError> {
        let locks = settings.locks.clone().map(locks_in).transpose()?;
        let start = Start {
            pool: Pool::new(Target::of(settings)?, settings.pool),
            statements: Statements::of(&settings.schema),
            schema: &settings.schema,
            until,
        };
        let id = start.journal()?;
        let is_async = start.is_async()?;
        let Start { pool, statements, .. } = start;
        Ok(Opened { database: Postgres::over(pool, statements, settings, locks, id), is_async })
    }
}

/// The locks in that folder.
fn locks_in(folder: PathBuf) -> Result<NodeLocks, JournalError> {
    let place = folder.display().to_string();
    NodeLocks::at(folder).map_err(|error| {
        JournalError::new(&codes::JOURNAL_PLACE, format!("journal_db.locks: {place} cannot be used: {error}"))
    })
}

struct Start<'s> {
    pool: Pool,
    statements: Statements,
    schema: &'s str,
    until: Instant,
}

/// The format, the identity, and what is kept about a move.
type About = (i32, String, Option<String>);

/// Why a step of the start was not done.
enum NotDone {
    /// Another start was doing the same, or the connection ended: it is tried again.
    Again(String),
    /// It cannot be done.
    For(JournalError),
}

impl Start<'_> {
    /// The identity of the journal, which is made if there is none.
    fn journal(&self) -> Result<String, JournalError> {
        loop {
            let words = match self.try_journal() {
                Ok(id) => return Ok(id),
                Err(NotDone::For(error)) => return Err(error),
                Err(NotDone::Again(words)) => words,
            };
            if Instant::now() + PAUSE >= self.until {
                return Err(self.unreachable(&words));
            }
            thread::sleep(PAUSE);
        }
    }

    fn try_journal(&self) -> Result<String, NotDone> {
        let mut lent = self.lend().map_err(NotDone::For)?;
        let id = match lent.connection() {
            Some(connection) => self.journal_on(connection)?,
            None => return Err(NotDone::Again("there is no connection".to_owned())),
        };
        lent.give_back();
        Ok(id)
    }

    fn journal_on(&self, connection: &mut Connection) -> Result<String, NotDone> {
        let (schema, table) = (format!("\"{}\"", self.schema), format!("\"{}\".zv_journal", self.schema));
        let existing = connection
            .ask(Purpose::Read, EXISTING, &[(&schema, Type::TEXT), (&table, Type::TEXT)], self.until)
            .map_err(|broken| self.not_done(broken))?;
        let has = |place: usize| existing.first().is_some_and(|row| row.try_get(place).unwrap_or(false));
        let (has_schema, has_table) = (has(0), has(1));
        let mut about = if has_table { self.about(connection)? } else { None };
        if about.is_none() {
            // Where the schema exists, the user may lack the right to make one.
            let made = if has_schema { "" } else { &self.statements.schema };
            let tables = format!("{made}\n{}", self.statements.tables);
            connection.batch(&tables, self.until).map_err(|broken| self.not_done(broken))?;
            let id = random().map_err(NotDone::For)?;
            connection
                .ask(
                    Purpose::Write,
                    &self.statements.found,
                    &[(&FORMAT, Type::INT4), (&id, Type::TEXT)],
                    self.until,
                )
                .map_err(|broken| self.not_done(broken))?;
            // Another start may have been faster.
            about = self.about(connection)?;
        }
        match about {
            Some((FORMAT, id, _)) => Ok(id),
            Some((format, _, place)) => {
                let (server, place) = (self.pool.target().words(), place.unwrap_or_default());
                let words = place_of(&server, self.schema);
                Err(NotDone::For(match format {
                    MOVED => moving::moved_away(&words, &place),
                    UNFINISHED => moving::unfinished(&words, &place),
                    format => newer(format, self.schema, &server),
                }))
            }
            None => Err(NotDone::Again("the journal's identity is missing".to_owned())),
        }
    }

    fn about(&self, connection: &mut Connection) -> Result<Option<About>, NotDone> {
        let rows = connection
            .ask(Purpose::Read, &self.statements.about, &[], self.until)
            .map_err(|broken| self.not_done(broken))?;
        let read = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        rows.first().map(read).transpose().map_err(|_: tokio_postgres::Error| {
            let message =
                format!("the table zv_journal of {} is not the journal's", self.pool.target().words());
            NotDone::For(JournalError::new(&codes::JOURNAL_PLACE, message))
        })
    }

    fn is_async(&self) -> Result<bool, JournalError> {
        let mut lent = self.lend()?;
        let asked = match lent.connection() {
            Some(connection) => connection.ask(Purpose::Read, ASYNC, &[], self.until),
            None => Ok(Vec::new()),
        };
        let rows = asked.map_err(|broken| match self.not_done(broken) {
            NotDone::Again(words) => self.unreachable(&words),
            NotDone::For(error) => error,
        })?;
        lent.give_back();
        Ok(rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)))
    }

    fn lend(&self) -> Result<Lent<'_>, JournalError> {
        self.pool.lend(self.until).map_err(|none| match none {
            NotLent::Away(words) => self.unreachable(&words),
            NotLent::NoConnection(none) => none.error(),
        })
    }

    fn unreachable(&self, words: &str) -> JournalError {
        let place = self.pool.target().words();
        JournalError::new(
            &codes::JOURNAL_AWAY,
            format!("the journal's database {place} cannot be reached: {words}"),
        )
    }

    fn not_done(&self, broken: Broken) -> NotDone {
        let error = match broken {
            Broken::Answered(error) => error,
            other => return NotDone::Again(other.words()),
        };
        let said = words_of(&error);
        // Two starts that make the same thing at once: the slower one fails by what the faster one has made.
        let races = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_SCHEMA,
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_OBJECT,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::INTERNAL_ERROR,
        ];
        if races.contains(error.code()) || passes(&error) {
            return NotDone::Again(said);
        }
        NotDone::For(explained(self.schema, &self.pool.target().words(), &Broken::Answered(error)))
    }
}

/// The error for a format that this version does not know.
pub(crate) fn newer(format: i32, schema: &str, server: &str) -> JournalError {
    JournalError::new(
        &codes::JOURNAL_NEWER,
        format!(
            "the journal in the schema {schema} of {server} has format {format}; this version knows format {FORMAT}; \
             nothing was changed; install the newer version on this node, too"
        ),
    )
}

/// The error for a statement that a start or a move cannot do without.
pub(crate) fn explained(schema: &str, server: &str, broken: &Broken) -> JournalError {
    let said = broken.words();
    match broken {
        Broken::Answered(error) if *error.code() == SqlState::INSUFFICIENT_PRIVILEGE => JournalError::new(
            &codes::JOURNAL_PLACE,
            format!(
                "the user of {server} may not make or use the schema {schema}: {said}; as the database's owner, run \
                 CREATE SCHEMA {schema} AUTHORIZATION with that user's name"
            ),
        ),
        _ => JournalError::new(
            &codes::JOURNAL,
            format!("the journal in the schema {schema} of {server} cannot be opened: {said}"),
        ),
    }
}

/// 128 random bits as 32 digits.
fn random() -> Result<String, JournalError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        JournalError::new(&codes::JOURNAL, format!("the system gives no random numbers: {error}"))
    })?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}
