//! `communal.user.consume`: redeems coupons, takes balance and points, all or nothing.

use serde::{Deserialize, Serialize};

use crate::json::{Object, Value};
use crate::money::{Amount, BizId};
use crate::outcome::{Problem, Warning, codes};
use crate::schema::{Kind, Schema, optional, own, required, trimmed_id};

use super::quote::{Basket, ITEM};
use super::request::{ACCOUNT, JOURNAL_ID, Params, ParamsWriter, RequestRules};

/// The request's fields (DOC: the vendor's page 用户消费; its order and names).
pub static REQUEST: Schema = Schema {
    name: "a consume",
    doc: "Takes coupons, stored balance or both from a member (communal.user.consume). At least one of \
          couponsCardList and an amount above zero; customerId unless type = 1. \"\", null and [] mean: not given.",
    fields: &[
        required(
            "bizId",
            Kind::BizId,
            "the till's own id of this transaction, unique over all tills of the account",
        ),
        optional("channel", Kind::Text(64), "account name (账户名)"),
        optional("customerId", Kind::Id, "member id; must be given unless type = 1; 0 is no member"),
        optional("groupId", Kind::Digits, "group id (集团ID)"),
        optional(
            "couponsCardList",
            Kind::List(&Kind::Coupon, 50),
            "ids of the member's coupons; with type = 1 scanned redemption codes",
        ),
        optional(
            "type",
            Kind::Integer(0, 99),
            "1: couponsCardList holds scanned redemption codes (扫码核销码)",
        ),
        optional("amount", Kind::Money, "元 taken from the stored balance, at most two decimals"),
        optional("appType", Kind::Text(64), "kind of app"),
        optional("deviceSn", Kind::Text(128), "device (手机/电脑/收银机识别码)"),
        optional("ip", Kind::Text(64), "the till's address"),
        optional("opType", Kind::Integer(i64::MIN, i64::MAX), "kind of operation"),
        optional("operatorId", Kind::Digits, "cashier's id"),
        optional("operatorName", Kind::Note(64), "cashier's name"),
        optional(
            "payPassword",
            Kind::Secret(128),
            "payment password; never over plain http unless password_over_http",
        ),
        optional("productName", Kind::Note(256), "product name"),
        optional("reason", Kind::Note(256), "reason of the change"),
        optional("remark", Kind::Note(512), "remark in the member's statement"),
        optional("usePassword", Kind::Text(16), "whether the password is checked"),
        optional("points", Kind::Integer(0, 999_999_999), "points to take, beside coupons or an amount"),
        optional("multiMark", Kind::Text(128), "store code (门店编码)"),
        own(
            "quoteIds",
            Kind::List(&Kind::Exact(64), 50),
            "the quoteId of each quote that the price relies on: nothing is sent unless all of them still hold",
        ),
        own(
            "items",
            Kind::List(&Kind::Object(&ITEM), 500),
            "with quoteIds: the basket as it is paid, which must be the one of the quotes",
        ),
        JOURNAL_ID,
        ACCOUNT,
    ],
};

/// The answer's fields (DOC).
pub static ANSWER: Schema = Schema {
    name: "a consume's data",
    doc: "data of a consume that succeeded. Amounts are 元 as strings with two decimals.",
    fields: &[
        optional("status", Kind::Flag, "repeats the envelope"),
        optional("code", Kind::Text(64), "repeats the envelope"),
        optional("message", Kind::Text(1024), "repeats the envelope"),
        optional("bizId", Kind::Text(128), "what a reversal goes by; store it"),
        optional("couponsCardList", Kind::List(&Kind::Text(64), 1000), "the coupons that were redeemed"),
        optional("gift_amount", Kind::Money, "gift balance afterwards"),
        optional("recharge_amount", Kind::Money, "recharged balance afterwards"),
        optional("total_amount", Kind::Money, "total balance afterwards"),
        optional("change_gift_amount", Kind::Money, "taken from the gift balance"),
        optional("change_recharge_amount", Kind::Money, "taken from the recharged balance"),
        optional("storeBalance", Kind::Money, "booked to head office (总部记账金额)"),
        optional("shopBalance", Kind::Money, "booked to the store (门店记账金额)"),
    ],
};

/// The fields of [`ANSWER`] that repeat the envelope, so their presence proves nothing.
pub(super) const REPEATED: [&str; 3] = ["status", "code", "message"];

/// A consume that satisfies every rule of the vendor's page, ready to be signed and sent.
#[derive(Clone, Debug)]
pub struct ConsumeRequest {
    /// The till's own id.
    pub(crate) biz_id: BizId,
    /// What identifies the request: the same content under another bizId is another sale.
    pub identity: Identity,
    /// The till and operator that made it.
    pub origin: Origin,
    /// The params to send.
    pub params: Params,
    /// The payment password, to be removed from the gateway's messages.
    pub pay_password: Option<zeroize::Zeroizing<String>>,
    /// The quotes that the price relies on.
    pub quote_ids: Vec<String>,
    /// The basket as it is paid, where the till gives it.
    pub basket: Option<Basket>,
    /// Warnings about the till's own request.
    pub warnings: Vec<Warning>,
}

/// The fields that make two requests the same; remark, password, operator and the like may differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The member.
    pub customer_id: Option<String>,
    /// `type`, if it was given.
    pub kind: Option<i64>,
    /// The amount to take from the balance.
    pub amount: Option<Amount>,
    /// The coupons as a set: sorted.
    pub coupons: Vec<String>,
    /// The points to take.
    pub points: Option<i64>,
}

/// Where and by whom a sale was made, for the end-of-day report. No decision depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The till, `deviceSn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_sn: Option<String>,
    /// The operator's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_id: Option<String>,
    /// The operator's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_name: Option<String>,
    /// The store, `multiMark`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_mark: Option<String>,
}

impl Origin {
    fn of(writer: &ParamsWriter<'_>) -> Origin {
        let text = |name: &str| writer.text(name).map(str::to_owned);
        Origin {
            device_sn: text("deviceSn"),
            operator_id: text("operatorId"),
            operator_name: text("operatorName"),
            multi_mark: text("multiMark"),
        }
    }
}

impl Identity {
    /// Whether the coupons are scanned redemption codes.
    pub(crate) fn scanned(&self) -> bool {
        self.kind == Some(1)
    }

    /// Whether it is the same request, in whichever spelling either was recorded.
    pub(crate) fn is_same_as(&self, other: &Identity) -> bool {
        self == other || self.canonical() == other.canonical()
    }

    /// Whether both are of the same member.
    pub(crate) fn is_same_member(&self, other: &Identity) -> bool {
        self.member().is_some() && self.member() == other.member()
    }

    /// The coupons as a current request would name them.
    pub fn trimmed_coupons(&self) -> impl Iterator<Item = &str> {
        self.coupons.iter().map(|coupon| trimmed_id(coupon))
    }

    /// Whether both name a common coupon.
    pub(crate) fn shares_coupon(&self, other: &Identity) -> bool {
        let same = |one: &str, other: &str| one == other || trimmed_id(one) == trimmed_id(other);
        self.coupons.iter().any(|one| other.coupons.iter().any(|other| same(one, other)))
    }

    /// The member as a current request would name it: an earlier version recorded ids with their blanks, and gateways
    /// treat both as the same id.
    pub fn member(&self) -> Option<&str> {
        self.customer_id.as_deref().map(trimmed_id).filter(|id| !id.is_empty() && *id != "0")
    }

    fn canonical(&self) -> Identity {
        let mut coupons: Vec<String> = self.trimmed_coupons().map(str::to_owned).collect();
        coupons.sort();
        Identity { customer_id: self.member().map(str::to_owned), coupons, ..self.clone() }
    }
}

impl ConsumeRequest {
    /// Reads a request, or reports everything that is wrong with it.
    pub fn read(
        given: &Object<'_>,
        defaults: &Object<'_>,
        rules: RequestRules,
    ) -> Result<ConsumeRequest, Vec<Problem>> {
        let writer = ParamsWriter::new(&REQUEST, given, defaults, rules);
        let mut problems = Vec::new();
        writer.check(&mut problems);
        let identity = Identity {
            customer_id: writer.member("customerId", &mut problems).map(str::to_owned),
            kind: writer.text("type").and_then(|text| text.parse().ok()),
            amount: writer.text("amount").and_then(|text| Amount::parse(text).ok()),
            coupons: coupons(&writer),
            points: writer.text("points").and_then(|text| text.parse().ok()),
        };
        check_rules(&writer, &identity, rules, &mut problems);
        match writer.text("bizId").map(BizId::new) {
            Some(Ok(biz_id)) if problems.is_empty() => {
                let pay_password =
                    writer.text("payPassword").map(|text| zeroize::Zeroizing::new(text.to_owned()));
                let warnings = writer.warnings();
                Ok(ConsumeRequest {
                    biz_id,
                    identity,
                    origin: Origin::of(&writer),
                    quote_ids: writer.texts("quoteIds").map(str::to_owned).collect(),
                    basket: writer.field("items").and_then(Basket::read),
                    params: writer.write(),
                    pay_password,
                    warnings,
                })
            }
            _ => Err(problems),
        }
    }
}

/// Checks the rules that concern several fields.
fn check_rules(
    writer: &ParamsWriter<'_>,
    identity: &Identity,
    rules: RequestRules,
    problems: &mut Vec<Problem>,
) {
    let mut problem = |path: &str, message: String| {
        problems.push(Problem { path: path.to_owned(), message });
    };
    let no_coupon = writer.field("couponsCardList").is_none();
    let no_amount = writer.field("amount").is_none() || identity.amount.is_some_and(Amount::is_zero);
    if no_coupon && no_amount {
        problem(
            "amount",
            "must be above zero, or couponsCardList must name a coupon (points alone are not taken)"
                .to_owned(),
        );
    }
    if writer.field("items").is_some() && writer.field("quoteIds").is_none() {
        problem("items", "is the basket of quotes: give quoteIds with it, or leave it out".to_owned());
    }
    if identity.scanned() && no_coupon {
        problem("couponsCardList", "must hold the scanned redemption codes when type = 1".to_owned());
    }
    for (earlier, later) in identity.coupons.iter().zip(identity.coupons.iter().skip(1)) {
        if earlier == later {
            problem("couponsCardList", format!("names the coupon {later} twice"));
        }
    }
    for wrong in identity.coupons.iter().filter_map(|coupon| writer.coupon_problem(coupon)) {
        problem("couponsCardList", wrong);
    }
    if writer.field("payPassword").is_some() && rules.plain_http && !rules.password_over_http {
        problem(
            "payPassword",
            "must not leave over plain http; use an https endpoint or set password_over_http in the configuration"
                .to_owned(),
        );
    }
}

/// The coupons of the list, sorted.
fn coupons(writer: &ParamsWriter<'_>) -> Vec<String> {
    let mut coupons: Vec<String> =
        writer.texts("couponsCardList").map(|coupon| writer.coupon(coupon).to_owned()).collect();
    coupons.sort();
    coupons
}

/// Compares the answer with the request. The answer is too poorly documented to judge by this, so a mismatch is a
/// warning; `strict_answer` makes it a doubt.
pub(super) fn compare(biz_id: &BizId, asked: &Identity, data: &Object<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(compare_biz_id(biz_id, data));
    if !asked.scanned() {
        warnings.extend(compare_coupons(asked, data.given("couponsCardList")));
    }
    let taken: Vec<_> = ["change_gift_amount", "change_recharge_amount"]
        .into_iter()
        .filter_map(|name| data.given(name))
        .collect();
    if !taken.is_empty() {
        let sum = taken.iter().try_fold(0_u64, |sum, value| {
            let text = value.scalar()?;
            let text = text.strip_prefix('-').unwrap_or(text);
            sum.checked_add(Amount::parse_value(text).ok()?.fen())
        });
        let wanted = asked.amount.map_or(0, Amount::fen);
        if sum != Some(wanted) {
            let shown: Vec<&str> = taken.iter().map(|value| value.raw()).collect();
            warnings.push(Warning::new(
                &codes::WARN_AMOUNT,
                format!(
                    "asked for {}, the answer took {}",
                    asked.amount.map_or_else(|| "no amount".to_owned(), |amount| amount.to_string()),
                    shown.join(" + ")
                ),
            ));
        }
    }
    warnings
}

/// A warning if the answer, success or refusal, carries another bizId than was sent.
pub(super) fn compare_biz_id(biz_id: &BizId, place: &Object<'_>) -> Option<Warning> {
    let returned = place.given("bizId").filter(|id| id.scalar() != Some(biz_id.as_str()))?;
    let message = format!("sent bizId {biz_id}, the answer carries {}", returned.raw());
    Some(Warning::new(&codes::WARN_BIZ_ID, message))
}

/// A warning about coupons in the answer that were not requested, or requested ones that are missing.
fn compare_coupons(asked: &Identity, returned: Option<&Value<'_>>) -> Option<Warning> {
    let named: Vec<Option<&str>> = match returned.map(|value| (value.as_array(), value.as_object(), value)) {
        None => Vec::new(),
        Some((Some(list), ..)) => list.iter().map(Value::scalar).collect(),
        // How PHP encodes a list with gaps.
        Some((_, Some(object), _)) => object.iter().map(|(_, item)| item.scalar()).collect(),
        Some((.., value)) => vec![value.scalar()],
    };
    let own = |coupon: &str| asked.coupons.iter().any(|own| own == coupon);
    let strange = named.iter().any(|coupon| coupon.is_none_or(|coupon| !own(coupon)));
    let missing = asked.coupons.iter().any(|own| !named.contains(&Some(own.as_str())));
    (strange || missing).then(|| {
        let shown = returned.map_or("none", Value::raw);
        let message = format!("asked for the coupons {:?}, the answer names {shown}", asked.coupons);
        Warning::new(&codes::WARN_COUPONS, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;
    use crate::schema::Unknown;

    const RULES: RequestRules = RequestRules {
        unknown: Unknown::Refuse,
        password_over_http: false,
        plain_http: true,
        numbers: false,
    };

    fn read(text: &str, rules: RequestRules) -> Result<ConsumeRequest, Vec<String>> {
        let value = Value::parse(text).unwrap();
        let defaults = Value::parse(r#"{"multiMark":"S1"}"#).unwrap();
        ConsumeRequest::read(value.as_object().unwrap(), defaults.as_object().unwrap(), rules)
            .map_err(|problems| problems.into_iter().map(|p| format!("{} {}", p.path, p.message)).collect())
    }

    #[test]
    fn writes_every_scalar_as_a_string_in_the_vendors_order() {
        let request = read(
            r#"{"amount":1.5,"points":5,"bizId":"B1","couponsCardList":[390962138708451328999,"7"],
                "customerId":383933091455959041,"remark":"","groupId":12}"#,
            RULES,
        )
        .unwrap();
        assert_eq!(
            request.params.as_json(),
            r#"{"bizId":"B1","customerId":"383933091455959041","groupId":"12","couponsCardList":["390962138708451328999","7"],"amount":"1.50","points":"5","multiMark":"S1"}"#
        );
        let numbers = read(
            r#"{"bizId":"1","customerId":"2","groupId":"12","operatorId":"007","amount":"1"}"#,
            RequestRules { numbers: true, ..RULES },
        )
        .unwrap();
        assert_eq!(
            numbers.params.as_json(),
            r#"{"bizId":"1","customerId":"2","groupId":12,"amount":"1.00","operatorId":"007","multiMark":"S1"}"#
        );
    }

    #[test]
    fn holds_the_vendors_rules() {
        for (request, wanted) in [
            (r#"{"customerId":"1","amount":"1"}"#, "bizId is missing"),
            (r#"{"bizId":"1","customerId":"1"}"#, "amount must be above zero"),
            (r#"{"bizId":"1","customerId":"1","points":5}"#, "points alone"),
            (r#"{"bizId":"1","customerId":"1","amount":"0.00"}"#, "amount must be above zero"),
            (r#"{"bizId":"1","amount":"1"}"#, "customerId is missing"),
            (r#"{"bizId":"1","type":1,"amount":"1"}"#, "couponsCardList must hold"),
            (r#"{"bizId":"1","customerId":"1","couponsCardList":["7","7"]}"#, "names the coupon 7 twice"),
            (r#"{"bizId":"1","customerId":"1","couponsCardList":["A7"]}"#, "digits only"),
            (
                r#"{"bizId":"1","customerId":"1","amount":"1","payPassword":"123456"}"#,
                "payPassword must not leave",
            ),
            (r#"{"bizId":"1","customerId":"1","amount":"-1"}"#, "amount must not carry a sign"),
        ] {
            let problems = read(request, RULES).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(wanted)), "{request}: {problems:?}");
            assert!(!problems.iter().any(|problem| problem.contains("123456")));
        }
        assert!(read(r#"{"bizId":"1","type":"1","couponsCardList":["QR-A7"]}"#, RULES).is_ok());
        assert!(
            read(r#"{"bizId":"1","customerId":"1","couponsCardList":["7"],"amount":"0"}"#, RULES).is_ok()
        );
    }

    #[test]
    fn the_same_sale_is_the_same_whatever_its_order_and_remark() {
        let one = read(
            r#"{"bizId":"1","customerId":"1","couponsCardList":["8","7"],"amount":"1.50","remark":"a"}"#,
            RULES,
        );
        let two = read(r#"{"bizId":"1","customerId":"1","couponsCardList":[7,8],"amount":1.5}"#, RULES);
        assert_eq!(one.unwrap().identity, two.unwrap().identity);
    }

    #[test]
    fn the_answer_is_compared_with_the_request() {
        let asked = read(r#"{"bizId":"B1","customerId":"1","couponsCardList":["7"],"amount":"3.50"}"#, RULES)
            .unwrap();
        for (data, wanted) in [
            (
                r#"{"bizId":"B1","couponsCardList":["7"],"change_gift_amount":"1.00","change_recharge_amount":2.5}"#,
                vec![],
            ),
            (r#"{"couponsCardList":7,"change_gift_amount":"3.5"}"#, vec![]),
            (
                r#"{"couponsCardList":{"0":"7"},"change_gift_amount":"3.5000","change_recharge_amount":"0.0000"}"#,
                vec![],
            ),
            (r#"{"bizId":"B2","couponsCardList":["7"]}"#, vec!["ZV-W-BIZID"]),
            (r#"{"couponsCardList":["7","8"]}"#, vec!["ZV-W-COUPONS"]),
            // Requested but missing in the answer.
            (r#"{"bizId":"","couponsCardList":"","change_gift_amount":""}"#, vec!["ZV-W-COUPONS"]),
            (r#"{"bizId":"B1"}"#, vec!["ZV-W-COUPONS"]),
            (
                r#"{"couponsCardList":[7],"change_gift_amount":"1.00","change_recharge_amount":"2.00"}"#,
                vec!["ZV-W-AMOUNT"],
            ),
            (r#"{"couponsCardList":[7],"change_gift_amount":"3.5001"}"#, vec!["ZV-W-AMOUNT"]),
        ] {
            let value = Value::parse(data).unwrap();
            let found: Vec<&str> = compare(&asked.biz_id, &asked.identity, value.as_object().unwrap())
                .iter()
                .map(|warning| warning.code)
                .collect();
            assert_eq!(found, wanted, "{data}");
        }
    }
}
