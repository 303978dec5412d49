//! The commands that block and reopen the gateway's port.

use tokio::sync::oneshot;

use crate::faults::Blockage;

/// A command to the listener; it answers `done` after the command has taken effect.
pub(super) enum Command {
    /// Block the port for this many milliseconds and reset its connections.
    Block { how: Blockage, ms: u64, done: Option<oneshot::Sender<()>> },
    /// Reopen the port now, if it is blocked.
    Open { done: oneshot::Sender<()> },
}
