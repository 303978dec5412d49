//! What the caller says about the database.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zvpos_core::config::DatabaseSettings;

/// Where the journal is, and how it is used.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://user@host:port,other/database?sslmode=verify-full&target_session_attrs=read-write`. It holds no
    /// password. A host that begins with `%2F` is the folder of a Unix socket.
    pub url: String,
    /// The user's password. It is in no message and in no log.
    pub password: Option<String>,
    /// The certificates that the server's must lead to; without a file Mozilla's roots.
    pub pem: Option<PathBuf>,
    /// How many connections there are at most.
    pub pool: usize,
    /// The schema that holds the journal's tables. It is made if it is missing.
    pub schema: String,
    /// The folder of this machine in which its nodes hold locks, if there is one.
    pub locks: Option<PathBuf>,
    /// How long one connection may take to open, all hosts together.
    pub connect_patience: Duration,
    /// How long one statement may take before its connection is given up, if its deadline is not earlier.
    pub statement_patience: Duration,
    /// The machine's name, for people who read the table of nodes.
    pub host: String,
    /// The version of the program, for the same.
    pub version: String,
}

impl Settings {
    /// The settings of a configuration.
    pub fn configured(database: &DatabaseSettings) -> Settings {
        Settings {
            password: database.password.clone(),
            pem: database.pem.clone(),
            pool: database.pool,
            schema: database.schema.clone(),
            locks: database.locks.clone(),
            ..Settings::of(database.url.clone())
        }
    }

    /// The settings of that address, with what is usual for everything else.
    pub fn of(url: impl Into<String>) -> Settings {
        Settings {
            url: url.into(),
            password: None,
            pem: None,
            pool: 16,
            schema: "zvpos".to_owned(),
            locks: None,
            connect_patience: Duration::from_secs(5),
            statement_patience: Duration::from_secs(5),
            host: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Without the password, and without the address, in which a password may stand by mistake.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("pem", &self.pem)
            .field("pool", &self.pool)
            .field("schema", &self.schema)
            .field("locks", &self.locks)
            .field("connect_patience", &self.connect_patience)
            .field("statement_patience", &self.statement_patience)
            .field("host", &self.host)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
