//! A coupon: whether it is redeemable, and the discount it gives, exactly and in whole 分.

use serde::Deserialize;

use super::{answer::Refusal, codes, fen::Fen};
use crate::words::words;

/// A coupon in a member's wallet.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Coupon {
    /// The id of the member's coupon: `user_coupon_id`, an element of `couponsCardList`.
    pub card_id: String,
    /// Its template.
    pub coupon_id: String,
    /// Its owner.
    pub customer_id: String,
    /// Its name.
    pub name: String,
    /// 0 a fixed amount, 1 a percentage (DOC).
    pub coupon_type: u8,
    /// Fixed amount: 元. Percentage: the part still to pay, in 折, tenths of the price: `8.5` is 8.5折, 15% off (DOC says
    /// only 面额/折扣; the unit is SANDBOX).
    pub amount: Fen,
    /// The minimum spend on the goods in its range.
    #[serde(default)]
    pub min_spend: Fen,
    /// The `trade_mark`s in its range; empty means all.
    #[serde(default)]
    pub goods: Vec<String>,
    /// The expiry in Unix seconds; absent means never.
    pub expires_s: Option<i64>,
    /// The number of redemptions left.
    pub times_left: u32,
    /// The code that the till scans with type = 1.
    pub redemption_code: String,
    /// `coupon_code`.
    pub coupon_code: String,
    /// An initial state other than unused: 2 frozen, 4 being given away, 5 gift timed out, 7 deleted (DOC).
    #[serde(default)]
    pub state: u8,
}

/// A line of the basket.
#[derive(Clone, Debug)]
pub struct Line {
    /// The goods.
    pub trade_mark: String,
    /// The quantity times the unit price. That `price` is per unit is SANDBOX; OPEN at the vendor's.
    pub total: Fen,
}

/// The discount of a coupon on a basket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// The total.
    pub total: Fen,
    /// The discount of each line, in the basket's order; the sum is the total.
    pub lines: Vec<Fen>,
}

impl Coupon {
    /// Validates the seed data.
    pub(super) fn check(&self) -> Result<(), String> {
        let fen = self.amount.get();
        match self.coupon_type {
            0 if fen > 0 => Ok(()),
            1 if (1..1000).contains(&fen) => Ok(()),
            0 | 1 => Err(format!("coupon {}: the amount {} makes no sense", self.card_id, self.amount)),
            other => Err(format!("coupon {}: couponType {other} is neither 0 nor 1", self.card_id)),
        }
    }

    /// DOC: 0 unused or reversed, 1 redeemed, 2 frozen, 4 being given away, 5 gift timed out, 6 expired, 7 deleted.
    pub fn use_status(&self, now_s: i64) -> u8 {
        match self.expires_s {
            _ if self.state != 0 => self.state,
            _ if self.times_left == 0 => 1,
            Some(expires_s) if expires_s <= now_s => 6,
            _ => 0,
        }
    }

    /// Refuses a coupon that is not redeemable now.
    pub(super) fn redeemable(&self, now_s: i64) -> Result<(), Refusal> {
        let card_id = &self.card_id;
        match self.use_status(now_s) {
            0 => Ok(()),
            1 => Err(Refusal::business(
                "coupon.used",
                codes::COUPON_USED,
                "优惠券已核销",
                words!("coupon {card_id} has no times left", "券 {card_id} 已无可用次数"),
            )),
            6 => Err(Refusal::business(
                "coupon.expired",
                codes::COUPON_EXPIRED,
                "优惠券已过期",
                words!(
                    "coupon {card_id} expired at {at} (Unix seconds)",
                    "券 {card_id} 已于 {at}（Unix 秒）过期",
                    at = self.expires_s.unwrap_or_default(),
                ),
            )),
            state => Err(Refusal::business(
                "coupon.state",
                codes::COUPON_STATE,
                "优惠券状态不可用",
                words!("coupon {card_id} has useStatus {state}", "券 {card_id} 的 useStatus 为 {state}"),
            )),
        }
    }

    /// The discount of the coupon. `already` is the earlier discount on the order: the rest of the price of the goods
    /// in range is compared with the minimum spend and limits the discount (SANDBOX).
    pub(super) fn discount(&self, basket: &[Line], already: Fen) -> Result<Discount, Refusal> {
        let in_range = |line: &Line| self.goods.is_empty() || self.goods.contains(&line.trade_mark);
        let weights: Vec<u64> =
            basket.iter().map(|line| if in_range(line) { line.total.get() } else { 0 }).collect();
        let card_id = &self.card_id;
        if !basket.iter().any(in_range) {
            return Err(Refusal::business(
                "coupon.goods",
                codes::COUPON_GOODS,
                "优惠券不适用于所选商品",
                words!(
                    "coupon {card_id} is good for {goods:?} only",
                    "券 {card_id} 只适用于 {goods:?}",
                    goods = self.goods,
                ),
            ));
        }
        let spent = Fen::new(weights.iter().sum()).minus(already);
        if spent < self.min_spend {
            return Err(Refusal::business(
                "coupon.min_spend",
                codes::COUPON_MIN_SPEND,
                "未达到优惠券最低消费金额",
                words!(
                    "coupon {card_id} needs {least}, the goods in range come to {spent}",
                    "券 {card_id} 须消费满 {least}，适用商品合计 {spent}",
                    least = self.min_spend,
                ),
            ));
        }
        let total = if self.coupon_type == 0 {
            self.amount.min(spent)
        } else {
            // 8.50折 is 850 of 1000. The discount is rounded down to whole 分 (SANDBOX).
            Fen::new(scale(spent.get(), 1000 - self.amount.get().min(1000), 1000))
        };
        Ok(Discount { total, lines: split(total, &weights) })
    }
}

/// `value * part / whole`, rounded down, without intermediate overflow.
fn scale(value: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// Splits a total over lines in proportion to their weights: each share is rounded down, and each remaining 分 goes to
/// the line with the next largest remainder, the earlier line first if equal. Requires `total` ≤ the sum of the
/// weights; no line then gets more than its weight.
fn split(total: Fen, weights: &[u64]) -> Vec<Fen> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let share = |weight: &u64| u128::from(total.get()) * u128::from(*weight);
    let mut parts: Vec<u64> =
        weights.iter().map(|weight| u64::try_from(share(weight) / sum).unwrap_or(u64::MAX)).collect();
    let mut left = total.get().saturating_sub(parts.iter().sum());
    let mut order: Vec<(u128, usize)> =
        weights.iter().enumerate().map(|(at, weight)| (share(weight) % sum, at)).collect();
    order.sort_by_key(|(remainder, at)| (std::cmp::Reverse(*remainder), *at));
    for (_, at) in order {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(at) {
            *part += 1;
            left -= 1;
        }
    }
    parts.into_iter().map(Fen::new).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn coupon(coupon_type: u8, amount: &str) -> Coupon {
        Coupon {
            card_id: "1".into(),
            coupon_id: "2".into(),
            customer_id: "3".into(),
            name: "c".into(),
            coupon_type,
            amount: Fen::parse(amount).unwrap(),
            min_spend: Fen::ZERO,
            goods: Vec::new(),
            expires_s: None,
            times_left: 1,
            redemption_code: String::new(),
            coupon_code: String::new(),
            state: 0,
        }
    }

    fn basket(totals: &[u64]) -> Vec<Line> {
        let line = |(at, total): (usize, &u64)| Line { trade_mark: at.to_string(), total: Fen::new(*total) };
        totals.iter().enumerate().map(line).collect()
    }

    #[test]
    fn known_discounts() {
        let off = |coupon: &Coupon, totals: &[u64], already| {
            coupon.discount(&basket(totals), Fen::new(already)).unwrap()
        };
        let fixed = coupon(0, "5.00");
        assert_eq!(off(&fixed, &[1000, 1000, 1000], 0).lines, [Fen::new(167), Fen::new(167), Fen::new(166)]);
        assert_eq!(off(&fixed, &[300], 0).total, Fen::new(300));
        assert_eq!(off(&fixed, &[300], 100).total, Fen::new(200));
        let percent = coupon(1, "8.5");
        assert_eq!(off(&percent, &[10_000], 0).total, Fen::new(1500));
        assert_eq!(off(&percent, &[33], 0).total, Fen::new(4));
        assert_eq!(off(&percent, &[10_000], 2_000).total, Fen::new(1200));
    }

    #[test]
    fn minimum_and_range() {
        let mut coupon = coupon(0, "5.00");
        coupon.min_spend = Fen::new(2000);
        coupon.goods = vec!["1".into()];
        let code = |coupon: &Coupon, totals: &[u64]| {
            let refusal = coupon.discount(&basket(totals), Fen::ZERO).unwrap_err();
            refusal.into_answer(super::super::answer::Note::default()).note.code
        };
        assert_eq!(code(&coupon, &[9999, 1999]), codes::COUPON_MIN_SPEND);
        assert_eq!(code(&coupon, &[9999]), codes::COUPON_GOODS);
        let discount = coupon.discount(&basket(&[1, 2000]), Fen::ZERO).unwrap();
        assert_eq!(discount.lines, [Fen::ZERO, Fen::new(500)]);
    }

    proptest! {
        #[test]
        fn the_split_adds_up_and_no_line_pays_out(
            totals in prop::collection::vec(0u64..10_000_000_000, 1..30),
            fen in 1u64..1_000_000,
            percent: bool,
            already in 0u64..100_000,
            range in prop::collection::vec(any::<bool>(), 30),
        ) {
            let mut coupon = coupon(0, "1");
            coupon.coupon_type = u8::from(percent);
            coupon.amount = if percent { Fen::new(fen % 999 + 1) } else { Fen::new(fen) };
            let basket = basket(&totals);
            coupon.goods = basket.iter().zip(&range).filter(|(_, taken)| **taken)
                .map(|(line, _)| line.trade_mark.clone()).collect();
            let Ok(discount) = coupon.discount(&basket, Fen::new(already)) else { return Ok(()) };
            let sum: u64 = discount.lines.iter().map(|fen| fen.get()).sum();
            prop_assert_eq!(sum, discount.total.get());
            prop_assert_eq!(discount.lines.len(), basket.len());
            for (part, line) in discount.lines.iter().zip(&basket) {
                prop_assert!(*part <= line.total);
                prop_assert!(coupon.goods.is_empty() || coupon.goods.contains(&line.trade_mark) || *part == Fen::ZERO);
            }
        }
    }
}
