//! `zv collect day`: a business day of the chain, and its closing.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use zvpos_collect::report::{
    DayReport, GapLine, NotClosed, Retired, Silent, Sums, TillDay, close, day_report, resolve_day,
};
use zvpos_collect::words::Words;
use zvpos_core::calendar::timestamp;
use zvpos_core::clock::machine_unix_ms;
use zvpos_core::money::yuan;
use zvpos_core::outcome::{Lang, Outcome};

use super::{Place, chain, failed, name};
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
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: Option<String>,

    /// Close the day with exactly what the report with this mark lists as open, missing or different
    #[arg(long, value_name = "MARK", requires = "close")]
    accept: Option<String>,

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
        let chain = chain(&mut store, self.chain.as_deref())?;
        let chain = chain.as_str();
        let silent_after = Duration::from_mins(self.silent_after.into()).as_millis();
        let times = (now_ms, i64::try_from(silent_after).unwrap_or(i64::MAX));
        let closed = if self.close {
            close(
                &mut store,
                chain,
                day,
                (self.by.as_deref().unwrap_or_default(), self.accept.as_deref()),
                times,
            )
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
                let mark = &report.mark;
                say(&match Lang::from(self.lang) {
                    Lang::ZhCn => format!("zv: 未日结：先处理以上问题，或用 --accept {mark} 接受以上所列"),
                    Lang::En => format!(
                        "zv: not closed: settle what is listed, or accept just that with --accept {mark}"
                    ),
                });
                Ok(exit::code(Outcome::Declined))
            }
            Err(NotClosed::Changed(report)) => {
                self.show(&report)?;
                let mark = &report.mark;
                say(&match Lang::from(self.lang) {
                    Lang::ZhCn => {
                        format!("zv: 未日结：以上内容与所接受的不同，请重新核对；现在的标记是 {mark}")
                    }
                    Lang::En => format!("zv: not closed: this is not what was accepted; its mark is {mark}"),
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
        for other in &report.other_environments {
            let sums = self.text(&other.sales, &other.refunds, &other.net);
            let environment = &other.environment;
            put(
                self.pick("测试", "test"),
                &match Lang::from(self.lang) {
                    Lang::ZhCn => format!("{sums}（{environment}，不计入合计）"),
                    Lang::En => format!("{sums} ({environment}, in no total)"),
                },
            );
        }
        let joined = |words: &[Words]| {
            words.iter().map(|words| self.said(words)).collect::<Vec<_>>().join(self.pick("，", ", "))
        };
        let state = if report.clean {
            self.pick("无未结、无缺口、无差异", "nothing is open, missing or different").to_owned()
        } else {
            joined(&report.reasons)
        };
        put(self.pick("状态", "state"), &state);
        if let Some(closed) = &report.closed {
            put(self.pick("日结", "closed"), &format!("{} {}", timestamp(closed.unix_ms), closed.by));
            if !closed.holds {
                put(self.pick("日结之后", "since then"), &joined(&report.since_closing));
            }
        }
        print(&(rows.to_text() + &self.lists(report)));
        Ok(())
    }

    fn sums(&self, day: &TillDay) -> String {
        self.text(&day.sales, &day.refunds, &day.net)
    }

    fn text(&self, sales: &Sums, refunds: &Sums, net: &str) -> String {
        let (count, back) = (sales.count, refunds.count);
        match Lang::from(self.lang) {
            Lang::ZhCn => format!("{count} 笔 {}，退 {back} 笔 {}，净额 {net}", sales.sum, refunds.sum),
            Lang::En => format!("{count} sales {}, {back} refunds {}, net {net}", sales.sum, refunds.sum),
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
        let lang = Lang::from(self.lang);
        let retired = report.retired.iter().map(|till| {
            let Retired { till, shop, day, by, unix_ms, reason } = till;
            format!("{shop} {till}: {day}, {by} {}, {reason}", timestamp(*unix_ms))
        });
        let set_aside = (report.set_aside > 0).then(|| {
            let count = report.set_aside;
            match lang {
                Lang::ZhCn => format!("{count} 笔，不再等待其结果"),
                Lang::En => format!("{count} entries, of which nothing is awaited"),
            }
        });
        let lists: [(&str, &str, Vec<String>); 8] = [
            ("无消息的收银机", "silent tills", report.silent.iter().map(till).collect()),
            (
                "未传完当日记录",
                "tills that lack something of the day",
                report.behind.iter().map(till).collect(),
            ),
            ("未结", "unsettled", open.collect()),
            ("缺口", "gaps", report.gaps.iter().map(|gap| gap_text(gap, lang)).collect()),
            ("差异", "differences", differences.collect()),
            ("已停用的收银机", "retired tills", retired.collect()),
            (
                "已核查的缺口",
                "gaps that were looked at",
                report.accepted_gaps.iter().map(|gap| gap_text(gap, lang)).collect(),
            ),
            (
                "已停用或已放弃的日志中的未结",
                "unsettled in journals that are gone",
                set_aside.into_iter().collect(),
            ),
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

/// A gap in a line: its number, its till, what it is, and who has looked at it.
pub(super) fn gap_text(gap: &GapLine, lang: Lang) -> String {
    let GapLine { gap: number, shop, till, words, accepted, .. } = gap;
    let text = format!("{number} {shop} {till}: {}", lang.pick(&words.zh, &words.en));
    match accepted {
        None => text,
        Some(looked) => format!("{text} — {} {}: {}", looked.by, timestamp(looked.unix_ms), looked.reason),
    }
}
