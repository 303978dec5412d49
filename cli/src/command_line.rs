//! The command line: its commands, their help, their examples.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::calls::{self, Confirm, Consume, Lookup, Pending, Quote, Reverse, Settle};
use crate::commands::{certify, collect, completions, doctor, journal, read, recover, sandbox, sign};
use crate::examples::EXAMPLES;
use crate::exit;
use crate::settings::SIMULATOR;

/// Member coupons and stored value of the zvcms platform: a simulator of its gateway, the library's calls, and the
/// checks to run before a till goes live.
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
    /// Quotes the discount of a coupon on a basket; takes nothing
    Quote(calls::Arguments<Quote>),
    /// Deducts coupons, stored balance or both from a member; a payment password goes into --request only
    Consume(calls::Arguments<Consume>),
    /// Reverses a whole consume (冲正)
    Reverse(calls::Arguments<Reverse>),
    /// Shows the outcome of a bizId from the journal, and acknowledges it for the till
    Lookup(calls::Arguments<Lookup>),
    /// Lists every unsettled sale, or every sale of a business day
    Pending(calls::Arguments<Pending>),
    /// Settles now every sale that can be settled, and lists the rest
    Recover(recover::Arguments),
    /// Confirms that the till has stored its sale (option confirm of the configuration)
    Confirm(calls::Arguments<Confirm>),
    /// Records a person's decision about a sale whose outcome cannot be determined
    Settle(calls::Arguments<Settle>),
    /// Sends a request that takes nothing: for a member, for coupons, or an action of call_actions
    Call(read::Arguments),
    /// Shows and exports the journal
    #[command(subcommand)]
    Journal(journal::Command),
    /// Shows each step of a signature, but never the key; sends nothing
    Sign(sign::Arguments),
    /// Checks everything that a till's payments depend on, and says what to fix
    Doctor(doctor::Arguments),
    /// Runs a till program through every way a payment can end, and says what to fix
    Certify(certify::Arguments),
    /// Gathers the journals of a chain's tills in one place, and closes its day
    #[command(subcommand)]
    Collect(collect::Command),
    /// Prints completions for a shell
    Completions(completions::Arguments),
}

/// The whole command line, with examples and exit codes under each command's help.
pub fn command() -> clap::Command {
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

/// The arguments of the process, where `--sandbox` takes the next one only if it is an address: clap would take any,
/// and `zv call --sandbox member_lookup` would have no action.
fn own_words(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words = words.into_iter().peekable();
    let mut out = Vec::new();
    while let Some(word) = words.next() {
        let addressed = words.peek().is_some_and(|next| next.to_string_lossy().contains(':'));
        match word.to_str() {
            // The arguments after it belong to another program.
            Some("--") => {
                out.push(word);
                out.extend(words);
                break;
            }
            Some("--sandbox") if !addressed => out.push(format!("--sandbox={SIMULATOR}").into()),
            _ => out.push(word),
        }
    }
    out
}

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let words = own_words(std::env::args_os());
    let read =
        command().try_get_matches_from(words).and_then(|matches| CommandLine::from_arg_matches(&matches));
    match read {
        Ok(line) => line.command.run(),
        // Help and version are returned as errors, too; a closed stdout is not an error.
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
            Command::Collect(command) => command.run(),
            Command::Completions(arguments) => arguments.run(command()),
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
    fn sandbox_takes_only_an_address() {
        let own = |line: &str| {
            let words = own_words(line.split(' ').map(OsString::from));
            words.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        let given = format!("--sandbox={SIMULATOR}");
        for (line, wanted) in [
            ("zv call --sandbox member_lookup", format!("zv call {given} member_lookup")),
            ("zv call member_lookup --sandbox", format!("zv call member_lookup {given}")),
            ("zv call --sandbox /v3/member --json", format!("zv call {given} /v3/member --json")),
            ("zv call --sandbox http://h:1 x", "zv call --sandbox http://h:1 x".to_owned()),
            // A mistake that is reported in the option's own words.
            ("zv quote --sandbox localhost:1", "zv quote --sandbox localhost:1".to_owned()),
            ("zv certify -- zv call --sandbox x", "zv certify -- zv call --sandbox x".to_owned()),
        ] {
            assert_eq!(own(line), wanted, "{line}");
        }
        let optional = |command: &clap::Command| -> Vec<String> {
            let arguments = command.get_arguments().filter(|arg| {
                arg.get_action().takes_values() && arg.get_num_args().is_some_and(|n| n.min_values() == 0)
            });
            arguments.map(|arg| arg.get_id().to_string()).collect()
        };
        let command = command();
        let leaves = command.get_subcommands().flat_map(clap::Command::get_subcommands);
        for sub in command.get_subcommands().chain(leaves) {
            let found = optional(sub);
            assert!(found.is_empty() || found == ["sandbox"], "{}: {found:?}", sub.get_name());
        }
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
