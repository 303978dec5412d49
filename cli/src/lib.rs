//! `zv`: the library on the command line, used as a till uses it, and the simulator of its gateway. A library of its
//! own, so that the reference pages can be written from the command line's description.
#![forbid(unsafe_code)]

mod command_line;
mod commands;
mod examples;
mod exit;
mod fields;
mod output;
mod progress;
mod request;
mod settings;
mod till;
mod wait;

pub use command_line::{command, run};
