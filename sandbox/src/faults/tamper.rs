//! Falsified answers of the gateway: the answer differs from what the gateway did, or is malformed.

use crate::rules::{Fen, JsonValue, codes, refusal_with};

/// The answer without its data.
pub(super) fn without_data(body: &JsonValue) -> JsonValue {
    let JsonValue::Object(fields) = body else { return body.clone() };
    JsonValue::Object(fields.iter().filter(|(name, _)| *name != "data").cloned().collect())
}

/// Another answer followed by the real one, in one JSON object with duplicate keys: parsers differ in which one they
/// read.
pub(super) fn twice_said(body: &JsonValue) -> JsonValue {
    let JsonValue::Object(fields) = body else { return body.clone() };
    let first = [
        ("status", JsonValue::Bare("false".to_owned())),
        ("code", JsonValue::text(codes::SYSTEM_BUSY)),
        ("message", JsonValue::text("系统繁忙，请稍后再试")),
    ];
    JsonValue::Object(first.into_iter().chain(fields.iter().cloned()).collect())
}

/// The answer with a larger deduction.
pub(super) fn more_taken(body: &JsonValue, fen: u64) -> JsonValue {
    in_data(body, "change_recharge_amount", |amount| {
        let taken = amount.as_text().and_then(Fen::parse).unwrap_or_default();
        JsonValue::text(taken.plus(Fen::new(fen)))
    })
}

/// The answer with a coupon that does not exist.
pub(super) fn other_coupons(body: &JsonValue) -> JsonValue {
    in_data(body, "couponsCardList", |_| JsonValue::List(vec![JsonValue::text("390000000000000000")]))
}

/// A refusal whose data still shows the deduction; a refusal is returned unchanged.
pub(super) fn refused_with_data(body: &JsonValue) -> JsonValue {
    let Some(JsonValue::Object(data)) = body.get("data") else { return body.clone() };
    let shown = data.iter().filter(|(name, _)| !matches!(*name, "status" | "code" | "message"));
    refusal_with(codes::FAILED_AFTER_EFFECT, "处理失败", JsonValue::Object(shown.cloned().collect()))
}

/// A refusal that names this sale.
pub(super) fn refusal_of(biz_id: &str) -> JsonValue {
    let data = JsonValue::Object(vec![("bizId", JsonValue::text(biz_id))]);
    refusal_with(codes::COUPON_USED, "优惠券已核销", data)
}

/// The vendor's own sample: every documented field of the data is present and empty (DOC).
pub(super) fn emptied(body: &JsonValue) -> JsonValue {
    let JsonValue::Object(fields) = body else { return body.clone() };
    let emptied = fields.iter().map(|(field, value)| match value {
        JsonValue::Object(data) if *field == "data" => {
            let repeats = |name: &str| matches!(name, "status" | "code" | "message");
            let data = data.iter().map(|(name, value)| {
                (*name, if repeats(name) { value.clone() } else { JsonValue::text("") })
            });
            (*field, JsonValue::Object(data.collect()))
        }
        _ => (*field, value.clone()),
    });
    JsonValue::Object(emptied.collect())
}

/// Every amount with four decimals, as a database column prints it.
pub(super) fn four_decimals(body: &JsonValue) -> JsonValue {
    let written = |text: &str| {
        let (whole, fraction) = text.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        (digits(whole) && digits(fraction) && fraction.len() == 2).then(|| format!("{text}00"))
    };
    match body {
        JsonValue::Text(text) => JsonValue::Text(written(text).unwrap_or_else(|| text.clone())),
        JsonValue::Bare(text) => JsonValue::Bare(written(text).unwrap_or_else(|| text.clone())),
        JsonValue::List(items) => JsonValue::List(items.iter().map(four_decimals).collect()),
        JsonValue::Object(fields) => {
            JsonValue::Object(fields.iter().map(|(name, value)| (*name, four_decimals(value))).collect())
        }
    }
}

/// The answer with one field of its data changed; a refusal has no data and is returned unchanged.
fn in_data(body: &JsonValue, name: &str, change: impl Fn(&JsonValue) -> JsonValue) -> JsonValue {
    let JsonValue::Object(fields) = body else { return body.clone() };
    let changed = fields.iter().map(|(field, value)| match value {
        JsonValue::Object(data) if *field == "data" => {
            let data = data
                .iter()
                .map(|(field, value)| (*field, if *field == name { change(value) } else { value.clone() }));
            (*field, JsonValue::Object(data.collect()))
        }
        _ => (*field, value.clone()),
    });
    JsonValue::Object(changed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> JsonValue {
        let data = vec![
            ("couponsCardList", JsonValue::List(Vec::new())),
            ("change_recharge_amount", JsonValue::text("1.50")),
        ];
        JsonValue::Object(vec![
            ("status", JsonValue::text("true")),
            ("code", JsonValue::text("0")),
            ("data", JsonValue::Object(data)),
        ])
    }

    #[test]
    fn what_a_refusal_shows_and_what_an_empty_form_keeps() {
        assert_eq!(
            refused_with_data(&answer()).to_json(),
            r#"{"status":true,"code":"910012","message":"处理失败","data":{"couponsCardList":[],"change_recharge_amount":"1.50"}}"#
        );
        assert!(emptied(&answer()).to_json().contains(r#""couponsCardList":"","change_recharge_amount":"""#));
        assert!(four_decimals(&answer()).to_json().contains(r#""change_recharge_amount":"1.5000""#));
        assert!(refusal_of("A1").to_json().contains(r#""data":{"bizId":"A1"}"#));
    }

    #[test]
    fn each_changes_its_own_part() {
        assert_eq!(without_data(&answer()).to_json(), r#"{"status":"true","code":"0"}"#);
        assert!(more_taken(&answer(), 100).to_json().contains(r#""change_recharge_amount":"2.50""#));
        assert!(other_coupons(&answer()).to_json().contains(r#"["390000000000000000"]"#));
        let both = twice_said(&answer()).to_json();
        assert_eq!((both.matches("\"status\"").count(), both.matches("\"code\"").count()), (2, 2));
        let refusal =
            JsonValue::Object(vec![("status", JsonValue::text("true")), ("code", JsonValue::text("910001"))]);
        assert_eq!((more_taken(&refusal, 1), other_coupons(&refusal)), (refusal.clone(), refusal));
    }
}
