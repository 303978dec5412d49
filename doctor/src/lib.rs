//! `zv doctor`: checks everything that a till's payments depend on, and says for each whether it is well, and if not,
//! what to do. It may run next to a till that is selling: it sends one look-up of a member that cannot exist, reads
//! the journal, takes no lock, and writes only its own files next to the journal.
//!
//! [`examine`] runs the checks, [`Report`] holds the results, [`bundle::write`] packs them for support. Each check
//! has its own deadline, and all together have [`Options::total`].
#![forbid(unsafe_code)]

pub mod bundle;
mod configuration;
#[cfg(target_os = "linux")]
mod database;
mod journal;
mod machine;
mod network;
mod options;
mod redact;
mod report;
mod run;
mod words;

pub use options::Options;
pub use report::{CHECKS, Line, Report, Status};
pub use words::Words;

use run::Run;
use zvpos_core::config::Config;

fn examine_journal(run: &mut Run<'_>, options: &Options, config: Option<&Config>) {
    #[cfg(target_os = "linux")]
    if let Some(database) = config.and_then(|config| config.database.as_ref()) {
        return database::examine(run, options, database);
    }
    journal::examine(run, options, config);
}

/// Runs every check. `say` receives each line as soon as it is known.
pub fn examine(options: &Options, say: &mut dyn FnMut(&Line)) -> Report {
    let mut run = Run::new(options, say);
    let config = configuration::examine(&mut run, &options.config);
    machine::examine(&mut run, options, config.as_ref());
    examine_journal(&mut run, options, config.as_ref());
    if let Some(config) = &config {
        network::examine(&mut run, config);
    }
    run.into_report()
}
