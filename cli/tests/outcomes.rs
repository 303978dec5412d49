//! Every command, and the exit code of every outcome; what `--json` prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::net::TcpListener;

use serde_json::json;
use support::{FIVE_OFF, Location, MEMBER, Output, POOR_MEMBER, Simulator};

fn pay(place: &Location, biz_id: &str, member: &str, amount: &str) -> Output {
    place.zv(&["consume", "--json", "--bizId", biz_id, "--customerId", member, "--amount", amount])
}

/// The exit code is the outcome's number, and stdout is the one answer.
fn is(said: &Output, code: i32, outcome: &str) {
    assert_eq!((said.code, said.json()["outcome"].as_str()), (Some(code), Some(outcome)), "{said:?}");
    assert_eq!(said.out.lines().count(), 1, "{said:?}");
}

#[test]
fn the_exit_code_is_the_outcome() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    is(&pay(&place, "T1", MEMBER, "1.00"), 0, "succeeded");
    is(&pay(&place, "T2", POOR_MEMBER, "500.00"), 1, "declined");
    is(&pay(&place, "T3", MEMBER, "1.005"), 2, "invalid");
    is(&pay(&place, "T4~reset_after", MEMBER, "1.00"), 4, "unknown");
    is(&pay(&place, "T1", MEMBER, "2.00"), 7, "conflict");
    is(&place.zv(&["reverse", "--json", "--bizId", "T1"]), 6, "reversed");
    is(&place.zv(&["lookup", "--json", "--bizId", "T1"]), 6, "reversed");
    assert_eq!((simulator.net("T1"), simulator.net("T2")), (0, 0));

    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let config = place.config(&format!("http://{nobody}/api/v2"), &json!({}));
    place.write("zvpos.json", &config.to_string());
    is(&pay(&place, "T5", MEMBER, "1.00"), 3, "not_sent");
    let config =
        place.config(&format!("http://{nobody}/api/v2"), &json!({"journal": "/dev/null/journal.db"}));
    place.write("zvpos.json", &config.to_string());
    is(&pay(&place, "T6", MEMBER, "1.00"), 5, "internal");
}

#[test]
fn a_sale_from_the_member_to_the_day_end() {
    let (simulator, place) = (Simulator::start(), Location::new());
    let url = simulator.url();
    let zv = |arguments: &[&str]| place.zv(&[arguments, &["--sandbox", url.as_str()]].concat());

    zv(&["call", "member_lookup", "--param", "identifierNumber=M0001", "--param", "type=1"])
        .ended(0)
        .shows(&["outcome", "succeeded", MEMBER, "张三"]);
    zv(&["quote", "--user_id", MEMBER, "--user_coupon_id", FIVE_OFF, "--item", "201909280011111,2,13.50"])
        .ended(0)
        .shows(&["data.coupon_discount", "5.00"]);
    zv(&["consume", "--bizId", "T1", "--customerId", MEMBER, "--coupon", FIVE_OFF, "--amount", "23.00"])
        .ended(0)
        .shows(&["优惠券已核销，扣款成功", "complete_sale", "23.00"]);
    assert_eq!(simulator.net("T1"), 1);
    zv(&["consume", "--bizId", "T1", "--customerId", MEMBER, "--coupon", FIVE_OFF, "--amount", "23.00"])
        .ended(0)
        .shows(&["replayed"]);
    assert_eq!(simulator.net("T1"), 1);
    zv(&["confirm", "--bizId", "T1"]).ended(0);
    zv(&["lookup", "--bizId", "T1"]).ended(0).shows(&["recorded.stage", "succeeded"]);
    zv(&["pending"]).ended(0).shows(&["(no entries)"]);
    zv(&["pending", "--day", "1999-12-31"]).ended(0).shows(&["(no entries)"]);
    zv(&["reverse", "--bizId", "T1"]).ended(6).shows(&["已退回 23.00 元到会员账户"]);
    assert_eq!(simulator.net("T1"), 0);
    zv(&["pending", "--day", "31.12."]).ended(2).shows(&["day", "must be a date"]);
}

#[test]
fn a_lost_answer_is_settled_by_who_stays() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    let said = pay(&place, "T1~hang_after", MEMBER, "1.00");
    is(&said, 4, "unknown");
    assert_eq!(said.json()["next"], "other_tender");
    place.zv(&["recover", "--wait", "60"]).ended(0).shows(&["(no entries)"]);
    assert_eq!(simulator.net("T1~hang_after"), 0);
    place.zv(&["lookup", "--bizId", "T1~hang_after"]).ended(6).shows(&["reversed"]);
}

#[test]
fn a_person_settles_what_is_held() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"on_unknown": "hold"}));
    is(&pay(&place, "T1~reset_after", MEMBER, "1.00"), 4, "unknown");
    place.zv(&["recover", "--wait", "1"]).ended(0).shows(&["T1~reset_after", "unknown", "person"]);
    let settle = |more: &[&str]| place.zv(&[&["settle", "--bizId", "T1~reset_after"], more].concat());
    settle(&["--as", "perhaps"]).ended(2).shows(&[
        "as: must be one of",
        "by: is missing",
        "reason: is missing",
    ]);
    settle(&["--as", "kept", "--by", "王店长", "--reason", "已核对"]).ended(0).shows(&["data.stage", "kept"]);
    place.zv(&["pending"]).ended(0).shows(&["(no entries)"]);
}

#[test]
fn a_new_biz_id_is_said_and_stored_before_it_is_used() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"timeouts_ms": {"connect": 300, "total": 800}}));
    let mut known = Vec::new();
    for _ in 0..2 {
        simulator.arm("hang_after", "consume");
        let said = pay(&place, "auto", MEMBER, "1.00").ended(4);
        let biz_id = said.err.lines().find_map(|line| line.strip_prefix("bizId ")).unwrap().to_owned();
        assert_eq!(said.json()["bizId"], biz_id.as_str());
        let stored = std::fs::read_to_string(place.folder.join(".local/state/zvpos/biz-ids.log")).unwrap();
        assert!(stored.lines().last().unwrap().ends_with(&biz_id), "{stored}");
        assert!(!known.contains(&biz_id));
        known.push(biz_id);
    }
}

#[test]
fn a_request_comes_from_a_file_or_standard_input_and_flags_win() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    let request = json!({"bizId": "F1", "customerId": MEMBER, "amount": 3.5, "couponsCardList": [FIVE_OFF]});
    place.write("request.json", &format!("\u{feff}{request}"));
    let said = place.zv(&["consume", "--json", "--request", "request.json"]).ended(0);
    assert_eq!(said.json()["data"]["change_recharge_amount"], "3.50");
    let flags = ["consume", "--json", "--request", "-", "--bizId", "F2", "--amount", "4.00"];
    let said = place.with_stdin(&flags, &request.to_string()).ended(0);
    assert_eq!(said.json()["data"]["change_recharge_amount"], "4.00");
    assert_eq!((simulator.net("F1"), simulator.net("F2")), (1, 1));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    place.zv(&["consume", "--bizId", "T1", "--amount", "-1"]).ended(2).shows(&[
        "error",
        "amount: must not carry a sign",
        "customerId: is missing",
    ]);
    let said = place.with_stdin(&["quote", "--request", "-"], r#"{"user_idd": "1", "items": [{"num": 0}]}"#);
    said.ended(2).shows(&[
        "user_idd: is not a field",
        "did you mean \"user_id\"",
        "items[0].num: must be between",
    ]);
    place
        .with_stdin(&["quote", "--request", "-"], "{\"items\": [}")
        .ended(2)
        .shows(&["ZV-JSON", "line 1 column"]);
    place.with_stdin(&["quote", "--request", "-", "--user_id", "1"], "[1]").ended(2);
    place
        .zv(&["quote", "--item", "soup"])
        .ended(2)
        .complains(&["--item \"soup\" is not TRADE_MARK,NUM,PRICE"]);
    place.zv(&["quote", "--request", "nowhere.json"]).ended(2).complains(&["cannot read nowhere.json"]);
    place.write("wide.json", "x");
    std::fs::write(place.folder.join("wide.json"), b"\xff\xfe{\0}\0").unwrap();
    place
        .zv(&["quote", "--request", "wide.json"])
        .ended(2)
        .complains(&["wide.json is UTF-16; save it as UTF-8"]);
    std::fs::write(place.folder.join("gbk.json"), b"{\"a\":\"\xc6\xf3\"}").unwrap();
    place
        .zv(&["quote", "--request", "gbk.json"])
        .ended(2)
        .complains(&["gbk.json is not UTF-8 from byte 6 on"]);
    place.zv(&["call", "communal.user.consume", "--param", "bizId=1"]).ended(2).shows(&["ZV-ACTION"]);
    place.zv(&["call", "member_lookup", "--param", "type"]).ended(2).complains(&["is not NAME=VALUE"]);
    place.zv(&["quote", "--sandbox", "member"]).ended(2).complains(&["unexpected argument 'member'"]);
    place.zv(&["quote", "--sandbox", "h:1"]).ended(2).complains(&["a simulator's URL is like http://"]);
    place.zv(&["consume", "--bizid", "1"]).ended(2).complains(&["'--bizid'", "'--bizId'"]);
    place.zv(&["consume", "--payPassword", "246810"]).ended(2).complains(&["'--payPassword'"]);
    place.zv(&["recover", "--wait", "soon"]).ended(2).complains(&["'soon'", "--wait"]);
    assert_eq!(simulator.requests(), 0, "nothing of this was sent");
}
