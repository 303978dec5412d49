//! One seed from its plan to its verdict.

use std::sync::Arc;

use zvpos_sandbox::rules::Seed;

use crate::counters::Counters;
use crate::event_log;
use crate::mutant::Mutant;
use crate::oracle::Violation;
use crate::plan::{Journals, Plan};
use crate::random::Random;
use crate::scheduler::Scheduler;
use crate::till;
use crate::world::World;

/// What came of one seed.
pub struct Ended {
    /// The broken invariant, if any.
    pub violation: Option<Violation>,
    /// What was counted.
    pub counters: Counters,
    /// Line by line, where it was asked for.
    pub trace: Vec<String>,
}

/// Runs one seed.
///
/// # Errors
/// The plan's configuration is refused: a defect of the simulation.
pub fn run(
    seed: u64,
    data: &Arc<Seed>,
    mutant: Option<Mutant>,
    journals: Journals,
    traced: bool,
) -> Result<Ended, String> {
    let mut random = Random::new(seed);
    let plan = Plan::draw(&mut random, mutant, journals)?;
    let off = plan.off;
    let scheduler = Scheduler::new(World::new(random, plan, data, mutant, traced), till::start);
    live(&scheduler);
    let mut world = scheduler.lock();
    let mut counters = std::mem::take(&mut world.counters);
    counters.seeds = 1;
    counters.virtual_ms = world.now;
    *counters.assumptions.entry(off.name()).or_default() += 1;
    let event_log = || if journals == Journals::File { event_log::run(seed) } else { None };
    let violation = world.oracle.violation.clone().or_else(event_log);
    let trace = world.trace.take().unwrap_or_default();
    Ok(Ended { violation, counters, trace })
}

/// Busy until faults stop, then quiet until everything must have settled; then every process ends.
fn live(scheduler: &Arc<Scheduler>) {
    let (busy_ms, total_ms, late_ms, lease_ms) = {
        let mut world = scheduler.lock();
        for process in 0..world.plan.processes {
            world.start_host(process);
        }
        // Nobody takes over from a node that stays away before its lease is over.
        let lease_ms = match world.plan.journals {
            Journals::File => 0,
            Journals::Database => world.plan.lease_ms() + 20_000,
        };
        (world.plan.busy_ms, world.plan.total_ms, world.plan.late_ms, lease_ms)
    };
    scheduler.run_until(busy_ms);
    scheduler.lock().calm();
    let well = scheduler.lock().now;
    scheduler.run_until(well + 60_000 + total_ms + lease_ms);
    scheduler.lock().judge_recovered(false);
    // The window begins when a call's deadline has passed, at the latest.
    scheduler.run_until(well + total_ms + late_ms + 60_000 + lease_ms);
    scheduler.lock().judge_recovered(true);
    let mut world = scheduler.lock();
    for process in 0..world.processes.len() {
        world.end(process);
    }
    drop(world);
    scheduler.run_until(0);
}
