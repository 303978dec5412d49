//! A line of a till to the certifier: taken or refused as JSON and its words say, with nothing in it changed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zvpos_certify::{Line, SaleState};

const WORDS: [&str; 7] = ["completed", "other_tender", "waiting", "retry", "failed", "refunding", "refunded"];

fuzz_target!(|input: &[u8]| {
    for line in String::from_utf8_lossy(input).lines() {
        check(line);
    }
});

fn check(text: &str) {
    let read = Line::read(text);
    let Ok(value) = serde_json::from_str::<Value>(text) else { return assert!(read.is_err(), "{text}") };
    let has = |name: &str| value.get(name).is_some_and(Value::is_string);
    let is_text_or_none =
        |name: &str| value.get(name).is_none_or(|value| value.is_string() || value.is_null());
    match read {
        Ok(Line::Done) => assert!(has("done")),
        Ok(Line::Difference) => assert!(has("difference") && !has("done")),
        Ok(Line::Note) => assert!(has("note") && !has("done") && !has("difference")),
        Ok(Line::Sale(line)) => {
            assert!(!["done", "difference", "note"].into_iter().any(has), "{text}");
            assert_eq!(value.get("result").and_then(Value::as_str), Some(line.result.word()));
            assert_eq!(
                serde_json::from_value::<SaleState>(line.result.word().into()).ok(),
                Some(line.result)
            );
            let text = |name: &str| value.get(name).and_then(Value::as_str);
            assert_eq!(line.sale.as_deref(), text("sale"));
            assert_eq!(line.biz_id.as_deref(), text("bizId"));
            assert_eq!(line.returned_biz_id.as_deref(), text("returnedBizId"));
            assert_eq!(line.paid_by_member.as_deref(), text("paid_by_member"));
        }
        Err(why) => {
            assert!(!why.is_empty());
            let is_sale =
                value.get("result").and_then(Value::as_str).is_some_and(|word| WORDS.contains(&word))
                    && ["sale", "bizId", "returnedBizId", "paid_by_member"].into_iter().all(is_text_or_none);
            let is_line = is_sale || ["done", "difference", "note"].into_iter().any(has);
            assert!(!is_line, "{text}: {why}");
        }
    }
}
