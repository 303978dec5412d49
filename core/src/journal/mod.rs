//! What is durable: one [`Entry`] for each bizId, on stable storage before the first byte leaves and before the
//! till is told.

mod in_flight;
mod late;
mod liveness;
mod location;
mod process_lock;
mod sqlite;

pub use in_flight::{InFlight, InFlightCall};
pub use late::Late;
pub use liveness::{MissingOwners, Presence, may_be_running, owner_name};
pub use location::{
    FILE as DEFAULT_FILE, Location, default_location, machine_folder, network_kind, user_folder,
};
pub use process_lock::{Opening, ProcessLock, folder as owners_folder, guard_lock_by};
pub use sqlite::{Inspection, Sqlite, inspect};

use std::time::Instant;

use crate::gateway::Identity;
use crate::outcome::codes::Code;
use crate::payment::{Entry, Key, Owner, Stage};

/// Which unsettled sales keep a new one from being sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Those of the same member or of one of the same coupons.
    #[default]
    Member,
    /// Those of one of the same coupons.
    Coupon,
    /// None.
    Off,
}

impl Guard {
    /// Whether an unsettled entry keeps a request from being sent.
    pub fn holds_back(self, unsettled: &Entry, request: &Identity) -> bool {
        match self {
            Guard::Off => false,
            _ if !unsettled.holds_back() => false,
            Guard::Coupon => unsettled.touches_coupon(request),
            Guard::Member => unsettled.touches_member(request) || unsettled.touches_coupon(request),
        }
    }

    /// Whether another entry keeps a record out. A consume that is only running is not in doubt; one whose process died is.
    pub fn keeps_out(
        self,
        record: &Entry,
        other: &Entry,
        may_be_running: impl FnOnce(&Entry) -> bool,
    ) -> bool {
        other.key() != record.key()
            && other.key().open_id == record.key().open_id
            && other.key().endpoint == record.key().endpoint
            && other.stage().is_unsettled()
            && self.holds_back(other, record.identity())
            && (other.stage() != Stage::Sending || !may_be_running(other))
    }
}

/// Proof that a record is durable: a consume or a reversal cannot be sent without one.
#[derive(Debug)]
pub struct Receipt {
    revision: u64,
}

impl Receipt {
    /// Only a journal that has flushed the record may call this.
    pub fn of(entry: &Entry) -> Receipt {
        Receipt { revision: entry.revision() }
    }

    /// The revision that is durable.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}

/// What came of a record.
#[derive(Debug)]
pub enum Recorded {
    /// It is on stable storage.
    Done(Receipt),
    /// Something else stands there; nothing was written.
    Existing(Entry),
    /// Another sale of the same member or coupon is unsettled; nothing was written.
    InDoubt(Entry),
}

/// What a journal does about a record.
#[derive(Debug)]
pub enum Admission {
    /// It is written.
    Write,
    /// Something keeps it out.
    KeptOut(Box<Recorded>),
    /// The revision before it is gone.
    Vanished,
}

/// Whether a record may be written over what stands. What stands under its own bizId is told as it is, before the guard is
/// asked: only what would be written is held back.
pub fn admit<E>(
    standing: Option<Entry>,
    record: &Entry,
    held_back: impl Fn() -> Result<Option<Entry>, E>,
) -> Result<Admission, E> {
    let fits = standing.as_ref().map_or(0, Entry::revision) + 1 == record.revision();
    Ok(match standing {
        Some(found) if !fits => Admission::KeptOut(Box::new(Recorded::Existing(found))),
        None if !fits => Admission::Vanished,
        _ => match held_back()? {
            Some(other) => Admission::KeptOut(Box::new(Recorded::InDoubt(other))),
            None => Admission::Write,
        },
    })
}

/// The journal could not do what was asked of it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct JournalError {
    /// From the table of codes: what kind, and what to do.
    pub code: &'static Code,
    /// In words.
    pub message: String,
}

impl JournalError {
    /// An error of that kind.
    pub fn new(code: &'static Code, message: impl Into<String>) -> JournalError {
        JournalError { code, message: message.into() }
    }
}

/// The place where entries are kept. Every method may be called from any thread and from several processes.
pub trait Journal: Send + Sync {
    /// Records an entry of revision 1 where nothing stands, or of a later revision over the one before it.
    /// With a guard the entry is not recorded while another unsettled one holds it back. Where others hold the
    /// journal, it waits for them until then, and at least for a moment.
    fn record(&self, entry: &Entry, guard: Guard, until: Instant) -> Result<Recorded, JournalError>;

    /// Records several over the revisions before them, in one transaction: what came of each, in their order.
    fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>>;

    /// What stands under a bizId.
    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError>;

    /// Every entry that is unsettled, oldest first.
    fn unsettled(&self) -> Result<Vec<Entry>, JournalError>;

    /// Every sale that stands because its refund was refused, as far as details are kept.
    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError>;

    /// Every success that the till has not read, or not confirmed though it must, oldest first.
    fn unfinished(&self) -> Result<Vec<Entry>, JournalError>;

    /// Every entry that may be filed under that business day, and others near it, oldest first: those whose intent was
    /// recorded within two days of it by the machine's clock, and those that were filed far from there.
    fn near_day(&self, day: i64) -> Result<Vec<Entry>, JournalError>;

    /// The till has read that this succeeded. It rides on the next record, or on [`Journal::close`].
    fn acknowledge(&self, key: Key);

    /// Writes down what was only acknowledged; the journal may be used on.
    fn close(&self);

    /// Whether this account has ever answered with another bizId than the one that was sent.
    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError>;

    /// The identity of this journal: random, new with the file and when a person accepts that records are lost. Only
    /// where the till's attempt was made under the same one does "no record" mean that nothing was sent.
    fn id(&self) -> Result<String, JournalError>;

    /// Whether the bizId stands under another account or endpoint.
    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError>;

    /// Another sale of this account that a reversal by that bizId would undo.
    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError>;

    /// Whether another sale of this account names that coupon, as far as details are kept.
    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> Result<bool, JournalError>;

    /// Whether the process of that name still lives, as far as its lock says. Where its lock's file is gone it does not;
    /// what it may still be carrying out says [`Journal::may_be_running`].
    fn is_alive(&self, owner: &Owner) -> bool;

    /// This process.
    fn owner(&self) -> &Owner;

    /// The consumes that this process is carrying out.
    fn in_flight(&self) -> &InFlight;

    /// Whether the attempt of an intent may still be running: here, or in another process that lives or may live.
    fn may_be_running(&self, entry: &Entry) -> bool;
}
