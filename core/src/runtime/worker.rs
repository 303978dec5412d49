//! Settles unsettled entries: intents whose owner died, and reversals until the gateway has answered them. One thread
//! does this; it sleeps while it can do nothing, and scans the journal at intervals for entries that another process
//! has left when it died. While a sale has begun and its payment has not, the same thread keeps a connection open.

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;

use crate::journal::{Guard, Journal, JournalError};
use crate::log::Level;
use crate::outcome::codes;
use crate::payment::schedule::{
    Another, BETWEEN_SENDS, Facts, Schedule, ScheduleSettings, Task, Unconfirmed, next_look, retry_at,
};
use crate::payment::{Entry, Key, Stage};
use crate::runtime::{Client, Shared};
use crate::world::{Signal, Worker};

/// The recovery of all accounts, and the handle of its background thread.
pub struct Recovery {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    clients: Arc<[Client]>,
    background: bool,
    /// How long a connection is kept open for a payment.
    warm: Duration,
    state: Mutex<WorkerState>,
    changed: Box<dyn Signal>,
    /// The codes of earlier refusals were compared with the configuration.
    explained: AtomicBool,
}

struct WorkerState {
    schedule: Schedule,
    /// The entries that a thread is driving, so that a till's call waits for the background thread's try instead of
    /// answering that the entry is not settled.
    in_progress: HashSet<Key>,
    /// The last entry of the page in which a pass ran out of time.
    resume_after: Option<Entry>,
    /// The gateways to which a connection is kept open.
    warm: Vec<Warm>,
    thread: Option<Box<dyn Worker>>,
    working: bool,
    woken: bool,
    stopping: bool,
}

/// A gateway to which an unused connection is kept open.
struct Warm {
    url: Uri,
    /// When that ends.
    until: Instant,
    /// When it is looked at again.
    next: Instant,
}

/// The result of one scan of the journal.
#[derive(Debug, Default)]
pub struct Pass {
    /// How many entries reached a settled stage.
    pub settled: usize,
    /// When there is work again; `None` if a person must do all that is left.
    pub next: Option<Instant>,
}

impl Recovery {
    /// Creates the recovery; no thread runs yet.
    pub fn new(
        shared: Arc<Shared>,
        clients: Arc<[Client]>,
        settings: ScheduleSettings,
        background: bool,
        warm: Duration,
    ) -> Recovery {
        let changed = shared.world.signal();
        let state = WorkerState {
            schedule: Schedule::new(settings),
            in_progress: HashSet::new(),
            resume_after: None,
            warm: Vec::new(),
            thread: None,
            working: false,
            woken: false,
            stopping: false,
        };
        let inner = Inner {
            shared,
            clients,
            background,
            warm,
            state: Mutex::new(state),
            changed,
            explained: AtomicBool::new(false),
        };
        Recovery { inner: Arc::new(inner) }
    }

    /// Wakes the thread: an entry may have become unsettled.
    pub fn wake(&self) {
        let inner = &self.inner;
        let mut state = inner.state();
        if state.stopping || !inner.background {
            return;
        }
        state.woken = true;
        self.wake_thread(state);
    }

    /// A sale has begun: for a while an unused connection to this gateway is kept open for its payment.
    pub fn keep_warm(&self, url: &Uri) {
        let inner = &self.inner;
        if inner.warm.is_zero() {
            return;
        }
        let now = inner.now();
        let until = now + inner.warm;
        let mut state = inner.state();
        if state.stopping {
            return;
        }
        if let Some(known) = state.warm.iter_mut().find(|warm| warm.url == *url) {
            // The thread looks at it again by itself.
            known.until = until;
            return;
        }
        state.warm.push(Warm { url: url.clone(), until, next: now });
        self.wake_thread(state);
    }

    /// The payment has come: no connection to this gateway is kept open for it any longer.
    pub fn let_cool(&self, url: &Uri) {
        self.inner.state().warm.retain(|warm| warm.url != *url);
    }

    /// Wakes the thread, or starts it.
    fn wake_thread(&self, mut state: MutexGuard<'_, WorkerState>) {
        let inner = &self.inner;
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

    /// Whether the library settles entries in the background.
    pub fn is_in_background(&self) -> bool {
        self.inner.background
    }

    /// Does the possible work now, whatever is due later, until the deadline.
    pub fn pass(&self, deadline: Instant) -> Result<Pass, JournalError> {
        self.inner.pass(true, deadline)
    }

    /// Compares the codes of earlier refusals with the configuration; nothing is sent.
    pub fn explain(&self, deadline: Instant) {
        self.inner.explain(deadline);
    }

    /// Sends the reversal of one entry now, and returns the record after that.
    pub fn drive(&self, client: &Client, entry: &Entry, deadline: Instant) -> Result<Entry, JournalError> {
        self.inner.drive(client, entry, deadline).map(|(stands, _)| stands)
    }

    /// Whether the request of an entry may still be on its way to the gateway, as far as this process knows.
    pub fn may_arrive(&self, entry: &Entry) -> bool {
        let inner = &self.inner;
        let now = inner.now();
        !entry.detail().answered && !inner.state().schedule.late_window_over(entry, now)
    }

    /// Stops the thread, which ends after its current request.
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

/// An entry that this thread is driving; until the value is dropped, by a panic too.
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
    fn state(&self) -> MutexGuard<'_, WorkerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        self.shared.world.now()
    }

    fn work(&self) {
        loop {
            self.state().woken = false;
            let began = self.now();
            // The thread survives a panic: nothing would start another thread.
            let pass =
                panic::catch_unwind(AssertUnwindSafe(|| self.pass(false, self.now() + self.shared.total)))
                    .unwrap_or_else(|_| {
                        Err(JournalError::new(&codes::PANIC, "a defect was caught; see the log"))
                    });
            let next = pass.map(|pass| pass.next).map_err(|error| self.log_error(&error));
            if let Err(error) = self.shared.journal.care(self.now() + self.shared.total) {
                self.log_error(&error);
            }
            let next = next_look(began, next, self.now());
            loop {
                let seen = self.changed.count();
                let mut state = self.state();
                if state.stopping {
                    state.working = false;
                    return;
                }
                let now = self.now();
                if state.woken || now >= next {
                    break;
                }
                state.warm.retain(|warm| warm.until > now);
                let due = state.warm.iter().find(|warm| warm.next <= now).map(|warm| warm.url.clone());
                let look = state.warm.iter().map(|warm| warm.next).fold(next, Instant::min);
                drop(state);
                match due {
                    Some(url) => self.warm_up(&url),
                    None => self.changed.wait(seen, look),
                }
            }
        }
    }

    /// Sees to it that a connection to this gateway is open, and notes when that is done again.
    fn warm_up(&self, url: &Uri) {
        // The thread survives a panic; this gateway is then not warmed any longer.
        let again = panic::catch_unwind(AssertUnwindSafe(|| self.shared.world.keep_warm(url)));
        let now = self.now();
        let mut state = self.state();
        match again {
            Ok(after) => {
                for warm in state.warm.iter_mut().filter(|warm| warm.url == *url) {
                    warm.next = now + after;
                }
            }
            Err(_) => state.warm.retain(|warm| warm.url != *url),
        }
    }

    /// Examines every entry that may be due once. With `at_once` no entry need be due.
    fn pass(&self, at_once: bool, deadline: Instant) -> Result<Pass, JournalError> {
        let mut pass = Pass::default();
        self.shared.open_again(deadline);
        // A journal that was locked or full at the start.
        if !self.explained.load(Ordering::Acquire) {
            self.explain(deadline);
        }
        self.reverse_unconfirmed(&mut pass, at_once, deadline);
        // After a pass that ran out of time the next one begins behind the page of that one, and then goes around: no
        // entry waits forever behind a page of slow ones.
        let mut after = self.state().resume_after.take();
        let mut goes_around = after.is_some();
        let (mut sending, mut examined) = (HashSet::new(), HashSet::new());
        loop {
            let page = self.shared.journal.due(after.as_ref())?;
            let next = page.last().filter(|_| !Journal::is_last(&page)).cloned();
            sending
                .extend(page.iter().filter(|entry| entry.stage() == Stage::Sending).map(|e| e.key().clone()));
            let now = self.now();
            let page = self.state().schedule.order(page, now);
            let mut is_untouched = true;
            for entry in page {
                if examined.contains(entry.key()) {
                    continue;
                }
                if self.has_no_time(deadline) {
                    self.state().resume_after = if is_untouched { after } else { next };
                    pass.again_at(self.now());
                    return Ok(pass);
                }
                is_untouched = false;
                examined.insert(entry.key().clone());
                // An entry that cannot be recorded does not keep the others from being sent.
                if let Err(error) = self.look_at(entry, &mut pass, at_once, deadline) {
                    self.log_error(&error);
                    pass.again_at(retry_at(self.now()));
                }
            }
            if next.is_none() && !std::mem::take(&mut goes_around) {
                break;
            }
            after = next;
        }
        self.state().schedule.scanned(&sending);
        Ok(pass)
    }

    fn has_no_time(&self, deadline: Instant) -> bool {
        self.state().stopping || self.now() >= deadline
    }

    /// The time limit for one entry of a pass.
    fn call_deadline(&self, at_once: bool, deadline: Instant) -> Instant {
        let own = self.now() + self.shared.total;
        if at_once { own.min(deadline) } else { own }
    }

    /// Does the work that is due for one unsettled entry.
    fn look_at(
        &self,
        mut entry: Entry,
        pass: &mut Pass,
        at_once: bool,
        deadline: Instant,
    ) -> Result<(), JournalError> {
        let mut task = self.task(&entry, at_once);
        if task == Task::MarkAbandoned {
            entry = self.shared.mark_abandoned(&entry, self.call_deadline(at_once, deadline))?;
            task = self.task(&entry, at_once);
        }
        let Some(client) = self.client_of(&entry) else { return Ok(()) };
        if entry.stage() != Stage::Sending {
            match client.explain(&entry, self.call_deadline(at_once, deadline)) {
                Ok(None) => {}
                Ok(Some(_)) => {
                    pass.settled += 1;
                    return Ok(());
                }
                Err(error) => self.log_error(&error),
            }
        }
        match task {
            Task::Leave | Task::MarkAbandoned => {}
            Task::Wait(due) => pass.again_at(due),
            Task::Drive => {
                let driven = self.drive(client, &entry, self.call_deadline(at_once, deadline));
                self.shared.world.sleep(BETWEEN_SENDS);
                match driven?.1 {
                    Some(due) => pass.again_at(due),
                    None => pass.settled += 1,
                }
            }
        }
        Ok(())
    }

    fn client_of(&self, entry: &Entry) -> Option<&Client> {
        self.clients.iter().find(|client| client.owns(entry.key()))
    }

    fn task(&self, entry: &Entry, at_once: bool) -> Task {
        let (client, journal) = (self.client_of(entry), &self.shared.journal);
        let facts = Facts {
            may_be_running: entry.stage() == Stage::Sending && journal.may_be_running(entry),
            is_own: entry.owner() == journal.owner(),
            has_account: client.is_some(),
            can_reverse: client.is_some_and(Client::can_reverse),
            has_evidence: client.is_some_and(|client| client.has_evidence_for(entry)),
        };
        let now = self.now();
        self.state().schedule.task(entry, facts, at_once, now)
    }

    /// Reverses the successes that an earlier process left unconfirmed, once their time is over.
    fn reverse_unconfirmed(&self, pass: &mut Pass, at_once: bool, deadline: Instant) {
        let journal = &self.shared.journal;
        if !journal.settles_for_others() {
            return;
        }
        for entry in journal.unfinished().unwrap_or_default() {
            let Some(client) = self.client_of(&entry) else { continue };
            let (lives, now) = (journal.is_alive(entry.owner()), self.now());
            let todo = self.state().schedule.unconfirmed(&entry, lives, client.can_reverse(), now);
            match todo {
                Unconfirmed::Leave => {}
                Unconfirmed::Wait(due) => pass.again_at(due),
                Unconfirmed::Reverse(_) if self.has_no_time(deadline) => pass.again_at(self.now()),
                Unconfirmed::Reverse(record) => {
                    let (record, until) = (client.dated(record), self.call_deadline(at_once, deadline));
                    if let Err(error) = journal.record(&record, Guard::Off, until) {
                        self.log_error(&error);
                    }
                }
            }
        }
    }

    /// Compares the codes of earlier refusals with the current configuration. What fails is done again by the next pass.
    fn explain(&self, until: Instant) {
        // Until the journal opens, every use of it says why it is not open.
        let Ok(entries) = self.refusals() else { return };
        let mut is_whole = true;
        for entry in entries {
            let Some(client) = self.clients.iter().find(|client| client.owns(entry.key())) else { continue };
            let now = self.now();
            self.state().schedule.see(&entry, now);
            // A record waits a moment even if the time is over.
            if now >= until {
                is_whole = false;
                continue;
            }
            match client.explain(&entry, until) {
                Ok(None) => {}
                Ok(Some(stands)) => self.shared.log.line(Level::Info, || {
                    let said = stands.detail().reversal.last.clone().unwrap_or_default();
                    format!("{}: {} is explained by the configuration", stands.key().biz_id, said.code)
                }),
                Err(error) => {
                    self.log_error(&error);
                    is_whole = false;
                }
            }
        }
        self.explained.store(is_whole, Ordering::Release);
    }

    /// The entries that may be refused.
    fn refusals(&self) -> Result<Vec<Entry>, JournalError> {
        let journal = &self.shared.journal;
        let mut entries = journal.unsettled()?;
        // A refused refund leaves the sale valid.
        if self.clients.iter().any(Client::explains_refusals) {
            entries.extend(journal.refused_refunds()?);
        }
        Ok(entries)
    }

    fn log_error(&self, error: &JournalError) {
        self.shared.log.line(Level::Error, || format!("recovery: {} {error}", error.code.text));
    }

    /// Sends the reversal of an entry, or asks the records about it. Returns the record after that, and when it is
    /// tried again.
    fn drive(
        &self,
        client: &Client,
        entry: &Entry,
        deadline: Instant,
    ) -> Result<(Entry, Option<Instant>), JournalError> {
        let mut waited = false;
        loop {
            let seen = self.changed.count();
            if self.state().in_progress.insert(entry.key().clone()) {
                break;
            }
            waited = true;
            if self.now() >= deadline {
                return Ok((entry.clone(), Some(self.now())));
            }
            self.changed.wait(seen, deadline);
        }
        let _in_progress = InProgress { inner: self, key: entry.key() };
        let found = if waited { self.shared.journal.find(entry.key())? } else { None };
        let entry = match found {
            Some(found) => {
                let now = self.now();
                if let Another::Enough(next) = self.state().schedule.after_another_try(&found, now) {
                    return Ok((found, next));
                }
                found
            }
            None => entry.clone(),
        };
        let now = self.now();
        let over = self.state().schedule.late_window_over(&entry, now);
        let stands = match entry.stage() {
            Stage::Unknown | Stage::Unproven => client.drive_evidence(&entry, over, deadline)?,
            _ => client.drive_reversal(&entry, over, deadline)?,
        };
        let (random, now) = (self.shared.world.random().unwrap_or_default(), self.now());
        let next = self.state().schedule.tried(&stands, random, now);
        Ok((stands, next))
    }
}

impl Pass {
    fn again_at(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

#[cfg(test)]
mod tests;
