//! The lines between certifier and till: one JSON object per line. See `docs/certify.md`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::sale::{Sale, SaleState};

/// A till's line about one sale.
#[derive(Clone, Debug, Deserialize)]
pub struct SaleLine {
    /// The sale's number; empty or absent for a deduction whose sale the till does not know.
    #[serde(default)]
    pub sale: Option<String>,
    /// Its result.
    pub result: SaleState,
    /// The bizId of the payment.
    #[serde(default, rename = "bizId")]
    pub biz_id: Option<String>,
    /// The bizId in the gateway's answer.
    #[serde(default, rename = "returnedBizId")]
    pub returned_biz_id: Option<String>,
    /// 元 taken from the balance.
    #[serde(default)]
    pub paid_by_member: Option<String>,
}

/// A line about a sale, and the till that it came from.
#[derive(Clone, Debug)]
pub(crate) struct TillReport {
    pub(crate) till: u8,
    pub(crate) line: SaleLine,
}

/// A line from a till.
#[derive(Clone, Debug)]
pub enum Line {
    /// The result of a sale.
    Sale(SaleLine),
    /// The oldest pending command is done.
    Done,
    /// At the end of the day: a bizId on which till and journal disagree.
    Difference,
    /// A note for a person, which the certifier ignores.
    Note,
}

impl Line {
    /// Parses a line.
    ///
    /// # Errors
    /// A text: invalid JSON, or an unknown line.
    pub fn read(text: &str) -> Result<Line, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
        let has = |name: &str| value.get(name).is_some_and(Value::is_string);
        if has("done") {
            return Ok(Line::Done);
        }
        if has("difference") {
            return Ok(Line::Difference);
        }
        if has("note") {
            return Ok(Line::Note);
        }
        if value.get("result").is_none() {
            return Err("has none of result, difference, note, done".to_owned());
        }
        serde_json::from_value(value).map(Line::Sale).map_err(|error| error.to_string())
    }
}

/// Start the library with this configuration, and check what an earlier process left unsettled.
pub(crate) fn start(number: &str, folder: &str, config: &Value) -> Value {
    json!({"do": "start", "till": number, "folder": folder, "config": config})
}

/// The cashier presses the button: the member pays this sale.
pub(crate) fn sell(sale: &Sale) -> Value {
    let mut line = json!({"do": "sell", "sale": sale.number, "customerId": sale.customer});
    let mut put = |name: &str, value: Value| {
        if let Some(fields) = line.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    if !sale.amount.is_empty() {
        put("amount", sale.amount.into());
    }
    if !sale.coupons.is_empty() {
        put("coupons", json!(sale.coupons));
    }
    if sale.points > 0 {
        put("points", sale.points.into());
    }
    if let Some((trade_mark, price)) = sale.goods {
        put("items", json!([{"num": 1, "trade_mark": trade_mark, "price": price}]));
    }
    line
}

/// Refund a completed sale.
pub(crate) fn refund(sale: &str) -> Value {
    json!({"do": "refund", "sale": sale})
}

/// List the result of every sale.
pub(crate) fn list() -> Value {
    json!({"do": "list"})
}

/// Compare the sales of a business day with the journal's.
pub(crate) fn day(day: &str) -> Value {
    json!({"do": "day", "day": day})
}

/// Stop the library and exit.
pub(crate) fn stop() -> Value {
    json!({"do": "stop"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_refused_in_words() {
        let line = Line::read(r#"{"sale":"S-1","result":"other_tender","shown":"余额不足"}"#).unwrap();
        assert!(matches!(line, Line::Sale(line) if line.result == SaleState::OtherTender));
        assert!(matches!(Line::read(r#"{"done":"sell"}"#), Ok(Line::Done)));
        for wrong in ["", "hello", "[1]", "{}", r#"{"sale":"S-1","result":"paid"}"#] {
            assert!(Line::read(wrong).is_err(), "{wrong}");
        }
    }
}
