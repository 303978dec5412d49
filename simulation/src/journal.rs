//! The journal as SQLite keeps it, without the file: one entry a bizId, a change only over the revision that it was
//! made from, durable when and only when it was flushed. What a failed flush leaves behind may turn up when the file
//! is opened again, unless something was written over it.

use std::collections::BTreeMap;

use zvpos_core::journal::{Admission, Guard, JournalError, Recorded, admit};
use zvpos_core::outcome::codes;
use zvpos_core::payment::{Entry, Stage};

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is flushed.
    Done,
    /// There is no room but what is held for outcomes; without that nothing was written, and the next write may succeed.
    Full,
    /// Another program holds the file; as above.
    Locked,
    /// The write fails; nothing can be trusted until the file is opened again.
    WriteFails,
    /// The flush fails: what of it is on the disk, nobody knows.
    FlushFails,
}

/// The journal of one seed, which all its processes share.
#[derive(Debug, Default)]
pub struct SimJournal {
    entries: BTreeMap<String, Entry>,
    /// Every stage that was ever durable, by revision.
    history: BTreeMap<String, BTreeMap<u64, Stage>>,
    /// Stages that are on one server only, in their order.
    on_one: Option<Vec<(String, u64, Stage)>>,
    /// Written, but its flush failed.
    limbo: Option<Entry>,
    /// The room that is held for outcomes was given back.
    ballast_is_gone: bool,
}

impl SimJournal {
    /// Writes a record, unless the library's own rules or the fate of the write keep it out.
    pub fn record(
        &mut self,
        entry: &Entry,
        guard: Guard,
        fate: Fate,
        may_be_running: impl Fn(&Entry) -> bool,
    ) -> Result<Recorded, JournalError> {
        let is_intent = entry.is_intent();
        let fate = match fate {
            Fate::Full if !is_intent && !std::mem::replace(&mut self.ballast_is_gone, true) => Fate::Done,
            fate => fate,
        };
        match fate {
            Fate::Full => return Err(JournalError::new(&codes::JOURNAL_FULL, "simulated: full")),
            Fate::Locked => return Err(JournalError::new(&codes::JOURNAL_LOCKED, "simulated: locked")),
            Fate::Done | Fate::WriteFails | Fate::FlushFails => {}
        }
        let standing = self.find(entry.key().biz_id.as_str());
        let held_back = || {
            let mut others = self.entries.values();
            let found = others.find(|other| guard.keeps_out(entry, other, &may_be_running));
            Ok::<_, JournalError>(found.cloned())
        };
        match admit(standing, entry, held_back)? {
            Admission::Write => {}
            Admission::KeptOut(told) => return Ok(*told),
            Admission::Vanished => {
                return Err(JournalError::new(&codes::JOURNAL_DAMAGED, "simulated: it is gone"));
            }
        }
        match fate {
            Fate::WriteFails => Err(JournalError::new(&codes::JOURNAL, "simulated: the write failed")),
            Fate::FlushFails => {
                self.limbo = Some(entry.clone());
                Err(JournalError::new(&codes::JOURNAL, "simulated: the flush failed"))
            }
            Fate::Done | Fate::Full | Fate::Locked => {
                // An intent is recorded only where the room is held again.
                self.ballast_is_gone &= !is_intent;
                self.commit(entry.clone());
                Ok(Recorded::Done(()))
            }
        }
    }

    fn commit(&mut self, entry: Entry) {
        // It is written where the failed one stood.
        self.limbo = None;
        let biz_id = entry.key().biz_id.to_string();
        match &mut self.on_one {
            Some(on_one) => on_one.push((biz_id.clone(), entry.revision(), entry.stage())),
            None => self.is_durable(biz_id.clone(), entry.revision(), entry.stage()),
        }
        self.entries.insert(biz_id, entry);
    }

    /// A process opens the file: what a failed flush left may be found to be there. Gives its bizId.
    pub fn open_anew(&mut self, survives: bool) -> Option<String> {
        let entry = self.limbo.take().filter(|_| survives)?;
        let biz_id = entry.key().biz_id.to_string();
        let fits = self.entries.get(&biz_id).map_or(0, Entry::revision) + 1 == entry.revision();
        if fits {
            self.commit(entry);
        }
        fits.then_some(biz_id)
    }

    /// Commits what a mutant has held back.
    pub fn commit_late(&mut self, entry: Entry) {
        let biz_id = entry.key().biz_id.as_str();
        if self.entries.get(biz_id).map_or(0, Entry::revision) + 1 == entry.revision() {
            self.commit(entry);
        }
    }

    /// Takes over what was committed to the tables of a database.
    pub fn mirror(&mut self, entry: Entry) {
        self.commit(entry);
    }

    fn is_durable(&mut self, biz_id: String, revision: u64, stage: Stage) {
        self.history.entry(biz_id).or_default().insert(revision, stage);
    }

    /// From now on what is committed is on one server only.
    pub fn replica_falls_behind(&mut self) {
        self.on_one.get_or_insert_default();
    }

    /// The replica has everything again.
    pub fn replica_catches_up(&mut self) {
        for (biz_id, revision, stage) in self.on_one.take().unwrap_or_default() {
            self.is_durable(biz_id, revision, stage);
        }
    }

    /// A database has gone back to these records.
    pub fn go_back<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        self.on_one = None;
        self.entries = entries.map(|entry| (entry.key().biz_id.to_string(), entry.clone())).collect();
    }

    /// As `Journal::find`.
    pub fn find(&self, biz_id: &str) -> Option<&Entry> {
        self.entries.get(biz_id)
    }

    /// Every entry.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// As `Journal::other_sale_of`: another sale for which this bizId was sent, or whose answer carried it.
    pub fn other_sale_of(&self, own: &str, named: &str) -> Option<&Entry> {
        self.entries.values().find(|entry| {
            let sent = entry.key().biz_id.as_str();
            sent != own && (sent == named || entry.detail().returned_biz_id.as_deref() == Some(named))
        })
    }

    /// The till's own bizId of the sale that a request names by the bizId that was sent or that an answer carried.
    pub fn own_biz_id(&self, named: &str) -> Option<&str> {
        let own = |entry: &&Entry| {
            entry.key().biz_id.as_str() == named || entry.detail().returned_biz_id.as_deref() == Some(named)
        };
        self.entries.values().find(own).map(|entry| entry.key().biz_id.as_str())
    }

    /// As `Journal::has_other_biz_ids`.
    pub fn has_other_biz_ids(&self) -> bool {
        self.entries.values().any(|entry| {
            entry.detail().returned_biz_id.as_deref().is_some_and(|id| id != entry.key().biz_id.as_str())
        })
    }

    /// Whether the bizId ever stood at one of these stages.
    pub fn ever_stood(&self, biz_id: &str, stages: &[Stage]) -> bool {
        let history = self.history.get(biz_id);
        history.is_some_and(|history| history.values().any(|stage| stages.contains(stage)))
    }
}
