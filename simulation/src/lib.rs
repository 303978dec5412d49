//! The deterministic simulation of money safety: the library's own runtime, from a request's JSON text to its answer, and
//! the gateway's own rules, on a simulated machine: time, threads, processes, network and disk. One seed decides
//! everything and replays exactly.
//!
//! What is real: everything in `zvpos_core` above its journal's file or database and its sockets. What is simulated:
//! [`machine`], and [`store`] or, for several nodes, [`database`]: the traits that the runtime acts on. Beside it each seed runs the journal's own event log over tables in
//! memory.
#![forbid(unsafe_code)]

pub mod actor;
mod arrival;
pub mod assumption;
pub mod clock;
pub mod counters;
pub mod database;
mod event_log;
mod faults;
pub mod journal;
pub mod machine;
pub mod model;
pub mod mutant;
pub mod network;
pub mod oracle;
pub mod plan;
pub mod process;
pub mod random;
mod record;
pub mod runner;
pub mod scheduler;
pub mod seed;
pub mod store;
pub mod till;
pub mod workload;
pub mod world;
