//! What the table of states holds, in a few numbers that change with it, and the bizIds in it as hashes. A row that is
//! found proves itself by its checksum; these prove what is not found, before every page has been read: a start compares
//! the lists that it reads with the summary, and a bizId whose hash is not there has no state.
//!
//! A sum over hashes does not depend on the order, and changes with every row that is missing, older than the last change
//! or there twice.

use rusqlite::{Connection, params};
use twox_hash::XxHash3_128;

use super::damage::broken;
use crate::payment::{Entry, Stage};

/// How many hashes a row of the table `used` holds: so many that it fills a page.
const HASHES_A_ROW: u64 = 500;

/// The length of a summary: the number of the last fed event, six tallies, and the checksum.
const LENGTH: usize = 8 + 6 * 16 + 16;

/// The lists that a start reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    /// What is not settled.
    Unsettled,
    /// What succeeded and was not read, or not confirmed.
    Unfinished,
    /// Sales that a person, or a refused refund, has kept.
    Kept,
}

/// What the summary takes of a state.
pub(super) struct Summarised<'s> {
    pub(super) open_id: &'s str,
    pub(super) environment: &'s str,
    pub(super) biz_id: &'s str,
    pub(super) revision: u64,
    /// Which of the lists hold it, in the order of [`List`].
    pub(super) lists: [bool; 3],
}

impl<'s> Summarised<'s> {
    fn of(entry: &'s Entry) -> Summarised<'s> {
        let key = entry.key();
        let is_kept = entry.stage() == Stage::Kept && !entry.detail().retired;
        Summarised {
            open_id: &key.open_id,
            environment: &key.environment,
            biz_id: key.biz_id.as_str(),
            revision: entry.revision(),
            lists: [entry.stage().is_unsettled(), entry.is_unfinished(), is_kept],
        }
    }

    /// The hash of its key and revision.
    fn hash(&self) -> u64 {
        hash_under([self.open_id, self.environment, self.biz_id], self.revision.to_le_bytes())
    }
}

/// How many there are, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, hash: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(hash);
    }

    /// What was never added makes it wrong for ever, so that the next comparison finds it.
    fn remove(&mut self, hash: u64) {
        self.count = self.count.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash);
    }
}

/// What the table of states holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// The bizIds.
    used: Tally,
    /// Every state with its revision: a row from an earlier time is not what was written last.
    rows: Tally,
    /// The days of the table `filed`.
    filed: Tally,
    lists: [Tally; 3],
}

/// A summary with what is not yet written of it.
pub(super) struct Changed {
    summary: Summary,
    /// The hashes of the bizIds that are new, for the table `used`.
    new: Vec<u64>,
}

impl Summary {
    /// Adds a state of the table.
    pub(super) fn add(&mut self, state: &Summarised<'_>) {
        self.used.add(hash_of(state.biz_id));
        self.rows.add(state.hash());
        self.list(state, Tally::add);
    }

    /// Adds a row of the table `filed`.
    pub(super) fn add_filed(&mut self, day: i64, key: [&str; 3]) {
        self.filed.add(hash_under(key, day.to_le_bytes()));
    }

    fn list(&mut self, state: &Summarised<'_>, change: fn(&mut Tally, u64)) {
        for (_, tally) in state.lists.into_iter().zip(&mut self.lists).filter(|(is_held, _)| *is_held) {
            change(tally, state.hash());
        }
    }
}

impl Changed {
    /// The summary of the states in this transaction, to be changed with them.
    pub(super) fn from(connection: &Connection) -> rusqlite::Result<Changed> {
        Ok(Changed { summary: read(connection)?, new: Vec::new() })
    }

    /// A state was written in the place of the one before it.
    pub(super) fn put(&mut self, before: Option<&Entry>, entry: &Entry) {
        let state = Summarised::of(entry);
        if let Some(before) = before.map(Summarised::of) {
            self.summary.rows.remove(before.hash());
            self.summary.rows.add(state.hash());
            self.summary.list(&before, Tally::remove);
            self.summary.list(&state, Tally::add);
        } else {
            self.summary.add(&state);
            self.new.push(hash_of(state.biz_id));
        }
    }

    /// An entry was filed under that day.
    pub(super) fn file(&mut self, day: i64, key: [&str; 3]) {
        self.summary.add_filed(day, key);
    }

    /// Writes it, as that of the states after the last fed event.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut new = self.new.as_slice();
        let mut count = self.summary.used.count - new.len() as u64;
        let mut put = connection.prepare_cached("INSERT OR REPLACE INTO used VALUES (?1, ?2)")?;
        while !new.is_empty() {
            let part = count / HASHES_A_ROW;
            let (mut hashes, room) = match count % HASHES_A_ROW {
                0 => (Vec::new(), HASHES_A_ROW),
                taken => (part_of(connection, part)?, HASHES_A_ROW - taken),
            };
            let (now, later) = new.split_at(new.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            hashes.extend(now.iter().flat_map(|hash| hash.to_le_bytes()));
            put.execute(params![value(part), hashes])?;
            (new, count) = (later, count + now.len() as u64);
        }
        write(connection, &self.summary)
    }
}

/// The hashes in one row.
fn part_of(connection: &Connection, part: u64) -> rusqlite::Result<Vec<u8>> {
    connection
        .prepare_cached("SELECT hashes FROM used WHERE part = ?1")?
        .query_row([value(part)], |row| row.get(0))
}

fn hash(bytes: &[u8]) -> u64 {
    let wide = XxHash3_128::oneshot(bytes);
    u64::from_le_bytes(wide.to_le_bytes().first_chunk().copied().unwrap_or_default())
}

/// The hash of a key with a number.
fn hash_under(key: [&str; 3], number: [u8; 8]) -> u64 {
    let mut all = Vec::with_capacity(128);
    for text in key {
        all.extend(text.as_bytes());
        all.push(0);
    }
    all.extend(number);
    hash(&all)
}

/// The hash of a bizId, of whichever account.
pub(super) fn hash_of(biz_id: &str) -> u64 {
    hash(biz_id.as_bytes())
}

fn value(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The hashes of all bizIds with a state, in no order.
pub(super) fn used(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let summary = read(connection)?;
    let mut found = Vec::with_capacity(usize::try_from(summary.used.count).unwrap_or_default().min(1 << 24));
    let mut tally = Tally::default();
    let mut statement = connection.prepare("SELECT hashes FROM used ORDER BY part")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for hash in row.get_ref(0)?.as_blob()?.chunks_exact(8).filter_map(|hash| hash.first_chunk()) {
            let hash = u64::from_le_bytes(*hash);
            tally.add(hash);
            found.push(hash);
        }
    }
    if tally == summary.used { Ok(found) } else { Err(broken("the list of bizIds is not what was written")) }
}

/// A list as it was read in this transaction, if it is the whole list.
pub(super) fn whole(
    connection: &Connection,
    list: List,
    entries: Vec<Entry>,
) -> rusqlite::Result<Vec<Entry>> {
    let mut found = Summary::default();
    for entry in &entries {
        found.add(&Summarised::of(entry));
    }
    let of_list = |summary: &Summary| summary.lists.get(list as usize).copied();
    if of_list(&found) == of_list(&read(connection)?) {
        return Ok(entries);
    }
    Err(broken(match list {
        List::Unsettled => "the list of unsettled sales is not what was written",
        List::Unfinished => "the list of unfinished sales is not what was written",
        List::Kept => "the list of kept sales is not what was written",
    }))
}

/// How many states there are, without reading them.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(read(connection)?.used.count)
}

/// The summary of the states in this transaction.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Summary> {
    let content = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (fed, content): (i64, Vec<u8>) = connection
        .prepare_cached(
            "SELECT fed.number, summary.content FROM fed, summary WHERE fed.one = 1 AND summary.one = 1",
        )?
        .query_row([], content)?;
    parse(&content)
        .filter(|(number, _)| value(*number) == fed)
        .map(|(_, summary)| summary)
        .ok_or_else(|| broken("the summary of the states is not what was written"))
}

fn parse(content: &[u8]) -> Option<(u64, Summary)> {
    let (numbers, checksum) = content.split_at_checked(LENGTH - 16)?;
    if checksum != XxHash3_128::oneshot(numbers).to_le_bytes() {
        return None;
    }
    let mut numbers =
        numbers.chunks_exact(8).filter_map(|number| number.first_chunk()).copied().map(u64::from_le_bytes);
    let fed = numbers.next()?;
    let mut tally = || Some(Tally { count: numbers.next()?, sum: numbers.next()? });
    Some((
        fed,
        Summary { used: tally()?, rows: tally()?, filed: tally()?, lists: [tally()?, tally()?, tally()?] },
    ))
}

/// Writes the summary of the states after the last fed event.
pub(super) fn write(connection: &Connection, summary: &Summary) -> rusqlite::Result<()> {
    let fed: i64 =
        connection.prepare_cached("SELECT number FROM fed WHERE one = 1")?.query_row([], |row| row.get(0))?;
    let mut content = Vec::with_capacity(LENGTH);
    content.extend(fed.to_le_bytes());
    for tally in [&summary.used, &summary.rows, &summary.filed].into_iter().chain(&summary.lists) {
        content.extend(tally.count.to_le_bytes());
        content.extend(tally.sum.to_le_bytes());
    }
    let checksum = XxHash3_128::oneshot(&content);
    content.extend(checksum.to_le_bytes());
    connection.prepare_cached("INSERT OR REPLACE INTO summary VALUES (1, ?1)")?.execute([content]).map(drop)
}
