//! A simulator of the zvcms gateway, for tills that must be tested where there is no gateway.
//!
//! [`rules`] is the gateway without any I/O, [`faults`] is what can go wrong on the way to it, also without I/O, and
//! [`server`] puts both behind a socket. It shares no code with the library that it tests, so that a mistake in one
//! cannot cancel out a mistake in the other.
#![forbid(unsafe_code)]

pub mod faults;
pub mod rules;
pub mod server;
mod words;

pub use self::words::Words;
