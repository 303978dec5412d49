//! The command line: its commands, their help, their examples.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::calls::{self, Confirm, Consume, Lookup, Pending, Quote, Reverse, Settle};
use crate::commands::{certify, completions, doctor, journal, read, recover, sandbox, sign};
use crate::examples::EXAMPLES;
use crate::exit;

/// Member coupons and stored value of the zvcms platform: a simulator of its gateway, the library's calls, and what
/// to run before a till goes live.
#[derive(Parser, Debug)]
#[command(name = "zv", version, propagate_version = false, max_term_width = 110)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Runs the simulator of the gateway, with made-up members, coupons and credentials
    Sandbox(sandbox::Arguments),
    /// Asks what a coupon is worth on a basket; nothing is taken
    Quote(calls::Arguments<Quote>),
    /// Takes coupons, stored balance or both from a member; a payment password goes into --request only
    Consume(calls::Arguments<Consume>),
    /// Undoes a whole consume (冲正)
    Reverse(calls::Arguments<Reverse>),
    /// Says what became of a bizId, from the journal; the till then knows it
    Lookup(calls::Arguments<Lookup>),
    /// Lists every sale that is not settled, or all of a business day
    Pending(calls::Arguments<Pending>),
    /// Settles now what can be settled, and lists what is left
    Recover(recover::Arguments),
    /// Says that the till has stored its sale (option confirm of the configuration)
    Confirm(calls::Arguments<Confirm>),
    /// Records what a person decided about a sale that nobody could find out
    Settle(calls::Arguments<Settle>),
    /// Asks the gateway for something that takes nothing: a member, coupons, what call_actions lists
    Call(read::Arguments),
    /// Shows and exports the journal
    #[command(subcommand)]
    Journal(journal::Command),
    /// Shows each step of a signature; the key is never shown and nothing is sent
    Sign(sign::Arguments),
    /// Looks at everything that a till's payments depend on, and says what to mend
    Doctor(doctor::Arguments),
    /// Leads a till program through every way a payment can end, and says what to mend
    Certify(certify::Arguments),
    /// Prints completions for a shell
    Completions(completions::Arguments),
}

/// The whole command line, with examples and exit codes under each command's help.
pub(crate) fn command() -> clap::Command {
    let mut command = CommandLine::command().after_help(after(&[]));
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(&name, |sub| {
            let inner: Vec<String> = sub.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
            let sub = sub.after_help(after(&[&name]));
            inner.iter().fold(sub, |sub, inner| {
                sub.mut_subcommand(inner, |leaf| leaf.after_help(after(&[&name, inner])))
            })
        });
    }
    command
}

fn after(path: &[&str]) -> String {
    let mut out = String::new();
    for (_, examples) in EXAMPLES.iter().filter(|(known, _)| *known == path.join(" ")) {
        out.push_str("Examples:\n");
        for example in *examples {
            for line in example.lines() {
                out.push_str("  ");
                out.push_str(line);
                out.push('\n');
            }
        }
        out.push('\n');
    }
    out.push_str(exit::help(path));
    out
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> ExitCode {
    let read = command().try_get_matches().and_then(|matches| CommandLine::from_arg_matches(&matches));
    match read {
        Ok(line) => line.command.run(),
        // Help and version, too, come as an error; a reader that stops reading is none.
        Err(error) => {
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(u8::MAX))
        }
    }
}

impl Command {
    fn run(self) -> ExitCode {
        match self {
            Command::Sandbox(arguments) => arguments.run(),
            Command::Quote(arguments) => arguments.run(),
            Command::Consume(arguments) => arguments.run(),
            Command::Reverse(arguments) => arguments.run(),
            Command::Lookup(arguments) => arguments.run(),
            Command::Pending(arguments) => arguments.run(),
            Command::Recover(arguments) => arguments.run(),
            Command::Confirm(arguments) => arguments.run(),
            Command::Settle(arguments) => arguments.run(),
            Command::Call(arguments) => arguments.run(),
            Command::Journal(command) => command.run(),
            Command::Sign(arguments) => arguments.run(),
            Command::Doctor(arguments) => arguments.run(),
            Command::Certify(arguments) => arguments.run(),
            Command::Completions(arguments) => arguments.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        let command = command();
        for sub in command.get_subcommands() {
            let leaves: Vec<String> = match sub.get_subcommands().count() {
                0 => vec![sub.get_name().to_owned()],
                _ => sub
                    .get_subcommands()
                    .map(|leaf| format!("{} {}", sub.get_name(), leaf.get_name()))
                    .collect(),
            };
            for leaf in leaves {
                let examples =
                    EXAMPLES.iter().find(|(known, _)| *known == leaf).map(|(_, examples)| *examples);
                let own = |example: &&str| example.contains(&format!("zv {leaf}"));
                assert!(examples.is_some_and(|examples| examples.iter().any(own)), "{leaf} has no example");
            }
        }
        for (known, _) in EXAMPLES {
            let found = known.split_whitespace().try_fold(&command, |at, name| at.find_subcommand(name));
            assert!(found.is_some(), "{known} is no command");
        }
    }
}
