//! Compares the till's lines, the gateway's ledger and the journal.

mod case;

use std::collections::BTreeSet;

use case::Case;

use crate::attribution::{Trace, trace_at, trace_in, trace_of, whose};
use crate::gateway::{Record, Seen, Wallet};
use crate::money::yuan;
use crate::report::{Member, SaleReport, ScenarioReport};
use crate::rule::{Finding, Rule};
use crate::scenario::Scenario;
use crate::session::Session;
use crate::text::text;

/// Judges a session that has ended.
pub(crate) fn judge(scenario: &Scenario, mut session: Session<'_>) -> ScenarioReport {
    let (requests, ledger) = (session.gateway.seen(), session.gateway.ledger());
    let mut findings = std::mem::take(&mut session.findings);
    let events = std::mem::take(&mut session.events);
    let cases = cases(&session, &requests, &ledger);
    for case in &cases {
        case.judge(&mut findings);
    }
    strangers(&session, &ledger, &mut findings);
    let members = members(&session, &cases, &mut findings);
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
        took_ms: session.at_ms(),
        stderr: session.stderr(),
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
fn cases<'s>(session: &'s Session<'_>, requests: &'s [Seen], ledger: &'s [Record]) -> Vec<Case<'s>> {
    let mut cases: Vec<Case<'s>> = Vec::new();
    for (till, sale) in &session.sales {
        match cases.iter_mut().find(|case| case.is(*till, sale.number)) {
            Some(case) => case.versions.push(sale),
            None => cases.push(Case::new(*till, sale)),
        }
    }
    let owner = |trace: &Trace<'_>| whose(&session.sales, &session.reports, trace);
    for case in &mut cases {
        let own = |trace: &Trace<'_>| owner(trace).is_some_and(|(till, number)| case.is(till, &number));
        let records: Vec<_> = ledger.iter().filter(|record| own(&trace_of(record))).collect();
        let entries: Vec<_> = session.journal.iter().filter(|entry| own(&trace_in(entry))).collect();
        let consumes = requests.iter().filter(|seen| seen.operation == "consume");
        let sent: Vec<_> = consumes.filter(|seen| own(&trace_at(seen))).collect();
        let reports = |from: usize| {
            let since = session.reports.get(from..).unwrap_or_default();
            since
                .iter()
                .filter(|one| one.line.sale.as_deref().is_some_and(|number| case.is(one.till, number)))
        };
        let said: Vec<_> = reports(0).map(|one| &one.line).collect();
        let listed = match session.last_list.get(usize::from(case.till)) {
            Some(Some(from)) => reports(*from).next().is_some(),
            _ => true,
        };
        (case.records, case.entries, case.sent, case.said, case.listed) =
            (records, entries, sent, said, listed);
    }
    cases
}

/// Deductions that belong to no sale.
fn strangers(session: &Session<'_>, ledger: &[Record], findings: &mut Vec<Finding>) {
    for record in ledger.iter().filter(|record| record.net != 0) {
        if whose(&session.sales, &session.reports, &trace_of(record)).is_none() {
            let about = text(
                format!("{} took {} for no sale that was rung up", record.biz_id, record.amount),
                format!("{} 扣款 {} 元，但没有对应的交易", record.biz_id, record.amount),
            );
            findings.push(Finding::of(Rule::WrongSum, None, about));
        }
    }
}

/// Each member's balances before and after, and the expected ones by the sales that the till completed.
fn members(session: &Session<'_>, cases: &[Case<'_>], findings: &mut Vec<Finding>) -> Vec<Member> {
    let mut members = Vec::new();
    for (customer, before) in &session.wallets {
        let of_member = || cases.iter().filter(|case| case.customer() == *customer);
        if of_member().next().is_none() {
            continue;
        }
        let Some(after) = session.gateway.wallet(customer) else { continue };
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
