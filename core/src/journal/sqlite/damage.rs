//! What is found in a journal's file and cannot have been written by this program.

use crate::payment::Key;

/// What cannot have been written by this program.
#[derive(Debug, thiserror::Error)]
enum Damaged {
    #[error("the row of bizId {biz_id} is damaged: {what}")]
    Row { biz_id: String, what: &'static str },
    #[error("{0}")]
    Table(&'static str),
}

impl From<Damaged> for rusqlite::Error {
    fn from(damaged: Damaged) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(damaged))
    }
}

/// A later revision of an entry that is not there: its row was deleted by somebody else.
pub(super) fn vanished(key: &Key) -> rusqlite::Error {
    damaged(key.biz_id.as_str(), "it is gone")
}

pub(super) fn damaged(biz_id: &str, what: &'static str) -> rusqlite::Error {
    Damaged::Row { biz_id: biz_id.to_owned(), what }.into()
}

/// Damage that is not of one row.
pub(super) fn broken(what: &'static str) -> rusqlite::Error {
    Damaged::Table(what).into()
}
