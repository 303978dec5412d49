//! The look-ups: member, coupon status, balance deduction by bizId. The known fields of their answers are in
//! docs/gateway.md, section 3; every other field is SANDBOX.

use std::collections::BTreeMap;

use super::{
    Call, Gateway,
    answer::{Done, Refusal},
    calendar, codes,
    consume::member_unknown,
    coupon::Coupon,
    json_value::JsonValue,
    ledger::{Key, Kind},
    seed::{CouponView, Member, MemberView},
};
use crate::words::{Words, words};

impl Gateway {
    /// By member code or id (type 1), phone, card, Alipay userid, `WeChat` openid, unionid (2 to 6, DOC).
    pub(super) fn member(&self, call: &Call) -> Result<Done, Refusal> {
        let wanted = call.params.must("identifierNumber")?;
        let kind = call.params.must("type")?;
        let matches: fn(&Member, &str) -> bool = match kind.as_str() {
            "1" => |member, wanted| member.member_code == wanted || member.customer_id == wanted,
            "2" => |member, wanted| member.phone == wanted,
            "3" => |member, wanted| member.card_no == wanted,
            "4" => |member, wanted| member.alipay_user_id == wanted,
            "5" => |member, wanted| member.wechat_open_id == wanted,
            "6" => |member, wanted| member.union_id == wanted,
            _ => {
                return Err(nothing_found(words!(
                    "type {kind:?} is none of 1 to 6",
                    "type {kind:?} 不在 1 到 6 之内"
                )));
            }
        };
        let member = self.members.values().find(|member| matches(member, &wanted));
        let member =
            member.ok_or_else(|| nothing_found(words!("no member is known by that", "查无此会员")))?;
        let coupons =
            self.coupons_of(&member.customer_id).map(|coupon| coupon_row(coupon, call.now_s())).collect();
        let data = JsonValue::Object(vec![
            ("customerId", JsonValue::text(&member.customer_id)),
            ("customerCode", JsonValue::text(&member.member_code)),
            ("phone", JsonValue::text(&member.phone)),
            ("cardNo", JsonValue::text(&member.card_no)),
            ("nickname", JsonValue::text(&member.nickname)),
            ("birthday", JsonValue::text(&member.birthday)),
            ("gender", JsonValue::text(member.gender)),
            ("recharge_amount", JsonValue::text(member.recharge)),
            ("gift_amount", JsonValue::text(member.gift)),
            ("total_amount", JsonValue::text(member.total())),
            ("points", JsonValue::text(member.points)),
            ("coupons", JsonValue::List(coupons)),
        ]);
        Ok(Done::read(data, words!("found {id}", "查到会员 {id}", id = member.customer_id)))
    }

    /// Takes `{customerId, useStatus?, cardId?}`, returns a list with `cardId` and `useStatus` (DOC).
    pub(super) fn coupon_status(&self, call: &Call) -> Result<Done, Refusal> {
        let customer_id = call.params.must("customerId")?;
        let (status, card_id) = (call.params.text("useStatus")?, call.params.text("cardId")?);
        if !self.members.contains_key(&customer_id) {
            return Err(member_unknown(&customer_id));
        }
        let now_s = call.now_s();
        let coupons = self
            .coupons_of(&customer_id)
            .filter(|coupon| card_id.as_ref().is_none_or(|card_id| *card_id == coupon.card_id))
            .filter(|coupon| {
                status.as_ref().is_none_or(|status| *status == coupon.use_status(now_s).to_string())
            });
        let rows: Vec<JsonValue> = coupons.map(|coupon| coupon_row(coupon, now_s)).collect();
        let explanation = words!("{count} coupons", "共 {count} 张券", count = rows.len());
        Ok(Done::read(JsonValue::List(rows), explanation))
    }

    /// Takes `{bizId, customerId}`, returns `{amount, bizId, changeTime, customerId, orderNo}` (SEEN). A reversed
    /// deduction is no longer found (SANDBOX).
    pub(super) fn balance_by_biz(&self, call: &Call) -> Result<Done, Refusal> {
        let sent = Key { biz_id: call.params.must("bizId")?, account: call.account };
        let customer_id = call.params.text("customerId")?;
        let key = self.ledger.returned.get(&sent).unwrap_or(&sent);
        let record = self.ledger.records.get(key);
        let record = record.filter(|record| {
            customer_id.as_ref().is_none_or(|customer_id| *customer_id == record.customer_id)
        });
        let standing = record.and_then(|record| Some((record, record.standing.first()?)));
        let standing = standing.filter(|(_, taken)| taken.amount().get() > 0);
        let Some((record, taken)) = standing else {
            let biz_id = &sent.biz_id;
            return Err(nothing_found(words!(
                "no balance is taken under the bizId {biz_id:?}",
                "单号 {biz_id:?} 下没有余额扣款",
            )));
        };
        let took =
            record.entries.iter().find(|entry| matches!(entry.kind, Kind::Consume | Kind::PartialConsume));
        let at_s = took.map_or(0, |entry| entry.at_unix_ms.div_euclid(1000));
        let data = JsonValue::Object(vec![
            ("amount", JsonValue::text(taken.amount())),
            ("bizId", JsonValue::text(&sent.biz_id)),
            ("changeTime", JsonValue::text(calendar::china_time(at_s))),
            ("customerId", JsonValue::text(&record.customer_id)),
            ("orderNo", JsonValue::text(&record.returned_biz_id)),
        ]);
        Ok(Done::read(data, words!("{amount} is taken", "已扣余额 {amount}", amount = taken.amount())))
    }

    fn coupons_of<'a>(&'a self, customer_id: &'a str) -> impl Iterator<Item = &'a Coupon> {
        self.coupons.values().filter(move |coupon| coupon.customer_id == customer_id)
    }

    /// A member's balances and coupons, for the admin API. `now_unix_ms` as in `handle`.
    pub fn member_view(&self, customer_id: &str, now_unix_ms: i64) -> Option<MemberView> {
        let member = self.members.get(customer_id)?;
        Some(self.view(member, self.coupons_of(customer_id), now_unix_ms))
    }

    /// The first members by customerId, for the admin API.
    pub fn member_views(&self, count: usize, now_unix_ms: i64) -> Vec<MemberView> {
        let mut coupons: BTreeMap<&str, Vec<&Coupon>> = BTreeMap::new();
        for coupon in self.coupons.values() {
            coupons.entry(&coupon.customer_id).or_default().push(coupon);
        }
        let members = self.members.values().take(count);
        let own = |member: &Member| coupons.get(member.customer_id.as_str()).cloned().unwrap_or_default();
        members.map(|member| self.view(member, own(member).into_iter(), now_unix_ms)).collect()
    }

    fn view<'a>(
        &self,
        member: &Member,
        coupons: impl Iterator<Item = &'a Coupon>,
        now_unix_ms: i64,
    ) -> MemberView {
        let now_s = self.clock(now_unix_ms).div_euclid(1000);
        let view = |coupon: &Coupon| CouponView {
            card_id: coupon.card_id.clone(),
            name: coupon.name.clone(),
            use_status: coupon.use_status(now_s),
            times_left: coupon.times_left,
        };
        MemberView {
            customer_id: member.customer_id.clone(),
            nickname: member.nickname.clone(),
            total: member.total().to_string(),
            recharge: member.recharge.to_string(),
            gift: member.gift.to_string(),
            points: member.points,
            coupons: coupons.map(view).collect(),
        }
    }
}

fn coupon_row(coupon: &Coupon, now_s: i64) -> JsonValue {
    JsonValue::Object(vec![
        ("cardId", JsonValue::text(&coupon.card_id)),
        ("couponId", JsonValue::text(&coupon.coupon_id)),
        ("couponName", JsonValue::text(&coupon.name)),
        ("couponCode", JsonValue::text(&coupon.coupon_code)),
        ("useStatus", JsonValue::text(coupon.use_status(now_s))),
    ])
}

/// The message is DOC: the vendor's example of a business refusal.
fn nothing_found(why: Words) -> Refusal {
    Refusal::business("lookup.nothing", codes::NOT_FOUND, "查询的信息不存在", why)
}
