//! Coupons on a basket: the quote (`user.user-by-coupon`) and the coupons that fit (`user.user-use-coupon`). Neither
//! changes anything.

use super::{
    Call, Gateway,
    answer::{Done, Refusal},
    consume::{coupon_unknown, is_scanned, member_unknown},
    coupon::{Coupon, Line},
    fen::Fen,
    fields::{Bad, Fields},
    json_value::JsonValue,
    seed::Member,
};
use crate::words::words;

/// The longest basket, so that a request cannot keep the sandbox busy (SANDBOX).
const LINES_MAX: usize = 1000;

fn basket(params: &Fields, names: &[&str], mark: [&str; 2]) -> Result<Vec<Line>, Bad> {
    let mut lines = Vec::new();
    for name in names {
        lines.extend(params.objects(name)?);
    }
    if lines.is_empty() || lines.len() > LINES_MAX {
        return Err(words!(
            "{names} must hold 1 to {LINES_MAX} lines, not {count}",
            "{names} 必须有 1 到 {LINES_MAX} 行，实际为 {count} 行",
            names = names.join("/"),
            count = lines.len(),
        ));
    }
    lines.iter().map(|line| read_line(line, mark)).collect()
}

fn read_line(line: &Fields, mark: [&str; 2]) -> Result<Line, Bad> {
    let num = line
        .whole("num")?
        .filter(|num| *num > 0)
        .ok_or_else(|| words!("num must be 1 or more", "num 必须大于等于 1"))?;
    let price = line.money("price")?.ok_or_else(|| words!("price is missing", "缺少 price"))?;
    let trade_mark = line
        .any(&mark)?
        .ok_or_else(|| words!("{names} is missing", "缺少 {names}", names = mark.join("/")))?;
    // The limit of a single amount applies to a line, too.
    let total = price.get().checked_mul(num).filter(|total| *total < 100_000_000_000_000);
    let total =
        total.ok_or_else(|| words!("{num} times {price} is too much", "{num} 乘以 {price} 超出上限"))?;
    Ok(Line { trade_mark, total: Fen::new(total) })
}

impl Gateway {
    /// The fields of the vendor's page; those for type = 1 only with that type (DOC).
    pub(super) fn quote(&self, call: &Call) -> Result<Done, Refusal> {
        let params = &call.params;
        let scanned = is_scanned(params)?;
        let basket = basket(params, &["items"], ["trade_mark", "tradeMark"])?;
        let already = params.money("discount_price")?.unwrap_or_default();
        let (coupon, member) = self.quoted(params, scanned)?;
        coupon.redeemable(call.now_s())?;
        let discount = coupon.discount(&basket, already)?;
        let goods = basket.iter().zip(&discount.lines).map(|(line, minus)| {
            JsonValue::Object(vec![
                ("trade_mark", JsonValue::text(&line.trade_mark)),
                ("coupon_minus", JsonValue::text(minus)),
            ])
        });
        let goods = goods.collect();
        let mut data = vec![
            ("type_cate", JsonValue::text(params.text("type_cate")?.unwrap_or_else(|| "1".to_owned()))),
            ("multi_mark", JsonValue::text(params.text("multi_mark")?.unwrap_or_default())),
            ("coupon_discount", JsonValue::text(discount.total)),
        ];
        if scanned {
            let whole = Fen::new(basket.iter().map(|line| line.total.get()).sum());
            data.extend([
                ("user_coupon_name", JsonValue::text(&coupon.name)),
                ("user_coupon_id", JsonValue::text(&coupon.card_id)),
                // The amount left to pay; the vendor's meaning of 财务支付金额 is OPEN (SANDBOX).
                ("finance_payment", JsonValue::text(whole.minus(already).minus(discount.total))),
            ]);
        }
        data.extend([
            ("userInfo", user_info(member)),
            ("amount", JsonValue::text(coupon.amount)),
            ("coupon_type", JsonValue::text(coupon.coupon_type)),
            ("goods_item", JsonValue::List(goods)),
        ]);
        let (card_id, off) = (&coupon.card_id, discount.total);
        let explanation = words!("coupon {card_id} takes off {off}", "券 {card_id} 可抵扣 {off}");
        Ok(Done::read(JsonValue::Object(data), explanation))
    }

    /// The coupon that a quote names, and its owner. `user_coupon_id` takes precedence over `coupon_code` (SANDBOX);
    /// one of them is required (DOC), and so is `user_id` unless type = 1.
    fn quoted(&self, params: &Fields, scanned: bool) -> Result<(&Coupon, &Member), Refusal> {
        let (id, code) = (params.text("user_coupon_id")?, params.text("coupon_code")?);
        let user_id = params.text("user_id")?;
        if user_id.is_none() && !scanned {
            return Err(Refusal::params(words!(
                "user_id is missing: it is a must unless type is 1",
                "缺少 user_id:type 不为 1 时必填",
            )));
        }
        if let Some(user_id) = user_id.as_ref().filter(|user_id| !self.members.contains_key(*user_id)) {
            return Err(member_unknown(user_id));
        }
        let (name, found) = match (id, code) {
            (Some(id), _) => {
                let found = self.coupon(&id, scanned);
                (id, found)
            }
            (None, Some(code)) => {
                let found = self.coupons.values().find(|coupon| coupon.coupon_code == code);
                (code, found)
            }
            (None, None) => {
                return Err(Refusal::params(words!(
                    "user_coupon_id or coupon_code must be given",
                    "user_coupon_id 与 coupon_code 至少填一个",
                )));
            }
        };
        let template = params.text("coupon_id")?;
        let coupon = found
            .filter(|coupon| user_id.as_ref().is_none_or(|user_id| *user_id == coupon.customer_id))
            .filter(|coupon| template.as_ref().is_none_or(|template| *template == coupon.coupon_id))
            .ok_or_else(|| coupon_unknown(&name))?;
        let member =
            self.members.get(&coupon.customer_id).ok_or_else(|| member_unknown(&coupon.customer_id))?;
        Ok((coupon, member))
    }

    /// The coupons of a member that are redeemable now and reduce the basket's price. V3 spells its params in camelCase
    /// (DOC); the fields of the answer are SANDBOX.
    pub(super) fn usable(&self, call: &Call) -> Result<Done, Refusal> {
        let params = &call.params;
        let basket = basket(params, &["trade_marks", "tradeMarks"], ["trade_mark", "tradeMark"])?;
        let already = match params.money("discount_price")? {
            None => params.money("discountPrice")?.unwrap_or_default(),
            Some(already) => already,
        };
        let member = match (params.any(&["user_id", "userId"])?, params.any(&["user_code", "userCode"])?) {
            (Some(id), _) => self.members.get(&id).ok_or_else(|| member_unknown(&id))?,
            (None, Some(code)) => {
                let found = self.members.values().find(|member| member.member_code == code);
                found.ok_or_else(|| member_unknown(&code))?
            }
            (None, None) => {
                return Err(Refusal::params(words!(
                    "user_id or user_code must be given",
                    "user_id 与 user_code 至少填一个",
                )));
            }
        };
        let mut fitting = Vec::new();
        for coupon in self.coupons.values().filter(|coupon| coupon.customer_id == member.customer_id) {
            let discount = coupon.redeemable(call.now_s()).and_then(|()| coupon.discount(&basket, already));
            if let Ok(discount) = discount {
                fitting.push(JsonValue::Object(vec![
                    ("cardId", JsonValue::text(&coupon.card_id)),
                    ("couponId", JsonValue::text(&coupon.coupon_id)),
                    ("couponName", JsonValue::text(&coupon.name)),
                    ("coupon_type", JsonValue::text(coupon.coupon_type)),
                    ("amount", JsonValue::text(coupon.amount)),
                    ("coupon_discount", JsonValue::text(discount.total)),
                ]));
            }
        }
        let (count, customer_id) = (fitting.len(), &member.customer_id);
        let explanation =
            words!("{count} coupons of {customer_id} fit", "会员 {customer_id} 有 {count} 张券可用");
        Ok(Done::read(JsonValue::List(fitting), explanation))
    }
}

/// The names are DOC; province, district, city and groupId are the vendor's own numbers and are empty here.
fn user_info(member: &Member) -> JsonValue {
    let empty = || JsonValue::text("");
    JsonValue::Object(vec![
        ("avatar", empty()),
        ("birthday", JsonValue::text(&member.birthday)),
        ("gender", JsonValue::text(member.gender)),
        ("nickname", JsonValue::text(&member.nickname)),
        ("groupId", empty()),
        ("phone", JsonValue::text(&member.phone)),
        ("username", JsonValue::text(&member.nickname)),
        ("province", empty()),
        ("district", empty()),
        ("city", empty()),
    ])
}
