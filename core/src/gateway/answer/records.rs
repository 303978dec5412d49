//! What the gateway's own records say: of a bizId in the balance records, and of a coupon.

use super::{Envelope, Sign, has_several_uses};
use crate::json::{Object, Value};
use crate::money::Amount;

/// What the balance records say of a bizId.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// It stands there with its amount.
    Taken,
    /// It stands there with another amount, with one that came back, or with one that cannot be read.
    Unfit,
    /// They are complete, and it does not stand there.
    Missing,
    /// They say nothing that can be read, or do not have everything.
    Nothing,
}

/// What the vendor has said of the balance records.
#[derive(Clone, Copy, Debug)]
pub struct BalanceRules<'r> {
    /// A deduction that does not stand there never happened.
    pub complete: bool,
    /// Codes that say that a bizId does not stand there.
    pub not_found: &'r [String],
    /// What the sign of an amount means.
    pub sign: Sign,
}

impl Envelope<'_> {
    /// What a look-up in the balance records says of a bizId that was sent with that amount.
    pub fn judge_balance(&self, biz_id: &str, asked: Option<Amount>, rules: BalanceRules<'_>) -> Balance {
        match (self.balance_record(rules.sign), asked) {
            (Some((found, Some(amount))), Some(asked)) if found == biz_id && amount == asked => {
                Balance::Taken
            }
            (Some((found, _)), _) if found == biz_id => Balance::Unfit,
            (None, _)
                if rules.complete
                    && !self.is_system_error()
                    && self.names_only(&[biz_id])
                    && rules.not_found.iter().any(|code| code == self.code()) =>
            {
                Balance::Missing
            }
            _ => Balance::Nothing,
        }
    }

    /// The bizId in a successful balance look-up (SEEN), and the amount taken under it; `None` for an amount that
    /// cannot be read, or whose sign does not mean that it was taken.
    pub(super) fn balance_record(&self, sign: Sign) -> Option<(&str, Option<Amount>)> {
        let data = self.data_object().filter(|_| self.yes && self.code == "0")?;
        let amount = data.given("amount").and_then(Value::scalar);
        let taken = amount.and_then(|text| sign.taken(text)).and_then(|text| Amount::parse_value(text).ok());
        Some((data.given("bizId")?.scalar()?, taken))
    }

    /// Whether a successful look-up shows this coupon, and only as unused or reversed (DOC: status 0). The rows are a
    /// list (DOC) or stand in one (`{"list": […], "total": n}`, SEEN). A page of more, or a coupon that the row itself
    /// says can be used several times, shows nothing: one of its uses may be gone.
    pub fn shows_unused(&self, coupon: &str) -> bool {
        let Some(data) = self.data().filter(|_| self.yes && self.code == "0") else { return false };
        let paged = data.as_object();
        let rows = data.as_array().or_else(|| paged?.get("list")?.as_array()).unwrap_or_default();
        let total =
            paged.and_then(|page| page.given("total")).map(|total| total.scalar()?.parse::<usize>().ok());
        if total.is_some_and(|total| total.is_none_or(|total| total > rows.len())) {
            return false;
        }
        let mut found = rows
            .iter()
            .filter_map(Value::as_object)
            .filter(|row| row.given("cardId").and_then(Value::scalar) == Some(coupon))
            .peekable();
        let unused = |row: &Object<'_>| row.given("useStatus").and_then(Value::scalar) == Some("0");
        found.peek().is_some() && found.all(|row| unused(row) && !has_several_uses(row))
    }
}
