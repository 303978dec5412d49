//! `zv collect retire`: a till that is gone for good.

use std::process::ExitCode;

use clap::Args;
use zvpos_collect::report::resolve_day;
use zvpos_collect::store::NotRetired;
use zvpos_core::calendar::date;
use zvpos_core::clock::machine_unix_ms;

use super::{Place, chain, failed, name, reason};
use crate::exit::Failure;
use crate::output::print;

/// The arguments of `zv collect retire`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The till
    #[arg(long, value_name = "NAME")]
    till: String,

    /// The chain (default: the only one)
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,

    /// The first business day on which it is not awaited: such as 2026-11-22, today or yesterday
    #[arg(long, value_name = "DAY", default_value = "today")]
    from: String,

    /// Who states that
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: String,

    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,

    #[command(flatten)]
    place: Place,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let mut store = self.place.open()?;
        let now_ms = machine_unix_ms();
        let days = store.business_days().map_err(|error| failed(&error))?;
        let day = resolve_day(&self.from, days, now_ms)
            .ok_or_else(|| Failure::invalid("a day is like 2026-11-22, today or yesterday"))?;
        if day > days.day_of(now_ms) {
            return Err(Failure::invalid("--from: a till that will still sell cannot be retired yet"));
        }
        let chain = chain(&mut store, self.chain.as_deref())?;
        match store.retire(&chain, &self.till, day, (&self.by, &self.reason, now_ms)) {
            Ok(Ok(())) => {}
            Ok(Err(NotRetired::Unknown)) => {
                return Err(Failure::invalid(format!("--till: {chain} has no till {}", self.till)));
            }
            Ok(Err(NotRetired::Already)) => {
                return Err(Failure::invalid(format!(
                    "--till: {} is retired; zv collect enroll brings it back",
                    self.till
                )));
            }
            Err(error) => return Err(failed(&error)),
        }
        print(&format!(
            "{} is not awaited from {} on; its token is worth nothing until it is enrolled again\n",
            self.till,
            date(day)
        ));
        Ok(ExitCode::SUCCESS)
    }
}
