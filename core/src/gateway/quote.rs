//! `user.user-by-coupon`: what a coupon is worth for this basket. Nothing is taken.

use crate::json::{Object, Value};
use crate::money::{Amount, yuan};
use crate::outcome::{Problem, Warning, codes};
use crate::schema::{Kind, Schema, code_problem, optional, required, trimmed_id};

use super::request::{ACCOUNT, Params, ParamsWriter, RequestRules};

/// One line of the basket (DOC).
pub(super) static ITEM: Schema = Schema {
    name: "an item",
    doc: "One line of the basket.",
    fields: &[
        required("num", Kind::Integer(1, 1_000_000), "how many"),
        required("trade_mark", Kind::Text(128), "the product's code (商品实体标识)"),
        required(
            "price",
            Kind::Money,
            "元 for one piece, as the simulator takes it (a line costs num × price); the vendor's page does not say \
             whether the price of one piece or of the whole line is meant: ask the vendor before the first sale",
        ),
    ],
};

/// The request's fields (DOC: the vendor's page 7.4.5). That items is required is inferred.
pub static REQUEST: Schema = Schema {
    name: "a coupon quote",
    doc: "What a coupon is worth on a basket (user.user-by-coupon). At least one of user_coupon_id and \
          coupon_code; user_id unless type = 1. \"\", null and [] mean: not given.",
    fields: &[
        optional(
            "user_coupon_id",
            Kind::Coupon,
            "the member's coupon; with type = 1 a scanned redemption code",
        ),
        optional("user_id", Kind::Digits, "member id; must be given unless type = 1; 0 is no member"),
        required("items", Kind::List(&Kind::Object(&ITEM), 500), "the basket"),
        optional("multi_mark", Kind::Text(128), "store code (门店编码)"),
        optional("coupon_id", Kind::Digits, "coupon template"),
        optional("type_cate", Kind::OneOf(&[1, 2, 3]), "1 eat in, 2 pick up, 3 take away"),
        optional("discount_price", Kind::Money, "元 of discount already on the order"),
        optional("type", Kind::Integer(0, 99), "1: user_coupon_id is a scanned redemption code"),
        optional("coupon_code", Kind::Exact(64), "coupon code (券码)"),
        optional("usage_scenarios", Kind::OneOf(&[0, 1]), "0 online (default), 1 in store"),
        ACCOUNT,
    ],
};

static USER_INFO: Schema = Schema {
    name: "a member",
    doc: "Who the coupon belongs to.",
    fields: &[
        optional("avatar", Kind::Text(1024), "picture"),
        optional("birthday", Kind::Text(64), "birthday"),
        optional("gender", Kind::OneOf(&[0, 1, 2]), "0 unknown, 1 male, 2 female"),
        optional("nickname", Kind::Text(256), "nickname"),
        optional("groupId", Kind::Digits, "group id"),
        optional("phone", Kind::Text(64), "phone"),
        optional("username", Kind::Text(256), "name"),
        optional("province", Kind::Integer(0, i64::MAX), "province code"),
        optional("district", Kind::Integer(0, i64::MAX), "district code"),
        optional("city", Kind::Integer(0, i64::MAX), "city code"),
    ],
};

static GOODS: Schema = Schema {
    name: "a line's discount",
    doc: "The discount of one product.",
    fields: &[
        optional("trade_mark", Kind::Text(128), "the product's code"),
        optional("coupon_minus", Kind::Money, "元 off"),
    ],
};

/// The answer's fields (DOC).
pub static ANSWER: Schema = Schema {
    name: "a quote's data",
    doc: "data of a quote that succeeded. Amounts are 元 as strings with two decimals.",
    fields: &[
        optional("type_cate", Kind::OneOf(&[1, 2, 3]), "1 eat in, 2 pick up, 3 take away"),
        optional("multi_mark", Kind::Text(128), "store code"),
        optional("coupon_discount", Kind::Money, "what the coupon takes off"),
        optional("user_coupon_name", Kind::Text(256), "the coupon's name; only with type = 1"),
        optional("user_coupon_id", Kind::Digits, "the member's coupon; only with type = 1"),
        optional("finance_payment", Kind::Money, "finance payment; only with type = 1"),
        optional("userInfo", Kind::Object(&USER_INFO), "the member"),
        optional("amount", Kind::Decimal, "face value or percentage"),
        optional("coupon_type", Kind::OneOf(&[0, 1]), "0 fixed amount, 1 percentage"),
        optional("goods_item", Kind::List(&Kind::Object(&GOODS), 1000), "the discount by product"),
    ],
};

/// The lines of a basket, in an order of their own: two baskets are the same if the customer takes the same things at the
/// same prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basket(Vec<Line>);

/// Product, 分 for one piece, how many.
type Line = (String, u64, u64);

impl Basket {
    /// Reads a list of [`ITEM`]s that was checked.
    pub(crate) fn read(items: &Value<'_>) -> Option<Basket> {
        let line = |item: &Value<'_>| {
            let text = |name: &str| item.as_object()?.given(name)?.scalar();
            let price = Amount::parse(text("price")?).ok()?.fen();
            Some((text("trade_mark")?.to_owned(), price, text("num")?.trim().parse().ok()?))
        };
        let mut lines: Vec<Line> = items.as_array()?.iter().map(line).collect::<Option<_>>()?;
        lines.sort();
        Some(Basket(lines))
    }

    /// 分 for the whole basket, if `price` is that of one piece: no reading of `price` makes it more.
    fn most_fen(&self) -> u64 {
        let line = |(_, price, number): &Line| price.saturating_mul(*number);
        self.0.iter().fold(0, |sum, each| sum.saturating_add(line(each)))
    }
}

/// What a quote asks: decides whether its answer holds for a payment.
#[derive(Clone, Debug)]
pub struct Question {
    /// The member, unless the coupon is a scanned code.
    pub member: Option<String>,
    /// The coupon's id or the scanned code, and its `coupon_code`.
    pub coupons: Vec<String>,
    /// The store, `multi_mark`.
    pub store: Option<String>,
    /// The basket.
    pub basket: Basket,
}

/// A quote that satisfies every rule of the vendor's page, ready to be signed and sent.
#[derive(Clone, Debug)]
pub struct QuoteRequest {
    /// What is asked.
    pub question: Question,
    /// The params to send.
    pub params: Params,
    /// Warnings about the till's own request.
    pub warnings: Vec<Warning>,
}

impl QuoteRequest {
    /// Reads a request, or reports everything that is wrong with it.
    pub fn read(
        given: &Object<'_>,
        defaults: &Object<'_>,
        rules: RequestRules,
    ) -> Result<QuoteRequest, Vec<Problem>> {
        let writer = ParamsWriter::new(&REQUEST, given, defaults, rules);
        let mut problems = Vec::new();
        writer.check(&mut problems);
        writer.member("user_id", &mut problems);
        let coupon =
            writer.text("user_coupon_id").map(|text| writer.coupon(text)).filter(|id| !id.is_empty());
        let code = writer.text("coupon_code");
        let member = writer.id("user_id").filter(|id| *id != "0");
        let mut problem = |path: &str, message: String| {
            problems.push(Problem { path: path.to_owned(), message });
        };
        if coupon.is_none() && code.is_none() {
            problem("user_coupon_id", "is missing: give it or coupon_code".to_owned());
        }
        if let Some(wrong) = coupon.and_then(|coupon| writer.coupon_problem(coupon)) {
            problem("user_coupon_id", wrong);
        }
        if let Some(wrong) = code.and_then(code_problem) {
            problem("coupon_code", wrong.to_owned());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let question = Question {
            member: member.map(str::to_owned),
            coupons: [coupon, code].into_iter().flatten().map(str::to_owned).collect(),
            store: writer.text("multi_mark").map(str::to_owned),
            basket: writer.field("items").and_then(Basket::read).unwrap_or_default(),
        };
        Ok(QuoteRequest { question, params: writer.write(), warnings: writer.warnings() })
    }
}

/// Compares an answer with the question: the mismatches, and the discount that it names. The answer is too poorly documented
/// to judge by this, so a mismatch is a warning.
pub(super) fn compare(asked: &Question, data: &Object<'_>) -> (Vec<Warning>, Option<Amount>) {
    let text = |name: &str| data.given(name).and_then(Value::scalar);
    let mut warnings = Vec::new();
    let mut warn = |code, message: String| warnings.push(Warning::new(code, message));
    let written = text("coupon_discount").unwrap_or_default();
    let discount = Amount::parse_value(written).ok();
    let most = asked.basket.most_fen();
    if written.starts_with('-') || discount.is_some_and(|taken| taken.fen() > most) {
        let most = yuan(i64::try_from(most).unwrap_or(i64::MAX));
        warn(&codes::WARN_DISCOUNT, format!("coupon_discount {written} on a basket of {most}"));
    }
    if let (Some(store), Some(named)) = (&asked.store, text("multi_mark"))
        && store != named
    {
        warn(&codes::WARN_STORE, format!("asked for the store {store}, the answer is for {named}"));
    }
    // The vendor's page has it with a scanned code only: the coupon behind the code.
    if let Some(named) = text("user_coupon_id").map(trimmed_id)
        && asked.member.is_some()
        && !asked.coupons.iter().any(|coupon| coupon == named)
    {
        warn(
            &codes::WARN_COUPONS,
            format!("asked for {}, the answer is for {named}", asked.coupons.join(" and ")),
        );
    }
    (warnings, discount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;
    use crate::schema::Unknown;

    fn read(text: &str) -> Result<String, Vec<String>> {
        let value = Value::parse(text).unwrap();
        let rules = RequestRules {
            unknown: Unknown::Refuse,
            password_over_http: false,
            plain_http: true,
            numbers: false,
        };
        QuoteRequest::read(value.as_object().unwrap(), &Object::default(), rules)
            .map(|request| request.params.as_json().to_owned())
            .map_err(|problems| problems.into_iter().map(|p| format!("{} {}", p.path, p.message)).collect())
    }

    #[test]
    fn writes_the_vendors_sample() {
        let params = read(
            r#"{"user_coupon_id":390913439370321921,"user_id":"383933091455959041",
                "items":[{"num":1,"trade_mark":"201909280011111","price":1}],"type_cate":1,"type":""}"#,
        );
        assert_eq!(
            params.unwrap(),
            r#"{"user_coupon_id":"390913439370321921","user_id":"383933091455959041","items":[{"num":"1","trade_mark":"201909280011111","price":"1.00"}],"type_cate":"1"}"#
        );
    }

    #[test]
    fn holds_the_vendors_rules() {
        let items = r#""items":[{"num":1,"trade_mark":"a","price":"1"}]"#;
        for (request, wanted) in [
            (format!(r#"{{"user_id":"1",{items}}}"#), "user_coupon_id is missing"),
            (format!(r#"{{"user_coupon_id":"1",{items}}}"#), "user_id is missing"),
            (format!(r#"{{"type":1,{items}}}"#), "user_coupon_id is missing"),
            (format!(r#"{{"user_coupon_id":"QR1","user_id":"1",{items}}}"#), "digits only"),
            (r#"{"user_coupon_id":"1","user_id":"1"}"#.to_owned(), "items is missing"),
            (
                r#"{"user_coupon_id":"1","user_id":"1","items":[{"num":0,"trade_mark":"a","price":"1"}]}"#
                    .to_owned(),
                "items[0].num",
            ),
            (
                format!(r#"{{"user_coupon_id":"1","user_id":"1","type_cate":4,{items}}}"#),
                "type_cate must be one of",
            ),
        ] {
            let problems = read(&request).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(wanted)), "{request}: {problems:?}");
        }
        assert!(read(&format!(r#"{{"user_coupon_id":"QR-1","type":"1",{items}}}"#)).is_ok());
        assert!(read(&format!(r#"{{"coupon_code":"QR-1","type":1,{items}}}"#)).is_ok());
        assert!(read(&format!(r#"{{"user_coupon_id":"1","user_id":"1","type_cate":2,{items}}}"#)).is_ok());
    }
}
