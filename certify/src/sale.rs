//! A sale as a scenario asks for it, and its result as the cashier sees it.

use serde::{Deserialize, Serialize};

/// Has a recharge balance of 900,000.00, a gift balance of 100,000.00, and most of the coupons.
pub(crate) const MEMBER: &str = "383933091455959041";
/// Has a recharge balance of 5.00 and a gift balance of 3.50.
pub(crate) const POOR: &str = "383933091455959042";
/// Every deduction needs the payment password.
pub(crate) const GUARDED: &str = "383933091455959043";
/// 5 元 off, any number of times.
pub(crate) const FIVE_OFF: &str = "390962138708451328";

/// A sale as a cashier rings it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sale {
    pub(crate) number: &'static str,
    pub(crate) customer: &'static str,
    /// 元 to pay from the balance; with `goods`, before the coupon's discount. Empty: none.
    pub(crate) amount: &'static str,
    pub(crate) coupons: Vec<&'static str>,
    pub(crate) points: i64,
    /// `trade_mark` and price of a basket whose coupon is quoted first.
    pub(crate) goods: Option<(&'static str, &'static str)>,
    /// The amount that leaves the balance if the sale is completed.
    pub(crate) takes: &'static str,
}

/// A sale of 12.00 by the member with a large balance; the methods change it.
pub(crate) fn sale(number: &'static str) -> Sale {
    Sale {
        number,
        customer: MEMBER,
        amount: "12.00",
        coupons: Vec::new(),
        points: 0,
        goods: None,
        takes: "12.00",
    }
}

impl Sale {
    pub(crate) fn amount(mut self, amount: &'static str) -> Sale {
        (self.amount, self.takes) = (amount, amount);
        self
    }

    pub(crate) fn by(mut self, customer: &'static str) -> Sale {
        self.customer = customer;
        self
    }

    pub(crate) fn coupon(mut self, coupon: &'static str) -> Sale {
        self.coupons.push(coupon);
        self
    }

    pub(crate) fn points(mut self, points: i64) -> Sale {
        self.points = points;
        self
    }

    /// A basket whose coupon is quoted first, and the rest to pay.
    pub(crate) fn basket(
        mut self,
        trade_mark: &'static str,
        price: &'static str,
        takes: &'static str,
    ) -> Sale {
        (self.amount, self.goods, self.takes) = (price, Some((trade_mark, price)), takes);
        self
    }
}

/// The result of a sale as the cashier sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    /// Paid by the member; the goods are handed over.
    Completed,
    /// Not paid by the member: the customer pays in another way.
    OtherTender,
    /// Unknown yet; the till takes nothing more.
    Waiting,
    /// Nothing was taken; the cashier may press the button again.
    Retry,
    /// The till cannot take this payment; a person must check the program or the machine.
    Failed,
    /// The sale is being reversed; the member gets the money back without further action.
    Refunding,
    /// The sale is reversed.
    Refunded,
}

impl SaleState {
    /// The result's name in the protocol.
    pub fn word(self) -> &'static str {
        match self {
            SaleState::Completed => "completed",
            SaleState::OtherTender => "other_tender",
            SaleState::Waiting => "waiting",
            SaleState::Retry => "retry",
            SaleState::Failed => "failed",
            SaleState::Refunding => "refunding",
            SaleState::Refunded => "refunded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_in_both_directions() {
        let word = serde_json::to_value(SaleState::OtherTender).unwrap();
        assert_eq!(word, SaleState::OtherTender.word());
    }
}
