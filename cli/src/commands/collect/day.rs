//! `zv collect day`: a business day of the chain, and its closing.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use zvpos_collect::report::{DayReport, NotClosed, Silent, TillDay, close, day_report, resolve_day};
use zvpos_collect::words::Words;
use zvpos_core::calendar::timestamp;
use zvpos_core::clock::machine_unix_ms;
use zvpos_core::money::yuan;
use zvpos_core::outcome::{Lang, Outcome};

use super::{Place, failed};
use crate::exit::{self, Failure};
use crate::output::{Rows, print, safe, say};
use crate::settings::Language;

/// So many lines of a list are printed; --json has all of them.
const LINES_MAX: usize = 50;

/// The arguments of `zv collect day`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A business day such as 2026-11-22, today or yesterday
    #[arg(long, value_name = "DAY", default_value = "today")]
    day: String,

    /// The chain (default: the only one)
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,

    /// Close the day: store its report, with which later ones are compared
    #[arg(long, requires = "by")]
    close: bool,

    /// Who closes the day
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    /// Close the day though something is open, missing or different
    #[arg(long, requires = "close")]
    accept: bool,

    /// After so many minutes without a word a till is silent
    #[arg(long, value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    silent_after: u16,

    // Not the `--json` of the calls, which prints the library's answer.
    /// Print the report as JSON and nothing else
    #[arg(long = "json", id = "json_report")]
    json: bool,

    /// The language of the output
    #[arg(long, value_name = "LANG", default_value = "zh-CN")]
    lang: Language,

    #[command(flatten)]
    place: Place,
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut store = self.place.open()?;
        let now_ms = machine_unix_ms();
        let days = store.business_days().map_err(|error| failed(&error))?;
        let day = resolve_day(&self.day, days, now_ms)
            .ok_or_else(|| Failure::invalid("a day is like 2026-11-22, today or yesterday"))?;
        let chains = store.chains().map_err(|error| failed(&error))?;
        let chain = match (&self.chain, chains.as_slice()) {
            (Some(chain), _) if chains.contains(chain) => chain,
            (None, [chain]) => chain,
            (None, []) => return Err(Failure::invalid("no till is enrolled; see zv collect enroll")),
            _ => return Err(Failure::invalid(format!("--chain is one of: {}", chains.join(", ")))),
        };
        let silent_after = Duration::from_mins(self.silent_after.into()).as_millis();
        let times = (now_ms, i64::try_from(silent_after).unwrap_or(i64::MAX));
        let closed = if self.close {
            close(&mut store, chain, day, (self.by.as_deref().unwrap_or_default(), self.accept), times)
        } else {
            day_report(&mut store, chain, day, times).map_err(NotClosed::Failed)
        };
        match closed {
            Ok(report) => {
                self.show(&report)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(NotClosed::Failed(error)) => Err(failed(&error)),
            Err(NotClosed::NotClean(report)) => {
                self.show(&report)?;
                say(match Lang::from(self.lang) {
                    Lang::ZhCn => "zv: 未日结：先处理以上问题，或加 --accept",
                    Lang::En => "zv: not closed: settle what is listed, or use --accept",
                });
                Ok(exit::code(Outcome::Declined))
            }
        }
    }

    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        Lang::from(self.lang).pick(zh, en)
    }

    fn said<'w>(&self, words: &'w Words) -> &'w str {
        self.pick(&words.zh, &words.en)
    }

    fn show(&self, report: &DayReport) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string(report).map_err(|error| Failure::internal(error.to_string()))?;
            print(&format!("{text}\n"));
            return Ok(());
        }
        let mut rows = Rows::default();
        let mut put = |name: &str, value: &str| rows.push(name, &safe(value));
        put(self.pick("连锁", "chain"), &report.chain);
        put(self.pick("营业日", "day"), &report.day);
        put(self.pick("合计", "total"), &self.sums(&report.total));
        for shop in &report.shops {
            put(&format!("  {}", safe(&shop.shop)), &self.sums(shop));
        }
        let reasons: Vec<&str> = report.reasons.iter().map(|words| self.said(words)).collect();
        let state = if report.clean {
            self.pick("无未结、无缺口、无差异", "nothing is open, missing or different").to_owned()
        } else {
            reasons.join(self.pick("，", ", "))
        };
        put(self.pick("状态", "state"), &state);
        if let Some(closed) = &report.closed {
            put(self.pick("日结", "closed"), &format!("{} {}", timestamp(closed.unix_ms), closed.by));
        }
        print(&(rows.to_text() + &self.lists(report)));
        Ok(())
    }

    fn sums(&self, day: &TillDay) -> String {
        let (count, back) = (day.sales.count, day.refunds.count);
        match Lang::from(self.lang) {
            Lang::ZhCn => {
                format!("{count} 笔 {}，退 {back} 笔 {}，净额 {}", day.sales.sum, day.refunds.sum, day.net)
            }
            Lang::En => format!(
                "{count} sales {}, {back} refunds {}, net {}",
                day.sales.sum, day.refunds.sum, day.net
            ),
        }
    }

    /// Everything that keeps the day from being clean, and the silent tills.
    fn lists(&self, report: &DayReport) -> String {
        let till = |silent: &Silent| format!("{} {}: {}", silent.shop, silent.till, self.said(&silent.words));
        let open = report.unsettled.iter().map(|open| {
            let amount = open.amount.map(yuan).unwrap_or_default();
            format!("{} {} {} {} {amount}", open.shop, open.till, open.biz_id, open.stage)
        });
        let differences = report.differences.iter().map(|difference| {
            let biz_id = difference.biz_id.as_deref().unwrap_or_default();
            format!("{} {biz_id} {}", difference.till, self.said(&difference.words))
        });
        let gaps =
            report.gaps.iter().map(|gap| format!("{} {}: {}", gap.shop, gap.till, self.said(&gap.words)));
        let lists: [(&str, &str, Vec<String>); 5] = [
            ("无消息的收银机", "silent tills", report.silent.iter().map(till).collect()),
            (
                "未传完当日记录",
                "tills that lack something of the day",
                report.behind.iter().map(till).collect(),
            ),
            ("未结", "unsettled", open.collect()),
            ("缺口", "gaps", gaps.collect()),
            ("差异", "differences", differences.collect()),
        ];
        let lists = lists.into_iter().filter(|(.., lines)| !lines.is_empty());
        let shown = lists.flat_map(|(zh, en, lines)| {
            let title = format!("\n{} ({})\n", self.pick(zh, en), lines.len());
            let lines: Vec<_> =
                lines.iter().take(LINES_MAX).map(|line| format!("  {}\n", safe(line.trim()))).collect();
            std::iter::once(title).chain(lines)
        });
        shown.collect()
    }
}
