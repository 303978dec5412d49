//! Everything zvpos knows, without a line of `unsafe`: what goes over the wire, what an answer proves,
//! what a consume is, and the one envelope that every call is answered with.
//!
//! The C ABI lives in the root package and adds nothing to the rules here. Imports run one way:
//! `api → runtime → journal, transport → payment → gateway → schema → outcome, money, secret`.
#![forbid(unsafe_code)]

pub mod api;
pub mod bytes;
pub mod calendar;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod journal;
pub mod json;
pub mod log;
pub mod money;
pub mod outcome;
pub mod payment;
pub mod rights;
pub mod runtime;
pub mod schema;
pub mod secret;
pub mod text;
pub mod transport;
pub mod world;
