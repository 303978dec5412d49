//! The journal of a business day, for reconciliation with a till's own sales: a line for each sale and for each refund
//! of that day, with their sums.

use crate::calendar::{BusinessDays, date, timestamp};
use crate::json::Value;
use crate::money::{Amount, yuan};
use crate::payment::Entry;
use crate::runtime::entry_json;

/// The columns of the CSV, in their order; new ones are only ever added at the end.
pub const COLUMNS: [&str; 29] = [
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
    "environment",
    "reversalCode",
    "reversalMessage",
    "kind",
    "day",
    "utc",
    "local",
    "sum",
    "recharge",
    "gift",
    "pointsTaken",
    "couponsTaken",
    "deviceSn",
    "operatorId",
    "operatorName",
    "multiMark",
    "count",
    "withoutSplit",
];

/// The columns that a spreadsheet would read as numbers and round.
const IDS: [&str; 11] = [
    "bizId",
    "returnedBizId",
    "customerId",
    "coupons",
    "code",
    "reversalCode",
    "message",
    "reversalMessage",
    "deviceSn",
    "operatorId",
    "multiMark",
];

/// The byte order mark: Excel on a Chinese Windows reads a file without it as GBK.
const MARK: &str = "\u{feff}";

/// What an entry is on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// The entry took money, points or coupons.
    Sale,
    /// The refund of a sale of that day or an earlier day.
    Refund,
    /// The refund was requested after the money had been given back elsewhere: it is in the sums of the other side.
    RefundedElsewhere,
    /// The outcome is not known yet.
    Open,
    /// Nothing was taken, or the consume was undone before it counted as a sale.
    Nothing,
}

impl DayKind {
    /// The kind's word in the lists.
    pub fn as_str(self) -> &'static str {
        match self {
            DayKind::Sale => "sale",
            DayKind::Refund => "refund",
            DayKind::RefundedElsewhere => "refunded_elsewhere",
            DayKind::Open => "open",
            DayKind::Nothing => "nothing",
        }
    }
}

/// What an entry is on that day: up to two kinds, a sale and its refund, which may be open. `None` selects no day.
pub(super) fn kinds(entry: &Entry, day: Option<i64>, days: BusinessDays) -> Vec<DayKind> {
    let on = |own: i64| day.is_none_or(|day| day == own);
    let mut kinds = Vec::new();
    let foreign = entry.detail().foreign;
    if on(entry.day(days)) && !(foreign && entry.returned_day().is_some()) {
        kinds.push(match entry.stage().is_unsettled() {
            _ if !foreign && entry.counts() => DayKind::Sale,
            true => DayKind::Open,
            false => DayKind::Nothing,
        });
        if !foreign && entry.counts() && entry.stage().is_unsettled() {
            kinds.push(DayKind::Open);
        }
    }
    if entry.returned_day().is_some_and(on) {
        kinds.push(if entry.detail().reversal.elsewhere {
            DayKind::RefundedElsewhere
        } else {
            DayKind::Refund
        });
    }
    kinds
}

/// One line of an entry on a business day.
#[derive(Clone, Copy, Debug)]
pub struct DayLine {
    /// What the entry is on that day.
    pub kind: DayKind,
    /// The day, counted from 1970-01-01.
    pub day: i64,
    /// The moment by the better clock.
    pub unix_ms: i64,
    /// What counts on that day: negative for a refund, nothing for a kind that does not count.
    pub sums: Sums,
}

/// The lines of an entry, each on its own day.
pub fn day_lines(entry: &Entry, days: BusinessDays) -> Vec<DayLine> {
    kinds(entry, None, days).into_iter().map(|kind| day_line(entry, kind, days)).collect()
}

fn day_line(entry: &Entry, kind: DayKind, days: BusinessDays) -> DayLine {
    let times = &entry.detail().times;
    let given_back = matches!(kind, DayKind::Refund | DayKind::RefundedElsewhere);
    let filed = if given_back { times.returned } else { times.ended.or(times.sent) };
    let sums = match kind {
        DayKind::Sale => Sums::of(entry),
        DayKind::Refund => Sums::of(entry).negated(),
        DayKind::RefundedElsewhere | DayKind::Open | DayKind::Nothing => Sums::default(),
    };
    DayLine {
        kind,
        day: filed.map_or_else(|| entry.day(days), |filed| filed.day),
        unix_ms: filed.map_or(entry.created_unix_ms(), |filed| filed.at.best_unix_ms()),
        sums,
    }
}

/// What a sale took: 分, points, coupons; `None` for a value that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// From both purses, or the sum that was asked for where the purses are not known.
    pub sum: Option<i64>,
    /// From the recharged balance.
    pub recharge: Option<i64>,
    /// From the gift balance.
    pub gift: Option<i64>,
    /// Points.
    pub points: i64,
    /// Coupons.
    pub coupons: i64,
}

impl Sums {
    fn of(entry: &Entry) -> Sums {
        let asked = entry.identity().amount.map(fen);
        let [recharge, gift] = match asked {
            // The request takes nothing from the balance.
            Some(0) => [Some(0), Some(0)],
            None if !entry.identity().coupons.is_empty() => [Some(0), Some(0)],
            _ => purses(entry),
        };
        let split = recharge.zip(gift).map(|(recharge, gift)| recharge.saturating_add(gift));
        Sums {
            sum: split.or(asked),
            recharge,
            gift,
            points: entry.identity().points.unwrap_or_default(),
            coupons: i64::try_from(entry.identity().coupons.len()).unwrap_or(i64::MAX),
        }
    }

    fn negated(self) -> Sums {
        let negative = |value: Option<i64>| value.map(i64::saturating_neg);
        Sums {
            sum: negative(self.sum),
            recharge: negative(self.recharge),
            gift: negative(self.gift),
            points: self.points.saturating_neg(),
            coupons: self.coupons.saturating_neg(),
        }
    }
}

fn fen(amount: Amount) -> i64 {
    i64::try_from(amount.fen()).unwrap_or(i64::MAX)
}

/// The sums that the answer says were taken from the recharged balance and from the gift balance.
fn purses(entry: &Entry) -> [Option<i64>; 2] {
    let data = entry.detail().data.as_deref().and_then(|data| Value::parse(data).ok());
    ["change_recharge_amount", "change_gift_amount"].map(|name| {
        let text = data.as_ref()?.as_object()?.given(name)?.scalar()?;
        // Some gateways show the taken sum as a negative number.
        Amount::parse(text.strip_prefix('-').unwrap_or(text)).ok().map(fen)
    })
}

/// The sums of a day.
#[derive(Default)]
pub(super) struct Totals {
    sales: Total,
    refunds: Total,
    refunded_elsewhere: usize,
    open: usize,
}

#[derive(Clone, Copy, Default)]
struct Total {
    count: usize,
    sum: i64,
    recharge: i64,
    gift: i64,
    points: i64,
    coupons: i64,
    /// The number of sales of which it is not known from which purse they took, or how much.
    without_split: usize,
}

impl Total {
    fn add(&mut self, sums: Sums) {
        self.count += 1;
        self.sum = self.sum.saturating_add(sums.sum.unwrap_or_default());
        self.recharge = self.recharge.saturating_add(sums.recharge.unwrap_or_default());
        self.gift = self.gift.saturating_add(sums.gift.unwrap_or_default());
        self.points = self.points.saturating_add(sums.points);
        self.coupons = self.coupons.saturating_add(sums.coupons);
        self.without_split += usize::from(sums.recharge.is_none() || sums.gift.is_none());
    }

    fn plus(self, other: Total) -> Total {
        Total {
            count: self.count + other.count,
            sum: self.sum.saturating_add(other.sum),
            recharge: self.recharge.saturating_add(other.recharge),
            gift: self.gift.saturating_add(other.gift),
            points: self.points.saturating_add(other.points),
            coupons: self.coupons.saturating_add(other.coupons),
            without_split: self.without_split + other.without_split,
        }
    }

    fn json(self) -> serde_json::Value {
        serde_json::json!({
            "count": self.count,
            "sum": yuan(self.sum),
            "recharge": yuan(self.recharge),
            "gift": yuan(self.gift),
            "points": self.points,
            "coupons": self.coupons,
            "without_split": self.without_split,
        })
    }
}

impl Totals {
    /// The totals of the entries of a day.
    pub(super) fn of(entries: &[Entry], day: Option<i64>, days: BusinessDays) -> Totals {
        let mut totals = Totals::default();
        for entry in entries {
            for kind in kinds(entry, day, days) {
                match kind {
                    DayKind::Sale => totals.sales.add(Sums::of(entry)),
                    DayKind::Refund => totals.refunds.add(Sums::of(entry).negated()),
                    DayKind::RefundedElsewhere => totals.refunded_elsewhere += 1,
                    DayKind::Open => totals.open += 1,
                    DayKind::Nothing => {}
                }
            }
        }
        totals
    }

    /// The value of `data.totals`: 元 as texts, refunds negative.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "sales": self.sales.json(),
            "refunds": self.refunds.json(),
            "net": self.sales.plus(self.refunds).json(),
            "refunded_elsewhere": self.refunded_elsewhere,
            "open": self.open,
        })
    }
}

/// One JSON object per line.
pub(super) fn ndjson(entries: &[Entry]) -> String {
    entries.iter().map(|entry| entry_json(entry) + "\n").collect()
}

/// RFC 4180, with a byte order mark and a heading: CRLF ends a line; a field with a comma, a quote or a line end is
/// quoted. The totals follow the lines if there is anything to sum.
pub(super) fn csv(entries: &[Entry], day: Option<i64>, days: BusinessDays) -> String {
    let mut out = MARK.to_owned() + &COLUMNS.join(",") + "\r\n";
    let mut push = |fields: [String; 29]| {
        let line: Vec<String> =
            COLUMNS.iter().zip(fields).map(|(name, field)| cell(&field, IDS.contains(name))).collect();
        out.push_str(&line.join(","));
        out.push_str("\r\n");
    };
    for entry in entries {
        for kind in kinds(entry, day, days) {
            push(line(entry, kind, days));
        }
    }
    let totals = Totals::of(entries, day, days);
    for (name, total) in [
        ("total sales", totals.sales),
        ("total refunds", totals.refunds),
        ("total net", totals.sales.plus(totals.refunds)),
    ] {
        if totals.sales.count + totals.refunds.count > 0 {
            push(total_line(name, day, Some(total), total.count));
        }
    }
    for (name, count) in
        [("total refunded_elsewhere", totals.refunded_elsewhere), ("total open", totals.open)]
    {
        if count > 0 {
            push(total_line(name, day, None, count));
        }
    }
    out
}

fn line(entry: &Entry, kind: DayKind, days: BusinessDays) -> [String; 29] {
    let (identity, detail) = (entry.identity(), entry.detail());
    let words = detail.words.clone().unwrap_or_default();
    let reversal = detail.reversal.last.clone().unwrap_or_default();
    let DayLine { day, unix_ms: moment, sums, .. } = day_line(entry, kind, days);
    let counted = matches!(kind, DayKind::Sale | DayKind::Refund);
    let money = |value: Option<i64>| value.map(yuan).unwrap_or_default();
    let number = |value: i64| if counted { value.to_string() } else { String::new() };
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        timestamp(entry.created_unix_ms()),
        entry.key().biz_id.to_string(),
        given(&detail.returned_biz_id),
        entry.stage().as_str().to_owned(),
        given(&identity.customer_id),
        identity.amount.map(|amount| amount.to_string()).unwrap_or_default(),
        identity.points.map(|points| points.to_string()).unwrap_or_default(),
        identity.coupons.join(" "),
        entry.attempt().to_string(),
        words.code,
        words.message,
        entry.key().environment.clone(),
        reversal.code,
        reversal.message,
        kind.as_str().to_owned(),
        date(day),
        timestamp(moment),
        days.wall(moment),
        money(sums.sum),
        money(sums.recharge),
        money(sums.gift),
        number(sums.points),
        number(sums.coupons),
        given(&detail.origin.device_sn),
        given(&detail.origin.operator_id),
        given(&detail.origin.operator_name),
        given(&detail.origin.multi_mark),
        String::new(),
        String::new(),
    ]
}

fn total_line(name: &str, day: Option<i64>, total: Option<Total>, count: usize) -> [String; 29] {
    let mut fields = [const { String::new() }; 29];
    let of = |field: fn(Total) -> String| total.map(field).unwrap_or_default();
    let shown = [
        ("kind", name.to_owned()),
        ("day", day.map(date).unwrap_or_default()),
        ("sum", of(|total| yuan(total.sum))),
        ("recharge", of(|total| yuan(total.recharge))),
        ("gift", of(|total| yuan(total.gift))),
        ("pointsTaken", of(|total| total.points.to_string())),
        ("couponsTaken", of(|total| total.coupons.to_string())),
        ("count", count.to_string()),
        ("withoutSplit", of(|total| total.without_split.to_string())),
    ];
    for (column, field) in COLUMNS.iter().zip(&mut fields) {
        if let Some((_, text)) = shown.iter().find(|(shown, _)| shown == column) {
            field.clone_from(text);
        }
    }
    fields
}

/// A spreadsheet reads a field that begins with = + - or @ as a formula; a leading quote keeps it a text. A leading tab
/// keeps an id a text, too: of 18 digits Excel would keep 15, and `00017` would be 17.
fn cell(field: &str, is_id: bool) -> String {
    let formula =
        field.starts_with(['=', '+', '@']) || (field.starts_with('-') && field.parse::<f64>().is_err());
    let field = match (formula, is_id) {
        (true, _) => format!("'{field}"),
        (false, true) if field.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') => {
            format!("\t{field}")
        }
        (false, _) => field.to_owned(),
    };
    if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_gets_through() {
        assert_eq!(cell("12.50", false), "12.50");
        assert_eq!(cell("a,b", false), "\"a,b\"");
        assert_eq!(cell("say \"no\"", false), "\"say \"\"no\"\"\"");
        assert_eq!(cell("=1+1", true), "'=1+1");
        assert_eq!(cell("-1", false), "-1");
        assert_eq!(cell("-1+x", true), "'-1+x");
    }

    #[test]
    fn ids_stay_texts() {
        for id in ["383933091455959041", "00017", "1E5", "2026-11-22", "-5", ".5"] {
            assert_eq!(cell(id, true), format!("\t{id}"));
        }
        assert_eq!(cell("T1-000017", true), "T1-000017");
        assert_eq!(cell("", true), "");
        assert!(IDS.iter().all(|name| COLUMNS.contains(name)));
    }

    #[test]
    fn sums_are_written_with_their_sign() {
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-12_345, "-123.45")] {
            assert_eq!(yuan(fen), text);
        }
    }
}
