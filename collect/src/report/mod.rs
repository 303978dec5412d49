//! A day of a chain: sums per shop and till, what is unsettled anywhere, who is silent, what is missing, what differs; and
//! the closing of the day. The report says `clean` only if nothing speaks against it.

mod day;
mod difference;
mod gap;
mod sums;

pub use day::{Closed, DayReport, Silent, day_report, resolve_day};
pub use difference::Difference;
pub use gap::GapLine;
pub use sums::{Sums, TillDay};

use zvpos_core::calendar::date;

use crate::store::{Closing, Store, StoreError};

/// Why a day was not closed.
#[derive(Debug)]
pub enum NotClosed {
    /// The store failed.
    Failed(StoreError),
    /// The report is not clean, and nobody has accepted that.
    NotClean(Box<DayReport>),
}

impl From<StoreError> for NotClosed {
    fn from(error: StoreError) -> NotClosed {
        NotClosed::Failed(error)
    }
}

/// Closes a day: stores its report. A day that is not clean is closed only if a person accepts that. It may be closed again;
/// the last closing is the one that later reports are compared with.
///
/// # Errors
/// It was not closed.
pub fn close(
    store: &mut Store,
    chain: &str,
    day: i64,
    (by, accept): (&str, bool),
    (now_ms, silent_after_ms): (i64, i64),
) -> Result<DayReport, NotClosed> {
    let mut report = day_report(store, chain, day, (now_ms, silent_after_ms))?;
    // Differences to an earlier closing are what this one settles.
    report.differences.retain(|difference| difference.kind != difference::AFTER_CLOSING);
    report.judge();
    if !report.clean && !accept {
        return Err(NotClosed::NotClean(Box::new(report)));
    }
    report.closed = Some(Closed { by: by.to_owned(), unix_ms: now_ms, clean: report.clean });
    let text = serde_json::to_string(&report)
        .map_err(|error| StoreError(format!("the report of {}: {error}", date(day))))?;
    let closing = Closing { closed_ms: now_ms, closed_by: by.to_owned(), clean: report.clean, report: text };
    store.close_day(chain, day, &closing)?;
    Ok(report)
}
