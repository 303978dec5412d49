//! From the start of a process to the answer to its first payment, with a journal of many real sales and with one that
//! has none: sales that the library itself made against the gateway, with their answers in the rows.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Location;
use crate::cold::medians;
use crate::contestant::{Contestant, linked};
use crate::disk::InMemory;
use crate::fill::copy;
use crate::peers::{CONSUME, zvpos};
use crate::report::{Opening, Report};
use crate::server::Server;

/// Sales in the journal of a full run: a busy till after its 90 days.
pub(crate) const SALES: usize = 100_000;
const ROUNDS: usize = 20;

pub(crate) fn run(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    let entries = place.calls(SALES);
    let file = place.folder.join("sold.db");
    sell(place, server, entries, &file)?;
    let large_bytes = fs::metadata(&file).map_err(|error| format!("{error}"))?.len();
    let program = linked(place, "once", &[])?;
    let pay = |journal| {
        let mut command = Command::new(&program);
        command.arg("consume").arg(place.config(server, journal)?);
        Ok::<_, String>(command)
    };
    let [empty_ms, large_ms] = medians([pay("unsold")?, pay("sold")?], place.calls(ROUNDS).max(9))?;
    report.opening = Some(Opening { entries, large_bytes, empty_ms, large_ms });
    Ok(())
}

/// Makes the sales in memory, where a commit needs no disk, and copies the journal.
fn sell(place: &Location, server: &Server, entries: usize, to: &Path) -> Result<(), String> {
    let memory = InMemory::new("sales")?;
    let mut command = zvpos(&place.with_folder(memory.0.clone()), server, "consume")?;
    let mut till = Contestant::start(CONSUME, &mut command)?;
    till.calls(entries)?;
    // It writes its last when it stops.
    drop(till);
    copy(&memory.0.join("consume.db"), to).map_err(|error| format!("{}: {error}", to.display()))
}
