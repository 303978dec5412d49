//! Every effect of each bizId, in order, and which deductions are still in force.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde::Serialize;

use super::fen::Fen;
use crate::words::{Words, words};

/// The content of a deduction or of a reversal.
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
    /// Whether it is empty.
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

    /// The sum from both balances.
    pub fn amount(&self) -> Fen {
        self.recharge.plus(self.gift)
    }
}

/// The kind of a ledger entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A consume was executed.
    Consume,
    /// A part of a refused consume was executed (policy `refusals`).
    PartialConsume,
    /// A consume was reversed.
    Reverse,
    /// Coupons of a consume were given back.
    CouponReverse,
}

/// One effect.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its kind.
    pub kind: Kind,
    /// Its time by the gateway's clock, in milliseconds since 1970.
    pub at_unix_ms: i64,
    /// What was taken or given back.
    pub moved: Taken,
    /// The change of the net effect: 1, -1, or 0 for a reversal that left part of the deduction in force.
    pub net: i64,
}

/// The account and the bizId: two accounts may use the same bizId.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) biz_id: String,
    pub(super) account: usize,
}

/// The figures of the first answer, for repeating it.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    pub(super) taken: Taken,
    pub(super) recharge_after: Fen,
    pub(super) gift_after: Fen,
    pub(super) multi_mark: bool,
}

/// Every effect of one bizId.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) customer_id: String,
    pub(super) returned_biz_id: String,
    /// The requested amount, which a refusal with an effect may not have taken in full.
    pub(super) asked: Fen,
    pub(super) first: Figures,
    /// The deductions still in force, one element for each execution.
    pub(super) standing: Vec<Taken>,
    pub(super) entries: Vec<Entry>,
}

impl Record {
    pub(super) fn net(&self) -> i64 {
        self.entries.iter().map(|entry| entry.net).sum()
    }
}

/// The effects of a bizId, as the admin API shows them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerView {
    /// The bizId that was sent.
    pub biz_id: String,
    /// The bizId of the answer; different only if the policy says so.
    pub returned_biz_id: String,
    /// The member.
    pub customer_id: String,
    /// The net effect S: the number of deductions in force. 0 or 1 unless something is wrong.
    pub net: i64,
    /// Every effect in order.
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) records: BTreeMap<Key, Record>,
    /// Maps the bizId of an answer to the bizId that was sent, if they differ.
    pub(super) returned: BTreeMap<Key, Key>,
    /// Reversals of unknown sales (policy `remember_unknown_reversals`).
    pub(super) reversed_before: BTreeSet<Key>,
}

impl Ledger {
    /// The first consume of any account with this bizId in its request or its answer.
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

    /// The bizIds with the latest effects, the latest first.
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
