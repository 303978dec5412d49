//! What a statement that gave no rows means: whether it may have been carried out.

use std::error::Error as _;

use tokio_postgres::error::{DbError, Severity, SqlState};
use zvpos_core::journal::JournalError;
use zvpos_core::journal::nodes::Failure;
use zvpos_core::outcome::codes;

/// Why a statement that was sent on a connection gave no rows.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection ended: nobody knows what became of it.
    Lost(String),
    /// Nothing came in the time that it had: the same, and other connections may be as dead.
    Silent,
    /// It was carried out, and what it wrote may be lost by a failover.
    NotDurable(String),
    /// The server answered it with an error.
    Answered(Box<DbError>),
}

/// What a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It changes nothing, so that it may be repeated without harm.
    Read,
    /// It writes.
    Write,
}

/// What is done about it.
#[derive(Debug)]
pub(crate) enum Then {
    /// It was not carried out, and the same statement may succeed, also on the same connection.
    Repeat(String),
    /// It changes nothing, and may be asked again on another connection. With `true` no idle connection is trusted.
    AskAgain(String, bool),
    /// The caller hears of it. With `true` no idle connection is trusted.
    Fail(Failure, bool),
}

impl Broken {
    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Broken::Lost(words) | Broken::NotDurable(words) => words.clone(),
            Broken::Silent => "the database does not answer in time".to_owned(),
            Broken::Answered(error) => words_of(error),
        }
    }

    /// What is done about it.
    pub(crate) fn then(self, purpose: Purpose) -> Then {
        let error = match self {
            Broken::Answered(error) => error,
            other => {
                let distrusts = matches!(other, Broken::Silent);
                return match purpose {
                    Purpose::Read => Then::AskAgain(other.words(), distrusts),
                    Purpose::Write => Then::Fail(Failure::Ambiguous(other.words()), distrusts),
                };
            }
        };
        let said = words_of(&error);
        let code = error.code();
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            return Then::Repeat(said);
        }
        if leaves_it_open(&error) {
            return if purpose == Purpose::Read {
                Then::AskAgain(said, false)
            } else {
                Then::Fail(Failure::Ambiguous(said), false)
            };
        }
        if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
            return Then::Fail(Failure::Away(format!("the server does not take writes: {said}")), true);
        }
        if is_busy(code) {
            return Then::Fail(Failure::Away(said), false);
        }
        let kind = if *code == SqlState::DISK_FULL { &codes::JOURNAL_FULL } else { &codes::JOURNAL };
        let message = format!("the database refuses a statement of the journal: {said}");
        Then::Fail(Failure::Refused(JournalError::new(kind, message)), false)
    }
}

/// Whether a statement may have been carried out although the server, or the pooler before it, answered with an error: the
/// connection ends with it, or the error says so itself.
fn leaves_it_open(error: &DbError) -> bool {
    let ends = matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    let code = error.code();
    ends || matches!(error.severity(), "FATAL" | "PANIC")
        || *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
        || *code == SqlState::ADMIN_SHUTDOWN
        || *code == SqlState::CRASH_SHUTDOWN
        || *code == SqlState::CANNOT_CONNECT_NOW
        || code.code().starts_with("08")
}

/// Whether the same statement may succeed later: the server stops or starts, or is busy.
pub(crate) fn passes(error: &DbError) -> bool {
    leaves_it_open(error) || is_busy(error.code()) || *error.code() == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// Whether a statement was ended by something that passes.
fn is_busy(code: &SqlState) -> bool {
    [
        SqlState::QUERY_CANCELED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::OUT_OF_MEMORY,
        SqlState::TOO_MANY_CONNECTIONS,
    ]
    .contains(code)
}

/// The error of a row that cannot be read or written; nothing was asked of a server.
pub(crate) fn failed_as(failure: Failure) -> JournalError {
    match failure {
        Failure::Refused(error) => error,
        Failure::Away(words) | Failure::Ambiguous(words) => JournalError::new(&codes::JOURNAL_AWAY, words),
    }
}

/// Whether a notice that came with a success says that what was written may be lost by a failover. Its text is in the
/// server's language, so every warning of its two codes counts.
pub(crate) fn is_not_durable(notice: &DbError) -> bool {
    let is_warning = match notice.parsed_severity() {
        Some(severity) => severity == Severity::Warning,
        None => notice.severity() == "WARNING",
    };
    is_warning && (*notice.code() == SqlState::WARNING || *notice.code() == SqlState::ADMIN_SHUTDOWN)
}

/// The server's words with their code. Its details are left out: they may quote a row.
pub(crate) fn words_of(error: &DbError) -> String {
    format!("{} ({})", error.message(), error.code().code())
}

/// An error of the client in words, with all its causes.
pub(crate) fn words(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return words_of(error);
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Many an error repeats its cause.
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}
