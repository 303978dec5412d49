//! The duration of a call, measured for all contestants in turn, so that other load on the machine affects all of
//! them.

use std::time::Duration;

use crate::Location;
use crate::contestant::Contestant;
use crate::gateway::Gateway;
use crate::peers::{self, CONSUME, SOCKET_APPENDED, SOCKET_FLUSHED};
use crate::report::Report;

const ROUNDS: usize = 40;
/// Large enough that the first call after the others' turns stays out of the p99.
const CALLS_A_ROUND: usize = 250;
/// Uncounted calls at the start: for caches, connections, and the compilers inside the runtimes.
const WARM_UP: usize = 1000;

pub(crate) fn run(place: &Location, gateway: &Gateway, report: &mut Report) -> Result<(), String> {
    let waits_for_the_disk =
        |contestant: &Contestant| [SOCKET_FLUSHED, SOCKET_APPENDED, CONSUME].contains(&contestant.name);
    let (mut payments, mut quotes): (Vec<_>, Vec<_>) =
        peers::start(place, gateway, report)?.into_iter().partition(waits_for_the_disk);
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
    let turns = rounds * CALLS_A_ROUND;
    warm_up(&mut payments, turns)?;
    take_turns(&mut payments, turns)?;
    for contestant in quotes.iter_mut().chain(&mut payments) {
        report.times(contestant.name, &mut contestant.took);
    }
    Ok(())
}

/// A twentieth of the turns, uncounted.
pub(crate) fn warm_up(contestants: &mut [Contestant], turns: usize) -> Result<(), String> {
    contestants.iter_mut().try_for_each(|contestant| contestant.calls(turns.div_ceil(20)).map(drop))
}

/// One call of each in turn, each equally often first and after each other one: a disk may be slow for seconds at a time, and then is so for
/// all. The median of the ratios of the last one's duration to the first one's, over the turns.
pub(crate) fn take_turns(contestants: &mut [Contestant], turns: usize) -> Result<f64, String> {
    let mut ratios = Vec::with_capacity(turns);
    for turn in 0..turns {
        let mut order: Vec<usize> = (0..contestants.len()).collect();
        order.rotate_left(turn / 2 % contestants.len().max(1));
        if turn % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let contestant = contestants.get_mut(index).ok_or("no contestant")?;
            let took = contestant.calls(1)?;
            contestant.took.extend(took);
        }
        let last_call = |contestant: &Contestant| contestant.took.last().copied().map(Duration::from_nanos);
        let pair = contestants.first().and_then(last_call).zip(contestants.last().and_then(last_call));
        ratios.extend(pair.map(|(first, last)| last.as_secs_f64() / first.as_secs_f64()));
    }
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().ok_or_else(|| "no turn".to_owned())
}
