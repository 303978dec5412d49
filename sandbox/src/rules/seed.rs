//! The initial state of the gateway: accounts, members, coupons. Requests change this state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{coupon::Coupon, fen::Fen};

/// An integrator's credentials. The built-in ones are the invented ones of docs/gateway.md, section 2.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// 密钥Id.
    pub open_id: String,
    /// 授权code.
    pub grant_code: String,
    /// The signature key.
    pub open_key: String,
}

/// A member.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// 18 digits.
    pub customer_id: String,
    /// The code that a member shows at the till.
    pub member_code: String,
    /// The phone number.
    pub phone: String,
    /// The number of the card.
    pub card_no: String,
    /// Alipay userid, may be empty.
    #[serde(default)]
    pub alipay_user_id: String,
    /// `WeChat` openid, may be empty.
    #[serde(default)]
    pub wechat_open_id: String,
    /// unionid, may be empty.
    #[serde(default)]
    pub union_id: String,
    /// The display name.
    pub nickname: String,
    /// `YYYY-MM-DD`, may be empty.
    #[serde(default)]
    pub birthday: String,
    /// 0 unknown, 1 male, 2 female (DOC).
    #[serde(default)]
    pub gender: u8,
    /// The recharge balance (充值余额).
    pub recharge: Fen,
    /// The gift balance (赠送余额).
    pub gift: Fen,
    /// Points.
    pub points: u64,
    /// The payment password, if there is one.
    pub pay_password: Option<String>,
    /// Whether every deduction requires the payment password.
    #[serde(default)]
    pub password_required: bool,
}

impl Member {
    /// The sum of both balances.
    pub fn total(&self) -> Fen {
        self.recharge.plus(self.gift)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    accounts: Vec<Account>,
    members: Vec<Member>,
    coupons: Vec<Coupon>,
}

/// Validated seed data, indexed for the gateway's look-ups.
#[derive(Clone, Debug)]
pub struct Seed {
    pub(super) accounts: Vec<Account>,
    /// By customerId.
    pub(super) members: BTreeMap<String, Member>,
    /// By cardId.
    pub(super) coupons: BTreeMap<String, Coupon>,
}

impl Seed {
    /// The built-in data.
    pub const DEFAULT_JSON: &'static str = include_str!("../default-data.json");

    /// Parses seed data.
    ///
    /// # Errors
    /// A text: invalid JSON, an unknown field, a duplicate, an invalid coupon, or one without an owner.
    pub fn parse(json: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut seed = Self { accounts: file.accounts, members: BTreeMap::new(), coupons: BTreeMap::new() };
        for member in file.members {
            if let Some(other) = seed.members.insert(member.customer_id.clone(), member) {
                return Err(format!("member {} is there twice", other.customer_id));
            }
        }
        for coupon in file.coupons {
            coupon.check()?;
            if !seed.members.contains_key(&coupon.customer_id) {
                return Err(format!("coupon {} belongs to no member", coupon.card_id));
            }
            if let Some(other) = seed.coupons.insert(coupon.card_id.clone(), coupon) {
                return Err(format!("coupon {} is there twice", other.card_id));
            }
        }
        Ok(seed)
    }
}

/// A coupon as the admin API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponView {
    /// The id of the member's coupon.
    pub card_id: String,
    /// Its name.
    pub name: String,
    /// `useStatus` (DOC).
    pub use_status: u8,
    /// The number of redemptions left.
    pub times_left: u32,
}

/// A member as the admin API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// 18 digits.
    pub customer_id: String,
    /// The display name.
    pub nickname: String,
    /// The sum of both balances, 元.
    pub total: String,
    /// The recharge balance, 元.
    pub recharge: String,
    /// The gift balance, 元.
    pub gift: String,
    /// Points.
    pub points: u64,
    /// All coupons.
    pub coupons: Vec<CouponView>,
}
