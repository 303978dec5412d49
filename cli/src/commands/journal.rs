//! `zv journal`: the contents of the journal, for people and for spreadsheets. Showing a sale here does not tell the
//! library that the till knows its result.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::calls::ask;
use super::journal_move::Move;
use crate::settings::Common;
use crate::till::Recipient;

const WHAT: &str = "reading the journal";

/// The commands of `zv journal`.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Shows entries as a table: today's, a day's, the unsettled ones, or one sale
    Show(Show),
    /// Writes every sale of a business day to standard output, for comparison with the till's own records
    Export(Export),
    /// Moves the journal between a file and a database, while no till and no node uses it
    Move(Move),
}

/// The arguments of `zv journal show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// One sale, with everything that the journal has about it
    #[arg(long, alias = "bizId", value_name = "ID", conflicts_with_all = ["unsettled", "day"])]
    biz_id: Option<String>,

    /// The unsettled sales of every day
    #[arg(long, conflicts_with = "day")]
    unsettled: bool,

    /// A business day such as 2026-11-22, today or yesterday
    #[arg(long, value_name = "DAY", default_value = "today")]
    day: String,

    /// The configured account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    #[command(flatten)]
    common: Common,
}

/// The arguments of `zv journal export`.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// A business day such as 2026-11-22, today or yesterday
    #[arg(long, value_name = "DAY", default_value = "today")]
    day: String,

    /// The format; csv suits a spreadsheet
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = ["csv", "ndjson"])]
    format: String,

    /// The configured account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    #[command(flatten)]
    common: Common,
}

impl Command {
    /// Reads the journal.
    pub(crate) fn run(self) -> ExitCode {
        match self {
            Command::Show(arguments) => arguments.run(),
            Command::Export(arguments) => arguments.run(),
            Command::Move(arguments) => arguments.run(),
        }
    }
}

impl Show {
    fn run(self) -> ExitCode {
        if let Some(biz_id) = &self.biz_id {
            let request = request(json!({ "bizId": biz_id }), self.account.as_deref());
            return ask(&self.common, WHAT, Recipient::Onlooker, move |library| library.look_up(&request));
        }
        let filter = if self.unsettled { json!({}) } else { json!({ "day": self.day }) };
        let request = request(filter, self.account.as_deref());
        ask(&self.common, WHAT, Recipient::Onlooker, move |library| library.pending(Some(&request)))
    }
}

impl Export {
    fn run(self) -> ExitCode {
        let filter = json!({ "day": self.day, "format": self.format });
        let request = request(filter, self.account.as_deref());
        ask(&self.common, WHAT, Recipient::Onlooker, move |library| library.pending(Some(&request)))
    }
}

fn request(mut request: Value, account: Option<&str>) -> String {
    if let (Some(object), Some(account)) = (request.as_object_mut(), account) {
        object.insert("account".to_owned(), account.into());
    }
    request.to_string()
}
