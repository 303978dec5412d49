//! The first sales after a start, and later ones, each beside the limit: on the machine's own disk, and on two to which
//! nothing else writes, whose flush takes 5 ms and 0.2 ms. A journal that grows makes the file system flush more; a till
//! that sells a hundred times a day and is switched off at night only ever makes first sales.

use crate::Location;
use crate::compare::take_turns;
use crate::contestant::Contestant;
use crate::peers::{CONSUME, FUSE, LOOP, SOCKET_FLUSHED, is_there, limit, zvpos};
use crate::report::{Report, Sales, percentiles_us};
use crate::server::Server;
use crate::slow_disk::{self, FAST_MS, SLOW_MS, SlowDisk};

/// The sales after a start that count as its first ones.
pub(crate) const FIRST: usize = 20;
/// Uncounted sales before the later ones.
const BETWEEN: usize = 150;

pub(crate) fn run(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    report.sales.push(on_this_disk(
        place,
        server,
        "this disk".to_owned(),
        [place.calls(50), place.calls(1000)],
    )?);
    if let Some(tool) = [FUSE, LOOP].iter().find(|tool| !is_there(place, tool)) {
        report.missing("sales on disks with a given time a flush", tool.why, tool.install);
        return Ok(());
    }
    let turns = [place.calls(20), place.calls(200)];
    for flush_ms in [SLOW_MS, FAST_MS] {
        let disk = SlowDisk::start(place, flush_ms)?;
        report.sales.push(on_this_disk(&disk.place(place), server, slow_disk::name(flush_ms), turns)?);
    }
    Ok(())
}

/// So many starts with the first sales after each, and so many later sales of one till.
fn on_this_disk(
    place: &Location,
    server: &Server,
    disk: String,
    [starts, later]: [usize; 2],
) -> Result<Sales, String> {
    let mut limit_command = limit(place, server, "overwrite")?;
    let limit = Contestant::start(SOCKET_FLUSHED, &mut limit_command)?;
    let mut till = zvpos(place, server, "consume")?;
    // The first start ever makes the journal.
    let first_ever = Contestant::start(CONSUME, &mut till)?;
    let mut pair = [limit, first_ever];
    take_turns(&mut pair, 2)?;
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..starts {
        let [limit, old] = pair;
        drop(old);
        pair = [limit, Contestant::start(CONSUME, &mut till)?];
        forget(&mut pair);
        take_turns(&mut pair, FIRST)?;
        for (all, contestant) in took.iter_mut().zip(&pair) {
            all.extend(&contestant.took);
        }
    }
    let first = took.map(|mut all| percentiles_us(&mut all));
    pair.iter_mut().try_for_each(|contestant| contestant.calls(BETWEEN).map(drop))?;
    forget(&mut pair);
    take_turns(&mut pair, later)?;
    let later = pair.map(|mut contestant| percentiles_us(&mut contestant.took));
    Ok(Sales { disk, first, later })
}

/// What is measured begins now.
fn forget(pair: &mut [Contestant]) {
    for contestant in pair {
        contestant.took.clear();
    }
}
