//! Many seeds, over the machine's cores: each thread has its own seeds and shares nothing with the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use zvpos_sandbox::rules::Seed;

use crate::counters::Counters;
use crate::mutant::Mutant;
use crate::oracle::Violation;
use crate::plan::Journals;
use crate::seed::run;

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Summary {
    /// What was counted.
    pub counters: Counters,
    /// The first seed, by number, that broke an invariant.
    pub violation: Option<(u64, Violation)>,
}

/// Runs `count` seeds from `first` on, until one breaks an invariant.
///
/// # Errors
/// The simulation itself is at fault.
pub fn run_many(
    first: u64,
    count: u64,
    threads: u64,
    mutant: Option<Mutant>,
    journals: Journals,
) -> Result<Summary, String> {
    let data = crate::workload::data()?;
    let threads = threads.max(1);
    // Seeds above the lowest broken one are not worth running; those below are, so that the answer is the same
    // whatever the threads' luck.
    let broken = Arc::new(AtomicU64::new(u64::MAX));
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let (data, broken) = (Arc::clone(&data), Arc::clone(&broken));
            let seeds =
                (first + thread..first + count).step_by(usize::try_from(threads).unwrap_or(usize::MAX));
            thread::spawn(move || worker(seeds, mutant, journals, &data, &broken))
        })
        .collect();
    let mut summary = Summary::default();
    for worker in workers {
        let part = worker.join().map_err(|_| "a seed panicked; see above".to_owned())??;
        summary.counters.add(&part.counters);
        let lower = |seed: u64| summary.violation.as_ref().is_none_or(|(lowest, _)| seed < *lowest);
        if part.violation.as_ref().is_some_and(|(seed, _)| lower(*seed)) {
            summary.violation = part.violation;
        }
    }
    Ok(summary)
}

fn worker(
    seeds: impl Iterator<Item = u64>,
    mutant: Option<Mutant>,
    journals: Journals,
    data: &Arc<Seed>,
    broken: &AtomicU64,
) -> Result<Summary, String> {
    let mut summary = Summary::default();
    for seed in seeds.take_while(|seed| *seed < broken.load(Ordering::Relaxed)) {
        let ended =
            run(seed, data, mutant, journals, false).map_err(|error| format!("seed {seed}: {error}"))?;
        summary.counters.add(&ended.counters);
        if let Some(violation) = ended.violation {
            broken.fetch_min(seed, Ordering::Relaxed);
            summary.violation = Some((seed, violation));
            break;
        }
    }
    Ok(summary)
}
