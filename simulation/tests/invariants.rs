//! The ordinary test run: no seed breaks an invariant, and every broken journal is caught. SEEDS sets
//! the number of seeds; the release binary does a million in minutes.

use zvpos_simulation::mutant::Mutant;
use zvpos_simulation::plan::Journals;
use zvpos_simulation::runner::run_many;
use zvpos_simulation::{seed, workload};

/// How many seeds. An unoptimised build is ten times as slow as the release binary, which `make test` runs beside it.
fn seeds() -> u64 {
    let given = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(if cfg!(debug_assertions) { 500 } else { 10_000 })
}

/// Within how many seeds a broken variant must be caught.
const CAUGHT_WITHIN: u64 = 10_000;

#[test]
fn no_seed_breaks_an_invariant() {
    let summary = run_many(1, seeds(), 2, None, Journals::File).unwrap();
    if let Some((seed, violation)) = summary.violation {
        let trace = seed::run(seed, &workload::data().unwrap(), None, Journals::File, true).unwrap().trace;
        panic!("seed {seed}: {} {}\n{}", violation.invariant, violation.message, trace.join("\n"));
    }
    // A run in which nothing happens proves nothing.
    let count = |name: &str| summary.counters.counts.get(name).copied().unwrap_or(0);
    for name in ["told succeeded", "told declined", "told reversed", "intents found after a crash"] {
        assert!(count(name) > seeds() / 100, "{name}: {}", count(name));
    }
}

/// Several nodes share a database; a seed of them takes three times as long.
#[test]
fn no_seed_of_several_nodes_breaks_an_invariant() {
    let seeds = seeds() / 2;
    let summary = run_many(1, seeds, 2, None, Journals::Database).unwrap();
    if let Some((seed, violation)) = summary.violation {
        let data = workload::data().unwrap();
        let trace = seed::run(seed, &data, None, Journals::Database, true).unwrap().trace;
        panic!("seed {seed}: {} {}\n{}", violation.invariant, violation.message, trace.join("\n"));
    }
    let count = |name: &str| summary.counters.counts.get(name).copied().unwrap_or(0);
    for name in ["told succeeded", "nodes declared dead", "intents found after a crash", "re-opened"] {
        assert!(count(name) > seeds / 100, "{name}: {}", count(name));
    }
}

#[test]
fn every_broken_variant_is_caught() {
    for mutant in Mutant::broken() {
        let summary = run_many(1, CAUGHT_WITHIN, 2, Some(mutant), Journals::File).unwrap();
        let (seed, violation) =
            summary.violation.unwrap_or_else(|| panic!("{} is not caught", mutant.name()));
        assert!(
            mutant.caught_by().contains(&violation.invariant),
            "{}: seed {seed} breaks {} instead: {}",
            mutant.name(),
            violation.invariant,
            violation.message
        );
    }
}

#[test]
fn a_seed_replays_exactly() {
    let data = workload::data().unwrap();
    for journals in [Journals::File, Journals::Database] {
        for seed in 1..20 {
            let [one, again] = [0, 1].map(|_| seed::run(seed, &data, None, journals, true).unwrap().trace);
            assert!(one.len() > 10 && one == again, "{journals:?} seed {seed}");
        }
    }
}
