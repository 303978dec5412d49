//! `zv collect ship`: the till's side.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use zvpos_collect::ship::{NotShipped, NotTaken, Round, Settings, Shipper, pause};
use zvpos_core::calendar::BusinessDays;
use zvpos_core::journal::{DEFAULT_FILE, existing_location, machine_folder};
use zvpos_core::outcome::Outcome;

use crate::exit::{self, Failure};
use crate::output::{print, say};
use crate::settings::{Common, Settings as Config, read_text};

/// What is said of a till that has not sold yet.
const NOTHING: &str =
    "there is no journal yet, so there is nothing to ship yet; the collector knows that this till lives";

/// The arguments of `zv collect ship`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What `zv collect enroll` has printed for this till
    #[arg(long, value_name = "FILE", default_value = "collect.json")]
    collector: PathBuf,

    /// Ship once what there is, and exit
    #[arg(long)]
    once: bool,

    /// Ship everything again, whatever was shipped before
    #[arg(long)]
    from_start: bool,

    /// Read this journal in place of the configured one
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let text = read_text(&self.collector)?;
        let settings = Settings::read(&text)
            .map_err(|why| Failure::invalid(format!("{}: {why}", self.collector.display())))?;
        let (journal, _) = self.journal()?;
        if self.common.verbose > 0 {
            say(&format!("journal: {}", journal.display()));
        }
        let make = || {
            let (journal, days) = self.journal()?;
            Shipper::new(&settings, &journal, days).map_err(Failure::invalid)
        };
        let shipper = make()?;
        if self.from_start {
            shipper.start_over().map_err(|error| Failure::internal(error.to_string()))?;
        }
        if self.once {
            return Ok(match shipper.round() {
                Ok(round) => {
                    self.told(&round);
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    say(&format!("zv: {error}"));
                    exit::code(outcome(&error))
                }
            });
        }
        self.ship_for_ever(shipper, &make, Duration::from_secs(settings.interval_s))
    }

    /// The journal and the business days of the till's configuration.
    fn journal(&self) -> Result<(PathBuf, BusinessDays), Failure> {
        let config = Config::find(&self.common)?;
        let wrong = || {
            Failure::invalid(format!(
                "the configuration {} is not taken; `zv doctor` says why",
                config.source
            ))
        };
        let read = config.config().ok_or_else(wrong)?;
        if self.journal.is_none() && is_in_a_database(&read) {
            return Err(Failure::invalid(
                "the journal is a database, which many tills share: zv collect ship reads a file",
            ));
        }
        // Where none is yet, nothing is made: the till's program makes it, with its own user's rights.
        let path =
            self.journal.clone().or(read.journal).or_else(|| existing_location().map(|found| found.path));
        Ok((path.unwrap_or_else(|| machine_folder().join(DEFAULT_FILE)), read.business_days))
    }

    fn ship_for_ever(
        &self,
        mut shipper: Shipper,
        make: &dyn Fn() -> Result<Shipper, Failure>,
        interval: Duration,
    ) -> Result<ExitCode, Failure> {
        let (mut failures, mut last) = (0, String::new());
        loop {
            match shipper.round() {
                Ok(round) => {
                    if failures > 0 {
                        say("zv: the collector is reached again");
                    }
                    if round.restored {
                        say("zv: this journal is an older copy; everything in it was shipped again");
                    }
                    let text = if round.empty { NOTHING.to_owned() } else { String::new() };
                    if round.empty {
                        if text != last {
                            say(&format!("zv: {text}"));
                        }
                        // The till's program may make it in another folder.
                        shipper = make()?;
                    }
                    (failures, last) = (0, text);
                    if self.common.verbose > 0 && round.records > 0 {
                        self.told(&round);
                    }
                    thread::sleep(interval);
                }
                Err(error @ NotShipped::Another(_)) => return Err(Failure::internal(error.to_string())),
                Err(error) => {
                    failures += 1;
                    let text = error.to_string();
                    // Once for each reason, so that a night without a network is one line.
                    if text != last {
                        say(&format!("zv: {text}"));
                        last = text;
                    }
                    let mut chance = [0; 8];
                    getrandom::fill(&mut chance).map_err(|error| {
                        Failure::internal(format!("the system gives no random numbers: {error}"))
                    })?;
                    thread::sleep(pause(failures, u64::from_le_bytes(chance)).max(interval));
                }
            }
        }
    }

    fn told(&self, round: &Round) {
        let Round { records, shipped, entries, restored, empty } = round;
        print(&if self.common.json {
            let json = serde_json::json!({ "records": records, "shipped": shipped, "entries": entries, "restored": restored, "empty": empty });
            format!("{json}\n")
        } else if *empty {
            format!("{NOTHING}\n")
        } else {
            format!(
                "{records} records shipped; everything up to event {shipped} ({entries} entries) is at the collector\n"
            )
        });
    }
}

#[cfg(target_os = "linux")]
fn is_in_a_database(config: &zvpos_core::config::Config) -> bool {
    config.database.is_some()
}

/// Such a configuration is refused before.
#[cfg(not(target_os = "linux"))]
fn is_in_a_database(_: &zvpos_core::config::Config) -> bool {
    false
}

fn outcome(error: &NotShipped) -> Outcome {
    match error {
        NotShipped::Collector(NotTaken::Refused { .. }) => Outcome::Declined,
        NotShipped::Collector(NotTaken::Missing { .. } | NotTaken::Lost(_)) => Outcome::NotSent,
        NotShipped::Journal(_) | NotShipped::Position(_) | NotShipped::Another(_) => Outcome::Internal,
    }
}
