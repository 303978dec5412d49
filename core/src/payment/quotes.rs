//! The quotes on which a payment may rely: what each asked and answered, and whether it holds for the payment. They are kept
//! in memory only: a quote is a question about a basket on the counter.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::gateway::{Basket, GatewayStatus, Identity, Params, Question};
use crate::money::Amount;

/// How many quotes of an account are kept: the latest.
const MOST: usize = 1024;

/// A quote that was answered.
#[derive(Clone, Debug)]
pub struct Quote {
    /// What was asked.
    pub question: Question,
    /// The params, to ask again.
    pub params: Params,
    /// What the coupon takes off.
    pub discount: Amount,
    /// When it was answered.
    pub at: Asked,
}

/// A moment by two clocks: the monotonic one may stand still while the machine sleeps, and the other may be set.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The monotonic time.
    pub at: Instant,
    /// The machine's wall clock in Unix milliseconds.
    pub unix_ms: i64,
}

impl Asked {
    /// Whether by both clocks no more than that has passed.
    fn is_within(self, now: Asked, age: Duration) -> bool {
        let wall_ms = now.unix_ms.saturating_sub(self.unix_ms);
        let wall = u64::try_from(wall_ms).ok().map(Duration::from_millis);
        now.at.saturating_duration_since(self.at) <= age && wall.is_some_and(|passed| passed <= age)
    }
}

/// The latest quotes of an account.
#[derive(Debug)]
pub struct Quotes {
    kept: VecDeque<Quote>,
    /// The number of the oldest one that is kept. The first is drawn, so that an id from before a start is none of now.
    first: u64,
}

impl Quotes {
    /// No quotes; the first will have that number.
    pub fn from(first: u64) -> Quotes {
        Quotes { kept: VecDeque::new(), first }
    }

    /// Keeps a quote in the place of the oldest one, if there are too many, and gives it an id, which the till gives back with
    /// the payment.
    pub fn keep(&mut self, quote: Quote) -> String {
        if self.kept.len() == MOST {
            self.kept.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        self.kept.push_back(quote);
        let last = u64::try_from(self.kept.len()).unwrap_or_default().wrapping_sub(1);
        format!("Q{:016X}", self.first.wrapping_add(last))
    }

    /// The quote with that id.
    pub fn find(&self, id: &str) -> Option<&Quote> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        let digits =
            id.strip_prefix('Q').filter(|digits| digits.len() == 16 && digits.bytes().all(is_digit))?;
        let number = u64::from_str_radix(digits, 16).ok()?;
        self.kept.get(usize::try_from(number.wrapping_sub(self.first)).ok()?)
    }
}

/// A payment that relies on quotes.
#[derive(Clone, Copy, Debug)]
pub struct Payment<'p> {
    /// What it takes from whom.
    pub identity: &'p Identity,
    /// Its store.
    pub store: Option<&'p str>,
    /// Its basket, where the till gives it.
    pub basket: Option<&'p Basket>,
}

/// Why a quote does not hold for a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The library has no quote of that id for the account: it was started again meanwhile, or has kept too many later ones.
    Forgotten,
    /// Another member.
    Member,
    /// A coupon that the payment does not redeem.
    Coupon,
    /// Another store.
    Store,
    /// Another basket.
    Items,
    /// It was asked again, and the answer does not name the same discount for the same coupon and store.
    Discount,
    /// It was asked again, and the coupon cannot be used.
    Declined,
}

impl Difference {
    /// Every difference.
    pub const ALL: [Difference; 7] = [
        Difference::Forgotten,
        Difference::Member,
        Difference::Coupon,
        Difference::Store,
        Difference::Items,
        Difference::Discount,
        Difference::Declined,
    ];

    /// Its word in `data.quotes`.
    pub fn as_str(self) -> &'static str {
        match self {
            Difference::Forgotten => "forgotten",
            Difference::Member => "member",
            Difference::Coupon => "coupon",
            Difference::Store => "store",
            Difference::Items => "items",
            Difference::Discount => "discount",
            Difference::Declined => "declined",
        }
    }
}

/// A quote that does not hold for a payment.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The quote's id.
    pub id: String,
    /// Why.
    pub difference: Difference,
    /// What the coupon took off, where the quote is known.
    pub discount: Option<Amount>,
    /// The id and the discount of the quote in its place, where it was asked again and answered.
    pub now: Option<(String, Amount)>,
    /// What the gateway said when it was asked again, where it refused.
    pub words: Option<GatewayStatus>,
}

impl Quote {
    /// What the payment does differently from what the quote was asked about. A store or basket that one of both leaves
    /// out is not compared.
    pub fn difference(&self, payment: Payment<'_>) -> Option<Difference> {
        let asked = &self.question;
        let is_redeemed =
            |coupon: &String| payment.identity.trimmed_coupons().any(|redeemed| redeemed == coupon);
        let member = payment.identity.member();
        let differs = [
            (asked.member.as_deref() != member && asked.member.is_some(), Difference::Member),
            (!asked.coupons.iter().any(is_redeemed), Difference::Coupon),
            (
                asked.store.as_deref().zip(payment.store).is_some_and(|(one, other)| one != other),
                Difference::Store,
            ),
            (payment.basket.is_some_and(|basket| *basket != asked.basket), Difference::Items),
        ];
        differs.into_iter().find_map(|(differs, difference)| differs.then_some(difference))
    }

    /// Whether it has to be asked again.
    pub fn is_old(&self, now: Asked, max_age: Duration) -> bool {
        !self.at.is_within(now, max_age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;

    fn now() -> Asked {
        Asked { at: Instant::now(), unix_ms: 1_795_000_000_000 }
    }

    fn quote(at: Asked) -> Quote {
        let question = Question {
            member: Some("383933091455959041".to_owned()),
            coupons: vec!["390962138708451328".to_owned()],
            store: Some("S1".to_owned()),
            basket: basket(
                r#"[{"num":2,"trade_mark":"a","price":"1.50"},{"num":"1","trade_mark":"b","price":3}]"#,
            ),
        };
        Quote {
            question,
            params: Params::from_json("{}".to_owned()),
            discount: Amount::parse("5.00").unwrap(),
            at,
        }
    }

    fn basket(text: &str) -> Basket {
        Basket::read(&Value::parse(text).unwrap()).unwrap()
    }

    fn paying() -> Identity {
        Identity {
            customer_id: Some("383933091455959041".to_owned()),
            coupons: vec!["1".to_owned(), "390962138708451328".to_owned()],
            ..Identity::default()
        }
    }

    #[test]
    fn the_latest_are_kept_each_under_an_id_of_its_own() {
        // The numbers go round.
        for first in [0, 0xdead_beef_0123_4567, u64::MAX - 3] {
            let mut quotes = Quotes::from(first);
            let ids: Vec<String> = (0..=MOST).map(|_| quotes.keep(quote(now()))).collect();
            assert_eq!(quotes.kept.len(), MOST);
            assert!(quotes.find(&ids[0]).is_none() && quotes.find(&ids[1]).is_some());
            let mut last = quote(now());
            last.discount = Amount::parse("1.00").unwrap();
            let id = quotes.keep(last);
            assert_eq!(quotes.find(&id).unwrap().discount, Amount::parse("1.00").unwrap());
            assert!(!ids.contains(&id) && quotes.find(&ids[2]).is_some());
            for other in ["", "Q", "Q0", &id[1..], &format!("{id}0"), "Q+000000000000000"] {
                assert!(quotes.find(other).is_none(), "{other}");
            }
        }
    }

    #[test]
    fn it_holds_for_what_it_was_asked_about_only() {
        let quote = quote(now());
        let same =
            basket(r#"[{"num":1,"trade_mark":"b","price":"3.00"},{"num":2,"trade_mark":"a","price":"1.5"}]"#);
        let other =
            basket(r#"[{"num":2,"trade_mark":"b","price":"3.00"},{"num":2,"trade_mark":"a","price":"1.5"}]"#);
        let identity = paying();
        let holds = Payment { identity: &identity, store: Some("S1"), basket: Some(&same) };
        let difference = |payment: Payment<'_>| quote.difference(payment);
        assert_eq!(difference(holds), None);
        assert_eq!(difference(Payment { store: None, basket: None, ..holds }), None);
        assert_eq!(difference(Payment { store: Some("S2"), ..holds }), Some(Difference::Store));
        assert_eq!(difference(Payment { basket: Some(&other), ..holds }), Some(Difference::Items));
        let another = Identity { customer_id: Some("2".to_owned()), ..paying() };
        assert_eq!(difference(Payment { identity: &another, ..holds }), Some(Difference::Member));
        let without = Identity { coupons: vec!["1".to_owned()], ..paying() };
        assert_eq!(difference(Payment { identity: &without, ..holds }), Some(Difference::Coupon));
    }

    #[test]
    fn it_is_old_after_its_time_by_either_clock() {
        let (at, max_age) = (now(), Duration::from_mins(10));
        let quote = quote(at);
        let after =
            |passed: Duration, wall_ms: i64| Asked { at: at.at + passed, unix_ms: at.unix_ms + wall_ms };
        assert!(!quote.is_old(after(max_age, 600_000), max_age));
        assert!(quote.is_old(after(max_age + Duration::from_nanos(1), 600_000), max_age));
        // The machine slept, or its clock was set.
        assert!(quote.is_old(after(Duration::from_secs(1), 600_001), max_age));
        assert!(quote.is_old(after(Duration::from_secs(1), -1), max_age));
    }
}
