//! What goes from a till to the collector: one batch of changed entries, in JSON, with a version. Both sides use these types.

use serde::{Deserialize, Serialize};
use zvpos_core::money::BizId;
use zvpos_core::payment::Stage;

/// The version of the batches; a collector refuses every other.
pub const VERSION: u32 = 2;

/// The path that batches are posted to.
pub const PATH: &str = "/v1/ship";

/// The path to which a till without a journal tells that it lives.
pub const ALIVE_PATH: &str = "/v1/alive";

/// The most records of a batch.
pub const RECORDS_MAX: usize = 500;

/// The most bytes of a batch.
pub const BODY_MAX: usize = 2 * 1024 * 1024;

/// No amount, number of points or sum of a sale is larger: 10^11, in 分 or points, so that sums of millions of sales fit.
pub(crate) const VALUE_MAX: i64 = 100_000_000_000;

/// No time is outside of this: the years up to 9999.
pub(crate) const TIME_MAX: i64 = 253_402_300_799_999;

/// The longest text of a record.
pub(crate) const TEXT_MAX: usize = 1024;

/// The most coupons of a record.
pub(crate) const COUPONS_MAX: usize = 200;

/// A part of what a till ships. A batch without records is a sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// [`VERSION`].
    pub version: u32,
    /// The identity of the journal.
    pub journal: String,
    /// A random name of the round, and the number of this part of it, from 0.
    pub round: String,
    /// See `round`.
    pub part: u32,
    /// The till's business day when the round began, counted from 1970-01-01.
    pub day: i64,
    /// Everything up to this event was accepted before this round, as the till knows it.
    pub after: u64,
    /// The last event of the journal when the round began.
    pub last: u64,
    /// How many entries the journal had when the round began.
    pub entries: u64,
    /// With this batch, everything up to `last` is shipped.
    pub complete: bool,
    /// The till has found that its journal is an older copy of what it has shipped from.
    pub restored: bool,
    /// The changed entries, in any order.
    pub records: Vec<Record>,
}

/// What a till without a journal tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alive {
    /// [`VERSION`].
    pub version: u32,
    /// The till's business day, counted from 1970-01-01.
    pub day: i64,
}

/// An entry of a till's journal, without secrets, gateway's messages and names of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, shipped by name")]
pub struct Record {
    /// The number of its last event.
    pub number: u64,
    /// The account.
    pub open_id: String,
    /// The gateway of the account.
    pub environment: String,
    /// The till's id of the sale.
    pub biz_id: String,
    /// Grows with every change.
    pub revision: u64,
    /// The stage's word.
    pub stage: String,
    /// Its details were dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retired: bool,
    /// How often the consume was sent.
    pub attempt: u32,
    /// When its intent was recorded, by the till's clock.
    pub created_unix_ms: i64,
    /// When it was sent or ended, by the better clock.
    pub at_unix_ms: i64,
    /// The member, hashed under the chain's key unless the till is configured otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub member: Option<String>,
    /// The coupons, hashed in the same way.
    #[serde(default, skip_serializing_if = "is_default")]
    pub coupons: Vec<String>,
    /// The amount that was asked for, in 分.
    #[serde(default, skip_serializing_if = "is_default")]
    pub amount: Option<i64>,
    /// `deviceSn` of the request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub device: Option<String>,
    /// `multiMark` of the request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shop: Option<String>,
    /// `operatorId` of the request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub operator: Option<String>,
    /// The last status of the consume.
    #[serde(default, skip_serializing_if = "is_default")]
    pub code: Option<String>,
    /// The bizId that the answer carried, if it is another one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub other_biz_id: Option<String>,
    /// It succeeded, and the till has not read that, or not confirmed it though it must.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unfinished: bool,
    /// A person has decided what it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_person: bool,
    /// It counts as a sale on its day.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sold: bool,
    /// The business day of the sale, counted from 1970-01-01.
    pub day: i64,
    /// The hour of `at_unix_ms` on the till's wall.
    pub hour: u8,
    /// The day and the hour on which the money was given back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub back: Option<Back>,
    /// What it took, in 分; it is unknown where it is absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sum: Option<i64>,
    /// Of that from the recharged balance.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recharge: Option<i64>,
    /// Of that from the gift balance.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gift: Option<i64>,
    /// The points that it took.
    #[serde(default, skip_serializing_if = "is_default")]
    pub points: i64,
    /// How many coupons it took.
    #[serde(default, skip_serializing_if = "is_default")]
    pub coupons_taken: i64,
}

/// When the money of a sale was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Back {
    /// The business day.
    pub day: i64,
    /// The hour on the till's wall.
    pub hour: u8,
    /// It was given back elsewhere, and is in the sums of the other side.
    #[serde(default, skip_serializing_if = "is_default")]
    pub elsewhere: bool,
}

/// The collector's answer to a batch that it has taken.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The identity of the collector.
    pub collector: String,
    /// How many records it has on stable storage from this batch, or newer ones in their places.
    pub records: usize,
    /// Everything of this journal up to this event is there.
    pub shipped: u64,
}

/// The collector's answer to a batch that it has not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why, in English.
    pub error: String,
    /// Why, in Chinese.
    pub error_zh: String,
    /// The collector lacks what is behind this event: the till ships again from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

fn versioned(body: &[u8]) -> Result<(), String> {
    let Versioned { version } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if version == VERSION {
        return Ok(());
    }
    Err(format!("version {version}; this collector takes version {VERSION}"))
}

impl Alive {
    /// Reads and checks what a till tells.
    ///
    /// # Errors
    /// It is none; the text says why.
    pub fn read(body: &[u8]) -> Result<Alive, String> {
        versioned(body)?;
        let alive: Alive = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        within("day", alive.day, TIME_MAX / 86_400_000)?;
        Ok(alive)
    }
}

impl Batch {
    /// Reads and checks a batch.
    ///
    /// # Errors
    /// It is none; the text says why.
    pub fn read(body: &[u8]) -> Result<Batch, String> {
        versioned(body)?;
        let batch: Batch = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        batch.check()?;
        Ok(batch)
    }

    fn check(&self) -> Result<(), String> {
        id("journal", &self.journal, 64)?;
        id("round", &self.round, 64)?;
        within("day", self.day, TIME_MAX / 86_400_000)?;
        if self.records.len() > RECORDS_MAX {
            return Err(format!("{} records; at most {RECORDS_MAX}", self.records.len()));
        }
        for (name, number) in [("after", self.after), ("last", self.last), ("entries", self.entries)] {
            count(name, number)?;
        }
        if self.complete && self.after > self.last {
            return Err("after is behind last".to_owned());
        }
        self.records.iter().try_for_each(Record::check)
    }
}

impl Record {
    fn check(&self) -> Result<(), String> {
        BizId::new(&self.biz_id).map_err(|why| format!("biz_id {why}"))?;
        let named = |why: String| format!("{}: {why}", self.biz_id);
        self.check_content().map_err(named)
    }

    fn check_content(&self) -> Result<(), String> {
        text("open_id", &self.open_id)?;
        text("environment", &self.environment)?;
        Stage::from_word(&self.stage).ok_or_else(|| format!("there is no stage {:?}", self.stage))?;
        count("number", self.number)?;
        count("revision", self.revision)?;
        if self.revision == 0 || self.number == 0 {
            return Err("number and revision begin with 1".to_owned());
        }
        for (name, moment) in [("created_unix_ms", self.created_unix_ms), ("at_unix_ms", self.at_unix_ms)] {
            within(name, moment, TIME_MAX)?;
        }
        let optional = [
            ("member", &self.member),
            ("device", &self.device),
            ("shop", &self.shop),
            ("operator", &self.operator),
            ("code", &self.code),
            ("other_biz_id", &self.other_biz_id),
        ];
        for (name, value) in optional {
            value.as_deref().map_or(Ok(()), |value| text(name, value))?;
        }
        if self.coupons.len() > COUPONS_MAX {
            return Err(format!("{} coupons; at most {COUPONS_MAX}", self.coupons.len()));
        }
        self.coupons.iter().try_for_each(|coupon| text("coupons", coupon))?;
        let values = [
            ("amount", self.amount),
            ("sum", self.sum),
            ("recharge", self.recharge),
            ("gift", self.gift),
            ("points", Some(self.points)),
            ("coupons_taken", Some(self.coupons_taken)),
        ];
        for (name, value) in values {
            within(name, value.unwrap_or_default(), VALUE_MAX)?;
        }
        let back = self.back.as_ref().map(|back| (back.day, back.hour));
        for (day, hour) in std::iter::once((self.day, self.hour)).chain(back) {
            within("day", day, TIME_MAX / 86_400_000)?;
            within("hour", i64::from(hour), 23)?;
        }
        Ok(())
    }
}

/// Text without control characters: NUL, above all, cannot be stored everywhere.
fn text(name: &str, value: &str) -> Result<(), String> {
    if value.len() > TEXT_MAX {
        return Err(format!("{name} is longer than {TEXT_MAX} bytes"));
    }
    if value.chars().any(char::is_control) { Err(format!("{name} has a control character")) } else { Ok(()) }
}

/// A name of printable ASCII without spaces.
fn id(name: &str, value: &str, longest: usize) -> Result<(), String> {
    let fits =
        !value.is_empty() && value.len() <= longest && value.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(format!("{name} is not 1 to {longest} printable letters")) }
}

/// What a database stores as a signed number.
fn count(name: &str, value: u64) -> Result<(), String> {
    if i64::try_from(value).is_ok() { Ok(()) } else { Err(format!("{name} is too large")) }
}

fn within(name: &str, value: i64, largest: i64) -> Result<(), String> {
    if (-largest..=largest).contains(&value) { Ok(()) } else { Err(format!("{name} is out of range")) }
}

#[cfg(test)]
mod tests;
