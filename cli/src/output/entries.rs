//! Entries of the journal as a table.

use std::io::{self, Write};

use zvpos_core::calendar::{BusinessDays, timestamp};
use zvpos_core::json::{Object, Value};

use super::table::columns;

const HEADINGS: [&str; 7] = ["TIME", "BIZID", "STAGE", "NEXT", "AMOUNT", "COUPONS", "CUSTOMER"];

/// The till's time, for people: minutes ahead of UTC.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Days(i64);

impl From<BusinessDays> for Days {
    fn from(days: BusinessDays) -> Days {
        Days(days.offset_minutes)
    }
}

impl Days {
    /// A moment as it stood on the till's wall: `2026-11-22 10:14:17`.
    pub(super) fn wall(self, unix_ms: i64) -> String {
        let text = timestamp(unix_ms.saturating_add(self.0.saturating_mul(60_000)));
        text.get(..19).unwrap_or(&text).replace('T', " ")
    }
}

/// The sums of a day, a line each.
pub(super) fn totals(out: &mut impl Write, totals: &Object<'_>) -> io::Result<()> {
    let columns_of = ["count", "sum", "recharge", "gift", "points", "coupons"];
    let mut lines =
        vec![["", "COUNT", "SUM", "RECHARGE", "GIFT", "POINTS", "COUPONS"].map(str::to_owned).to_vec()];
    for name in ["sales", "refunds", "net"] {
        let Some(total) = totals.get(name).and_then(Value::as_object) else { continue };
        let cells = columns_of.iter().map(|column| text(total, column));
        lines.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
    writeln!(out)?;
    columns(out, &lines)
}

/// `entries` are `{"next", "entry"}` each.
pub(super) fn write(out: &mut impl Write, entries: &[Value<'_>], days: Days) -> io::Result<()> {
    if entries.is_empty() {
        return writeln!(out, "(no entries)");
    }
    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    lines.extend(entries.iter().filter_map(|listed| line(listed, days)).map(Vec::from));
    writeln!(out)?;
    columns(out, &lines)
}

fn line(listed: &Value<'_>, days: Days) -> Option<[String; 7]> {
    let listed = listed.as_object()?;
    let entry = listed.get("entry")?.as_object()?;
    let request = entry.get("request").and_then(Value::as_object);
    let asked = |name: &str| request.map(|request| text(request, name)).unwrap_or_default();
    let coupons = request.and_then(|request| request.get("couponsCardList")).and_then(Value::as_array);
    let coupons: Vec<&str> = coupons.unwrap_or_default().iter().filter_map(Value::scalar).collect();
    let created = text(entry, "created_unix_ms").parse().unwrap_or_default();
    Some([
        days.wall(created),
        text(entry, "bizId"),
        text(entry, "stage"),
        if is_open(entry) { text(listed, "next") } else { String::new() },
        asked("amount"),
        coupons.join(" "),
        asked("customerId"),
    ])
}

/// Whether something is still to be done about it; `next` says nothing about the others.
fn is_open(entry: &Object<'_>) -> bool {
    text(entry, "unsettled") == "true"
        || text(entry, "stage") == "succeeded"
            && (text(entry, "heard") == "false" || text(entry, "confirmation") == "awaited")
}

fn text(object: &Object<'_>, name: &str) -> String {
    object.get(name).and_then(Value::scalar).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_line() {
        let entry = |stage: &str, unsettled: bool| {
            format!(
                r#"{{"next":"reversing","entry":{{"bizId":"T1","stage":"{stage}","unsettled":{unsettled},"heard":true,
                "confirmation":"not_asked","created_unix_ms":1795313657123,
                "request":{{"customerId":"9","amount":"1.00","couponsCardList":["7","8"]}}}}}}"#
            )
        };
        let text = format!("[{},{}]", entry("reversing", true), entry("declined", false));
        let value = Value::parse(&text).unwrap();
        let mut out = Vec::new();
        write(&mut out, value.as_array().unwrap(), Days(480)).unwrap();
        let wanted = "
TIME                 BIZID  STAGE      NEXT       AMOUNT  COUPONS  CUSTOMER
2026-11-22 10:14:17  T1     reversing  reversing  1.00    7 8      9
2026-11-22 10:14:17  T1     declined              1.00    7 8      9
";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
