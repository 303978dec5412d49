//! What reports ask of the copy. A bizId that is under several journals counts once in the sums. What is unsettled under any
//! of them is listed, unless the same till has a younger journal that knows better.

use super::answers::{Age, HourSums, Open, SaleSums, Twin, Unfinished};
use super::{Columns, Store, StoreError, Value};

/// The most rows of a list; its whole number is told beside it.
const ROWS_MAX: i64 = 500;

/// The ages by which unsettled entries are counted, in milliseconds: five minutes, an hour, a day, a week, and older.
pub const AGES_MS: [i64; 4] = [300_000, 3_600_000, 86_400_000, 604_800_000];

/// Whether an entry counts in sums: of several records of a bizId, one that took money before one that did not.
const COUNTS: &str = "(e.twin = 0 OR NOT EXISTS (SELECT 1 FROM entry AS o WHERE o.biz_id = e.biz_id \
    AND o.open_id = e.open_id AND o.environment = e.environment AND o.journal <> e.journal \
    AND (o.sold > e.sold OR (o.sold = e.sold AND (o.revision > e.revision \
    OR (o.revision = e.revision AND o.journal > e.journal))))))";

/// Whether an entry is still true: the same till has no younger journal in which the sale is at least as far.
const STANDS: &str = "(e.twin = 0 OR NOT EXISTS (SELECT 1 FROM entry AS o JOIN journal AS oj ON oj.journal = o.journal \
    WHERE o.biz_id = e.biz_id AND o.open_id = e.open_id AND o.environment = e.environment AND oj.till = j.till \
    AND o.journal > e.journal AND o.revision >= e.revision))";

/// An entry with its journal and till.
const FROM: &str = "FROM entry AS e JOIN journal AS j ON j.journal = e.journal JOIN till AS t ON t.till = j.till WHERE t.chain = $1";

fn sums(row: &mut Columns) -> Result<SaleSums, StoreError> {
    Ok(SaleSums {
        count: row.number()?,
        sum: row.number()?,
        recharge: row.number()?,
        gift: row.number()?,
        points: row.number()?,
        coupons: row.number()?,
        without_split: row.number()?,
    })
}

fn whole(column: &str) -> String {
    format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT)")
}

fn of(chain: &str, day: i64) -> [Value; 2] {
    [chain.into(), day.into()]
}

impl Store {
    /// What each till has sold on a day: its number in the store, and its sums.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sales(&mut self, chain: &str, day: i64) -> Result<Vec<(i64, SaleSums)>, StoreError> {
        self.sums_of(chain, day, "e.sold = 1 AND e.day = $2")
    }

    /// What each till has given back on a day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn refunds(&mut self, chain: &str, day: i64) -> Result<Vec<(i64, SaleSums)>, StoreError> {
        self.sums_of(chain, day, "e.back_day = $2 AND e.elsewhere = 0")
    }

    fn sums_of(&mut self, chain: &str, day: i64, which: &str) -> Result<Vec<(i64, SaleSums)>, StoreError> {
        let statement = format!(
            "SELECT t.till, COUNT(*), {}, {}, {}, {}, {}, {} {FROM} AND {which} AND {COUNTS} GROUP BY t.till",
            whole("e.sum_fen"),
            whole("e.recharge"),
            whole("e.gift"),
            whole("e.points"),
            whole("e.coupons_taken"),
            whole("CASE WHEN e.recharge IS NULL OR e.gift IS NULL THEN CAST(1 AS BIGINT) ELSE 0 END"),
        );
        self.rows(&statement, &of(chain, day), |row| Ok((row.number()?, sums(row)?)))
    }

    /// The sums of a day by hour; hours without any are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn hours(&mut self, chain: &str, day: i64) -> Result<Vec<HourSums>, StoreError> {
        let mut hours: Vec<HourSums> = Vec::new();
        for (is_refund, hour, which) in [
            (false, "e.hour", "e.sold = 1 AND e.day = $2"),
            (true, "e.back_hour", "e.back_day = $2 AND e.elsewhere = 0"),
        ] {
            let statement = format!(
                "SELECT {hour}, COUNT(*), {} {FROM} AND {which} AND {COUNTS} GROUP BY {hour}",
                whole("e.sum_fen")
            );
            let read = |row: &mut Columns| Ok((row.number()?, row.number()?, row.number()?));
            for (hour, count, sum) in self.rows(&statement, &of(chain, day), read)? {
                let at = hours.iter().position(|known| known.hour == hour).unwrap_or_else(|| {
                    hours.push(HourSums { hour, sales: 0, sum: 0, refunds: 0, refunded: 0 });
                    hours.len() - 1
                });
                if let Some(known) = hours.get_mut(at) {
                    if is_refund {
                        (known.refunds, known.refunded) = (count, sum);
                    } else {
                        (known.sales, known.sum) = (count, sum);
                    }
                }
            }
        }
        hours.sort_by_key(|hour| hour.hour);
        Ok(hours)
    }

    /// The unsettled entries of every day, oldest first, as far as a list may go.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_entries(&mut self, chain: &str) -> Result<Vec<Open>, StoreError> {
        let statement = format!(
            "SELECT t.name, t.shop, e.biz_id, e.stage, e.amount, e.at_ms, e.code {FROM} AND e.unsettled = 1 AND {STANDS} \
             ORDER BY e.at_ms, e.biz_id LIMIT $2"
        );
        self.rows(&statement, &of(chain, ROWS_MAX), |row| {
            Ok(Open {
                till: row.text()?,
                shop: row.text()?,
                biz_id: row.text()?,
                stage: row.text()?,
                amount: row.may_be_number()?,
                at_unix_ms: row.number()?,
                code: row.may_be_text()?,
            })
        })
    }

    /// How many unsettled entries are of each age.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_by_age(&mut self, chain: &str, now_ms: i64) -> Result<Vec<Age>, StoreError> {
        let statement = format!(
            "SELECT COUNT(*) {FROM} AND e.unsettled = 1 AND e.at_ms <= $2 AND e.at_ms > $3 AND {STANDS}"
        );
        // An entry from a clock that is ahead is as young as any.
        let mut younger = i64::MAX;
        let mut ages = Vec::new();
        for below_ms in AGES_MS.into_iter().map(Some).chain([None]) {
            let oldest = below_ms.map_or(i64::MIN, |below| now_ms.saturating_sub(below));
            let parameters = [chain.into(), younger.into(), oldest.into()];
            let count = self.rows(&statement, &parameters, Columns::number)?.into_iter().sum();
            ages.push(Age { below_ms, count });
            younger = oldest;
        }
        Ok(ages)
    }

    /// The sales of a day that the till has not read or not confirmed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn unfinished(&mut self, chain: &str, day: i64) -> Result<Vec<Unfinished>, StoreError> {
        self.unfinished_of(chain, day, "e.unfinished = 1")
    }

    /// The sales of a day whose answer carried another bizId.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn with_other_biz_id(&mut self, chain: &str, day: i64) -> Result<Vec<Unfinished>, StoreError> {
        self.unfinished_of(chain, day, "e.other_biz_id IS NOT NULL")
    }

    fn unfinished_of(&mut self, chain: &str, day: i64, which: &str) -> Result<Vec<Unfinished>, StoreError> {
        let statement = format!(
            "SELECT t.name, t.shop, e.biz_id, e.other_biz_id, e.sum_fen {FROM} AND e.day = $2 AND {which} AND {STANDS} \
             ORDER BY t.shop, t.name, e.biz_id LIMIT $3"
        );
        let parameters = [chain.into(), day.into(), ROWS_MAX.into()];
        self.rows(&statement, &parameters, |row| {
            Ok(Unfinished {
                till: row.text()?,
                shop: row.text()?,
                biz_id: row.text()?,
                other_biz_id: row.may_be_text()?,
                sum: row.may_be_number()?,
            })
        })
    }

    /// Every record of the bizIds of a day that are under several journals, the records of one together.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn twins(&mut self, chain: &str, day: i64) -> Result<Vec<Twin>, StoreError> {
        const STATEMENT: &str = "SELECT e.open_id, e.environment, e.biz_id, t.chain, t.name, j.id, e.revision, e.stage, \
             e.sum_fen FROM entry AS e JOIN journal AS j ON j.journal = e.journal JOIN till AS t ON t.till = j.till \
             WHERE e.twin = 1 AND EXISTS (SELECT 1 FROM entry AS d JOIN journal AS dj ON dj.journal = d.journal \
             JOIN till AS dt ON dt.till = dj.till WHERE dt.chain = $1 AND d.day = $2 AND d.twin = 1 \
             AND d.biz_id = e.biz_id AND d.open_id = e.open_id AND d.environment = e.environment) \
             ORDER BY e.open_id, e.environment, e.biz_id, e.journal LIMIT $3";
        let parameters = [chain.into(), day.into(), (2 * ROWS_MAX).into()];
        self.rows(STATEMENT, &parameters, |row| {
            Ok(Twin {
                key: [row.text()?, row.text()?, row.text()?],
                chain: row.text()?,
                till: row.text()?,
                journal: row.text()?,
                revision: row.number()?,
                stage: row.text()?,
                sum: row.may_be_number()?,
            })
        })
    }

    /// How many entries of a chain there are under all journals, and the sum of their revisions: what can be compared with the
    /// journals themselves.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tally(&mut self, chain: &str) -> Result<(i64, i64), StoreError> {
        let statement = format!("SELECT COUNT(*), {} {FROM}", whole("e.revision"));
        let read = |row: &mut Columns| Ok((row.number()?, row.number()?));
        Ok(self.rows(&statement, &[chain.into()], read)?.into_iter().next().unwrap_or_default())
    }
}
