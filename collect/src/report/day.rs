//! The report of a day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zvpos_core::calendar::{BusinessDays, date, day};

use super::difference::{AFTER_CLOSING, Difference};
use super::gap::GapLine;
use super::question;
use super::sums::{Both, EnvironmentDay, TillDay};
use crate::store::{Age, JournalState, Open, Retirement, Store, StoreError, Till};
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
    /// Nothing has come up that this closing has not accepted.
    pub holds: bool,
}

/// A till that is not awaited on the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The till.
    pub till: String,
    /// Its shop.
    pub shop: String,
    /// The first day on which it is not awaited.
    pub day: String,
    /// Who has stated that.
    pub by: String,
    /// When.
    pub unix_ms: i64,
    /// Why.
    pub reason: String,
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
    /// Each thing that speaks against it, by a name that stays the same as long as the thing does.
    pub questions: Vec<String>,
    /// Stands for all of `questions`: an acceptance names it, and so accepts these and no others.
    pub mark: String,
    /// What has come up since the last closing.
    pub since_closing: Vec<Words>,
    /// The last closing.
    pub closed: Option<Closed>,
    /// The sums of the chain.
    pub total: TillDay,
    /// The sums of each shop.
    pub shops: Vec<TillDay>,
    /// The sums of each till that has any.
    pub tills: Vec<TillDay>,
    /// The sums of every environment that is not the vendor's gateway; they are in no other sum.
    pub other_environments: Vec<EnvironmentDay>,
    /// How many tills are enrolled and not retired.
    pub enrolled: usize,
    /// The tills that are not awaited on this day.
    pub retired: Vec<Retired>,
    /// The unsettled entries of every day, oldest first, as far as the list goes.
    pub unsettled: Vec<Open>,
    /// How many there are, by age.
    pub ages: Vec<Age>,
    /// How many more there are of which nothing is awaited: of retired tills, and of journals that a person has given up.
    pub set_aside: i64,
    /// Tills that are silent.
    pub silent: Vec<Silent>,
    /// Tills that have not shipped everything of a day that is over.
    pub behind: Vec<Silent>,
    /// What is missing.
    pub gaps: Vec<GapLine>,
    /// What was missing, and a person has looked at.
    pub accepted_gaps: Vec<GapLine>,
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

/// Makes the report of a day, of what the store holds at one moment. A till is silent if it was not heard of for `silent_after_ms`; both times are the collector's.
///
/// # Errors
/// The store cannot be read.
pub fn day_report(
    store: &mut Store,
    chain: &str,
    day: i64,
    times: (i64, i64),
) -> Result<DayReport, StoreError> {
    store.snapshot(|store| report_within(store, chain, day, times))
}

/// The same within a transaction.
pub(crate) fn report_within(
    store: &mut Store,
    chain: &str,
    day: i64,
    (now_ms, silent_after_ms): (i64, i64),
) -> Result<DayReport, StoreError> {
    let retirements: Vec<_> =
        store.retirements(chain)?.into_iter().filter(|retirement| retirement.covers(day)).collect();
    let is_awaited = |till: &&Till| retirements.iter().all(|retirement| retirement.till != till.till);
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
        questions: Vec::new(),
        mark: String::new(),
        since_closing: Vec::new(),
        closed: None,
        total: total.shown("", ""),
        shops: shops.into_iter().map(|(shop, both)| both.shown("", shop)).collect(),
        tills: lines,
        other_environments: store.other_environments(chain, day)?.iter().map(EnvironmentDay::of).collect(),
        enrolled: tills.iter().filter(is_awaited).count(),
        retired: retirements.iter().map(retired).collect(),
        unsettled: store.open_entries(chain, day)?,
        ages: store.open_by_age(chain, day, now_ms)?,
        set_aside: store.set_aside(chain, day)?,
        silent: tills
            .iter()
            .filter(is_awaited)
            .filter_map(|till| silent(till, now_ms, silent_after_ms))
            .collect(),
        behind: tills
            .iter()
            .filter(|till| now_ms >= end_ms && is_awaited(till))
            .filter_map(|till| behind(till, &journals, (day, end_ms)))
            .collect(),
        gaps: store.gaps(chain)?.iter().map(GapLine::of).collect(),
        accepted_gaps: store.accepted_gaps(chain)?.iter().map(GapLine::of).collect(),
        differences: differences(store, chain, day, tills.iter().filter(is_awaited), &journals)?,
    };
    let open = store.open_keys(chain, day)?;
    let mut closed = Vec::new();
    if let Some(closing) = store.closing(chain, day)? {
        let then = serde_json::from_str::<DayReport>(&closing.report);
        let then = then.map_err(|error| StoreError(format!("the closing of {}: {error}", report.day)))?;
        report.closed = Some(Closed {
            by: closing.closed_by,
            unix_ms: closing.closed_ms,
            clean: closing.clean,
            holds: false,
        });
        report.differences.extend(Difference::of_closing(&then.total, &report.total));
        closed = then.questions;
    }
    report.judge(&open, &closed);
    Ok(report)
}

fn retired(retirement: &Retirement) -> Retired {
    Retired {
        till: retirement.name.clone(),
        shop: retirement.shop.clone(),
        day: date(retirement.day),
        by: retirement.by.clone(),
        unix_ms: retirement.noted_ms,
        reason: retirement.reason.clone(),
    }
}

fn differences<'t>(
    store: &mut Store,
    chain: &str,
    day: i64,
    tills: impl Iterator<Item = &'t Till>,
    journals: &[JournalState],
) -> Result<Vec<Difference>, StoreError> {
    let mut found = Difference::of_twins(&store.twins(chain, day)?);
    // Of a till that has had several journals, only the last one is still told about.
    for till in tills {
        let own = journals.iter().rfind(|journal| journal.till == till.till);
        found.extend(own.and_then(|journal| Difference::of_count(till, journal)));
    }
    found.extend(store.unfinished(chain, day)?.iter().map(Difference::of_unfinished));
    found.extend(store.with_other_content(chain, day)?.iter().map(Difference::of_content));
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

/// Whether a till may still have something of the day that is not here. It has shipped everything of the day once it states,
/// after the day's end, that its own business day is a later one and that all it has is here.
fn behind(till: &Till, journals: &[JournalState], (day, end_ms): (i64, i64)) -> Option<Silent> {
    let own = journals.iter().rfind(|journal| journal.till == till.till);
    // A till that has had a journal has not lost all of it by saying so.
    let complete = own.map_or(till.empty, |journal| journal.complete_ms.zip(journal.complete_day));
    if complete.is_some_and(|(arrived_ms, stated_day)| arrived_ms >= end_ms && stated_day > day) {
        return None;
    }
    let words = match complete {
        None => Words::new("尚未完整上传过", "has never shipped everything that it has"),
        Some((arrived_ms, stated_day)) if arrived_ms >= end_ms => {
            let stated = date(stated_day);
            Words::new(
                format!("收银机仍处于营业日 {stated}：未到它的日界，或时钟偏慢"),
                format!(
                    "is still in the business day {stated}: its day begins later, or its clock is behind"
                ),
            )
        }
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

    /// Writes why the report is not clean, and what of that the last closing has not accepted.
    fn judge(&mut self, open: &[[String; 2]], accepted: &[String]) {
        let name = question::name;
        let behind = self.behind.iter().map(|till| name(question::BEHIND, &till.till));
        let open = open.iter().map(|[till, biz_id]| name(question::UNSETTLED, &format!("{till} {biz_id}")));
        let gaps = self.gaps.iter().map(|gap| name(question::GAP, &format!("{} {}", gap.gap, gap.entries)));
        let differences = self.differences.iter().map(|difference| {
            let Difference { kind, till, biz_id, words } = difference;
            let biz_id = biz_id.as_deref().unwrap_or_default();
            name(question::DIFFERENCE, &format!("{kind} {till} {biz_id} {}", words.en))
        });
        self.questions = behind.chain(open).chain(gaps).chain(differences).collect();
        if !self.over {
            self.questions.push(name(question::NOT_OVER, ""));
        }
        if self.enrolled == 0 {
            self.questions.push(name(question::NO_TILL, ""));
        }
        self.mark = question::mark(&self.questions);
        self.conclude();
        if let Some(closed) = &mut self.closed {
            self.since_closing =
                question::reasons(self.questions.iter().filter(|name| !accepted.contains(name)));
            closed.holds = self.since_closing.is_empty();
        }
    }

    fn conclude(&mut self) {
        self.reasons = question::reasons(self.questions.iter());
        self.clean = self.reasons.is_empty();
    }

    /// The report as a closing stores it, which settles that the sums have changed since the one before.
    pub(super) fn closed(&self, by: &str, now_ms: i64) -> DayReport {
        let mut report = self.clone();
        report.differences.retain(|difference| difference.kind != AFTER_CLOSING);
        report.questions.retain(|name| !question::is_difference(name, AFTER_CLOSING));
        report.since_closing.clear();
        report.conclude();
        report.closed = Some(Closed { by: by.to_owned(), unix_ms: now_ms, clean: report.clean, holds: true });
        report
    }
}
