//! consume (`communal.user.consume`): coupons, balance and points, all or nothing.

use super::{
    Call, Gateway,
    answer::{Done, Refusal, inner},
    codes,
    fen::Fen,
    fields::Fields,
    json_value::JsonValue,
    ledger::{Entry, Figures, Key, Kind, Record, Taken},
    policy::{Refusals, ReturnedBizId, SameBizId},
};
use crate::words::words;

/// A requested consume.
struct Order {
    biz_id: String,
    customer_id: Option<String>,
    /// cardIds, or redemption codes if `scanned`.
    coupons: Vec<String>,
    scanned: bool,
    amount: Fen,
    points: u64,
    pay_password: Option<String>,
    use_password: bool,
    multi_mark: bool,
}

impl Order {
    /// The rules of the vendor's page that need no look-up (DOC).
    fn read(params: &Fields) -> Result<Self, Refusal> {
        let order = Self {
            biz_id: params.must("bizId")?,
            customer_id: params.text("customerId")?,
            coupons: params.texts("couponsCardList")?,
            scanned: is_scanned(params)?,
            amount: params.money("amount")?.unwrap_or_default(),
            points: params.whole("points")?.unwrap_or(0),
            pay_password: params.text("payPassword")?,
            use_password: params
                .text("usePassword")?
                .is_some_and(|text| !matches!(text.as_str(), "0" | "false")),
            multi_mark: params.text("multiMark")?.is_some(),
        };
        if order.coupons.is_empty() && order.amount == Fen::ZERO {
            return Err(Refusal::params(words!(
                "couponsCardList or amount must be given: at least one of them",
                "couponsCardList 与 amount 至少填一个",
            )));
        }
        if order.customer_id.is_none() && (order.coupons.is_empty() || !order.scanned) {
            return Err(Refusal::params(words!(
                "customerId is missing: it is a must unless type is 1",
                "缺少 customerId:type 不为 1 时必填",
            )));
        }
        // Whether a coupon with several uses may be redeemed twice in one call is OPEN; the sandbox refuses it
        // (SANDBOX).
        let mut seen = order.coupons.clone();
        seen.sort();
        if seen.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Refusal::params(words!(
                "couponsCardList names the same coupon twice",
                "couponsCardList 中同一张券出现两次",
            )));
        }
        Ok(order)
    }
}

/// `type` = 1: scanned redemption codes (DOC). 0 is treated as absent (SANDBOX).
pub(super) fn is_scanned(params: &Fields) -> Result<bool, Refusal> {
    match params.text("type")?.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(Refusal::params(words!(
            "type must be 1 or left out, not {other:?}",
            "type 只能为 1 或不填，不能是 {other:?}",
        ))),
    }
}

impl Gateway {
    /// Sets `repeated` if the bizId is known.
    pub(super) fn consume(&mut self, call: &Call, repeated: &mut bool) -> Result<Done, Refusal> {
        let order = Order::read(&call.params)?;
        let key = Key { biz_id: order.biz_id.clone(), account: call.account };
        *repeated = self.ledger.records.contains_key(&key);
        if let Some(done) = self.seen_before(&key)? {
            return Ok(done);
        }
        let customer_id = self.customer(&order)?;
        self.check_password(&order, &customer_id)?;
        let (mut taken, refusal) = self.plan(&order, &customer_id, call.now_s());
        if let Some(refusal) = refusal {
            if self.policy.refusals != Refusals::Partial || taken.is_nothing() {
                return Err(refusal);
            }
            self.take(&key, &order, &customer_id, taken, Kind::PartialConsume, call.now_ms);
            return Err(refusal.with_effect(1));
        }
        if self.policy.refusals == Refusals::CouponsOnly && !taken.coupons.is_empty() {
            taken = Taken { coupons: taken.coupons, ..Taken::default() };
        }
        let what = taken.words();
        let explanation = words!(
            "took {en} of {customer_id}",
            "已从会员 {customer_id} 扣除：{zh}",
            en = what.en,
            zh = what.zh
        );
        let (kind, why) = match self.policy.refusals {
            Refusals::Clean | Refusals::Partial => (Kind::Consume, None),
            Refusals::FullEffect => (
                Kind::Consume,
                Some(words!(
                    "policy refusals is full_effect: everything was done",
                    "网关行为 refusals 设为 full_effect：已全部扣下",
                )),
            ),
            Refusals::CouponsOnly => (
                Kind::PartialConsume,
                Some(words!(
                    "policy refusals is coupons_only: what was done is in the ledger",
                    "网关行为 refusals 设为 coupons_only：实际扣了什么见账本",
                )),
            ),
        };
        let data = self.take(&key, &order, &customer_id, taken, kind, call.now_ms);
        if let Some(why) = why {
            let code = codes::FAILED_AFTER_EFFECT;
            let refusal = Refusal::business("consume.with_effect", code, "处理失败，请稍后再试", why);
            return Err(refusal.with_effect(1));
        }
        Ok(Done { data, explanation, effect: 1 })
    }

    /// The policy's answer to a known bizId. Refusals are not remembered, because the member may have topped up in the
    /// meantime (SANDBOX).
    fn seen_before(&self, key: &Key) -> Result<Option<Done>, Refusal> {
        if self.ledger.reversed_before.contains(key) {
            let why =
                words!("its reversal was answered before it came", "本请求到达之前，它的冲正已得到应答");
            return Err(Refusal::business(
                "consume.reversed_before",
                codes::REVERSED_BEFORE,
                "该业务已冲正",
                why,
            ));
        }
        let Some(record) = self.ledger.records.get(key) else { return Ok(None) };
        match self.policy.same_biz_id {
            SameBizId::Again => Ok(None),
            SameBizId::FirstAnswer => {
                let data = consume_data(&record.returned_biz_id, &record.first);
                let why = words!(
                    "the bizId is known: its first answer again, nothing taken",
                    "单号已存在：返回首次应答，未再扣款",
                );
                Ok(Some(Done::read(data, why)))
            }
            SameBizId::Duplicate => {
                let biz_id = &key.biz_id;
                let why = words!("the bizId {biz_id:?} was used before", "单号 {biz_id:?} 已使用过");
                Err(Refusal::business("consume.duplicate", codes::DUPLICATE, "业务标识重复", why))
            }
        }
    }

    /// The named member, or with type = 1 the owner of the first code (DOC: customerId is then optional).
    fn customer(&self, order: &Order) -> Result<String, Refusal> {
        if let Some(customer_id) = &order.customer_id {
            let member = self.members.get(customer_id).ok_or_else(|| member_unknown(customer_id))?;
            return Ok(member.customer_id.clone());
        }
        let code = order.coupons.first().map(String::as_str).unwrap_or_default();
        let coupon = self.coupons.values().find(|coupon| coupon.redemption_code == code);
        coupon.map(|coupon| coupon.customer_id.clone()).ok_or_else(|| coupon_unknown(code))
    }

    fn check_password(&self, order: &Order, customer_id: &str) -> Result<(), Refusal> {
        let Some(member) = self.members.get(customer_id) else { return Err(member_unknown(customer_id)) };
        let wanted = order.use_password || order.pay_password.is_some() || member.password_required;
        if wanted && (order.pay_password.is_none() || order.pay_password != member.pay_password) {
            let why = if order.pay_password.is_none() {
                words!("no payPassword was given", "未提供 payPassword")
            } else {
                words!("the payPassword differs", "payPassword 不正确")
            };
            return Err(Refusal::business("consume.pay_password", codes::PAY_PASSWORD, "支付密码错误", why));
        }
        Ok(())
    }

    /// The part that can be taken, and the first reason why the rest cannot.
    fn plan(&self, order: &Order, customer_id: &str, now_s: i64) -> (Taken, Option<Refusal>) {
        let mut taken = Taken::default();
        let mut refusal = None;
        for name in &order.coupons {
            let found = self.coupon(name, order.scanned).filter(|coupon| coupon.customer_id == customer_id);
            match found
                .ok_or_else(|| coupon_unknown(name))
                .and_then(|coupon| coupon.redeemable(now_s).map(|()| coupon))
            {
                Ok(coupon) => taken.coupons.push(coupon.card_id.clone()),
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        let Some(member) = self.members.get(customer_id) else { return (taken, refusal) };
        if order.amount <= member.total() {
            // The recharge balance is used first, then the gift balance; the vendor's order is OPEN (SANDBOX).
            taken.recharge = order.amount.min(member.recharge);
            taken.gift = order.amount.minus(taken.recharge);
        } else {
            let (wanted, there) = (order.amount, member.total());
            let why = words!("{wanted} is wanted, {there} is there", "需要 {wanted}，余额只有 {there}");
            refusal = refusal.or(Some(Refusal::business("consume.balance", codes::BALANCE, "余额不足", why)));
        }
        if order.points <= member.points {
            taken.points = order.points;
        } else {
            let (wanted, there) = (order.points, member.points);
            let why = words!(
                "{wanted} points are wanted, {there} are there",
                "需要 {wanted} 积分，只有 {there} 积分"
            );
            refusal = refusal.or(Some(Refusal::business("consume.points", codes::POINTS, "积分不足", why)));
        }
        (taken, refusal)
    }

    /// Executes the deduction, records it in the ledger, and returns the data of the success.
    fn take(
        &mut self,
        key: &Key,
        order: &Order,
        customer_id: &str,
        taken: Taken,
        kind: Kind,
        now_ms: i64,
    ) -> JsonValue {
        for card_id in &taken.coupons {
            if let Some(coupon) = self.coupons.get_mut(card_id) {
                coupon.times_left = coupon.times_left.saturating_sub(1);
            }
        }
        let (mut recharge_after, mut gift_after) = (Fen::ZERO, Fen::ZERO);
        if let Some(member) = self.members.get_mut(customer_id) {
            member.recharge = member.recharge.minus(taken.recharge);
            member.gift = member.gift.minus(taken.gift);
            member.points = member.points.saturating_sub(taken.points);
            (recharge_after, gift_after) = (member.recharge, member.gift);
        }
        self.sequence += 1;
        let returned_biz_id = match self.policy.returned_biz_id {
            ReturnedBizId::Same => key.biz_id.clone(),
            ReturnedBizId::Other => format!("ZV{:012}", self.sequence),
        };
        if returned_biz_id != key.biz_id {
            let returned = Key { biz_id: returned_biz_id.clone(), account: key.account };
            self.ledger.returned.insert(returned, key.clone());
        }
        let figures =
            Figures { taken: taken.clone(), recharge_after, gift_after, multi_mark: order.multi_mark };
        let data = consume_data(&returned_biz_id, &figures);
        let record = self.ledger.records.entry(key.clone()).or_insert_with(|| Record {
            customer_id: customer_id.to_owned(),
            returned_biz_id,
            asked: order.amount,
            first: figures,
            standing: Vec::new(),
            entries: Vec::new(),
        });
        record.entries.push(Entry { kind, at_unix_ms: now_ms, moved: taken.clone(), net: 1 });
        record.standing.push(taken);
        data
    }
}

pub(super) fn member_unknown(customer_id: &str) -> Refusal {
    let why = words!("no member has the id {customer_id:?}", "没有标识为 {customer_id:?} 的会员");
    Refusal::business("member.unknown", codes::MEMBER_UNKNOWN, "会员不存在", why)
}

pub(super) fn coupon_unknown(name: &str) -> Refusal {
    let why = words!("this member has no coupon {name:?}", "该会员没有券 {name:?}");
    Refusal::business("coupon.unknown", codes::COUPON_UNKNOWN, "优惠券不存在", why)
}

/// The fields of the vendor's page (DOC). A sale with a store code is booked to the store, any other to head office
/// (SANDBOX: the vendor's criterion is OPEN).
fn consume_data(biz_id: &str, figures: &Figures) -> JsonValue {
    let Figures { taken, recharge_after, gift_after, multi_mark } = figures;
    let (store, shop) = if *multi_mark { (Fen::ZERO, taken.amount()) } else { (taken.amount(), Fen::ZERO) };
    inner(vec![
        ("bizId", JsonValue::text(biz_id)),
        ("couponsCardList", JsonValue::List(taken.coupons.iter().map(JsonValue::text).collect())),
        ("gift_amount", JsonValue::text(gift_after)),
        ("recharge_amount", JsonValue::text(recharge_after)),
        ("total_amount", JsonValue::text(recharge_after.plus(*gift_after))),
        ("change_gift_amount", JsonValue::text(taken.gift)),
        ("change_recharge_amount", JsonValue::text(taken.recharge)),
        ("storeBalance", JsonValue::text(store)),
        ("shopBalance", JsonValue::text(shop)),
    ])
}

/// A success of a sale that does not exist: the fault `stray_answer` sends it on the connection.
pub(super) fn foreign_success() -> JsonValue {
    let taken = Taken { recharge: Fen::new(8800), ..Taken::default() };
    let figures = Figures { taken, recharge_after: Fen::new(1200), gift_after: Fen::ZERO, multi_mark: true };
    consume_data("OTHER-TILL-0001", &figures)
}
