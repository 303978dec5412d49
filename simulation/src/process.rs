//! One process with the library in it: its lock, its clock, and what the oracle remembers of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use zvpos_core::api::Library;
use zvpos_core::journal::{Presence, owner_name};
use zvpos_core::payment::Owner;

/// The true time at the start of every simulation, in milliseconds since 1970.
pub const EPOCH_MS: u64 = 1_795_000_000_000;

/// For how long the database, or a process's way to it, is away. It may come back for a moment in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Until when.
    pub until: u64,
    /// From when to when it is back.
    pub back: (u64, u64),
}

impl Cut {
    /// Whether it is away at that time.
    pub fn is_at(&self, now: u64) -> bool {
        now < self.until && !(self.back.0..self.back.1).contains(&now)
    }
}

/// One process over all its lives.
pub struct Process {
    /// The name of this life beside a file.
    pub owner: Owner,
    /// The names of this life among the nodes of a database.
    pub names: Vec<Owner>,
    /// By how much its monotonic clock is too fast.
    pub drift_per_mille: i64,
    /// For how long its machine was suspended: its clock for deadlines did not go on.
    pub slept_ms: u64,
    /// Until when it was stopped last.
    pub stopped_until: u64,
    /// Until when its machine is suspended.
    pub sleeps_until: u64,
    /// When it does not reach the database.
    pub cut: Cut,
    /// Until when its machine is overloaded: calls are slow, and the thread that beats does not run.
    pub overloaded_until: u64,
    /// The last beat that was answered: in which name, and when it was sent.
    pub answered_beat: Option<(Owner, u64)>,
    /// From when to when it has read the nodes again and again, without a gap.
    pub read_nodes: (u64, u64),
    /// Sales whose outcome a call could not record.
    pub left: BTreeSet<String>,
    /// How many lives there were.
    pub lives: u64,
    /// Whether it runs; its lock is held exactly as long.
    pub alive: bool,
    /// When it is started again.
    pub starts_at: u64,
    /// A flush has failed: writing stops until it is started again.
    pub failed: bool,
    /// The till's wall clock less the true time, in milliseconds.
    pub wall_offset_ms: i64,
    /// Successes that the till has acknowledged since the last record.
    pub acknowledged: Vec<String>,
    /// When this life began.
    pub started: u64,
    /// Until when a reversal that was confirmed is not sent again by the library itself.
    pub promised_until: BTreeMap<String, u64>,
    /// The library, once it has started.
    pub library: Option<Arc<Library>>,
}

impl Process {
    /// A process that has just started.
    pub fn new(number: usize, total_ms: u64) -> Process {
        Process {
            owner: name(number, 0, total_ms),
            names: Vec::new(),
            drift_per_mille: 0,
            slept_ms: 0,
            stopped_until: 0,
            sleeps_until: 0,
            cut: Cut::default(),
            overloaded_until: 0,
            answered_beat: None,
            read_nodes: (0, 0),
            left: BTreeSet::new(),
            lives: 0,
            alive: true,
            starts_at: 0,
            failed: false,
            wall_offset_ms: 0,
            acknowledged: Vec::new(),
            started: 0,
            promised_until: BTreeMap::new(),
            library: None,
        }
    }

    /// It ends; its lock is free, and what it had in memory is gone.
    pub fn die(&mut self, starts_at: u64) {
        self.alive = false;
        self.starts_at = starts_at;
        self.acknowledged.clear();
        self.promised_until.clear();
        self.left.clear();
        self.library = None;
    }

    /// Its machine is suspended no longer than until that time.
    pub fn wakes_by(&mut self, time: u64) {
        self.slept_ms -= self.sleeps_until.saturating_sub(time);
        self.sleeps_until = self.sleeps_until.min(time);
        self.stopped_until = self.stopped_until.min(time);
    }

    /// Whether this life has or had that name.
    pub fn has_name(&self, name: &Owner) -> bool {
        self.owner == *name || self.names.contains(name)
    }

    /// It starts, under another name.
    pub fn start(&mut self, number: usize, total_ms: u64, now: u64) {
        self.started = now;
        self.lives += 1;
        self.owner = name(number, self.lives, total_ms);
        self.names.clear();
        self.stopped_until = 0;
        self.overloaded_until = 0;
        self.answered_beat = None;
        self.read_nodes = (now, now);
        self.wakes_by(now);
        self.alive = true;
        self.failed = false;
    }

    /// The till's clock in milliseconds since 1970; it may be anything.
    pub fn wall_ms(&self, now: u64) -> i64 {
        i64::try_from(EPOCH_MS + now).unwrap_or(i64::MAX).saturating_add(self.wall_offset_ms)
    }
}

fn name(number: usize, life: u64, total_ms: u64) -> Owner {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    owner_name(number, life, Duration::from_millis(total_ms))
}

/// The locks beside the journal, as every process can ask for them.
pub struct Locks<'w> {
    pub(crate) processes: &'w [Process],
    pub(crate) lost: &'w BTreeSet<String>,
    /// The time of the simulation.
    pub now: u64,
}

impl Locks<'_> {
    /// What the lock of a process says to another one.
    pub fn presence(&self, observer: &Owner, owner: &Owner) -> Presence {
        if observer == owner {
            return Presence::Lives;
        }
        let holds = self.processes.iter().any(|process| process.alive && process.owner == *owner);
        match (self.lost.contains(&owner.0), holds) {
            // Where the observer's own file is gone too, the whole folder is away.
            (true, _) if self.lost.contains(&observer.0) => Presence::Lives,
            (true, _) => Presence::Missing,
            (false, true) => Presence::Lives,
            (false, false) => Presence::Dead,
        }
    }
}
