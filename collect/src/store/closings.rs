//! The days that were closed.

use super::answers::Closing;
use super::{Store, StoreError};

impl Store {
    /// Stores that a day was closed, in the transaction that has made its report.
    ///
    /// # Errors
    /// It is not stored.
    pub fn close_day(&mut self, chain: &str, day: i64, closing: &Closing) -> Result<(), StoreError> {
        const CLOSE: &str = "INSERT INTO closing (chain, day, closed_ms, closed_by, clean, report) \
                             VALUES ($1, $2, $3, $4, $5, $6)";
        let parameters = vec![
            chain.into(),
            day.into(),
            closing.closed_ms.into(),
            closing.closed_by.as_str().into(),
            closing.clean.into(),
            closing.report.as_str().into(),
        ];
        self.execute(CLOSE, parameters).map(drop)
    }

    /// The last closing of a day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn closing(&mut self, chain: &str, day: i64) -> Result<Option<Closing>, StoreError> {
        const LAST: &str = "SELECT closed_ms, closed_by, clean, report FROM closing WHERE chain = $1 AND day = $2 \
                            ORDER BY closing DESC LIMIT 1";
        let found = self.rows(LAST, &[chain.into(), day.into()], |row| {
            Ok(Closing {
                closed_ms: row.number()?,
                closed_by: row.text()?,
                clean: row.flag()?,
                report: row.text()?,
            })
        })?;
        Ok(found.into_iter().next())
    }
}
