//! What a consume is, from its intent to its settled end: pure functions over [`Entry`], the one durable record
//! of a bizId. No I/O, clock, thread or randomness is in here; the client and the recovery drive these functions
//! with real effects, the simulation with simulated ones.
//!
//! ```text
//! request ──▶ Sending ──▶ Succeeded | Declined | NotSent
//!                 └─ anything else ─▶ Unknown (hold) ──────────────┐
//!                                  └▶ Reversing ──▶ Reversed       ├▶ Kept | Undone (a person)
//!                                             ├──▶ Refused ────────┤
//!                                             └──▶ Unproven ───────┘
//! Succeeded ─ a till asks ─▶ Reversing (a refund) ──▶ Reversed
//!                                  └─ every try refused ─▶ Kept (it stands)
//! Declined | NotSent ─ a till asks ─▶ Reversed (a void: the bizId is closed)
//! taken for dead, and then it ends without proof ─▶ Unknown | Reversing, re-opened
//! its owner died while Sending ──▶ as "anything else"
//! ```

mod backoff;
pub mod consume;
mod entry;
pub mod reconcile;
mod resign;
pub mod restart;
pub mod reversal;
pub mod schedule;
pub mod settlement;
mod times;

pub use entry::{Confirmation, Detail, Entry, Key, OnUnknown, Owner, Reversal, Said, Settlement, Stage};
pub use resign::Resign;
pub use times::{EARLIEST_MS, Filed, Moment, Times};
