//! The report of a day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zvpos_core::calendar::{BusinessDays, date, day};

use super::difference::Difference;
use super::gap::GapLine;
use super::sums::{Both, TillDay};
use crate::store::{Age, JournalState, Open, Store, StoreError, Till};
use crate::words::Words;

/// A till that has not been heard of for long, or that has not shipped everything of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// The till.
    pub till: String,
    /// Its shop.
    pub shop: String,
    /// When it was last heard of; never, if it is absent.
    pub seen_unix_ms: Option<i64>,
    /// What that means.
    pub words: Words,
}

/// That a day was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// By whom.
    pub by: String,
    /// When.
    pub unix_ms: i64,
    /// Nothing was open, missing or different.
    pub clean: bool,
}

/// A day of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayReport {
    /// The chain.
    pub chain: String,
    /// The day.
    pub day: String,
    /// When the report was made.
    pub made_unix_ms: i64,
    /// The day has ended, by the collector's clock.
    pub over: bool,
    /// The day is over, every till has shipped all of it, and nothing is unsettled, missing or different.
    pub clean: bool,
    /// Why it is not clean.
    pub reasons: Vec<Words>,
    /// The last closing.
    pub closed: Option<Closed>,
    /// The sums of the chain.
    pub total: TillDay,
    /// The sums of each shop.
    pub shops: Vec<TillDay>,
    /// The sums of each till that has any.
    pub tills: Vec<TillDay>,
    /// How many tills are enrolled.
    pub enrolled: usize,
    /// The unsettled entries of every day, oldest first, as far as the list goes.
    pub unsettled: Vec<Open>,
    /// How many there are, by age.
    pub ages: Vec<Age>,
    /// Tills that are silent.
    pub silent: Vec<Silent>,
    /// Tills that have not shipped everything of a day that is over.
    pub behind: Vec<Silent>,
    /// What is missing.
    pub gaps: Vec<GapLine>,
    /// What does not fit together.
    pub differences: Vec<Difference>,
}

/// The business day that a text names: a date, `today` or `yesterday`.
pub fn resolve_day(text: &str, days: BusinessDays, now_ms: i64) -> Option<i64> {
    match text {
        "today" => Some(days.day_of(now_ms)),
        "yesterday" => Some(days.day_of(now_ms) - 1),
        date => day(date),
    }
}

/// Makes the report of a day. A till is silent if it was not heard of for `silent_after_ms`; both times are the collector's.
///
/// # Errors
/// The store cannot be read.
pub fn day_report(
    store: &mut Store,
    chain: &str,
    day: i64,
    (now_ms, silent_after_ms): (i64, i64),
) -> Result<DayReport, StoreError> {
    let tills = store.tills(chain)?;
    let journals = store.journals(chain)?;
    let mut sums: BTreeMap<i64, Both> = BTreeMap::new();
    for (till, sales) in store.sales(chain, day)? {
        sums.entry(till).or_default().sales = sales;
    }
    for (till, refunds) in store.refunds(chain, day)? {
        sums.entry(till).or_default().refunds = refunds;
    }
    let mut shops: BTreeMap<&str, Both> = BTreeMap::new();
    let (mut total, mut lines) = (Both::default(), Vec::new());
    for till in &tills {
        let Some(both) = sums.get(&till.till) else { continue };
        total.add(*both);
        shops.entry(&till.shop).or_default().add(*both);
        lines.push(both.shown(&till.name, &till.shop));
    }
    let (_, end_ms) = store.business_days()?.span(day);
    let mut report = DayReport {
        chain: chain.to_owned(),
        day: date(day),
        made_unix_ms: now_ms,
        over: now_ms >= end_ms,
        clean: false,
        reasons: Vec::new(),
        closed: None,
        total: total.shown("", ""),
        shops: shops.into_iter().map(|(shop, both)| both.shown("", shop)).collect(),
        tills: lines,
        enrolled: tills.len(),
        unsettled: store.open_entries(chain)?,
        ages: store.open_by_age(chain, now_ms)?,
        silent: tills.iter().filter_map(|till| silent(till, now_ms, silent_after_ms)).collect(),
        behind: tills
            .iter()
            .filter(|_| now_ms >= end_ms)
            .filter_map(|till| behind(till, &journals, end_ms))
            .collect(),
        gaps: store.gaps(chain)?.iter().map(GapLine::of).collect(),
        differences: differences(store, chain, day, &tills, &journals)?,
    };
    if let Some(closing) = store.closing(chain, day)? {
        report.closed =
            Some(Closed { by: closing.closed_by, unix_ms: closing.closed_ms, clean: closing.clean });
        let then = serde_json::from_str::<DayReport>(&closing.report);
        let then = then.map_err(|error| StoreError(format!("the closing of {}: {error}", report.day)))?;
        report.differences.extend(Difference::of_closing(&then.total, &report.total));
    }
    report.judge();
    Ok(report)
}

fn differences(
    store: &mut Store,
    chain: &str,
    day: i64,
    tills: &[Till],
    journals: &[JournalState],
) -> Result<Vec<Difference>, StoreError> {
    let mut found = Difference::of_twins(&store.twins(chain, day)?);
    // Of a till that has had several journals, only the last one is still told about.
    for till in tills {
        let own = journals.iter().rfind(|journal| journal.till == till.till);
        found.extend(own.and_then(|journal| Difference::of_count(till, journal)));
    }
    found.extend(store.unfinished(chain, day)?.iter().map(Difference::of_unfinished));
    found.extend(store.with_other_biz_id(chain, day)?.iter().map(Difference::of_other_biz_id));
    Ok(found)
}

fn silent(till: &Till, now_ms: i64, silent_after_ms: i64) -> Option<Silent> {
    let words = match till.seen_ms {
        None => Words::new("从未上传", "was never heard of"),
        Some(seen) if now_ms.saturating_sub(seen) > silent_after_ms => {
            let minutes = now_ms.saturating_sub(seen) / 60_000;
            Words::new(
                format!("已 {minutes} 分钟没有消息"),
                format!("was not heard of for {minutes} minutes"),
            )
        }
        Some(_) => return None,
    };
    Some(Silent { till: till.name.clone(), shop: till.shop.clone(), seen_unix_ms: till.seen_ms, words })
}

/// Whether a till may still have something of the day that is not here: it has not shipped everything since the day's end.
fn behind(till: &Till, journals: &[JournalState], end_ms: i64) -> Option<Silent> {
    let own = journals.iter().rfind(|journal| journal.till == till.till);
    let complete = own.and_then(|journal| journal.complete_ms);
    if complete.is_some_and(|complete| complete >= end_ms) {
        return None;
    }
    let words = match complete {
        None => Words::new("尚未完整上传过", "has never shipped everything that it has"),
        Some(_) => {
            Words::new("营业日结束后尚未完整上传", "has not shipped everything since the end of the day")
        }
    };
    Some(Silent { till: till.name.clone(), shop: till.shop.clone(), seen_unix_ms: till.seen_ms, words })
}

impl DayReport {
    /// How many entries are unsettled.
    pub fn unsettled_count(&self) -> i64 {
        self.ages.iter().map(|age| age.count).sum()
    }

    /// Writes why the report is not clean.
    pub(super) fn judge(&mut self) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let found = [
            (count(self.behind.len()), "台收银机未上传完当日记录", "tills have not shipped all of the day"),
            (self.unsettled_count(), "笔未结", "entries are unsettled"),
            (count(self.gaps.len()), "处缺口", "gaps"),
            (count(self.differences.len()), "处差异", "differences"),
        ];
        self.reasons = found
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, zh, en)| Words::new(format!("{count} {zh}"), format!("{count} {en}")))
            .collect();
        if !self.over {
            self.reasons.push(Words::new("营业日尚未结束", "the day is not over"));
        }
        if self.enrolled == 0 {
            self.reasons.push(Words::new("没有登记任何收银机", "no till is enrolled"));
        }
        self.clean = self.reasons.is_empty();
    }
}
