//! Moves a journal to another place, such as from a file to a database. The order of the steps leaves at each moment at
//! most one journal that works: the target is refused as unfinished until the source is marked as moved, and a source that
//! is not marked works on as if nothing had been copied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::columns::{Hashed, Record};
use crate::outcome::codes;
use crate::payment::{Entry, Key, Stage};

/// The number of the format that a target has until its move is finished. No format has such a number, so that every
/// version refuses the journal, also one that knows no moves.
pub const UNFINISHED: i32 = 1001;

/// The number of the format of a journal that was moved away.
pub const MOVED: i32 = 1002;

/// How many entries are copied at a time.
const PAGE: usize = 256;

/// How many bizIds a refusal names.
const NAMED: usize = 20;

/// What the entries of a journal come to: comparable between two places, whatever the order of their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many entries each stage has, by the stage's word.
    pub stages: BTreeMap<String, u64>,
    /// The sum of the hashes of all entries with all their columns, in 32 digits.
    #[serde(with = "digits")]
    pub checksum: u128,
}

/// The checksum as text: a JSON number of that size is exact nowhere.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(sum: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{sum:032x}"))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

impl Total {
    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        self.stages.values().sum()
    }

    fn add(&mut self, entry: &Entry) -> Result<(), JournalError> {
        *self.stages.entry(entry.stage().as_str().to_owned()).or_default() += 1;
        self.checksum = self.checksum.wrapping_add(hash(entry)?);
        Ok(())
    }
}

/// The hash of an entry over its key, its revision and all its columns.
fn hash(entry: &Entry) -> Result<u128, JournalError> {
    let key = entry.key();
    let record = Record::of(entry).map_err(|error| {
        let message = format!("the record of bizId {} cannot be written: {error}", key.biz_id.as_str());
        JournalError::new(&codes::JOURNAL, message)
    })?;
    let mut hashed = Hashed::default();
    for text in [key.open_id.as_str(), &key.environment, key.biz_id.as_str()] {
        hashed.text(Some(text));
    }
    hashed.number(i64::try_from(entry.revision()).ok());
    hashed.record(&record);
    Ok(u128::from_le_bytes(hashed.checksum()))
}

/// What a source that was moved away keeps about that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The place of the target.
    pub to: String,
    /// What was moved.
    pub total: Total,
}

impl Seal {
    /// The text that a journal keeps.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads that text.
    pub fn read(text: &str) -> Option<Seal> {
        serde_json::from_str(text).ok()
    }
}

/// The error for a journal that was moved away; `seal` is what it keeps about that.
pub fn moved_away(place: &str, seal: &str) -> JournalError {
    /// A till reads only that of a seal.
    #[derive(Deserialize)]
    struct Destination {
        to: String,
    }
    let read = serde_json::from_str(seal);
    let to = read.map_or_else(|_| "another place".to_owned(), |Destination { to }| to);
    JournalError::new(&codes::JOURNAL_MOVED, format!("{place} was moved to {to}; nothing is written to it"))
}

/// The error for the target of a move that is not finished.
pub fn unfinished(place: &str, from: &str) -> JournalError {
    JournalError::new(
        &codes::JOURNAL_UNFINISHED,
        format!("{place} is the target of a move from {from} that is not finished"),
    )
}

/// Where the entries of a target come from.
#[derive(Clone, Debug)]
pub struct Coming {
    /// The identity of the journal, which comes along.
    pub id: String,
    /// The place of the source.
    pub from: String,
    /// The source is marked as moved to that place: nothing is made, the target must be there.
    pub only: Option<String>,
}

impl Coming {
    /// Refuses a target at that place if the source says that it is elsewhere, or that it should be there and is not.
    ///
    /// # Errors
    /// In words.
    pub fn fits(&self, place: &str, is_there: bool) -> Result<(), JournalError> {
        let Some(to) = &self.only else { return Ok(()) };
        let from = &self.from;
        if to != place {
            let message = format!("{from} was moved to {to}; name that as the target");
            return Err(JournalError::new(&codes::JOURNAL_MOVED, message));
        }
        if is_there {
            return Ok(());
        }
        let message = format!(
            "{from} was moved to {to}, and nothing is there any more; its entries are still in the source, call support"
        );
        Err(JournalError::new(&codes::JOURNAL_BEHIND, message))
    }
}

/// A journal that is to be moved away.
pub enum Leaving {
    /// Nobody else can write to it until it is dropped.
    Closed(Box<dyn Source>),
    /// It was moved away before; the target may not be finished.
    Moved {
        /// Its identity and place.
        coming: Coming,
        /// What it keeps about the move.
        seal: Seal,
    },
}

/// A source to which nobody else can write.
pub trait Source {
    /// Its identity and place.
    fn coming(&self) -> Coming;

    /// The next entries behind that key, in an order of its own.
    ///
    /// # Errors
    /// If a row is not what was written, or the journal cannot be read.
    fn page(&mut self, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>, JournalError>;

    /// Marks it as moved, durably: from then on it is refused.
    ///
    /// # Errors
    /// If somebody has begun to use it meanwhile, or it cannot be written. It may be marked nevertheless.
    fn seal(self: Box<Self>, seal: &Seal) -> Result<(), JournalError>;
}

/// The place to which a journal is moved.
pub trait Target {
    /// Where it is, without secrets.
    fn place(&self) -> String;

    /// Whether it works already: an earlier move of the same journal was finished.
    fn works(&self) -> bool;

    /// The entries of these keys that are there already, in any order.
    ///
    /// # Errors
    /// If a row is not what was written, or the target cannot be read.
    fn standing(&mut self, keys: &[Key]) -> Result<Vec<Entry>, JournalError>;

    /// Writes entries, each in the place of the one that is there under its key.
    ///
    /// # Errors
    /// If they cannot be written; some of them may be.
    fn put(&mut self, entries: &[Entry]) -> Result<(), JournalError>;

    /// The next entries behind that key, in an order of its own.
    ///
    /// # Errors
    /// If a row is not what was written, or the target cannot be read.
    fn page(&mut self, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>, JournalError>;

    /// From then on it works.
    ///
    /// # Errors
    /// If it cannot be written. It may work nevertheless.
    fn finish(self: Box<Self>) -> Result<(), JournalError>;
}

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The source is closed to everybody else, and nothing in it is in flight.
    Closed {
        /// How many entries it has.
        entries: u64,
    },
    /// The target is there, and is refused as unfinished.
    Begun,
    /// So many entries are in the target, of which so many had been copied by an earlier run.
    Copied {
        /// In the target by now.
        entries: u64,
        /// Found there.
        before: u64,
    },
    /// The target holds exactly what the source holds.
    Compared,
    /// The source is marked as moved.
    Sealed,
    /// The target works.
    Finished,
}

/// A finished move.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The place of the source.
    pub from: String,
    /// The place of the target.
    pub to: String,
    /// What the source holds.
    pub source: Total,
    /// What the target holds, as it was read back.
    pub target: Total,
    /// How many entries an earlier run had copied.
    pub before: u64,
}

/// Moves a journal, or goes on with a move that ended early. `target` opens or makes the target; `step` hears of each step.
///
/// # Errors
/// If anything is in flight, the two do not fit each other, or one of them cannot be read or written. Then the source works
/// as before, or the same call finishes the move.
pub fn carry(
    leaving: Leaving,
    target: impl FnOnce(&Coming) -> Result<Box<dyn Target>, JournalError>,
    step: &mut dyn FnMut(Step) -> Result<(), JournalError>,
) -> Result<Moved, JournalError> {
    match leaving {
        Leaving::Closed(source) => copy(source, target, step),
        Leaving::Moved { coming, seal } => go_on(&coming, seal, target, step),
    }
}

fn copy(
    mut source: Box<dyn Source>,
    target: impl FnOnce(&Coming) -> Result<Box<dyn Target>, JournalError>,
    step: &mut dyn FnMut(Step) -> Result<(), JournalError>,
) -> Result<Moved, JournalError> {
    let coming = source.coming();
    let total = counted(&mut *source, &coming.from)?;
    step(Step::Closed { entries: total.entries() })?;
    let mut target = target(&coming)?;
    let to = target.place();
    if target.works() {
        return Err(JournalError::new(
            &codes::JOURNAL_PLACE,
            format!(
                "{to} works already and has the identity of {}, which works, too: one is a copy",
                coming.from
            ),
        ));
    }
    step(Step::Begun)?;
    let (mut entries, mut before) = (0, 0);
    let mut page = source.page(None, PAGE)?;
    while let Some(last) = page.last().map(|entry| entry.key().clone()) {
        let keys: Vec<Key> = page.iter().map(|entry| entry.key().clone()).collect();
        let standing = target.standing(&keys)?;
        let count = page.len();
        let mut missing = Vec::with_capacity(count);
        for entry in page {
            let found = standing.iter().find(|standing| standing.key() == entry.key());
            let is_there = match found {
                Some(standing) => hash(standing)? == hash(&entry)?,
                None => false,
            };
            if !is_there {
                missing.push(entry);
            }
        }
        if !missing.is_empty() {
            target.put(&missing)?;
        }
        entries += count as u64;
        before += (count - missing.len()) as u64;
        step(Step::Copied { entries, before })?;
        page = source.page(Some(&last), PAGE)?;
    }
    let copied = compared(&mut *target, &coming, &total)?;
    step(Step::Compared)?;
    source.seal(&Seal { to: to.clone(), total: total.clone() })?;
    step(Step::Sealed)?;
    target.finish()?;
    step(Step::Finished)?;
    Ok(Moved { from: coming.from, to, source: total, target: copied, before })
}

/// The source is marked, so that all had been copied and compared.
fn go_on(
    coming: &Coming,
    seal: Seal,
    target: impl FnOnce(&Coming) -> Result<Box<dyn Target>, JournalError>,
    step: &mut dyn FnMut(Step) -> Result<(), JournalError>,
) -> Result<Moved, JournalError> {
    let mut target = target(coming)?;
    let to = target.place();
    let before = seal.total.entries();
    let target_total = if target.works() {
        // It has gone on since.
        seal.total.clone()
    } else {
        let copied = compared(&mut *target, coming, &seal.total)?;
        step(Step::Compared)?;
        target.finish()?;
        copied
    };
    step(Step::Finished)?;
    Ok(Moved { from: coming.from.clone(), to, source: seal.total, target: target_total, before })
}

/// What the source holds, if nothing of it is in flight.
fn counted(source: &mut dyn Source, place: &str) -> Result<Total, JournalError> {
    let (mut total, mut in_flight, mut named) = (Total::default(), 0_u64, Vec::new());
    each(
        |after| source.page(after, PAGE),
        |entry| {
            if entry.stage() == Stage::Sending {
                in_flight += 1;
                if named.len() < NAMED {
                    named.push(entry.key().biz_id.as_str().to_owned());
                }
            }
            total.add(entry)
        },
    )?;
    if in_flight == 0 {
        return Ok(total);
    }
    let more = if in_flight > NAMED as u64 { " …" } else { "" };
    Err(JournalError::new(
        &codes::JOURNAL_LOCKED,
        format!(
            "{place} holds {in_flight} sales in flight: {}{more}; start a till with it, or `zv recover`, until none is \
             `sending`, and stop it",
            named.join(", ")
        ),
    ))
}

fn compared(target: &mut dyn Target, coming: &Coming, source: &Total) -> Result<Total, JournalError> {
    let mut total = Total::default();
    each(|after| target.page(after, PAGE), |entry| total.add(entry))?;
    if total == *source {
        return Ok(total);
    }
    Err(JournalError::new(
        &codes::JOURNAL_DAMAGED,
        format!(
            "{} holds {} entries with the checksum {:032x}, and {} holds {} with {:032x}: something else has written to the \
             target; remove it and move again",
            target.place(),
            total.entries(),
            total.checksum,
            coming.from,
            source.entries(),
            source.checksum
        ),
    ))
}

fn each(
    mut page: impl FnMut(Option<&Key>) -> Result<Vec<Entry>, JournalError>,
    mut what: impl FnMut(&Entry) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let mut entries = page(None)?;
    while let Some(last) = entries.last() {
        entries.iter().try_for_each(&mut what)?;
        entries = page(Some(last.key()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
