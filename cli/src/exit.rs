//! Exit codes: the outcome's number, so that a script reads it as a till reads `zv_outcome`.

use std::process::ExitCode;

use zvpos_core::outcome::Outcome;

use crate::output;

/// The exit codes in a command's `--help`.
pub(crate) fn help(path: &[&str]) -> &'static str {
    match path {
        ["doctor"] => DOCTOR,
        ["certify"] => CERTIFY,
        ["sandbox"] => SANDBOX,
        ["journal", "move"] => MOVE,
        ["collect"] | ["collect", "init" | "enroll" | "serve" | "gap" | "retire"] => COLLECTOR,
        ["collect", "ship"] => SHIP,
        ["collect", "day"] => DAY,
        ["completions"] => COMPLETIONS,
        _ => CALLS,
    }
}

const DOCTOR: &str = "\
Exit codes:
  0    everything is ok, or there are only warnings
  2    invalid: the command line is wrong, or there is no configuration to read
  5    a check failed, or the bundle cannot be written";

const CERTIFY: &str = "\
Exit codes:
  0    every scenario that was run passed
  1    a scenario failed
  2    invalid: the command line is wrong, or the till cannot be started
  5    internal: this machine, such as a report that cannot be written";

const SANDBOX: &str = "\
Exit codes:
  0    stopped, or the text was printed
  2    invalid: the command line, the data or the policy
  5    internal: this machine, such as a port in use";

const MOVE: &str = "\
Exit codes:
  0    moved, or a move that had ended early is finished now
  2    invalid: the command line or the configuration is wrong, or this zv has no database
  5    refused or interrupted; the message says why, and the same command goes on";

const COLLECTOR: &str = "\
Exit codes:
  0    done, or stopped
  2    invalid: the command line, or a file that it names
  5    internal: this machine or the store";

const SHIP: &str = "\
Exit codes:
  0    everything is at the collector, or there is no journal yet
  1    the collector refuses this till or what it ships
  2    invalid: the command line or a configuration
  3    the collector is not reached; nothing is lost
  5    internal: the journal or its folder";

const DAY: &str = "\
Exit codes:
  0    the report was shown, the day was closed
  1    the day was not closed: something is open, missing or different
  2    invalid: the command line
  5    internal: this machine or the store";

const COMPLETIONS: &str = "\
Exit codes:
  0    the script was printed
  2    invalid: the command line is wrong";

/// The exit codes of the calls.
const CALLS: &str = "\
Exit codes:
  0    succeeded
  1    declined: the gateway refused, nothing was taken
  2    invalid: the request, the configuration or the command line is wrong, nothing was sent
  3    not_sent: nothing reached the gateway, retry with the same bizId
  4    unknown: money may have been taken; do what `next` says, never pay under a new bizId
  5    internal: a defect, or this machine (disk, port); this call sent nothing
  6    reversed: the sale was reversed, or can no longer take effect
  7    conflict: the bizId belongs to another sale, or the gateway refuses the reversal
  130  interrupted by Ctrl-C in a call that takes nothing";

/// Ctrl-C where no result can be in doubt; the code that shells use for it.
pub(crate) const INTERRUPTED: u8 = 130;

/// The program's own message for ending without an answer from the library.
#[derive(Debug)]
pub(crate) struct Failure {
    outcome: Outcome,
    message: String,
}

impl Failure {
    /// The command line, a file or a text of the caller's is invalid.
    pub(crate) fn invalid(message: impl Into<String>) -> Failure {
        Failure { outcome: Outcome::Invalid, message: message.into() }
    }

    /// This machine lacks something required.
    pub(crate) fn internal(message: impl Into<String>) -> Failure {
        Failure { outcome: Outcome::Internal, message: message.into() }
    }

    /// Prints the message on stderr.
    pub(crate) fn say(&self) -> ExitCode {
        output::say(&format!("zv: {}", self.message));
        code(self.outcome)
    }
}

/// The exit code of an outcome.
pub(crate) fn code(outcome: Outcome) -> ExitCode {
    // The numbers are small; one that does not fit must not be read as a success.
    ExitCode::from(u8::try_from(outcome.number()).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_outcome_with_its_number() {
        // No command returns a ticket.
        for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Running) {
            let line = format!("  {:<3}  {}", outcome.number(), outcome.as_str());
            assert!(help(&[]).lines().any(|known| known.starts_with(&line)), "{line}");
        }
    }
}
