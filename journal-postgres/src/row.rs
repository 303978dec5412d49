//! One entry as one row, with a checksum over all of it: a row that was changed by anything but this program is refused,
//! never believed.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};
use zvpos_core::journal::JournalError;
use zvpos_core::journal::columns::{Hashed, Record};
use zvpos_core::journal::events::is_due;
use zvpos_core::journal::nodes::{Failure, Standing, Token};
use zvpos_core::money::BizId;
use zvpos_core::outcome::codes;
use zvpos_core::payment::{Entry, Key};

use crate::connection::Parameter;

/// The columns as texts and numbers, in the order of the statements.
pub(crate) struct Columns<'r> {
    open_id: &'r str,
    environment: &'r str,
    biz_id: &'r str,
    revision: i64,
    token: i64,
    record: Record<'r>,
    member: Option<&'r str>,
    returned_biz_id: Option<&'r str>,
    /// Unsettled, holds others back, due, unfinished, retired, another bizId, refused refund.
    marks: [bool; 7],
}

/// Where the checksum is in a row, and the numbers of the records before it.
const CHECKSUM: usize = 30;
const EARLIER: usize = 31;

/// A record's number as the database has it: the same bits.
pub(crate) fn stored(token: Token) -> i64 {
    token.cast_signed()
}

/// A count as the database has it. One that large is never reached.
pub(crate) fn counted(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<'r> Columns<'r> {
    /// The columns of an entry.
    pub(crate) fn of(entry: &'r Entry, token: Token) -> Result<Columns<'r>, Failure> {
        let key = entry.key();
        let record = Record::of(entry).map_err(|error| {
            let message = format!("the record of bizId {} cannot be written: {error}", key.biz_id.as_str());
            Failure::Refused(JournalError::new(&codes::JOURNAL, message))
        })?;
        let retired = entry.detail().retired;
        Ok(Columns {
            open_id: &key.open_id,
            environment: &key.environment,
            biz_id: key.biz_id.as_str(),
            revision: counted(entry.revision()),
            token: stored(token),
            record,
            member: entry.identity().member(),
            returned_biz_id: entry.detail().returned_biz_id.as_deref(),
            marks: [
                entry.stage().is_unsettled(),
                entry.holds_back(),
                is_due(entry),
                entry.is_unfinished(),
                retired,
                entry.has_other_biz_id(),
                entry.is_refused_refund() && !retired,
            ],
        })
    }

    /// The values of the statements that write a record, up to its checksum.
    pub(crate) fn parameters<'p>(&'p self, checksum: &'p &'p [u8]) -> Vec<Parameter<'p>> {
        let record = &self.record;
        let [unsettled, holds_back, due, unfinished, retired, other_biz_id, refused_refund] = &self.marks;
        vec![
            (&self.open_id, Type::TEXT),
            (&self.environment, Type::TEXT),
            (&self.biz_id, Type::TEXT),
            (&self.revision, Type::INT8),
            (&self.token, Type::INT8),
            (&record.stage, Type::TEXT),
            (&record.attempt, Type::INT8),
            (&record.owner, Type::TEXT),
            (&record.on_unknown, Type::TEXT),
            (&record.created_unix_ms, Type::INT8),
            (&record.customer_id, Type::TEXT),
            (&record.kind, Type::INT8),
            (&record.amount, Type::TEXT),
            (&record.coupons, Type::TEXT),
            (&record.points, Type::INT8),
            (&record.till, Type::TEXT),
            (&record.operator_id, Type::TEXT),
            (&record.operator_name, Type::TEXT),
            (&record.store, Type::TEXT),
            (&record.data, Type::TEXT),
            (&record.detail, Type::TEXT),
            (&self.member, Type::TEXT),
            (&self.returned_biz_id, Type::TEXT),
            (unsettled, Type::BOOL),
            (holds_back, Type::BOOL),
            (due, Type::BOOL),
            (unfinished, Type::BOOL),
            (retired, Type::BOOL),
            (other_biz_id, Type::BOOL),
            (refused_refund, Type::BOOL),
            (checksum, Type::BYTEA),
        ]
    }

    /// The marks in the order of the statements.
    fn mark(&self, place: usize) -> bool {
        self.marks.get(place).copied().unwrap_or_default()
    }

    /// The text with all that has no column of its own.
    pub(crate) fn detail(&self) -> &str {
        &self.record.detail
    }

    /// The checksum over all columns.
    pub(crate) fn checksum(&self) -> [u8; 16] {
        let mut hashed = Hashed::default();
        for key in [self.open_id, self.environment, self.biz_id] {
            hashed.text(Some(key));
        }
        for number in [self.revision, self.token] {
            hashed.number(Some(number));
        }
        hashed.record(&self.record);
        hashed.text(self.member);
        hashed.text(self.returned_biz_id);
        hashed.marks(&self.marks);
        hashed.checksum()
    }

    /// The columns of a row, or the name of one that this program cannot have written.
    fn read(row: &'r Row) -> Result<Columns<'r>, &'static str> {
        let mark = |place, name| column::<bool>(row, place, name);
        Ok(Columns {
            open_id: column(row, 0, "open_id")?,
            environment: column(row, 1, "environment")?,
            biz_id: column(row, 2, "biz_id")?,
            revision: column(row, 3, "revision")?,
            token: column(row, 4, "token")?,
            record: Record {
                stage: column(row, 5, "stage")?,
                attempt: column(row, 6, "attempt")?,
                owner: column(row, 7, "owner")?,
                on_unknown: column(row, 8, "on_unknown")?,
                created_unix_ms: column(row, 9, "created_unix_ms")?,
                customer_id: column(row, 10, "customer_id")?,
                kind: column(row, 11, "kind")?,
                amount: column::<Option<&str>>(row, 12, "amount")?.map(Cow::Borrowed),
                coupons: column::<Option<&str>>(row, 13, "coupons")?.map(Cow::Borrowed),
                points: column(row, 14, "points")?,
                till: column(row, 15, "till")?,
                operator_id: column(row, 16, "operator_id")?,
                operator_name: column(row, 17, "operator_name")?,
                store: column(row, 18, "store")?,
                data: column(row, 19, "data")?,
                detail: Cow::Borrowed(column(row, 20, "detail")?),
            },
            member: column(row, 21, "member")?,
            returned_biz_id: column(row, 22, "returned_biz_id")?,
            marks: [
                mark(23, "unsettled")?,
                mark(24, "holds_back")?,
                mark(25, "due")?,
                mark(26, "unfinished")?,
                mark(27, "retired")?,
                mark(28, "other_biz_id")?,
                mark(29, "refused_refund")?,
            ],
        })
    }

    fn entry(&self) -> Result<Entry, &'static str> {
        let key = Key {
            biz_id: BizId::new(self.biz_id).map_err(|_| "biz_id")?,
            open_id: self.open_id.to_owned(),
            environment: self.environment.to_owned(),
        };
        self.record.entry(key, u64::try_from(self.revision).map_err(|_| "revision")?)
    }
}

fn column<'r, T: FromSql<'r>>(row: &'r Row, place: usize, name: &'static str) -> Result<T, &'static str> {
    row.try_get(place).map_err(|_| name)
}

/// The columns of a row, if they fit their checksum.
fn checked(row: &Row) -> Result<(Columns<'_>, Entry), Failure> {
    let columns = Columns::read(row).map_err(|name| damaged(row, name))?;
    let checksum: &[u8] = column(row, CHECKSUM, "checksum").map_err(|name| damaged(row, name))?;
    if checksum != columns.checksum() {
        return Err(damaged(row, "its checksum is wrong"));
    }
    let entry = columns.entry().map_err(|name| damaged(row, name))?;
    Ok((columns, entry))
}

/// The entry of a row.
pub(crate) fn entry(row: &Row) -> Result<Entry, Failure> {
    checked(row).map(|(_, entry)| entry)
}

/// The entries of rows.
pub(crate) fn entries(rows: &[Row]) -> Result<Vec<Entry>, Failure> {
    rows.iter().map(entry).collect()
}

/// The entry of a row with its number and those before it.
pub(crate) fn standing(row: &Row) -> Result<Standing, Failure> {
    let (columns, entry) = checked(row)?;
    let earlier: Vec<i64> = column(row, EARLIER, "earlier").map_err(|name| damaged(row, name))?;
    Ok(Standing {
        token: columns.token.cast_unsigned(),
        earlier: earlier.into_iter().map(i64::cast_unsigned).collect(),
        entry,
    })
}

/// The columns of several entries as lists, in the order of the statements, with the checksums behind them.
pub(crate) fn lists<'c>(rows: &'c [Columns<'c>]) -> Vec<(Box<dyn ToSql + Sync + 'c>, Type)> {
    let text = |of: fn(&'c Columns<'c>) -> Option<&'c str>| -> (Box<dyn ToSql + Sync + 'c>, Type) {
        (Box::new(rows.iter().map(of).collect::<Vec<_>>()), Type::TEXT_ARRAY)
    };
    let number = |of: fn(&Columns<'_>) -> Option<i64>| -> (Box<dyn ToSql + Sync + 'c>, Type) {
        (Box::new(rows.iter().map(of).collect::<Vec<_>>()), Type::INT8_ARRAY)
    };
    let mark = |place: usize| -> (Box<dyn ToSql + Sync + 'c>, Type) {
        (Box::new(rows.iter().map(|row| row.mark(place)).collect::<Vec<_>>()), Type::BOOL_ARRAY)
    };
    let checksums: Vec<Vec<u8>> = rows.iter().map(|row| row.checksum().to_vec()).collect();
    let mut lists = vec![
        text(|row| Some(row.open_id)),
        text(|row| Some(row.environment)),
        text(|row| Some(row.biz_id)),
        number(|row| Some(row.revision)),
        number(|row| Some(row.token)),
        text(|row| Some(row.record.stage)),
        number(|row| Some(row.record.attempt)),
        text(|row| Some(row.record.owner)),
        text(|row| Some(row.record.on_unknown)),
        number(|row| Some(row.record.created_unix_ms)),
        text(|row| row.record.customer_id),
        number(|row| row.record.kind),
        text(|row| row.record.amount.as_deref()),
        text(|row| row.record.coupons.as_deref()),
        number(|row| row.record.points),
        text(|row| row.record.till),
        text(|row| row.record.operator_id),
        text(|row| row.record.operator_name),
        text(|row| row.record.store),
        text(|row| row.record.data),
        text(|row| Some(&row.record.detail)),
        text(|row| row.member),
        text(|row| row.returned_biz_id),
    ];
    lists.extend((0..7).map(mark));
    lists.push((Box::new(checksums), Type::BYTEA_ARRAY));
    lists
}

/// Cannot have been written by this program; `what` is a column, or words.
fn damaged(row: &Row, what: &str) -> Failure {
    let key = |place| column::<&str>(row, place, "").unwrap_or("?");
    let message = format!(
        "the row of bizId {} of account {} at {} is damaged: {what}; it is not believed and not changed",
        key(2),
        key(0),
        key(1)
    );
    Failure::Refused(JournalError::new(&codes::JOURNAL_DAMAGED, message))
}

/// A row that is none of an entry, and does not hold what was asked for.
pub(crate) fn strange(what: &'static str) -> Failure {
    Failure::Refused(JournalError::new(
        &codes::JOURNAL_DAMAGED,
        format!("the journal's database answers with a strange value of {what}"),
    ))
}
