//! `zv collect ship`: the till's side.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use zvpos_collect::ship::{NotShipped, NotTaken, Round, Settings, Shipper, pause};
use zvpos_core::calendar::BusinessDays;
use zvpos_core::journal::default_location;
use zvpos_core::outcome::Outcome;

use crate::exit::{self, Failure};
use crate::output::{print, say};
use crate::settings::{Common, Settings as Config, read_text};

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
        let (journal, days) = self.journal()?;
        if self.common.verbose > 0 {
            say(&format!("journal: {}", journal.display()));
        }
        let shipper = Shipper::new(&settings, &journal, days).map_err(Failure::invalid)?;
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
        self.ship_for_ever(&shipper, Duration::from_secs(settings.interval_s))
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
        let path = match self.journal.clone().or(read.journal) {
            Some(path) => path,
            None => default_location().map_err(|error| Failure::internal(error.message))?.path,
        };
        Ok((path, read.business_days))
    }

    fn ship_for_ever(&self, shipper: &Shipper, interval: Duration) -> Result<ExitCode, Failure> {
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
                    (failures, last) = (0, String::new());
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
        let Round { records, shipped, entries, restored } = round;
        print(&if self.common.json {
            let json = serde_json::json!({ "records": records, "shipped": shipped, "entries": entries, "restored": restored });
            format!("{json}\n")
        } else {
            format!(
                "{records} records shipped; everything up to event {shipped} ({entries} entries) is at the collector\n"
            )
        });
    }
}

fn outcome(error: &NotShipped) -> Outcome {
    match error {
        NotShipped::Collector(NotTaken::Refused { .. }) => Outcome::Declined,
        NotShipped::Collector(NotTaken::Missing { .. } | NotTaken::Lost(_)) => Outcome::NotSent,
        NotShipped::Journal(_) | NotShipped::Position(_) | NotShipped::Another(_) => Outcome::Internal,
    }
}
