//! Journal entries as a table.

use std::io::{self, Write};

use zvpos_core::calendar::BusinessDays;
use zvpos_core::json::{Object, Value};

use super::table::columns;

const HEADINGS: [&str; 8] = ["TIME", "BIZID", "STAGE", "KIND", "NEXT", "AMOUNT", "COUPONS", "CUSTOMER"];

/// The totals of a day, one line each.
pub(super) fn totals(out: &mut impl Write, totals: &Object<'_>) -> io::Result<()> {
    let columns_of = ["count", "sum", "recharge", "gift", "points", "coupons"];
    let mut lines =
        vec![["", "COUNT", "SUM", "RECHARGE", "GIFT", "POINTS", "COUPONS"].map(str::to_owned).to_vec()];
    for name in ["sales", "refunds", "net"] {
        let Some(total) = totals.get(name).and_then(Value::as_object) else { continue };
        let cells = columns_of.iter().map(|column| text(total, column));
        lines.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
    for name in ["refunded_elsewhere", "open"] {
        let count = text(totals, name);
        if !matches!(count.as_str(), "" | "0") {
            lines.push(vec![name.to_owned(), count]);
        }
    }
    writeln!(out)?;
    columns(out, &lines)
}

/// Each of `entries` is `{"next", "entry"}`.
pub(super) fn write(out: &mut impl Write, entries: &[Value<'_>], days: BusinessDays) -> io::Result<()> {
    if entries.is_empty() {
        return writeln!(out, "(no entries)");
    }
    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    lines.extend(entries.iter().filter_map(|listed| line(listed, days)).map(Vec::from));
    writeln!(out)?;
    columns(out, &lines)
}

fn line(listed: &Value<'_>, days: BusinessDays) -> Option<[String; 8]> {
    let listed = listed.as_object()?;
    let entry = listed.get("entry")?.as_object()?;
    let request = entry.get("request").and_then(Value::as_object);
    let asked = |name: &str| request.map(|request| text(request, name)).unwrap_or_default();
    let coupons = request.and_then(|request| request.get("couponsCardList")).and_then(Value::as_array);
    let coupons: Vec<&str> = coupons.unwrap_or_default().iter().filter_map(Value::scalar).collect();
    let voided = entry
        .get("reversal")
        .and_then(Value::as_object)
        .is_some_and(|reversal| !text(reversal, "voided").is_empty());
    let created = text(entry, "created_unix_ms").parse().unwrap_or_default();
    Some([
        days.wall(created),
        text(entry, "bizId"),
        text(entry, "stage"),
        if voided { "void".to_owned() } else { kinds(listed) },
        if is_open(entry) { text(listed, "next") } else { String::new() },
        // A void moved nothing.
        if voided { String::new() } else { asked("amount") },
        if voided { String::new() } else { coupons.join(" ") },
        asked("customerId"),
    ])
}

/// Its kinds on the requested day: at most a sale and its refund.
fn kinds(listed: &Object<'_>) -> String {
    let kinds = listed.get("kinds").and_then(Value::as_array).unwrap_or_default();
    kinds.iter().filter_map(Value::scalar).collect::<Vec<_>>().join("+")
}

/// Whether it still needs an action; `next` says nothing about the others.
fn is_open(entry: &Object<'_>) -> bool {
    text(entry, "unsettled") == "true"
        || text(entry, "stage") == "succeeded"
            && (text(entry, "acknowledged") == "false" || text(entry, "confirmation") == "awaited")
}

fn text(object: &Object<'_>, name: &str) -> String {
    object.get(name).and_then(Value::scalar).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_line() {
        let entry = |stage: &str, unsettled: bool, kinds: &str, reversal: &str| {
            format!(
                r#"{{"next":"reversing","kinds":[{kinds}],"entry":{{"bizId":"T1","stage":"{stage}","unsettled":{unsettled},"acknowledged":true,
                "confirmation":"not_asked","reversal":{{{reversal}}},"created_unix_ms":1795313657123,
                "request":{{"customerId":"9","amount":"1.00","couponsCardList":["7","8"]}}}}}}"#
            )
        };
        let text = format!(
            "[{},{},{}]",
            entry("reversing", true, r#""sale","open""#, ""),
            entry("declined", false, r#""nothing""#, r#""voided":null"#),
            entry("reversed", false, r#""nothing""#, r#""voided":"not_sent""#),
        );
        let value = Value::parse(&text).unwrap();
        let mut out = Vec::new();
        write(&mut out, value.as_array().unwrap(), BusinessDays { start_minutes: 0, offset_minutes: 480 })
            .unwrap();
        let wanted = "
TIME                 BIZID  STAGE      KIND       NEXT       AMOUNT  COUPONS  CUSTOMER
2026-11-22 10:14:17  T1     reversing  sale+open  reversing  1.00    7 8      9
2026-11-22 10:14:17  T1     declined   nothing               1.00    7 8      9
2026-11-22 10:14:17  T1     reversed   void                                   9
";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
