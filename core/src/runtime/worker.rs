//! Settling what is unsettled: intents whose owner died, and reversals until the gateway has answered them. One
//! thread, which sleeps while there is nothing that it can do; now and then it looks whether another process with
//! the same journal has died and left something.

use std::collections::{HashMap, HashSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::journal::{Guard, JournalError};
use crate::log::Level;
use crate::outcome::codes;
use crate::payment::Backoff;
use crate::payment::settle::{Asked, By, ask};
use crate::payment::{Confirmation, Entry, Key, Stage};
use crate::runtime::{Client, Shared};
use crate::world::{Signal, Worker};

/// The gateway takes ten requests a second (SEEN); the library's own work keeps below it.
const BETWEEN_SENDS: Duration = Duration::from_millis(110);

/// How often a process that has nothing to do looks whether another one has died and left something.
const SCAN_INTERVAL: Duration = Duration::from_secs(10);

/// How soon a journal that could not be read is read again, and another process's intents are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// See the module's words.
pub struct Recovery {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    clients: Arc<[Client]>,
    settings: Settings,
    state: Mutex<State>,
    changed: Box<dyn Signal>,
}

/// What the configuration says about it.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a lost request may still arrive at the gateway.
    pub late_arrival: Duration,
    /// How long after the start what an earlier process left unconfirmed is reversed.
    pub confirm_after: Duration,
    /// Whether the library settles by itself.
    pub background: bool,
}

#[derive(Default)]
struct State {
    backoffs: HashMap<Key, Backoff>,
    /// Since when an intent is among the unsettled. Only its turn hangs on that.
    intents: HashMap<Key, Instant>,
    /// The entries that a thread is at, so that a till's call waits for the background's try instead of answering
    /// that it is not done.
    in_progress: HashSet<Key>,
    thread: Option<Box<dyn Worker>>,
    working: bool,
    woken: bool,
    stopping: bool,
}

/// What one look at the journal came to.
#[derive(Debug, Default)]
pub struct Pass {
    /// How many entries reached a settled stage.
    pub settled: usize,
    /// When there is something to do again; `None` if nothing is left that can be done without a person.
    pub next: Option<Instant>,
}

impl Recovery {
    /// Prepares; nothing runs yet.
    pub fn new(shared: Arc<Shared>, clients: Arc<[Client]>, settings: Settings) -> Recovery {
        let changed = shared.world.signal();
        let inner = Inner { shared, clients, settings, state: Mutex::default(), changed };
        Recovery { inner: Arc::new(inner) }
    }

    /// Something may have become unsettled.
    pub fn wake(&self) {
        let inner = &self.inner;
        let mut state = inner.state();
        if state.stopping || !inner.settings.background {
            return;
        }
        state.woken = true;
        if state.working {
            drop(state);
            inner.changed.notify();
            return;
        }
        let worker = Arc::clone(inner);
        match inner.shared.world.spawn("zvpos-recovery", Box::new(move || worker.work())) {
            Ok(thread) => {
                state.working = true;
                state.thread = Some(thread);
            }
            // The next wake tries again, and zv_recover_json needs no thread.
            Err(error) => inner.shared.log.line(Level::Error, || format!("recovery has no thread: {error}")),
        }
    }

    /// Whether the library settles by itself.
    pub fn is_in_background(&self) -> bool {
        self.inner.settings.background
    }

    /// Does now what can be done now, whatever was waited for, until the deadline.
    pub fn pass(&self, deadline: Instant) -> Result<Pass, JournalError> {
        self.inner.pass(true, deadline)
    }

    /// Holds what was refused once against the configuration; nothing is sent.
    pub fn explain(&self, deadline: Instant) {
        self.inner.explain(deadline);
    }

    /// Sends the reversal of one entry now, and gives what stands then.
    pub fn drive(&self, client: &Client, entry: &Entry, deadline: Instant) -> Result<Entry, JournalError> {
        self.inner.drive(client, entry, deadline)
    }

    /// Whether the request of an entry may still be on its way to the gateway, as far as this process can know.
    pub fn may_arrive(&self, entry: &Entry) -> bool {
        let inner = &self.inner;
        let (backoff, now) = (inner.backoff(entry), inner.shared.world.now());
        !entry.detail().answered && !backoff.late_window_over(now, inner.settings.late_arrival)
    }

    /// Stops the thread; it ends after the request that it is at.
    pub fn stop(&self) {
        let mut state = self.inner.state();
        state.stopping = true;
        let thread = state.thread.take();
        drop(state);
        self.inner.changed.notify();
        if let Some(thread) = thread {
            thread.join();
        }
    }
}

/// An entry that this thread is at; until it is dropped, by a panic too.
struct InProgress<'i> {
    inner: &'i Inner,
    key: &'i Key,
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.inner.state().in_progress.remove(self.key);
        self.inner.changed.notify();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        self.shared.world.now()
    }

    fn work(&self) {
        loop {
            self.state().woken = false;
            let next_scan = self.now() + SCAN_INTERVAL;
            // The thread outlives a defect: nothing would begin another.
            let pass =
                panic::catch_unwind(AssertUnwindSafe(|| self.pass(false, self.now() + self.shared.total)))
                    .unwrap_or_else(|_| {
                        Err(JournalError::new(&codes::PANIC, "a defect was caught; see the log"))
                    });
            let next = match pass {
                Ok(pass) => pass.next.map_or(next_scan, |next| next.min(next_scan)),
                Err(error) => {
                    self.log_error(&error);
                    self.now() + LOOK_AGAIN
                }
            };
            loop {
                let seen = self.changed.count();
                let mut state = self.state();
                if state.stopping {
                    state.working = false;
                    return;
                }
                if state.woken || self.now() >= next {
                    break;
                }
                drop(state);
                self.changed.wait(seen, next);
            }
        }
    }

    /// Looks at every unsettled entry once. `all` does not wait for any entry's turn.
    fn pass(&self, all: bool, deadline: Instant) -> Result<Pass, JournalError> {
        let mut pass = Pass::default();
        let call_deadline = || {
            let own = self.now() + self.shared.total;
            if all { own.min(deadline) } else { own }
        };
        let no_time = || self.state().stopping || self.now() >= deadline;
        self.shared.open_again(deadline);
        let unconfirmed = self.reverse_unconfirmed(call_deadline, no_time);
        let mut soonest = |at: Instant| pass.next = Some(pass.next.map_or(at, |next| next.min(at)));
        let unsettled = self.shared.journal.unsettled()?.into_iter();
        let mut unsettled: Vec<_> = unsettled.map(|entry| (self.due(&entry), entry)).collect();
        let sending = unsettled.iter().filter(|(_, entry)| entry.stage() == Stage::Sending);
        let intents: HashSet<&Key> = sending.map(|(_, entry)| entry.key()).collect();
        self.state().intents.retain(|key, _| intents.contains(key));
        // Whoever has waited longest for his turn comes first, so that what always hangs keeps nothing else waiting.
        unsettled.sort_by_key(|(due, _)| *due);
        let mut settled = 0;
        for (_, mut entry) in unsettled {
            if no_time() {
                soonest(self.now());
                break;
            }
            if entry.stage() == Stage::Sending {
                if self.shared.journal.may_be_running(&entry) {
                    if entry.owner() != self.shared.journal.owner() {
                        soonest(self.now() + LOOK_AGAIN);
                    }
                    continue;
                }
                // One that cannot be recorded now has its next turn behind the others.
                self.state().intents.remove(entry.key());
                entry = match self.shared.mark_abandoned(&entry, call_deadline()) {
                    Ok(entry) => entry,
                    Err(error) => {
                        self.log_error(&error);
                        soonest(self.now() + LOOK_AGAIN);
                        continue;
                    }
                };
            }
            let Some(client) = self.clients.iter().find(|client| client.owns(entry.key())) else { continue };
            match client.explain(&entry, call_deadline()) {
                Ok(None) => {}
                Ok(Some(_)) => {
                    settled += 1;
                    continue;
                }
                Err(error) => self.log_error(&error),
            }
            let reversing = entry.stage() == Stage::Reversing && client.can_reverse();
            if !reversing && !client.has_evidence_for(&entry) {
                continue;
            }
            let due = self.backoff(&entry).due();
            if !all && due > self.now() {
                soonest(due);
                continue;
            }
            match self.drive(client, &entry, call_deadline()) {
                Ok(stands) if goes_on(&stands) => soonest(self.backoff(&stands).due()),
                Ok(_) => settled += 1,
                // One entry that cannot be recorded keeps no other from being sent.
                Err(error) => {
                    self.log_error(&error);
                    soonest(self.now() + LOOK_AGAIN);
                }
            }
            self.shared.world.sleep(BETWEEN_SENDS);
        }
        if let Some(due) = unconfirmed {
            soonest(due);
        }
        pass.settled = settled;
        Ok(pass)
    }

    /// Has what an earlier process left unconfirmed reversed, once its time is over; says when that is.
    fn reverse_unconfirmed(
        &self,
        call_deadline: impl Fn() -> Instant,
        no_time: impl Fn() -> bool,
    ) -> Option<Instant> {
        let journal = &self.shared.journal;
        let mut soonest: Option<Instant> = None;
        for entry in journal.unfinished().unwrap_or_default() {
            let awaited = entry.detail().confirmation == Confirmation::Awaited;
            if !awaited || journal.is_alive(entry.owner()) {
                continue;
            }
            let Some(client) = self.clients.iter().find(|client| client.owns(entry.key())) else { continue };
            // Counted from when its process was first seen dead.
            let due = self.backoff(&entry).since() + self.settings.confirm_after;
            if self.now() < due || no_time() {
                soonest = Some(soonest.map_or(due, |soonest| soonest.min(due)));
            } else if let Asked::Record(record) = ask(&entry, None, client.can_reverse(), By::Itself) {
                let record = client.dated(record);
                // Over the very revision that is unconfirmed: a confirmation that comes now wins or loses, never both.
                if let Err(error) = journal.record(&record, Guard::Off, call_deadline()) {
                    self.log_error(&error);
                }
            }
        }
        soonest
    }

    /// Holds the codes that were refused once against the configuration of today.
    fn explain(&self, until: Instant) {
        let journal = &self.shared.journal;
        let mut entries = journal.unsettled().unwrap_or_default();
        // Refused, a refund leaves the sale settled.
        if self.clients.iter().any(Client::explains_refusals) {
            entries.extend(journal.refused_refunds().unwrap_or_default());
        }
        for entry in entries {
            let Some(client) = self.clients.iter().find(|client| client.owns(entry.key())) else { continue };
            match client.explain(&entry, until) {
                Ok(None) => {}
                Ok(Some(stands)) => self.shared.log.line(Level::Info, || {
                    let said = stands.detail().reversal.last.clone().unwrap_or_default();
                    format!("{}: {} is explained by the configuration", stands.key().biz_id, said.code)
                }),
                Err(error) => self.log_error(&error),
            }
        }
    }

    fn log_error(&self, error: &JournalError) {
        self.shared.log.line(Level::Error, || format!("recovery: {} {error}", error.code.text));
    }

    fn drive(&self, client: &Client, entry: &Entry, deadline: Instant) -> Result<Entry, JournalError> {
        let mut waited = false;
        loop {
            let seen = self.changed.count();
            if self.state().in_progress.insert(entry.key().clone()) {
                break;
            }
            waited = true;
            if self.now() >= deadline {
                return Ok(entry.clone());
            }
            self.changed.wait(seen, deadline);
        }
        let _in_progress = InProgress { inner: self, key: entry.key() };
        let found = if waited { self.shared.journal.find(entry.key())? } else { None };
        match found {
            // Another thread has tried just now, and its answer is as good as one of this thread's.
            Some(entry) if !goes_on(&entry) || self.backoff(&entry).due() > self.now() => Ok(entry),
            found => self.drive_alone(client, found.as_ref().unwrap_or(entry), deadline),
        }
    }

    fn drive_alone(&self, client: &Client, entry: &Entry, deadline: Instant) -> Result<Entry, JournalError> {
        let over = self.backoff(entry).late_window_over(self.now(), self.settings.late_arrival);
        let stands = match entry.stage() {
            Stage::Unknown | Stage::Unproven => client.drive_evidence(entry, over, deadline)?,
            _ => client.drive_reversal(entry, over, deadline)?,
        };
        if goes_on(&stands) {
            let random = self.shared.world.random().unwrap_or_default();
            let (now, late_arrival) = (self.now(), self.settings.late_arrival);
            self.with_backoff(&stands, |backoff| {
                backoff.tried(now, late_arrival, stands.is_promised(), random);
            });
        } else {
            self.state().backoffs.remove(stands.key());
        }
        Ok(stands)
    }

    /// When it is an entry's turn. The backoff of each begins when it is first seen, also of those that only a person can
    /// settle; but not of one that may be running: it may end well and be tried again much later, and the window for
    /// that try's late arrival begins with that try.
    fn due(&self, entry: &Entry) -> Instant {
        match entry.stage() {
            Stage::Sending => {
                let now = self.now();
                *self.state().intents.entry(entry.key().clone()).or_insert(now)
            }
            _ => self.backoff(entry).due(),
        }
    }

    /// The backoff of an entry, begun when it is first seen, and anew when it was re-opened.
    fn backoff(&self, entry: &Entry) -> Backoff {
        self.with_backoff(entry, |backoff| backoff.clone())
    }

    fn with_backoff<T>(&self, entry: &Entry, f: impl FnOnce(&mut Backoff) -> T) -> T {
        let now = self.now();
        let mut state = self.state();
        let reopened = entry.detail().reopened;
        let backoff =
            state.backoffs.entry(entry.key().clone()).or_insert_with(|| Backoff::begin(now, reopened));
        // An older record that another thread still has at hand changes nothing.
        if backoff.reopened() < reopened {
            *backoff = Backoff::begin(now, reopened);
        }
        f(backoff)
    }
}

/// Whether something about an entry can still be asked of the gateway.
fn goes_on(stands: &Entry) -> bool {
    matches!(stands.stage(), Stage::Reversing | Stage::Unknown) || stands.promise_refused()
}
