//! A journal with very many settled entries compared with an empty one: the same consume, and the start.

use std::process::Command;

use crate::Location;
use crate::compare::{take_turns, warm_up};
use crate::contestant::Contestant;
use crate::fill::fill;
use crate::report::{Journals, Report, percentiles_us};
use crate::server::Server;
use crate::starts;

/// Settled entries in the large journal of a full run.
pub(crate) const MILLION: usize = 1_000_000;
const TURNS: usize = 5_000;

pub(crate) fn run(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    let entries = place.calls(MILLION);
    let (empty, large) = (place.config(server, "empty")?, place.config(server, "large")?);
    let file = place.folder.join("large.db");
    fill(&file, u32::try_from(entries).unwrap_or(u32::MAX), &server.endpoint())?;
    let large_bytes = std::fs::metadata(&file).map_err(|error| format!("{error}"))?.len();
    starts::run(place, &place.config(server, "start")?, &large, entries, report)?;

    let start = |name, config| {
        Contestant::start(name, Command::new(place.program("zvpos")).arg("consume").arg(config))
    };
    let mut tills = [start("consume, empty journal", empty)?, start("consume, large journal", large)?];
    let turns = place.calls(TURNS);
    warm_up(&mut tills, turns)?;
    let ratio = take_turns(&mut tills, turns)?;
    let [empty, large] = tills.map(|mut till| percentiles_us(&mut till.took));
    report.journals = Some(Journals { entries, large_bytes, empty, large, ratio });
    Ok(())
}
