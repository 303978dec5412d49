//! Where an operation is sent. A route is data: the vendor changes names and hosts between generations, and tells an
//! integrator what the public pages leave OPEN.

use ureq::http::Uri;

/// The generation of the vendor's API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Generation {
    /// One URL; the operation is in `Action`; capitalised names (DOC).
    #[default]
    V2,
    /// One path per operation; names in lower case; no `Action` (DOC).
    V3,
}

/// The operations that this library can request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Takes a member's coupons, balance and points.
    Consume,
    /// Asks what a coupon is worth for a basket.
    Quote,
    /// Finds a member by code, phone or card.
    MemberLookup,
    /// Lists a member's coupons with their status.
    CouponStatus,
    /// Lists the coupons that can be used for a basket.
    UsableCoupons,
    /// Finds a balance deduction by its bizId.
    BalanceByBizId,
    /// Reverses a consume (冲正).
    Reverse,
}

/// The route of one operation to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// How the envelope is written.
    pub generation: Generation,
    /// The complete URL of the POST request.
    pub url: String,
    /// The same, parsed; `None` if it is no URL.
    pub(crate) uri: Option<Uri>,
    /// V2's `Action`; empty for V3.
    pub action: String,
    /// Whether plain digits in the vendor's numeric fields are sent as numbers instead of strings.
    pub numbers: bool,
}

impl Generation {
    /// The value in the configuration.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Generation::V2 => "v2",
            Generation::V3 => "v3",
        }
    }

    /// The generation of that value.
    pub(crate) fn from_word(word: &str) -> Option<Generation> {
        [Generation::V2, Generation::V3].into_iter().find(|generation| generation.as_str() == word)
    }

    /// The vendor's own endpoint: V2's whole URL (DOC), V3's host (SEEN; the vendor's pages show the old host).
    pub(crate) fn default_endpoint(self) -> &'static str {
        match self {
            Generation::V2 => "http://openapi.zvcms.com/api/v2",
            Generation::V3 => "https://openapi.qmai.cn",
        }
    }
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 7] = [
        Operation::Consume,
        Operation::Quote,
        Operation::MemberLookup,
        Operation::CouponStatus,
        Operation::UsableCoupons,
        Operation::BalanceByBizId,
        Operation::Reverse,
    ];

    /// The key under `routes` in the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Operation::Consume => "consume",
            Operation::Quote => "quote",
            Operation::MemberLookup => "member_lookup",
            Operation::CouponStatus => "coupon_status",
            Operation::UsableCoupons => "usable_coupons",
            Operation::BalanceByBizId => "balance_by_biz_id",
            Operation::Reverse => "reverse",
        }
    }

    /// Whether it takes nothing, so that `zv_call_json` may request it.
    pub(crate) fn is_read(self) -> bool {
        !matches!(self, Operation::Consume | Operation::Reverse)
    }

    /// V2's `Action` or V3's path; `None` where it is OPEN.
    pub(crate) fn default_target(self, generation: Generation) -> Option<&'static str> {
        match (generation, self) {
            (Generation::V2, Operation::Consume) => Some("communal.user.consume"),
            (Generation::V2, Operation::Quote) => Some("user.user-by-coupon"),
            // Spelled as by the vendor.
            (Generation::V2, Operation::MemberLookup) => Some("communal.user.gether-customer-info"),
            (Generation::V2, Operation::CouponStatus) => Some("user.coupon-new-status"),
            (Generation::V2, Operation::UsableCoupons) => Some("user.user-use-coupon"),
            // OPEN: no default is known.
            (Generation::V2, Operation::BalanceByBizId | Operation::Reverse) => None,
            (Generation::V3, Operation::Consume) => Some("/v3/crm/customer/customerConsume"),
            (Generation::V3, Operation::Quote) => Some("/v3/cy/customer/computeCoupon"),
            (Generation::V3, Operation::MemberLookup) => Some("/v3/crm/customer/gatherCustomerInfo"),
            (Generation::V3, Operation::CouponStatus) => Some("/v3/crm/coupon/getCustomerCoupons"),
            (Generation::V3, Operation::UsableCoupons) => Some("/v3/cy/customer/chooseCouponAsOne"),
            (Generation::V3, Operation::Reverse) => Some("/v3/crm/customer/consumeReverse"),
            (Generation::V3, Operation::BalanceByBizId) => Some("/v3/crm/account/getDecreaseBalanceBiz"),
        }
    }
}

impl Route {
    /// The route to `target` (V2: action, V3: path) of that generation at that endpoint.
    pub fn new(generation: Generation, endpoint: &str, target: &str, numbers: bool) -> Route {
        let (url, action) = match generation {
            Generation::V2 => (endpoint.to_owned(), target.to_owned()),
            Generation::V3 => (format!("{}{target}", endpoint.trim_end_matches('/')), String::new()),
        };
        Route { generation, uri: url.parse().ok(), url, action, numbers }
    }

    /// Whether the request can be read in transit.
    pub fn is_plain_http(&self) -> bool {
        self.url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v2_posts_to_one_url_and_v3_to_a_path_each() {
        let v2 = Route::new(Generation::V2, "http://h/api/v2", "communal.user.consume", false);
        assert_eq!((v2.url.as_str(), v2.action.as_str()), ("http://h/api/v2", "communal.user.consume"));
        let v3 = Route::new(Generation::V3, "https://h/", "/v3/a", false);
        assert_eq!((v3.url.as_str(), v3.action.as_str()), ("https://h/v3/a", ""));
        assert!(v2.is_plain_http() && !v3.is_plain_http());
        assert!(Route::new(Generation::V2, "HTTP://h", "a", false).is_plain_http());
    }
}
