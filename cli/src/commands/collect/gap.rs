//! `zv collect gap`: the gaps, and that a person has looked at one.

use std::process::ExitCode;

use clap::Args;
use zvpos_collect::report::GapLine;
use zvpos_collect::store::Accepted;
use zvpos_core::clock::machine_unix_ms;
use zvpos_core::outcome::Lang;

use super::{Place, chain, day, failed, name, reason};
use crate::exit::Failure;
use crate::output::{print, safe};
use crate::settings::Language;

/// The arguments of `zv collect gap`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The number of the gap that a person has looked at; without it the gaps are listed
    #[arg(long, value_name = "NUMBER", requires_all = ["by", "reason"])]
    accept: Option<i64>,

    /// The chain (default: the only one)
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,

    /// Who has looked at it
    #[arg(long, value_name = "NAME", value_parser = name, requires = "accept")]
    by: Option<String>,

    /// What was found
    #[arg(long, value_name = "TEXT", value_parser = reason, requires = "accept")]
    reason: Option<String>,

    /// The language of the output
    #[arg(long, value_name = "LANG", default_value = "zh-CN")]
    lang: Language,

    #[command(flatten)]
    place: Place,
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut store = self.place.open()?;
        let chain = chain(&mut store, self.chain.as_deref())?;
        if let (Some(gap), Some(by), Some(reason)) = (self.accept, self.by, self.reason) {
            let accepted = Accepted { by, ms: machine_unix_ms(), reason };
            if !store.accept_gap(&chain, gap, &accepted).map_err(|error| failed(&error))? {
                return Err(Failure::invalid(format!("--accept: {chain} has no open gap {gap}")));
            }
        }
        let open = store.gaps(&chain).map_err(|error| failed(&error))?;
        let accepted = store.accepted_gaps(&chain).map_err(|error| failed(&error))?;
        let lang = Lang::from(self.lang);
        let lines = open.iter().chain(&accepted).map(|gap| day::gap_text(&GapLine::of(gap), lang));
        let lines: Vec<String> = lines.map(|line| safe(&line)).collect();
        let text = if lines.is_empty() {
            lang.pick("没有缺口", "there is no gap").to_owned()
        } else {
            lines.join("\n")
        };
        print(&format!("{text}\n"));
        Ok(ExitCode::SUCCESS)
    }
}
