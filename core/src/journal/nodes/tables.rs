//! What a database holds and what each statement does with it, in memory: the model that the tests and the simulation run
//! the nodes over. Time, failures and connections are around it.

use std::collections::{BTreeMap, BTreeSet};

use super::database::{EARLIER_KEPT, List, Membership, Node, Role, Standing, Token, Write};
use crate::calendar::DAY_MS;
use crate::journal::Page;
use crate::journal::events::is_due;
use crate::journal::filed::is_near;
use crate::payment::{Entry, Key, Owner, Stage};

/// The tables of a journal.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    entries: BTreeMap<(String, String, String), Standing>,
    nodes: BTreeMap<String, Node>,
    role: Option<Role>,
}

fn place(key: &Key) -> (String, String, String) {
    (key.open_id.clone(), key.environment.clone(), key.biz_id.to_string())
}

impl Tables {
    /// Every record.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().map(|standing| &standing.entry)
    }

    /// One record with its numbers.
    pub fn standing(&self, key: &Key) -> Option<&Standing> {
        self.entries.get(&place(key))
    }

    /// See [`Database::write`](super::Database::write).
    pub fn write(&mut self, write: &Write<'_>) -> bool {
        let found = self.standing(write.entry.key());
        let revision = found.map_or(0, |standing| standing.entry.revision());
        let may_write = write.by.is_none_or(|by| self.lives(by));
        if revision + 1 != write.entry.revision() || !may_write || self.keeping_out(write).is_some() {
            return false;
        }
        let earlier = found.map_or_else(Vec::new, |standing| {
            let newest = std::iter::once(standing.token);
            newest.chain(standing.earlier.iter().copied()).take(EARLIER_KEPT).collect()
        });
        let standing = Standing { entry: write.entry.as_stored(), token: write.token, earlier };
        self.entries.insert(place(write.entry.key()), standing);
        true
    }

    /// See [`Database::confirm`](super::Database::confirm).
    pub fn confirm(&self, standing: &Standing) -> bool {
        let found = self.standing(standing.entry.key());
        found.is_some_and(|found| {
            found.token == standing.token && found.entry.revision() == standing.entry.revision()
        })
    }

    /// See [`Database::acknowledge`](super::Database::acknowledge).
    pub fn acknowledge(&mut self, records: &[(Entry, Token)]) {
        for (entry, token) in records {
            self.write(&Write { entry, token: *token, guard: crate::journal::Guard::Off, by: None });
        }
    }

    /// See [`Database::keeping_out`](super::Database::keeping_out).
    pub fn keeping_out(&self, write: &Write<'_>) -> Option<&Entry> {
        let lives = |other: &Entry| self.lives(other.owner());
        self.all().find(|other| write.guard.keeps_out(write.entry, other, lives))
    }

    /// See [`Database::list`](super::Database::list).
    pub fn list(&self, list: List, page: Page<'_>) -> Vec<Entry> {
        page.of(self.all().filter(|entry| match list {
            List::Due => is_due(entry),
            List::Unsettled => entry.stage().is_unsettled(),
            List::RefusedRefunds => entry.is_refused_refund() && !entry.detail().retired,
            List::Unfinished => entry.is_unfinished(),
        }))
    }

    /// See [`Database::sending_of`](super::Database::sending_of).
    pub fn sending_of(&self, owners: &[Owner]) -> Vec<Entry> {
        let is_one = |entry: &&Entry| entry.stage() == Stage::Sending && owners.contains(entry.owner());
        self.all().filter(is_one).cloned().collect()
    }

    /// See [`Database::near_day`](super::Database::near_day).
    pub fn near_day(&self, day: i64) -> Vec<Entry> {
        self.all().filter(|entry| is_near(entry, day)).cloned().collect()
    }

    /// See [`Database::settled_before`](super::Database::settled_before).
    pub fn settled_before(&self, unix_ms: i64, days: i64, limit: usize) -> Vec<Entry> {
        let kept = || self.all().filter(|entry| !entry.detail().retired);
        let later = kept().map(Entry::created_unix_ms).filter(|created| *created >= unix_ms);
        let days_since: BTreeSet<i64> = later.map(|created| created.div_euclid(DAY_MS)).collect();
        if i64::try_from(days_since.len()).is_ok_and(|since| since < days) {
            return Vec::new();
        }
        let is_old = |entry: &&Entry| {
            entry.created_unix_ms() < unix_ms && !entry.stage().is_unsettled() && !entry.is_unfinished()
        };
        kept().filter(is_old).take(limit).cloned().collect()
    }

    /// See [`Database::newest_unix_ms`](super::Database::newest_unix_ms).
    pub fn newest_unix_ms(&self) -> Option<i64> {
        self.all().filter(|entry| !entry.detail().retired).map(Entry::created_unix_ms).max()
    }

    /// See [`Database::has_other_biz_ids`](super::Database::has_other_biz_ids).
    pub fn has_other_biz_ids(&self, key: &Key) -> bool {
        self.all().any(|entry| entry.has_other_biz_id() && entry.key().is_of_same_account(key))
    }

    /// See [`Database::stands_elsewhere`](super::Database::stands_elsewhere).
    pub fn stands_elsewhere(&self, key: &Key) -> bool {
        self.all().any(|entry| entry.key().biz_id == key.biz_id && !entry.key().is_of_same_account(key))
    }

    /// See [`Database::other_sale_of`](super::Database::other_sale_of).
    pub fn other_sale_of(&self, key: &Key, returned: &str) -> Option<&Entry> {
        self.all().find(|entry| {
            let carried = entry.detail().returned_biz_id.as_deref() == Some(returned);
            let is_named = carried || entry.key().biz_id.as_str() == returned;
            is_named && entry.key() != key && entry.key().is_of_same_account(key)
        })
    }

    /// See [`Database::names_coupon_elsewhere`](super::Database::names_coupon_elsewhere).
    pub fn names_coupon_elsewhere(&self, key: &Key, coupon: &str) -> bool {
        self.all().any(|entry| {
            let names = entry.identity().coupons.iter().any(|named| named == coupon);
            names && entry.key() != key && entry.key().is_of_same_account(key)
        })
    }

    /// See [`Database::join`](super::Database::join).
    pub fn join(&mut self, owner: &Owner) {
        let node = Node { owner: owner.clone(), beat: 0, dead: false };
        self.nodes.entry(owner.0.clone()).or_insert(node);
    }

    /// See [`Database::beat`](super::Database::beat).
    pub fn beat(&mut self, owner: &Owner, number: u64) -> Option<u64> {
        let node = self.nodes.get_mut(&owner.0).filter(|node| !node.dead)?;
        let before = node.beat;
        node.beat = before.max(number);
        Some(before)
    }

    /// See [`Database::nodes`](super::Database::nodes).
    pub fn nodes(&self) -> Membership {
        Membership { nodes: self.nodes.values().cloned().collect(), role: self.role.clone() }
    }

    /// See [`Database::node`](super::Database::node).
    pub fn node(&self, owner: &Owner) -> Option<&Node> {
        self.nodes.get(&owner.0)
    }

    fn lives(&self, owner: &Owner) -> bool {
        self.node(owner).is_some_and(|node| !node.dead)
    }

    /// See [`Database::bury`](super::Database::bury).
    pub fn bury(&mut self, owner: &Owner, beat: Option<u64>) {
        if let Some(node) = self.nodes.get_mut(&owner.0)
            && beat.is_none_or(|beat| beat == node.beat)
        {
            node.dead = true;
        }
    }

    /// See [`Database::claim`](super::Database::claim).
    pub fn claim(&mut self, owner: &Owner, seen: Option<&Role>) -> bool {
        if self.role.as_ref() != seen || !self.lives(owner) {
            return false;
        }
        let term = seen.map_or(0, |role| role.term) + 1;
        self.role = Some(Role { owner: owner.clone(), term });
        true
    }

    /// See [`Database::forget`](super::Database::forget).
    pub fn forget(&mut self) {
        let mut named: Vec<&Owner> = self
            .entries
            .values()
            .filter(|one| one.entry.stage().is_unsettled())
            .map(|one| one.entry.owner())
            .collect();
        named.extend(self.role.as_ref().map(|role| &role.owner));
        let named: Vec<String> = named.into_iter().map(|owner| owner.0.clone()).collect();
        self.nodes.retain(|owner, node| !node.dead || named.contains(owner));
    }
}
