//! Compares the till's lines, the gateway's ledger and the journal.

mod rule;
mod sale;

use std::collections::BTreeSet;

pub use rule::{Finding, Rule};

use crate::audit::Journalled;
use crate::gateway::Wallet;
use crate::play::{Stage, Word};
use crate::protocol::Said;
use crate::report::{Member, Record, SaleReport, ScenarioReport, Seen};
use crate::scenario::{Sale, Scenario};
use crate::text::text;
use crate::yuan::{fen, yuan};
use sale::Case;

/// The properties that identify a deduction: each sale of a scenario takes a different amount or different coupons.
pub(crate) struct Trace<'t> {
    biz_id: &'t str,
    fen: i64,
    coupons: &'t [String],
}

pub(crate) fn trace_of(record: &Record) -> Trace<'_> {
    let fen = fen(&record.amount).unwrap_or_default();
    Trace { biz_id: &record.biz_id, fen, coupons: &record.coupons }
}

pub(crate) fn trace_in(entry: &Journalled) -> Trace<'_> {
    Trace { biz_id: &entry.biz_id, fen: entry.fen, coupons: &entry.coupons }
}

fn trace_at(seen: &Seen) -> Trace<'_> {
    let fen = fen(&seen.amount).unwrap_or_default();
    Trace { biz_id: &seen.biz_id, fen, coupons: &seen.coupons }
}

/// The sale of a deduction: by its amount and coupons, or if no sale has these, by the bizId in the till's lines.
pub(crate) fn whose(sales: &[(u8, Sale)], words: &[Word], trace: &Trace<'_>) -> Option<(u8, String)> {
    let like = |sale: &Sale| fen(sale.takes) == Some(trace.fen) || (sale.takes.is_empty() && trace.fen == 0);
    let found = sales.iter().find(|(_, sale)| like(sale) && sale.coupons == trace.coupons);
    if let Some((till, sale)) = found {
        return Some((*till, sale.number.to_owned()));
    }
    let named = words.iter().find(|word| word.line.biz_id.as_deref() == Some(trace.biz_id))?;
    Some((named.till, named.line.sale.clone()?))
}

/// The rule that best explains an unexpected result.
pub(crate) fn rule_of(said: Option<Said>, wanted: &[Said]) -> Rule {
    let wants = |one: Said| wanted.contains(&one);
    match said {
        None => Rule::Forgotten,
        Some(Said::Completed) => Rule::Guessed,
        Some(_) if wants(Said::Waiting) => Rule::NotWaiting,
        Some(Said::Waiting | Said::Retry) if wants(Said::OtherTender) => Rule::NextIgnored,
        Some(_) if wants(Said::Retry) => Rule::NextIgnored,
        Some(_) => Rule::Result,
    }
}

/// Judges a scenario that has been played.
pub(crate) fn judge(scenario: &Scenario, mut stage: Stage<'_>) -> ScenarioReport {
    let (requests, ledger) = (stage.gateway.seen(), stage.gateway.ledger());
    let mut findings = std::mem::take(&mut stage.findings);
    let events = std::mem::take(&mut stage.events);
    let cases = cases(&stage, &requests, &ledger);
    for case in &cases {
        case.judge(&mut findings);
    }
    strangers(&stage, &ledger, &mut findings);
    let members = members(&stage, &cases, &mut findings);
    let mut told = BTreeSet::new();
    findings
        .retain(|finding| told.insert((finding.rule.word(), finding.sale.clone(), finding.seen.en.clone())));
    ScenarioReport {
        id: scenario.id,
        group: scenario.group,
        title: scenario.title.clone(),
        by_chance: scenario.by_chance,
        passed: findings.is_empty(),
        findings,
        took_ms: stage.at_ms(),
        stderr: stage.stderr(),
        events,
        sales: cases.iter().map(Case::report).collect(),
        requests,
        ledger,
        members,
    }
}

/// The report of a scenario that could not be started.
pub(crate) fn unplayed(scenario: &Scenario, why: String) -> ScenarioReport {
    ScenarioReport {
        id: scenario.id,
        group: scenario.group,
        title: scenario.title.clone(),
        by_chance: scenario.by_chance,
        passed: false,
        findings: vec![Finding::of(Rule::Certifier, None, text(why.clone(), why))],
        events: Vec::new(),
        sales: Vec::<SaleReport>::new(),
        requests: Vec::new(),
        ledger: Vec::new(),
        members: Vec::new(),
        stderr: String::new(),
        took_ms: 0,
    }
}

/// All facts about each sale that was rung up.
fn cases<'s>(stage: &'s Stage<'_>, requests: &'s [Seen], ledger: &'s [Record]) -> Vec<Case<'s>> {
    let mut cases: Vec<Case<'s>> = Vec::new();
    for (till, sale) in &stage.sales {
        match cases.iter_mut().find(|case| case.is(*till, sale.number)) {
            Some(case) => case.versions.push(sale),
            None => cases.push(Case::new(*till, sale)),
        }
    }
    let owner = |trace: &Trace<'_>| whose(&stage.sales, &stage.words, trace);
    for case in &mut cases {
        let own = |trace: &Trace<'_>| owner(trace).is_some_and(|(till, number)| case.is(till, &number));
        let records: Vec<_> = ledger.iter().filter(|record| own(&trace_of(record))).collect();
        let entries: Vec<_> = stage.journal.iter().filter(|entry| own(&trace_in(entry))).collect();
        let consumes = requests.iter().filter(|seen| seen.operation == "consume");
        let sent: Vec<_> = consumes.filter(|seen| own(&trace_at(seen))).collect();
        let words = |from: usize| {
            let words = stage.words.get(from..).unwrap_or_default();
            words
                .iter()
                .filter(|word| word.line.sale.as_deref().is_some_and(|number| case.is(word.till, number)))
        };
        let said: Vec<_> = words(0).map(|word| &word.line).collect();
        let listed = match stage.last_list.get(usize::from(case.till)) {
            Some(Some(from)) => words(*from).next().is_some(),
            _ => true,
        };
        (case.records, case.entries, case.sent, case.said, case.listed) =
            (records, entries, sent, said, listed);
    }
    cases
}

/// Deductions that belong to no sale.
fn strangers(stage: &Stage<'_>, ledger: &[Record], findings: &mut Vec<Finding>) {
    for record in ledger.iter().filter(|record| record.net != 0) {
        if whose(&stage.sales, &stage.words, &trace_of(record)).is_none() {
            let about = text(
                format!("{} took {} for no sale that was rung up", record.biz_id, record.amount),
                format!("{} 扣款 {} 元，但没有对应的交易", record.biz_id, record.amount),
            );
            findings.push(Finding::of(Rule::WrongSum, None, about));
        }
    }
}

/// Each member's balances before and after, and the expected ones by the sales that the till completed.
fn members(stage: &Stage<'_>, cases: &[Case<'_>], findings: &mut Vec<Finding>) -> Vec<Member> {
    let mut members = Vec::new();
    for (customer, before) in &stage.wallets {
        let of_member = || cases.iter().filter(|case| case.customer() == *customer);
        if of_member().next().is_none() {
            continue;
        }
        let Some(after) = stage.gateway.wallet(customer) else { continue };
        let mut expected = *before;
        for case in of_member() {
            let paid = case.owed();
            expected = Wallet { fen: expected.fen - paid.fen, points: expected.points - paid.points };
        }
        if expected != after {
            let about = text(
                format!(
                    "{customer} has {} and {} points, and should have {} and {}",
                    yuan(after.fen),
                    after.points,
                    yuan(expected.fen),
                    expected.points
                ),
                format!(
                    "会员 {customer} 现有 {} 元、{} 积分，应为 {} 元、{} 积分",
                    yuan(after.fen),
                    after.points,
                    yuan(expected.fen),
                    expected.points
                ),
            );
            findings.push(Finding::of(Rule::Balance, None, about));
        }
        members.push(Member {
            customer_id: (*customer).to_owned(),
            before: yuan(before.fen),
            after: yuan(after.fen),
            expected: yuan(expected.fen),
            points_before: before.points,
            points_after: after.points,
            points_expected: expected.points,
        });
    }
    members
}
