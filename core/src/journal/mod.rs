//! The durable records: one [`Entry`] for each bizId, on stable storage before the first byte is sent and before the till
//! is answered.
//!
//! [`Store`] is the records and the questions about them, [`Liveness`] is who may still be carrying out an attempt, and
//! [`Journal`] is what the runtime uses: both of them behind a journal that may not be open yet, and the only maker of
//! [`Receipt`]s.
//!
//! [`Entry`]: crate::payment::Entry

pub mod columns;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod events;
pub mod filed;
mod guard;
mod handle;
mod in_flight;
mod liveness;
mod location;
pub mod moving;
pub mod nodes;
mod process_lock;
mod receipt;
mod shipped;
mod sqlite;
mod store;
#[cfg(test)]
mod test_folder;

pub use guard::{Admission, Guard, admit};
pub use handle::{Journal, Open};
pub use in_flight::{InFlight, InFlightCall};
pub use liveness::{Liveness, MissingOwners, Presence, may_be_running, owner_name};
pub use location::{
    FILE as DEFAULT_FILE, Location, default_location, existing_location, machine_folder, network_kind,
    user_folder,
};
pub use process_lock::{Opening, ProcessLock, folder as owners_folder, guard_lock_by};
pub use receipt::Receipt;
pub use shipped::{Shipped, Witness};
pub use sqlite::{Changed, Changes, Inspection, Look, Sqlite, StateScan, arriving, inspect, leaving};
pub use store::{Backend, Page, Recorded, Store};

use crate::outcome::codes::Code;

/// The journal could not do what was asked of it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct JournalError {
    /// The code from the table: the kind of failure, and what to do about it.
    pub code: &'static Code,
    /// The message.
    pub message: String,
}

impl JournalError {
    /// An error with that code.
    pub fn new(code: &'static Code, message: impl Into<String>) -> JournalError {
        JournalError { code, message: message.into() }
    }
}
