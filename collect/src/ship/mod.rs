//! The till's side: reads what has changed in the journal, and ships it, at least once. Between two reads nothing of the
//! journal is locked, and without a collector nothing changes for the till but the time at which old details may go.

mod position;
mod post;
mod record;
mod settings;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zvpos_core::calendar::BusinessDays;
use zvpos_core::journal::{Changed, Changes, JournalError, Look, Shipped, Witness};
use zvpos_core::money::BizId;
use zvpos_core::payment::Key;

use crate::digest;
use crate::wire::{Accepted, Alive, Batch, RECORDS_MAX, VERSION};
use post::Collector;
use record::Maker;

pub use post::NotTaken;
pub use settings::Settings;

/// How long another process may hold the journal.
const BUSY: Duration = Duration::from_secs(3);

/// The longest pause after failures.
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// Why a round has not shipped everything.
#[derive(Debug)]
pub enum NotShipped {
    /// The journal cannot be read.
    Journal(JournalError),
    /// The position file cannot be written.
    Position(String),
    /// Another program ships this journal.
    Another(PathBuf),
    /// The collector has not taken a batch.
    Collector(NotTaken),
}

impl std::fmt::Display for NotShipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotShipped::Journal(error) => write!(f, "{} {error}", error.code.text),
            NotShipped::Position(why) => f.write_str(why),
            NotShipped::Another(journal) => {
                write!(f, "another zv collect ship runs for {}", journal.display())
            }
            NotShipped::Collector(NotTaken::Missing { held }) => {
                write!(f, "the collector still lacks what is behind {held}")
            }
            NotShipped::Collector(NotTaken::Refused { status, why }) => {
                write!(f, "the collector refuses: {why} ({status})")
            }
            NotShipped::Collector(NotTaken::Lost(why)) => write!(f, "the collector is not reached: {why}"),
        }
    }
}

impl From<JournalError> for NotShipped {
    fn from(error: JournalError) -> NotShipped {
        NotShipped::Journal(error)
    }
}

impl From<NotTaken> for NotShipped {
    fn from(why: NotTaken) -> NotShipped {
        NotShipped::Collector(why)
    }
}

/// What a round has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many records were shipped, some of them more than once.
    pub records: usize,
    /// Everything up to this event is at the collector.
    pub shipped: u64,
    /// How many entries the journal has.
    pub entries: u64,
    /// The journal was found to be an older copy of what was shipped from.
    pub restored: bool,
    /// There is no journal yet, and the collector has heard that.
    pub empty: bool,
}

/// Ships one journal.
pub struct Shipper {
    journal: PathBuf,
    collector: Collector,
    maker: Maker,
    batch: usize,
    /// Two shippers with two positions would take each other's batches for those of an older copy.
    lock: Mutex<Option<File>>,
}

impl Shipper {
    /// Ships the journal at that path, with the till's business days.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(settings: &Settings, journal: &Path, days: BusinessDays) -> Result<Shipper, String> {
        let collector = Collector::new(settings)?;
        let maker = Maker::new(settings, days);
        Ok(Shipper {
            journal: journal.to_owned(),
            collector,
            maker,
            batch: RECORDS_MAX,
            lock: Mutex::new(None),
        })
    }

    /// The same with smaller batches.
    #[must_use]
    pub fn with_batches_of(mut self, records: usize) -> Shipper {
        self.batch = records.clamp(1, RECORDS_MAX);
        self
    }

    /// Forgets how far was shipped: the next round ships everything again.
    ///
    /// # Errors
    /// The position file cannot be written, or another program ships this journal.
    pub fn start_over(&self) -> Result<(), NotShipped> {
        if !Shipped::beside(&self.journal).exists() {
            return Ok(());
        }
        self.lock()?;
        let Ok(Some(shipped)) = Shipped::read(&self.journal) else { return Ok(()) };
        self.write(&Shipped { number: 0, witness: None, ..shipped })
    }

    /// Ships everything that has changed, or a sign of life. If the collector has less than this till believes, it is shipped
    /// from there in the same round.
    ///
    /// # Errors
    /// Something of it was not shipped. What was is not known to this till; the next round ships it again.
    pub fn round(&self) -> Result<Round, NotShipped> {
        // Whatever happens from now on may belong to a later day.
        let day = self.maker.today();
        if matches!(self.journal.try_exists(), Ok(false)) && !Shipped::beside(&self.journal).exists() {
            self.collector.tell(&Alive { version: VERSION, day })?;
            return Ok(Round { empty: true, ..Round::default() });
        }
        let changes = Changes::open(&self.journal, BUSY)?;
        self.lock()?;
        position::check(&self.journal).map_err(NotShipped::Position)?;
        // A file that cannot be read says nothing; the collector knows what it has.
        let known = Shipped::read(&self.journal).ok().flatten();
        let mut look = changes.look(known.as_ref().map_or(0, |known| known.number))?;
        let own = known.filter(|known| known.journal == look.journal);
        let restored = match &own {
            Some(own) => own.number > look.last || !Shipper::stands(&changes, own.witness.as_ref())?,
            None => false,
        };
        if own.is_none() {
            // From now on old details wait to be shipped.
            let journal = look.journal.clone();
            self.write(&Shipped { journal, number: 0, collector: String::new(), witness: None })?;
        }
        let mut from = Start { after: own.as_ref().map_or(0, |own| own.number), restored, day };
        if restored {
            from.after = 0;
        }
        if own.is_none() || restored {
            look = changes.look(from.after)?;
        }
        let sent = match self.ship(&changes, &look, from) {
            Err(NotShipped::Collector(NotTaken::Missing { held })) if held > look.last && !from.restored => {
                look = changes.look(from.after)?;
                // The collector has more than the journal has even now: this is an older copy, and its position file is
                // gone. Otherwise the batch was overtaken by one that was shipped from the same journal.
                if held > look.last {
                    from = Start { after: 0, restored: true, day };
                    look = changes.look(0)?;
                }
                self.ship(&changes, &look, from)?
            }
            // It has less than this till has shipped: another store, or an older copy of it.
            Err(NotShipped::Collector(NotTaken::Missing { held })) if held < from.after => {
                from.after = held;
                look = changes.look(held)?;
                self.ship(&changes, &look, from)?
            }
            sent => sent?,
        };
        let Sent { accepted, newest, records, .. } = sent;
        let earlier = || own.as_ref().filter(|_| !from.restored).and_then(|own| own.witness.clone());
        let position = Shipped {
            journal: look.journal.clone(),
            number: look.last,
            collector: accepted.collector,
            witness: newest.map(|(_, witness)| witness).or_else(earlier),
        };
        if own.as_ref() != Some(&position) {
            self.write(&position)?;
        }
        Ok(Round {
            records,
            shipped: accepted.shipped,
            entries: look.entries,
            restored: from.restored,
            empty: false,
        })
    }

    /// Makes this the only shipper of the journal, until it is dropped.
    fn lock(&self) -> Result<(), NotShipped> {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            let locked = position::lock(&self.journal).map_err(|error| {
                let path = Shipped::beside(&self.journal);
                NotShipped::Position(format!("cannot lock {}.lock: {error}", path.display()))
            })?;
            *held = Some(locked.ok_or_else(|| NotShipped::Another(self.journal.clone()))?);
        }
        Ok(())
    }

    fn write(&self, shipped: &Shipped) -> Result<(), NotShipped> {
        position::write(&self.journal, shipped).map_err(|error| {
            NotShipped::Position(format!(
                "cannot write {}: {error}",
                Shipped::beside(&self.journal).display()
            ))
        })
    }

    /// Whether the journal still holds what was shipped from it last.
    fn stands(changes: &Changes, witness: Option<&Witness>) -> Result<bool, NotShipped> {
        let Some(witness) = witness else { return Ok(true) };
        let Ok(biz_id) = BizId::new(&witness.biz_id) else { return Ok(true) };
        let key = Key { open_id: witness.open_id.clone(), environment: witness.environment.clone(), biz_id };
        Ok(changes.revision(&key)?.is_some_and(|revision| revision >= witness.revision))
    }

    /// Ships what a look has found: the states, then what is still in the log. The last batch says that it is the last.
    fn ship(&self, changes: &Changes, look: &Look, from: Start) -> Result<Sent, NotShipped> {
        let round = digest::random(8).map_err(NotTaken::Lost)?;
        let mut sent = Sent { round, ..Sent::default() };
        let mut waiting: Vec<Changed> = Vec::new();
        let mut scan = look.states.clone();
        let mut logged = look.logged.iter();
        loop {
            let room = self.batch.saturating_sub(waiting.len());
            if scan.is_some() {
                waiting.extend(changes.states(&mut scan, room)?);
            } else {
                waiting.extend(logged.by_ref().take(room).cloned());
            }
            let is_last = scan.is_none() && logged.len() == 0;
            if is_last || waiting.len() >= self.batch {
                self.send(&mut sent, &std::mem::take(&mut waiting), (look, from), is_last)?;
            }
            if is_last {
                return Ok(sent);
            }
        }
    }

    fn send(
        &self,
        sent: &mut Sent,
        changed: &[Changed],
        (look, from): (&Look, Start),
        complete: bool,
    ) -> Result<(), NotShipped> {
        let batch = Batch {
            version: VERSION,
            journal: look.journal.clone(),
            round: sent.round.clone(),
            part: sent.parts,
            day: from.day,
            after: from.after,
            last: look.last,
            entries: look.entries,
            complete,
            restored: from.restored,
            records: changed.iter().map(|changed| self.maker.record(changed)).collect(),
        };
        sent.accepted = self.collector.post(batch, &mut sent.parts)?;
        sent.records += changed.len();
        for Changed { number, entry } in changed {
            if sent.newest.as_ref().is_none_or(|(known, _)| known < number) {
                sent.newest = Some((*number, record::witness(entry)));
            }
        }
        Ok(())
    }
}

/// From where a round ships.
#[derive(Clone, Copy)]
struct Start {
    after: u64,
    restored: bool,
    /// The till's business day when the round began.
    day: i64,
}

/// What the batches of a round have come to.
#[derive(Default)]
struct Sent {
    /// The name of the round, and how many parts of it were taken.
    round: String,
    parts: u32,
    accepted: Accepted,
    /// The entry with the highest number, and that number.
    newest: Option<(u64, Witness)>,
    records: usize,
}

/// The pause after so many failures in a row: from a second to five minutes, and up to half of that more, so that a thousand
/// tills that have lost their collector do not come back at once. `chance` is any number.
pub fn pause(failures: u32, chance: u64) -> Duration {
    let whole = Duration::from_secs(1).saturating_mul(1 << failures.saturating_sub(1).min(16)).min(PAUSE_MAX);
    let more = u32::try_from(chance % 1000).unwrap_or_default();
    whole + whole * more / 2000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(1, 0), Duration::from_secs(1));
        assert_eq!(pause(4, 0), Duration::from_secs(8));
        assert_eq!(pause(30, 0), PAUSE_MAX);
        assert!(pause(30, 999) <= PAUSE_MAX * 3 / 2 && pause(1, 999) > Duration::from_millis(1400));
        assert_eq!(pause(0, 0), Duration::from_secs(1));
    }
}
