//! The journal's database, in the library for servers.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{number, problem, section, text};
use crate::journal::nodes::LeaseSettings;
use crate::json::Object;
use crate::outcome::Problem;

/// What a journal that is a database begins with.
pub(super) const SCHEME: &str = "postgres://";

/// What two nodes' clocks may differ by over a lease, and what lies between a look at the clock and the act.
const MARGIN: Duration = Duration::from_secs(2);

/// The database that several nodes share.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// `postgres://user@host:port,other/database?name=value`, without a password.
    pub url: String,
    /// The user's password; in no log and no message.
    pub password: Option<String>,
    /// The certificates that the server's must lead to.
    pub pem: Option<PathBuf>,
    /// How many connections there are at most.
    pub pool: usize,
    /// The schema with the journal's tables.
    pub schema: String,
    /// The folder of this machine in which its nodes hold locks, if there is one.
    pub locks: Option<PathBuf>,
    /// How the nodes judge each other.
    pub lease: LeaseSettings,
    /// Whether a database with replicas of which none is synchronous is accepted without a warning.
    pub allow_async: bool,
}

/// Without the password, and without the address, in which a password may stand by mistake.
impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DatabaseSettings")
            .field("pem", &self.pem)
            .field("pool", &self.pool)
            .field("schema", &self.schema)
            .field("locks", &self.locks)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

impl DatabaseSettings {
    /// Reads `journal` and `journal_db`; `total` is how long a call may last. `None` for a journal that is a file.
    pub(super) fn read(
        object: &Object<'_>,
        total: Duration,
        problems: &mut Vec<Problem>,
    ) -> Option<DatabaseSettings> {
        let url = text(object, "journal").filter(|journal| journal.starts_with(SCHEME));
        let empty = Object::default();
        let given = section(object, "journal_db");
        let Some(url) = url else {
            if given.is_some() {
                problems
                    .push(problem("journal_db", format!("belongs to a journal that begins with {SCHEME}")));
            }
            return None;
        };
        let given = given.unwrap_or(&empty);
        let seconds = |name: &str, default| Duration::from_secs(number(given, name).unwrap_or(default));
        let beat = seconds("beat_s", 2);
        let lease = LeaseSettings { lease: Duration::ZERO, beat, margin: MARGIN };
        let lease =
            LeaseSettings { lease: seconds("lease_s", lease.least(total).as_secs().max(20)), ..lease };
        if !lease.covers(total) {
            problems.push(problem(
                "journal_db.lease_s",
                format!(
                    "must be at least {}: timeouts_ms.total, three times beat_s and {} s more",
                    lease.least(total).as_secs(),
                    MARGIN.as_secs()
                ),
            ));
        }
        let locks = text(given, "locks").map(PathBuf::from);
        if locks.as_ref().is_some_and(|folder| !folder.is_absolute()) {
            problems.push(problem(
                "journal_db.locks",
                "must be an absolute path: a relative one is another folder in another working directory",
            ));
        }
        Some(DatabaseSettings {
            url: url.to_owned(),
            password: text(given, "password").map(str::to_owned),
            pem: text(given, "pem").map(PathBuf::from),
            pool: number(given, "pool").and_then(|pool| usize::try_from(pool).ok()).unwrap_or(16),
            schema: text(given, "schema").unwrap_or("zvpos").to_owned(),
            locks,
            lease,
            allow_async: text(given, "allow_async") == Some("true"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::json::Value;

    fn read(journal: &str) -> Result<Option<DatabaseSettings>, Vec<String>> {
        let text = format!(
            r#"{{"openId": "o", "grantCode": "g", "openKey": "k", "timeouts_ms": {{"total": 10500}}, {journal}}}"#
        );
        let config = Config::read(&Value::parse(&text).unwrap());
        config.map(|config| config.database).map_err(|problems| {
            problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
        })
    }

    #[test]
    fn a_database_has_usual_settings_and_a_lease_that_covers_a_call() {
        let settings = read(r#""journal": "postgres://zv@127.0.0.1/zv""#).unwrap().unwrap();
        assert_eq!((settings.pool, settings.schema.as_str(), settings.allow_async), (16, "zvpos", false));
        assert_eq!(
            (settings.lease.lease, settings.lease.beat),
            (Duration::from_secs(20), Duration::from_secs(2))
        );
        let long = r#""journal": "postgres://h/d", "journal_db": {"beat_s": 5, "schema": "s", "pool": 3}"#;
        let settings = read(long).unwrap().unwrap();
        assert_eq!((settings.lease.lease, settings.pool), (Duration::from_secs(28), 3));
        let short = r#""journal": "postgres://h/d", "journal_db": {"lease_s": 18}"#;
        let problems = read(short).err().unwrap();
        assert!(problems[0].starts_with("journal_db.lease_s: must be at least 19"), "{problems:?}");
    }

    #[test]
    fn the_settings_of_a_database_belong_to_one() {
        let problems = read(r#""journal_db": {"pool": 3}"#).err().unwrap();
        assert!(problems[0].contains("postgres://"), "{problems:?}");
        assert_eq!(read(r#""warm_s": 3"#).unwrap().map(|_| ()), None);
        let problems = read(r#""journal": "postgres://h/d", "journal_db": {"nonsense": 3}"#).err().unwrap();
        assert!(problems[0].contains("journal_db.nonsense"), "{problems:?}");
    }
}
