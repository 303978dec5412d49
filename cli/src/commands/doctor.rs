//! `zv doctor`: everything that a till's payments depend on, one line per check as soon as its result is known.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::Args;
use zvpos_core::outcome::{Lang, Outcome};
use zvpos_doctor::{Line, Options, Report, Status, bundle, examine};

use crate::exit::{self, Failure};
use crate::output::{safe, say};
use crate::progress;
use crate::settings::{Common, Language, Settings};
use crate::till::or_failure;

/// The time of a run that reads a whole journal.
const HOURS: Duration = Duration::from_hours(12);

/// The arguments of `zv doctor`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The folder of the second witness, best on another drive than the journal (default: the user's)
    #[arg(long, value_name = "FOLDER")]
    witness: Option<PathBuf>,

    /// The witness's number, noted before the restart
    #[arg(long, value_name = "NUMBER")]
    witness_was: Option<u64>,

    /// Read every row of the journal and compare it with its checksum, however long that takes
    #[arg(long)]
    journal: bool,

    /// The library file that the till loads, to check whether it fits this machine
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,

    /// Write a zip archive for support to this file, without keys and passwords
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// The language of the lines (default: the configuration's lang)
    #[arg(long, value_name = "LANG")]
    lang: Option<Language>,

    #[command(flatten)]
    common: Common,
}

impl Arguments {
    /// Runs the examination.
    pub(crate) fn run(self) -> ExitCode {
        or_failure(self.examine())
    }

    fn examine(self) -> Result<ExitCode, Failure> {
        let settings = Settings::find(&self.common)?;
        if self.common.verbose > 0 {
            say(&format!("configuration: {}", settings.source));
        }
        let configured = settings.config().map(|config| config.lang).unwrap_or_default();
        let lang = self.lang.map_or(configured, Lang::from);
        let usual = Options::new(settings.text);
        let options = Options {
            total: if self.journal { HOURS } else { usual.total },
            journal: self.journal,
            witness: self.witness,
            witness_was: self.witness_was,
            library: self.library,
            ..usual
        };
        let report = look(&options, (!self.common.json).then_some(lang))
            .ok_or_else(|| Failure::internal("a defect of the doctor; the lines above are true"))?;
        let last = if self.common.json {
            format!("{}\n", report.to_json(lang))
        } else {
            format!("\n{}", report.summary(lang))
        };
        // A closed stdout is not an error.
        let _ = io::stdout().lock().write_all(last.as_bytes());
        if let Some(path) = &self.bundle {
            bundle::write(&options, &report, path)
                .map_err(|error| Failure::internal(format!("cannot write {}: {error}", path.display())))?;
            say(&format!("zv: {} is for support; look into it before it leaves the house", path.display()));
        }
        Ok(match report.status() {
            Status::Failed => exit::code(Outcome::Internal),
            Status::Ok | Status::Warning => ExitCode::SUCCESS,
        })
    }
}

/// Examines, and shows each line as it is known if a language is given. `None` means a defect of the doctor.
fn look(options: &Options, shown: Option<Lang>) -> Option<Report> {
    let waiting = progress::turning(match shown {
        Some(Lang::ZhCn) => "检查中",
        _ => "checking",
    });
    let mut show = |line: &Line| {
        let Some(lang) = shown else { return };
        waiting.suspend(|| {
            let mut out = anstream::stdout().lock();
            // A closed stdout is not an error.
            let _ = out.write_all(row(line, lang).as_bytes()).and_then(|()| out.flush());
        });
    };
    catch_unwind(AssertUnwindSafe(|| examine(options, &mut show))).ok()
}

/// The doctor's row, coloured by its status.
fn row(line: &Line, lang: Lang) -> String {
    let row = line.to_row(lang);
    let word = line.status.word(lang);
    let rest = row.strip_prefix(word).unwrap_or(&row);
    let style = style(line.status);
    let shown: String = rest.lines().map(|line| safe(line) + "\n").collect();
    format!("{style}{word}{style:#}{shown}")
}

fn style(status: Status) -> Style {
    let colour = match status {
        Status::Ok => AnsiColor::Green,
        Status::Warning => AnsiColor::Yellow,
        Status::Failed => AnsiColor::Red,
    };
    colour.on_default().bold()
}
