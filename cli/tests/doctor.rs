//! `zv doctor`: its output for people and for scripts, and the archive for support. The tests of `doctor/` cover the
//! findings of each check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;

use serde_json::json;
use support::{Location, MEMBER, Output, Simulator};

#[test]
fn a_till_that_is_well_has_a_line_for_each_check_and_ends_with_0() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"lang": "en"}));
    place.zv(&["consume", "--bizId", "D1", "--customerId", MEMBER, "--amount", "1.00"]).ended(0);
    let said = place.zv(&["doctor", "-v"]).ended(0).complains(&["configuration: zvpos.json"]);
    for check in
        ["config", "journal.flush", "journal.contents", "journal.witness", "tcp", "clock", "signature"]
    {
        let known = |line: &str| line.split_whitespace().nth(1) == Some(check) && !line.starts_with("failed");
        assert!(said.out.lines().any(known), "{check}: {said:?}");
    }
    assert!(said.out.ends_with(" 0 failed\n") && !said.out.contains('\u{1b}'), "{said:?}");
    assert_eq!(simulator.net("D1"), 1, "the doctor moves nothing");
    // The witness of the first run is found again; a noted number that is higher is an alarm.
    assert!(said.out.contains("number 1"), "{said:?}");
    place.zv(&["doctor", "--witness-was", "2"]).ended(5).shows(&["journal.witness", "failed"]);
}

#[test]
fn what_fails_is_said_in_the_tills_language_with_the_remedy() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"openKey": "another"}));
    place.zv(&["doctor"]).ended(5).shows(&["失败     signature", "→ ", "失败 1 项"]);
    place.zv(&["doctor", "--lang", "en"]).ended(5).shows(&["failed   signature", "1 failed"]);
    // Also with a configuration with which the library does not start.
    place.write("zvpos.json", r#"{"openId": "a", "grantCod": "b"}"#);
    place.zv(&["doctor", "--lang", "en"]).ended(5).shows(&["failed   config", "grantCod"]);
    place.write("zvpos.json", "no JSON");
    place.zv(&["doctor", "--lang", "en"]).ended(5).shows(&["the configuration is no JSON"]);
}

/// Notepad writes a byte order mark first, and a host with charset GBK has its configuration in GBK.
#[test]
fn a_configuration_is_read_as_the_till_reads_it() {
    let (simulator, place) = (Simulator::start(), Location::new());
    let config = |more| place.config(&format!("http://{}/api/v2", simulator.gateway), &more).to_string();
    let marked = format!("\u{feff}{}", config(json!({})));
    fs::write(place.folder.join("zvpos.json"), marked).unwrap();
    place.zv(&["doctor", "--lang", "en"]).ended(0).shows(&["ok       config"]);
    // 收银 in GBK.
    let gbk = config(json!({"charset": "gbk", "defaults": {"deviceSn": "??"}}));
    let gbk = gbk.split("??").map(str::as_bytes).collect::<Vec<_>>().join(&b"\xca\xd5\xd2\xf8"[..]);
    fs::write(place.folder.join("zvpos.json"), gbk).unwrap();
    place.zv(&["doctor", "--lang", "en"]).ended(0).shows(&["ok       config"]);
    place.zv(&["consume", "--bizId", "G1", "--customerId", MEMBER, "--amount", "1.00"]).ended(0);
    // The doctor and the library refuse a relative journal, and name the existing file.
    let journal = place.folder.join("journal.db");
    place.write("zvpos.json", &config(json!({"journal": "journal.db"})));
    let refused = [journal.to_str().unwrap(), "absolute"];
    place.zv(&["doctor", "--lang", "en"]).ended(5).shows(&refused);
    place.zv(&["lookup", "--bizId", "G1"]).ended(2).shows(&refused);
}

#[test]
fn a_script_reads_one_json_object() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    let second = place.folder.join("second");
    let said =
        place.zv(&["doctor", "--json", "--lang", "en", "--witness", second.to_str().unwrap()]).ended(0);
    assert_eq!(said.out.lines().count(), 1);
    let report = said.json();
    let lines = report["lines"].as_array().unwrap();
    let line = |check: &str| lines.iter().find(|line| line["check"] == check).unwrap();
    assert_eq!(line("signature")["status"], "ok");
    assert!(line("journal.flush")["facts"]["p50_us"].is_u64(), "{said:?}");
    assert_eq!(fs::read_dir(second).unwrap().count(), 1, "the second witness is where it was told");
    assert!(!place.folder.join(".zvpos").exists());
}

#[test]
fn a_library_file_is_examined_and_a_bundle_holds_no_key() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"lang": "en"}));
    let wrong = place.write("libzvpos.so", "no library");
    let library = wrong.to_str().unwrap();
    let said = place.zv(&["doctor", "--library", library, "--bundle", "support.zip"]).ended(5);
    let said = said.shows(&["failed   library.file"]).complains(&["support.zip"]);
    assert!(!said.out.contains("fake-open-key"));
    let unpack = "import sys, zipfile; archive = zipfile.ZipFile('support.zip'); \
                  print(archive.namelist()); [print(archive.read(name).decode()) for name in archive.namelist()]";
    let inside = Output::of(place.command("python3").args(["-c", unpack])).ended(0);
    let inside = inside.shows(&["report.zh-CN.txt", "configuration.json", "library.file"]);
    assert!(!inside.out.contains("fake-open-key"), "{inside:?}");
    place
        .zv(&["doctor", "--bundle", "no-folder/support.zip"])
        .ended(5)
        .shows(&["signature"])
        .complains(&["cannot write no-folder/support.zip"]);
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let place = Location::new();
    place.zv(&["doctor"]).ended(2).complains(&["zvpos.json", "--sandbox"]);
    place.zv(&["doctor", "--config", "no.json"]).ended(2).complains(&["cannot read no.json"]);
    place.zv(&["doctor", "--lang", "fr"]).ended(2).complains(&["zh-CN"]);
    place.zv(&["doctor", "--help"]).ended(0).shows(&["5    a check failed"]);
}
