//! `zv completions`: prints a shell's completion script.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use crate::command_line;

/// The arguments of `zv completions`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = clap::value_parser!(Shell))]
    shell: Shell,
}

impl Arguments {
    /// Prints the script.
    pub(crate) fn run(&self) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line::command(), "zv", &mut script);
        // A closed stdout is not an error.
        let _ = io::stdout().lock().write_all(&script);
        ExitCode::SUCCESS
    }
}
