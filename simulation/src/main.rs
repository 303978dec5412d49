//! `zvpos-simulation`: runs seeds, prints what was counted, and where an invariant breaks prints that seed's trace.

use std::process::ExitCode;
use std::time::Instant;

use zvpos_core::payment::OnUnknown;
use zvpos_simulation::model::{Bounds, search};
use zvpos_simulation::mutant::Mutant;
use zvpos_simulation::plan::Journals;
use zvpos_simulation::runner::run_many;
use zvpos_simulation::{seed, workload};

const HELP: &str = "\
zvpos-simulation [--nodes] [--seeds N] [--first-seed S] [--threads T] [--mutant NAME]
zvpos-simulation [--nodes] --seed X [--trace] [--mutant NAME]
zvpos-simulation --mutants [--seeds N]
zvpos-simulation --model small|large [--states N]

Runs N seeds (default 10000) from S (default 1) on T threads (default 2). Exit 1 where an invariant breaks, after
printing the seed and its trace. --seed runs one; --trace prints every line of it. --mutants runs every broken
variant until it is caught, and exits 1 if one is not within N seeds. With --nodes two to five nodes share a database;
without it up to three processes share a file.

--model searches every order of two calls for a consume by one member's tills in two processes instead, with at most two
tries of a reversal, and prints how many states there are; each search stops at N states (default 100000000). small
searches three bounds, each with a consume that arrives late: a crash, a lost request or answer and a full disk; a crash
and a reversal that a till asks for; a lost request or answer and a process that is stopped until the other presumes it
dead. large searches five, likewise: an asked reversal with a crash and a lost request or answer, and with a stopped
process; a stopped process with a lost request or answer and a full disk; two crashes and two lost requests or answers
with a full disk, and with a stopped process. large leaves out an asked reversal beside a full disk or a second crash or
loss, and a full disk beside a stopped process and a crash.
";

#[derive(Default)]
struct Options {
    nodes: bool,
    seeds: Option<u64>,
    first_seed: Option<u64>,
    threads: Option<u64>,
    seed: Option<u64>,
    trace: bool,
    mutant: Option<Mutant>,
    mutants: bool,
    model: Option<&'static [Bounds]>,
    states: Option<u64>,
}

impl Options {
    fn journals(&self) -> Journals {
        if self.nodes { Journals::Database } else { Journals::File }
    }
}

fn main() -> ExitCode {
    match options().and_then(|options| options.map_or_else(|| Ok(help()), |options| carry_out(&options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("zvpos-simulation: {error}");
            ExitCode::from(2)
        }
    }
}

fn help() -> bool {
    print!("{HELP}");
    for mutant in Mutant::broken().chain(Mutant::limits()) {
        println!("  {:<26} {}", mutant.name(), mutant.doc());
    }
    true
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        match argument.as_str() {
            "--seeds" => options.seeds = Some(number(value()?)?),
            "--first-seed" => options.first_seed = Some(number(value()?)?),
            "--threads" => options.threads = Some(number(value()?)?),
            "--seed" => options.seed = Some(number(value()?)?),
            "--trace" => options.trace = true,
            "--nodes" => options.nodes = true,
            "--mutants" => options.mutants = true,
            "--model" => {
                let name = value()?;
                options.model =
                    Some(Bounds::named(&name).ok_or_else(|| format!("no bounds are named {name}"))?);
            }
            "--states" => options.states = Some(number(value()?)?),
            "--mutant" => {
                let name = value()?;
                options.mutant =
                    Some(Mutant::named(&name).ok_or_else(|| format!("no mutant is named {name}"))?);
            }
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("{other} is not known; see --help")),
        }
    }
    Ok(Some(options))
}

fn carry_out(options: &Options) -> Result<bool, String> {
    if let Some(bounds) = options.model {
        return every_order(bounds, options.states.unwrap_or(100_000_000));
    }
    if let Some(seed) = options.seed {
        return one(seed, options);
    }
    let seeds = options.seeds.unwrap_or(10_000);
    let first = options.first_seed.unwrap_or(1);
    let threads = options.threads.unwrap_or(2);
    if options.mutants {
        return every_mutant(first, seeds, threads);
    }
    let started = Instant::now();
    let summary = run_many(first, seeds, threads, options.mutant, options.journals())?;
    print!("{}", summary.counters.table());
    println!("{:.1} s on {threads} threads", started.elapsed().as_secs_f64());
    match summary.violation {
        None => {
            println!("no invariant is broken");
            Ok(true)
        }
        Some((seed, violation)) => {
            trace(seed, options)?;
            println!("seed {seed}: {} is broken: {}", violation.invariant, violation.message);
            let mutant =
                options.mutant.map_or_else(String::new, |mutant| format!(" --mutant {}", mutant.name()));
            let nodes = if options.nodes { " --nodes" } else { "" };
            println!("again: zvpos-simulation{nodes} --seed {seed} --trace{mutant}");
            Ok(false)
        }
    }
}

/// Searches within each of those bounds, under both policies for an outcome that is unknown, until an invariant breaks.
fn every_order(bounds: &[Bounds], most: u64) -> Result<bool, String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    for bounds in bounds {
        println!("{bounds}:");
        for policy in [OnUnknown::Reverse, OnUnknown::Hold] {
            let started = Instant::now();
            let searched = search(policy, *bounds, most)?;
            println!(
                "{policy:?}: {} states, {} steps, at most {} from the first state, {:.1} s{}",
                searched.states,
                searched.steps,
                searched.depth,
                started.elapsed().as_secs_f64(),
                if searched.is_cut { ", cut" } else { "" }
            );
            if let Some(((label, message), way)) = searched.broken {
                for (number, action) in way.iter().enumerate() {
                    println!("  {:>3} {action}", number + 1);
                }
                println!("{label} is broken: {message}");
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn one(seed: u64, options: &Options) -> Result<bool, String> {
    let ended = seed::run(seed, &workload::data()?, options.mutant, options.journals(), true)?;
    if options.trace || ended.violation.is_some() {
        for line in &ended.trace {
            println!("{line}");
        }
    }
    print!("{}", ended.counters.table());
    match &ended.violation {
        None => println!("seed {seed}: no invariant is broken"),
        Some(violation) => {
            println!("seed {seed}: {} is broken: {}", violation.invariant, violation.message);
        }
    }
    Ok(ended.violation.is_none())
}

fn trace(seed: u64, options: &Options) -> Result<(), String> {
    for line in seed::run(seed, &workload::data()?, options.mutant, options.journals(), true)?.trace {
        println!("{line}");
    }
    Ok(())
}

fn every_mutant(first: u64, seeds: u64, threads: u64) -> Result<bool, String> {
    let mut all_caught = true;
    for mutant in Mutant::broken() {
        let summary = run_many(first, seeds, threads, Some(mutant), Journals::File)?;
        let Some((seed, violation)) = summary.violation else {
            all_caught = false;
            println!("{:<26} NOT caught in {seeds} seeds", mutant.name());
            continue;
        };
        let as_named = mutant.caught_by().contains(&violation.invariant);
        all_caught &= as_named;
        println!(
            "{:<26} caught by {} after {:>5} seeds{}: {}",
            mutant.name(),
            violation.invariant,
            seed - first + 1,
            if as_named { "" } else { " (NOT its own invariant)" },
            violation.message
        );
    }
    for limit in Mutant::limits() {
        let journals = if limit.is_of_nodes() { Journals::Database } else { Journals::File };
        let summary = run_many(first, seeds, threads, Some(limit), journals)?;
        let seen = summary.violation.map_or_else(
            || "nothing is seen".to_owned(),
            |(seed, violation)| format!("seed {seed}: {} {}", violation.invariant, violation.message),
        );
        println!("{:<26} a limit, not a defect: {seen}", limit.name());
    }
    Ok(all_caught)
}
