//! One process with the library in it: its lock, its clocks, its calls, and when it tries what again. The last three
//! imitate `recovery::pace`, `clock` and `library`, which read the machine's own clocks.

use std::collections::{BTreeMap, BTreeSet};

use zvpos_core::transaction::Owner;

use crate::random::Random;

/// The true time at the start of every simulation, in milliseconds since 1970.
pub const EPOCH_MS: u64 = 1_795_000_000_000;

const FIRST_DELAY_MS: u64 = 500;
const LONGEST_DELAY_MS: u64 = 15_000;

/// See the module's words.
#[derive(Debug)]
pub struct Process {
    /// The name of this life.
    pub owner: Owner,
    /// How many lives there were.
    pub lives: u64,
    /// Whether it runs; its lock is held exactly as long.
    pub alive: bool,
    /// When it is started again.
    pub starts_at: u64,
    /// A flush has failed: writing stops until it is started anew.
    pub failed: bool,
    /// The till's wall clock less the true time, in milliseconds.
    pub wall_offset_ms: i64,
    /// What the gateway's `Date` has taught, in seconds.
    pub learned_s: i64,
    /// When each reversal is tried again.
    pub paces: BTreeMap<String, Pace>,
    /// The entries that a thread is at, to undo them.
    pub driven: BTreeSet<String>,
    /// When this life began.
    pub started: u64,
    /// Successes that the till has read since the last record.
    pub heard: Vec<String>,
    /// Since when the intents are seen whose owner's file is gone, by bizId and revision.
    pub missing: BTreeMap<(String, u64), u64>,
    /// When the others take it for dead though it lives: its file beside the journal is gone.
    pub lock_lost_at: u64,
    /// Until when a reversal that was promised is not due again.
    pub promised_until: BTreeMap<String, u64>,
    /// The bizIds of the consumes that are being carried out, and by how many calls: one may end while another has
    /// begun the next attempt.
    pub running: BTreeMap<String, u32>,
}

impl Process {
    /// A process that has just started.
    pub fn new(number: usize) -> Process {
        Process {
            owner: Owner(format!("P{number}.0")),
            lives: 0,
            alive: true,
            starts_at: 0,
            failed: false,
            wall_offset_ms: 0,
            learned_s: 0,
            paces: BTreeMap::new(),
            driven: BTreeSet::new(),
            started: 0,
            heard: Vec::new(),
            missing: BTreeMap::new(),
            lock_lost_at: u64::MAX,
            promised_until: BTreeMap::new(),
            running: BTreeMap::new(),
        }
    }

    /// Whether the others see it alive.
    pub fn seems_alive(&self, now: u64) -> bool {
        self.alive && now < self.lock_lost_at
    }

    /// It ends; its lock is free, and what it had in memory is gone.
    pub fn die(&mut self, starts_at: u64) {
        self.alive = false;
        self.starts_at = starts_at;
        self.paces.clear();
        self.missing.clear();
        self.promised_until.clear();
        self.lock_lost_at = u64::MAX;
        self.running.clear();
        self.heard.clear();
        self.driven.clear();
    }

    /// It starts, under another name.
    pub fn start(&mut self, number: usize, now: u64) {
        self.started = now;
        self.lives += 1;
        self.owner = Owner(format!("P{number}.{}", self.lives));
        self.alive = true;
        self.failed = false;
        self.learned_s = 0;
    }

    /// A call carries out this consume from now on.
    pub fn begins(&mut self, biz_id: &str) {
        *self.running.entry(biz_id.to_owned()).or_default() += 1;
    }

    /// It does not any more.
    pub fn ends(&mut self, biz_id: &str) {
        let Some(count) = self.running.get_mut(biz_id) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.running.remove(biz_id);
        }
    }

    /// The till's clock in milliseconds since 1970; it may be anything.
    pub fn wall_ms(&self, now: u64) -> i64 {
        i64::try_from(EPOCH_MS + now).unwrap_or(i64::MAX).saturating_add(self.wall_offset_ms)
    }

    /// As `GatewayClock::unix_seconds`.
    pub fn signing_seconds(&self, now: u64) -> u64 {
        u64::try_from(self.wall_ms(now).div_euclid(1000).saturating_add(self.learned_s)).unwrap_or(0)
    }

    /// As `GatewayClock::learn`, from the `Date` of an answer of this moment.
    pub fn learn(&mut self, now: u64) -> bool {
        let gateway = i64::try_from((EPOCH_MS + now) / 1000).unwrap_or(i64::MAX);
        let offset = gateway.saturating_sub(self.wall_ms(now).div_euclid(1000));
        let offset = if offset.abs() <= 2 { 0 } else { offset };
        let before = std::mem::replace(&mut self.learned_s, offset);
        before.saturating_sub(offset).abs() > 2
    }

    /// As `recovery::Inner::pace`: begun when it is first seen.
    pub fn pace(&mut self, biz_id: &str, reopened: u32, now: u64) -> &mut Pace {
        let wall = self.wall_ms(now);
        let pace = self.paces.entry(biz_id.to_owned()).or_insert_with(|| Pace::begin(now, wall, reopened));
        if pace.reopened < reopened {
            *pace = Pace::begin(now, wall, reopened);
            self.promised_until.remove(biz_id);
        }
        pace
    }
}

/// As `recovery::pace::Pace`; what a mutant counts by the wall clock stands beside it.
#[derive(Clone, Debug)]
pub struct Pace {
    since: u64,
    since_wall: i64,
    /// When it is tried again.
    pub due: u64,
    due_wall: i64,
    delay: u64,
    promised: bool,
    reopened: u32,
}

impl Pace {
    fn begin(now: u64, wall: i64, reopened: u32) -> Pace {
        Pace {
            since: now,
            since_wall: wall,
            due: now,
            due_wall: wall,
            delay: FIRST_DELAY_MS,
            promised: false,
            reopened,
        }
    }

    /// When the window for a late arrival is over.
    pub fn window_end(&self, late_ms: u64) -> u64 {
        self.since + late_ms
    }

    /// Whether the lost request can no longer arrive.
    pub fn late_window_over(&self, now: u64, late_ms: u64) -> bool {
        now.saturating_sub(self.since) >= late_ms
    }

    /// The same, also where only the wall clock says so: a mutant.
    pub fn late_window_over_by(&self, wall: i64, late_ms: u64) -> bool {
        wall.saturating_sub(self.since_wall) > i64::try_from(late_ms).unwrap_or(i64::MAX)
    }

    /// How long it is to wait, by the wall clock: a mutant.
    pub fn wait_by_wall(&self, wall: i64) -> u64 {
        u64::try_from(self.due_wall.saturating_sub(wall)).unwrap_or(0)
    }

    /// One more try has not settled it.
    pub fn tried(&mut self, random: &mut Random, now: u64, wall: i64, late_ms: u64, promised: bool) {
        let end = self.since + late_ms;
        let again = now + self.delay * random.range(80, 120) / 100;
        self.delay = (self.delay * 2).min(LONGEST_DELAY_MS);
        self.promised |= promised;
        self.due = match (end > now, self.promised) {
            (true, true) => end,
            (true, false) => again.min(end),
            (false, _) => again,
        };
        self.due_wall = wall.saturating_add(i64::try_from(self.due - now).unwrap_or(i64::MAX));
    }
}
