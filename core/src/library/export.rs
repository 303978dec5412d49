//! The journal of a business day, to be held against a till's own sales.

use crate::calendar::timestamp;
use crate::client::entry_json;
use crate::transaction::Entry;

/// The columns of the CSV, in their order; new ones are only ever added at the end.
pub(crate) const COLUMNS: [&str; 14] = [
    "created",
    "bizId",
    "returnedBizId",
    "stage",
    "customerId",
    "amount",
    "points",
    "coupons",
    "attempts",
    "code",
    "message",
    "endpoint",
    "reversalCode",
    "reversalMessage",
];

/// One JSON object a line.
pub(super) fn ndjson(entries: &[Entry]) -> String {
    entries.iter().map(|entry| entry_json(entry) + "\n").collect()
}

/// RFC 4180, with a heading: CRLF ends a line, a field with a comma, a quote or a line end is quoted.
pub(super) fn csv(entries: &[Entry]) -> String {
    let mut out = COLUMNS.join(",") + "\r\n";
    for entry in entries {
        let identity = entry.identity();
        let detail = entry.detail();
        let words = detail.words.clone().unwrap_or_default();
        let reversal = detail.reversal.last.clone().unwrap_or_default();
        let fields = [
            timestamp(entry.created_unix_ms()),
            entry.key().biz_id.to_string(),
            detail.returned_biz_id.clone().unwrap_or_default(),
            entry.stage().as_str().to_owned(),
            identity.customer_id.clone().unwrap_or_default(),
            identity.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            identity.points.map(|points| points.to_string()).unwrap_or_default(),
            identity.coupons.join(" "),
            entry.attempt().to_string(),
            words.code,
            words.message,
            entry.key().endpoint.clone(),
            reversal.code,
            reversal.message,
        ];
        let line: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        out.push_str(&line.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A spreadsheet takes a field that begins with = + - or @ for a formula; a quote in front keeps it a text.
fn quoted(field: &str) -> String {
    let formula =
        field.starts_with(['=', '+', '@']) || (field.starts_with('-') && field.parse::<f64>().is_err());
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_gets_through() {
        assert_eq!(quoted("12.50"), "12.50");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"no\""), "\"say \"\"no\"\"\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("-1"), "-1");
        assert_eq!(quoted("-1+x"), "'-1+x");
    }
}
