//! The sample tills pass every scenario; deliberately wrong tills fail exactly the scenarios that show their defect.
//! `cargo test -p zvpos-certify --test tills -- --nocapture` prints the findings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use support::{c_till, certify, csharp_till, options, python_till};
use zvpos_certify::{Report, Rule, scenarios};

fn passes(till: Vec<std::ffi::OsString>) {
    let started = Instant::now();
    let report = certify(&options(till));
    println!("in {:.1} s", started.elapsed().as_secs_f32());
    assert_eq!(report.failed, 0);
    assert!(report.certified && report.passed >= 40);
}

#[test]
fn the_c_till_passes() {
    passes(c_till());
}

#[test]
fn the_python_till_passes() {
    passes(python_till("till.py"));
}

#[test]
fn the_csharp_till_passes() {
    passes(csharp_till());
}

/// Certifies a till with one defect, which must fail these scenarios, separated by spaces; `lost.*` is a whole group.
fn fails(kind: &str, expected: &str) -> Report {
    let mut till = python_till("naive.py");
    till.push(format!("--naive={kind}").into());
    let report = certify(&options(till));
    // Where a random moment decides, a careless till may pass.
    let by_chance: BTreeSet<_> = scenarios().iter().filter(|one| one.by_chance).map(|one| one.id).collect();
    let failed: BTreeSet<_> = report.scenarios.iter().filter(|one| !one.passed).map(|one| one.id).collect();
    let failed: BTreeSet<_> = failed.difference(&by_chance).copied().collect();
    let mut wanted = BTreeSet::new();
    for name in expected.split_whitespace() {
        let beginning = name.strip_suffix('*');
        let fits = |id: &str| beginning.map_or(id == name, |beginning| id.starts_with(beginning));
        let ids: Vec<_> = scenarios().iter().map(|one| one.id).filter(|id| fits(id)).collect();
        assert!(!ids.is_empty(), "there is no scenario {name}");
        wanted.extend(ids.into_iter().filter(|id| !by_chance.contains(id)));
    }
    assert_eq!(failed, wanted, "{kind}");
    assert!(!report.certified);
    report
}

/// The scenarios with an unknown outcome.
const UNKNOWN: &str = "lost.* hold.* notsent.guard replay.other_tender crash.taken crash.not_taken crash.again \
    crash.twice crash.unproven crash.other_journal crash.hold_taken crash.hold_not_taken crash.other_tender \
    confirm.lost refund.unproven gateway.lost_outage end.day";

fn found(report: &Report, id: &str, rule: Rule) {
    let one = report.scenarios.iter().find(|one| one.id == id).unwrap();
    assert!(one.findings.iter().any(|finding| finding.rule == rule), "{id}: no {}", rule.word());
}

#[test]
fn charging_again_after_unknown_is_found() {
    let report = fails("charge_again", UNKNOWN);
    found(&report, "hold.taken", Rule::Twice);
    found(&report, "lost.reset", Rule::NewBizId);
    found(&report, "lost.unproven", Rule::NewBizId);
}

#[test]
fn a_till_that_ignores_next_is_found() {
    let expected = "lost.* notsent.guard replay.other_tender crash.unproven crash.other_tender confirm.plain \
        confirm.twice confirm.lost gateway.lost_outage end.day";
    let report = fails("ignore_next", expected);
    found(&report, "confirm.plain", Rule::Unconfirmed);
    found(&report, "notsent.guard", Rule::NextIgnored);
}

#[test]
fn a_new_biz_id_on_a_retry_is_found() {
    let expected = "quote.lost notsent.once notsent.thrice notsent.restart lost.unproven hold.again replay.* \
        crash.completed crash.not_sent confirm.twice gateway.duplicate gateway.executes_again gateway.outage";
    let report = fails("new_biz_id", expected);
    found(&report, "replay.twice", Rule::Twice);
    found(&report, "notsent.once", Rule::NewBizId);
}

#[test]
fn a_till_that_forgets_is_found() {
    let expected = "notsent.restart lost.unproven_person hold.restart crash.* refund.restart gateway.biz_id \
        gateway.lost_outage end.during end.restart";
    let report = fails("forget", expected);
    found(&report, "crash.completed", Rule::Twice);
    found(&report, "crash.taken", Rule::Forgotten);
}

#[test]
fn a_sale_completed_on_unknown_is_found() {
    let report = fails("complete_on_unknown", UNKNOWN);
    found(&report, "lost.reset", Rule::NotTaken);
    found(&report, "hold.taken", Rule::Guessed);
    found(&report, "refund.unproven", Rule::NotTaken);
}
