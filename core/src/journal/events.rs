//! The journal as a log of events. Each change of an entry is one event with the next number; what has been fed stands
//! as one state an entry in a second table, and what is unsettled or not yet fed is known in memory, in an [`Index`].
//! This is the order of a write, a look-up and a feed, without the file: the SQLite store and the simulation run it.
//!
//! The rules, each of which the simulation breaks on purpose:
//! - A writer catches up with other processes only while it has the write lock, and numbers its events after the last one.
//! - A record is compared with what the same transaction has written before it.
//! - The index changes only after the commit.
//! - A number is never given twice, also when every event was fed and deleted.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Admission, Guard, JournalError, Page, Recorded, admit};
use crate::payment::{Entry, Key, Stage};

/// How many events one transaction feeds.
const FED_AT_ONCE: usize = 64;

/// One change of one entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The entry is recorded with this content.
    Recorded(Box<Entry>),
    /// The till has read the answer of this success, whose record has that revision from now on.
    Acknowledged {
        /// The entry.
        key: Key,
        /// The revision after the change.
        revision: u64,
    },
}

/// A change with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Counts every event of the journal from 1, without a gap.
    pub number: u64,
    /// What changed.
    pub change: Change,
}

/// The ends of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The last event that was fed to the table of states; what is behind it is still in the log, and nothing else.
    pub fed: u64,
    /// The first event that is in the log.
    pub first: Option<u64>,
    /// The last event, whether it is still in the log or not.
    pub last: u64,
}

impl Ends {
    /// Where the log does not begin behind what was fed, one of the two numbers is not what was written: an event could
    /// be taken for one that stands among the states.
    fn whole(self) -> Result<Ends, Broken> {
        if self.first.is_none_or(|first| first == self.fed + 1) {
            Ok(self)
        } else {
            Err(Broken::Gap(self.fed + 1))
        }
    }
}

/// Why the log cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The log ends before an event that had been committed.
    #[error("it ends at {last}, but {known} had been committed")]
    Behind {
        /// The last event that is there.
        last: u64,
        /// The last event that is known.
        known: u64,
    },
    /// An event between the fed ones and the last one is missing.
    #[error("event {0} is missing")]
    Gap(u64),
    /// An event does not follow the revision before it.
    #[error("event {0} does not follow the record of its bizId")]
    Revision(u64),
}

/// The tables as one transaction sees them. The first question begins the view, and no later change is seen in it.
pub trait View {
    /// What can go wrong.
    type Error: From<Broken>;

    /// The ends of the log.
    fn ends(&self) -> Result<Ends, Self::Error>;

    /// The events behind that number in their order, at most so many.
    fn events_behind(&self, number: u64, limit: usize) -> Result<Vec<Event>, Self::Error>;

    /// The state of a bizId.
    fn state(&self, key: &Key) -> Result<Option<Entry>, Self::Error>;

    /// Every unsettled state.
    fn unsettled_states(&self) -> Result<Vec<Entry>, Self::Error>;
}

/// A view whose transaction has the write lock: what it sees is the newest, until it ends.
pub trait Writing: View {
    /// Adds an event to the log.
    fn append(&self, event: &Event) -> Result<(), Self::Error>;

    /// Commits; the events are on stable storage when this returns. The last event is then this one.
    fn commit(self, last: u64) -> Result<(), Self::Error>;
}

/// A view with the write lock that moves events from the log to the states. A commit need not be flushed: until the next
/// flush both tables stay as they were.
pub trait Feeding: View {
    /// Writes the state of an entry after the event of that number, in the place of the state before it.
    fn put_state(&self, number: u64, before: Option<&Entry>, entry: &Entry) -> Result<(), Self::Error>;

    /// Deletes the events up to that number, which is now the last that was fed.
    fn set_fed(&self, number: u64) -> Result<(), Self::Error>;

    /// Commits.
    fn commit(self) -> Result<(), Self::Error>;
}

/// What one process knows of the log: every unsettled entry, and every entry that was changed since the last event that
/// it knows to be fed.
#[derive(Debug, Default)]
pub struct Index {
    seen: u64,
    fed: u64,
    known: HashMap<Key, Known>,
}

#[derive(Debug)]
struct Known {
    /// Its last event.
    number: u64,
    entry: Box<Entry>,
}

/// The index of one process, which its threads share.
#[derive(Debug, Default)]
pub struct SharedIndex(Mutex<Index>);

impl Index {
    /// The last event that is known.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many events are in the log and not yet fed, as far as it is known.
    pub fn waiting(&self) -> u64 {
        self.seen - self.fed
    }

    /// Every known entry.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.known.values().map(|known| &*known.entry)
    }

    /// The entries whose last event is behind that number and still in the log, each with the number of that event.
    pub fn logged_behind(&self, number: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let from = number.max(self.fed);
        self.known
            .values()
            .filter(move |known| known.number > from)
            .map(|known| (known.number, &*known.entry))
    }

    /// The entry of a bizId, if it is known here.
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.known.get(key).map(|known| &*known.entry)
    }

    /// Takes over what is new in the view.
    pub fn catch_up<V: View>(&mut self, view: &V) -> Result<(), V::Error> {
        let ends = view.ends()?.whole()?;
        if ends.last < self.seen || ends.fed < self.fed {
            return Err(Broken::Behind { last: ends.last, known: self.seen }.into());
        }
        // Events that were fed and deleted before this process has seen them stand in the states only.
        if ends.fed > self.seen {
            let mut loaded = Index { seen: ends.fed, fed: ends.fed, known: HashMap::new() };
            for entry in view.unsettled_states()? {
                loaded.know(Known { number: ends.fed, entry: Box::new(entry) });
            }
            *self = loaded;
        }
        if ends.last > self.seen {
            for event in view.events_behind(self.seen, usize::MAX)? {
                if event.number != self.seen + 1 {
                    return Err(Broken::Gap(self.seen + 1).into());
                }
                let known = self.after(view, event)?;
                self.seen = known.number;
                self.know(known);
            }
            if self.seen < ends.last {
                return Err(Broken::Gap(self.seen + 1).into());
            }
        }
        if ends.fed > self.fed {
            self.fed = ends.fed;
            self.known.retain(|_, known| known.number > ends.fed || known.entry.stage().is_unsettled());
        }
        Ok(())
    }

    /// The entry after an event.
    fn after<V: View>(&self, view: &V, event: Event) -> Result<Known, V::Error> {
        let number = event.number;
        let entry = match event.change {
            Change::Recorded(entry) => entry,
            Change::Acknowledged { key, revision } => {
                let before = match self.get(&key) {
                    Some(entry) => Some(entry.clone()),
                    None => view.state(&key)?,
                };
                acknowledged(before.as_ref(), revision).ok_or(Broken::Revision(number))?
            }
        };
        Ok(Known { number, entry })
    }

    fn know(&mut self, known: Known) {
        match self.known.get_mut(known.entry.key()) {
            Some(before) => *before = known,
            None => drop(self.known.insert(known.entry.key().clone(), known)),
        }
    }

    /// Takes over what this process has committed.
    fn committed(&mut self, written: Vec<Known>) {
        for known in written {
            // Another thread may have read it from the log already.
            if known.number == self.seen + 1 {
                self.seen = known.number;
                self.know(known);
            }
        }
    }
}

fn acknowledged(before: Option<&Entry>, revision: u64) -> Option<Box<Entry>> {
    before.and_then(Entry::acknowledged).filter(|entry| entry.revision() == revision).map(Box::new)
}

impl SharedIndex {
    /// The index, for a moment: nobody else reads or writes meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Index> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what `draft` puts into one transaction, and returns what it returns. Where it puts nothing, nothing is
    /// committed.
    pub fn write<W: Writing, T>(
        &self,
        begin: impl FnOnce() -> Result<W, W::Error>,
        draft: impl FnOnce(&mut Draft<'_, W>) -> Result<T, W::Error>,
    ) -> Result<T, W::Error> {
        let writing = begin()?;
        let mut index = self.lock();
        index.catch_up(&writing)?;
        let mut drafted = Draft { index: &index, writing: &writing, written: Vec::new() };
        let result = draft(&mut drafted)?;
        let written = drafted.written;
        drop(index);
        let Some(last) = written.last().map(|known| known.number) else { return Ok(result) };
        writing.commit(last)?;
        self.lock().committed(written);
        Ok(result)
    }

    /// Reads: in a view that begins while nobody changes the index, so that the view sees among the states what the index
    /// has dropped. A view reads once; later the index may know more than it.
    fn read<V: View, T>(
        &self,
        begin: impl FnOnce() -> Result<V, V::Error>,
        known: impl FnOnce(&Index) -> T,
    ) -> Result<(V, T), V::Error> {
        let view = begin()?;
        let mut index = self.lock();
        index.catch_up(&view)?;
        let known = known(&index);
        drop(index);
        Ok((view, known))
    }

    /// A view of the tables, with which the index has caught up.
    pub fn view<V: View>(&self, begin: impl FnOnce() -> Result<V, V::Error>) -> Result<V, V::Error> {
        self.read(begin, |_| ()).map(|(view, ())| view)
    }

    /// The record of a bizId.
    pub fn find<V: View>(
        &self,
        begin: impl FnOnce() -> Result<V, V::Error>,
        key: &Key,
    ) -> Result<Option<Entry>, V::Error> {
        let (view, known) = self.read(begin, |index| index.get(key).cloned())?;
        match known {
            Some(entry) => Ok(Some(entry)),
            None => view.state(key),
        }
    }

    /// The entries that `wanted` picks: those of the index, and those of the states that the index does not know better.
    pub fn merged<V: View>(
        &self,
        begin: impl FnOnce() -> Result<V, V::Error>,
        wanted: impl Fn(&Entry) -> bool,
        states: impl FnOnce(&V) -> Result<Vec<Entry>, V::Error>,
    ) -> Result<Vec<Entry>, V::Error> {
        let (view, (mut found, known)) = self.read(begin, |index| {
            let found: Vec<Entry> = index.entries().filter(|entry| wanted(entry)).cloned().collect();
            (found, index.known.keys().cloned().collect::<HashSet<Key>>())
        })?;
        found
            .extend(states(&view)?.into_iter().filter(|entry| !known.contains(entry.key()) && wanted(entry)));
        Ok(found)
    }

    /// Whether `wanted` picks an entry of the index, or `states` finds one among the states.
    pub fn any<V: View>(
        &self,
        begin: impl FnOnce() -> Result<V, V::Error>,
        wanted: impl Fn(&Entry) -> bool,
        states: impl FnOnce(&V) -> Result<bool, V::Error>,
    ) -> Result<bool, V::Error> {
        let (view, known) = self.read(begin, |index| index.entries().any(wanted))?;
        Ok(known || states(&view)?)
    }

    /// A page of the unsettled entries that `wanted` picks, all of which the index knows.
    pub fn unsettled<V: View>(
        &self,
        begin: impl FnOnce() -> Result<V, V::Error>,
        page: Page<'_>,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<Entry>, V::Error> {
        let is_wanted = |entry: &&Entry| entry.stage().is_unsettled() && wanted(entry);
        self.read(begin, |index| page.of(index.entries().filter(is_wanted))).map(|(_, page)| page)
    }

    /// Whether a record of revision 1 would be written: its bizId has no record, and nothing holds it back.
    pub fn is_free<V: View>(
        &self,
        begin: impl FnOnce() -> Result<V, V::Error>,
        record: &Entry,
        guard: Guard,
        may_be_running: impl Fn(&Entry) -> bool,
    ) -> Result<bool, V::Error> {
        let (view, is_kept_out) = self.read(begin, |index| {
            let mut others = index.entries();
            index.get(record.key()).is_some()
                || others.any(|other| guard.keeps_out(record, other, &may_be_running))
        })?;
        Ok(!is_kept_out && view.state(record.key())?.is_none())
    }
}

fn oldest<'e>(entries: impl Iterator<Item = &'e Entry>) -> Option<Entry> {
    entries.min_by_key(|entry| (entry.created_unix_ms(), entry.key().biz_id.as_str())).cloned()
}

/// What one transaction is going to write.
pub struct Draft<'d, W> {
    index: &'d Index,
    writing: &'d W,
    written: Vec<Known>,
}

/// What becomes of one record in a transaction.
#[derive(Debug)]
pub enum Put {
    /// It is part of the transaction.
    Written,
    /// Another record keeps it out.
    KeptOut(Box<Recorded>),
    /// The revision before it is gone.
    Vanished,
    /// It may not be written, for this reason.
    Refused(JournalError),
}

impl<W: Writing> Draft<'_, W> {
    /// The record of a bizId, with what this transaction has written.
    fn find(&self, key: &Key) -> Result<Option<Cow<'_, Entry>>, W::Error> {
        let written = self.written.iter().rev().map(|known| &*known.entry);
        match written.chain(self.index.get(key)).find(|entry| entry.key() == key) {
            Some(entry) => Ok(Some(Cow::Borrowed(entry))),
            None => Ok(self.writing.state(key)?.map(Cow::Owned)),
        }
    }

    /// The unsettled entry that holds a record back.
    fn held_back(
        &self,
        record: &Entry,
        guard: Guard,
        may_be_running: impl Fn(&Entry) -> bool,
    ) -> Option<Entry> {
        let keeps_out = |other: &&Entry| guard.keeps_out(record, other, &may_be_running);
        let is_newest = |place: usize| {
            let later = self.written.get(place..).unwrap_or_default();
            move |entry: &&Entry| later.iter().all(|known| known.entry.key() != entry.key())
        };
        let before = self.index.entries().filter(keeps_out).filter(is_newest(0));
        let written = self.written.iter().enumerate().map(|(place, known)| (place + 1, &*known.entry));
        let written = written
            .filter(|(place, entry)| keeps_out(entry) && is_newest(*place)(entry))
            .map(|(_, entry)| entry);
        oldest(before.chain(written))
    }

    /// Puts a record into the transaction, unless something keeps it out; `may_write` is asked last.
    pub fn put(
        &mut self,
        record: &Entry,
        guard: Guard,
        may_be_running: impl Fn(&Entry) -> bool,
        may_write: impl FnOnce() -> Result<(), JournalError>,
    ) -> Result<Put, W::Error> {
        let standing = self.find(record.key())?;
        let admitted = admit(standing.as_deref(), record, || {
            Ok::<_, W::Error>(if guard == Guard::Off {
                None
            } else {
                self.held_back(record, guard, &may_be_running)
            })
        })?;
        drop(standing);
        match admitted {
            Admission::KeptOut(told) => return Ok(Put::KeptOut(told)),
            Admission::Vanished => return Ok(Put::Vanished),
            Admission::Write => {}
        }
        if let Err(reason) = may_write() {
            return Ok(Put::Refused(reason));
        }
        let event = Event { number: self.next(), change: Change::Recorded(Box::new(record.as_stored())) };
        self.writing.append(&event)?;
        if let Event { number, change: Change::Recorded(entry) } = event {
            self.written.push(Known { number, entry });
        }
        Ok(Put::Written)
    }

    /// Notes that the till has read that this succeeded, if that changes anything.
    pub fn acknowledge(&mut self, key: &Key) -> Result<(), W::Error> {
        let Some(entry) = self.find(key)?.and_then(|entry| entry.acknowledged()) else { return Ok(()) };
        let number = self.next();
        let change = Change::Acknowledged { key: key.clone(), revision: entry.revision() };
        self.writing.append(&Event { number, change })?;
        self.written.push(Known { number, entry: Box::new(entry) });
        Ok(())
    }

    /// Whether anything was put.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The number of the next event.
    fn next(&self) -> u64 {
        self.written.last().map_or(self.index.seen, |known| known.number) + 1
    }
}

/// An entry while its events are fed.
struct Fed {
    /// Its state, if it has one.
    before: Option<Entry>,
    /// After the last of its events.
    after: Known,
}

impl Known {
    /// Takes over the next event. A second one of the same revision, or one without the revision before it, was not written
    /// by this procedure.
    fn follow(&mut self, number: u64, change: Change) -> Result<(), Broken> {
        let before = self.entry.revision();
        let told = match change {
            Change::Recorded(entry) => {
                self.entry = entry;
                self.entry.revision()
            }
            Change::Acknowledged { revision, .. } => {
                self.entry.acknowledge();
                revision
            }
        };
        if told != before + 1 || self.entry.revision() != told {
            return Err(Broken::Revision(number));
        }
        self.number = number;
        Ok(())
    }
}

/// Moves the oldest events of the log to the states, in one transaction, in which the state of an entry is read and written
/// once. True if there are more.
pub fn feed<F: Feeding>(feeding: F) -> Result<bool, F::Error> {
    let ends = feeding.ends()?.whole()?;
    if ends.fed == ends.last {
        return Ok(false);
    }
    let mut last = ends.fed;
    let mut changed: Vec<Fed> = Vec::new();
    for Event { number, change } in feeding.events_behind(ends.fed, FED_AT_ONCE)? {
        if number != last + 1 {
            return Err(Broken::Gap(last + 1).into());
        }
        last = number;
        let key = match &change {
            Change::Recorded(entry) => entry.key(),
            Change::Acknowledged { key, .. } => key,
        };
        // The events of a sale stand close together.
        if let Some(fed) = changed.iter_mut().rev().find(|fed| key == fed.after.entry.key()) {
            fed.after.follow(number, change)?;
            continue;
        }
        let before = feeding.state(key)?;
        let after = match (&before, change) {
            (Some(before), change) => {
                let mut after = Known { number, entry: Box::new(before.clone()) };
                after.follow(number, change)?;
                after
            }
            (None, Change::Recorded(entry)) if entry.revision() == 1 => Known { number, entry },
            (None, _) => return Err(Broken::Revision(number).into()),
        };
        changed.push(Fed { before, after });
    }
    if last == ends.fed {
        return Err(Broken::Gap(last + 1).into());
    }
    for Fed { before, after } in &changed {
        feeding.put_state(after.number, before.as_ref(), &after.entry)?;
    }
    feeding.set_fed(last)?;
    feeding.commit()?;
    Ok(last < ends.last)
}

/// Whether the library itself may still settle an entry: every unsettled one except those whose reversal was refused.
pub fn is_due(entry: &Entry) -> bool {
    entry.stage().is_unsettled() && entry.stage() != Stage::Refused
}

#[cfg(test)]
mod tests;
