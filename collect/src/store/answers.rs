//! What the copy answers to the questions of reports.

use serde::{Deserialize, Serialize};

/// What sales or refunds come to; everything is positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaleSums {
    /// How many there are.
    pub count: i64,
    /// In 分.
    pub sum: i64,
    /// Of that from the recharged balance.
    pub recharge: i64,
    /// Of that from the gift balance.
    pub gift: i64,
    /// Points.
    pub points: i64,
    /// Coupons.
    pub coupons: i64,
    /// The number of those of which the purses, or the whole sum, are not known.
    pub without_split: i64,
}

/// The sums of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HourSums {
    /// On the tills' walls.
    pub hour: i64,
    /// How many sales.
    pub sales: i64,
    /// In 分.
    pub sum: i64,
    /// How many refunds.
    pub refunds: i64,
    /// In 分, positive.
    pub refunded: i64,
}

/// How many unsettled entries are of an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Age {
    /// They are younger than this; the last ones have no limit.
    pub below_ms: Option<i64>,
    /// How many.
    pub count: i64,
}

/// An entry that is not settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The till.
    pub till: String,
    /// Its shop.
    pub shop: String,
    /// The till's id of the sale.
    pub biz_id: String,
    /// The stage's word.
    pub stage: String,
    /// What was asked for, in 分.
    pub amount: Option<i64>,
    /// When it was sent, by the better clock of the till.
    pub at_unix_ms: i64,
    /// The last status.
    pub code: Option<String>,
}

/// A sale that the till has not read, or not confirmed, or whose answer carried another bizId.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The till.
    pub till: String,
    /// Its shop.
    pub shop: String,
    /// The till's id of the sale.
    pub biz_id: String,
    /// The bizId that the answer carried, if it is another one.
    pub other_biz_id: Option<String>,
    /// What it took, in 分.
    pub sum: Option<i64>,
}

/// One of several records of a bizId under several journals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// The account, its gateway and the bizId.
    pub key: [String; 3],
    /// The chain.
    pub chain: String,
    /// The till.
    pub till: String,
    /// The identity of the journal.
    pub journal: String,
    /// Its revision there.
    pub revision: i64,
    /// Its stage there.
    pub stage: String,
    /// What it took, in 分.
    pub sum: Option<i64>,
}

/// What is known of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalState {
    /// The till.
    pub till: i64,
    /// Its number in the store.
    pub journal: i64,
    /// Its identity.
    pub id: String,
    /// When it was last heard of.
    pub seen_ms: i64,
    /// When everything was there that it had.
    pub complete_ms: Option<i64>,
    /// The till's business day when it looked at that.
    pub complete_day: Option<i64>,
    /// Everything up to this event is there.
    pub shipped: i64,
    /// How many entries the till says it has.
    pub entries: i64,
    /// How many are here.
    pub held: i64,
    /// How many of these the journal has lost, which a person has accepted.
    pub excused: i64,
}

/// A day that was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub closed_ms: i64,
    /// By whom.
    pub closed_by: String,
    /// Nothing was open, missing or different.
    pub clean: bool,
    /// The report, as JSON.
    pub report: String,
}
