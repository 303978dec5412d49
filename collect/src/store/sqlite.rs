//! The store in one SQLite file: WAL, each commit flushed.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql, params_from_iter};

use zvpos_core::rights;

use super::NO_STORE;
use super::engine::{Engine, Row, StoreError, Value};

/// How long another connection may hold the file.
const BUSY: Duration = Duration::from_secs(20);

pub(super) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Makes an empty file, unless there is one.
    pub(super) fn make(path: &Path) -> Result<(), StoreError> {
        // SQLite gives its own files the rights of the database: nobody else reads sums and hashes.
        rights::make(path).map_err(|error| StoreError(format!("{}: {error}", path.display())))
    }

    pub(super) fn open(path: &Path) -> Result<Sqlite, StoreError> {
        let named = |error: &dyn std::fmt::Display| StoreError(format!("{}: {error}", path.display()));
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(named(&NO_STORE)),
            Err(error) => return Err(named(&error)),
        }
        let opened = || {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(BUSY)?;
            connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            connection.execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
                 PRAGMA cache_size = -65536;",
            )?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok::<_, rusqlite::Error>(Sqlite { connection })
        };
        opened().map_err(|error| named(&error))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives it a value")]
fn failed(error: rusqlite::Error) -> StoreError {
    StoreError(error.to_string())
}

/// SQLite names a parameter with a number `?1`.
fn own(statement: &str) -> String {
    statement.replace('$', "?")
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn value(found: ValueRef<'_>) -> Result<Value, StoreError> {
    match found {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => Ok(Value::Text(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(StoreError("a column of another kind".to_owned())),
    }
}

fn rows(statement: &mut Statement<'_>, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(parameters)).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let columns = 0..columns;
        found.push(
            columns
                .map(|column| row.get_ref(column).map_err(failed).and_then(value))
                .collect::<Result<Row, _>>()?,
        );
    }
    Ok(found)
}

impl Engine for Sqlite {
    fn id_column(&self) -> &'static str {
        "INTEGER PRIMARY KEY"
    }

    fn script(&mut self, statements: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(statements).map_err(failed)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.roll_back();
        self.script("BEGIN IMMEDIATE")
    }

    fn begin_snapshot(&mut self, writes: bool) -> Result<(), StoreError> {
        self.roll_back();
        self.script(if writes { "BEGIN IMMEDIATE" } else { "BEGIN" })
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.script("COMMIT")
    }

    fn roll_back(&mut self) {
        if !self.connection.is_autocommit() {
            // If even that fails, SQLite rolls back when the file is opened again.
            let _ = self.script("ROLLBACK");
        }
    }

    fn query(&mut self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(&own(statement)).map_err(failed)?;
        rows(&mut statement, parameters)
    }

    fn execute_each(&mut self, statement: &str, parameters: &[Vec<Value>]) -> Result<Vec<u64>, StoreError> {
        let mut statement = self.connection.prepare_cached(&own(statement)).map_err(failed)?;
        let run = |parameters: &Vec<Value>| {
            statement.execute(params_from_iter(parameters)).map(|changed| changed as u64).map_err(failed)
        };
        parameters.iter().map(run).collect()
    }
}
