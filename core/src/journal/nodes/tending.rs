//! What a node does at every beat: it says that it lives, observes the others, compares what was acknowledged to it with
//! the database, takes the role of the settler where it is free, and records what its calls have left.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::database::{Database, Failure, Membership, Role, Write};
use super::lease::Observer;
use super::witness::is_kept;
use super::{Nodes, Present, lock};
use crate::calendar::DAY_MS;
use crate::journal::{Guard, JournalError};
use crate::payment::{Entry, Key};

/// How often old details are looked for.
const RETIRE: Duration = Duration::from_hours(1);

/// How many entries lose their details at a time.
const MOST_RETIRED: usize = 200;

impl<D: Database> Nodes<D> {
    /// One beat. It is called by one thread every [`LeaseSettings::beat`](super::LeaseSettings::beat); what fails is done by
    /// the next one.
    pub fn beat(&self) -> Result<(), JournalError> {
        // A node that has seen a loss leaves the settling to others.
        self.not_stopped().inspect_err(|_| self.settles.store(false, Ordering::Release))?;
        let mut observer = lock(&self.beating);
        let until = self.database.now() + self.settings.lease.beat * 2;
        let tended = self.tend(&mut observer, until);
        drop(observer);
        tended?;
        self.finish_left(until)?;
        self.write_acknowledged(until).map_err(|failure| self.explain(failure))
    }

    fn tend(&self, observer: &mut Observer, until: Instant) -> Result<(), JournalError> {
        let explain = |failure| self.explain(failure);
        if !self.renew(until)? {
            let name = (self.settings.name)(self.database.token());
            self.database.join(&name, until).map_err(explain)?;
            let mut present = lock(&self.present);
            self.names.change(name);
            *present = Present::default();
            drop(present);
            self.settles.store(false, Ordering::Release);
            self.renew(until)?;
        }
        self.database.hold(self.names.present());
        let began = self.database.uptime();
        let mut seen = self.database.nodes(until).map_err(explain)?;
        for node in &mut seen.nodes {
            // Nobody need wait for the lease of a process that has ended.
            if !node.dead && !self.names.has(&node.owner) && self.database.has_ended(&node.owner) {
                self.database.bury(&node.owner, Some(node.beat), until).map_err(explain)?;
                let stands = self.database.node(&node.owner, until).map_err(explain)?;
                node.dead = stands.is_none_or(|stands| stands.dead);
            }
        }
        let silent = observer.read(&seen.nodes, began, self.database.uptime(), &self.settings.lease);
        for other in silent.iter().filter(|other| !self.names.has(&other.owner)) {
            self.database.bury(&other.owner, Some(other.beat), until).map_err(explain)?;
        }
        self.compare(until)?;
        self.take_role(&seen, until).map_err(explain)
    }

    /// Says that this node lives; `false` if it was declared dead.
    fn renew(&self, until: Instant) -> Result<bool, JournalError> {
        // The lease counts from before the number was drawn: a higher one that is written first hides this one from the others,
        // and was drawn later.
        let sent = self.database.uptime();
        let (owner, number) = self.next_beat();
        let before = self.database.beat(owner, number, until).map_err(|failure| self.explain(failure))?;
        let Some(before) = before else { return Ok(false) };
        let mut present = lock(&self.present);
        if before < present.beat {
            drop(present);
            return Err(self.behind("a beat of this node is gone"));
        }
        present.lease.renewed(sent, &self.settings.lease);
        present.beat = number;
        Ok(true)
    }

    /// Compares what was acknowledged to this node with the database.
    fn compare(&self, until: Instant) -> Result<(), JournalError> {
        let acknowledged = lock(&self.witness).all();
        for some in acknowledged.chunks(super::PAGE) {
            let keys: Vec<Key> = some.iter().map(|(key, _)| key.clone()).collect();
            let found = self.database.standing(&keys, until).map_err(|failure| self.explain(failure))?;
            for (key, record) in some {
                let standing = found.iter().find(|standing| standing.entry.key() == key);
                if !is_kept(*record, standing) {
                    return Err(self.behind(&format!("bizId {}", key.biz_id)));
                }
            }
            lock(&self.witness).compared(some, |key| self.in_flight.contain(key));
        }
        Ok(())
    }

    /// Takes the role of the settler if nobody has it who lives.
    fn take_role(&self, seen: &Membership, until: Instant) -> Result<(), Failure> {
        let present = self.names.present();
        let is_dead = |role: &Role| !seen.nodes.iter().any(|node| node.owner == role.owner && !node.dead);
        let settles = match &seen.role {
            Some(role) if role.owner == *present => true,
            Some(role) if !is_dead(role) => false,
            role => {
                let is_taken = self.database.claim(present, role.as_ref(), until)?;
                if is_taken {
                    self.database.forget(until)?;
                }
                is_taken
            }
        };
        self.settles.store(settles, Ordering::Release);
        Ok(())
    }

    /// Writes which successes the till has read.
    pub(super) fn write_acknowledged(&self, until: Instant) -> Result<(), Failure> {
        let keys = std::mem::take(&mut *lock(&self.acknowledged));
        if keys.is_empty() {
            return Ok(());
        }
        let written = self.repeated(until, |until| {
            let standing = self.database.standing(&keys, until)?;
            let records: Vec<_> = standing
                .iter()
                .filter_map(|standing| Some((standing.entry.acknowledged()?, self.database.token())))
                .collect();
            if records.is_empty() { Ok(()) } else { self.database.acknowledge(&records, until) }
        });
        if written.is_err() {
            lock(&self.acknowledged).extend(keys);
        }
        written
    }

    pub(super) fn is_retirement_due(&self) -> bool {
        use crate::journal::Liveness;
        let now = self.database.uptime();
        let last = Duration::from_millis(self.retired_ms.load(Ordering::Acquire));
        self.settles_for_others() && (last.is_zero() || now.saturating_sub(last) > RETIRE)
    }

    /// Drops the details of what was settled long ago. A clock that jumps must drop nothing, so it is not enough that they
    /// look old: as many days with sales must have followed.
    pub(super) fn retire(&self, until: Instant) -> Result<(), JournalError> {
        let explain = |failure| self.explain(failure);
        let now = u64::try_from(self.database.uptime().as_millis()).unwrap_or(u64::MAX).max(1);
        self.retired_ms.store(now, Ordering::Release);
        let Some(newest) = self.database.newest_unix_ms(until).map_err(explain)? else { return Ok(()) };
        let days = self.settings.retention_days;
        // A sale from a time when the clock was ahead makes no other one old.
        let before = newest.min((self.settings.unix_ms)()).saturating_sub(days.saturating_mul(DAY_MS));
        let old = self.database.settled_before(before, days / 2, MOST_RETIRED, until).map_err(explain)?;
        let records: Vec<Entry> =
            old.iter().filter(|entry| entry.is_old(before)).filter_map(Entry::retired).collect();
        if records.len() == MOST_RETIRED {
            // The next pass goes on.
            self.retired_ms.store(0, Ordering::Release);
        }
        for record in &records {
            let write = Write { entry: record, token: self.database.token(), guard: Guard::Off, by: None };
            self.write_until(&write, &mut false, until)?;
        }
        Ok(())
    }
}
