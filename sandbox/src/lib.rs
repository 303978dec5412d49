//! A simulator of the zvcms gateway, for testing tills without a real gateway.
//!
//! [`rules`] is the gateway and [`faults`] are the faults between a till and the gateway, both without I/O; [`server`]
//! puts both behind a socket. This crate shares no code with the library under test, so that a mistake in one cannot
//! cancel out a mistake in the other.
#![forbid(unsafe_code)]

pub mod faults;
pub mod rules;
pub mod server;
mod words;

pub use self::words::Words;
