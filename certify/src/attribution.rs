//! Which sale a deduction belongs to.

use crate::audit::Journalled;
use crate::gateway::{Record, Seen};
use crate::money::fen;
use crate::protocol::TillReport;
use crate::sale::Sale;

/// The properties that identify a deduction: each sale of a scenario takes a different amount or different coupons.
pub(crate) struct Trace<'t> {
    biz_id: &'t str,
    fen: i64,
    coupons: &'t [String],
}

pub(crate) fn trace_of(record: &Record) -> Trace<'_> {
    let fen = fen(&record.amount).unwrap_or_default();
    Trace { biz_id: &record.biz_id, fen, coupons: &record.coupons }
}

pub(crate) fn trace_in(entry: &Journalled) -> Trace<'_> {
    Trace { biz_id: &entry.biz_id, fen: entry.fen, coupons: &entry.coupons }
}

pub(crate) fn trace_at(seen: &Seen) -> Trace<'_> {
    let fen = fen(&seen.amount).unwrap_or_default();
    Trace { biz_id: &seen.biz_id, fen, coupons: &seen.coupons }
}

/// The sale of a deduction: by its amount and coupons, or if no sale has these, by the bizId in the till's lines.
pub(crate) fn whose(sales: &[(u8, Sale)], reports: &[TillReport], trace: &Trace<'_>) -> Option<(u8, String)> {
    let like = |sale: &Sale| fen(sale.takes) == Some(trace.fen) || (sale.takes.is_empty() && trace.fen == 0);
    let found = sales.iter().find(|(_, sale)| like(sale) && sale.coupons == trace.coupons);
    if let Some((till, sale)) = found {
        return Some((*till, sale.number.to_owned()));
    }
    let named = reports.iter().find(|report| report.line.biz_id.as_deref() == Some(trace.biz_id))?;
    Some((named.till, named.line.sale.clone()?))
}
