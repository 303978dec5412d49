//! The operations and their names in each generation of the API (docs/gateway.md, section 1).

use serde::{Deserialize, Serialize};

/// The generation of the vendor's API that a request uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Generation {
    /// One path, `Action` in the body, `PascalCase` envelope (DOC).
    V2,
    /// One path for each operation, camelCase envelope (DOC).
    V3,
}

/// The operation that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Takes coupons, balance and points together.
    Consume,
    /// The discount of a coupon on a basket.
    Quote,
    /// Reverses a consume (冲正).
    Reverse,
    /// Reverses only the redemption of coupons.
    CouponReverse,
    /// Finds a balance deduction by its bizId.
    BalanceByBiz,
    /// The coupons of a member and their states.
    CouponStatus,
    /// Finds a member.
    Member,
    /// The coupons that fit a basket.
    Usable,
}

/// The single path of V2 (DOC).
pub const V2_PATH: &str = "/api/v2";

/// Operation, V2 action, V3 path. An action that begins with `sandbox.` is the sandbox's own, because the vendor's is
/// OPEN.
pub const ROUTES: &[(Operation, &str, &str)] = &[
    (Operation::Consume, "communal.user.consume", "/v3/crm/customer/customerConsume"),
    (Operation::Quote, "user.user-by-coupon", "/v3/cy/customer/computeCoupon"),
    (Operation::Reverse, "sandbox.consume-reverse", "/v3/crm/customer/consumeReverse"),
    (Operation::CouponReverse, "sandbox.coupon-reverse", "/v3/crm/coupon/couponReverse"),
    (Operation::BalanceByBiz, "sandbox.balance-by-biz", "/v3/crm/account/getDecreaseBalanceBiz"),
    (Operation::CouponStatus, "user.coupon-new-status", "/v3/crm/coupon/getCustomerCoupons"),
    (Operation::Member, "communal.user.gether-customer-info", "/v3/crm/customer/gatherCustomerInfo"),
    (Operation::Usable, "user.user-use-coupon", "/v3/cy/customer/chooseCouponAsOne"),
];

impl Operation {
    pub(super) fn of_action(action: &str) -> Option<Self> {
        ROUTES.iter().find(|(_, v2, _)| *v2 == action).map(|(operation, ..)| *operation)
    }

    pub(super) fn of_path(path: &str) -> Option<Self> {
        ROUTES.iter().find(|(_, _, v3)| *v3 == path).map(|(operation, ..)| *operation)
    }
}
