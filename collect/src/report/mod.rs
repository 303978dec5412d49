//! A day of a chain: sums per shop and till, what is unsettled anywhere, who is silent, what is missing, what differs; and
//! the closing of the day. The report says `clean` only if nothing speaks against it.

mod day;
mod difference;
mod gap;
mod question;
mod sums;

pub(crate) use day::report_within;
pub use day::{Closed, DayReport, Retired, Silent, day_report, resolve_day};
pub use difference::Difference;
pub use gap::{GapLine, Looked};
pub use sums::{EnvironmentDay, Sums, TillDay};

use zvpos_core::calendar::date;

use crate::store::{Closing, Store, StoreError};

/// Why a day was not closed.
#[derive(Debug)]
pub enum NotClosed {
    /// The store failed.
    Failed(StoreError),
    /// The report is not clean, and nobody has accepted that.
    NotClean(Box<DayReport>),
    /// What was accepted is not what there is now.
    Changed(Box<DayReport>),
}

impl From<StoreError> for NotClosed {
    fn from(error: StoreError) -> NotClosed {
        NotClosed::Failed(error)
    }
}

/// Closes a day: stores its report. A day that is not clean is closed only if a person accepts what they have seen, by the
/// report's mark; what comes up later opens the day's question again. It may be closed again; the last closing is the one that
/// later reports are compared with.
///
/// # Errors
/// It was not closed.
pub fn close(
    store: &mut Store,
    chain: &str,
    day: i64,
    (by, accept): (&str, Option<&str>),
    times: (i64, i64),
) -> Result<DayReport, NotClosed> {
    store.deciding(|store| {
        let shown = report_within(store, chain, day, times)?;
        let report = shown.closed(by, times.0);
        match accept {
            _ if report.clean => {}
            None => return Err(NotClosed::NotClean(Box::new(shown))),
            Some(seen) if seen != shown.mark => return Err(NotClosed::Changed(Box::new(shown))),
            Some(_) => {}
        }
        let text = serde_json::to_string(&report)
            .map_err(|error| StoreError(format!("the report of {}: {error}", date(day))))?;
        let closing =
            Closing { closed_ms: times.0, closed_by: by.to_owned(), clean: report.clean, report: text };
        store.close_day(chain, day, &closing)?;
        Ok(report)
    })
}
