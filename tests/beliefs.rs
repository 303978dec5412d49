//! What the library believes of a gateway whose answer contradicts its action. A wrong `succeeded`, `declined` or
//! `reversed` costs money: each case compares what the till is told with what the gateway did.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use serde_json::{Value, json};
use support::{Answer, Driver, Holder, MEMBER, Scripted, config, gateway_answer, reversing, until};

const DONE: &str = r#"{"status":true,"code":0,"message":"ok","data":null}"#;

/// A gateway with scripted answers, and its current deductions.
struct Gateway {
    server: Scripted,
    stands: Arc<AtomicI64>,
}

impl Gateway {
    /// `answer` receives whether it is a reversal, the bizId and the deductions; an empty answer closes the
    /// connection.
    fn new(answer: impl Fn(bool, &str, &AtomicI64) -> String + Send + Sync + 'static) -> Gateway {
        let stands = Arc::new(AtomicI64::new(0));
        let ledger = Arc::clone(&stands);
        let server = Scripted::answering(move |request| {
            let sent: Value = serde_json::from_str(&request.body).unwrap();
            let is_reversal = sent["Action"].as_str().unwrap().contains("reverse");
            let body = answer(is_reversal, sent["Params"]["bizId"].as_str().unwrap_or_default(), &ledger);
            if body.is_empty() { Vec::new() } else { gateway_answer(&body) }
        });
        Gateway { server, stands }
    }

    fn stands(&self) -> i64 {
        self.stands.load(SeqCst)
    }
}

/// The complete success of a consume.
fn taken(biz_id: &str) -> String {
    format!(
        r#"{{"status":true,"code":0,"message":"ok","data":{{"bizId":"{biz_id}","change_recharge_amount":"3.00"}}}}"#
    )
}

fn sale(biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": MEMBER, "amount": "3.00"})
}

fn reverse(till: &mut Driver, biz_id: &str) -> Answer {
    till.reverse(&json!({"bizId": biz_id}))
}

/// A gateway that takes and gives back as requested.
fn honest() -> Gateway {
    Gateway::new(|is_reversal, biz_id, stands| {
        stands.fetch_add(if is_reversal { -1 } else { 1 }, SeqCst);
        if is_reversal { DONE.to_owned() } else { taken(biz_id) }
    })
}

/// A till on that day.
fn on_day(day: u32, config: &Value) -> Driver {
    let time = format!("@2026-01-{day:02} 06:00:00");
    let mut till = Driver::wrapped(&["faketime", "-f", &time], &[("TZ", "UTC")]);
    till.init(config).succeeded();
    till
}

#[test]
fn a_sale_whose_details_were_dropped_is_given_back() {
    let gateway = honest();
    let config = reversing(&gateway.server.url(), json!({"retention_days": 2}));
    for day in 1..6 {
        let mut till = on_day(day, &config);
        till.consume(&sale(&format!("T{day}"))).succeeded();
        till.shutdown();
    }
    let mut till = on_day(6, &config);
    until("the details of T1 are dropped", || till.look_up("T1").succeeded().json["message"] == "");
    reverse(&mut till, "T1").expect("reversed", "ZV-REVERSED");
    assert_eq!(gateway.stands(), 4);
}

/// The answer to a refund that the gateway carries out and answers with this body.
fn refund_answered(body: &'static str, more: Value) -> Answer {
    let gateway = Gateway::new(move |is_reversal, biz_id, stands| {
        stands.fetch_add(if is_reversal { -1 } else { 1 }, SeqCst);
        if is_reversal { body.to_owned() } else { taken(biz_id) }
    });
    let mut till = Driver::started(&reversing(&gateway.server.url(), more));
    till.consume(&sale("T1")).succeeded();
    let told = reverse(&mut till, "T1");
    assert_eq!(till.look_up("T1").outcome(), told.outcome(), "{body}: {}", told.text);
    told
}

#[test]
fn a_refusal_of_a_refund_is_not_believed_more_than_one_of_a_sale() {
    let listed = || json!({"codes": {"only_listed": true, "declined": ["5001"]}});
    for (body, more) in [
        (
            r#"{"status":true,"code":5001,"message":"repeat","data":{"status":true,"code":"0","message":"ok"}}"#,
            json!({}),
        ),
        (
            r#"{"status":true,"code":5001,"message":"x","data":{"bizId":"T1","change_recharge_amount":"3.00"}}"#,
            json!({}),
        ),
        (
            r#"{"status":true,"code":0,"message":"ok","data":{"status":true,"code":200,"message":"success"}}"#,
            json!({}),
        ),
        (r#"{"status":true,"code":5003,"message":"处理中","data":null}"#, listed()),
        (
            r#"{"status":true,"code":5003,"message":"x","data":{"bizId":"OTHER-9"}}"#,
            json!({"strict_answer": true}),
        ),
    ] {
        refund_answered(body, more).expect("unknown", "ZV-REVERSAL-QUEUED");
    }
}

#[test]
fn a_refusal_that_contradicts_itself_or_shows_the_deduction_is_unknown() {
    let each = |body: &'static str| {
        let gateway = Gateway::new(move |is_reversal, _, stands| {
            stands.fetch_add(if is_reversal { -1 } else { 1 }, SeqCst);
            if is_reversal { DONE.to_owned() } else { body.to_owned() }
        });
        let mut till = Driver::started(&reversing(&gateway.server.url(), json!({})));
        let told = till.consume(&sale("T1"));
        assert_eq!(told.outcome(), "unknown", "{body}: {}", told.text);
    };
    for body in [
        r#"{"status":true,"code":0,"message":"ok","data":{"status":true,"code":"200","message":"success","bizId":"T1","total_amount":"977.00"}}"#,
        r#"{"status":true,"code":0,"message":"ok","data":{"code":"200","message":"success","bizId":"T1","total_amount":"977.00"}}"#,
        r#"{"status":true,"code":5001,"message":"x","data":[{"bizId":"T1","change_recharge_amount":"3.00"}]}"#,
        r#"{"status":true,"code":5001,"message":"x","data":"{\"change_recharge_amount\":\"3.00\"}"}"#,
        r#"{"status":true,"code":5001,"message":"x","data":{"result":{"change_recharge_amount":"3.00"}}}"#,
        r#"{"status":true,"code":5001,"message":"ok","data":{"status":true,"code":"5001","message":"success"}}"#,
    ] {
        each(body);
    }
}

/// The gateway gives an answer that proves nothing, and carries the consume out later; it confirms every reversal.
#[test]
fn an_answer_without_proof_does_not_end_the_late_window() {
    for (body, more) in [
        (
            r#"{"status":true,"code":5003,"message":"处理中","data":null}"#,
            json!({"codes": {"in_doubt": ["5003"]}}),
        ),
        (
            r#"{"status":true,"code":5003,"message":"处理中","data":null}"#,
            json!({"codes": {"only_listed": true}}),
        ),
        (r#"{"status":false,"code":110007,"message":"nonce","data":null}"#, json!({})),
        (r#"{"status":false,"code":504,"message":"upstream timed out","data":null}"#, json!({})),
        (r#"{"status":true,"code":0,"message":"accepted","data":null}"#, json!({})),
    ] {
        let gateway = Gateway::new(move |is_reversal, _, stands| {
            if !is_reversal {
                return body.to_owned();
            }
            // It gives back an existing deduction, and confirms every request.
            let _ = stands.compare_exchange(1, 0, SeqCst, SeqCst);
            DONE.to_owned()
        });
        let mut config = reversing(&gateway.server.url(), json!({"late_arrival_ms": 1500}));
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut till = Driver::started(&config);
        assert_eq!(till.consume(&sale("T1")).outcome(), "unknown");
        until("promised", || till.look_up("T1").json["recorded"]["reversal"]["said"] == "done");
        let promised = till.look_up("T1");
        assert_eq!(promised.outcome(), "unknown", "{body}: {}", promised.text);
        gateway.stands.store(1, SeqCst);
        until("undone", || till.look_up("T1").outcome() == "reversed");
        assert_eq!(gateway.stands(), 0, "{body}");
    }
}

/// The first reversal is carried out and answered with this, or not at all; later ones are refused.
fn refused_after(first: &'static str, is_refund: bool) -> (Gateway, Driver) {
    let reversals = AtomicI64::new(0);
    let gateway = Gateway::new(move |is_reversal, biz_id, stands| {
        stands.fetch_add(
            if !is_reversal {
                1
            } else if reversals.fetch_add(1, SeqCst) == 0 {
                -1
            } else {
                0
            },
            SeqCst,
        );
        match (is_reversal, reversals.load(SeqCst)) {
            (false, _) if is_refund => taken(biz_id),
            (false, _) => String::new(),
            (true, 1) => first.to_owned(),
            (true, _) => r#"{"status":true,"code":4004,"message":"already","data":null}"#.to_owned(),
        }
    });
    let routes = json!({"routes": {"reverse": {"action": "sandbox.consume-reverse"}}});
    let mut till = Driver::started(&reversing(&gateway.server.url(), routes));
    till.consume(&sale("T1"));
    if is_refund {
        reverse(&mut till, "T1");
    }
    (gateway, till)
}

#[test]
fn a_sale_whose_reversal_may_have_acted_is_never_called_valid() {
    for (first, is_refund, stage) in [("", true, "refused"), (DONE, false, "unproven")] {
        let (gateway, mut till) = refused_after(first, is_refund);
        until("a person's", || till.look_up("T1").json["recorded"]["stage"] == stage);
        let kept = json!({"bizId": "T1", "as": "kept", "by": "w", "reason": "r"});
        let told = till.settle(&kept);
        assert_eq!(told.outcome(), "invalid", "{}", told.text);
        assert_eq!(till.look_up("T1").outcome(), "unknown");
        till.settle(&json!({"bizId": "T1", "as": "undone", "by": "w", "reason": "r"})).succeeded();
        assert_eq!(gateway.stands(), 0);
    }
}

#[test]
fn a_refund_that_was_refused_is_explained_at_the_next_start() {
    let gateway = Gateway::new(|is_reversal, biz_id, stands| {
        if !is_reversal {
            stands.fetch_add(1, SeqCst);
            return taken(biz_id);
        }
        match stands.swap(0, SeqCst) {
            1 => DONE.to_owned(),
            _ => r#"{"status":true,"code":920002,"message":"already","data":null}"#.to_owned(),
        }
    });
    let unlisted = json!({"routes": {"reverse": {"action": "sandbox.consume-reverse"}}});
    let config = reversing(&gateway.server.url(), unlisted.clone());
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    let mut other = Driver::started(&reversing(&gateway.server.url(), unlisted));
    other.reverse(&json!({"bizId": "T1", "returnedBizId": "T1", "customerId": MEMBER}));
    assert_eq!(gateway.stands(), 0);
    reverse(&mut till, "T1").expect("conflict", "ZV-REFUND-REFUSED");
    till.shutdown();
    let mut listed = config;
    listed["routes"] =
        json!({"reverse": {"action": "sandbox.consume-reverse", "codes": {"already": ["920002"]}}});
    let mut till = Driver::started(&listed);
    till.look_up("T1").expect("reversed", "ZV-REVERSED");
}

#[test]
fn a_refusal_is_explained_though_the_journal_was_locked_at_the_start() {
    let gateway = Gateway::new(|is_reversal, _, _| {
        let refused = r#"{"status":true,"code":920002,"message":"already","data":null}"#;
        if is_reversal { refused.to_owned() } else { String::new() }
    });
    let route =
        |codes: Value| json!({"routes": {"reverse": {"action": "sandbox.consume-reverse", "codes": codes}}});
    let config = reversing(&gateway.server.url(), route(json!({})));
    let mut till = Driver::started(&config);
    till.consume(&sale("T1"));
    until("the reversal is refused", || {
        till.pending(None).data()["entries"][0]["entry"]["stage"] == "refused"
    });
    till.shutdown().succeeded();
    let mut listed = config;
    listed["routes"] = route(json!({"already": ["920002"]}))["routes"].take();
    let holder = Holder::take_alone(&listed["journal"]);
    let mut till = Driver::new();
    assert!(till.init(&listed).succeeded().warns("ZV-W-JOURNAL"));
    holder.let_go();
    until("the refusal is explained", || till.look_up("T1").code() == "ZV-REVERSED");
}

#[test]
fn a_system_error_does_not_prove_that_nothing_was_taken() {
    for (status, outcome) in [(false, "unknown"), (true, "reversed")] {
        let gateway = Scripted::answering(move |request| {
            if request.body.contains("x.balance") {
                gateway_answer(&format!(r#"{{"status":{status},"code":100007,"message":"m","data":null}}"#))
            } else {
                Vec::new()
            }
        });
        let route = json!({"action": "x.balance", "complete": true, "codes": {"not_found": [100_007]}});
        let routes = json!({"routes": {"balance_by_biz_id": route}});
        let mut till = Driver::started(&reversing(&gateway.url(), routes));
        till.consume(&sale("T1")).expect("unknown", "ZV-TIMEOUT");
        std::thread::sleep(std::time::Duration::from_millis(400));
        for _ in 0..3 {
            till.recover().succeeded();
        }
        assert_eq!(till.look_up("T1").outcome(), outcome);
    }
}

#[test]
fn codes_with_two_meanings_are_refused_by_their_path() {
    let reverse = |codes: Value| json!({"routes": {"reverse": {"action": "x", "codes": codes}}});
    for (more, path) in [
        (reverse(json!({"already": ["9"], "not_found": ["9"]})), "routes.reverse.codes.not_found"),
        (reverse(json!({"already": ["0"]})), "routes.reverse.codes.already"),
        (reverse(json!({"not_found": [0]})), "routes.reverse.codes.not_found"),
        (json!({"codes": {"declined": ["0"]}}), "codes.declined"),
        (json!({"codes": {"before_effect": [0]}}), "codes.before_effect"),
        (json!({"codes": {"in_doubt": ["0"]}}), "codes.in_doubt"),
        (
            json!({"routes": {"balance_by_biz_id": {"action": "x", "complete": true}}}),
            "routes.balance_by_biz_id.codes.not_found",
        ),
    ] {
        let refused = Driver::new().init(&config("http://h/", more)).expect("invalid", "ZV-CONFIG");
        assert_eq!(refused.errors(), [path], "{}", refused.text);
    }
}

#[test]
fn a_consume_with_the_journals_identity_is_not_sent_if_recorded_for_another_gateway() {
    let gateway = honest();
    let config = reversing(&gateway.server.url(), json!({}));
    let mut till = Driver::new();
    let id = till.init(&config).succeeded().data()["journal_id"].clone();
    let mut request = sale("T1");
    request["journal_id"] = id;
    till.consume(&request).succeeded();
    till.shutdown();
    let mut moved = config;
    moved["endpoint"] = json!(gateway.server.url().replace("127.0.0.1", "localhost"));
    let mut till = Driver::started(&moved);
    till.consume(&request).expect("unknown", "ZV-OTHER-JOURNAL");
    assert_eq!(gateway.stands(), 1);
    // Under its own bizId it is a sale like any other.
    request["bizId"] = json!("T2");
    till.consume(&request).succeeded();
}

/// As when the vendor's http becomes https: the account is the same, so its sales are.
#[test]
fn an_account_keeps_its_sales_when_its_url_changes() {
    let gateway = honest();
    let named = json!({"environment": "shop", "on_unknown": "hold", "background": false});
    let config = reversing(&gateway.server.url(), named);
    let mut till = Driver::started(&config);
    till.consume(&sale("T1")).succeeded();
    till.shutdown();
    let mut moved = config;
    moved["endpoint"] = json!(gateway.server.url().replace("127.0.0.1", "localhost"));
    let mut till = Driver::started(&moved);
    let again = till.consume(&sale("T1")).succeeded();
    assert_eq!((&again.json["replayed"], gateway.stands()), (&json!(true), 1));
    till.reverse(&json!({"bizId": "T1"})).expect("reversed", "ZV-REVERSED");
    assert_eq!(gateway.stands(), 0);
}

#[test]
fn one_account_stands_in_the_configuration_once() {
    let keys = json!({"openId": "a", "grantCode": "b", "openKey": "c", "endpoint": "http://127.0.0.1:1/x"});
    let mut accounts = json!({"one": keys.clone(), "two": keys});
    let mut till = Driver::new();
    let refused = till.init(&json!({"accounts": accounts})).expect("invalid", "ZV-CONFIG");
    assert_eq!(refused.errors(), ["accounts.two"], "{}", refused.text);
    for wrong in ["other members", "production ", "中文"] {
        accounts["two"]["environment"] = json!(wrong);
        let refused = till.init(&json!({"accounts": accounts})).expect("invalid", "ZV-CONFIG");
        assert_eq!(refused.errors(), ["accounts.two.environment"], "{}", refused.text);
    }
    accounts["two"]["environment"] = json!("other-members");
    let journal = support::own_folder().join("journal.db");
    till.init(&json!({"accounts": accounts, "journal": journal})).succeeded();
}

/// The first till's attempt is carried out and confirmed late; meanwhile the second one's gets a refusal with an
/// unconfigured code.
#[test]
fn one_tills_confirmation_is_not_overridden_by_anothers_refusal() {
    let reversals = AtomicI64::new(0);
    let gateway = Gateway::new(move |is_reversal, biz_id, stands| {
        if !is_reversal {
            stands.fetch_add(1, SeqCst);
            return taken(biz_id);
        }
        if reversals.fetch_add(1, SeqCst) == 0 {
            stands.fetch_sub(1, SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(1500));
            return DONE.to_owned();
        }
        r#"{"status":true,"code":7002,"message":"already reversed","data":null}"#.to_owned()
    });
    let more =
        json!({"routes": {"reverse": {"action": "sandbox.consume-reverse"}}, "timeouts_ms": {"total": 5000}});
    let config = reversing(&gateway.server.url(), more);
    let (mut one, mut two) = (Driver::started(&config), Driver::started(&config));
    one.consume(&sale("T1")).succeeded();
    one.begin(r#"reverse {"bizId": "T1"}"#);
    until("it is on its way", || gateway.stands() == 0);
    reverse(&mut two, "T1").expect("conflict", "ZV-REFUSED");
    one.finish().expect("reversed", "ZV-REVERSED");
    two.look_up("T1").expect("reversed", "ZV-REVERSED");
}
