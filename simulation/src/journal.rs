//! The journal as SQLite keeps it, without the file: one entry a bizId, a change only over the revision that it was
//! made from, durable when and only when it was flushed. What a failed flush leaves behind may turn up when the file
//! is opened anew, unless something was written over it.

use std::collections::BTreeMap;

use zvpos_core::journal::{Guard, JournalError, Receipt, Recorded};
use zvpos_core::outcome::codes;
use zvpos_core::transaction::{Entry, Stage};

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is flushed.
    Done,
    /// There is no room but what is held for outcomes; without that nothing was written, and the next write may succeed.
    Full,
    /// Another program holds the file; as above.
    Locked,
    /// The write fails; nothing can be trusted until the file is opened anew.
    WriteFails,
    /// The flush fails: what of it is on the disk, nobody knows.
    FlushFails,
}

/// See the module's words.
#[derive(Debug, Default)]
pub struct SimJournal {
    entries: BTreeMap<String, Entry>,
    /// Every stage that was ever durable, by revision.
    history: BTreeMap<String, BTreeMap<u64, Stage>>,
    /// Written, but its flush failed.
    limbo: Option<Entry>,
    /// The room that is held for outcomes was given back.
    ballast_is_gone: bool,
}

impl SimJournal {
    /// As `Journal::record` of the library; the order of the checks matters: what stands under the
    /// bizId comes before the guard.
    pub fn record(
        &mut self,
        entry: &Entry,
        guard: Guard,
        fate: Fate,
        guard_first: bool,
        lives: &dyn Fn(&Entry) -> bool,
        seen: &dyn Fn(&Entry) -> Entry,
    ) -> Result<Recorded, JournalError> {
        // A reversal that is asked for meanwhile sends no other.
        let is_intent = entry.stage() == Stage::Sending && !entry.detail().reversal.asked;
        let fate = match fate {
            Fate::Full if !is_intent && !std::mem::replace(&mut self.ballast_is_gone, true) => Fate::Done,
            fate => fate,
        };
        match fate {
            Fate::Full => return Err(JournalError::new(&codes::JOURNAL_FULL, "simulated: full")),
            Fate::Locked => return Err(JournalError::new(&codes::JOURNAL_LOCKED, "simulated: locked")),
            Fate::Done | Fate::WriteFails | Fate::FlushFails => {}
        }
        let standing = self.entries.get(entry.key().biz_id.as_str());
        let fits = standing.map_or(0, Entry::revision) + 1 == entry.revision();
        if guard_first && let Some(found) = self.held_back(entry, guard, lives, seen) {
            return Ok(Recorded::InDoubt(found));
        }
        match standing {
            Some(found) if !fits => return Ok(Recorded::Stands(found.clone())),
            None if !fits => return Err(JournalError::new(&codes::JOURNAL_DAMAGED, "simulated: it is gone")),
            _ => {}
        }
        if let Some(found) = self.held_back(entry, guard, lives, seen) {
            return Ok(Recorded::InDoubt(found));
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
                Ok(Recorded::Done(Receipt::of(entry)))
            }
        }
    }

    fn commit(&mut self, entry: Entry) {
        // It is written where the failed one stood.
        self.limbo = None;
        let biz_id = entry.key().biz_id.to_string();
        self.history.entry(biz_id.clone()).or_default().insert(entry.revision(), entry.stage());
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

    /// As `Journal::find`.
    pub fn find(&self, biz_id: &str) -> Option<&Entry> {
        self.entries.get(biz_id)
    }

    /// As `Journal::unsettled`: by the till's clock, which may be wrong.
    pub fn unsettled(&self) -> Vec<Entry> {
        let mut found: Vec<Entry> =
            self.entries.values().filter(|entry| entry.stage().is_unsettled()).cloned().collect();
        found.sort_by_key(Entry::created_unix_ms);
        found
    }

    /// Every entry.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// As `Journal::other_sale_of`: whether this bizId was sent for another sale, or carried by its answer.
    pub fn is_another_sales(&self, own: &str, named: &str) -> bool {
        self.entries.values().any(|entry| {
            let sent = entry.key().biz_id.as_str();
            sent != own && (sent == named || entry.detail().returned_biz_id.as_deref() == Some(named))
        })
    }

    /// As `Journal::has_other_biz_ids`.
    pub fn has_other_biz_ids(&self) -> bool {
        self.entries.values().any(|entry| {
            entry.detail().returned_biz_id.as_deref().is_some_and(|id| id != entry.key().biz_id.as_str())
        })
    }

    /// Whether this revision with this stage was ever durable.
    pub fn was_durable(&self, biz_id: &str, revision: u64, stage: Stage) -> bool {
        self.history.get(biz_id).and_then(|stages| stages.get(&revision)) == Some(&stage)
    }

    /// A consume that is only running is not in doubt; one whose process died is.
    fn held_back(
        &self,
        entry: &Entry,
        guard: Guard,
        lives: &dyn Fn(&Entry) -> bool,
        seen: &dyn Fn(&Entry) -> Entry,
    ) -> Option<Entry> {
        if guard == Guard::Off {
            return None;
        }
        let mut others = self.entries.values();
        let found = others.find(|other| {
            other.key() != entry.key()
                && other.stage().is_unsettled()
                && guard.holds_back(&seen(other), entry.identity())
                && (other.stage() != Stage::Sending || !lives(other))
        });
        found.cloned()
    }
}
