//! One seed from its plan to its verdict.

use std::sync::Arc;

use zvpos_sandbox::rules::Seed;

use crate::counters::Counters;
use crate::event_log;
use crate::mutant::Mutant;
use crate::oracle::Violation;
use crate::plan::Plan;
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
pub fn run(seed: u64, data: &Arc<Seed>, mutant: Option<Mutant>, traced: bool) -> Result<Ended, String> {
    let mut random = Random::new(seed);
    let plan = Plan::draw(&mut random, mutant)?;
    let off = plan.off;
    let scheduler = Scheduler::new(World::new(random, plan, data, mutant, traced), till::start);
    live(&scheduler);
    let mut world = scheduler.lock();
    let mut counters = std::mem::take(&mut world.counters);
    counters.seeds = 1;
    counters.virtual_ms = world.now;
    *counters.assumptions.entry(off.name()).or_default() += 1;
    let violation = world.oracle.violation.clone().or_else(|| event_log::run(seed));
    let trace = world.trace.take().unwrap_or_default();
    Ok(Ended { violation, counters, trace })
}

/// Busy until faults stop, then quiet until everything must have settled; then every process ends.
fn live(scheduler: &Arc<Scheduler>) {
    let (busy_ms, total_ms, late_ms) = {
        let mut world = scheduler.lock();
        for process in 0..world.plan.processes {
            world.start_host(process);
        }
        (world.plan.busy_ms, world.plan.total_ms, world.plan.late_ms)
    };
    scheduler.run_until(busy_ms);
    scheduler.lock().calm();
    let well = scheduler.lock().now;
    scheduler.run_until(well + 60_000 + total_ms);
    scheduler.lock().judge_recovered(false);
    // The window begins when a call's deadline has passed, at the latest.
    scheduler.run_until(well + total_ms + late_ms + 60_000);
    scheduler.lock().judge_recovered(true);
    let mut world = scheduler.lock();
    for process in 0..world.processes.len() {
        world.end(process);
    }
    drop(world);
    scheduler.run_until(0);
}
