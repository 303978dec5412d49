//! The journal of several nodes on PostgreSQL: the [`Database`] of `zvpos_core`. Each method is one unnamed statement in
//! one round trip, committed by itself, so that a pooler between may give the next one to another connection.
//!
//! A statement is carried out on the calling thread, on a connection of the pool, until a deadline. Whether it was carried
//! out at all, may have been, or was not is told apart as [`Failure`] has it, and a doubt is never told as certain.
//!
//! [`Database`]: zvpos_core::journal::nodes::Database
//! [`Failure`]: zvpos_core::journal::nodes::Failure

#[cfg(test)]
extern crate self as zvpos_journal_postgres;

mod asking;
mod connection;
mod database;
mod failure;
mod fit;
mod moving;
mod moving_statements;
mod open;
mod pool;
mod row;
mod settings;
mod start;
mod statements;
mod survey;
mod survey_statements;
mod target;
mod url;
mod values;

pub use database::Postgres;
pub use moving::{arriving, leaving};
pub use open::open;
pub use settings::Settings;
pub use start::Opened;
pub use survey::{NoSurvey, NodeSeen, Open, RowsRead, ServerFacts, Survey};
