//! What is recorded of a consume, and the proof that it was: an intent before the first byte leaves, a
//! conclusion before the till is told.
//!
//! [`Memory`] keeps the records of one process only. It gives the till idempotency and waiting callers while
//! the process runs; it survives nothing, and `zv_init` says so.

mod memory;

pub use memory::Memory;

use std::time::Instant;

use crate::gateway::ConsumeRequest;
use crate::money::BizId;
use crate::transaction::{Conclusion, Standing};

/// What one consume is known by: nothing of one account or endpoint is ever taken for another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The account.
    pub open_id: String,
    /// Where it was sent, so that nothing of a simulator is replayed in production.
    pub endpoint: String,
    /// The till's own id.
    pub biz_id: BizId,
}

/// Proof that an intent was recorded: a consume cannot be sent without one, and only a journal makes it.
#[derive(Debug)]
pub struct RecordedIntent {
    key: Key,
    attempt: u32,
}

impl RecordedIntent {
    /// Which attempt this is, counted from 1 over the whole life of the bizId.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// What the journal says to an intent.
#[derive(Debug)]
pub enum Opened {
    /// It is recorded; the send may begin.
    Recorded(RecordedIntent),
    /// The bizId stands already for this.
    Stands(Standing),
}

/// The journal could not do what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JournalError(pub String);

/// The place where consumes are recorded. Every method may be called from any thread.
pub trait Journal: Send + Sync {
    /// Records an intent, unless the bizId stands for something. After `declined` or `not_sent` of the same
    /// request it is recorded as a further attempt.
    fn open(&self, key: &Key, request: &ConsumeRequest) -> Result<Opened, JournalError>;

    /// Waits until the attempt that runs now under that bizId has ended, or until the deadline; says what
    /// stands then.
    fn wait(&self, key: &Key, request: &ConsumeRequest, deadline: Instant) -> Result<Standing, JournalError>;

    /// Records that the same request goes out once more, newly signed.
    fn again(&self, intent: RecordedIntent) -> Result<RecordedIntent, JournalError>;

    /// Records how the attempt ended.
    fn conclude(&self, intent: RecordedIntent, conclusion: &Conclusion) -> Result<(), JournalError>;

    /// What stands under a bizId, whatever was asked: for showing it.
    fn identity(&self, key: &Key) -> Option<String>;
}
