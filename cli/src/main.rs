//! The program `zv`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    zvpos_cli::run()
}
