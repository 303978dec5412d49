//! The duration of a call, measured for all contestants in turn, so that other load on the machine affects all of
//! them.

use std::time::Duration;

use crate::Location;
use crate::contestant::Contestant;
use crate::peers::{self, CONSUME, SOCKET_FLUSHED};
use crate::report::Report;
use crate::server::Server;

const ROUNDS: usize = 40;
/// Large enough that the first call after the others' turns stays out of the p99.
const CALLS_A_ROUND: usize = 250;
/// Uncounted calls at the start: for caches, connections, and the compilers inside the runtimes.
const WARM_UP: usize = 1000;

pub(crate) fn run(place: &Location, server: &Server, report: &mut Report) -> Result<(), String> {
    let waits_for_the_disk = |contestant: &Contestant| [SOCKET_FLUSHED, CONSUME].contains(&contestant.name);
    let (mut payments, mut quotes): (Vec<_>, Vec<_>) =
        peers::start(place, server, report)?.into_iter().partition(waits_for_the_disk);
    let rounds = place.calls(ROUNDS);
    for contestant in &mut quotes {
        contestant.calls(WARM_UP)?;
    }
    for _ in 0..rounds {
        for contestant in &mut quotes {
            let took = contestant.calls(CALLS_A_ROUND)?;
            contestant.took.extend(took);
        }
    }
    let [limit, own] = &mut payments[..] else { return Err("two contestants pay".to_owned()) };
    alternate([limit, own], rounds * CALLS_A_ROUND)?;
    for contestant in quotes.iter_mut().chain(&mut payments) {
        report.times(contestant.name, &mut contestant.took);
    }
    Ok(())
}

/// One call of each in turn, each equally often first: a disk may be slow for seconds at a time, and then is so for
/// both. The median of the ratios of the second's duration to the first's, over the pairs of calls.
pub(crate) fn alternate([one, other]: [&mut Contestant; 2], turns: usize) -> Result<f64, String> {
    let warm_up = turns.div_ceil(20);
    one.calls(warm_up)?;
    other.calls(warm_up)?;
    let mut ratios = Vec::with_capacity(turns);
    for turn in 0..turns {
        let (first, second) = if turn % 2 == 0 {
            let first = single(one)?;
            (first, single(other)?)
        } else {
            let second = single(other)?;
            (single(one)?, second)
        };
        ratios.push(second.as_secs_f64() / first.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().ok_or_else(|| "no turn".to_owned())
}

fn single(contestant: &mut Contestant) -> Result<Duration, String> {
    let took = contestant.calls(1)?;
    contestant.took.extend(&took);
    took.first().copied().map(Duration::from_nanos).ok_or_else(|| "no call".to_owned())
}
