//! One entry as one row, of an event or of a state, with a checksum over all of it: a row that was changed by anything
//! but this program is refused, never believed.

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement, ToSql};

use super::damage::damaged;
use super::summary::{Summarised, Summary};
use crate::journal::columns::{Hashed, Record};
use crate::journal::events::{Change, Event};
use crate::money::BizId;
use crate::payment::{Entry, Key, Stage};

/// The columns of both tables that a row is read from, in the order of [`Columns`].
macro_rules! columns {
    () => {
        "number, open_id, environment, biz_id, revision, stage, attempt, owner, on_unknown, created_unix_ms, customer_id, \
         kind, amount, coupons, points, till, operator_id, operator_name, store, data, detail, checksum"
    };
}
pub(super) use columns;

/// The same for the table of states, with its marks.
macro_rules! state_columns {
    () => {
        concat!(columns!(), ", unsettled, unfinished, retired, other_biz_id")
    };
}
pub(super) use state_columns;

/// The columns as texts and numbers.
struct Columns<'r> {
    number: i64,
    open_id: &'r str,
    environment: &'r str,
    biz_id: &'r str,
    revision: i64,
    /// `None`: an acknowledgement.
    record: Option<Record<'r>>,
}

/// Adds an event to the log.
pub(super) fn append(connection: &Connection, event: &Event) -> rusqlite::Result<()> {
    let columns = match &event.change {
        Change::Recorded(entry) => Columns::of(event.number, entry)?,
        Change::Acknowledged { key, revision } => Columns::under(event.number, key, *revision, None),
    };
    let mut statement = connection.prepare_cached(concat!(
        "INSERT INTO event (",
        columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)"
    ))?;
    columns.bind(&mut statement, &columns.checksum(None))?;
    statement.raw_execute().map(drop)
}

/// Writes the state of an entry after the event of that number.
pub(super) fn put_state(connection: &Connection, number: u64, entry: &Entry) -> rusqlite::Result<()> {
    let columns = Columns::of(number, entry)?;
    let marks = Marks::of(entry);
    // An entry's key and the time of its intent never change, so their indexes are left alone.
    let mut statement = connection.prepare_cached(concat!(
        "INSERT INTO state (",
        state_columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
         ?23, ?24, ?25, ?26) \
         ON CONFLICT (open_id, environment, biz_id) DO UPDATE SET number = ?1, revision = ?5, stage = ?6, attempt = ?7, \
         owner = ?8, on_unknown = ?9, customer_id = ?11, kind = ?12, amount = ?13, coupons = ?14, points = ?15, \
         till = ?16, operator_id = ?17, operator_name = ?18, store = ?19, data = ?20, detail = ?21, checksum = ?22, \
         unsettled = ?23, unfinished = ?24, retired = ?25, other_biz_id = ?26"
    ))?;
    columns.bind(&mut statement, &columns.checksum(Some(marks)))?;
    for (place, mark) in (23..).zip(marks.0) {
        statement.raw_bind_parameter(place, mark)?;
    }
    statement.raw_execute().map(drop)
}

/// What the indexes of the states ask for, in the order of [`state_columns`]: unsettled, unfinished, retired, another bizId.
#[derive(Clone, Copy)]
struct Marks([bool; 4]);

impl Marks {
    fn of(entry: &Entry) -> Marks {
        Marks([
            entry.stage().is_unsettled(),
            entry.is_unfinished(),
            entry.detail().retired,
            entry.has_other_biz_id(),
        ])
    }

    /// Those of a row of states, which stand behind the other columns.
    fn read(row: &Row<'_>) -> rusqlite::Result<Marks> {
        Ok(Marks([row.get(22)?, row.get(23)?, row.get(24)?, row.get(25)?]))
    }
}

/// The entry of a row of states whose columns are those of [`state_columns`].
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    match state(row)?.0.event()?.change {
        Change::Recorded(entry) => Ok(*entry),
        Change::Acknowledged { key, .. } => Err(damaged(key.biz_id.as_str(), "stage")),
    }
}

fn state<'r>(row: &'r Row<'_>) -> rusqlite::Result<(Columns<'r>, Marks)> {
    let marks = Marks::read(row)?;
    Ok((Columns::read(row)?.checked(row, Some(marks))?, marks))
}

/// The event of a row whose columns are those of [`columns`].
pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Columns::read(row)?.checked(row, None)?.event()
}

/// Every state is what was written; adds them to a summary.
pub(super) fn verify_states(connection: &Connection, summary: &mut Summary) -> rusqlite::Result<()> {
    let mut states = connection.prepare(concat!("SELECT ", state_columns!(), " FROM state"))?;
    let mut rows = states.query([])?;
    while let Some(row) = rows.next()? {
        let (columns, marks) = state(row)?;
        summary.add(&columns.summarised(marks));
    }
    Ok(())
}

/// Every event is what was written.
pub(super) fn verify_events(connection: &Connection) -> rusqlite::Result<()> {
    let mut events = connection.prepare(concat!("SELECT ", columns!(), " FROM event"))?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        event(row)?;
    }
    Ok(())
}

fn number_of(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl<'r> Columns<'r> {
    fn under(number: u64, key: &'r Key, revision: u64, record: Option<Record<'r>>) -> Columns<'r> {
        Columns {
            number: number_of(number),
            open_id: &key.open_id,
            environment: &key.environment,
            biz_id: key.biz_id.as_str(),
            revision: number_of(revision),
            record,
        }
    }

    fn of(number: u64, entry: &'r Entry) -> rusqlite::Result<Columns<'r>> {
        let record =
            Record::of(entry).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(Columns::under(number, entry.key(), entry.revision(), Some(record)))
    }

    /// Reads the columns without checking the checksum.
    fn read(row: &'r Row<'_>) -> rusqlite::Result<Columns<'r>> {
        let text = |index: usize| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str()?);
        let may = |index: usize| match row.get_ref(index)? {
            ValueRef::Null => Ok::<_, rusqlite::Error>(None),
            value => Ok(Some(value.as_str()?)),
        };
        let record = match may(5)? {
            None => None,
            Some(stage) => Some(Record {
                stage,
                attempt: row.get(6)?,
                owner: text(7)?,
                on_unknown: text(8)?,
                created_unix_ms: row.get(9)?,
                customer_id: may(10)?,
                kind: row.get(11)?,
                amount: may(12)?.map(Cow::Borrowed),
                coupons: may(13)?.map(Cow::Borrowed),
                points: row.get(14)?,
                till: may(15)?,
                operator_id: may(16)?,
                operator_name: may(17)?,
                store: may(18)?,
                data: may(19)?,
                detail: Cow::Borrowed(text(20)?),
            }),
        };
        Ok(Columns {
            number: row.get(0)?,
            open_id: text(1)?,
            environment: text(2)?,
            biz_id: text(3)?,
            revision: row.get(4)?,
            record,
        })
    }

    /// What the summary of the states takes of it.
    fn summarised(&self, Marks([unsettled, unfinished, retired, _]): Marks) -> Summarised<'_> {
        let is_kept = self.record.as_ref().is_some_and(|record| record.stage == Stage::Kept.as_str());
        Summarised {
            open_id: self.open_id,
            environment: self.environment,
            biz_id: self.biz_id,
            revision: u64::try_from(self.revision).unwrap_or_default(),
            lists: [unsettled, unfinished, is_kept && !retired],
        }
    }

    /// Binds the parameters 1 to 22, in the order of [`columns`]; what is not there stays NULL.
    fn bind(&self, statement: &mut Statement<'_>, checksum: &[u8]) -> rusqlite::Result<()> {
        let key: [&dyn ToSql; 5] =
            [&self.number, &self.open_id, &self.environment, &self.biz_id, &self.revision];
        for (place, value) in (1..).zip(key) {
            statement.raw_bind_parameter(place, value)?;
        }
        statement.raw_bind_parameter(22, checksum)?;
        let Some(record) = &self.record else { return Ok(()) };
        let values: [&dyn ToSql; 6] = [
            &record.stage,
            &record.attempt,
            &record.owner,
            &record.on_unknown,
            &record.created_unix_ms,
            &record.detail,
        ];
        for (place, value) in [6, 7, 8, 9, 10, 21].into_iter().zip(values) {
            statement.raw_bind_parameter(place, value)?;
        }
        let numbers = [(12, record.kind), (15, record.points)];
        for (place, number) in numbers.into_iter().filter_map(|(place, number)| Some((place, number?))) {
            statement.raw_bind_parameter(place, number)?;
        }
        let texts = [
            (11, record.customer_id),
            (13, record.amount.as_deref()),
            (14, record.coupons.as_deref()),
            (16, record.till),
            (17, record.operator_id),
            (18, record.operator_name),
            (19, record.store),
            (20, record.data),
        ];
        for (place, text) in texts.into_iter().filter_map(|(place, text)| Some((place, text?))) {
            statement.raw_bind_parameter(place, text)?;
        }
        Ok(())
    }

    /// The columns, if they fit the checksum of their row.
    fn checked(self, row: &Row<'_>, marks: Option<Marks>) -> rusqlite::Result<Columns<'r>> {
        if row.get_ref(21)?.as_blob()? == self.checksum(marks) {
            Ok(self)
        } else {
            Err(damaged(self.biz_id, "its checksum is wrong"))
        }
    }

    fn event(&self) -> rusqlite::Result<Event> {
        let what = |what: &'static str| damaged(self.biz_id, what);
        let key = Key {
            biz_id: BizId::new(self.biz_id).map_err(|_| what("biz_id"))?,
            open_id: self.open_id.to_owned(),
            environment: self.environment.to_owned(),
        };
        let number = u64::try_from(self.number).map_err(|_| what("number"))?;
        let revision = u64::try_from(self.revision).map_err(|_| what("revision"))?;
        let Some(record) = &self.record else {
            return Ok(Event { number, change: Change::Acknowledged { key, revision } });
        };
        let entry = record.entry(key, revision).map_err(what)?;
        Ok(Event { number, change: Change::Recorded(Box::new(entry)) })
    }

    fn checksum(&self, marks: Option<Marks>) -> [u8; 16] {
        let mut hashed = Hashed::default();
        hashed.number(Some(self.number));
        hashed.number(Some(self.revision));
        for key in [self.open_id, self.environment, self.biz_id] {
            hashed.text(Some(key));
        }
        if let Some(record) = &self.record {
            hashed.record(record);
        }
        if let Some(Marks(marks)) = marks {
            hashed.marks(&marks);
        }
        hashed.checksum()
    }
}
