//! `zv journal`: the table for people, and the export for spreadsheets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{FIVE_OFF, Location, MEMBER, POOR_MEMBER, Simulator};

/// A till's day: a sale, a refusal, and a sale whose outcome is unknown.
fn day() -> (Simulator, Location) {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"on_unknown": "hold"}));
    let pay = |biz_id: &str, member: &str, more: &[&str], code: i32| {
        place.zv(&[&["consume", "--bizId", biz_id, "--customerId", member], more].concat()).ended(code);
    };
    pay("J1", MEMBER, &["--coupon", FIVE_OFF, "--amount", "23.00"], 0);
    pay("J2", POOR_MEMBER, &["--amount", "500.00"], 1);
    pay("J3~reset_after", MEMBER, &["--amount", "1.00"], 4);
    (simulator, place)
}

#[test]
fn shows_a_table_of_the_day_of_what_is_open_or_of_one_sale() {
    let (_simulator, place) = day();
    let table = place.zv(&["journal", "show"]).ended(0);
    let listed = || table.out.lines().skip(2).take_while(|line| !line.is_empty());
    let lines: Vec<Vec<&str>> = listed().map(|line| line.split_whitespace().skip(2).collect()).collect();
    assert_eq!(lines[0][..3], ["STAGE", "KIND", "NEXT"]);
    assert_eq!(lines[1], ["J1", "succeeded", "sale", "23.00", FIVE_OFF, MEMBER]);
    assert_eq!(lines[2], ["J2", "declined", "nothing", "500.00", POOR_MEMBER]);
    assert_eq!(lines[3], ["J3~reset_after", "unknown", "open", "person", "1.00", MEMBER]);
    let starts: Vec<Option<usize>> = listed().map(|line| line.find(" J").or(line.find(" BIZID"))).collect();
    table.shows(&["sales    1      23.00  23.00", "net      1      23.00"]);
    assert!(starts.iter().all(|start| *start == starts[0]), "{starts:?}");

    let open = place.zv(&["journal", "show", "--unsettled"]).ended(0).shows(&["J3~reset_after"]);
    assert!(!open.out.contains("J1") && !open.out.contains("J2"), "{}", open.out);
    place.zv(&["journal", "show", "--day", "1999-12-31"]).ended(0).shows(&["(no entries)"]);
    place.zv(&["journal", "show", "--biz-id", "J2"]).ended(1).shows(&["recorded.request.amount", "500.00"]);
    place.zv(&["journal", "show", "--biz-id", "J9"]).ended(2).shows(&["ZV-NOT-FOUND"]);
    place
        .zv(&["journal", "show", "--biz-id", "J1", "--unsettled"])
        .ended(2)
        .complains(&["cannot be used with"]);
    place.zv(&["journal", "show", "--day", "tomorrow"]).ended(2).shows(&["day: must be a date"]);
    let listed = place.zv(&["journal", "show", "--json"]).ended(0).json();
    assert_eq!(listed["data"]["count"], 3);
}

#[test]
fn exports_a_day() {
    let (_simulator, place) = day();
    let csv = place.zv(&["journal", "export"]).ended(0).out;
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}created,bizId,returnedBizId,stage,customerId,amount"), "{csv}");
    assert!(
        lines[1].contains(",J1,J1,succeeded,") && lines[3].contains(",J3~reset_after,,unknown,"),
        "{csv}"
    );
    assert!(lines[4].contains(",total sales,") && lines[6].contains(",total net,"), "{csv}");
    assert!(lines[7].contains(",total open,"), "{csv}");
    assert_eq!((lines.len(), lines[8]), (9, ""));
    let ndjson = place.zv(&["journal", "export", "--format", "ndjson", "--day", "today"]).ended(0).out;
    let stages: Vec<Value> =
        ndjson.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["stage"].clone()).collect();
    assert_eq!(stages, ["succeeded", "declined", "unknown"]);
    let empty = place.zv(&["journal", "export", "--day", "1999-12-31"]).ended(0).out;
    assert_eq!(empty.split("\r\n").count(), 2, "the heading alone: {empty}");
    place.zv(&["journal", "export", "--format", "xml"]).ended(2).complains(&["'xml'", "csv, ndjson"]);
}

#[test]
fn a_move_names_a_file_and_a_database() {
    let place = Location::new();
    let moves = |from: &str, to: &str| place.zv(&["journal", "move", "--from", from, "--to", to]);
    moves("a.db", "b.db").ended(2).complains(&["the other begins with postgres://"]);
    moves("postgres://zv@h/a", "postgresql://zv@h/b")
        .ended(2)
        .complains(&["one of --from and --to is a file"]);
    assert!(!place.folder.join("b.db").exists());
}
