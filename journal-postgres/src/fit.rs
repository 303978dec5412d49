//! Whether a server keeps what it acknowledges, and takes writes. Every new connection is asked: a server may have taken
//! the place of another one, or may be set up otherwise since.

use std::time::Instant;

use tokio_postgres::Row;
use zvpos_core::journal::JournalError;
use zvpos_core::outcome::codes;

use crate::connection::Connection;
use crate::failure::Purpose;
use crate::statements::FITNESS;
use crate::url::Host;

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(crate) enum NoConnection {
    /// No server that takes writes can be reached now.
    Unreachable(JournalError),
    /// A server can be reached and must not be used as it is set up.
    Unfit(JournalError),
}

impl NoConnection {
    /// The error at the start.
    pub(crate) fn error(self) -> JournalError {
        match self {
            NoConnection::Unreachable(error) | NoConnection::Unfit(error) => error,
        }
    }
}

/// The first version that the statements are written for.
const LEAST: u32 = 13;

/// Refuses a server whose acknowledgement proves nothing.
pub(crate) fn prove(connection: &mut Connection, host: &Host, until: Instant) -> Result<(), NoConnection> {
    let at = host.words();
    let silent = |words: &str| {
        let message = format!("the journal's database at {at} cannot be reached: {words}");
        NoConnection::Unreachable(JournalError::new(&codes::JOURNAL_AWAY, message))
    };
    let rows =
        connection.ask(Purpose::Read, FITNESS, &[], until).map_err(|broken| silent(&broken.words()))?;
    let server =
        rows.first().and_then(Server::read).ok_or_else(|| silent("it does not say how it is set up"))?;
    let error = |code, words: String| JournalError::new(code, format!("the PostgreSQL server {at} {words}"));
    if let Some(words) = server.not_now() {
        return Err(NoConnection::Unreachable(error(&codes::JOURNAL_AWAY, words)));
    }
    match server.unfit() {
        Some(words) => Err(NoConnection::Unfit(error(&codes::JOURNAL_PLACE, words))),
        None => Ok(()),
    }
}

/// What a server says about itself. A setting that an engine does not have is `None`.
struct Server {
    version: u32,
    is_standby: bool,
    read_only: Option<String>,
    fsync: Option<String>,
    synchronous_commit: Option<String>,
    encoding: Option<String>,
    messages: Option<String>,
}

impl Server {
    fn read(row: &Row) -> Option<Server> {
        let setting = |place: usize| row.try_get::<_, Option<String>>(place).ok();
        Some(Server {
            version: setting(0)??.parse().ok()?,
            is_standby: row.try_get(1).ok()?,
            read_only: setting(2)?,
            fsync: setting(3)?,
            synchronous_commit: setting(4)?,
            encoding: setting(5)?,
            messages: setting(6)?,
        })
    }

    /// Why it takes no writes at present.
    fn not_now(&self) -> Option<String> {
        if self.is_standby {
            return Some(
                "is a standby: it takes no writes and may not know the newest records; name the primary, or all servers \
                 of the cluster separated by commas"
                    .to_owned(),
            );
        }
        (self.read_only.as_deref() == Some("on")).then(|| {
            "takes no writes (transaction_read_only = on); name the primary, and set default_transaction_read_only = off \
             for the user"
                .to_owned()
        })
    }

    /// Why what it acknowledges could be lost, or cannot be what is needed.
    fn unfit(&self) -> Option<String> {
        if self.version / 10_000 < LEAST {
            let version = self.version / 10_000;
            return Some(format!("has version {version}; the journal needs PostgreSQL {LEAST} or newer"));
        }
        if self.fsync.as_deref() == Some("off") {
            return Some(
                "runs with fsync = off: what it acknowledges does not survive a crash; set fsync = on in postgresql.conf \
                 and restart it"
                    .to_owned(),
            );
        }
        if let Some(setting @ ("off" | "local")) = self.synchronous_commit.as_deref() {
            return Some(format!(
                "has synchronous_commit = {setting} for this user: a crash or a failover loses what it acknowledges; set \
                 it to on, on the server or by ALTER ROLE ... SET synchronous_commit = on"
            ));
        }
        if self.messages.as_deref() == Some("error") {
            return Some(
                "has client_min_messages = error for this user: the warning that a commit has not reached its replica would \
                 not come; set it to warning, or ALTER ROLE ... RESET client_min_messages"
                    .to_owned(),
            );
        }
        match self.encoding.as_deref() {
            None | Some("UTF8") => None,
            Some(encoding) => Some(format!(
                "has the encoding {encoding} in this database: a name may not fit into it; create a database with \
                 ENCODING 'UTF8' TEMPLATE template0"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Server;

    fn usual() -> Server {
        let text = |text: &str| Some(text.to_owned());
        Server {
            version: 130_004,
            is_standby: false,
            read_only: text("off"),
            fsync: text("on"),
            synchronous_commit: text("on"),
            encoding: text("UTF8"),
            messages: text("notice"),
        }
    }

    #[test]
    fn a_server_that_may_lose_records_is_refused() {
        let refused = |server: &Server| server.unfit().or_else(|| server.not_now());
        assert_eq!(refused(&usual()), None);
        for setting in ["remote_apply", "remote_write"] {
            assert_eq!(refused(&Server { synchronous_commit: Some(setting.into()), ..usual() }), None);
        }
        let bare = Server {
            read_only: None,
            fsync: None,
            synchronous_commit: None,
            encoding: None,
            messages: None,
            ..usual()
        };
        assert_eq!(refused(&bare), None);
        for (server, words) in [
            (Server { version: 120_022, ..usual() }, "PostgreSQL 13"),
            (Server { fsync: Some("off".into()), ..usual() }, "set fsync = on"),
            (Server { synchronous_commit: Some("off".into()), ..usual() }, "ALTER ROLE"),
            (Server { synchronous_commit: Some("local".into()), ..usual() }, "ALTER ROLE"),
            (Server { encoding: Some("SQL_ASCII".into()), ..usual() }, "ENCODING 'UTF8'"),
            (Server { messages: Some("error".into()), ..usual() }, "RESET client_min_messages"),
            (Server { is_standby: true, ..usual() }, "name the primary"),
            (Server { read_only: Some("on".into()), ..usual() }, "default_transaction_read_only"),
        ] {
            let said = refused(&server).unwrap();
            assert!(said.contains(words), "{said}");
        }
    }
}
