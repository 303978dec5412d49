//! What the background thread does about each unsettled entry, and when: pure, with the time as an argument. All times
//! are monotonic, so a clock that jumps delays nothing. After a restart every entry is due at once, and the
//! late-arrival windows begin again.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::reversal::{By, Requested, request};
use super::{Confirmation, Entry, Key, Stage};

/// The gateway accepts ten requests a second (docs/gateway.md, section 2); the library's own work stays below that
/// rate.
pub(crate) const BETWEEN_SENDS: Duration = Duration::from_millis(110);

/// How often an idle process scans the journal for entries that a dead process has left.
const SCAN_INTERVAL: Duration = Duration::from_secs(10);

/// How soon a journal that could not be read is read again, and an intent of another process is examined.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// The times that the configuration sets.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleSettings {
    /// How long a lost request may still arrive at the gateway.
    pub late_arrival: Duration,
    /// How long after the start a success that an earlier process left unconfirmed is reversed.
    pub confirm_after: Duration,
}

/// When each unsettled entry of the journal is due in this process.
#[derive(Clone, Debug)]
pub struct Schedule {
    settings: ScheduleSettings,
    backoffs: HashMap<Key, Backoff>,
    /// When each intent was first seen among the unsettled entries. It determines only the order of the entries.
    intents: HashMap<Key, Instant>,
}

/// The facts that decide about an entry, besides its own record.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Facts {
    /// The attempt may still be running, in this process or in another one.
    pub may_be_running: bool,
    /// This process recorded the entry.
    pub is_own: bool,
    /// A configured account owns the entry.
    pub has_account: bool,
    /// That account has a reverse route.
    pub can_reverse: bool,
    /// The account's gateway keeps records that can be evidence about the entry.
    pub has_evidence: bool,
}

/// What is done about an entry now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Nothing, until another event wakes the background thread: a person must decide, or a call of this process is
    /// running.
    Leave,
    /// Nothing before that time.
    Wait(Instant),
    /// The attempt has ended without an outcome: record that.
    MarkAbandoned,
    /// Send the reversal, or ask the gateway's records about the entry.
    Drive,
}

impl Schedule {
    /// A schedule that has seen no entry.
    pub fn new(settings: ScheduleSettings) -> Schedule {
        Schedule { settings, backoffs: HashMap::new(), intents: HashMap::new() }
    }

    /// The entries in the order in which they are due: most overdue first, so that an entry that always times out
    /// cannot starve the rest.
    pub(crate) fn order(&mut self, entries: Vec<Entry>, now: Instant) -> Vec<Entry> {
        let mut entries: Vec<_> = entries.into_iter().map(|entry| (self.turn(&entry, now), entry)).collect();
        entries.sort_by_key(|(turn, _)| *turn);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Notes that these are all the intents of the journal: the others have ended.
    pub(crate) fn scanned(&mut self, intents: &HashSet<Key>) {
        self.intents.retain(|key, _| intents.contains(key));
    }

    /// Notes that an unsettled entry was seen: its late-arrival window begins no later than now.
    pub(crate) fn see(&mut self, entry: &Entry, now: Instant) {
        if entry.stage().is_unsettled() && entry.stage() != Stage::Sending {
            self.backoff(entry, now);
        }
    }

    /// When an entry is due. A backoff begins when its entry is first seen, even if only a person can settle the entry;
    /// but not while the attempt may be running: the attempt may end with an outcome and be retried much later, and the
    /// window for a late arrival begins with that retry.
    fn turn(&mut self, entry: &Entry, now: Instant) -> Instant {
        match entry.stage() {
            Stage::Sending => *self.intents.entry(entry.key().clone()).or_insert(now),
            _ => self.backoff(entry, now).due(),
        }
    }

    /// What is done about an unsettled entry. With `at_once` the entry need not be due.
    pub fn task(&mut self, entry: &Entry, facts: Facts, at_once: bool, now: Instant) -> Task {
        match entry.stage() {
            Stage::Sending if !facts.may_be_running => {
                // If that cannot be recorded now, the entry is next due after the others.
                self.intents.remove(entry.key());
                Task::MarkAbandoned
            }
            // A call of this process wakes the background thread when the call ends.
            Stage::Sending if facts.is_own => Task::Leave,
            Stage::Sending => Task::Wait(now + RETRY_INTERVAL),
            _ if !facts.has_account => Task::Leave,
            Stage::Reversing if !facts.can_reverse && !facts.has_evidence => Task::Leave,
            stage if stage != Stage::Reversing && !facts.has_evidence => Task::Leave,
            _ => {
                let due = self.backoff(entry, now).due();
                if at_once || due <= now { Task::Drive } else { Task::Wait(due) }
            }
        }
    }

    /// What is done about a success that the till has not confirmed. The time counts from when this process first saw
    /// that the process of the entry is dead.
    pub(crate) fn unconfirmed(
        &mut self,
        entry: &Entry,
        owner_lives: bool,
        can_reverse: bool,
        now: Instant,
    ) -> Unconfirmed {
        if entry.detail().confirmation != Confirmation::Awaited || owner_lives {
            return Unconfirmed::Leave;
        }
        let due = self.backoff(entry, now).since() + self.settings.confirm_after;
        if now < due {
            return Unconfirmed::Wait(due);
        }
        match request(entry, None, can_reverse, By::Library) {
            Requested::Record(record) => Unconfirmed::Reverse(record),
            Requested::InProgress | Requested::AlreadyReversed | Requested::Impossible => Unconfirmed::Leave,
        }
    }

    /// What a thread does that has waited for another thread's try of this entry: the other thread's answer is as good
    /// as its own.
    pub(crate) fn after_another_try(&mut self, entry: &Entry, now: Instant) -> Another {
        if !goes_on(entry) {
            return Another::Enough(None);
        }
        let due = self.backoff(entry, now).due();
        if due > now { Another::Enough(Some(due)) } else { Another::Due }
    }

    /// Notes the record after a try. Returns when the entry is tried again; `None` if the gateway cannot be asked
    /// anything more.
    pub(crate) fn tried(&mut self, stands: &Entry, random: u32, now: Instant) -> Option<Instant> {
        if !goes_on(stands) {
            self.backoffs.remove(stands.key());
            // A reversal that a till requests again is tried until a new window is over, which begins now.
            self.see(stands, now);
            return None;
        }
        let late_arrival = self.settings.late_arrival;
        let backoff = self.backoff(stands, now);
        backoff.tried(now, late_arrival, stands.is_promised(), random);
        Some(backoff.due())
    }

    /// Whether the lost request of an entry can no longer arrive at the gateway.
    pub(crate) fn late_window_over(&mut self, entry: &Entry, now: Instant) -> bool {
        let late_arrival = self.settings.late_arrival;
        self.backoff(entry, now).late_window_over(now, late_arrival)
    }

    /// The backoff of an entry. It begins when the entry is first seen, and again when the entry was re-opened.
    fn backoff(&mut self, entry: &Entry, now: Instant) -> &mut Backoff {
        let reopened = entry.detail().reopened;
        let backoff =
            self.backoffs.entry(entry.key().clone()).or_insert_with(|| Backoff::begin(now, reopened));
        // An older record that another thread still holds changes nothing.
        if backoff.reopened() < reopened {
            *backoff = Backoff::begin(now, reopened);
        }
        backoff
    }
}

/// What is left to do after another thread's try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Another {
    /// Nothing before that time; with `None`, nothing at all.
    Enough(Option<Instant>),
    /// A try of its own.
    Due,
}

/// What is done about a success that the till has not confirmed.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one lives at a time, on the stack")]
pub(crate) enum Unconfirmed {
    /// Nothing.
    Leave,
    /// Nothing before that time.
    Wait(Instant),
    /// Record this over exactly the unconfirmed revision: of this record and a simultaneous confirmation only one
    /// succeeds.
    Reverse(Entry),
}

/// When the journal is scanned next: `next` is when an entry is due, or `Err` if the scan failed.
pub(crate) fn next_look(began: Instant, next: Result<Option<Instant>, ()>, now: Instant) -> Instant {
    let scan = began + SCAN_INTERVAL;
    match next {
        Ok(next) => next.map_or(scan, |next| next.min(scan)),
        Err(()) => now + RETRY_INTERVAL,
    }
}

/// When an entry that could not be recorded is tried again.
pub(crate) fn retry_at(now: Instant) -> Instant {
    now + RETRY_INTERVAL
}

/// Whether the gateway can still be asked something about an entry.
fn goes_on(stands: &Entry) -> bool {
    matches!(stands.stage(), Stage::Reversing | Stage::Unknown) || stands.promise_refused()
}

#[cfg(test)]
mod tests;
