//! What the library believes of a gateway that acts and says something else. A wrong `succeeded`, `declined` or
//! `reversed` costs money: each case compares what the till is told with what the gateway did.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, Scripted, gateway_answer, reversing, until};

const DONE: &str = r#"{"status":true,"code":0,"message":"ok","data":null}"#;

/// A gateway that answers what a test says, and the deductions that stand there.
struct Gateway {
    server: Scripted,
    stands: Arc<AtomicI64>,
}

impl Gateway {
    /// `answer` gets whether it is a reversal, the bizId and what stands; an empty answer is none.
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

/// The whole success of a consume.
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

/// A gateway that takes and gives back as it is told.
fn honest() -> Gateway {
    Gateway::new(|is_reversal, biz_id, stands| {
        stands.fetch_add(if is_reversal { -1 } else { 1 }, SeqCst);
        if is_reversal { DONE.to_owned() } else { taken(biz_id) }
    })
}

/// A till at that day.
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
    let dropped = till.look_up("T1").succeeded();
    assert_eq!(dropped.json["message"], "", "its details were not dropped: {}", dropped.text);
    reverse(&mut till, "T1").expect("reversed", "ZV-REVERSED");
    assert_eq!(gateway.stands(), 4);
}

/// What a refund comes to that acts and is answered so.
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
            if is_reversal { String::new() } else { body.to_owned() }
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

/// The gateway answers something that says nothing, and carries the consume out later; it confirms every reversal.
#[test]
fn an_answer_that_says_nothing_does_not_end_the_late_window() {
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
            // It gives back what stands there, and says yes to everything.
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
