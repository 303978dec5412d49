//! `zv journal move`: from a file to a database, or back. What it compares, it shows.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use zvpos_core::journal::moving::{Coming, Leaving, Moved, Step, Target, carry};
use zvpos_core::journal::{JournalError, arriving, leaving};

use crate::exit::Failure;
use crate::output::Rows;
use crate::progress;
use crate::till::or_failure;

/// The arguments of `zv journal move`.
#[derive(Args, Debug)]
pub(crate) struct Move {
    /// The journal that is to be moved: a file, or postgres://user@host/database
    #[arg(long, value_name = "PLACE")]
    from: String,

    /// Where to: the other of the two. A file must not exist, a schema must hold no journal
    #[arg(long, value_name = "PLACE")]
    to: String,

    /// The configuration of a node, whose journal_db names the database's password, certificates and schema
    /// (default: the usual one)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print the result as JSON and nothing else
    #[arg(long)]
    json: bool,
}

/// One end of a move.
enum End {
    File(PathBuf),
    #[cfg(target_os = "linux")]
    Database(zvpos_journal_postgres::Settings),
}

impl Move {
    /// Moves.
    pub(crate) fn run(self) -> ExitCode {
        or_failure(self.carry_out())
    }

    fn carry_out(self) -> Result<ExitCode, Failure> {
        if is_database(&self.from) == is_database(&self.to) {
            return Err(Failure::invalid(
                "one of --from and --to is a file, and the other begins with postgres://",
            ));
        }
        let (from, to) = (self.end(&self.from)?, self.end(&self.to)?);
        let bar = progress::bar();
        let mut step = |step: Step| {
            match step {
                Step::Closed { entries } => bar.set_length(entries),
                Step::Copied { entries, .. } => bar.set_position(entries),
                Step::Begun | Step::Compared | Step::Sealed | Step::Finished => {}
            }
            Ok(())
        };
        let moved =
            from.leaving().and_then(|leaving| carry(leaving, |coming| to.arriving(coming), &mut step));
        bar.finish_and_clear();
        let moved = moved.map_err(|error| {
            let JournalError { code, message } = error;
            Failure::internal(format!("{} {message}. {}", code.text, code.remedy))
        })?;
        let text = if self.json { in_json(&moved) } else { in_words(&moved) };
        // A closed stdout is not an error: the journal has moved.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        Ok(ExitCode::SUCCESS)
    }

    fn end(&self, place: &str) -> Result<End, Failure> {
        if is_database(place) { self.database(place) } else { file(place) }
    }

    #[cfg(target_os = "linux")]
    fn database(&self, url: &str) -> Result<End, Failure> {
        use zvpos_journal_postgres::Settings;
        let usual = Settings::of(url);
        let config = crate::settings::configured(self.config.as_deref())?;
        Ok(End::Database(match config.and_then(|config| config.database) {
            Some(given) => Settings { url: usual.url, ..Settings::configured(&given) },
            None => usual,
        }))
    }

    #[cfg(not(target_os = "linux"))]
    fn database(&self, _: &str) -> Result<End, Failure> {
        let _ = &self.config;
        Err(Failure::invalid("this zv has no database: run the one of an archive for Linux"))
    }
}

fn is_database(place: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| place.starts_with(scheme))
}

fn file(place: &str) -> Result<End, Failure> {
    let path = std::path::absolute(Path::new(place));
    path.map(End::File).map_err(|error| Failure::invalid(format!("{place}: {error}")))
}

impl End {
    fn leaving(&self) -> Result<Leaving, JournalError> {
        match self {
            End::File(path) => leaving(path),
            #[cfg(target_os = "linux")]
            End::Database(settings) => zvpos_journal_postgres::leaving(settings),
        }
    }

    fn arriving(&self, coming: &Coming) -> Result<Box<dyn Target>, JournalError> {
        match self {
            End::File(path) => arriving(path, coming),
            #[cfg(target_os = "linux")]
            End::Database(settings) => zvpos_journal_postgres::arriving(settings, coming),
        }
    }
}

fn in_json(moved: &Moved) -> String {
    let text = json!({
        "from": moved.from,
        "to": moved.to,
        "entries": moved.target.entries(),
        "stages": moved.target.stages,
        "checksum": format!("{:032x}", moved.target.checksum),
        "copied_before": moved.before,
    });
    format!("{text}\n")
}

/// The counts and the checksum of both, side by side.
fn in_words(moved: &Moved) -> String {
    let mut rows = Rows::default();
    rows.push("from", &moved.from);
    rows.push("to", &moved.to);
    for (stage, count) in &moved.source.stages {
        let there = moved.target.stages.get(stage).copied().unwrap_or_default();
        rows.push(stage, &format!("{count} = {there}"));
    }
    rows.push("entries", &format!("{} = {}", moved.source.entries(), moved.target.entries()));
    rows.push("checksum", &format!("{:032x} = {:032x}", moved.source.checksum, moved.target.checksum));
    if moved.before > 0 {
        rows.push("copied before", &moved.before.to_string());
    }
    rows.to_text() + "moved; set `journal` to the new place on every till and node: the old one is refused\n"
}
