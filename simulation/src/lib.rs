//! The deterministic simulation of money safety (point 1 of how it is proven): the library's own step functions and
//! its own reading of answers, the gateway's own rules, and around them simulated time, threads, processes, network
//! and disk. One seed decides everything and replays exactly.
//!
//! What is real: `transaction::{consume, settle}`, `client::tell`, the configuration's reader, the request's reader
//! and signature, `Envelope::read` and its judgements, the sandbox's rules. What imitates the library's drivers, one
//! effect at a time: [`consume`], [`reverse`], [`recovery`], [`process`], [`journal`].
#![forbid(unsafe_code)]

pub mod actor;
mod arrival;
pub mod assumption;
pub mod confirm;
pub mod consume;
mod evidence;
pub mod figures;
pub mod journal;
mod misfortune;
pub mod mutant;
pub mod network;
pub mod oracle;
pub mod plan;
pub mod process;
pub mod random;
pub mod record;
pub mod recovery;
pub mod reverse;
pub mod runner;
pub mod sale;
pub mod world;
