//! The lines between certifier and till: JSON objects, one a line. See `docs/certify.md`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::scenario::Sale;

/// What a cashier sees of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Paid by the member; the goods are handed over.
    Completed,
    /// Not paid by the member: the customer pays in another way.
    OtherTender,
    /// Neither: nobody knows yet, and nothing more is taken.
    Waiting,
    /// Nothing was taken; the cashier may press the button again.
    Retry,
    /// The till cannot take this payment; somebody has to look at the program or the machine.
    Failed,
    /// The sale is being undone; the money comes back by itself.
    Refunding,
    /// The sale is undone.
    Refunded,
}

impl Said {
    /// The word on the line.
    pub fn word(self) -> &'static str {
        match self {
            Said::Completed => "completed",
            Said::OtherTender => "other_tender",
            Said::Waiting => "waiting",
            Said::Retry => "retry",
            Said::Failed => "failed",
            Said::Refunding => "refunding",
            Said::Refunded => "refunded",
        }
    }
}

/// What a till says of one sale.
#[derive(Clone, Debug, Deserialize)]
pub struct SaleLine {
    /// The sale's number; empty or missing for a deduction that belongs to no sale which the till knows.
    #[serde(default)]
    pub sale: Option<String>,
    /// How it stands.
    pub result: Said,
    /// The bizId under which it was paid.
    #[serde(default, rename = "bizId")]
    pub biz_id: Option<String>,
    /// The bizId that the answer carried.
    #[serde(default, rename = "returnedBizId")]
    pub returned_biz_id: Option<String>,
    /// 元 taken from the balance.
    #[serde(default)]
    pub paid_by_member: Option<String>,
}

/// A line of a till.
#[derive(Clone, Debug)]
pub enum Line {
    /// How a sale stands.
    Sale(SaleLine),
    /// The command that came first of those that were not done is done.
    Done,
    /// At the day's end: a bizId of which till and journal say different things.
    Difference,
    /// Words for a person, of no meaning here.
    Note,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// In words: what is not JSON, or is none of the lines that there are.
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

/// Start the library with this configuration, and see what an earlier process has left.
pub(crate) fn start(number: &str, folder: &str, config: &Value) -> Value {
    json!({"do": "start", "till": number, "folder": folder, "config": config})
}

/// The cashier presses the button: this sale is to be paid by the member.
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

/// Undo a completed sale.
pub(crate) fn refund(sale: &str) -> Value {
    json!({"do": "refund", "sale": sale})
}

/// Say how every sale stands.
pub(crate) fn list() -> Value {
    json!({"do": "list"})
}

/// Hold the sales of a business day against the journal's.
pub(crate) fn day(day: &str) -> Value {
    json!({"do": "day", "day": day})
}

/// Stop the library and end.
pub(crate) fn stop() -> Value {
    json!({"do": "stop"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_refused_in_words() {
        let line = Line::read(r#"{"sale":"S-1","result":"other_tender","shown":"余额不足"}"#).unwrap();
        assert!(matches!(line, Line::Sale(line) if line.result == Said::OtherTender));
        assert!(matches!(Line::read(r#"{"done":"sell"}"#), Ok(Line::Done)));
        for wrong in ["", "hello", "[1]", "{}", r#"{"sale":"S-1","result":"paid"}"#] {
            assert!(Line::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_word_is_the_same_in_both_directions() {
        let word = serde_json::to_value(Said::OtherTender).unwrap();
        assert_eq!(word, Said::OtherTender.word());
    }
}
