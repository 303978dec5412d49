//! Takes a batch into the copy, in one transaction. A record is written over an earlier revision only, so that batches may
//! come twice, late, and in any order.

use std::collections::HashMap;

use zvpos_core::payment::Stage;

use super::rounds::{Journal, Part};
use super::{Columns, Store, StoreError, Till, Value, gap_kinds};
use crate::digest;
use crate::wire::{Batch, Record};

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on stable storage; everything of the journal up to that event is.
    Yes {
        /// The last event of which nothing is missing.
        shipped: u64,
    },
    /// The collector has everything up to this event only, and has taken nothing.
    Missing {
        /// The last event of which nothing is missing.
        held: u64,
    },
    /// The journal is that of another till, and nothing was taken.
    Foreign {
        /// The other till.
        till: String,
    },
}

/// The columns of an entry that an insert and an update write, in the order of [`values`], behind the key.
const COLUMNS: [&str; 34] = [
    "number",
    "revision",
    "stage",
    "unsettled",
    "retired",
    "attempt",
    "created_ms",
    "at_ms",
    "member",
    "coupons",
    "amount",
    "device",
    "shop",
    "operator",
    "code",
    "other_biz_id",
    "unfinished",
    "by_person",
    "sold",
    "day",
    "hour",
    "back_day",
    "back_hour",
    "elsewhere",
    "sum_fen",
    "recharge",
    "gift",
    "points",
    "coupons_taken",
    "received_ms",
    "digest",
    "round",
    "lost",
    "excused",
];

const KEY: &str = "journal = $1 AND open_id = $2 AND environment = $3 AND biz_id = $4";

fn insert() -> String {
    let places: Vec<String> = (5..).zip(COLUMNS).map(|(place, _)| format!("${place}")).collect();
    format!(
        "INSERT INTO entry (journal, open_id, environment, biz_id, {}, twin, forked) VALUES ($1, $2, $3, $4, {}, 0, 0) \
         ON CONFLICT (journal, open_id, environment, biz_id) DO NOTHING",
        COLUMNS.join(", "),
        places.join(", ")
    )
}

/// What a till drops of an entry with its details. A copy that has them keeps them.
const DETAILS: [&str; 6] = ["member", "coupons", "amount", "device", "shop", "operator"];

/// `column = value` for those columns. $9 is whether the details were dropped, $10 the attempt.
fn changes(skipped: Option<&str>) -> String {
    let without = "$9 = CAST(1 AS BIGINT) AND attempt = $10";
    let changes = (5..).zip(COLUMNS).filter(|(_, column)| Some(*column) != skipped).map(|(place, column)| {
        if DETAILS.contains(&column) {
            format!("{column} = CASE WHEN {without} THEN COALESCE(${place}, {column}) ELSE ${place} END")
        } else if column == "by_person" {
            format!("{column} = CASE WHEN {without} AND {column} = 1 THEN {column} ELSE ${place} END")
        } else {
            format!("{column} = ${place}")
        }
    });
    changes.collect::<Vec<_>>().join(", ")
}

/// A revision that only drops details takes nothing from a copy that has them.
fn update() -> String {
    // $6 is the revision.
    format!(
        "UPDATE entry SET {} WHERE {KEY} AND revision < $6 AND ($9 = CAST(0 AS BIGINT) OR revision < $6 - 1)",
        changes(None)
    )
}

/// A later revision without details, such as the refund of an old sale, loses nothing where the copy has the outcome of that
/// attempt, or where the loss is known. $7 is the stage, $21 whether something is left to do.
fn follow() -> String {
    format!(
        "UPDATE entry SET {} WHERE {KEY} AND revision < $6 AND attempt = $10 \
         AND (retired = 1 OR unsettled = 0 OR sold = 1) \
         AND (retired = 1 OR revision < $6 - 1 OR stage <> $7 OR unfinished <> $21)",
        changes(Some("retired"))
    )
}

const TWIN: &str = "UPDATE entry SET twin = 1 WHERE open_id = $2 AND environment = $3 AND biz_id = $4 AND EXISTS \
    (SELECT 1 FROM entry AS other WHERE other.open_id = $2 AND other.environment = $3 AND other.biz_id = $4 \
     AND other.journal <> $1)";

/// The same revision has another content than the one that came first.
const FORKED: &str = "UPDATE entry SET forked = 1 WHERE journal = $1 AND open_id = $2 AND environment = $3 AND biz_id = $4 \
    AND revision = $5 AND digest <> $6";

const SEEN: &str = "UPDATE journal SET seen_ms = $2, held = held + $3 WHERE journal = $1";

const COMPLETE: &str =
    "UPDATE journal SET complete_ms = $2, complete_day = $5, shipped = $3, entries = $4 WHERE journal = $1";

const FILLED: &str =
    "UPDATE gap SET filled_ms = $2 WHERE journal = $1 AND kind = $3 AND first > $4 AND filled_ms IS NULL";

fn key(journal: i64, record: &Record) -> Vec<Value> {
    vec![
        journal.into(),
        record.open_id.as_str().into(),
        record.environment.as_str().into(),
        record.biz_id.as_str().into(),
    ]
}

/// What a journal says of a revision, apart from what depends on the till's configuration.
fn content(record: &Record) -> String {
    let Record { stage, attempt, created_unix_ms, at_unix_ms, amount, code, sold, sum, .. } = record;
    let content = format!("{:?}", (stage, attempt, created_unix_ms, at_unix_ms, amount, code, sold, sum));
    digest::sha256(&content)
}

fn values(journal: i64, record: &Record, (round, now_ms): (i64, i64)) -> Vec<Value> {
    let unsettled = Stage::from_word(&record.stage).is_some_and(Stage::is_unsettled);
    let coupons = (!record.coupons.is_empty()).then(|| record.coupons.join(" "));
    let back = record.back.as_ref();
    let mut values = key(journal, record);
    values.extend([
        record.number.into(),
        record.revision.into(),
        record.stage.as_str().into(),
        unsettled.into(),
        record.retired.into(),
        i64::from(record.attempt).into(),
        record.created_unix_ms.into(),
        record.at_unix_ms.into(),
        (&record.member).into(),
        (&coupons).into(),
        (&record.amount).into(),
        (&record.device).into(),
        (&record.shop).into(),
        (&record.operator).into(),
        (&record.code).into(),
        (&record.other_biz_id).into(),
        record.unfinished.into(),
        record.by_person.into(),
        record.sold.into(),
        record.day.into(),
        i64::from(record.hour).into(),
        (&back.map(|back| back.day)).into(),
        (&back.map(|back| i64::from(back.hour))).into(),
        back.is_some_and(|back| back.elsewhere).into(),
        (&record.sum).into(),
        (&record.recharge).into(),
        (&record.gift).into(),
        record.points.into(),
        record.coupons_taken.into(),
        now_ms.into(),
        content(record).into(),
        round.into(),
        false.into(),
        false.into(),
    ]);
    values
}

/// Each entry once, in its newest revision.
fn newest(records: &[Record]) -> Vec<&Record> {
    let mut newest: HashMap<[&str; 3], &Record> = HashMap::new();
    for record in records {
        let key = [record.open_id.as_str(), record.environment.as_str(), record.biz_id.as_str()];
        let known = newest.entry(key).or_insert(record);
        if known.revision < record.revision {
            *known = record;
        }
    }
    newest.into_values().collect()
}

impl Store {
    /// Takes a batch of that till.
    ///
    /// # Errors
    /// It is not known whether the batch was stored; the till ships it again.
    pub fn accept(&mut self, till: &Till, batch: &Batch, now_ms: i64) -> Result<Kept, StoreError> {
        self.writing(|store| store.accept_in_turn(till, batch, now_ms))
    }

    fn accept_in_turn(&mut self, till: &Till, batch: &Batch, now_ms: i64) -> Result<Kept, StoreError> {
        self.execute("UPDATE till SET seen_ms = $2 WHERE till = $1", vec![till.till.into(), now_ms.into()])?;
        let journal = match self.journal_of(till, &batch.journal, now_ms)? {
            Ok(journal) => journal,
            Err(other) => return Ok(Kept::Foreign { till: other }),
        };
        let gap = |store: &mut Store, kind: &str, first: u64, last: u64, entries: u64| {
            store.note_gap((till.till, journal.number), kind, (first, last), entries, now_ms)
        };
        if journal.is_new && self.journals_before(till, journal.number)? > 0 {
            gap(self, gap_kinds::NEW_JOURNAL, 0, batch.last, batch.entries)?;
        }
        if batch.after > journal.shipped {
            gap(self, gap_kinds::MISSING, journal.shipped + 1, batch.after, 0)?;
            return Ok(Kept::Missing { held: journal.shipped });
        }
        match journal.shipped.checked_sub(batch.last).filter(|lost| *lost > 0) {
            // A batch that was under way for long, or a till that does not know yet that its journal is an older copy.
            Some(_) if !batch.restored => return Ok(Kept::Missing { held: journal.shipped }),
            Some(lost) => gap(self, gap_kinds::RESTORED, batch.last + 1, journal.shipped, lost)?,
            // The copy has grown since: its new events have the numbers of those that are lost.
            None if batch.restored => gap(self, gap_kinds::RESTORED, 0, journal.shipped, 0)?,
            None => {}
        }
        let part = self.begin_part(&journal, batch)?;
        let (new, dropped) = self.upsert(journal.number, &batch.records, part, now_ms)?;
        if dropped > 0 {
            gap(self, gap_kinds::RETENTION, batch.after + 1, batch.last, dropped)?;
        }
        self.execute(SEEN, vec![journal.number.into(), now_ms.into(), new.into()])?;
        if batch.complete {
            self.find_lost((till, &journal), part, batch, now_ms)?;
            let parameters = vec![
                journal.number.into(),
                now_ms.into(),
                batch.last.into(),
                batch.entries.into(),
                batch.day.into(),
            ];
            self.execute(COMPLETE, parameters)?;
            let missing = gap_kinds::MISSING.into();
            self.execute(FILLED, vec![journal.number.into(), now_ms.into(), missing, batch.after.into()])?;
            return Ok(Kept::Yes { shipped: batch.last });
        }
        Ok(Kept::Yes { shipped: journal.shipped })
    }

    /// The journal of that till; the name of the till whose journal it is, if that one is not gone.
    fn journal_of(
        &mut self,
        till: &Till,
        id: &str,
        now_ms: i64,
    ) -> Result<Result<Journal, String>, StoreError> {
        const FIND: &str = "SELECT j.journal, j.shipped, j.rounds, t.till, t.name FROM journal AS j \
             JOIN till AS t ON t.till = j.till WHERE t.chain = $1 AND j.id = $2 \
             ORDER BY CASE WHEN t.till = $3 THEN 0 ELSE 1 END, j.journal";
        const MAKE: &str = "INSERT INTO journal (till, id, first_ms, seen_ms, shipped, entries, held, part, rounds) \
                            VALUES ($1, $2, $3, $3, 0, 0, 0, 0, 0) RETURNING journal";
        let read = |row: &mut Columns| {
            let journal = Journal {
                number: row.number()?,
                shipped: row.count()?,
                rounds: row.number()?,
                is_new: false,
            };
            Ok((journal, row.number()?, row.text()?))
        };
        let found = self.rows(FIND, &[till.chain.as_str().into(), id.into(), till.till.into()], read)?;
        if let Some((journal, owner, name)) = found.into_iter().next() {
            if owner != till.till {
                if !self.is_retired(owner)? {
                    return Ok(Err(name));
                }
                self.take_over(till, journal.number)?;
            }
            return Ok(Ok(journal));
        }
        let made = self.rows(MAKE, &[till.till.into(), id.into(), now_ms.into()], Columns::number)?;
        let journal = made.first().copied().ok_or_else(|| StoreError("no journal was made".to_owned()))?;
        Ok(Ok(Journal { number: journal, shipped: 0, rounds: 0, is_new: true }))
    }

    /// A till that has another name now goes on with the journal of the one that is gone.
    fn take_over(&mut self, till: &Till, journal: i64) -> Result<(), StoreError> {
        for statement in
            ["UPDATE journal SET till = $1 WHERE journal = $2", "UPDATE gap SET till = $1 WHERE journal = $2"]
        {
            self.execute(statement, vec![till.till.into(), journal.into()])?;
        }
        Ok(())
    }

    /// Notes that a till lives and has no journal yet, and its business day.
    ///
    /// # Errors
    /// It is not stored.
    pub fn is_empty(&mut self, till: &Till, day: i64, now_ms: i64) -> Result<(), StoreError> {
        const EMPTY: &str = "UPDATE till SET seen_ms = $2, empty_ms = $2, empty_day = $3 WHERE till = $1";
        let parameters = vec![till.till.into(), now_ms.into(), day.into()];
        self.writing(|store| store.execute(EMPTY, parameters)).map(drop)
    }

    fn journals_before(&mut self, till: &Till, journal: i64) -> Result<u64, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM journal WHERE till = $1 AND journal <> $2";
        let found = self.rows(COUNT, &[till.till.into(), journal.into()], Columns::count)?;
        Ok(found.into_iter().sum())
    }

    /// Writes the records, and returns how many entries are new, and how many came without the details that the copy lacks.
    fn upsert(
        &mut self,
        journal: i64,
        records: &[Record],
        part: Part,
        now_ms: i64,
    ) -> Result<(u64, u64), StoreError> {
        let records = newest(records);
        let all: Vec<_> =
            records.iter().map(|record| values(journal, record, (part.round, now_ms))).collect();
        let inserted = self.engine.execute_each(&insert(), &all)?;
        let is_new = |at: usize| inserted.get(at).is_some_and(|count| *count > 0);
        let of = |wanted: bool| {
            let own = records.iter().zip(&all).enumerate().filter(move |(at, _)| is_new(*at) == wanted);
            own.map(|(_, (record, values))| (*record, values))
        };
        let keys: Vec<_> = of(true).map(|(record, _)| key(journal, record)).collect();
        self.engine.execute_each(TWIN, &keys)?;
        let known: Vec<_> = of(false).map(|(_, values)| values.clone()).collect();
        let bare: Vec<_> =
            of(false).filter(|(record, _)| record.retired).map(|(_, values)| values.clone()).collect();
        self.engine.execute_each(&follow(), &bare)?;
        let updated = self.engine.execute_each(&update(), &known)?;
        let same = |(record, _): (&Record, _)| {
            [key(journal, record), vec![record.revision.into(), content(record).into()]].concat()
        };
        self.engine.execute_each(FORKED, &of(false).map(same).collect::<Vec<_>>())?;
        let every: Vec<_> = records.iter().map(|record| key(journal, record)).collect();
        self.mark(part, &every)?;
        let changed = of(false).zip(updated).filter(|(_, count)| *count > 0).map(|((record, _), _)| record);
        let dropped =
            of(true).map(|(record, _)| record).chain(changed).filter(|record| record.retired).count();
        Ok((keys.len() as u64, dropped as u64))
    }
}
