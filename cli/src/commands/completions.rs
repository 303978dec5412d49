//! `zv completions`: prints a shell's completion script.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

/// The arguments of `zv completions`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = clap::value_parser!(Shell))]
    shell: Shell,
}

impl Arguments {
    /// Prints the script for this command line.
    pub(crate) fn run(&self, mut command: Command) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "zv", &mut script);
        // A closed stdout is not an error.
        let _ = io::stdout().lock().write_all(&script);
        ExitCode::SUCCESS
    }
}
