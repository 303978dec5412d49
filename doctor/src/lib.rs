//! `zv doctor`: checks everything that a till's payments depend on, and says for each whether it is well, and if not,
//! what to do. It may run next to a till that is selling: it sends one look-up of a member that cannot exist, reads
//! the journal, takes no lock, and writes only its own files next to the journal.
//!
//! [`examine`] runs the checks, [`Report`] holds the results, [`bundle::write`] packs them for support. Each check
//! has its own deadline, and all together have [`Options::total`].
#![forbid(unsafe_code)]

pub mod bundle;
mod configuration;
mod journal;
mod machine;
mod network;
mod redact;
mod report;
mod visit;
mod words;

use std::path::PathBuf;
use std::time::Duration;

pub use report::{CHECKS, Line, Report, Status};
pub use words::Words;

use visit::Visit;

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
            library: None,
        }
    }
}

/// Runs every check. `say` receives each line as soon as it is known.
pub fn examine(options: &Options, say: &mut dyn FnMut(&Line)) -> Report {
    let mut visit = Visit::new(options, say);
    let config = configuration::examine(&mut visit, &options.config);
    machine::examine(&mut visit, options, config.as_ref());
    journal::examine(&mut visit, options, config.as_ref());
    if let Some(config) = &config {
        network::examine(&mut visit, config);
    }
    visit.into_report()
}
