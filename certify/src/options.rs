//! What a certification is started with.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Options of a certification.
#[derive(Clone, Debug)]
pub struct Options {
    /// The till: a program and its arguments. It is started for every scenario and again after every crash.
    pub till: Vec<OsString>,
    /// Environment variables of the till, in addition to those of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// Where each scenario gets its own folder: the journal, the till's files, its stderr.
    pub folder: PathBuf,
    /// Only scenarios whose id begins with one of these prefixes; empty means all.
    pub only: Vec<String>,
    /// The number of concurrent scenarios.
    pub parallel: usize,
    /// The time limit for the till's reaction to one line.
    pub time_limit: Duration,
}

impl Options {
    /// All scenarios, eight at a time, 30 s for a line.
    pub fn new(till: Vec<OsString>, folder: PathBuf) -> Options {
        Options {
            till,
            environment: Vec::new(),
            folder,
            only: Vec::new(),
            parallel: 8,
            time_limit: Duration::from_secs(30),
        }
    }
}
