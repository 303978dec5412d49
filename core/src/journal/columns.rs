//! An entry as columns, for every store with tables, and the checksum over a row.

use std::borrow::Cow;

use twox_hash::XxHash3_128;

use crate::gateway::{Identity, Origin};
use crate::money::Amount;
use crate::payment::{Detail, Entry, Key, OnUnknown, Owner, Stage};

/// The columns of an entry besides its key and its revision.
pub struct Record<'r> {
    /// The stage's word.
    pub stage: &'r str,
    /// How often the consume was sent.
    pub attempt: i64,
    /// The process that made the last attempt.
    pub owner: &'r str,
    /// The word of the policy for an unknown outcome.
    pub on_unknown: &'r str,
    /// When the intent was recorded, by the till's clock.
    pub created_unix_ms: i64,
    /// The member.
    pub customer_id: Option<&'r str>,
    /// The kind of payment.
    pub kind: Option<i64>,
    /// The sum, as a decimal text.
    pub amount: Option<Cow<'r, str>>,
    /// The coupons, as a JSON list.
    pub coupons: Option<Cow<'r, str>>,
    /// The points.
    pub points: Option<i64>,
    /// The till.
    pub till: Option<&'r str>,
    /// The operator.
    pub operator_id: Option<&'r str>,
    /// The operator's name.
    pub operator_name: Option<&'r str>,
    /// The store.
    pub store: Option<&'r str>,
    /// The gateway's data, as JSON.
    pub data: Option<&'r str>,
    /// All the rest, as JSON.
    pub detail: Cow<'r, str>,
}

impl<'r> Record<'r> {
    /// The columns of an entry.
    ///
    /// # Errors
    /// If a value has no JSON.
    pub fn of(entry: &'r Entry) -> serde_json::Result<Record<'r>> {
        let (identity, detail) = (entry.identity(), entry.detail());
        let origin = &detail.origin;
        let coupons = match identity.coupons.as_slice() {
            [] => None,
            coupons => Some(serde_json::to_string(coupons)?.into()),
        };
        Ok(Record {
            stage: entry.stage().as_str(),
            attempt: i64::from(entry.attempt()),
            owner: &entry.owner().0,
            on_unknown: match entry.on_unknown() {
                OnUnknown::Reverse => "reverse",
                OnUnknown::Hold => "hold",
            },
            created_unix_ms: entry.created_unix_ms(),
            customer_id: identity.customer_id.as_deref(),
            kind: identity.kind,
            amount: identity.amount.map(|amount| amount.to_string().into()),
            coupons,
            points: identity.points,
            till: origin.device_sn.as_deref(),
            operator_id: origin.operator_id.as_deref(),
            operator_name: origin.operator_name.as_deref(),
            store: origin.multi_mark.as_deref(),
            data: detail.data.as_deref(),
            detail: json(detail)?.into(),
        })
    }

    /// The entry of these columns.
    ///
    /// # Errors
    /// The name of a column that this program cannot have written.
    pub fn entry(&self, key: Key, revision: u64) -> Result<Entry, &'static str> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let coupons = match &self.coupons {
            Some(coupons) => serde_json::from_str(coupons).map_err(|_| "coupons")?,
            None => Vec::new(),
        };
        let identity = Identity {
            customer_id: owned(self.customer_id),
            kind: self.kind,
            amount: self.amount.as_deref().map(Amount::parse).transpose().map_err(|_| "amount")?,
            coupons,
            points: self.points,
        };
        let detail: Detail = serde_json::from_str(&self.detail).map_err(|_| "detail")?;
        let origin = Origin {
            device_sn: owned(self.till),
            operator_id: owned(self.operator_id),
            operator_name: owned(self.operator_name),
            multi_mark: owned(self.store),
        };
        Ok(Entry::restore(
            key,
            identity,
            Stage::from_word(self.stage).ok_or("stage")?,
            revision,
            u32::try_from(self.attempt).map_err(|_| "attempt")?,
            Owner(self.owner.to_owned()),
            match self.on_unknown {
                "reverse" => OnUnknown::Reverse,
                "hold" => OnUnknown::Hold,
                _ => return Err("on_unknown"),
            },
            self.created_unix_ms,
            Detail { data: owned(self.data), origin, ..detail },
        ))
    }
}

/// The details as JSON, in a buffer that seldom has to grow.
fn json(detail: &Detail) -> serde_json::Result<String> {
    let mut out = Vec::with_capacity(512);
    serde_json::to_writer(&mut out, detail)?;
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

/// What a checksum is made of: XXH3 over the columns, each text with its length and each gap with a mark, so that nothing
/// can move from one to the next. It protects against accident, as any checksum without a key does.
pub struct Hashed(Vec<u8>);

impl Default for Hashed {
    fn default() -> Hashed {
        Hashed(Vec::with_capacity(1024))
    }
}

impl Hashed {
    /// Adds a number.
    pub fn number(&mut self, number: Option<i64>) {
        match number {
            Some(number) => {
                self.0.push(1);
                self.0.extend(number.to_le_bytes());
            }
            None => self.0.push(0),
        }
    }

    /// Adds a text.
    pub fn text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.0.push(1);
                self.0.extend((text.len() as u64).to_le_bytes());
                self.0.extend(text.as_bytes());
            }
            None => self.0.push(0),
        }
    }

    /// Adds marks.
    pub fn marks(&mut self, marks: &[bool]) {
        self.0.extend(marks.iter().copied().map(u8::from));
    }

    /// Adds all columns of an entry besides its key and its revision.
    pub fn record(&mut self, record: &Record<'_>) {
        for value in [Some(record.attempt), Some(record.created_unix_ms), record.kind, record.points] {
            self.number(value);
        }
        for value in [
            Some(record.stage),
            Some(record.owner),
            Some(record.on_unknown),
            record.customer_id,
            record.amount.as_deref(),
            record.coupons.as_deref(),
            record.till,
            record.operator_id,
            record.operator_name,
            record.store,
            record.data,
            Some(&record.detail),
        ] {
            self.text(value);
        }
    }

    /// The checksum over all that was added.
    pub fn checksum(&self) -> [u8; 16] {
        XxHash3_128::oneshot(&self.0).to_le_bytes()
    }
}
