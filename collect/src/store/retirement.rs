//! Tills that are gone for good: their past stays, and nothing more is awaited of them.

use super::{Columns, Store, StoreError};

/// A time in which a till is not awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// The till's number in the store.
    pub till: i64,
    /// The till.
    pub name: String,
    /// Its shop.
    pub shop: String,
    /// The first business day on which it is not awaited.
    pub day: i64,
    /// The day on which it came back.
    pub ended_day: Option<i64>,
    /// When that was stated.
    pub noted_ms: i64,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Retirement {
    /// Whether the till is not awaited on that day.
    pub fn covers(&self, day: i64) -> bool {
        self.day <= day && self.ended_day.is_none_or(|ended| day < ended)
    }
}

/// Why a till was not retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRetired {
    /// The chain has no till with that name.
    Unknown,
    /// It is retired.
    Already,
}

impl Store {
    /// Retires a till from a day on. Its token is worth nothing until it is enrolled again.
    ///
    /// # Errors
    /// It is not stored.
    pub fn retire(
        &mut self,
        chain: &str,
        till: &str,
        day: i64,
        (by, reason, now_ms): (&str, &str, i64),
    ) -> Result<Result<(), NotRetired>, StoreError> {
        const FIND: &str = "SELECT till FROM till WHERE chain = $1 AND name = $2";
        const RETIRE: &str = "INSERT INTO retirement (till, day, noted_ms, noted_by, reason) \
             VALUES ($1, $2, $3, $4, $5)";
        self.writing(|store| {
            let found = store.rows(FIND, &[chain.into(), till.into()], Columns::number)?;
            let Some(number) = found.first().copied() else { return Ok(Err(NotRetired::Unknown)) };
            if store.is_retired(number)? {
                return Ok(Err(NotRetired::Already));
            }
            let parameters = vec![number.into(), day.into(), now_ms.into(), by.into(), reason.into()];
            store.execute(RETIRE, parameters)?;
            Ok(Ok(()))
        })
    }

    /// Ends the retirement of a till that is enrolled again.
    pub(super) fn end_retirement(&mut self, till: i64, now_ms: i64) -> Result<(), StoreError> {
        const END: &str = "UPDATE retirement SET ended_day = $2 WHERE till = $1 AND ended_day IS NULL";
        let today = self.business_days()?.day_of(now_ms);
        self.execute(END, vec![till.into(), today.into()]).map(drop)
    }

    pub(super) fn is_retired(&mut self, till: i64) -> Result<bool, StoreError> {
        const FIND: &str = "SELECT COUNT(*) FROM retirement WHERE till = $1 AND ended_day IS NULL";
        Ok(self.rows(FIND, &[till.into()], Columns::number)?.into_iter().sum::<i64>() > 0)
    }

    /// The retirements of a chain's tills, also those that have ended, by till.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn retirements(&mut self, chain: &str) -> Result<Vec<Retirement>, StoreError> {
        const STATEMENT: &str = "SELECT t.till, t.name, t.shop, r.day, r.ended_day, r.noted_ms, r.noted_by, r.reason \
             FROM retirement AS r JOIN till AS t ON t.till = r.till WHERE t.chain = $1 ORDER BY t.shop, t.name, r.retirement";
        self.rows(STATEMENT, &[chain.into()], |row| {
            Ok(Retirement {
                till: row.number()?,
                name: row.text()?,
                shop: row.text()?,
                day: row.number()?,
                ended_day: row.may_be_number()?,
                noted_ms: row.number()?,
                by: row.text()?,
                reason: row.text()?,
            })
        })
    }
}
