//! `zv certify`: its output for a till that passes, for one that fails, and for a till that cannot be started. The
//! tests of `certify/` cover the findings of each scenario.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;
#[path = "../../certify/tests/support/mod.rs"]
mod tills;

use std::ffi::OsString;
use std::fs;

use serde_json::Value;
use support::{Location, Output};

/// `zv certify` with these options and this till.
fn certify(place: &Location, options: &[&str], till: &[OsString]) -> Output {
    let mut command = place.command(env!("CARGO_BIN_EXE_zv"));
    command.arg("certify").args(options).arg("--").args(till);
    // The tills in Python load the library from here, and write no file that the next run would find.
    command.env("ZVPOS_LIBRARY", tills::library().join("libzvpos.so")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("TMPDIR", &place.folder);
    Output::of(&mut command)
}

fn naive(kind: &str) -> Vec<OsString> {
    let mut till = tills::python_till("naive.py");
    till.push(format!("--naive={kind}").into());
    till
}

fn left_behind(place: &Location) -> usize {
    let entries = fs::read_dir(&place.folder).unwrap();
    entries
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("zv-certify-"))
        .count()
}

#[test]
fn a_till_that_passes_everything_is_certified() {
    let place = Location::new();
    let said = certify(&place, &["--html", "r.html", "--report", "r.json"], &tills::c_till()).ended(0);
    let said = said.shows(&["普通交易", "9/9", "认证通过：93 个场景全部通过"]);
    assert!(said.err.is_empty(), "a bar is for terminals: {said:?}");
    let report: Value =
        serde_json::from_str(&fs::read_to_string(place.folder.join("r.json")).unwrap()).unwrap();
    assert_eq!((&report["certified"], &report["passed"]), (&Value::Bool(true), &93.into()));
    assert!(fs::read_to_string(place.folder.join("r.html")).unwrap().contains("id=\"end.day\""));
    assert_eq!(left_behind(&place), 0);
}

#[test]
fn a_careless_till_fails_and_is_told_what_to_fix() {
    let place = Location::new();
    let options = ["--lang", "en", "--only", "hold.taken", "--only", "plain.balance"];
    let said = certify(&place, &options, &naive("charge_again")).ended(1);
    let said = said.shows(&[
        "Plain sales                                1/1",
        "\ntaken more than once for one sale\n  → One sale has one bizId",
        "\n  hold.taken S-0001: the till says completed, 2 deduction(s) stand at the gateway\n",
        "\nNot certified: 1 of 2 scenarios passed, 91 left out\n",
    ]);
    said.complains(&["the till's files of each scenario are in"]);
    assert_eq!(left_behind(&place), 1);
}

#[test]
fn only_some_of_them_in_a_folder_of_ones_own_as_json() {
    let place = Location::new();
    let options = ["--only", "quote.", "--folder", "kept", "--json", "--parallel", "2", "--time-limit", "60"];
    let report = certify(&place, &options, &tills::c_till()).ended(0).json();
    assert_eq!((&report["passed"], &report["certified"]), (&5.into(), &Value::Bool(false)));
    assert!(place.folder.join("kept/quote.face/journal").is_dir());
    assert_eq!(left_behind(&place), 0);
}

#[test]
fn the_list_names_what_only_takes() {
    let place = Location::new();
    let all = place.zv(&["certify", "--list"]).ended(0).shows(&["plain.balance", "余额支付"]);
    assert_eq!(all.out.lines().count(), 93);
    let some = place.zv(&["certify", "--list", "--only", "crash.", "--lang", "en", "--json"]).ended(0).json();
    let ids = some.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap());
    assert!(ids.clone().count() == 14 && ids.clone().all(|id| id.starts_with("crash.")), "{some}");
    place
        .zv(&["certify", "--list", "--only", "nothing"])
        .ended(2)
        .complains(&["no scenario begins with nothing"]);
}

#[test]
fn what_cannot_begin_ends_with_2_and_what_a_till_says_on_its_way_out_is_shown() {
    let place = Location::new();
    place.zv(&["certify"]).ended(2).complains(&["<TILL>"]);
    certify(&place, &[], &["./no-till".into()]).ended(2).complains(&["./no-till cannot be started"]);
    certify(&place, &["--only", "nothing"], &tills::c_till())
        .ended(2)
        .complains(&["no scenario begins with"]);
    assert_eq!(left_behind(&place), 0);
    let broken = tills::shell_till("printf 'no \\033[2Jlibrary\\n' >&2; exit 3");
    let said =
        certify(&place, &["--only", "plain.balance"], &broken).ended(1).shows(&["no \\u{1b}[2Jlibrary"]);
    assert!(!said.out.contains('\u{1b}'));
    let unwritten = ["--only", "plain.balance", "--html", "no-folder/r.html"];
    certify(&place, &unwritten, &tills::c_till()).ended(5).shows(&["1/1"]).complains(&["no-folder/r.html"]);
}

#[test]
fn a_terminal_shows_how_far_it_is() {
    let place = Location::new();
    let till = tills::c_till()[0].to_string_lossy().into_owned();
    // The sale of this scenario waits until its deadline, which takes longer than a second.
    let line = format!("zv certify --lang en --only lost.timeout --only plain.balance -- {till}");
    let mut command = place.command("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    Output::of(&mut command).ended(0).shows(&["] 1/2 ", "2 of 2 scenarios passed"]);
}
