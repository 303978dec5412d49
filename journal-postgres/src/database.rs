//! The questions and writes of the journal over a pool of connections.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use zvpos_core::gateway::Identity;
use zvpos_core::journal::nodes::{
    Database, Failure, List, Membership, Node, NodeLocks, Role, Standing, Token, Write,
};
use zvpos_core::journal::{Guard, Page, filed};
use zvpos_core::payment::{Entry, Key, Owner};

use crate::asking::Asking;
use crate::connection::Parameter;
use crate::pool::Pool;
use crate::row::{self, Columns, counted, stored, strange};
use crate::settings::Settings;
use crate::statements::Statements;
use crate::values::{KeyOf, keys, names};

/// A journal's database. A copy is the same one.
#[derive(Clone)]
pub struct Postgres(Arc<Inner>);

struct Inner {
    asking: Asking,
    statements: Statements,
    id: String,
    place: String,
    host: String,
    version: String,
    locks: Option<NodeLocks>,
}

/// A journal's place as it stands in messages.
pub(crate) fn place_of(server: &str, schema: &str) -> String {
    format!("{server} (schema {schema})")
}

impl Postgres {
    /// The database of an open journal with that identity.
    pub(crate) fn over(
        pool: Pool,
        statements: Statements,
        settings: &Settings,
        locks: Option<NodeLocks>,
        id: String,
    ) -> Postgres {
        let place = place_of(&pool.target().words(), &settings.schema);
        Postgres(Arc::new(Inner {
            asking: Asking { pool, patience: settings.statement_patience },
            statements,
            id,
            place,
            host: settings.host.clone(),
            version: settings.version.clone(),
            locks,
        }))
    }

    fn read(&self, text: &str, parameters: &[Parameter<'_>], until: Instant) -> Result<Vec<Row>, Failure> {
        self.0.asking.read(text, parameters, until)
    }

    fn change(&self, text: &str, parameters: &[Parameter<'_>], until: Instant) -> Result<Vec<Row>, Failure> {
        self.0.asking.change(text, parameters, until)
    }

    fn statements(&self) -> &Statements {
        &self.0.statements
    }
}

/// By what other entries are found that keep a record out: its member and its coupons.
fn guarded<'w>(write: &Write<'w>) -> (Option<&'w str>, Vec<&'w str>) {
    let identity = write.entry.identity();
    match write.guard {
        Guard::Off => (None, Vec::new()),
        Guard::Coupon => (None, identity.trimmed_coupons().collect()),
        Guard::Member => (identity.member(), identity.trimmed_coupons().collect()),
    }
}

fn value<'r, T: FromSql<'r>>(row: &'r Row, place: usize, what: &'static str) -> Result<T, Failure> {
    row.try_get(place).map_err(|_| strange(what))
}

fn count_of(row: &Row, place: usize, what: &'static str) -> Result<u64, Failure> {
    u64::try_from(value::<i64>(row, place, what)?).map_err(|_| strange(what))
}

fn node_of(row: &Row) -> Result<Node, Failure> {
    Ok(Node {
        owner: Owner(value(row, 0, "owner")?),
        beat: count_of(row, 1, "beat")?,
        dead: value(row, 2, "dead")?,
    })
}

impl Database for Postgres {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn uptime(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }

    fn token(&self) -> Token {
        // Where the system gives none, the standard library still has a seed of its own.
        getrandom::u64().unwrap_or_else(|_| RandomState::new().hash_one(Instant::now()))
    }

    fn id(&self) -> String {
        self.0.id.clone()
    }

    fn place(&self) -> String {
        self.0.place.clone()
    }

    fn write(&self, write: &Write<'_>, until: Instant) -> Result<bool, Failure> {
        let stored = write.entry.as_stored();
        let columns = Columns::of(&stored, write.token)?;
        let checksum = columns.checksum();
        let checksum: &[u8] = &checksum;
        let coupons: Vec<&str> = write.entry.identity().trimmed_coupons().collect();
        let days: Vec<i64> = filed::far_days(write.entry).collect();
        let by = write.by.map(|owner| owner.0.as_str());
        let (member, guarded_coupons) = guarded(write);
        let mut parameters = columns.parameters(&checksum);
        let others: [Parameter<'_>; 5] = [
            (&coupons, Type::TEXT_ARRAY),
            (&days, Type::INT8_ARRAY),
            (&by, Type::TEXT),
            (&member, Type::TEXT),
            (&guarded_coupons, Type::TEXT_ARRAY),
        ];
        parameters.extend(others);
        let statements = self.statements();
        let text = if write.entry.revision() == 1 { &statements.write_first } else { &statements.write_next };
        Ok(!self.change(text, &parameters, until)?.is_empty())
    }

    fn confirm(&self, standing: &Standing, until: Instant) -> Result<bool, Failure> {
        let key = KeyOf::of(standing.entry.key());
        let (revision, token) = (counted(standing.entry.revision()), stored(standing.token));
        let [open_id, environment, biz_id] = key.parameters();
        let parameters = [open_id, environment, biz_id, (&revision, Type::INT8), (&token, Type::INT8)];
        Ok(!self.change(&self.statements().confirm, &parameters, until)?.is_empty())
    }

    fn acknowledge(&self, records: &[(Entry, Token)], until: Instant) -> Result<(), Failure> {
        let mut records: Vec<(Entry, Token)> =
            records.iter().map(|(entry, token)| (entry.as_stored(), *token)).collect();
        // In the order of their keys, so that two nodes seldom wait for each other.
        records.sort_by(|(one, _), (other, _)| one.key().biz_id.as_str().cmp(other.key().biz_id.as_str()));
        let columns = records.iter().map(|(entry, token)| Columns::of(entry, *token));
        let columns: Vec<Columns<'_>> = columns.collect::<Result<_, _>>()?;
        let [open_ids, environments, biz_ids] = keys(records.iter().map(|(entry, _)| entry.key()));
        let revisions: Vec<i64> = records.iter().map(|(entry, _)| counted(entry.revision())).collect();
        let tokens: Vec<i64> = records.iter().map(|(_, token)| stored(*token)).collect();
        let details: Vec<&str> = columns.iter().map(Columns::detail).collect();
        let unfinished: Vec<bool> = records.iter().map(|(entry, _)| entry.is_unfinished()).collect();
        let checksums: Vec<[u8; 16]> = columns.iter().map(Columns::checksum).collect();
        let checksums: Vec<&[u8]> = checksums.iter().map(<[u8; 16]>::as_slice).collect();
        let parameters: [Parameter<'_>; 8] = [
            (&open_ids, Type::TEXT_ARRAY),
            (&environments, Type::TEXT_ARRAY),
            (&biz_ids, Type::TEXT_ARRAY),
            (&revisions, Type::INT8_ARRAY),
            (&tokens, Type::INT8_ARRAY),
            (&details, Type::TEXT_ARRAY),
            (&unfinished, Type::BOOL_ARRAY),
            (&checksums, Type::BYTEA_ARRAY),
        ];
        self.change(&self.statements().acknowledge, &parameters, until).map(drop)
    }

    fn standing(&self, asked: &[Key], until: Instant) -> Result<Vec<Standing>, Failure> {
        let [open_ids, environments, biz_ids] = keys(asked.iter());
        let parameters: [Parameter<'_>; 3] =
            [(&open_ids, Type::TEXT_ARRAY), (&environments, Type::TEXT_ARRAY), (&biz_ids, Type::TEXT_ARRAY)];
        let rows = self.read(&self.statements().standing, &parameters, until)?;
        rows.iter().map(row::standing).collect()
    }

    fn keeping_out(&self, write: &Write<'_>, until: Instant) -> Result<Option<Entry>, Failure> {
        let key = KeyOf::of(write.entry.key());
        let (member, coupons) = guarded(write);
        let [open_id, environment, biz_id] = key.parameters();
        let parameters = [open_id, environment, biz_id, (&member, Type::TEXT), (&coupons, Type::TEXT_ARRAY)];
        let rows = self.read(&self.statements().keeping_out, &parameters, until)?;
        rows.first().map(row::entry).transpose()
    }

    fn list(&self, list: List, page: Page<'_>, until: Instant) -> Result<Vec<Entry>, Failure> {
        let statements = self.statements();
        let text = match list {
            List::Due => &statements.due,
            List::Unsettled => &statements.unsettled,
            List::RefusedRefunds => &statements.refused_refunds,
            List::Unfinished => &statements.unfinished,
        };
        let after = page.after.map_or(i64::MIN, Entry::created_unix_ms);
        let key = page.after.map_or(KeyOf("", "", ""), |entry| KeyOf::of(entry.key()));
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
        let [open_id, environment, biz_id] = key.parameters();
        let parameters = [(&after as _, Type::INT8), open_id, environment, biz_id, (&limit, Type::INT8)];
        row::entries(&self.read(text, &parameters, until)?)
    }

    fn sending_of(&self, owners: &[Owner], until: Instant) -> Result<Vec<Entry>, Failure> {
        let parameters: [Parameter<'_>; 1] = [(&names(owners), Type::TEXT_ARRAY)];
        row::entries(&self.read(&self.statements().sending_of, &parameters, until)?)
    }

    fn near_day(&self, day: i64, until: Instant) -> Result<Vec<Entry>, Failure> {
        let (from, to) = filed::span(day);
        let parameters: [Parameter<'_>; 3] = [(&day, Type::INT8), (&from, Type::INT8), (&to, Type::INT8)];
        let mut entries = row::entries(&self.read(&self.statements().near_day, &parameters, until)?)?;
        let mut known = HashSet::new();
        entries.retain(|entry| known.insert(entry.key().clone()));
        filed::sort(&mut entries);
        Ok(entries)
    }

    fn settled_before(
        &self,
        unix_ms: i64,
        days: i64,
        limit: usize,
        until: Instant,
    ) -> Result<Vec<Entry>, Failure> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 3] =
            [(&unix_ms, Type::INT8), (&days, Type::INT8), (&limit, Type::INT8)];
        row::entries(&self.read(&self.statements().settled_before, &parameters, until)?)
    }

    fn newest_unix_ms(&self, until: Instant) -> Result<Option<i64>, Failure> {
        let rows = self.read(&self.statements().newest, &[], until)?;
        rows.first().map_or(Ok(None), |row| value(row, 0, "created_unix_ms"))
    }

    fn has_other_biz_ids(&self, key: &Key, until: Instant) -> Result<bool, Failure> {
        let KeyOf(open_id, environment, _) = KeyOf::of(key);
        let parameters: [Parameter<'_>; 2] = [(&open_id, Type::TEXT), (&environment, Type::TEXT)];
        Ok(!self.read(&self.statements().has_other_biz_ids, &parameters, until)?.is_empty())
    }

    fn stands_elsewhere(&self, key: &Key, until: Instant) -> Result<bool, Failure> {
        let key = KeyOf::of(key);
        Ok(!self.read(&self.statements().stands_elsewhere, &key.parameters(), until)?.is_empty())
    }

    fn other_sale_of(&self, key: &Key, returned: &str, until: Instant) -> Result<Option<Entry>, Failure> {
        let key = KeyOf::of(key);
        let [open_id, environment, biz_id] = key.parameters();
        let parameters = [open_id, environment, biz_id, (&returned, Type::TEXT)];
        let rows = self.read(&self.statements().other_sale_of, &parameters, until)?;
        rows.first().map(row::entry).transpose()
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str, until: Instant) -> Result<bool, Failure> {
        let key = KeyOf::of(key);
        let asked = Identity { coupons: vec![coupon.to_owned()], ..Identity::default() };
        let trimmed = asked.trimmed_coupons().next().unwrap_or_default();
        let [open_id, environment, biz_id] = key.parameters();
        let parameters = [open_id, environment, biz_id, (&trimmed, Type::TEXT)];
        let named = row::entries(&self.read(&self.statements().naming_coupon, &parameters, until)?)?;
        // Details that were dropped name none any more.
        Ok(named.iter().any(|entry| entry.identity().coupons.iter().any(|named| named == coupon)))
    }

    fn hold(&self, owner: &Owner) {
        if let Some(locks) = &self.0.locks {
            // Without its lock the others wait for the lease.
            let _ = locks.hold(owner);
        }
    }

    fn has_ended(&self, owner: &Owner) -> bool {
        self.0.locks.as_ref().is_some_and(|locks| locks.has_ended(owner))
    }

    fn join(&self, owner: &Owner, until: Instant) -> Result<(), Failure> {
        let parameters: [Parameter<'_>; 3] =
            [(&owner.0, Type::TEXT), (&self.0.host, Type::TEXT), (&self.0.version, Type::TEXT)];
        self.change(&self.statements().join, &parameters, until).map(drop)
    }

    fn beat(&self, owner: &Owner, number: u64, until: Instant) -> Result<Option<u64>, Failure> {
        let number = counted(number);
        let parameters: [Parameter<'_>; 2] = [(&owner.0, Type::TEXT), (&number, Type::INT8)];
        let rows = self.change(&self.statements().beat, &parameters, until)?;
        rows.first().map(|row| count_of(row, 0, "beat")).transpose()
    }

    fn nodes(&self, until: Instant) -> Result<Membership, Failure> {
        let mut nodes = Membership::default();
        for row in &self.read(&self.statements().nodes, &[], until)? {
            if value::<Option<i64>>(row, 3, "term")?.is_some() {
                let owner = Owner(value(row, 0, "owner")?);
                nodes.role = Some(Role { owner, term: count_of(row, 3, "term")? });
            } else {
                nodes.nodes.push(node_of(row)?);
            }
        }
        Ok(nodes)
    }

    fn node(&self, owner: &Owner, until: Instant) -> Result<Option<Node>, Failure> {
        let rows = self.read(&self.statements().node, &[(&owner.0, Type::TEXT)], until)?;
        rows.first().map(node_of).transpose()
    }

    fn bury(&self, owner: &Owner, beat: Option<u64>, until: Instant) -> Result<(), Failure> {
        let counted = beat.map(counted);
        let parameters: [Parameter<'_>; 2] = [(&owner.0, Type::TEXT), (&counted, Type::INT8)];
        self.change(&self.statements().bury, &parameters, until)?;
        if let Some(locks) = &self.0.locks {
            if beat.is_none() { locks.leave(owner) } else { locks.remove(owner) }
        }
        Ok(())
    }

    fn claim(&self, owner: &Owner, seen: Option<&Role>, until: Instant) -> Result<bool, Failure> {
        let statements = self.statements();
        let claimed = match seen {
            None => self.change(&statements.claim_first, &[(&owner.0, Type::TEXT)], until)?,
            Some(role) => {
                let term = counted(role.term);
                let parameters: [Parameter<'_>; 3] =
                    [(&owner.0, Type::TEXT), (&role.owner.0, Type::TEXT), (&term, Type::INT8)];
                self.change(&statements.claim_next, &parameters, until)?
            }
        };
        Ok(!claimed.is_empty())
    }

    fn forget(&self, until: Instant) -> Result<(), Failure> {
        self.change(&self.statements().forget, &[], until).map(drop)
    }
}
