//! What a run is started with.

use std::path::PathBuf;
use std::time::Duration;

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration as `zv_init` gets it: JSON text.
    pub config: String,
    /// The time limit for all checks; checks that are not done by then are reported as such.
    pub total: Duration,
    /// The folder of the second witness, preferably on another drive than the journal (default: the user's folder).
    pub witness: Option<PathBuf>,
    /// The number that a person noted before the restart.
    pub witness_was: Option<u64>,
    /// Whether every row of a journal is read, however long that takes; else reading it has a few seconds.
    pub journal: bool,
    /// The library file that the till loads, to see whether it fits this machine.
    pub library: Option<PathBuf>,
}

impl Options {
    /// Default options for this configuration.
    pub fn new(config: impl Into<String>) -> Options {
        Options {
            config: config.into(),
            total: Duration::from_secs(25),
            witness: None,
            witness_was: None,
            journal: false,
            library: None,
        }
    }
}
