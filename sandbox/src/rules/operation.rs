//! The operations and how each is called in either generation of the API (docs/gateway.md, section 1).

use serde::{Deserialize, Serialize};

/// Which of the vendor's two APIs a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Generation {
    /// One path, `Action` in the body, `PascalCase` envelope (DOC).
    V2,
    /// One path an operation, camelCase envelope (DOC).
    V3,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Coupons, balance and points in one.
    Consume,
    /// What a coupon takes off a basket.
    Quote,
    /// Undo a consume (冲正).
    Reverse,
    /// Undo only the redemption of coupons.
    CouponReverse,
    /// Find a balance deduction by its bizId.
    BalanceByBiz,
    /// The coupons of a member and their state.
    CouponStatus,
    /// Find a member.
    Member,
    /// The coupons that fit a basket.
    Usable,
}

/// V2's one path (DOC).
pub const V2_PATH: &str = "/api/v2";

/// Operation, V2 action, V3 path. An action that begins with `sandbox.` is the sandbox's own: the vendor's is OPEN.
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
