//! `zv`: the library on the command line, used as a till uses it, and the simulator of its gateway.
#![forbid(unsafe_code)]

mod command_line;
mod commands;
#[cfg(test)]
mod documents;
mod examples;
mod exit;
mod fields;
mod output;
mod progress;
mod request;
mod settings;
mod till;
mod wait;

use std::process::ExitCode;

fn main() -> ExitCode {
    command_line::run()
}
