//! Finds money and coupons anywhere in an answer: in its data, next to it, in a list, one level deeper, or in a string
//! that contains JSON.

use super::Envelope;
use super::consume::{self, Identity};
use crate::json::{Object, Value, ValueKind};
use crate::money::{Amount, BizId};

/// How many strings inside strings are read as JSON.
const TEXTS: u32 = 3;

/// Fields of amounts taken (DOC), spelled as by [`plain`].
const DEDUCTIONS: [&str; 4] = ["changegiftamount", "changerechargeamount", "storebalance", "shopbalance"];

/// Fields of redeemed coupons; the second is in the answer to a redemption alone (DOC).
const COUPONS: [&str; 2] = ["couponscardlist", "cardidlist"];

/// Fields of the member's balances, which are not amounts moved (DOC).
const BALANCES: [&str; 3] = ["giftamount", "rechargeamount", "totalamount"];

impl Envelope<'_> {
    /// Whether the value mentions a deduction at all; a balance is not one.
    pub(super) fn speaks_of_a_deduction(&self) -> bool {
        self.has_anywhere(&|name, value| DEDUCTIONS.contains(&name) && !value.is_blank())
    }

    /// Whether it shows that something was taken: an amount that is not clearly zero, or redeemed coupons.
    pub(super) fn shows_something_taken(&self) -> bool {
        self.has_anywhere(&is_taken)
    }

    /// Whether it shows that something was moved in either direction: the fields of a reversal's answer are not
    /// documented.
    pub(in crate::gateway) fn shows_something_moved(&self) -> bool {
        self.has_anywhere(&|name, value| {
            is_taken(name, value)
                || (name.contains("amount")
                    && !BALANCES.contains(&name)
                    && !value.is_blank()
                    && !is_zero(value))
        })
    }

    /// Whether an envelope inside it, at any depth, is not a success.
    pub(in crate::gateway) fn holds_a_no(&self) -> bool {
        self.data().is_some_and(|data| {
            any_object(data, TEXTS, &|place| {
                let is_envelope = ["code", "message"].into_iter().all(|name| place.get(name).is_some());
                is_envelope && place.get("status").and_then(super::read_status) == Some(false)
            })
        })
    }

    /// Whether it shows this very deduction: the sale's own bizId with its sum, or with its coupons if no money was
    /// asked for. Such an answer proves nothing more, but its request is no longer on its way.
    pub(super) fn shows_this_deduction(&self, biz_id: &BizId, asked: &Identity) -> bool {
        let shows = |place: &Object<'_>| {
            let named = place.given("bizId").and_then(Value::scalar).map(str::trim);
            let money = asked.amount.is_some_and(|amount| !amount.is_zero());
            let shown = if money {
                &["change_gift_amount", "change_recharge_amount"][..]
            } else {
                &["couponsCardList"]
            };
            named == Some(biz_id.as_str())
                && shown.iter().any(|name| place.given(name).is_some())
                && consume::compare(biz_id, asked, place).is_empty()
        };
        self.documented_places().any(shows)
    }

    fn has_anywhere(&self, is: &dyn Fn(&str, &Value<'_>) -> bool) -> bool {
        let has = |place: &Object<'_>| place.iter().any(|(name, value)| is(&plain(name), value));
        has(&self.object) || self.object.iter().any(|(_, value)| any_object(value, TEXTS, &has))
    }
}

fn is_taken(name: &str, value: &Value<'_>) -> bool {
    !value.is_blank() && (COUPONS.contains(&name) || (DEDUCTIONS.contains(&name) && !is_zero(value)))
}

fn is_zero(value: &Value<'_>) -> bool {
    value.scalar().and_then(|text| Amount::parse_value(text).ok()).is_some_and(Amount::is_zero)
}

/// A name reduced to what all its spellings share.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether `is` holds for the value itself or an object inside it.
fn any_object(value: &Value<'_>, texts: u32, is: &dyn Fn(&Object<'_>) -> bool) -> bool {
    match value.kind() {
        ValueKind::Object(object) => {
            is(object) || object.iter().any(|(_, value)| any_object(value, texts, is))
        }
        ValueKind::Array(list) => list.iter().any(|value| any_object(value, texts, is)),
        ValueKind::String(text) if texts > 0 && text.trim_start().starts_with(['{', '[', '"']) => {
            Value::parse(text).is_ok_and(|value| any_object(&value, texts - 1, is))
        }
        _ => false,
    }
}
