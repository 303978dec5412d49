//! What the journal of several nodes asks of a database. Each method is one statement in one round trip, committed by
//! itself: a pooler may give the next statement to another connection. No statement depends on a session, on the
//! database's clock or on a lock that outlives it.

use std::time::{Duration, Instant};

use crate::journal::{Guard, JournalError, Page};
use crate::payment::{Entry, Key, Owner};

/// A random number that is drawn for each record: with it, a repeated statement recognises what it has written before.
pub type Token = u64;

/// Why a statement has no answer.
#[derive(Clone, Debug)]
pub enum Failure {
    /// It may have been carried out, may be carried out yet, or is carried out and not durable.
    Ambiguous(String),
    /// It was not carried out: no connection, or the database was not ready for it.
    Away(String),
    /// The database refuses it, or holds what cannot be read. The same statement would fail again.
    Refused(JournalError),
}

/// One record to write.
#[derive(Clone, Copy, Debug)]
pub struct Write<'w> {
    /// The record: written as the first of its key, or over exactly the revision before its own.
    pub entry: &'w Entry,
    /// The number that is drawn for it.
    pub token: Token,
    /// Which unsettled sales of others keep it out. An intent of a node that is not dead keeps nothing out.
    pub guard: Guard,
    /// The node that must not be dead for it to be written.
    pub by: Option<&'w Owner>,
}

/// The record of a bizId as it is in the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The record.
    pub entry: Entry,
    /// The number of this record.
    pub token: Token,
    /// The numbers of the records before it, newest first, as far as they are kept.
    pub earlier: Vec<Token>,
}

impl Standing {
    /// Whether the record of that number was written under this key: as the present one or before it.
    pub fn has_written(&self, token: Token) -> bool {
        self.token == token || self.earlier.contains(&token)
    }
}

/// How many numbers of earlier records are kept: more than any record is repeated over.
pub const EARLIER_KEPT: usize = 32;

/// A node as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name; another one after each start.
    pub owner: Owner,
    /// The number of its latest beat: a node counts its tries, and each has another number.
    pub beat: u64,
    /// It has left, or an observer has declared that it no longer lives. That never changes back.
    pub dead: bool,
}

/// Who settles what no call settles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The node.
    pub owner: Owner,
    /// Grows with each change of the node.
    pub term: u64,
}

/// What one reading of all nodes shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Every node that is not forgotten.
    pub nodes: Vec<Node>,
    /// Who settles; `None` before the first one.
    pub role: Option<Role>,
}

/// The lists of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The unsettled ones that the library itself may still settle.
    Due,
    /// The unsettled ones.
    Unsettled,
    /// The sales that are valid because their refund was refused, with their details.
    RefusedRefunds,
    /// The successes that the till has not read, or not confirmed though it must.
    Unfinished,
}

/// A database that several nodes share. Every method may be called from any thread, and returns by about `until`, as
/// measured by [`Database::now`].
pub trait Database: Send + Sync {
    /// The time of deadlines.
    fn now(&self) -> Instant;

    /// A time that goes on while the machine is suspended, since any fixed moment; for leases. A clock of this node only.
    fn uptime(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);

    /// A random number.
    fn token(&self) -> Token;

    /// The journal's own identity.
    fn id(&self) -> String;

    /// Where it is, without secrets, for messages.
    fn place(&self) -> String;

    /// Writes a record if all conditions hold. `true` says that it is durable; with `false` nothing was written by this
    /// statement, but an earlier try may have been.
    fn write(&self, write: &Write<'_>, until: Instant) -> Result<bool, Failure>;

    /// Writes exactly this record over itself, so that `true` says that it is durable. `false`: it is no longer the record.
    fn confirm(&self, standing: &Standing, until: Instant) -> Result<bool, Failure>;

    /// Notes of several records that the till has read them: each over its own revision, with the number beside it. What
    /// has changed meanwhile is left as it is.
    fn acknowledge(&self, records: &[(Entry, Token)], until: Instant) -> Result<(), Failure>;

    /// The records of these keys, in any order.
    fn standing(&self, keys: &[Key], until: Instant) -> Result<Vec<Standing>, Failure>;

    /// A record that keeps this one out by its guard.
    fn keeping_out(&self, write: &Write<'_>, until: Instant) -> Result<Option<Entry>, Failure>;

    /// A page of a list, oldest first.
    fn list(&self, list: List, page: Page<'_>, until: Instant) -> Result<Vec<Entry>, Failure>;

    /// The intents of these nodes that have no outcome.
    fn sending_of(&self, owners: &[Owner], until: Instant) -> Result<Vec<Entry>, Failure>;

    /// The entries near a business day, and those that were filed under it from afar; see `journal::filed`.
    fn near_day(&self, day: i64, until: Instant) -> Result<Vec<Entry>, Failure>;

    /// At most so many entries that were settled before that moment and have their details; none if fewer than `days` days
    /// with sales have followed.
    fn settled_before(
        &self,
        unix_ms: i64,
        days: i64,
        limit: usize,
        until: Instant,
    ) -> Result<Vec<Entry>, Failure>;

    /// When the newest sale began, by its till's clock.
    fn newest_unix_ms(&self, until: Instant) -> Result<Option<i64>, Failure>;

    /// Whether an answer of this account has ever carried another bizId than was sent.
    fn has_other_biz_ids(&self, key: &Key, until: Instant) -> Result<bool, Failure>;

    /// Whether the bizId has a record under another account.
    fn stands_elsewhere(&self, key: &Key, until: Instant) -> Result<bool, Failure>;

    /// Another record of the account under that bizId, or whose answer carried it.
    fn other_sale_of(&self, key: &Key, returned: &str, until: Instant) -> Result<Option<Entry>, Failure>;

    /// Whether another record of the account names that coupon, as far as details are kept.
    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str, until: Instant) -> Result<bool, Failure>;

    /// Called for the present name of this node at each beat: from then on processes of the same machine can tell that it has
    /// ended, where they share what proves it.
    fn hold(&self, owner: &Owner) {
        let _ = owner;
    }

    /// Whether the process of that name is known to have ended. `false` says nothing.
    fn has_ended(&self, owner: &Owner) -> bool {
        let _ = owner;
        false
    }

    /// Adds a node. Adding the same one again changes nothing.
    fn join(&self, owner: &Owner, until: Instant) -> Result<(), Failure>;

    /// Raises the number of a node's latest beat to this one, unless it is as high, and returns the one before. `None`: it is
    /// dead, or not there. With 0 it raises nothing and waits for the commit.
    fn beat(&self, owner: &Owner, number: u64, until: Instant) -> Result<Option<u64>, Failure>;

    /// All nodes and who settles.
    fn nodes(&self, until: Instant) -> Result<Membership, Failure>;

    /// One node.
    fn node(&self, owner: &Owner, until: Instant) -> Result<Option<Node>, Failure>;

    /// Declares a node dead if its beat is still that one. With `None` in any case: the node itself leaves.
    fn bury(&self, owner: &Owner, beat: Option<u64>, until: Instant) -> Result<(), Failure>;

    /// Gives the role to a node if it is still as it was seen.
    fn claim(&self, owner: &Owner, seen: Option<&Role>, until: Instant) -> Result<bool, Failure>;

    /// Removes the dead nodes that no unsettled entry and no role names.
    fn forget(&self, until: Instant) -> Result<(), Failure>;
}
