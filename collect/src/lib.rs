//! Gathers the journals of a chain's tills in one place. Each till ships its changed entries, at least once, to a collector,
//! which keeps a copy for people: who is silent, what is missing, what is unsettled anywhere, and the sums of a day. The
//! till's own journal is the truth; nothing about money is decided from the copy.
#![forbid(unsafe_code)]

pub mod digest;
pub mod page;
pub mod report;
pub mod serve;
pub mod ship;
pub mod store;
pub mod wire;
pub mod words;
