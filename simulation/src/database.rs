//! The database that several nodes share, as one life of a process reaches it: the library's own `Nodes` over tables in
//! memory, with what befalls a statement on its way. A statement is done, not done, or done later, with or without an
//! answer; the clocks of the nodes go at different speeds.

use std::time::{Duration, Instant};

use zvpos_core::journal::nodes::{
    Database, Failure, List, Membership, Node, NodeSettings, Nodes, Role, Standing, Token, Write,
};
use zvpos_core::journal::{Guard, JournalError, Page, owner_name};
use zvpos_core::payment::{Entry, Key, Owner};

use crate::actor::Role as Thread;
use crate::process::Cut;
use crate::scheduler::Life;
use crate::world::{Replica, World};

/// What becomes of one statement.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Done,
    /// No connection.
    Away,
    /// It is done, and its answer is lost.
    Unheard,
    /// It is lost on its way.
    Lost,
    /// Its answer is lost, and it is done at that time.
    Later(u64),
}

/// The database as one life of a process reaches it.
pub struct Reached(Life);

/// Joins the nodes and begins to beat.
///
/// # Errors
/// As `Nodes::start`.
pub fn join(life: &Life, until: Instant) -> Result<std::sync::Arc<Nodes<Reached>>, JournalError> {
    let (lease, total, beat_ms) = {
        let world = life.world();
        (world.plan.lease(), Duration::from_millis(world.plan.total_ms), world.plan.beat_ms)
    };
    let named = life.clone();
    let name = move |random: u64| {
        let number = u32::try_from(named.process).unwrap_or(u32::MAX);
        let owner = owner_name(number, random, total);
        if let Some(process) = named.world().processes.get_mut(named.process) {
            process.names.push(owner.clone());
        }
        owner
    };
    let settings = NodeSettings { lease, total, retention_days: 90, unix_ms: || 0, name: Box::new(name) };
    let nodes = std::sync::Arc::new(Nodes::start(Reached(life.clone()), settings, until)?);
    let beating = std::sync::Arc::clone(&nodes);
    life.spawn(&mut life.world(), Thread::Library(life.process), move |life| {
        loop {
            let mut at = life.world().now + beat_ms;
            while life.world().now < at {
                life.pause_until(at);
                at = at.max(life.world().overloaded_until(life.process));
            }
            if let Err(error) = beating.beat() {
                let process = life.process;
                life.world().say(&format!("P{process}"), || format!("beat: {} {error}", error.code.text));
            }
        }
    });
    Ok(nodes)
}

impl Reached {
    /// Carries out a statement, or what its fate makes of it.
    fn statement<T>(
        &self,
        until: Instant,
        often_late: bool,
        run: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.read_or_write(until, often_late, false, run)
    }

    /// The same for a statement whose commit waits for the replica. While that does not follow, others see what was written,
    /// as after a crash of the server that ends the wait, and nobody is told that it is durable.
    fn change<T>(
        &self,
        until: Instant,
        often_late: bool,
        run: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.read_or_write(until, often_late, true, run)
    }

    fn read_or_write<T>(
        &self,
        until: Instant,
        often_late: bool,
        writes: bool,
        run: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let life = &self.0;
        life.pause();
        // What the journal says is known only from an answer.
        life.call(|call| call.seen = None);
        let fate = {
            let mut world = life.world();
            let waits = world.is_stalled() && writes;
            let fate = world.statement_fate(life.process, often_late);
            if fate == Fate::Done && waits { Fate::Unheard } else { fate }
        };
        match fate {
            Fate::Done => {
                let done = run(&mut life.world());
                life.pause();
                return Ok(done);
            }
            Fate::Away => {
                life.pause();
                return Err(Failure::Away("simulated: no connection".to_owned()));
            }
            Fate::Unheard => {
                let mut world = life.world();
                world.database.is_unheard = true;
                run(&mut world);
                world.database.is_unheard = false;
            }
            Fate::Lost => {}
            Fate::Later(at) => {
                let mut world = life.world();
                let (actor, number) = (world.running, life.number);
                let run = Box::new(move |world: &mut World| {
                    // The call that it belongs to may have ended.
                    let goes_on = world.actors.get(actor).is_some_and(|one| !one.ended && one.life == number);
                    world.running = if goes_on { actor } else { usize::MAX };
                    world.database.is_unheard = true;
                    run(world);
                    world.database.is_unheard = false;
                });
                world.database.later.push((at, run));
            }
        }
        // The end of the connection is seen at once, or nothing is until the time is over.
        let seen = {
            let mut world = life.world();
            let timeout = world.at(life.process, until);
            match world.random.below(10) {
                0..4 => world.soon(),
                4..7 => world.now + world.random.range(1, 2_000),
                _ => timeout.max(world.now + 1),
            }
        };
        life.pause_until(seen);
        Err(Failure::Ambiguous("simulated: no answer".to_owned()))
    }
}

/// A record on its way to the database.
#[derive(Clone)]
struct Sent {
    entry: Entry,
    token: Token,
    guard: Guard,
    by: Option<Owner>,
}

impl Sent {
    fn of(write: &Write<'_>) -> Sent {
        Sent { entry: write.entry.clone(), token: write.token, guard: write.guard, by: write.by.cloned() }
    }

    fn write(&self) -> Write<'_> {
        Write { entry: &self.entry, token: self.token, guard: self.guard, by: self.by.as_ref() }
    }
}

impl Database for Reached {
    fn now(&self) -> Instant {
        self.0.world().instant(self.0.process)
    }

    fn uptime(&self) -> Duration {
        let world = self.0.world();
        let drift = world.processes.get(self.0.process).map_or(0, |process| process.drift_per_mille);
        // The machine has been up for an hour.
        let ms = (world.now + 3_600_000).saturating_mul(1000_u64.saturating_add_signed(drift)) / 1000;
        Duration::from_millis(ms)
    }

    fn sleep(&self, duration: Duration) {
        let until = self.0.world().now + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.0.pause_until(until);
    }

    fn token(&self) -> Token {
        self.0.world().random.number()
    }

    fn id(&self) -> String {
        self.0.world().journal_id.to_string()
    }

    fn place(&self) -> String {
        "simulated".to_owned()
    }

    fn write(&self, write: &Write<'_>, until: Instant) -> Result<bool, Failure> {
        let life = &self.0;
        let death = life.world().dies_at_a_commit();
        if death == Some(false) {
            life.world().kill(life.process, "death before a commit");
        }
        let (sent, process, number) = (Sent::of(write), life.process, life.number);
        self.change(until, false, move |world| {
            let done = world.commit(process, &sent.write());
            if done {
                world.asked(sent.entry.key(), Some(&sent.entry));
            }
            if death == Some(true) && !world.quiet && world.lives(process, number) {
                world.kill(process, "death after a commit");
            }
            done
        })
    }

    fn confirm(&self, standing: &Standing, until: Instant) -> Result<bool, Failure> {
        let asked = standing.clone();
        self.change(until, false, move |world| {
            let is_ours = world.database.tables.confirm(&asked);
            if is_ours {
                world.asked(asked.entry.key(), Some(&asked.entry));
            }
            is_ours
        })
    }

    fn acknowledge(&self, records: &[(Entry, Token)], until: Instant) -> Result<(), Failure> {
        let (records, process) = (records.to_vec(), self.0.process);
        self.change(until, false, move |world| {
            for (entry, token) in records {
                world.commit(process, &Write { entry: &entry, token, guard: Guard::Off, by: None });
            }
        })
    }

    fn standing(&self, keys: &[Key], until: Instant) -> Result<Vec<Standing>, Failure> {
        let asked = keys.to_vec();
        self.statement(until, false, move |world| {
            let tables = &world.database.tables;
            let found: Vec<Standing> = asked.iter().filter_map(|key| tables.standing(key).cloned()).collect();
            if let [key] = asked.as_slice() {
                world.asked(key, found.first().map(|standing| &standing.entry));
            }
            found
        })
    }

    fn keeping_out(&self, write: &Write<'_>, until: Instant) -> Result<Option<Entry>, Failure> {
        let sent = Sent::of(write);
        self.statement(until, false, move |world| world.database.tables.keeping_out(&sent.write()).cloned())
    }

    fn list(&self, list: List, page: Page<'_>, until: Instant) -> Result<Vec<Entry>, Failure> {
        let (after, limit) = (page.after.cloned(), page.limit);
        self.statement(until, false, move |world| {
            world.database.tables.list(list, Page { after: after.as_ref(), limit })
        })
    }

    fn sending_of(&self, owners: &[Owner], until: Instant) -> Result<Vec<Entry>, Failure> {
        let owners = owners.to_vec();
        self.statement(until, false, move |world| world.database.tables.sending_of(&owners))
    }

    fn near_day(&self, day: i64, until: Instant) -> Result<Vec<Entry>, Failure> {
        self.statement(until, false, move |world| world.database.tables.near_day(day))
    }

    fn settled_before(
        &self,
        unix_ms: i64,
        days: i64,
        limit: usize,
        until: Instant,
    ) -> Result<Vec<Entry>, Failure> {
        self.statement(until, false, move |world| world.database.tables.settled_before(unix_ms, days, limit))
    }

    fn newest_unix_ms(&self, until: Instant) -> Result<Option<i64>, Failure> {
        self.statement(until, false, |world| world.database.tables.newest_unix_ms())
    }

    fn has_other_biz_ids(&self, key: &Key, until: Instant) -> Result<bool, Failure> {
        let key = key.clone();
        let known =
            self.statement(until, false, move |world| world.database.tables.has_other_biz_ids(&key))?;
        self.0.call(|call| call.knew_other_biz_ids = known);
        Ok(known)
    }

    fn stands_elsewhere(&self, key: &Key, until: Instant) -> Result<bool, Failure> {
        let key = key.clone();
        self.statement(until, false, move |world| world.database.tables.stands_elsewhere(&key))
    }

    fn other_sale_of(&self, key: &Key, returned: &str, until: Instant) -> Result<Option<Entry>, Failure> {
        let (key, returned) = (key.clone(), returned.to_owned());
        self.statement(until, false, move |world| {
            world.database.tables.other_sale_of(&key, &returned).cloned()
        })
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str, until: Instant) -> Result<bool, Failure> {
        let (key, coupon) = (key.clone(), coupon.to_owned());
        self.statement(until, false, move |world| world.database.tables.names_coupon_elsewhere(&key, &coupon))
    }

    fn join(&self, owner: &Owner, until: Instant) -> Result<(), Failure> {
        let owner = owner.clone();
        self.change(until, false, move |world| world.database.tables.join(&owner))
    }

    fn beat(&self, owner: &Owner, number: u64, until: Instant) -> Result<Option<u64>, Failure> {
        let (owner, process) = (owner.clone(), self.0.process);
        let sent = self.0.world().now;
        self.change(until, false, move |world| {
            let beat = world.database.tables.beat(&owner, number);
            // The number 0 only waits for a commit, and renews no lease.
            let heard = beat.is_some() && !world.database.is_unheard && number > 0;
            if let Some(process) = world.processes.get_mut(process).filter(|_| heard) {
                process.answered_beat = Some((owner, sent));
            }
            beat
        })
    }

    fn has_ended(&self, owner: &Owner) -> bool {
        self.0.world().has_ended_here(self.0.process, owner)
    }

    fn nodes(&self, until: Instant) -> Result<Membership, Failure> {
        let process = self.0.process;
        self.statement(until, false, move |world| {
            world.note_nodes_read(process);
            world.database.tables.nodes()
        })
    }

    fn node(&self, owner: &Owner, until: Instant) -> Result<Option<Node>, Failure> {
        let owner = owner.clone();
        self.statement(until, false, move |world| world.database.tables.node(&owner).cloned())
    }

    fn bury(&self, owner: &Owner, beat: Option<u64>, until: Instant) -> Result<(), Failure> {
        let (owner, process) = (owner.clone(), self.0.process);
        let leaves = self.0.world().processes.get(process).is_some_and(|own| own.has_name(&owner));
        if !leaves {
            self.0.world().judge_verdict(process, &owner);
        }
        self.change(until, true, move |world| {
            let was_dead = world.is_declared_dead(&owner);
            world.database.tables.bury(&owner, beat);
            if !leaves && !was_dead && world.is_declared_dead(&owner) {
                world.judge_lease(&owner);
            }
            world.counters.count("nodes declared dead");
            world.say(&format!("P{process}"), || format!("declares {} dead at beat {beat:?}", owner.0));
        })
    }

    fn claim(&self, owner: &Owner, seen: Option<&Role>, until: Instant) -> Result<bool, Failure> {
        let (owner, seen) = (owner.clone(), seen.cloned());
        let process = self.0.process;
        self.change(until, false, move |world| {
            let is_taken = world.database.tables.claim(&owner, seen.as_ref());
            world.say(&format!("P{process}"), || format!("{} settles from now on: {is_taken}", owner.0));
            is_taken
        })
    }

    fn forget(&self, until: Instant) -> Result<(), Failure> {
        self.change(until, false, |world| world.database.tables.forget())
    }
}

impl World {
    /// Whether the lock of a name can be taken by this process: every second process is on one machine, and a lock is held
    /// as long as the life that has the name.
    fn has_ended_here(&mut self, process: usize, owner: &Owner) -> bool {
        let number = owner.0.split('-').next().and_then(|number| number.parse::<usize>().ok());
        let is_here = number.is_some_and(|number| number % 2 == process % 2);
        let ended = self.plan.node_locks
            && is_here
            && !self.processes.iter().any(|one| one.alive && one.has_name(owner));
        if ended {
            self.counters.count("nodes found ended by their locks");
        }
        ended
    }

    /// What becomes of a process's next statement.
    fn statement_fate(&mut self, process: usize, often_late: bool) -> Fate {
        if self.quiet {
            return Fate::Done;
        }
        let is_cut = self.processes.get(process).is_some_and(|process| process.cut.is_at(self.now));
        if is_cut || self.database.away.is_at(self.now) {
            return self.random.pick(Fate::Away, &[Fate::Lost]);
        }
        let late = often_late && self.random.per_mille(300);
        if !late && !self.random.per_mille(self.plan.bad_statements) {
            return Fate::Done;
        }
        let later = Fate::Later(self.now + self.random.range(1, if often_late { 4_000 } else { 20_000 }));
        let fate =
            if late { later } else { self.random.pick(later, &[Fate::Away, Fate::Unheard, Fate::Lost]) };
        self.counters.fault(match fate {
            Fate::Done => "statement done",
            Fate::Away => "no connection to the database",
            Fate::Unheard => "statement done, answer lost",
            Fate::Lost => "statement lost",
            Fate::Later(_) => "statement done later, answer lost",
        });
        fate
    }

    /// Whether a process dies at this commit: before it, or after it.
    fn dies_at_a_commit(&mut self) -> Option<bool> {
        let dies = !self.quiet && self.random.below(100_000) < self.plan.deaths;
        dies.then(|| self.random.per_mille(500))
    }

    /// Commits a record to the tables, and judges the change.
    fn commit(&mut self, process: usize, write: &Write<'_>) -> bool {
        let biz_id = write.entry.key().biz_id.as_str();
        let before = self.journal.find(biz_id).cloned();
        let done = self.database.tables.write(write);
        self.say(&format!("P{process}"), || {
            let (stage, revision) = (write.entry.stage().as_str(), write.entry.revision());
            let what = if done { "recorded" } else { "NOT recorded" };
            format!("{biz_id} {stage} r{revision} a{}: {what}", write.entry.attempt())
        });
        if done {
            self.journal.mirror(write.entry.as_stored());
            self.note_change(process, before.as_ref(), write.entry);
            if self.database.is_unheard {
                self.note_found(biz_id);
            }
            self.oracle.judge(biz_id, &self.journal);
        }
        done
    }

    /// Notes what the gateway had done, and what the journal says, when the acting thread's call asks and hears it.
    fn asked(&mut self, key: &Key, found: Option<&Entry>) {
        if self.database.is_unheard {
            return;
        }
        let biz_id = key.biz_id.as_str();
        let then = self.oracle.deeds(biz_id).clone();
        let was_sent_away = self.sent_away.contains(biz_id);
        let was_refund = self.refunds.contains(biz_id);
        if let Some(call) = self.call_mut().filter(|call| call.biz_id == biz_id) {
            call.then = then;
            call.seen = found.cloned();
            call.was_sent_away = was_sent_away;
            call.was_refund = was_refund;
        }
    }

    /// The next statement that comes late.
    pub fn next_late_statement(&self) -> Option<u64> {
        self.database.later.iter().map(|(at, _)| *at).min()
    }

    /// Carries out what has come late.
    pub fn late_statement(&mut self) {
        let now = self.now;
        let Some(at) = self.database.later.iter().position(|(at, _)| *at <= now) else { return };
        let (_, run) = self.database.later.swap_remove(at);
        run(self);
        self.running = usize::MAX;
    }

    /// Whether commits wait for a replica that does not follow. When its time is over it follows again, or takes over.
    fn is_stalled(&mut self) -> bool {
        if self.database.replica.as_ref().is_some_and(|replica| replica.until <= self.now) {
            self.end_of_stall();
        }
        self.database.replica.is_some()
    }

    /// The replica does not follow for a time.
    pub fn stall(&mut self) {
        if self.is_stalled() {
            return;
        }
        let until = self.now + self.random.pick(3_000, &[500, 10_000, 20_000]);
        self.counters.fault("commits wait for a replica");
        self.say("fault", || format!("the replica does not follow until {until}"));
        self.journal.replica_falls_behind();
        self.database.replica = Some(Replica {
            tables: self.database.tables.clone(),
            until,
            reversing_since: self.reversing_since.clone(),
            refunds: self.refunds.clone(),
            voids: self.voids.clone(),
            confirmed: self.confirmed.clone(),
        });
    }

    /// The replica follows again, or the server is lost and the replica takes over: what nobody was told to be durable is
    /// gone.
    pub fn end_of_stall(&mut self) {
        let Some(replica) = self.database.replica.take() else { return };
        if self.random.per_mille(300) {
            self.say("fault", || "the replica has everything again".to_owned());
            return self.journal.replica_catches_up();
        }
        self.counters.fault("a failover to a replica that did not follow");
        self.say("fault", || "the replica takes over".to_owned());
        self.journal.go_back(replica.tables.all());
        self.database.tables = replica.tables;
        self.reversing_since = replica.reversing_since;
        self.refunds = replica.refunds;
        self.voids = replica.voids;
        self.confirmed = replica.confirmed;
    }

    /// D1 off: the database goes back to an earlier state, or there is a state to go back to.
    pub fn fail_over(&mut self) {
        match self.database.earlier.take() {
            None => self.database.earlier = Some(self.database.tables.clone()),
            Some(earlier) => {
                self.counters.fault("a failover loses commits");
                self.say("fault", || "the database fails over and has lost commits".to_owned());
                self.journal.go_back(earlier.all());
                self.database.tables = earlier;
            }
        }
    }

    /// The database, or the way of one node to it, is away for a time.
    pub fn cut_database(&mut self, process: usize) {
        let lease_ms = self.plan.lease_ms();
        // Mostly about as long as it takes until others give up on a node.
        let about = lease_ms + self.random.range(1_000, 6_000);
        let length = self.random.pick(lease_ms * 2, &[500, 5_000, about, about, about]);
        let mut cut = Cut { until: self.now + length, back: (0, 0) };
        if self.random.per_mille(500) {
            let from = self.now + self.random.below(length);
            cut.back = (from, from + self.random.range(200, 3_000));
        }
        if self.random.per_mille(300) {
            self.counters.fault("the database is away for a time");
            self.database.away = cut;
        } else if let Some(process) = self.processes.get_mut(process) {
            self.counters.fault("a node is cut off from the database");
            process.cut = cut;
        }
        self.say("fault", || format!("P{process} or all are cut off from the database: {cut:?}"));
    }

    /// The machine of a node is overloaded: its calls are slow, and the thread that beats does not run.
    pub fn overload(&mut self, process: usize) {
        let until = self.now + self.plan.lease_ms() + self.random.range(3_000, 12_000);
        self.counters.fault("a node is overloaded");
        self.say("fault", || format!("P{process} is overloaded until {until}"));
        if let Some(process) = self.processes.get_mut(process) {
            process.overloaded_until = until;
        }
    }

    fn overloaded_until(&self, process: usize) -> u64 {
        self.processes.get(process).map_or(0, |process| process.overloaded_until)
    }

    /// A process has read the nodes and hears of it. What takes longer than three beats is a gap, by any clock.
    fn note_nodes_read(&mut self, process: usize) {
        let (now, longest) = (self.now, self.plan.beat_ms * 3 + self.plan.beat_ms / 10);
        let Some(process) = self.processes.get_mut(process).filter(|_| !self.database.is_unheard) else {
            return;
        };
        let (since, last) = process.read_nodes;
        process.read_nodes = (if now - last > longest { now } else { since }, now);
    }

    /// A node is declared dead: others did not give up on it within its lease, which begins when its last answered beat was
    /// sent.
    fn judge_lease(&mut self, owner: &Owner) {
        let lease_ms = self.plan.lease_ms();
        let beats = self.processes.iter().filter(|process| process.alive);
        let mut beats = beats.filter_map(|process| process.answered_beat.as_ref());
        if beats.any(|(name, sent)| name == owner && self.now < sent + lease_ms) {
            self.oracle.broken("L", format!("{} is declared dead within its lease", owner.0));
        }
    }

    /// A node gives up on one that lives: it has read the nodes for a whole lease, by its own clock. A silence over a gap may
    /// have been its own.
    fn judge_verdict(&mut self, process: usize, owner: &Owner) {
        let lease_ms = self.plan.lease_ms();
        if !self.processes.iter().any(|other| other.alive && other.has_name(owner)) {
            return;
        }
        let Some((since, read)) = self.processes.get(process).map(|process| process.read_nodes) else {
            return;
        };
        if (read - since) * 1_020 < lease_ms * 1_000 {
            let message = format!(
                "P{process} declares {} dead, which lives and was not seen silent for a lease",
                owner.0
            );
            self.oracle.broken("L", message);
        }
    }
}
