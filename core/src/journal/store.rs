//! What the runtime asks of a store of records.

use std::time::Instant;

use super::{Guard, JournalError, Liveness};
use crate::payment::{Entry, Key};

/// The result of a record. `Proof` is what comes with a record that was written.
#[derive(Debug)]
pub enum Recorded<Proof = ()> {
    /// The record is on stable storage.
    Done(Proof),
    /// The bizId has this record instead; nothing was written.
    Existing(Entry),
    /// Another sale of the same member or coupon is unsettled; nothing was written.
    InDoubt(Entry),
    /// The record was written, its confirmation came too late, and others have gone on from it to this record.
    Superseded(Entry),
}

impl<Proof> Recorded<Proof> {
    /// The same result with the proof made into another.
    pub fn map<Other>(self, proof: impl FnOnce(Proof) -> Other) -> Recorded<Other> {
        match self {
            Recorded::Done(done) => Recorded::Done(proof(done)),
            Recorded::Existing(entry) => Recorded::Existing(entry),
            Recorded::InDoubt(entry) => Recorded::InDoubt(entry),
            Recorded::Superseded(entry) => Recorded::Superseded(entry),
        }
    }
}

/// A part of a list, oldest entry first: by the time of the intent, then by key.
#[derive(Clone, Copy, Debug)]
pub struct Page<'e> {
    /// The page begins behind this entry; at the oldest one with `None`.
    pub after: Option<&'e Entry>,
    /// How many entries the page holds at most.
    pub limit: usize,
}

impl<'e> Page<'e> {
    /// Everything that a question finds, page by page.
    ///
    /// # Errors
    /// The first page that could not be read.
    pub fn all(
        limit: usize,
        mut read: impl FnMut(Page<'_>) -> Result<Vec<Entry>, JournalError>,
    ) -> Result<Vec<Entry>, JournalError> {
        let mut found: Vec<Entry> = Vec::new();
        loop {
            let page = read(Page { after: found.last(), limit })?;
            let is_last = page.len() < limit;
            found.extend(page);
            if is_last {
                return Ok(found);
            }
        }
    }

    /// The page of entries that are in memory, in the order of pages.
    pub fn of(self, entries: impl Iterator<Item = &'e Entry>) -> Vec<Entry> {
        let mut entries: Vec<&Entry> = entries.collect();
        entries.sort_unstable_by_key(|entry| place(entry));
        let is_behind = |entry: &&&Entry| self.after.is_none_or(|after| place(entry) > place(after));
        entries.iter().filter(is_behind).take(self.limit).map(|entry| (*entry).clone()).collect()
    }
}

/// Where an entry is listed: by the time of its intent, and within a millisecond by its key.
pub(super) fn place(entry: &Entry) -> (i64, &str, &str, &str) {
    let key = entry.key();
    (entry.created_unix_ms(), &key.open_id, &key.environment, key.biz_id.as_str())
}

/// Sorts entries by a time, and within a millisecond as in every list. One function for all lists: a sort is much code.
pub(super) fn sort_by_time(entries: &mut [Entry], time: fn(&Entry) -> i64) {
    entries.sort_unstable_by(|one, other| (time(one), place(one)).cmp(&(time(other), place(other))));
}

/// Where entries are kept. Every method may be called from any thread and from several processes.
pub trait Store: Send + Sync {
    /// The identity of this journal: random, new with the file and when a person accepts that records are lost. Only if
    /// the till's attempt was made with the same identity does "no record" mean that nothing was sent.
    fn id(&self) -> Result<String, JournalError>;

    /// Records an entry of revision 1 if its bizId has no record, or of a later revision over the one before it. With a
    /// guard the entry is not recorded while another unsettled entry holds it back. If others hold the store, it waits for
    /// them until then, and at least for a moment.
    fn record(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError>;

    /// Records several entries over the revisions before them, in one transaction: the results in their order.
    fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>>;

    /// The record of a bizId.
    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError>;

    /// Guesses whether an entry of revision 1 would be recorded: its bizId seems to have no record, and no other sale seems
    /// to hold it back. Nothing is waited for; in doubt it is false.
    fn seems_free(&self, record: &Entry, guard: Guard) -> bool;

    /// The entries that the library itself may still settle: every unsettled one except those whose reversal was refused,
    /// which only a person or another configuration can settle.
    fn due(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError>;

    /// Every unsettled entry.
    fn unsettled(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError>;

    /// Every sale that is valid because its refund was refused, as far as details are kept, oldest first.
    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError>;

    /// Every success that the till has not read, or not confirmed though it must, oldest first.
    fn unfinished(&self) -> Result<Vec<Entry>, JournalError>;

    /// Every entry that may be filed under that business day, and others near it, oldest first: those whose intent was
    /// recorded within two days of it by the machine's clock, and those that were filed far from there.
    fn near_day(&self, day: i64) -> Result<Vec<Entry>, JournalError>;

    /// The till has read that this succeeded. It is written with the next record, or by [`Store::flush_acknowledged`].
    fn acknowledge(&self, key: Key);

    /// Writes what [`Store::acknowledge`] has gathered.
    fn flush_acknowledged(&self);

    /// The same, and what the next start need then not do; the store may be used on.
    fn close(&self);

    /// Whether [`Store::care`] has something to do.
    fn needs_care(&self) -> bool;

    /// Does what no call waits for: what keeps the store small and the next call fast. It may be left out for a while.
    fn care(&self, until: Instant) -> Result<(), JournalError>;

    /// Whether this account has ever answered with a bizId other than the one that was sent.
    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError>;

    /// Whether the bizId has a record under another account.
    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError>;

    /// Another sale of this account that a reversal by that bizId would undo.
    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError>;

    /// Whether another sale of this account names that coupon, as far as details are kept.
    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError>;
}

/// A store together with the liveness of the processes that record in it.
pub trait Backend: Store + Liveness {}

impl<T: Store + Liveness> Backend for T {}
