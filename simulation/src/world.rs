//! The whole of one seed: virtual time, and one actor's one effect after the other, chosen by chance among those whose
//! time has come. Threads and processes so interleave at every effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zvpos_core::journal::Guard;
use zvpos_core::transaction::consume::abandoned;
use zvpos_core::transaction::{Entry, Stage};
use zvpos_sandbox::rules::{Gateway, Seed, codes};

use crate::actor::{Actor, Role, Work};
use crate::assumption::Off;
use crate::figures::Figures;
use crate::journal::SimJournal;
use crate::mutant::Mutant;
use crate::network::Wire;
use crate::oracle::{Oracle, Violation};
use crate::plan::Plan;
use crate::process::Process;
use crate::random::Random;
use crate::sale::Sale;

/// More steps than any plan takes: a seed that does not end is a violation.
const MOST_STEPS: u64 = 2_000_000;

/// See the module's words.
pub struct World {
    /// Milliseconds since the start; monotonic for every process.
    pub now: u64,
    /// The seed's chance.
    pub random: Random,
    /// What the seed is about.
    pub plan: Plan,
    /// What is broken on purpose.
    pub mutant: Option<Mutant>,
    /// The gateway's rules.
    pub gateway: Gateway,
    /// What is on its way.
    pub wire: Wire,
    /// What is durable.
    pub journal: SimJournal,
    /// The identity of the journal: which of those that there were it is.
    pub journal_id: u64,
    /// The processes.
    pub processes: Vec<Process>,
    /// Threads, the person and misfortune.
    pub actors: Vec<Actor>,
    /// What the tills sell.
    pub sales: Vec<Sale>,
    /// What must hold.
    pub oracle: Oracle,
    /// What was counted.
    pub figures: Figures,
    /// Faults have stopped.
    pub quiet: bool,
    /// Since when each success is to be undone.
    pub reversing_since: BTreeMap<String, u64>,
    /// Sales whose reversal a till has asked for.
    pub asked: BTreeSet<String>,
    /// Sales that stood as taken when a till asked for their reversal.
    pub refunds: BTreeSet<String>,
    /// Sales under which nothing was taken when a till asked for their reversal.
    pub voids: BTreeSet<String>,
    /// Reversals that a deaf gateway answered without carrying them out.
    pub deaf_debts: BTreeMap<String, i64>,
    /// Until when nothing reaches the gateway.
    pub outage_until: u64,
    /// Until when no reversal reaches it.
    pub no_reversal_until: u64,
    /// The owners whose files somebody has deleted.
    pub lost_owners: BTreeSet<String>,
    /// When each intent was recorded, by bizId and revision.
    pub intents: BTreeMap<(String, u64), u64>,
    /// What a mutant has not flushed, and whose it is.
    pub unflushed: Vec<(usize, Entry)>,
    trace: Option<Vec<String>>,
}

/// What came of one seed.
pub struct Ended {
    /// The broken invariant, if any.
    pub violation: Option<Violation>,
    /// What was counted.
    pub figures: Figures,
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
    let mut world = World::new(random, plan, data, mutant, traced);
    world.live();
    let figures = &mut world.figures;
    figures.seeds = 1;
    figures.virtual_ms = world.now;
    *figures.assumptions.entry(world.plan.off.name()).or_default() += 1;
    Ok(Ended {
        violation: world.oracle.violation,
        figures: world.figures,
        trace: world.trace.unwrap_or_default(),
    })
}

impl World {
    fn new(random: Random, plan: Plan, data: &Arc<Seed>, mutant: Option<Mutant>, traced: bool) -> World {
        let mut actors = vec![Actor::new(Role::Misfortune, 0), Actor::new(Role::Person, 20_000)];
        for process in 0..plan.processes {
            actors.push(Actor::new(Role::Recovery(process), 0));
            actors.extend((0..plan.tills).map(|_| Actor::new(Role::Till(process), 0)));
        }
        let mut world = World {
            now: 0,
            gateway: Gateway::new(Arc::clone(data), plan.policy.clone()),
            wire: Wire::default(),
            journal: SimJournal::default(),
            journal_id: 0,
            processes: (0..plan.processes).map(Process::new).collect(),
            actors,
            sales: Vec::new(),
            oracle: Oracle::new(plan.off),
            figures: Figures::default(),
            quiet: false,
            reversing_since: BTreeMap::new(),
            asked: BTreeSet::new(),
            refunds: BTreeSet::new(),
            voids: BTreeSet::new(),
            deaf_debts: BTreeMap::new(),
            outage_until: 0,
            no_reversal_until: 0,
            lost_owners: BTreeSet::new(),
            intents: BTreeMap::new(),
            unflushed: Vec::new(),
            trace: traced.then(Vec::new),
            random,
            plan,
            mutant,
        };
        if traced {
            let words = world.plan.to_string();
            world.say("plan", || words.clone());
        }
        world
    }

    /// Busy until faults stop, then quiet until everything must have settled.
    fn live(&mut self) {
        self.until(self.plan.busy_ms);
        self.calm();
        let well = self.now;
        self.until(well + 60_000 + self.plan.total_ms);
        if self.oracle.violation.is_none() {
            self.oracle.judge_recovered(&self.journal, false, &self.young());
        }
        // The window begins when a call's deadline has passed, at the latest.
        self.until(well + self.plan.total_ms + self.plan.late_ms + 60_000);
        if self.oracle.violation.is_none() {
            self.oracle.judge_recovered(&self.journal, true, &self.young());
            self.judge_unrecorded();
        }
        if let Some(violation) = self.oracle.violation.clone() {
            self.say("oracle", || format!("{} BROKEN: {}", violation.invariant, violation.message));
        }
    }

    /// What was found out or asked for less than 60 s ago.
    fn young(&self) -> BTreeSet<String> {
        let since = self.now.saturating_sub(60_000);
        let young = self.reversing_since.iter().filter(|(_, at)| **at > since);
        young.map(|(biz_id, _)| biz_id.clone()).collect()
    }

    /// Nothing may have happened that no record knows.
    fn judge_unrecorded(&mut self) {
        let now = self.journal_id.to_string();
        let lost = |biz_id: &str| {
            let stored = self.sales.iter().find(|sale| sale.biz_id == biz_id);
            stored.and_then(|sale| sale.journal.as_deref()).is_some_and(|stored| stored != now)
        };
        let unknown = self
            .oracle
            .all_deeds()
            .find(|(biz_id, deeds)| {
                deeds.net != 0 && self.journal.find(biz_id).is_none() && !lost(biz_id.as_str())
            })
            .map(|(biz_id, deeds)| format!("{biz_id}: S is {} and the journal knows nothing", deeds.net));
        let Some(message) = unknown else { return };
        if !self.sales.iter().any(|sale| sale.foreign && message.starts_with(&format!("{}:", sale.biz_id))) {
            self.oracle.broken("I4", message);
        }
    }

    fn until(&mut self, end: u64) {
        while self.oracle.violation.is_none() {
            let next = self.next_time();
            if next > end {
                self.now = self.now.max(end);
                return;
            }
            self.now = self.now.max(next);
            self.figures.steps += 1;
            if self.figures.steps > MOST_STEPS {
                self.oracle.broken("I2", "the simulation does not end".to_owned());
                return;
            }
            self.one_effect();
        }
    }

    fn next_time(&self) -> u64 {
        let actors = self.actors.iter().map(|actor| actor.wakes_at).min().unwrap_or(u64::MAX);
        actors.min(self.wire.next_arrival().unwrap_or(u64::MAX))
    }

    fn one_effect(&mut self) {
        let arrival = usize::from(self.wire.next_arrival().is_some_and(|at| at <= self.now));
        let ready: Vec<usize> = (0..self.actors.len())
            .filter(|at| self.actors.get(*at).is_some_and(|actor| actor.wakes_at <= self.now))
            .collect();
        let chosen = self.random.index(ready.len() + arrival);
        let Some(&at) = ready.get(chosen) else { return self.arrive() };
        let Some(mut actor) = self.actors.get_mut(at).map(Actor::take) else { return };
        if self.dies_now(&actor) {
            return;
        }
        self.act(&mut actor);
        // What it was doing is gone if its process died of it.
        let lives = actor.process().is_none_or(|process| self.is_alive(process));
        if let (true, Some(place)) = (lives, self.actors.get_mut(at)) {
            *place = actor;
        }
    }

    /// A process can end before any effect of any of its threads.
    fn dies_now(&mut self, actor: &Actor) -> bool {
        let Some(process) = actor.process() else { return false };
        if self.quiet || matches!(actor.work, Work::Idle) || self.random.below(100_000) >= self.plan.deaths {
            return false;
        }
        self.kill(process, "death before an effect");
        true
    }

    /// Whether a process runs.
    pub fn is_alive(&self, process: usize) -> bool {
        self.processes.get(process).is_some_and(|process| process.alive)
    }

    /// A process ends, however it ends: calls are answered nothing, locks are free.
    pub fn kill(&mut self, process: usize, why: &'static str) {
        self.figures.count(why);
        self.say("misfortune", || format!("P{process} ends: {why}"));
        let back = self.now + self.random.pick(500, &[2_000, 10_000, 30_000]);
        if let Some(dead) = self.processes.get_mut(process) {
            for biz_id in dead.running.keys() {
                self.oracle.deeds(biz_id).zombie_lost = true;
            }
            dead.die(back);
        }
        self.unflushed.retain(|(owner, _)| *owner != process);
        for actor in &mut self.actors {
            if actor.process() == Some(process) {
                *actor = Actor::new(actor.role, u64::MAX);
            }
        }
    }

    /// A process starts again; its recovery looks at once, as `zv_init` has it.
    pub fn start(&mut self, process: usize) {
        self.figures.count("starts after a crash");
        self.say("misfortune", || format!("P{process} starts"));
        if let Some(dead) = self.processes.get_mut(process) {
            dead.start(process, self.now);
        }
        let survives = self.random.per_mille(500);
        if let Some(biz_id) = self.journal.open_anew(survives) {
            self.say("journal", || format!("{biz_id}: what a failed flush left is found on the disk"));
            self.oracle.judge(&biz_id, &self.journal);
        }
        let now = self.now;
        for actor in &mut self.actors {
            if actor.process() == Some(process) {
                *actor = Actor::new(actor.role, now);
            }
        }
        // As `Shared::bury_all`: before anything else, without the network.
        for entry in self.journal.unsettled() {
            if entry.stage() == Stage::Sending && !self.may_be_running(process, &entry) {
                self.figures.count("intents found after a crash");
                // What cannot be recorded now is found by the recovery; the process may die of it.
                if self.record(process, &abandoned(&entry), Guard::Off).is_none() {
                    return;
                }
            }
        }
    }

    /// The journal is lost while no process runs, and the next one begins another.
    pub fn lose_journal(&mut self) {
        for process in 0..self.processes.len() {
            if self.is_alive(process) {
                self.kill(process, "the journal is lost");
            }
        }
        self.figures.fault("the journal is lost");
        self.journal = SimJournal::default();
        self.journal_id += 1;
        self.reversing_since.clear();
        self.wire.all_lines_end();
    }

    /// Faults stop, every process runs, and one whose journal has failed was started anew.
    fn calm(&mut self) {
        self.say("misfortune", || "faults stop; the gateway is well".to_owned());
        self.quiet = true;
        self.outage_until = 0;
        self.no_reversal_until = 0;
        // The vendor may have said meanwhile what a code means.
        let told = self.plan.codes_told_later;
        if told {
            self.plan.account.reverse.already = vec![codes::REVERSE_ALREADY.to_owned()];
        }
        for process in 0..self.processes.len() {
            if self.processes.get(process).is_some_and(|process| process.failed || (told && process.alive)) {
                self.kill(process, "restart by its owner");
            }
        }
        // What was suspended goes on.
        for actor in &mut self.actors {
            if actor.process().is_some() && actor.wakes_at != u64::MAX {
                actor.wakes_at = actor.wakes_at.min(self.now + 1_000);
            }
        }
        for process in 0..self.processes.len() {
            // One may stay away for good: the others must find what it has left.
            let alone = !(0..self.processes.len()).any(|other| self.is_alive(other));
            if !self.is_alive(process) && (alone || self.random.per_mille(500)) {
                self.start(process);
            }
        }
    }

    /// Whether G3 is off: copies act again.
    pub fn copies_act(&self) -> bool {
        self.plan.off == Off::Copies
    }

    /// A line of the trace.
    pub fn say(&mut self, who: &str, what: impl Fn() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>7}.{:03} {who:<11} {}", now / 1000, now % 1000, what()));
        }
    }
}
