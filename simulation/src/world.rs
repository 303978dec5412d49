//! The whole of one seed: virtual time, and one actor's one effect after the other, chosen by chance among those whose
//! time has come. Threads and processes so interleave at every effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use zvpos_core::journal::nodes::tables::Tables;
use zvpos_core::payment::{Entry, Owner};
use zvpos_sandbox::rules::{Gateway, Seed};

use crate::actor::{Actor, Call, Role, Routine};
use crate::assumption::Off;
use crate::clock::{instant, millis};
use crate::counters::Counters;
use crate::journal::SimJournal;
use crate::mutant::Mutant;
use crate::network::Wire;
use crate::oracle::Oracle;
use crate::plan::{Journals, Plan};
use crate::process::{Cut, Locks, Process};
use crate::random::Random;
use crate::workload::Sale;

/// More steps than any plan takes: a seed that does not end is a violation.
const MOST_STEPS: u64 = 2_000_000;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nobody's: the effect was carried out at once.
    Inline,
    /// That actor's.
    Actor(usize),
    /// The host's in that process, which starts.
    Host(usize),
    /// The thread's that runs the seed: the horizon is reached.
    Main,
}

/// A statement that is carried out later.
type Late = Box<dyn FnOnce(&mut World) + Send>;

/// What a replica has that does not follow, and what was known by what it has.
pub struct Replica {
    /// Its tables.
    pub tables: Tables,
    /// Until when it does not follow.
    pub until: u64,
    /// As [`World::reversing_since`], [`World::refunds`] and so on.
    pub reversing_since: BTreeMap<String, u64>,
    /// See there.
    pub refunds: BTreeSet<String>,
    /// See there.
    pub voids: BTreeSet<String>,
    /// See there.
    pub confirmed: BTreeMap<String, (u32, u32)>,
}

/// What the nodes of a seed share, and what befalls it.
#[derive(Default)]
pub struct SharedDatabase {
    /// What it holds.
    pub tables: Tables,
    /// When it answers nobody.
    pub away: Cut,
    /// Statements that are carried out later, by time and in the order of sending.
    pub later: Vec<(u64, Late)>,
    /// Nobody hears the answer to the statement that is carried out.
    pub is_unheard: bool,
    /// An earlier state of the tables, which a failover goes back to where D1 is off.
    pub earlier: Option<Tables>,
    /// What the replica has, while it does not follow: no commit is acknowledged.
    pub replica: Option<Replica>,
}

/// The state of one seed.
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
    /// Threads of hosts and of the library.
    pub actors: Vec<Actor>,
    /// Which of them acts.
    pub running: usize,
    /// Until when they act before the thread that runs the seed looks.
    pub horizon: u64,
    /// When the next fault comes.
    pub fault_at: u64,
    /// The processes whose hosts are to start.
    starting: Vec<usize>,
    /// Coroutines that have ended; a new actor takes one over, with its stack.
    pub idle_routines: Vec<Routine>,
    signals: u64,
    /// What the tills sell.
    pub sales: Vec<Sale>,
    /// What must hold.
    pub oracle: Oracle,
    /// What was counted.
    pub counters: Counters,
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
    /// Sales for which a till was told to take another tender.
    pub sent_away: BTreeSet<String>,
    /// The attempt and the re-opening in which the reversal of a sale was last confirmed.
    pub confirmed: BTreeMap<String, (u32, u32)>,
    /// Reversals that a deaf gateway answered without carrying them out.
    pub deaf_debts: BTreeMap<String, i64>,
    /// Until when nothing reaches the gateway.
    pub outage_until: u64,
    /// Until when no reversal reaches it.
    pub no_reversal_until: u64,
    /// The owners whose files somebody has deleted.
    pub lost_owners: BTreeSet<String>,
    /// The owners whose files somebody has ever deleted.
    pub ever_lost: BTreeSet<String>,
    /// Since when each entry is unsettled and not on its way, and of which re-opening.
    pub unsettled_since: BTreeMap<String, (u64, u32)>,
    /// Sales that were taken for dead while their process was still carrying them out.
    pub buried: BTreeSet<String>,
    /// When each intent was recorded, by bizId and revision.
    pub intents: BTreeMap<(String, u64), u64>,
    /// What a mutant has not flushed, and whose it is.
    pub unflushed: Vec<(usize, Entry)>,
    /// What the nodes share, where they share a database.
    pub database: SharedDatabase,
    /// Line by line, if it is kept.
    pub trace: Option<Vec<String>>,
}

impl World {
    /// The world of a seed at its start.
    pub fn new(
        mut random: Random,
        plan: Plan,
        data: &Arc<Seed>,
        mutant: Option<Mutant>,
        traced: bool,
    ) -> World {
        let mut world = World {
            now: 0,
            gateway: Gateway::new(Arc::clone(data), plan.policy.clone()),
            wire: Wire::default(),
            journal: SimJournal::default(),
            journal_id: 0,
            processes: (0..plan.processes)
                .map(|number| {
                    let drift = if plan.journals == Journals::Database { random.range(0, 40) } else { 20 };
                    let drift_per_mille = i64::try_from(drift).unwrap_or_default() - 20;
                    Process { drift_per_mille, ..Process::new(number, plan.total_ms) }
                })
                .collect(),
            actors: Vec::new(),
            running: usize::MAX,
            horizon: 0,
            fault_at: 0,
            starting: Vec::new(),
            idle_routines: Vec::new(),
            signals: 0,
            sales: Vec::new(),
            oracle: Oracle::new(plan.off),
            counters: Counters::default(),
            quiet: false,
            reversing_since: BTreeMap::new(),
            asked: BTreeSet::new(),
            refunds: BTreeSet::new(),
            voids: BTreeSet::new(),
            sent_away: BTreeSet::new(),
            confirmed: BTreeMap::new(),
            deaf_debts: BTreeMap::new(),
            outage_until: 0,
            no_reversal_until: 0,
            lost_owners: BTreeSet::new(),
            ever_lost: BTreeSet::new(),
            unsettled_since: BTreeMap::new(),
            buried: BTreeSet::new(),
            intents: BTreeMap::new(),
            unflushed: Vec::new(),
            database: SharedDatabase::default(),
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

    /// What must have settled by now has settled; `late` says that nothing can arrive late any more.
    pub fn judge_recovered(&mut self, late: bool) {
        if self.oracle.violation.is_none() {
            let young = self.young();
            self.oracle.judge_recovered(&self.journal, late, &young, self.mutant == Some(Mutant::LateSender));
            if late {
                self.judge_unrecorded();
            }
        }
        if let Some(violation) = self.oracle.violation.clone().filter(|_| late) {
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

    /// Whose turn it is. What needs no thread is carried out here.
    pub fn turn(&mut self) -> Turn {
        if let Some(process) = self.starting.pop() {
            return Turn::Host(process);
        }
        // What lived in a process that has died ends before anything else happens.
        let dead = self
            .actors
            .iter()
            .position(|actor| !actor.ended && !self.lives(actor.role.process(), actor.life));
        if let Some(at) = dead {
            return self.give_to(at);
        }
        if self.oracle.violation.is_some() {
            return Turn::Main;
        }
        let next = self.next_time();
        if next > self.horizon {
            self.now = self.now.max(self.horizon);
            return Turn::Main;
        }
        self.now = self.now.max(next);
        self.counters.steps += 1;
        if self.counters.steps > MOST_STEPS {
            self.oracle.broken("I2", "the simulation does not end".to_owned());
            return Turn::Main;
        }
        self.one_effect()
    }

    fn next_time(&self) -> u64 {
        let actors = self.actors.iter().filter(|actor| !actor.ended).map(|actor| actor.wakes_at);
        let actors = actors.min().unwrap_or(u64::MAX).min(self.fault_at);
        let actors = actors.min(self.next_late_statement().unwrap_or(u64::MAX));
        actors.min(self.wire.next_arrival().unwrap_or(u64::MAX))
    }

    fn one_effect(&mut self) -> Turn {
        let now = self.now;
        let arrival = usize::from(self.wire.next_arrival().is_some_and(|at| at <= now));
        let fault = usize::from(self.fault_at <= now);
        let is_ready = |actor: &Actor| !actor.ended && actor.wakes_at <= now;
        let ready = self.actors.iter().filter(|actor| is_ready(actor)).count();
        let late = usize::from(self.next_late_statement().is_some_and(|at| at <= now));
        let chosen = self.random.index(ready + arrival + fault + late);
        if chosen >= ready + arrival + fault {
            self.late_statement();
            return Turn::Inline;
        }
        if chosen >= ready + arrival {
            self.fault_at = self.machine_fault();
            return Turn::Inline;
        }
        if chosen >= ready {
            self.arrive();
            return Turn::Inline;
        }
        let chosen = self.actors.iter().enumerate().filter(|(_, actor)| is_ready(actor)).nth(chosen);
        let Some((at, actor)) = chosen else { return Turn::Inline };
        let process = actor.role.process();
        // A process can end before any effect of any of its threads.
        let idles = matches!(actor.role, Role::Till(_)) && actor.call.biz_id.is_empty();
        if !self.quiet && !idles && self.random.below(100_000) < self.plan.deaths {
            self.kill(process, "death before an effect");
            return Turn::Inline;
        }
        self.give_to(at)
    }

    fn give_to(&mut self, at: usize) -> Turn {
        self.running = at;
        if let Some(actor) = self.actors.get_mut(at) {
            actor.wakes_at = u64::MAX;
            actor.waits_for = None;
            actor.suspended = false;
        }
        Turn::Actor(at)
    }

    /// A seat for a new actor.
    pub fn seat(&mut self, actor: Actor) -> usize {
        if let Some((free, seat)) = self.actors.iter_mut().enumerate().find(|(_, seat)| seat.ended) {
            *seat = actor;
            return free;
        }
        self.actors.push(actor);
        self.actors.len() - 1
    }

    /// An actor has ended.
    pub fn leave(&mut self, at: usize) {
        if let Some(actor) = self.actors.get_mut(at) {
            actor.ended = true;
        }
    }

    /// The call of the actor that acts.
    pub fn call(&self) -> Option<&Call> {
        self.actors.get(self.running).map(|actor| &actor.call)
    }

    /// The same, to note something.
    pub fn call_mut(&mut self) -> Option<&mut Call> {
        self.actors.get_mut(self.running).map(|actor| &mut actor.call)
    }

    /// The number of a new signal.
    pub fn new_signal(&mut self) -> u64 {
        self.signals += 1;
        self.signals
    }

    /// Wakes who waits for a signal.
    pub fn give_signal(&mut self, signal: u64) {
        for actor in self.actors.iter_mut().filter(|actor| actor.waits_for == Some(signal)) {
            actor.wakes_at = actor.wakes_at.min(self.now);
        }
    }

    /// How long an effect takes: next to nothing, or once in a while a thread that the machine keeps waiting.
    pub fn soon(&mut self) -> u64 {
        let process = self.actors.get(self.running).map(|actor| actor.role.process());
        let is_overloaded = process.and_then(|process| self.processes.get(process));
        let is_overloaded = is_overloaded.is_some_and(|process| process.overloaded_until > self.now);
        let longest = match self.random.below(1_000) {
            0..5 if !self.quiet => 3_000,
            0..300 if is_overloaded => 6_000,
            _ => 3,
        };
        self.now + self.random.range(0, longest)
    }

    /// Whether the vendor has said by now what its codes mean.
    pub fn codes_are_told(&self) -> bool {
        self.quiet && self.plan.codes_told_later
    }

    /// Whether lines of the trace are kept.
    pub fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// Whether that life of a process goes on.
    pub fn lives(&self, process: usize, life: u64) -> bool {
        self.processes.get(process).is_some_and(|process| process.alive && process.lives == life)
    }

    /// The time of deadlines as a process reads it.
    pub fn instant(&self, process: usize) -> Instant {
        let slept = self.processes.get(process).map_or(0, |process| process.slept_ms);
        instant(self.now.saturating_sub(slept))
    }

    /// When that time of deadlines comes for a process, if its machine is not suspended before.
    pub fn at(&self, process: usize, until: Instant) -> u64 {
        let slept = self.processes.get(process).map_or(0, |process| process.slept_ms);
        millis(until).saturating_add(slept)
    }

    /// Whether the nodes' database says that a node is dead, or has forgotten it since.
    pub fn is_declared_dead(&self, owner: &Owner) -> bool {
        self.plan.journals == Journals::Database
            && self.database.tables.node(owner).is_none_or(|node| node.dead)
    }

    /// The locks beside the journal.
    pub fn locks(&self) -> Locks<'_> {
        Locks { processes: &self.processes, lost: &self.lost_owners, now: self.now }
    }

    /// Whether a call of a process is carrying out that consume.
    pub fn carries_out(&self, process: usize, biz_id: &str) -> bool {
        let lives = self.processes.get(process).map_or(0, |process| process.lives);
        self.actors.iter().any(|actor| {
            let here = actor.role == Role::Till(process) && actor.life == lives && !actor.ended;
            here && actor.call.holds && actor.call.biz_id == biz_id
        })
    }

    /// Whether a call during which its process was not stopped is carrying out that consume and is not beyond its time.
    pub fn is_calling(&self, process: usize, biz_id: &str) -> bool {
        let stopped = self.processes.get(process).map_or(u64::MAX, |process| process.stopped_until);
        let in_time = |actor: &Actor| {
            stopped <= actor.call.started && self.now < actor.call.started + self.plan.total_ms
        };
        let mut actors = self.actors.iter().filter(|actor| actor.role == Role::Till(process) && !actor.ended);
        actors.any(|actor| actor.call.holds && actor.call.biz_id == biz_id && in_time(actor))
    }

    /// Whether a process runs.
    pub fn is_alive(&self, process: usize) -> bool {
        self.processes.get(process).is_some_and(|process| process.alive)
    }

    /// A process ends, however it ends: calls are answered nothing, locks are free.
    pub fn kill(&mut self, process: usize, why: &'static str) {
        self.counters.count(why);
        self.say("fault", || format!("P{process} ends: {why}"));
        self.end(process);
    }

    /// A process ends: nothing of it goes on.
    pub fn end(&mut self, process: usize) {
        let back = self.now + self.random.pick(500, &[2_000, 10_000, 30_000]);
        let lives = self.processes.get(process).map_or(0, |process| process.lives);
        for actor in self.actors.iter().filter(|actor| actor.role.process() == process && !actor.ended) {
            if actor.life == lives && actor.call.holds {
                self.oracle.deeds(&actor.call.biz_id).zombie_lost = true;
            }
        }
        let left = self.processes.get(process).map(|process| process.left.clone()).unwrap_or_default();
        for biz_id in left {
            self.oracle.deeds(&biz_id).zombie_lost = true;
        }
        if let Some(dead) = self.processes.get_mut(process) {
            dead.die(back);
        }
        self.unflushed.retain(|(owner, _)| *owner != process);
    }

    /// A process starts again.
    pub fn start(&mut self, process: usize) {
        self.counters.count("starts after a crash");
        self.say("fault", || format!("P{process} starts"));
        let (total_ms, now) = (self.plan.total_ms, self.now);
        if let Some(dead) = self.processes.get_mut(process) {
            dead.start(process, total_ms, now);
        }
        let survives = self.random.per_mille(500);
        if let Some(biz_id) = self.journal.open_anew(survives) {
            self.say("journal", || format!("{biz_id}: what a failed flush left is found on the disk"));
            self.note_found(&biz_id);
            // A re-opening that nobody was told of: its window begins now.
            let reopened = self.journal.find(&biz_id).map_or(0, |entry| entry.detail().reopened);
            let since = self.unsettled_since.entry(biz_id.clone()).or_insert((now, reopened));
            if since.1 < reopened {
                *since = (now, reopened);
            }
            self.oracle.judge(&biz_id, &self.journal);
        }
        self.start_host(process);
    }

    /// What a till asked for, though it was told that this could not be recorded.
    pub fn note_found(&mut self, biz_id: &str) {
        let reversal = self.journal.find(biz_id).map(|entry| entry.detail().reversal.clone());
        let Some(reversal) = reversal else { return };
        if reversal.refund {
            self.refunds.insert(biz_id.to_owned());
        }
        if reversal.voided.is_some() {
            self.voids.insert(biz_id.to_owned());
        }
    }

    /// The host of a process is to start: its first thread starts the library and then the others.
    pub fn start_host(&mut self, process: usize) {
        self.starting.push(process);
    }

    /// The journal is lost while no process runs, and the next one begins another.
    pub fn lose_journal(&mut self) {
        for process in 0..self.processes.len() {
            if self.is_alive(process) {
                self.kill(process, "the journal is lost");
            }
        }
        self.counters.fault("the journal is lost");
        self.journal = SimJournal::default();
        self.journal_id += 1;
        self.reversing_since.clear();
        self.confirmed.clear();
        self.wire.all_lines_end();
    }

    /// Faults stop, every process runs, and a process whose journal has failed is started again.
    pub fn calm(&mut self) {
        self.say("fault", || "faults stop; the gateway is well".to_owned());
        self.quiet = true;
        self.end_of_stall();
        let (away, now) = (self.database.away, self.now);
        self.database.away.until = away.until.min(now);
        self.outage_until = 0;
        self.no_reversal_until = 0;
        // The vendor may have said meanwhile what a code means.
        let told = self.plan.codes_told_later;
        for process in 0..self.processes.len() {
            if self.processes.get(process).is_some_and(|process| process.failed || (told && process.alive)) {
                self.kill(process, "restart by its owner");
            }
        }
        // What was suspended goes on.
        let soon = self.now + 1_000;
        for process in &mut self.processes {
            process.wakes_by(soon);
            process.overloaded_until = process.overloaded_until.min(soon);
            process.cut.until = process.cut.until.min(soon);
        }
        for actor in self.actors.iter_mut().filter(|actor| actor.suspended) {
            actor.suspended = false;
            actor.wakes_at = actor.wakes_at.min(soon);
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
