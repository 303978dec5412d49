//! `zv recover`: settles what can be settled, and waits for the rest if asked to. A lost request may still arrive at
//! the gateway, so a sale counts as reversed only some minutes later; a process must run until then.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use zvpos_core::api::{FILTER_REQUEST, Library};
use zvpos_core::json::Value;
use zvpos_core::outcome::{Answer, Outcome};
use zvpos_core::schema::Schema;

use super::calls::ask_with;
use crate::fields::{Fields, Table};
use crate::request;
use crate::settings::Common;

/// How often it checks whether anything is left.
const LOOK: Duration = Duration::from_millis(250);
/// How often it calls recover, for a configuration without background work.
const PUSH: Duration = Duration::from_secs(5);

/// The filter of `zv_recover_json`.
#[derive(Debug)]
pub(crate) struct Filter;

impl Table for Filter {
    fn schema() -> &'static Schema {
        &FILTER_REQUEST
    }
}

/// The arguments of `zv recover`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    fields: Fields<Filter>,

    /// Wait at most this long for the sales that settle by themselves
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=86_400))]
    wait: u64,

    #[command(flatten)]
    common: Common,
}

impl Arguments {
    /// Settles.
    pub(crate) fn run(self) -> ExitCode {
        let filter = self.fields.members().and_then(|members| request::text(None, &members));
        let patience = Duration::from_secs(self.wait);
        ask_with(&self.common, "settling", filter, move |library, filter| recover(library, filter, patience))
    }
}

fn recover(library: &Library, filter: &str, patience: Duration) -> Answer {
    let since = Instant::now();
    let mut pushed = Instant::now();
    let mut answer = library.recover(Some(filter));
    while since.elapsed() < patience && answer.outcome() == Outcome::Succeeded && settles(&answer) {
        thread::sleep(LOOK.min(patience.saturating_sub(since.elapsed())));
        answer = if pushed.elapsed() >= PUSH {
            pushed = Instant::now();
            library.recover(Some(filter))
        } else {
            library.pending(Some(filter))
        };
    }
    answer
}

/// Whether an entry is listed that settles without a person's decision.
fn settles(answer: &Answer) -> bool {
    let text = answer.to_json();
    let Ok(value) = Value::parse(&text) else { return false };
    let entries = || value.as_object()?.get("data")?.as_object()?.get("entries")?.as_array();
    entries().unwrap_or_default().iter().any(|listed| {
        let next = listed.as_object().and_then(|listed| listed.get("next")).and_then(Value::scalar);
        matches!(next, Some("reversing" | "recovering" | "running"))
    })
}
