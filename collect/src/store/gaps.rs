//! What the copy lacks or cannot explain, until it was filled or a person has looked at it.

use super::{Columns, Store, StoreError};

/// The kinds of gaps, by their words in the store.
pub mod gap_kinds {
    /// The till has another journal than before.
    pub const NEW_JOURNAL: &str = "new_journal";
    /// The till's journal is an older copy.
    pub const RESTORED: &str = "restored";
    /// The collector lacks events that the till has shipped.
    pub const MISSING: &str = "missing";
    /// Details were dropped before they were shipped.
    pub const RETENTION: &str = "retention";
}

/// Something that the copy lacks or cannot explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its number in the store.
    pub gap: i64,
    /// The till.
    pub till: String,
    /// Its shop.
    pub shop: String,
    /// The identity of the journal.
    pub journal: String,
    /// One of [`gap_kinds`].
    pub kind: String,
    /// The first event that it is about.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// How many entries it is about, as far as that is known.
    pub entries: i64,
    /// When it was noticed.
    pub noticed_ms: i64,
    /// A person has looked at it.
    pub accepted: Option<Accepted>,
}

/// Who has looked at a gap, when, and what they have found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Who.
    pub by: String,
    /// When.
    pub ms: i64,
    /// What the person says about it.
    pub reason: String,
}

/// The most accepted gaps that are listed, newest first.
const ACCEPTED_MAX: i64 = 100;

const COLUMNS: &str = "SELECT g.gap, t.name, t.shop, j.id, g.kind, g.first, g.last, g.entries, g.noticed_ms, g.accepted_ms, \
     g.accepted_by, g.accepted_why FROM gap AS g JOIN till AS t ON t.till = g.till \
     JOIN journal AS j ON j.journal = g.journal WHERE t.chain = $1 AND g.filled_ms IS NULL";

fn gap(row: &mut Columns) -> Result<Gap, StoreError> {
    Ok(Gap {
        gap: row.number()?,
        till: row.text()?,
        shop: row.text()?,
        journal: row.text()?,
        kind: row.text()?,
        first: row.number()?,
        last: row.number()?,
        entries: row.number()?,
        noticed_ms: row.number()?,
        accepted: match (row.may_be_number()?, row.may_be_text()?, row.may_be_text()?) {
            (Some(ms), Some(by), Some(reason)) => Some(Accepted { by, ms, reason }),
            _ => None,
        },
    })
}

impl Store {
    /// The gaps of a chain that were neither filled nor accepted, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn gaps(&mut self, chain: &str) -> Result<Vec<Gap>, StoreError> {
        let statement = format!("{COLUMNS} AND g.accepted_ms IS NULL ORDER BY g.gap");
        self.rows(&statement, &[chain.into()], gap)
    }

    /// The gaps of a chain that a person has accepted last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn accepted_gaps(&mut self, chain: &str) -> Result<Vec<Gap>, StoreError> {
        let statement = format!(
            "{COLUMNS} AND g.accepted_ms IS NOT NULL ORDER BY g.accepted_ms DESC, g.gap DESC LIMIT $2"
        );
        self.rows(&statement, &[chain.into(), ACCEPTED_MAX.into()], gap)
    }

    /// Notes that a person has looked at an open gap of the chain: nothing more is awaited of what it says is lost. Whether
    /// there is such a gap.
    ///
    /// # Errors
    /// It is not stored.
    pub fn accept_gap(&mut self, chain: &str, gap: i64, accepted: &Accepted) -> Result<bool, StoreError> {
        const ACCEPT: &str = "UPDATE gap SET accepted_ms = $3, accepted_by = $4, accepted_why = $5 WHERE gap = $1 \
             AND accepted_ms IS NULL AND filled_ms IS NULL AND till IN (SELECT till FROM till WHERE chain = $2)";
        const LOST: &str = "UPDATE entry SET excused = 1 WHERE lost = 1 AND journal = \
             (SELECT journal FROM gap WHERE gap = $1 AND kind = $2)";
        const EARLIER: &str = "UPDATE entry SET excused = 1 WHERE unsettled = 1 AND journal IN \
             (SELECT o.journal FROM gap AS g JOIN journal AS o ON o.till = g.till AND o.journal <> g.journal \
             AND o.first_ms <= g.noticed_ms WHERE g.gap = $1 AND g.kind = $2)";
        self.writing(|store| {
            let parameters = vec![
                gap.into(),
                chain.into(),
                accepted.ms.into(),
                accepted.by.as_str().into(),
                accepted.reason.as_str().into(),
            ];
            let is_one = store.execute(ACCEPT, parameters)? > 0;
            if is_one {
                store.execute(LOST, vec![gap.into(), gap_kinds::RESTORED.into()])?;
                store.execute(EARLIER, vec![gap.into(), gap_kinds::NEW_JOURNAL.into()])?;
            }
            Ok(is_one)
        })
    }

    pub(super) fn note_gap(
        &mut self,
        (till, journal): (i64, i64),
        kind: &str,
        (first, last): (u64, u64),
        entries: u64,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const NOTE: &str = "INSERT INTO gap (till, journal, kind, first, last, entries, noticed_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (till, journal, kind, first, last) \
             WHERE accepted_ms IS NULL DO UPDATE SET entries = gap.entries + $8, filled_ms = NULL";
        // What is counted comes in several batches; what is one event is noted once.
        let more = if kind == gap_kinds::RETENTION { entries } else { 0 };
        let parameters = vec![
            till.into(),
            journal.into(),
            kind.into(),
            first.into(),
            last.into(),
            entries.into(),
            now_ms.into(),
            more.into(),
        ];
        self.execute(NOTE, parameters).map(drop)
    }
}
