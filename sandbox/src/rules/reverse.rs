//! The reversals. The vendor's params are OPEN; the sandbox's are `{bizId, customerId?, amount?}` for a consume and
//! `{bizId, customerId?, couponsCardList?}` for the coupons of a consume.

use super::{
    Call, Gateway,
    answer::{Done, Refusal, inner},
    codes,
    json_value::JsonValue,
    ledger::{Entry, Key, Kind, Record, Taken},
    policy::{AlreadyReversed, UnknownReversal},
};
use crate::words::{Words, words};

impl Gateway {
    /// Gives back everything still in force under a bizId.
    pub(super) fn reverse(&mut self, call: &Call) -> Result<Done, Refusal> {
        let biz_id = call.params.must("bizId")?;
        let customer_id = call.params.text("customerId")?;
        let amount = call.params.money("amount")?;
        let Some(key) = self.reversible(&biz_id, call)? else { return self.reverse_unknown(&biz_id, call) };
        let acts_twice = self.policy.reversal_acts_twice;
        let Some(record) = self.ledger.records.get_mut(&key) else { return Err(not_found(&biz_id)) };
        check_customer(record, customer_id.as_deref())?;
        let taken = record.first.taken.amount();
        if let Some(asked) = amount.filter(|asked| *asked != taken) {
            let why = words!("{asked} is asked for, {taken} was taken", "要求冲正 {asked}，实际扣了 {taken}");
            return Err(Refusal::business("reverse.amount", codes::REVERSE_MISMATCH, "冲正金额不符", why));
        }
        let mut back = std::mem::take(&mut record.standing);
        if back.is_empty() {
            if !acts_twice {
                return self.already(&biz_id);
            }
            back.push(record.first.taken.clone());
        }
        for moved in &back {
            record.entries.push(Entry {
                kind: Kind::Reverse,
                at_unix_ms: call.now_ms,
                moved: moved.clone(),
                net: -1,
            });
        }
        let customer_id = record.customer_id.clone();
        let effect = -i64::try_from(back.len()).unwrap_or(i64::MAX);
        for moved in &back {
            self.give_back(&customer_id, moved);
        }
        Ok(Done { data: reversal_data(&biz_id), explanation: gave_back(&back), effect })
    }

    /// Gives back all or the named coupons of a consume; the balance stays taken.
    pub(super) fn coupon_reverse(&mut self, call: &Call) -> Result<Done, Refusal> {
        let biz_id = call.params.must("bizId")?;
        let customer_id = call.params.text("customerId")?;
        let wanted = call.params.texts("couponsCardList")?;
        let Some(key) = self.reversible(&biz_id, call)? else { return self.reverse_unknown(&biz_id, call) };
        let Some(record) = self.ledger.records.get_mut(&key) else { return Err(not_found(&biz_id)) };
        check_customer(record, customer_id.as_deref())?;
        if let Some(foreign) = wanted.iter().find(|card_id| !record.first.taken.coupons.contains(card_id)) {
            let why = words!(
                "the coupon {foreign} was not redeemed under {biz_id:?}",
                "券 {foreign} 不是在单号 {biz_id:?} 下核销的",
            );
            return Err(Refusal::business(
                "reverse.coupon",
                codes::REVERSE_MISMATCH,
                "优惠券不属于该业务",
                why,
            ));
        }
        let mut back = Vec::new();
        let mut effect = 0;
        for standing in &mut record.standing {
            let given = |card_id: &String| wanted.is_empty() || wanted.contains(card_id);
            let coupons: Vec<String> =
                standing.coupons.iter().filter(|card_id| given(card_id)).cloned().collect();
            if coupons.is_empty() {
                continue;
            }
            standing.coupons.retain(|card_id| !coupons.contains(card_id));
            let moved = Taken { coupons, ..Taken::default() };
            let net = if standing.is_nothing() { -1 } else { 0 };
            effect += net;
            let (kind, at_unix_ms) = (Kind::CouponReverse, call.now_ms);
            record.entries.push(Entry { kind, at_unix_ms, moved: moved.clone(), net });
            back.push(moved);
        }
        record.standing.retain(|standing| !standing.is_nothing());
        if back.is_empty() {
            return self.already(&biz_id);
        }
        let customer_id = record.customer_id.clone();
        for moved in &back {
            self.give_back(&customer_id, moved);
        }
        Ok(Done { data: reversal_data(&biz_id), explanation: gave_back(&back), effect })
    }

    /// The consume that a reversal names, by the bizId of its answer or of its request. `None` if it is unknown.
    fn reversible(&self, biz_id: &str, call: &Call) -> Result<Option<Key>, Refusal> {
        if self.policy.refuse_reversals {
            let why = words!("policy refuse_reversals", "网关行为 refuse_reversals：拒绝一切冲正");
            return Err(Refusal::business("reverse.refused", codes::REVERSE_REFUSED, "不允许冲正", why));
        }
        let key = Key { biz_id: biz_id.to_owned(), account: call.account };
        let by_returned = self.ledger.returned.get(&key).cloned();
        let by_sent = |record: &&Record| self.policy.reverse_by_sent || record.returned_biz_id == biz_id;
        let found = by_returned.or_else(|| self.ledger.records.get(&key).filter(by_sent).map(|_| key));
        let Some(record) = found.as_ref().and_then(|key| self.ledger.records.get(key)) else {
            return Ok(None);
        };
        let since = record.entries.first().map_or(call.now_ms, |entry| entry.at_unix_ms);
        let age_ms = u64::try_from(call.now_ms.saturating_sub(since)).unwrap_or(0);
        if self.policy.reversal_window_ms.is_some_and(|window_ms| age_ms > window_ms) {
            let why = words!("{age_ms} ms after the consume", "距扣款已过 {age_ms} 毫秒");
            return Err(Refusal::business("reverse.too_late", codes::REVERSE_TOO_LATE, "超过冲正时限", why));
        }
        Ok(found)
    }

    fn reverse_unknown(&mut self, biz_id: &str, call: &Call) -> Result<Done, Refusal> {
        // With G1 off the consume may exist and only not be found; then no late original is expected.
        let key = Key { biz_id: biz_id.to_owned(), account: call.account };
        if self.policy.remember_unknown_reversals && !self.ledger.records.contains_key(&key) {
            self.ledger.reversed_before.insert(key);
        }
        match self.policy.unknown_reversal {
            UnknownReversal::NotFound => Err(not_found(biz_id)),
            UnknownReversal::Success => {
                let why = words!(
                    "nothing is known of it; the policy says success",
                    "没有这笔扣款；按设定的网关行为返回成功",
                );
                Ok(Done::read(reversal_data(biz_id), why))
            }
        }
    }

    fn already(&self, biz_id: &str) -> Result<Done, Refusal> {
        match self.policy.already_reversed {
            AlreadyReversed::Success => {
                let why = words!("it is reversed already: nothing done", "此前已冲正：未做任何处理");
                Ok(Done::read(reversal_data(biz_id), why))
            }
            AlreadyReversed::Code => {
                let why = words!(
                    "{biz_id:?} is reversed already: nothing done",
                    "{biz_id:?} 此前已冲正：未做任何处理"
                );
                Err(Refusal::business("reverse.already", codes::REVERSE_ALREADY, "该业务已冲正", why))
            }
        }
    }

    fn give_back(&mut self, customer_id: &str, moved: &Taken) {
        if let Some(member) = self.members.get_mut(customer_id) {
            member.recharge = member.recharge.plus(moved.recharge);
            member.gift = member.gift.plus(moved.gift);
            member.points = member.points.saturating_add(moved.points);
        }
        for card_id in &moved.coupons {
            if let Some(coupon) = self.coupons.get_mut(card_id) {
                coupon.times_left = coupon.times_left.saturating_add(1);
            }
        }
    }
}

fn check_customer(record: &Record, customer_id: Option<&str>) -> Result<(), Refusal> {
    match customer_id {
        Some(other) if other != record.customer_id => {
            let why = words!("{other:?} is not the member of that consume", "{other:?} 不是该笔扣款的会员");
            Err(Refusal::business("reverse.member", codes::REVERSE_MISMATCH, "会员与原业务不符", why))
        }
        _ => Ok(()),
    }
}

fn not_found(biz_id: &str) -> Refusal {
    let why = words!("no consume is known by the bizId {biz_id:?}", "没有单号为 {biz_id:?} 的扣款");
    Refusal::business("reverse.not_found", codes::REVERSE_NOT_FOUND, "原业务不存在", why)
}

fn gave_back(back: &[Taken]) -> Words {
    let (en, zh): (Vec<_>, Vec<_>) = back.iter().map(Taken::words).map(|Words { en, zh }| (en, zh)).unzip();
    words!("gave back {en}", "已退回：{zh}", en = en.join(" and "), zh = zh.join("；"))
}

fn reversal_data(biz_id: &str) -> JsonValue {
    inner(vec![("bizId", JsonValue::text(biz_id))])
}
