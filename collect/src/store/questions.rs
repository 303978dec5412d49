//! What reports ask of the copy. A bizId that is under several journals counts once in the sums. What is unsettled under any
//! of them is listed, unless the same till has a younger journal that knows better.

use std::collections::BTreeMap;

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

/// Whether an entry is of the vendor's gateway: sales of a simulator are kept apart.
const REAL: &str = "e.environment = 'production'";

/// Whether something is still awaited of an entry. $2 is the day.
const AWAITED: &str = "e.unsettled = 1 AND e.excused = 0 AND NOT EXISTS (SELECT 1 FROM retirement AS r WHERE r.till = j.till \
    AND r.day <= $2 AND (r.ended_day IS NULL OR r.ended_day > $2))";

/// What was sold or given back in an environment that is not the vendor's gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentSums {
    /// The gateway, as the journals name it.
    pub environment: String,
    /// What was sold.
    pub sales: SaleSums,
    /// What was given back.
    pub refunds: SaleSums,
}

const SOLD: &str = "e.sold = 1 AND e.day = $2";

const GIVEN_BACK: &str = "e.back_day = $2 AND e.elsewhere = 0";

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

/// The columns that [`sums`] reads.
fn all_sums() -> String {
    format!(
        "COUNT(*), {}, {}, {}, {}, {}, {}",
        whole("e.sum_fen"),
        whole("e.recharge"),
        whole("e.gift"),
        whole("e.points"),
        whole("e.coupons_taken"),
        whole("CASE WHEN e.recharge IS NULL OR e.gift IS NULL THEN CAST(1 AS BIGINT) ELSE 0 END"),
    )
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
        self.sums_of(chain, day, SOLD)
    }

    /// What each till has given back on a day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn refunds(&mut self, chain: &str, day: i64) -> Result<Vec<(i64, SaleSums)>, StoreError> {
        self.sums_of(chain, day, GIVEN_BACK)
    }

    fn sums_of(&mut self, chain: &str, day: i64, which: &str) -> Result<Vec<(i64, SaleSums)>, StoreError> {
        let statement = format!(
            "SELECT t.till, {} {FROM} AND {REAL} AND {which} AND {COUNTS} GROUP BY t.till",
            all_sums()
        );
        self.rows(&statement, &of(chain, day), |row| Ok((row.number()?, sums(row)?)))
    }

    /// What each other environment has on a day. None of it is in any other sum.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn other_environments(&mut self, chain: &str, day: i64) -> Result<Vec<EnvironmentSums>, StoreError> {
        let mut found: BTreeMap<String, [SaleSums; 2]> = BTreeMap::new();
        for (at, which) in [SOLD, GIVEN_BACK].into_iter().enumerate() {
            let statement = format!(
                "SELECT e.environment, {} {FROM} AND NOT {REAL} AND {which} AND {COUNTS} GROUP BY e.environment",
                all_sums()
            );
            for (environment, sums) in
                self.rows(&statement, &of(chain, day), |row| Ok((row.text()?, sums(row)?)))?
            {
                if let Some(own) = found.entry(environment).or_default().get_mut(at) {
                    *own = sums;
                }
            }
        }
        let sums = found.into_iter();
        Ok(sums
            .map(|(environment, [sales, refunds])| EnvironmentSums { environment, sales, refunds })
            .collect())
    }

    /// The sums of a day by hour; hours without any are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn hours(&mut self, chain: &str, day: i64) -> Result<Vec<HourSums>, StoreError> {
        let mut hours: Vec<HourSums> = Vec::new();
        for (is_refund, hour, which) in [(false, "e.hour", SOLD), (true, "e.back_hour", GIVEN_BACK)] {
            let statement = format!(
                "SELECT {hour}, COUNT(*), {} {FROM} AND {REAL} AND {which} AND {COUNTS} GROUP BY {hour}",
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

    /// The unsettled entries of every day of which something is awaited on that day, oldest first, as far as a list may go.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_entries(&mut self, chain: &str, day: i64) -> Result<Vec<Open>, StoreError> {
        let statement = format!(
            "SELECT t.name, t.shop, e.biz_id, e.stage, e.amount, e.at_ms, e.code {FROM} AND {REAL} AND {AWAITED} \
             AND {STANDS} ORDER BY e.at_ms, e.biz_id LIMIT $3"
        );
        self.rows(&statement, &[chain.into(), day.into(), ROWS_MAX.into()], |row| {
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

    /// The till and the bizId of every unsettled entry of which something is awaited on that day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_keys(&mut self, chain: &str, day: i64) -> Result<Vec<[String; 2]>, StoreError> {
        let statement = format!(
            "SELECT t.name, e.biz_id {FROM} AND {REAL} AND {AWAITED} AND {STANDS} ORDER BY t.name, e.biz_id"
        );
        self.rows(&statement, &of(chain, day), |row| Ok([row.text()?, row.text()?]))
    }

    /// How many unsettled entries there are of which nothing is awaited on that day: their tills are gone, or a person has
    /// accepted that their journals are.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn set_aside(&mut self, chain: &str, day: i64) -> Result<i64, StoreError> {
        let statement =
            format!("SELECT COUNT(*) {FROM} AND {REAL} AND e.unsettled = 1 AND NOT ({AWAITED}) AND {STANDS}");
        Ok(self.rows(&statement, &of(chain, day), Columns::number)?.into_iter().sum())
    }

    /// How many unsettled entries of which something is awaited on that day are of each age.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_by_age(&mut self, chain: &str, day: i64, now_ms: i64) -> Result<Vec<Age>, StoreError> {
        let statement = format!(
            "SELECT COUNT(*) {FROM} AND {REAL} AND {AWAITED} AND e.at_ms <= $3 AND e.at_ms > $4 AND {STANDS}"
        );
        // An entry from a clock that is ahead is as young as any.
        let mut younger = i64::MAX;
        let mut ages = Vec::new();
        for below_ms in AGES_MS.into_iter().map(Some).chain([None]) {
            let oldest = below_ms.map_or(i64::MIN, |below| now_ms.saturating_sub(below));
            let parameters = [chain.into(), day.into(), younger.into(), oldest.into()];
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

    /// The sales of a day of which their journal has told one revision with two contents.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn with_other_content(&mut self, chain: &str, day: i64) -> Result<Vec<Unfinished>, StoreError> {
        self.unfinished_of(chain, day, "e.forked = 1")
    }

    fn unfinished_of(&mut self, chain: &str, day: i64, which: &str) -> Result<Vec<Unfinished>, StoreError> {
        let statement = format!(
            "SELECT t.name, t.shop, e.biz_id, e.other_biz_id, e.sum_fen {FROM} AND {REAL} AND e.day = $2 AND {which} \
             AND {STANDS} \
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
        let statement = format!(
            "SELECT e.open_id, e.environment, e.biz_id, t.chain, t.name, j.id, e.revision, e.stage, \
             e.sum_fen FROM entry AS e JOIN journal AS j ON j.journal = e.journal JOIN till AS t ON t.till = j.till \
             WHERE e.twin = 1 AND {REAL} AND EXISTS (SELECT 1 FROM entry AS d JOIN journal AS dj ON dj.journal = d.journal \
             JOIN till AS dt ON dt.till = dj.till WHERE dt.chain = $1 AND d.day = $2 AND d.twin = 1 \
             AND d.biz_id = e.biz_id AND d.open_id = e.open_id AND d.environment = e.environment) \
             ORDER BY e.open_id, e.environment, e.biz_id, e.journal LIMIT $3"
        );
        let parameters = [chain.into(), day.into(), (2 * ROWS_MAX).into()];
        self.rows(&statement, &parameters, |row| {
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
