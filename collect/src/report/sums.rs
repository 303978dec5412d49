//! Sums: added up in 分, shown in 元.

use serde::{Deserialize, Serialize};
use zvpos_core::money::yuan;

use crate::store::{EnvironmentSums, SaleSums};

/// Sums as they are shown: 元 as texts, with their sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// How many sales or refunds.
    pub count: i64,
    /// 元.
    pub sum: String,
    /// Of that from the recharged balance.
    pub recharge: String,
    /// Of that from the gift balance.
    pub gift: String,
    /// Points.
    pub points: i64,
    /// Coupons.
    pub coupons: i64,
    /// The number of those of which the purses, or the whole sum, are not known.
    pub without_split: i64,
}

/// A day of a till, a shop or the chain. Refunds are negative.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillDay {
    /// The till; empty for a shop or the chain.
    pub till: String,
    /// The shop; empty for the chain.
    pub shop: String,
    /// What was sold.
    pub sales: Sums,
    /// What was given back.
    pub refunds: Sums,
    /// Both together, in 元.
    pub net: String,
}

/// A day of an environment that is not the vendor's gateway, such as a simulator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentDay {
    /// The gateway, as the journals name it.
    pub environment: String,
    /// What was sold.
    pub sales: Sums,
    /// What was given back; negative.
    pub refunds: Sums,
    /// Both together, in 元.
    pub net: String,
}

impl EnvironmentDay {
    pub(super) fn of(day: &EnvironmentSums) -> EnvironmentDay {
        let TillDay { sales, refunds, net, .. } =
            Both { sales: day.sales, refunds: day.refunds }.shown("", "");
        EnvironmentDay { environment: day.environment.clone(), sales, refunds, net }
    }
}

/// What is added up, as numbers.
#[derive(Clone, Copy, Default)]
pub(super) struct Both {
    pub(super) sales: SaleSums,
    pub(super) refunds: SaleSums,
}

impl Both {
    pub(super) fn add(&mut self, other: Both) {
        add(&mut self.sales, other.sales);
        add(&mut self.refunds, other.refunds);
    }

    pub(super) fn shown(self, till: &str, shop: &str) -> TillDay {
        TillDay {
            till: till.to_owned(),
            shop: shop.to_owned(),
            sales: shown(self.sales, 1),
            refunds: shown(self.refunds, -1),
            net: yuan(self.sales.sum.saturating_sub(self.refunds.sum)),
        }
    }
}

fn add(to: &mut SaleSums, more: SaleSums) {
    let pairs = [
        (&mut to.count, more.count),
        (&mut to.sum, more.sum),
        (&mut to.recharge, more.recharge),
        (&mut to.gift, more.gift),
        (&mut to.points, more.points),
        (&mut to.coupons, more.coupons),
        (&mut to.without_split, more.without_split),
    ];
    for (sum, more) in pairs {
        *sum = sum.saturating_add(more);
    }
}

fn shown(sums: SaleSums, sign: i64) -> Sums {
    Sums {
        count: sums.count,
        sum: yuan(sign * sums.sum),
        recharge: yuan(sign * sums.recharge),
        gift: yuan(sign * sums.gift),
        points: sign * sums.points,
        coupons: sign * sums.coupons,
        without_split: sums.without_split,
    }
}
