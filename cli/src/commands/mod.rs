//! The commands.

pub(crate) mod calls;
pub(crate) mod certify;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod journal;
pub(crate) mod read;
pub(crate) mod recover;
pub(crate) mod sandbox;
pub(crate) mod sign;
