//! What the library believes of a gateway that acts and says something else. A wrong `succeeded`, `declined` or
//! `reversed` costs money: each case compares what the till is told with what the gateway did.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, Scripted, gateway_answer, reversing};

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
