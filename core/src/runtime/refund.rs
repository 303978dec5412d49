//! The answers about a reversal: what a refund gave back, that it is under way, that it was refused.

use crate::json::Value;
use crate::money::Amount;
use crate::outcome::codes::{self, Code};
use crate::outcome::{Answer, Lang, Next, Outcome};
use crate::payment::{Entry, Stage};

/// The message for the cashier about a refused refund. It says that the sale is valid only if the refusal cannot have
/// meant that the money was given back before.
pub(super) fn refused_sentence(entry: &Entry, lang: Lang) -> String {
    if !entry.may_be_given_back_elsewhere() {
        return codes::REFUND_REFUSED.cashier(Outcome::Conflict, lang).to_owned();
    }
    let code = entry.detail().reversal.last.as_ref().map(|words| words.code.as_str()).unwrap_or_default();
    let (zh, en) = if code.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("（代码 {code}）"), format!(" (code {code})"))
    };
    lang.pick(
        format!("平台拒绝退款{zh}，请勿另退现金，请店长先核实是否已在别处退款"),
        format!("The refund was refused{en}. Give no cash; the manager first checks whether it was given back elsewhere."),
    )
}

pub(super) fn refused_message(entry: &Entry) -> String {
    let last = entry.detail().reversal.last.clone().unwrap_or_default();
    let said = format!("{} {}", last.code, last.message);
    if entry.may_be_given_back_elsewhere() {
        let why =
            "without routes.reverse.codes.already this may also say that the sale was given back before";
        format!("{}; {why}", said.trim())
    } else {
        said.trim().to_owned()
    }
}

/// Why the entry cannot go on without a person.
pub(super) fn open_code(entry: &Entry) -> &'static Code {
    let other = entry.detail().reversal.last.as_ref();
    if entry.has_late_proof() {
        return &codes::LATE_PROOF;
    }
    if entry.not_found_elsewhere() {
        &codes::REVERSE_NOT_FOUND
    } else if entry.stage() == Stage::Refused {
        &codes::REFUSED
    } else if other.is_some_and(|words| words.code == codes::OTHER_BIZ_ID.text) {
        &codes::OTHER_BIZ_ID
    } else {
        &codes::UNPROVEN_REVERSAL
    }
}

/// The message for the cashier about an entry that cannot go on without a person, or could not.
pub(super) fn open_sentence(entry: &Entry, lang: Lang) -> Option<&'static str> {
    match entry.stage() {
        Stage::Unproven if entry.has_late_proof() => {
            Some(codes::LATE_PROOF.cashier(Outcome::Conflict, lang))
        }
        Stage::Refused if entry.not_found_elsewhere() => {
            Some(codes::REVERSE_NOT_FOUND.cashier(Outcome::Conflict, lang))
        }
        Stage::Refused | Stage::Unproven if entry.gives_back() => Some(lang.pick(
            "退款未能确认，请联系店长核实",
            "The refund could not be confirmed. Ask the manager to check.",
        )),
        // As in the answer when the reversal was on disk: the customer may pay in another way.
        Stage::Refused | Stage::Unproven => Some(lang.pick(
            "退回结果未能确认，请改用其他方式支付，并联系店长核实",
            "The return could not be confirmed. Use another tender, and ask the manager to check.",
        )),
        Stage::Kept if entry.sent_away() => Some(lang.pick(
            "经人工核实，会员扣款有效；本单已改用其他方式支付的，请联系店长退款",
            "Checked by a person: the member's payment is valid. If another tender was used, ask the manager for a refund.",
        )),
        _ => None,
    }
}

/// What a refund gave back, by purse. A sum that the gateway did not state, or that differs from the requested one, is
/// not guessed.
struct Refunded {
    recharge: Option<Amount>,
    gift: Option<Amount>,
    total: Option<Amount>,
}

impl Refunded {
    fn of(entry: &Entry) -> Refunded {
        let value = entry.detail().data.as_deref().and_then(|data| Value::parse(data).ok());
        let data = value.as_ref().and_then(Value::as_object);
        let purse = |name: &str| {
            let text = data?.given(name)?.scalar()?;
            Amount::parse_value(text.strip_prefix('-').unwrap_or(text)).ok()
        };
        let (recharge, gift) = (purse("change_recharge_amount"), purse("change_gift_amount"));
        // About another till's sale only the statements of this till are known.
        let asked = entry.identity().amount.filter(|_| !entry.detail().foreign);
        let said = match (recharge, gift) {
            (Some(one), Some(two)) => one.checked_add(two),
            (one, two) => one.or(two),
        };
        let total = match (said, asked) {
            (Some(said), Some(asked)) => (said == asked).then_some(asked),
            (Some(said), None) => said.is_zero().then_some(said),
            (None, asked) => asked,
        };
        Refunded { recharge, gift, total }
    }

    fn json(&self, entry: &Entry) -> String {
        let identity = entry.identity();
        let text = |amount: Option<Amount>| amount.map(|amount| amount.to_string());
        serde_json::json!({ "refunded": {
            "recharge": text(self.recharge),
            "gift": text(self.gift),
            "total": text(self.total),
            "points": identity.points,
            "couponsCardList": identity.coupons,
            "elsewhere": entry.detail().reversal.elsewhere,
        }})
        .to_string()
    }

    fn sentence(&self, entry: &Entry, lang: Lang) -> String {
        if entry.detail().reversal.elsewhere {
            return lang.pick(
                "该交易此前已退回，本次未再退款".to_owned(),
                "This payment had been given back before; this time nothing was given back.".to_owned(),
            );
        }
        let coupons = !entry.identity().coupons.is_empty();
        match self.total.filter(|total| !total.is_zero()) {
            Some(total) if coupons => lang.pick(
                format!("已退回 {total} 元到会员账户，优惠券已退回"),
                format!("{total} given back to the member's account, the coupons too."),
            ),
            Some(total) => lang.pick(
                format!("已退回 {total} 元到会员账户"),
                format!("{total} given back to the member's account."),
            ),
            None if coupons && entry.identity().amount.is_none_or(Amount::is_zero) => {
                lang.pick("优惠券已退回会员账户".to_owned(), "The coupons are given back.".to_owned())
            }
            None => lang.pick("已退回会员账户".to_owned(), "Given back to the member's account.".to_owned()),
        }
    }
}

/// The answer about the refund of a sale that had succeeded; `None` unless the refund is under way or done.
pub(super) fn refund(entry: &Entry, lang: Lang) -> Option<Answer> {
    let detail = entry.detail();
    let last = detail.reversal.last.clone().unwrap_or_default();
    let answer = match entry.stage() {
        Stage::Reversed | Stage::Undone => {
            let refunded = Refunded::of(entry);
            let (code, message, checked) = if entry.stage() == Stage::Undone {
                let checked = lang.pick("经人工核实，", "Checked by a person: ");
                (&codes::SETTLED, codes::SETTLED.meaning.to_owned(), checked)
            } else {
                (&codes::REVERSED, format!("{} {}", last.code, last.message), "")
            };
            let cashier = checked.to_owned() + &refunded.sentence(entry, lang);
            Answer::of_gateway(Outcome::Reversed, code.text, message.trim(), cashier)
                .with_next(Next::Refunded)
                .with_data(refunded.json(entry))
        }
        Stage::Reversing => {
            let cashier = lang.pick("退款已登记，正在处理", "The refund is registered and under way.");
            let message = format!("{} {}", last.code, last.message);
            let message =
                if message.trim().is_empty() { codes::REVERSAL_QUEUED.meaning } else { message.trim() };
            Answer::of_gateway(Outcome::Unknown, codes::REVERSAL_QUEUED.text, message, cashier)
                .with_next(Next::RefundPending)
        }
        _ => return None,
    };
    Some(answer.with_biz_id(entry.key().biz_id.as_str()))
}

#[cfg(test)]
mod tests;
