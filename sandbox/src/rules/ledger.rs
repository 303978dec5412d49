//! What was done under each bizId: every effect, in order, and what of it still stands.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde::Serialize;

use super::fen::Fen;
use crate::words::{Words, words};

/// What a deduction took, or a reversal gave back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// From the recharge balance.
    pub recharge: Fen,
    /// From the gift balance.
    pub gift: Fen,
    /// Points.
    pub points: u64,
    /// The cardIds of the coupons.
    pub coupons: Vec<String>,
}

impl Taken {
    /// Whether it is nothing at all.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// In words, for the log.
    pub(super) fn words(&self) -> Words {
        let mut all = words!("{amount}", "余额 {amount}", amount = self.amount());
        let points =
            (self.points > 0).then(|| words!(", {points} points", "、{points} 积分", points = self.points));
        let coupons = self.coupons.iter().map(|coupon| words!(", coupon {coupon}", "、券 {coupon}"));
        for Words { en, zh } in points.into_iter().chain(coupons) {
            all.en.push_str(&en);
            all.zh.push_str(&zh);
        }
        all
    }

    /// What came out of both balances.
    pub fn amount(&self) -> Fen {
        self.recharge.plus(self.gift)
    }
}

/// What an entry of the ledger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A consume was carried out.
    Consume,
    /// Part of a refused consume was carried out (policy `refusals`).
    PartialConsume,
    /// A consume was reversed.
    Reverse,
    /// Coupons of a consume were given back.
    CouponReverse,
}

/// One effect.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// What it was.
    pub kind: Kind,
    /// When, by the gateway's clock, in milliseconds since 1970.
    pub at_unix_ms: i64,
    /// What moved.
    pub moved: Taken,
    /// What it did to the net effect: 1, -1, or 0 for a reversal that left something standing.
    pub net: i64,
}

/// Who sent a bizId: two accounts may use the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) biz_id: String,
    pub(super) account: usize,
}

/// The first answer's figures, to answer the same again.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    pub(super) taken: Taken,
    pub(super) recharge_after: Fen,
    pub(super) gift_after: Fen,
    pub(super) multi_mark: bool,
}

/// Everything that was done under one bizId.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) customer_id: String,
    pub(super) returned_biz_id: String,
    /// What the till wanted to take, which a refusal with an effect may not have been able to.
    pub(super) asked: Fen,
    pub(super) first: Figures,
    /// What was taken and not given back yet, an element an execution.
    pub(super) standing: Vec<Taken>,
    pub(super) entries: Vec<Entry>,
}

impl Record {
    pub(super) fn net(&self) -> i64 {
        self.entries.iter().map(|entry| entry.net).sum()
    }
}

/// What was done for a bizId, as the admin API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerView {
    /// The bizId that was sent.
    pub biz_id: String,
    /// The bizId that the answer carried; the same unless the policy makes it another.
    pub returned_biz_id: String,
    /// The member.
    pub customer_id: String,
    /// The net effect S: how many deductions stand. 0 or 1 where all is well.
    pub net: i64,
    /// Every effect in order.
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) records: BTreeMap<Key, Record>,
    /// From the bizId that an answer carried to the one that was sent, where they differ.
    pub(super) returned: BTreeMap<Key, Key>,
    /// Reversals of something unknown (policy `remember_unknown_reversals`).
    pub(super) reversed_before: BTreeSet<Key>,
}

impl Ledger {
    /// The first consume of any account that was sent with this bizId, or answered with it.
    pub(super) fn sale(&self, biz_id: &str) -> Option<(&Key, &Record)> {
        let from = Key { biz_id: biz_id.to_owned(), account: 0 };
        let returned = self.returned.range(&from..).next().filter(|(key, _)| key.biz_id == biz_id);
        let from = returned.map_or(&from, |(_, sent)| sent);
        self.records.range(from..).next().filter(|(key, _)| key.biz_id == from.biz_id)
    }

    pub(super) fn views(&self, biz_id: Option<&str>) -> Vec<LedgerView> {
        let from = Key { biz_id: biz_id.unwrap_or_default().to_owned(), account: 0 };
        let wanted = |key: &Key| biz_id.is_none_or(|biz_id| key.biz_id == biz_id);
        self.records
            .range(from..)
            .take_while(|(key, _)| wanted(key))
            .map(|(key, record)| view(key, record))
            .collect()
    }

    /// The bizIds that something was done for last, the latest first.
    pub(super) fn last(&self, count: usize) -> Vec<LedgerView> {
        let at = |record: &Record| record.entries.last().map(|entry| entry.at_unix_ms);
        let mut records: Vec<_> = self.records.iter().collect();
        records.sort_by_key(|(_, record)| Reverse(at(record)));
        records.into_iter().take(count).map(|(key, record)| view(key, record)).collect()
    }
}

fn view(key: &Key, record: &Record) -> LedgerView {
    LedgerView {
        biz_id: key.biz_id.clone(),
        returned_biz_id: record.returned_biz_id.clone(),
        customer_id: record.customer_id.clone(),
        net: record.net(),
        entries: record.entries.clone(),
    }
}
