//! A journal that is moved to or from a database. The source is closed by locks of a transaction: a program that dies gives
//! them back, and the source works as before. The target has a format that every version refuses, until it is finished.

use std::time::{Duration, Instant};

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use zvpos_core::journal::moving::{self, Coming, Leaving, MOVED, Seal, Source, Target, UNFINISHED};
use zvpos_core::journal::{JournalError, filed};
use zvpos_core::outcome::codes;
use zvpos_core::payment::{Entry, Key};

use crate::connection::{Connection, Parameter};
use crate::failure::{Broken, Purpose, failed_as};
use crate::fit::NoConnection;
use crate::moving_statements::{COMMIT, MovingStatements};
use crate::row::{self, Columns};
use crate::settings::Settings;
use crate::start::{FORMAT, explained, newer};
use crate::statements::{EXISTING, Statements};
use crate::target;

/// How long one statement of a move may take: it may wait for the calls of a whole chain, or write some hundred rows.
const PATIENCE: Duration = Duration::from_mins(1);

/// The one connection of a move, and where it leads to.
struct Place {
    connection: Connection,
    moving: MovingStatements,
    statements: Statements,
    schema: String,
    server: String,
}

/// What the row of the journal says.
struct About {
    format: i32,
    id: String,
    place: Option<String>,
}

impl Place {
    fn open(settings: &Settings) -> Result<Place, JournalError> {
        let target = target::Target::of(settings)?;
        let connection = target.connect(Instant::now() + PATIENCE).map_err(NoConnection::error)?;
        Ok(Place {
            connection,
            moving: MovingStatements::of(&settings.schema),
            statements: Statements::of(&settings.schema),
            schema: settings.schema.clone(),
            server: target.words(),
        })
    }

    fn words(&self) -> String {
        crate::database::place_of(&self.server, &self.schema)
    }

    fn failed(&self, broken: &Broken) -> JournalError {
        explained(&self.schema, &self.server, broken)
    }

    fn ask(&mut self, text: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, JournalError> {
        let until = Instant::now() + PATIENCE;
        let asked = self.connection.ask(Purpose::Write, text, parameters, until);
        asked.map_err(|broken| self.failed(&broken))
    }

    fn batch(&mut self, text: &str) -> Result<(), JournalError> {
        let done = self.connection.batch(text, Instant::now() + PATIENCE);
        done.map_err(|broken| self.failed(&broken))
    }

    /// Whether the schema and its table of formats exist.
    fn existing(&mut self) -> Result<(bool, bool), JournalError> {
        let (schema, table) = (format!("\"{}\"", self.schema), format!("\"{}\".zv_journal", self.schema));
        let rows = self.ask(EXISTING, &[(&schema, Type::TEXT), (&table, Type::TEXT)])?;
        let has = |place: usize| rows.first().is_some_and(|row| row.try_get(place).unwrap_or(false));
        Ok((has(0), has(1)))
    }

    fn about(&mut self, text: &str) -> Result<Option<About>, JournalError> {
        let rows = self.ask(text, &[])?;
        let read = |row: &Row| {
            Ok::<_, tokio_postgres::Error>(About {
                format: row.try_get(0)?,
                id: row.try_get(1)?,
                place: row.try_get(2)?,
            })
        };
        rows.first().map(read).transpose().map_err(|_| self.strange("zv_journal"))
    }

    fn strange(&self, what: &str) -> JournalError {
        let message = format!("the table {what} of {} is not the journal's", self.words());
        JournalError::new(&codes::JOURNAL_PLACE, message)
    }

    /// Marks the source as moved, and ends the transaction. What is not known to be durable is no success: the next run
    /// sees what became of it.
    fn mark(&mut self, kept: &str) -> Result<(), JournalError> {
        let text = self.moving.seal.clone();
        if self.ask(&text, &[(&MOVED, Type::INT4), (&kept, Type::TEXT)])?.is_empty() {
            return Err(self.strange("zv_journal"));
        }
        self.ask(COMMIT, &[]).map(drop)
    }

    fn page(&mut self, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let (open_id, environment, biz_id) =
            after.map_or(("", "", ""), |key| (&key.open_id, &key.environment, key.biz_id.as_str()));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let text = self.moving.page.clone();
        let rows = self.ask(
            &text,
            &[
                (&open_id, Type::TEXT),
                (&environment, Type::TEXT),
                (&biz_id, Type::TEXT),
                (&limit, Type::INT8),
            ],
        )?;
        row::entries(&rows).map_err(failed_as)
    }
}

/// A database to which no node can write.
struct ClosedDatabase {
    place: Place,
    coming: Coming,
}

/// Closes the journal of that database to all nodes.
///
/// # Errors
/// If there is none, the database cannot be used as a node uses it, or a node lives.
pub fn leaving(settings: &Settings) -> Result<Leaving, JournalError> {
    let mut place = Place::open(settings)?;
    let words = place.words();
    let none = || JournalError::new(&codes::JOURNAL_PLACE, format!("there is no journal at {words}"));
    if !place.existing()?.1 {
        return Err(none());
    }
    place.batch(place.moving.begin)?;
    let text = place.moving.about.clone();
    let About { format, id, place: kept } = place.about(&text)?.ok_or_else(none)?;
    let (kept, coming) = (kept.unwrap_or_default(), Coming { id, from: words.clone(), only: None });
    match format {
        FORMAT => {}
        MOVED => {
            let seal = Seal::read(&kept).ok_or_else(|| moving::moved_away(&words, &kept))?;
            // An earlier run may have left the mark on one server only: writing it again waits for the replica.
            place.mark(&kept)?;
            let coming = Coming { only: Some(seal.to.clone()), ..coming };
            return Ok(Leaving::Moved { coming, seal });
        }
        UNFINISHED => return Err(moving::unfinished(&words, &kept)),
        newer_format => return Err(newer(newer_format, &place.schema, &place.server)),
    }
    // Before the locks, for which the calls of living nodes would wait, and behind them, when none can join.
    nobody_lives(&mut place)?;
    let text = place.moving.close.clone();
    place.batch(&text)?;
    nobody_lives(&mut place)?;
    Ok(Leaving::Closed(Box::new(ClosedDatabase { place, coming })))
}

fn nobody_lives(place: &mut Place) -> Result<(), JournalError> {
    let text = place.moving.alive.clone();
    let alive = place.ask(&text, &[])?;
    if alive.is_empty() {
        return Ok(());
    }
    let named = |row: &Row| {
        let text = |place| row.try_get::<_, String>(place).unwrap_or_default();
        format!("{} on {}", text(0), text(1))
    };
    let nodes: Vec<String> = alive.iter().map(named).collect();
    Err(JournalError::new(
        &codes::JOURNAL_LOCKED,
        format!(
            "{} is in use by the nodes {}; stop every node with zv_shutdown. A node that was killed is declared dead by \
             the others after lease_s: if there is none, start one for that time and stop it",
            place.words(),
            nodes.join(", ")
        ),
    ))
}

impl Source for ClosedDatabase {
    fn coming(&self) -> Coming {
        self.coming.clone()
    }

    fn page(&mut self, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.place.page(after, limit)
    }

    fn seal(mut self: Box<Self>, seal: &Seal) -> Result<(), JournalError> {
        let place = &mut self.place;
        let text = place.moving.rename.clone();
        place.batch(&text)?;
        place.mark(&seal.to_text())
    }
}

/// The target.
struct ArrivingDatabase {
    place: Place,
    id: String,
    from: String,
    works: bool,
}

/// Makes the target in that database, or opens the one that an earlier run has begun for the same journal.
///
/// # Errors
/// If something else is there, or the database cannot be used as a node uses it.
pub fn arriving(settings: &Settings, coming: &Coming) -> Result<Box<dyn Target>, JournalError> {
    let mut place = Place::open(settings)?;
    let (has_schema, has_table) = place.existing()?;
    let text = place.statements.about.clone();
    let mut about = if has_table { place.about(&text)? } else { None };
    coming.fits(&place.words(), about.is_some())?;
    if about.is_none() {
        // Where the schema exists, the user may lack the right to make one.
        let made = if has_schema { "" } else { &place.statements.schema };
        let tables = format!("{made}\n{}", place.statements.tables);
        place.batch(&tables)?;
        let found = place.moving.found.clone();
        place.ask(
            &found,
            &[(&UNFINISHED, Type::INT4), (&coming.id, Type::TEXT), (&coming.from, Type::TEXT)],
        )?;
        // A node that starts at the same moment may have been faster.
        about = place.about(&text)?;
    }
    let words = place.words();
    let About { format, id, place: kept } = about.ok_or_else(|| place.strange("zv_journal"))?;
    let taken = |what: &str| JournalError::new(&codes::JOURNAL_PLACE, format!("{words} {what}"));
    match format {
        UNFINISHED | FORMAT if id == coming.id => {
            let from = coming.from.clone();
            Ok(Box::new(ArrivingDatabase { place, id, from, works: format == FORMAT }))
        }
        UNFINISHED => Err(JournalError::new(
            &codes::JOURNAL_UNFINISHED,
            format!(
                "{words} is the unfinished target of another journal; drop the schema, or set journal_db.schema"
            ),
        )),
        FORMAT => Err(taken("is another journal; set journal_db.schema to one that does not exist")),
        MOVED => Err(moving::moved_away(&words, &kept.unwrap_or_default())),
        newer_format => Err(newer(newer_format, &place.schema, &place.server)),
    }
}

/// A list of values as one value of a statement.
type List<'l> = (Box<dyn ToSql + Sync + 'l>, Type);

impl Target for ArrivingDatabase {
    fn place(&self) -> String {
        self.place.words()
    }

    fn works(&self) -> bool {
        self.works
    }

    fn standing(&mut self, keys: &[Key]) -> Result<Vec<Entry>, JournalError> {
        let of = |part: fn(&Key) -> &str| keys.iter().map(part).collect::<Vec<_>>();
        let lists = [of(|key| &key.open_id), of(|key| &key.environment), of(|key| key.biz_id.as_str())];
        let [open_ids, environments, biz_ids] = &lists;
        let text = self.place.statements.standing.clone();
        let rows = self.place.ask(
            &text,
            &[(open_ids, Type::TEXT_ARRAY), (environments, Type::TEXT_ARRAY), (biz_ids, Type::TEXT_ARRAY)],
        )?;
        row::entries(&rows).map_err(failed_as)
    }

    fn put(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        let token = || {
            getrandom::u64().map_err(|error| {
                let message = format!("the system gives no random numbers: {error}");
                JournalError::new(&codes::JOURNAL, message)
            })
        };
        let columns = entries.iter().map(|entry| Columns::of(entry, token()?).map_err(failed_as));
        let columns: Vec<Columns<'_>> = columns.collect::<Result<_, _>>()?;
        let mut lists: Vec<List<'_>> = row::lists(&columns);
        lists.extend(coupons_of(entries));
        lists.extend(days_of(entries));
        lists.push((Box::new(UNFINISHED), Type::INT4));
        lists.push((Box::new(self.id.as_str()), Type::TEXT));
        let parameters: Vec<Parameter<'_>> =
            lists.iter().map(|(list, kind)| (&**list, kind.clone())).collect();
        let text = self.place.moving.put.clone();
        let rows = self.place.ask(&text, &parameters)?;
        let written = rows.first().and_then(|row| row.try_get::<_, i64>(0).ok());
        if written.and_then(|written| usize::try_from(written).ok()) == Some(entries.len()) {
            return Ok(());
        }
        let words = self.place.words();
        let message = if rows.first().is_some_and(|row| row.try_get(1).unwrap_or(false)) {
            format!(
                "{words} holds later records than {}: that was set back, or another run of this move goes on; run one \
                 alone, or remove the target",
                self.from
            )
        } else {
            format!("{words} is no longer the target of this move")
        };
        Err(JournalError::new(&codes::JOURNAL_PLACE, message))
    }

    fn page(&mut self, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.place.page(after, limit)
    }

    fn finish(mut self: Box<Self>) -> Result<(), JournalError> {
        let place = &mut self.place;
        let text = place.moving.analyze.clone();
        place.batch(&text)?;
        let text = place.moving.finish.clone();
        let parameters: [Parameter<'_>; 3] =
            [(&FORMAT, Type::INT4), (&UNFINISHED, Type::INT4), (&self.id, Type::TEXT)];
        if place.ask(&text, &parameters)?.is_empty() {
            let message = format!("{} is no longer the target of this move", place.words());
            return Err(JournalError::new(&codes::JOURNAL_PLACE, message));
        }
        Ok(())
    }
}

/// The coupons of entries as every request names them, each with the key of its entry.
fn coupons_of(entries: &[Entry]) -> [List<'_>; 4] {
    let of = |entry| Entry::identity(entry).trimmed_coupons().map(move |coupon| (entry.key(), coupon));
    let (keys, coupons): (Vec<&Key>, Vec<&str>) = entries.iter().flat_map(of).unzip();
    keyed(&keys, (Box::new(coupons), Type::TEXT_ARRAY))
}

/// The days under which entries are filed far from their intents', each with the key of its entry.
fn days_of(entries: &[Entry]) -> [List<'_>; 4] {
    let of = |entry| filed::far_days(entry).map(move |day| (entry.key(), day));
    let (keys, days): (Vec<&Key>, Vec<i64>) = entries.iter().flat_map(of).unzip();
    keyed(&keys, (Box::new(days), Type::INT8_ARRAY))
}

fn keyed<'l>(keys: &[&'l Key], values: List<'l>) -> [List<'l>; 4] {
    let of = |part: fn(&'l Key) -> &'l str| -> List<'l> {
        (Box::new(keys.iter().map(|key| part(key)).collect::<Vec<_>>()), Type::TEXT_ARRAY)
    };
    [of(|key| &key.open_id), of(|key| &key.environment), of(|key| key.biz_id.as_str()), values]
}
