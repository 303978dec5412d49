//! A look at a journal's database from outside, beside the nodes that use it: it joins nothing, makes nothing and changes
//! nothing.

use std::time::{Duration, Instant};

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use tokio_postgres::types::Type;
use zvpos_core::journal::JournalError;
use zvpos_core::journal::moving::{self, MOVED, UNFINISHED};
use zvpos_core::outcome::codes;

use crate::connection::{Connection, Parameter};
use crate::database::place_of;
use crate::failure::{Purpose, failed_as};
use crate::fit::NoConnection;
use crate::row::{self, strange};
use crate::settings::Settings;
use crate::start::{FORMAT, explained, newer};
use crate::statements::{ASYNC, EXISTING, Statements};
use crate::survey_statements::{CLOCK, SERVER, SurveyStatements};
use crate::target::Target;

/// How many entries are read at a time.
const PAGE: usize = 1000;

/// How many damaged rows are told in words.
const TOLD: usize = 5;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One connection to a journal's database.
pub struct Survey {
    connection: Connection,
    questions: SurveyStatements,
    schema: String,
    server: String,
    /// Whether the connection is encrypted, and the server's certificate and name were verified.
    pub is_verified: bool,
    /// Whether nothing between this machine's programs and the server can read along.
    pub is_local: bool,
}

/// Why there is nothing to look at.
#[derive(Debug)]
pub enum NoSurvey {
    /// No server that takes writes answers.
    Unreachable(JournalError),
    /// A server answers, and a node refuses it as it is set up.
    Unfit(JournalError),
}

/// What a server says about itself. A setting that an engine does not have is `None`.
#[derive(Clone, Debug)]
pub struct ServerFacts {
    /// Its version.
    pub version: String,
    /// `fsync`.
    pub fsync: Option<String>,
    /// `synchronous_commit` for this user.
    pub synchronous_commit: Option<String>,
    /// How many replicas there are.
    pub replicas: i64,
    /// For how many of them commits wait, or may wait.
    pub synchronous: i64,
    /// `data_checksums`.
    pub data_checksums: Option<String>,
    /// There are replicas, and no commit waits for one.
    pub is_async: bool,
}

/// A node as the database knows it.
#[derive(Clone, Debug)]
pub struct NodeSeen {
    /// Its name.
    pub owner: String,
    /// Its machine.
    pub host: String,
    /// Its version.
    pub version: String,
    /// How often it has said that it lives.
    pub beat: i64,
    /// It has left, or was declared dead.
    pub dead: bool,
    /// When it joined, by the database's clock.
    pub joined_unix_ms: i64,
}

/// The unsettled entries of one stage.
#[derive(Clone, Debug)]
pub struct Open {
    /// The stage's word.
    pub stage: String,
    /// How many there are.
    pub count: i64,
    /// When the oldest was made, by its till's clock.
    pub oldest_unix_ms: i64,
}

/// What a reading of every row has found.
#[derive(Clone, Debug, Default)]
pub struct RowsRead {
    /// How many are what was written.
    pub whole: u64,
    /// How many are not.
    pub damaged: u64,
    /// Some of these in words.
    pub words: Vec<String>,
}

impl Survey {
    /// Opens a connection as a node does.
    ///
    /// # Errors
    /// If no server answers, or a node would refuse it.
    pub fn open(settings: &Settings, until: Instant) -> Result<Survey, NoSurvey> {
        let target = Target::of(settings).map_err(NoSurvey::Unreachable)?;
        let connection = target.connect(until).map_err(|none| match none {
            NoConnection::Unreachable(error) => NoSurvey::Unreachable(error),
            NoConnection::Unfit(error) => NoSurvey::Unfit(error),
        })?;
        Ok(Survey {
            connection,
            questions: SurveyStatements::of(&settings.schema),
            schema: settings.schema.clone(),
            server: target.words(),
            is_verified: target.is_verified(),
            is_local: target.is_local(),
        })
    }

    fn ask(&mut self, text: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, JournalError> {
        let asked = self.connection.ask(Purpose::Read, text, parameters, Instant::now() + PATIENCE);
        asked.map_err(|broken| explained(&self.schema, &self.server, &broken))
    }

    fn question(&mut self, text: fn(&SurveyStatements) -> &str) -> Result<Vec<Row>, JournalError> {
        let text = text(&self.questions).to_owned();
        self.ask(&text, &[])
    }

    /// The server's settings.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn server(&mut self) -> Result<ServerFacts, JournalError> {
        let is_async = self.ask(ASYNC, &[])?;
        let rows = self.ask(SERVER, &[])?;
        let row = rows.first().ok_or_else(|| failed_as(strange("settings")))?;
        Ok(ServerFacts {
            version: value(row, 0)?,
            fsync: value(row, 1)?,
            synchronous_commit: value(row, 2)?,
            replicas: value(row, 3)?,
            synchronous: value(row, 4)?,
            data_checksums: value(row, 5)?,
            is_async: is_async.first().is_some_and(|row| row.try_get(0).unwrap_or(false)),
        })
    }

    /// The format and the identity of the journal; `None` before the first node.
    ///
    /// # Errors
    /// If a node would refuse the journal, or the database does not answer.
    pub fn journal(&mut self) -> Result<Option<(i32, String)>, JournalError> {
        let (schema, table) = (format!("\"{}\"", self.schema), format!("\"{}\".zv_journal", self.schema));
        let existing = self.ask(EXISTING, &[(&schema, Type::TEXT), (&table, Type::TEXT)])?;
        if !existing.first().is_some_and(|row| row.try_get(1).unwrap_or(false)) {
            return Ok(None);
        }
        let about = Statements::of(&self.schema).about;
        let rows = self.ask(&about, &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (format, id, place): (i32, String, Option<String>) =
            (value(row, 0)?, value(row, 1)?, value(row, 2)?);
        let (words, place) = (place_of(&self.server, &self.schema), place.unwrap_or_default());
        match format {
            FORMAT => Ok(Some((format, id))),
            MOVED => Err(moving::moved_away(&words, &place)),
            UNFINISHED => Err(moving::unfinished(&words, &place)),
            format => Err(newer(format, &self.schema, &self.server)),
        }
    }

    /// The database's clock in Unix milliseconds.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn unix_ms(&mut self) -> Result<i64, JournalError> {
        let rows = self.ask(CLOCK, &[])?;
        first(&rows)
    }

    /// The nodes that are not forgotten.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn nodes(&mut self) -> Result<Vec<NodeSeen>, JournalError> {
        let rows = self.question(|questions| &questions.nodes)?;
        let node = |row: &Row| {
            Ok(NodeSeen {
                owner: value(row, 0)?,
                host: value(row, 1)?,
                version: value(row, 2)?,
                beat: value(row, 3)?,
                dead: value(row, 4)?,
                joined_unix_ms: value(row, 5)?,
            })
        };
        rows.iter().map(node).collect()
    }

    /// Who settles, and its term.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn settler(&mut self) -> Result<Option<(String, i64)>, JournalError> {
        let rows = self.question(|questions| &questions.role)?;
        rows.first().map(|row| Ok((value(row, 0)?, value(row, 1)?))).transpose()
    }

    /// The unsettled entries of each stage.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn unsettled(&mut self) -> Result<Vec<Open>, JournalError> {
        let rows = self.question(|questions| &questions.unsettled)?;
        let open = |row: &Row| {
            Ok(Open { stage: value(row, 0)?, count: value(row, 1)?, oldest_unix_ms: value(row, 2)? })
        };
        rows.iter().map(open).collect()
    }

    /// How many bizIds several accounts have, and some of them.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn twice(&mut self) -> Result<(i64, Vec<String>), JournalError> {
        let rows = self.question(|questions| &questions.twice)?;
        let count = rows.first().map_or(Ok(0), |row| value(row, 0))?;
        Ok((count, rows.iter().map(|row| value(row, 1)).collect::<Result<_, _>>()?))
    }

    /// How many entries there are, and how many bytes they take.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn size(&mut self) -> Result<(i64, i64), JournalError> {
        let entries = first(&self.question(|questions| &questions.entries)?)?;
        Ok((entries, first(&self.question(|questions| &questions.size)?)?))
    }

    /// Reads every row and compares it with its checksum.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn read_all(&mut self) -> Result<RowsRead, JournalError> {
        let text = self.questions.page.clone();
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        let (mut found, mut after) = (RowsRead::default(), [String::new(), String::new(), String::new()]);
        loop {
            let [open_id, environment, biz_id] = &after;
            let rows = self.ask(
                &text,
                &[
                    (open_id, Type::TEXT),
                    (environment, Type::TEXT),
                    (biz_id, Type::TEXT),
                    (&limit, Type::INT8),
                ],
            )?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = [value(last, 0)?, value(last, 1)?, value(last, 2)?];
            for row in &rows {
                match row::entry(row) {
                    Ok(_) => found.whole += 1,
                    Err(failure) => {
                        found.damaged += 1;
                        if found.words.len() < TOLD {
                            found.words.push(failed_as(failure).message);
                        }
                    }
                }
            }
        }
    }
}

fn value<'r, T: FromSql<'r>>(row: &'r Row, place: usize) -> Result<T, JournalError> {
    row.try_get(place).map_err(|error| {
        JournalError::new(
            &codes::JOURNAL_DAMAGED,
            format!("the database answers with something strange: {error}"),
        )
    })
}

fn first(rows: &[Row]) -> Result<i64, JournalError> {
    rows.first().map_or(Ok(0), |row| value(row, 0))
}
