//! `zv doctor`: looks at everything that a till's payments depend on and says for each whether it is well, and if
//! not, what to do. It may run beside a till that is selling: it sends one look-up of a member that cannot exist,
//! reads the journal, takes no lock, and writes only files of its own beside the journal.
//!
//! [`examine`] does the looking, [`Report`] is what it found, [`bundle::write`] packs it for support.
//! Each check has a deadline of its own, and all together have [`Options::total`].
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

/// What to look at.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration as `zv_init` gets it: JSON text.
    pub config: String,
    /// For everything together; what is not done by then is said not to be.
    pub total: Duration,
    /// The folder of the second witness, best on another drive than the journal (default: the user's folder).
    pub witness: Option<PathBuf>,
    /// The number that a person noted before the restart.
    pub witness_was: Option<u64>,
    /// The library file that the till loads, to see whether it fits this machine.
    pub library: Option<PathBuf>,
}

impl Options {
    /// For this configuration, everything else as by default.
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

/// Looks at everything. `say` gets each line as soon as it is known.
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
