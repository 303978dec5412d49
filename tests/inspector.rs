//! The simulator's inspector in a real browser, while a till uses the simulator through the C ABI: what a user sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, reason = "shared between the files of one test")]

#[path = "inspector/browser.rs"]
mod browser;
mod support;

use std::env;
use std::path::PathBuf;

use serde_json::{Value, json};

use browser::Browser;
use support::{
    Driver, FIVE_OFF, MEMBER, POOR_MEMBER, SAVINGS_COUPON, Simulator, config, reversing, root, scratch,
};

const DESK: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (375, 740);

fn page(simulator: &Simulator, language: &str) -> Browser {
    Browser::open(&simulator.inspector(), language, DESK)
}

fn sale(biz_id: &str, amount: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": amount})
}

/// The request at the top of the list.
const NEWEST: &str = "#list li:first-child button";

fn picture(browser: &mut Browser, name: &str) -> PathBuf {
    let path = scratch().join(format!("{name}.png"));
    browser.picture(&path);
    path
}

#[test]
fn a_consume_appears_by_itself_and_says_everything_when_it_is_opened() {
    let simulator = Simulator::start();
    let mut browser = page(&simulator, "en-US");
    browser.reads("#nothing", "No request yet");
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({})));
    till.consume(&sale("T1-0001", "23.00")).succeeded();
    browser.reads(NEWEST, "T1-0001");
    browser.reads(NEWEST, "+1 taken");
    browser.click(NEWEST);
    browser.reads("#signed-text", "grantCode=fake-grant-code-0001&nonce=");
    browser.reads("#params", "\"amount\": \"23.00\"");
    browser.reads("#answer", "\"change_recharge_amount\": \"23.00\"");
    browser.reads("#effect", "carried out");
    browser.reads("#detail-ledger", "1 deduction stands");
    // A reversal changes the ledger entry of the open request, without a click.
    till.reverse(&json!({"bizId": "T1-0001"})).expect("reversed", "ZV-REVERSED");
    browser.reads("#detail-ledger", "0 nothing stands");
    browser.reads(NEWEST, "−1 given back");
    browser.content();
}

#[test]
fn a_refusal_shows_the_rule_and_a_fault_what_it_was() {
    let simulator = Simulator::start();
    let mut browser = page(&simulator, "en-US");
    let mut wrong =
        Driver::started(&config(&simulator.v2(), json!({"openKey": "another-fake-open-key-0000"})));
    wrong.consume(&sale("T1-0001", "1.00"));
    browser.reads(NEWEST, "110004 signature");
    browser.click(NEWEST);
    browser.reads("#verdict", "Wrong signature");
    browser.reads("#verdict", "token expected");
    assert_eq!(browser.text("#rule"), "signature");
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.consume(&json!({"bizId": "T1-0002", "customerId": POOR_MEMBER, "amount": "500.00"}))
        .expect("declined", "910001");
    browser.reads(NEWEST, "consume.balance");
    browser.reads(NEWEST, "500.00 is wanted, 8.50 is there");
    till.consume(&sale("T1-0003~reset_after", "1.00"));
    browser.reads(NEWEST, "~reset_after");
    browser.click(NEWEST);
    browser.reads("#fault-played", "the connection is reset");
    // The filter leaves matching requests, the list of kinds the refused ones.
    browser.type_into("#filter", "t1-0002");
    browser.until("document.querySelectorAll('#list li').length === 1");
    browser.reads(NEWEST, "T1-0002");
    browser.ask("document.querySelector('#filter').value = ''");
    browser.choose("#kind", "refused");
    browser.until("document.querySelectorAll('#list li').length === 2");
    browser.content();
}

#[test]
fn a_fault_armed_on_the_page_meets_the_next_consume() {
    let simulator = Simulator::start();
    let mut browser = page(&simulator, "en-US");
    browser.click("#tab-faults");
    browser.reads("#armed", "No fault is waiting");
    browser.choose("#fault", "http_500_after");
    browser.click("#arm");
    browser.reads("#armed", "~http_500_after");
    browser.reads("#armed-hint", "~http_500_after");
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    let answer = till.consume(&sale("T1-0001", "1.00"));
    assert_eq!(answer.outcome(), "unknown", "{}", answer.text);
    assert_eq!(simulator.net("T1-0001"), 1);
    browser.reads("#armed", "No fault is waiting");
    browser.reads("#list", "~http_500_after");
    // Until it is disarmed; then disarmed.
    browser.choose("#fault", "system_error");
    browser.ask("document.querySelector('#fault-times').value = ''");
    browser.click("#arm");
    browser.reads("#armed", "until disarmed");
    assert_eq!(till.consume(&sale("T1-0002", "1.00")).outcome(), "unknown");
    browser.click("#disarm");
    browser.reads("#armed", "No fault is waiting");
    till.consume(&sale("T1-0003", "1.00")).succeeded();
    // By chance, with probability 1.
    browser.type_into("#chaos", "seed=7,system_error=1");
    browser.click("#set-chaos");
    support::until("chaos is set", || {
        simulator.admin("GET", "/chaos", &Value::Null)["rates"][0]["rate"] == 1.0
    });
    // As it was written, also after a reload.
    browser.reload();
    browser.click("#tab-faults");
    browser.until("document.querySelector('#chaos')?.value === 'seed=7,system_error=1'");
    assert_eq!(till.consume(&sale("T1-0004", "1.00")).outcome(), "unknown");
    browser.content();
}

#[test]
fn the_clock_the_policy_and_the_reset() {
    const DAY_MS: i64 = 86_400_000;
    let simulator = Simulator::start();
    let mut browser = page(&simulator, "en-US");
    let clock = || simulator.admin("GET", "/clock", &Value::Null);
    browser.click("#tab-clock");
    browser.reads("#clock-offset", "The machine's time");
    browser.click("#advance-day");
    browser.reads("#clock-offset", "+1 d");
    browser.reads("#clock-hint", "+1 d");
    let offset = clock()["offset_ms"].as_i64().unwrap();
    assert!((DAY_MS - 1000..=DAY_MS + 1000).contains(&offset), "{offset}");
    browser.click("#freeze");
    browser.reads("#freeze", "Let it run");
    assert_eq!(clock()["frozen"], true);
    let shown = browser.text("#clock-time");
    assert_eq!(
        clock()["now"].as_str().unwrap().get(..10),
        shown.get(..10),
        "the machine's time zone is not UTC?"
    );
    browser.click("#clock-true");
    browser.reads("#clock-offset", "The machine's time");
    // The policy: the gateway does what is selected.
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({})));
    till.consume(&sale("T1-0001", "1.00")).succeeded();
    browser.click("#tab-policy");
    browser.click("#set-refuse_reversals");
    let refuses = || simulator.admin("GET", "/policy", &Value::Null)["refuse_reversals"] == true;
    support::until("reversals are refused", refuses);
    till.reverse(&json!({"bizId": "T1-0001"}));
    browser.reads(NEWEST, "reverse.refused");
    // A change by another client is shown, too.
    simulator.admin("PUT", "/policy", &json!({"same_biz_id": "duplicate"}));
    browser.until("document.querySelector('#set-same_biz_id').value === 'duplicate'");
    // Members update live, and a reset asks for confirmation.
    browser.click("#tab-members");
    let balance = format!("[data-member='{MEMBER}'] [data-figure=total]");
    browser.reads(&balance, "¥999999.00");
    till.consume(&sale("T1-0002", "9.00")).succeeded();
    browser.reads(&balance, "¥999990.00");
    browser.click("#reset");
    browser.click("#reset-no");
    assert_eq!(simulator.net("T1-0002"), 1);
    browser.click("#reset");
    browser.click("#reset-yes");
    browser.reads(&balance, "¥1000000.00");
    browser.reads("#nothing", "No request yet");
    browser.content();
}

#[test]
fn both_languages_and_text_that_looks_like_html() {
    let simulator = Simulator::start();
    let mut browser = page(&simulator, "zh-CN");
    browser.reads("#tab-members", "会员");
    browser.reads("#nothing", "还没有请求");
    assert_eq!(browser.ask("document.documentElement.lang"), "zh-CN");
    browser.click("#language");
    browser.reads("#tab-members", "Members");
    // The choice is remembered, whatever the browser prefers.
    browser.reload();
    browser.reads("#tab-members", "Members");
    let evil = "<img/src=x/onerror=alert(1)>";
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.consume(&sale(evil, "1.00")).succeeded();
    browser.reads(NEWEST, evil);
    browser.click(NEWEST);
    browser.reads("#detail-biz-id", evil);
    browser.reads("#verdict", "took 1.00");
    browser.click("#tab-ledger");
    browser.reads("#ledger", evil);
    assert_eq!(
        browser.ask("document.querySelectorAll('img:not(h1 img)').length"),
        0,
        "the bizId became an element"
    );
    browser.content();
}

#[test]
fn in_chinese_nothing_is_explained_in_english() {
    let simulator = Simulator::start();
    let mut browser = page(&simulator, "zh-CN");
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.consume(&sale("T1-0001~reset_after", "1.00")).expect("unknown", "ZV-LOST");
    browser.reads(NEWEST, "余额 1.00");
    browser.click(NEWEST);
    browser.reads("#verdict", "已从会员");
    browser.reads("#fault-played", "unknown（结果未知）");
    browser.click("#tab-faults");
    browser.choose("#fault", "delivered_twice");
    browser.reads("#faults", "返回哪一次的应答");
    browser.reads("#faults", "数值为 2 时为 unknown");
    // The browser itself reports a refused request.
    browser.content();
    browser.type_into("#chaos", "hang=2");
    browser.click("#set-chaos");
    browser.reads("#trouble", "概率 2 不在 0 和 1 之间");
}

#[test]
fn paused_it_waits_and_the_keyboard_suffices() {
    let simulator = Simulator::start();
    let mut browser = page(&simulator, "en-US");
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    till.consume(&sale("T1-0001", "1.00")).succeeded();
    browser.reads(NEWEST, "T1-0001");
    browser.click("#pause");
    till.consume(&sale("T1-0002", "1.00")).succeeded();
    browser.reads("#pause", "Resume (1)");
    assert!(!browser.text("#list").contains("T1-0002"));
    browser.click("#pause");
    browser.reads(NEWEST, "T1-0002");
    browser.click(NEWEST);
    browser.press("ArrowDown");
    browser.reads("#detail-biz-id", "T1-0001");
    browser.press("/");
    browser.until("document.activeElement.id === 'filter'");
    // Every control has a name.
    for tab in ["requests", "members", "ledger", "faults", "clock", "policy"] {
        browser.ask(&format!("document.querySelector('#tab-{tab}').click()"));
        browser.until(&format!("document.body.dataset.panel === '{tab}'"));
        let nameless = "[...document.querySelectorAll('button, input, select')].filter((one) => \
            !one.labels?.length && !one.ariaLabel && !one.innerText.trim() && one.offsetParent).map((one) => one.outerHTML)";
        assert_eq!(browser.ask(nameless), json!([]), "{tab}");
    }
    browser.content();
}

/// The requests of a shop's till on a good day and on a bad one.
fn a_day(simulator: &Simulator) {
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({"late_arrival_ms": 60_000})));
    till.call("member_lookup", &json!({"identifierNumber": "M0001", "type": "1"})).succeeded();
    till.quote(&json!({"user_id": MEMBER, "user_coupon_id": SAVINGS_COUPON,
        "items": [{"num": "2", "trade_mark": "201909280011111", "price": "15.00"}]}))
        .succeeded();
    let paid = json!({"bizId": "S01-T2-20261122-000141", "customerId": MEMBER, "couponsCardList": [FIVE_OFF], "amount": "23.00"});
    till.consume(&paid).succeeded();
    let poor = json!({"bizId": "S01-T2-20261122-000142", "customerId": POOR_MEMBER, "amount": "500.00"});
    till.consume(&poor).expect("declined", "910001");
    till.consume(&sale("S01-T2-20261122-000143~reset_after", "18.50"));
    support::until("it is given back", || simulator.net("S01-T2-20261122-000143~reset_after") == 0);
    let mut wrong =
        Driver::started(&config(&simulator.v2(), json!({"openKey": "another-fake-open-key-0000"})));
    wrong.consume(&sale("S01-T1-20261122-000087", "9.90"));
    let points =
        json!({"bizId": "S01-T2-20261122-000144", "customerId": MEMBER, "amount": "35.80", "points": "200"});
    till.consume(&points).succeeded();
}

#[test]
fn it_fits_a_phone_and_the_night_and_its_pictures() {
    let simulator = Simulator::start();
    a_day(&simulator);
    let mut browser = page(&simulator, "en-US");
    browser.prefer("light");
    browser.reads(NEWEST, "000144");
    browser.click("#list li:has(.amber) button");
    browser.reads("#detail-ledger", "Reversal");
    let english = picture(&mut browser, "inspector");
    let back = "getComputedStyle(document.body).backgroundColor";
    let light = browser.ask(back);
    browser.prefer("dark");
    assert_ne!(browser.ask(back), light, "the night is as bright as the day");
    browser.click("#language");
    browser.reads("#tab-detail", "详情");
    browser.reads("#detail-ledger", "冲正");
    picture(&mut browser, "inspector-dark.zh-CN");
    browser.prefer("light");
    let chinese = picture(&mut browser, "inspector.zh-CN");
    for language in ["zh", "en"] {
        browser.resize(PHONE);
        for tab in ["requests", "detail", "members", "ledger", "faults", "clock", "policy"] {
            browser.click(&format!("#tab-{tab}"));
            browser.until(&format!("document.querySelector('#{tab}').childElementCount > 0"));
            let wide = "[document.documentElement, ...document.querySelectorAll('main, #requests, #list')] \
                .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.tagName + one.id)";
            assert_eq!(browser.ask(wide), json!([]), "{tab} must be scrolled sideways");
            picture(&mut browser, &format!("inspector-phone-{tab}.{language}"));
        }
        // Opening a request leaves the list.
        browser.click("#tab-requests");
        browser.click(NEWEST);
        browser.until("document.querySelector('#requests').offsetParent === null");
        browser.reads("#detail-biz-id", "000144");
        browser.resize(DESK);
        browser.click("#language");
    }
    browser.content();
    if env::var_os("ZVPOS_SCREENSHOTS").is_some() {
        for (path, name) in [(english, "inspector.png"), (chinese, "inspector.zh-CN.png")] {
            std::fs::copy(path, root().join("docs").join(name)).unwrap();
        }
    }
}
