//! The collector's copy of all journals, in SQLite or PostgreSQL. It is a copy: what is lost in it is shipped again.

mod accept;
mod answers;
mod closings;
mod engine;
mod gaps;
mod journals;
#[cfg(feature = "postgres")]
mod postgres;
mod questions;
mod retirement;
mod rounds;
mod sqlite;
mod tills;

use std::path::PathBuf;

use zvpos_core::calendar::BusinessDays;
use zvpos_core::transport::Roots;

use crate::digest;

pub use accept::Kept;
pub use answers::{Age, Closing, HourSums, JournalState, Open, SaleSums, Twin, Unfinished};
pub use engine::{Engine, Row, StoreError, Value};
pub use gaps::{Accepted, Gap, gap_kinds};
pub use questions::{AGES_MS, EnvironmentSums};
pub use retirement::{NotRetired, Retirement};
pub use tills::{Till, Token};

use engine::Columns;

/// The format of the tables.
const FORMAT: i64 = 2;

/// What is said where there are no tables.
const NO_STORE: &str = "there is no store here; `zv collect init` makes one";

/// Where the copy is.
#[derive(Clone, Debug)]
pub enum Location {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// `postgres://user@host/database`.
        url: String,
        /// The password, if the URL has none.
        password: Option<String>,
        /// The certificates that are trusted.
        roots: Roots,
    },
}

impl Location {
    /// The location that a text names: a PostgreSQL URL, otherwise a file.
    pub fn of(text: &str, password: Option<String>, roots: Roots) -> Location {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Location::Postgres { url: text.to_owned(), password, roots }
        } else {
            Location::Sqlite(PathBuf::from(text))
        }
    }
}

/// A connection to the copy.
pub struct Store {
    engine: Box<dyn Engine>,
}

impl Store {
    /// Opens the copy.
    ///
    /// # Errors
    /// There is none, it cannot be reached, or its tables are of another version.
    pub fn open(location: &Location) -> Result<Store, StoreError> {
        let mut store = Store::connect(location)?;
        store.check_format()?;
        Ok(store)
    }

    /// Opens the copy, and makes it where there is none.
    ///
    /// # Errors
    /// It cannot be reached, or its tables are of another version.
    pub fn make(location: &Location) -> Result<Store, StoreError> {
        if let Location::Sqlite(path) = location {
            sqlite::Sqlite::make(path)?;
        }
        let mut store = Store::connect(location)?;
        store.prepare()?;
        Ok(store)
    }

    fn connect(location: &Location) -> Result<Store, StoreError> {
        let engine: Box<dyn Engine> = match location {
            Location::Sqlite(path) => Box::new(sqlite::Sqlite::open(path)?),
            #[cfg(feature = "postgres")]
            Location::Postgres { url, password, roots } => {
                Box::new(postgres::Postgres::open(url, password.as_deref(), roots)?)
            }
            #[cfg(not(feature = "postgres"))]
            Location::Postgres { .. } => {
                return Err(StoreError(
                    "this program was built without PostgreSQL; use an SQLite file".to_owned(),
                ));
            }
        };
        Ok(Store { engine })
    }

    fn prepare(&mut self) -> Result<(), StoreError> {
        if self.format().is_ok() {
            return self.check_format();
        }
        let made = self.writing(|store| {
            let schema = include_str!("schema.sql").replace("{ID}", store.engine.id_column());
            store.engine.script(&schema)?;
            let identity = digest::random(16).map_err(StoreError)?;
            store.put("format", &FORMAT.to_string())?;
            store.put("collector", &identity)
        });
        // Another process may have been faster.
        if self.format().is_ok() { self.check_format() } else { made }
    }

    fn check_format(&mut self) -> Result<(), StoreError> {
        let format = self.format().map_err(|error| StoreError(format!("{NO_STORE} ({error})")))?;
        match format.parse::<i64>() {
            Ok(FORMAT) => Ok(()),
            _ => Err(StoreError(format!(
                "the store has another format; this version knows format {FORMAT}: make another one, to which the tills ship \
                 everything again"
            ))),
        }
    }

    fn format(&mut self) -> Result<String, StoreError> {
        self.setting("format")?.ok_or_else(|| StoreError("the store has no format".to_owned()))
    }

    /// Carries something out in one transaction, which is committed if it returns no error.
    fn writing<T>(
        &mut self,
        what: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.engine.begin()?;
        match what(self) {
            Ok(done) => self.engine.commit().map(|()| done),
            Err(error) => {
                self.engine.roll_back();
                Err(error)
            }
        }
    }

    /// Reads several things as they are at one moment.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn snapshot<T>(
        &mut self,
        what: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.engine.begin_snapshot(false)?;
        let read = what(self);
        self.engine.roll_back();
        read
    }

    /// Reads and writes at one moment; nothing is written if it returns an error.
    ///
    /// # Errors
    /// The store failed, or what was done in it.
    pub fn deciding<T, E: From<StoreError>>(
        &mut self,
        what: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        self.engine.begin_snapshot(true)?;
        match what(self) {
            Ok(done) => Ok(self.engine.commit().map(|()| done)?),
            Err(error) => {
                self.engine.roll_back();
                Err(error)
            }
        }
    }

    fn execute(&mut self, statement: &str, parameters: Vec<Value>) -> Result<u64, StoreError> {
        Ok(self.engine.execute_each(statement, &[parameters])?.into_iter().sum())
    }

    /// The rows of a statement, each read by `read`.
    fn rows<T>(
        &mut self,
        statement: &str,
        parameters: &[Value],
        read: impl Fn(&mut Columns) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.engine.query(statement, parameters)?;
        rows.into_iter().map(|row| read(&mut Columns::of(row))).collect()
    }

    /// A setting of the collector.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let found = self.rows("SELECT value FROM setting WHERE name = $1", &[name.into()], Columns::text)?;
        Ok(found.into_iter().next())
    }

    fn put(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO setting (name, value) VALUES ($1, $2) \
                           ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.execute(PUT, vec![name.into(), value.into()]).map(drop)
    }

    /// The identity of the collector: random, new with the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn collector(&mut self) -> Result<String, StoreError> {
        self.setting("collector")?.ok_or_else(|| StoreError("the store has no identity".to_owned()))
    }

    /// Sets the SHA-256 of the token for people.
    ///
    /// # Errors
    /// It is not stored.
    pub fn set_admin(&mut self, hash: &str) -> Result<(), StoreError> {
        self.writing(|store| store.put("admin", hash))
    }

    /// When the chain's business days begin.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn business_days(&mut self) -> Result<BusinessDays, StoreError> {
        let mut minutes = |name: &str, default: i64| {
            let found = self.setting(name)?;
            Ok::<_, StoreError>(found.and_then(|text| text.parse().ok()).unwrap_or(default))
        };
        // The defaults of a till's configuration.
        Ok(BusinessDays {
            start_minutes: minutes("start_minutes", 240)?,
            offset_minutes: minutes("offset_minutes", 480)?,
        })
    }

    /// Sets when the chain's business days begin.
    ///
    /// # Errors
    /// It is not stored.
    pub fn set_business_days(&mut self, days: BusinessDays) -> Result<(), StoreError> {
        self.writing(|store| {
            store.put("start_minutes", &days.start_minutes.to_string())?;
            store.put("offset_minutes", &days.offset_minutes.to_string())
        })
    }
}
