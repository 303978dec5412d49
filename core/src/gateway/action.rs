//! Classifies actions and paths. Those that move value are sent only by their own functions, with the journal;
//! documented reads may be sent freely; for all others it is not known whether they move value.

use super::Generation;
use crate::bytes::percent_decoded;

/// Actions that move value: V2's DOC, V3's DOC and SEEN. V3 paths are listed without their generation, so that they
/// are recognised behind any prefix.
const MOVES_VALUE: [&str; 22] = [
    // A member's balance, coupons and points, and their reversal.
    "communal.user.consume",
    "crm/customer/customerConsume",
    "crm/customer/consumeReverse",
    // Coupons only.
    "communal.user.coupons-vertify",
    "coupon.off-coupon",
    "coupon.coupon-exchange",
    "crm/coupon/writeOffCoupon",
    "crm/coupon/couponReverse",
    // Points only.
    "user.points-add",
    "crm/points/addCustomerPoints",
    "crm/points/reducePoints",
    "crm/points/reversePoints",
    // The stored balance only.
    "bsns/customerBalance/userRecharge",
    "bsns/customerBalance/userRechargeReverse",
    "crm/account/decreaseBalance",
    "crm/account/decreaseBalanceReverse",
    // Gift cards.
    "crm/giftCard/unifyCardConsume",
    "crm/giftCard/unifyCardReverse",
    "crm/giftCard/unifyCardPartReverse",
    "crm/giftCard/unifyMultiCardConsume",
    // The simulator's own.
    "sandbox.consume-reverse",
    "sandbox.coupon-reverse",
];

/// Documented reads that are not operations: V2's action and V3's path (the actions are DOC, the paths SEEN).
const READS: [(Option<&str>, Option<&str>); 4] = [
    (Some("user.balance-history"), None),
    (Some("user.user-points-records"), None),
    (Some("user.cybuy-cards-canused"), Some("/v3/crm/giftCard/getCustomerGiftCardList")),
    (None, Some("/v3/crm/account/queryAccountFlow")),
];

/// Whether an action, a path or a whole URL moves value, in any spelling.
pub(crate) fn moves_value(action: &str) -> bool {
    let action = normalised(action);
    // The list is normalised but for its case.
    MOVES_VALUE.iter().any(|known| is_or_ends_with(&action, &known.to_ascii_lowercase()))
}

/// Whether two spellings mean the same action or path.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    normalised(one) == normalised(other)
}

/// Whether `action` is `known`, or a path that ends with it.
pub(crate) fn same_or_behind(action: &str, known: &str) -> bool {
    is_or_ends_with(&normalised(action), &normalised(known))
}

/// The same for normalised spellings.
fn is_or_ends_with(action: &str, known: &str) -> bool {
    action.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// The target of a documented read for an account of that generation; `action` may be either of its names.
pub(crate) fn documented_read(action: &str, generation: Generation) -> Option<&'static str> {
    let (v2, v3) = READS.iter().find(|(v2, v3)| [*v2, *v3].contains(&Some(action)))?;
    match generation {
        Generation::V2 => *v2,
        Generation::V3 => *v3,
    }
}

/// Whether `action` is a documented read of either generation.
pub(crate) fn is_documented_read(action: &str) -> bool {
    READS.iter().any(|(v2, v3)| [*v2, *v3].contains(&Some(action)))
}

/// The form to which a server may normalise it: no query, no percent-encoding (decoded until stable), no doubled
/// slashes or dots, one case.
fn normalised(action: &str) -> String {
    const MOST_TURNS: usize = 16;
    let mut text = action.to_owned();
    for _ in 0..MOST_TURNS {
        let decoded = String::from_utf8_lossy(&percent_decoded(&text)).into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let text = text.to_lowercase().replace('\\', "/");
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let mut parts: Vec<&str> = Vec::new();
    // Text after a semicolon is a parameter of the segment.
    for part in text.split('/').map(|part| part.split(';').next().unwrap_or_default()) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part.trim_end_matches('.')),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_normalised_but_for_its_case() {
        for known in MOVES_VALUE {
            assert_eq!(normalised(known), known.to_ascii_lowercase());
        }
    }

    #[test]
    fn actions_that_move_value_are_recognised_in_any_spelling() {
        for action in [
            "communal.user.consume",
            "Communal.User.Consume",
            " communal.user.consume ",
            "communal.user.consume.",
            "communal%2euser%2Econsume",
            "/v3/crm/account/decreaseBalance",
            "/V3/CRM/Account/DECREASEBALANCE",
            "/v3/crm/account/decreaseBalance/",
            "//v3//crm/account///decreaseBalance",
            "/v3/crm/./account/x/../decreaseBalance",
            "/v3/crm/account/decreaseBalance?x=1",
            "/v3/crm/account/decreaseBalance#x",
            "/v3/crm/account/decreaseBalance;jsessionid=1",
            "/v3/crm/account/decrease%42alance",
            "/v3/crm/account/decrease%2542alance",
            "/v3/crm%2faccount%2FdecreaseBalance",
            "\\v3\\crm\\account\\decreaseBalance",
            "/proxy/v3/crm/account/decreaseBalance",
            "/v3/crm/account/decreaseBalance\t",
            "/v3/crm/account/decreaseBalance%20",
            "/v3/crm/account/decreaseBalance%00",
            "/v3/bsns/customerBalance/userRecharge",
            "/v3/crm/points/addCustomerPoints",
            "/v3/crm/giftCard/unifyCardPartReverse",
            "user.points-add",
            "coupon.off-coupon",
            "communal.user.coupons-vertify",
            "https://h/v3/crm/coupon/writeOffCoupon",
        ] {
            assert!(moves_value(action), "{action}");
        }
        for action in [
            "user.balance-history",
            "/v3/crm/account/getDecreaseBalanceBiz",
            "/v3/crm/account/queryAccountFlow",
            "/v3/crm/account/decreaseBalanceRecords",
            "/v3/bsns/order/orderUpload",
            "communal.user.gether-customer-info",
            "user.user-by-coupon",
            "/",
            "",
        ] {
            assert!(!moves_value(action), "{action}");
        }
    }

    #[test]
    fn a_documented_read_goes_by_either_name_to_the_accounts_own() {
        let both = ["user.cybuy-cards-canused", "/v3/crm/giftCard/getCustomerGiftCardList"];
        for action in both {
            assert_eq!(documented_read(action, Generation::V2), Some(both[0]));
            assert_eq!(documented_read(action, Generation::V3), Some(both[1]));
        }
        assert_eq!(documented_read("user.balance-history", Generation::V2), Some("user.balance-history"));
        assert_eq!(documented_read("user.balance-history", Generation::V3), None);
        assert!(is_documented_read("user.balance-history") && !is_documented_read("user.points-add"));
    }
}
