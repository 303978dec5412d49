//! Tills with wrong clocks: the library learns the gateway's time from its answers, and signs a request that is
//! refused for its timestamp again once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::path::PathBuf;

use serde_json::{Value, json};
use support::{Driver, FIVE_OFF, MEMBER, Simulator, config, own_folder, reversing, until};
use zvpos_sandbox::rules::{Policy, SignNames};

const DAY_MS: i64 = 86_400_000;

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"})
}

#[test]
fn a_clock_that_is_a_day_off_is_corrected() {
    for offset in [DAY_MS, -DAY_MS] {
        let simulator = Simulator::with_policy(Policy { clock_offset_ms: offset, ..Policy::default() });
        let mut till = Driver::started(&config(&simulator.v2(), json!({})));
        let answer = till.consume(&sale("T1")).succeeded();
        assert!(answer.warns("ZV-W-CLOCK"), "{}", answer.text);
        assert_eq!((simulator.net("T1"), simulator.requests()), (1, 2), "refused once, then signed again");
        // The correction is kept.
        let answer = till.consume(&sale("T2")).succeeded();
        assert!(answer.warns("ZV-W-CLOCK"), "{}", answer.text);
        assert_eq!((simulator.net("T2"), simulator.requests()), (1, 3));
        // It is dropped when the clocks agree again.
        simulator.admin("PUT", "/policy", &json!({}));
        let answer = till.consume(&sale("T3")).succeeded();
        assert_eq!((simulator.net("T3"), answer.warns("ZV-W-CLOCK")), (1, false), "{}", answer.text);
    }
}

#[test]
fn a_quote_corrects_the_clock_for_the_next_sale() {
    let simulator = Simulator::with_policy(Policy { clock_offset_ms: DAY_MS, ..Policy::default() });
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.quote(&json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER,
        "items": [{"num": 1, "trade_mark": "1", "price": "9"}]}))
        .succeeded();
    assert_eq!(simulator.requests(), 2);
    till.consume(&sale("T1")).succeeded();
    assert_eq!((simulator.net("T1"), simulator.requests()), (1, 3));
}

#[test]
fn a_wrong_key_is_declined_and_not_tried_again() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&config(&simulator.v2(), json!({"openKey": "another-key"})));
    let answer = till.consume(&sale("T1")).expect("declined", "110004");
    assert!(!answer.text.contains("another-key"));
    assert_eq!((simulator.net("T1"), simulator.requests()), (0, 1));
}

/// Both at once: the second attempt is the last one, and its refusal still proves that nothing was taken.
#[test]
fn a_wrong_key_with_a_wrong_clock_is_tried_twice_and_no_more() {
    let simulator = Simulator::with_policy(Policy { clock_offset_ms: DAY_MS, ..Policy::default() });
    let mut till = Driver::started(&config(&simulator.v2(), json!({"openKey": "another-key"})));
    till.consume(&sale("T1")).expect("declined", "110004");
    assert_eq!((simulator.net("T1"), simulator.requests()), (0, 2));
}

#[test]
fn the_spelling_of_the_signed_names_is_a_setting() {
    let simulator = Simulator::with_policy(Policy { sign_names: SignNames::AsSent, ..Policy::default() });
    let mut lower = Driver::started(&config(&simulator.v2(), json!({})));
    lower.consume(&sale("T1")).expect("declined", "110004");
    let mut as_sent = Driver::started(&config(&simulator.v2(), json!({"sign_names": "as_sent"})));
    as_sent.consume(&sale("T1")).succeeded();
}

/// A till whose library sees that time; `faketime`.
fn at(time: &str, config: &Value) -> Driver {
    let mut till = Driver::wrapped(&["faketime", "-f", time], &[("TZ", "UTC")]);
    till.init(config).succeeded();
    till
}

fn days_list(till: &mut Driver, day: &str) -> Value {
    till.pending(Some(&json!({"day": day}))).succeeded().data().clone()
}

fn biz_ids(listed: &Value) -> Vec<(String, Value)> {
    let entries = listed["entries"].as_array().unwrap().iter();
    entries.map(|item| (item["entry"]["bizId"].as_str().unwrap().to_owned(), item["kinds"].clone())).collect()
}

/// The battery is empty: the sale is filed under the day of the gateway's answer, and both times are stored.
#[test]
fn a_sale_at_1970_is_filed_under_the_gateways_day_and_stays_there() {
    let simulator = Simulator::start();
    let config = config(&simulator.v2(), json!({}));
    let answer = at("@1970-01-01 08:00:05", &config).consume(&sale("N-1")).succeeded();
    assert!(answer.warns("ZV-W-CLOCK"), "{}", answer.text);
    let mut till = Driver::started(&config);
    till.consume(&sale("N-2")).succeeded();
    let today = days_list(&mut till, "today");
    assert_eq!(biz_ids(&today), [("N-1".to_owned(), json!(["sale"])), ("N-2".to_owned(), json!(["sale"]))]);
    assert_eq!(days_list(&mut till, "1970-01-01")["count"], 0);
    let recorded = till.look_up("N-1").json["recorded"].clone();
    assert_eq!(recorded["day"], today["day"]);
    let ended = &recorded["times"]["ended"];
    assert!(ended["machine_unix_ms"].as_i64().unwrap() < DAY_MS, "{recorded}");
    assert!(ended["gateway_unix_ms"].as_i64().unwrap() > 20_000 * DAY_MS, "{recorded}");
    // A time that is learnt later changes nothing: a closed day stays unchanged.
    simulator.admin("PUT", "/policy", &json!({"clock_offset_ms": 3 * DAY_MS}));
    till.consume(&sale("N-3")).succeeded();
    assert_eq!(biz_ids(&days_list(&mut till, today["day"].as_str().unwrap())).len(), 2);
    assert_eq!(biz_ids(&days_list(&mut till, "today")), [("N-3".to_owned(), json!(["sale"]))]);
}

/// A refund belongs to the day on which the gateway confirmed it, with its own time; the sale stays on its own day.
/// The reversal of a consume whose answer was lost is neither.
#[test]
fn a_refund_is_of_its_own_day() {
    let yesterday = Policy { clock_offset_ms: -DAY_MS, ..Policy::default() };
    let simulator = Simulator::with_policy(yesterday);
    let origin =
        json!({"deviceSn": "007", "operatorId": "0042", "operatorName": "王店长", "multiMark": "S-1"});
    let config = reversing(&simulator.v2(), json!({"defaults": origin}));
    let mut till = Driver::started(&config);
    let both = json!({"bizId": "D-1", "customerId": MEMBER, "amount": "3.00", "couponsCardList": [FIVE_OFF],
        "points": 5});
    till.consume(&both).succeeded();
    till.consume(&sale("D-2")).succeeded();
    till.consume(&sale("D-3~reset_after")).expect("unknown", "ZV-LOST");
    until("D-3 is undone", || till.look_up("D-3~reset_after").outcome() == "reversed");
    let closed = days_list(&mut till, "today");
    assert_eq!(closed["totals"]["sales"]["count"], 2, "{closed}");
    simulator.admin("PUT", "/policy", &json!({}));
    till.reverse(&json!({"bizId": "D-1"}));
    until("D-1 is given back", || till.look_up("D-1").outcome() == "reversed");

    let (day, today) = (days_list(&mut till, "yesterday"), days_list(&mut till, "today"));
    assert_eq!(day["day"], closed["day"]);
    assert_eq!(day["totals"], closed["totals"], "the closed day has not changed");
    let sales = &day["totals"]["sales"];
    assert_eq!(
        (&sales["sum"], &sales["recharge"], &sales["gift"], &sales["points"], &sales["coupons"]),
        (&json!("4.00"), &json!("4.00"), &json!("0.00"), &json!(5), &json!(1)),
        "{day}"
    );
    assert_eq!(biz_ids(&today), [("D-1".to_owned(), json!(["refund"]))]);
    let refunds = &today["totals"]["refunds"];
    assert_eq!((&refunds["sum"], &refunds["count"]), (&json!("-3.00"), &json!(1)), "{today}");
    assert_eq!(today["totals"]["net"]["sum"], "-3.00");

    let csv = till.pending(Some(&json!({"day": "yesterday", "format": "csv"}))).succeeded();
    let lines: Vec<&str> = csv.data()["text"].as_str().unwrap().split("\r\n").collect();
    let date = closed["day"].as_str().unwrap();
    let line = lines.iter().find(|line| line.contains(",D-1,")).unwrap();
    assert!(line.contains(&format!(",sale,{date},")), "{line}");
    assert!(line.ends_with(",3.00,3.00,0.00,5,1,\t007,\t0042,王店长,S-1,,"), "{line}");
    let lost = lines.iter().find(|line| line.contains(",D-3~reset_after,")).unwrap();
    assert!(lost.contains(&format!(",nothing,{date},")), "{lost}");
    let csv = till.pending(Some(&json!({"day": "today", "format": "csv"}))).succeeded();
    let text = csv.data()["text"].as_str().unwrap();
    assert!(text.contains(",-3.00,-3.00,0.00,-5,-1,\t007,"), "{text}");
    assert!(!text.contains("D-2") && !text.contains("D-3"), "{text}");
    // The same after a restart: the days are stored.
    let mut till = Driver::started(&config);
    assert_eq!(days_list(&mut till, date)["totals"], closed["totals"]);
}

/// A till whose receipt numbers start over gets the recorded answer, and a warning that nothing was taken now.
#[test]
fn a_bizid_of_another_business_day_is_replayed_with_a_warning() {
    let simulator = Simulator::start();
    let config = config(&simulator.v2(), json!({}));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1-000017")).succeeded();
    let same_day = till.consume(&sale("T1-000017")).succeeded();
    assert!(!same_day.warns("ZV-W-OTHER-DAY"), "{}", same_day.text);
    drop(till);
    for days in ["+1d", "+7d"] {
        let answer = at(days, &config).consume(&sale("T1-000017")).succeeded();
        assert!(answer.warns("ZV-W-OTHER-DAY"), "{days}: {}", answer.text);
        assert_eq!(answer.json["replayed"], true);
    }
    assert_eq!(simulator.net("T1-000017"), 1);
}

/// The library of `faketime`, to change the time while a program runs.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut found = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    found.find(|library| library.is_file()).expect("faketime: tests/tools.sh installs it")
}

/// Two programs with one log path, over midnight: no line is lost, and a wrong clock deletes nothing.
#[test]
fn no_line_of_a_log_is_lost_whatever_the_clock_says() {
    let simulator = Simulator::start();
    let folder = own_folder();
    let log = folder.join("zv.log");
    let config = config(&simulator.v2(), json!({"log": {"path": log}}));
    let time = folder.join("time");
    let set = |text: &str| std::fs::write(&time, text).unwrap();
    set("@2026-12-05 23:59:00");
    let library = faketime();
    let fake = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", time.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
        ("TZ", "UTC"),
    ];
    let mut tills = [Driver::in_environment(&fake), Driver::in_environment(&fake)];
    for till in &mut tills {
        till.init(&config).succeeded();
    }
    for round in [
        "@2026-12-05 23:59:10",
        "@2026-12-06 00:01:00",
        "@1970-01-01 00:10:00",
        "@2027-12-06 00:01:00",
        "@2026-12-06 00:02:00",
    ] {
        set(round);
        for (number, till) in tills.iter_mut().enumerate() {
            till.consume(&sale(&format!("L{number}-{}", round.replace(['@', ' ', ':'], "")))).succeeded();
        }
    }
    let written: String = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("zv.log"))
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
        .collect();
    assert_eq!(written.lines().filter(|line| line.contains(" info  consume L")).count(), 10, "{written}");
}
