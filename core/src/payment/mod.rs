//! A consume from its intent to its settled outcome: pure functions over [`Entry`], the one durable record of a bizId.
//! This module has no I/O, clock, thread or randomness; `runtime` carries out the effects, and the simulation runs the
//! same runtime on a simulated machine.
//!
//! ```text
//! request ──▶ Sending ──▶ Succeeded | Declined | NotSent
//!                 └─ anything else ─▶ Unknown (hold) ──────────────┐
//!                                  └▶ Reversing ──▶ Reversed       ├▶ Kept | Undone (a person)
//!                                             ├──▶ Refused ────────┤
//!                                             └──▶ Unproven ───────┘
//! Succeeded ─ a till asks ─▶ Reversing (a refund) ──▶ Reversed
//!                                  └─ every try refused ─▶ Kept (the sale is valid)
//! Declined | NotSent ─ a till asks ─▶ Reversed (a void: the bizId is closed)
//! presumed dead, and later ended without proof ─▶ Unknown | Reversing, re-opened
//! its owner died while Sending ──▶ as "anything else"
//! ```

mod backoff;
pub mod consume;
mod entry;
pub(crate) mod made_biz_id;
pub mod quotes;
pub mod reconcile;
mod resign;
pub mod restart;
pub mod reversal;
pub mod schedule;
pub mod settlement;
mod times;

pub(crate) use entry::Settlement;
pub use entry::{Confirmation, Detail, Entry, Key, OnUnknown, Owner, Reversal, Said, Stage};
pub(crate) use resign::Resign;
pub(crate) use times::EARLIEST_MS;
pub use times::{Moment, Times};
