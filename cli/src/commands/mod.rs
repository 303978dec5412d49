//! The commands.

pub(crate) mod calls;
pub(crate) mod certify;
pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod journal;
mod journal_move;
pub(crate) mod read;
pub(crate) mod recover;
pub(crate) mod sandbox;
pub(crate) mod sign;
