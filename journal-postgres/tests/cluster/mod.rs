//! What the tests of a journal on PostgreSQL share: servers, poolers, proxies, and entries to write.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, reason = "no test uses all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

pub mod drafts;
pub mod pooler;
pub mod proxy;
mod server;

pub use server::*;
use zvpos_journal_postgres::Settings;

/// Settings for a schema of the test's own in the database at that address.
pub fn settings_at(url: &str, schema: &str) -> Settings {
    Settings { password: Some(PASSWORD.to_owned()), pool: 4, schema: schema.to_owned(), ..Settings::of(url) }
}

impl Cluster {
    /// Settings for a schema of the test's own.
    pub fn settings(&self, schema: &str) -> Settings {
        settings_at(&self.url(), schema)
    }
}
