//! The actions of the cashier, and of the person who settles unknown outcomes.

use std::thread;
use std::time::{Duration, Instant};

use super::{Continued, SETTLE_LIMIT, Session};
use crate::attribution::{trace_in, whose};
use crate::protocol::{self, TillReport};
use crate::rule::{Finding, Rule};
use crate::sale::{Sale, SaleState};
use crate::scenario::Step;
use crate::text::text;

/// How often the cashier checks the list for the expected result. The event itself happens before that.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

impl Session<'_> {
    pub(super) fn sell(&mut self, till: u8, sale: &Sale) -> Continued<()> {
        self.begin(till, sale)?;
        self.wait(till, 0)
    }

    pub(super) fn begin(&mut self, till: u8, sale: &Sale) -> Continued<()> {
        if !self.sales.contains(&(till, sale.clone())) {
            self.sales.push((till, sale.clone()));
        }
        self.tell(till, &protocol::sell(sale))
    }

    /// Acts as a cashier after a crash: rings a sale up if the till does not show it or allows a retry.
    pub(super) fn press(&mut self, till: u8, sale: &Sale) -> Continued<()> {
        let before = self.reports.len();
        self.ask(till, &protocol::list())?;
        let shown = self.state_since(before, till, sale.number);
        if matches!(shown, None | Some(SaleState::Retry)) { self.sell(till, sale) } else { Ok(()) }
    }

    /// Checks the list until the sale has an expected result. That may take a moment, because the till polls, too.
    pub(super) fn look(&mut self, till: u8, sale: &str, says: &[SaleState]) -> Continued<()> {
        for _ in 0..LOOKS {
            let before = self.reports.len();
            self.ask(till, &protocol::list())?;
            let reported = self.state_since(before, till, sale);
            if reported.is_some_and(|state| says.contains(&state)) {
                return Ok(());
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    pub(super) fn state_since(&self, from: usize, till: u8, sale: &str) -> Option<SaleState> {
        let since = self.reports.get(from..).unwrap_or_default();
        let of_sale = |one: &&TillReport| one.till == till && one.line.sale.as_deref() == Some(sale);
        since.iter().rev().find(of_sale).map(|one| one.line.result)
    }

    /// Compares the till's result in a step with the allowed ones.
    pub(super) fn expect(
        &mut self,
        reported: Option<SaleState>,
        sale: &str,
        says: &[SaleState],
        step: &Step,
    ) {
        if reported.is_none_or(|state| !says.contains(&state)) {
            let words = |says: &[SaleState]| says.iter().map(|one| one.word()).collect::<Vec<_>>();
            let (seen, wanted) = (reported.map_or("-", SaleState::word), words(says));
            let doing = step.words();
            self.findings.push(Finding::of(
                Rule::explaining(reported, says),
                Some(sale),
                text(
                    format!("{}: expected {}, the till said {seen}", doing.en, wanted.join(" or ")),
                    format!("{}：应为 {}，收银机报告 {seen}", doing.zh, wanted.join(" 或 ")),
                ),
            ));
        }
    }

    pub(super) fn compare(&mut self, differs: bool) -> Continued<()> {
        self.differences = 0;
        let line = protocol::day(&self.day);
        self.ask(0, &line)?;
        let found = self.differences;
        if (found > 0) == differs {
            return Ok(());
        }
        let about = if differs {
            text(
                "the journal has a sale that the till does not: no difference was named",
                "日志中有而收银机没有的交易未被列出",
            )
        } else {
            text(format!("{found} differences where there are none"), format!("并无差异，却列出 {found} 处"))
        };
        self.findings.push(Finding::of(Rule::Day, None, about));
        Ok(())
    }

    pub(super) fn person(&mut self, sale: &str, kept: bool) -> Continued<()> {
        let biz_id = self.recorded(sale, &["unknown", "unproven"])?;
        self.audit()?.settle(&biz_id, kept).map_err(|why| self.certifier_failed(why))
    }

    /// Waits until the journal has a sale in one of these stages, and returns the bizId. After a crash the library
    /// needs a moment to find out whose sale it was.
    pub(super) fn recorded(&mut self, sale: &str, stages: &[&str]) -> Continued<String> {
        let day = self.day.clone();
        let started = Instant::now();
        loop {
            let entries = self.audit()?.day(&day).unwrap_or_default();
            let entry = entries.into_iter().find(|entry| {
                stages.contains(&entry.stage.as_str())
                    && whose(&self.sales, &self.reports, &trace_in(entry))
                        .is_some_and(|(_, number)| number == sale)
            });
            if let Some(entry) = entry {
                return Ok(entry.biz_id);
            }
            if started.elapsed() >= SETTLE_LIMIT {
                let (en, zh) = (stages.join(" or "), stages.join(" 或 "));
                let why =
                    text(format!("the journal never says {en}"), format!("日志中没有状态为 {zh} 的记录"));
                return Err(self.abort(Rule::Unsettled, why));
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }
}
