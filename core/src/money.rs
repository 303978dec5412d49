//! Amounts in 分 and the transaction's own id. Nothing here ever goes through a floating-point number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money, exact, not negative, in 分 (1/100 元).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Amount {
    fen: u64,
}

/// Why a text is no amount. The words are meant for the programmer who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// There is a sign in front.
    #[error("must not carry a sign")]
    Sign,
    /// Something else than the digits 0-9 and one point.
    #[error("must be a plain decimal such as \"12.50\" (digits 0-9 and one point; no spaces, no exponent)")]
    NotPlain,
    /// More than two digits after the point; never rounded.
    #[error("must have at most two digits after the point; it is not rounded")]
    TooPrecise,
    /// Above [`Amount::MAX`].
    #[error("is more than 99999999.99")]
    TooLarge,
}

impl Amount {
    /// The largest amount that is taken: 99,999,999.99 元.
    pub(crate) const MAX: Amount = Amount { fen: 9_999_999_999 };

    /// An amount of so many 分; `None` above [`Amount::MAX`].
    pub(crate) fn from_fen(fen: u64) -> Option<Amount> {
        (fen <= Self::MAX.fen).then_some(Amount { fen })
    }

    /// Reads 元 with at most two decimals.
    pub fn parse(text: &str) -> Result<Amount, AmountError> {
        if text.starts_with(['-', '+']) {
            return Err(AmountError::Sign);
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(AmountError::NotPlain),
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(AmountError::NotPlain);
        }
        if fraction.len() > 2 {
            return Err(AmountError::TooPrecise);
        }
        let number = |part: &str| part.parse::<u64>().map_err(|_| AmountError::TooLarge);
        let cents = match fraction.len() {
            0 => 0,
            1 => number(fraction)? * 10,
            _ => number(fraction)?,
        };
        number(whole)?
            .checked_mul(100)
            .and_then(|fen| fen.checked_add(cents))
            .and_then(Amount::from_fen)
            .ok_or(AmountError::TooLarge)
    }

    /// Reads 元 as the gateway may write it: zeros beyond the second decimal (`23.0000`, a column of a database)
    /// change nothing of the value. Anything else beyond it is no amount here; nothing is rounded.
    pub(crate) fn parse_value(text: &str) -> Result<Amount, AmountError> {
        match text.split_once('.') {
            Some((_, fraction)) if fraction.len() > 2 => {
                let kept = text.trim_end_matches('0').len().max(text.len() - (fraction.len() - 2));
                Amount::parse(text.get(..kept).unwrap_or(text))
            }
            _ => Amount::parse(text),
        }
    }

    /// The amount in 分.
    pub fn fen(self) -> u64 {
        self.fen
    }

    /// Whether nothing is taken.
    pub(crate) fn is_zero(self) -> bool {
        self.fen == 0
    }

    /// The sum; `None` above [`Amount::MAX`].
    pub(crate) fn checked_add(self, other: Amount) -> Option<Amount> {
        self.fen.checked_add(other.fen).and_then(Amount::from_fen)
    }
}

/// 元 with exactly two decimals, as the gateway takes it.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.fen / 100, self.fen % 100)
    }
}

/// 元 with two decimals of so many 分, which may be negative.
pub fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

impl From<Amount> for String {
    fn from(amount: Amount) -> String {
        amount.to_string()
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Amount, AmountError> {
        Amount::parse(&text)
    }
}

/// The till's own id of one transaction: what idempotency and reversal go by.
///
/// It is 1 to 64 printable ASCII characters without spaces, so that it survives every charset, log and
/// table on its way. It must be unique over all tills of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct BizId(Box<str>);

impl BizId {
    /// The longest id that is taken, in bytes. The vendor states no limit; this one fits any column.
    pub(crate) const MAX_LEN: usize = 64;

    /// Checks and wraps an id. The error says what is wrong with it.
    pub fn new(text: &str) -> Result<BizId, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        if text.len() > Self::MAX_LEN {
            return Err("is longer than 64 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("may hold only printable ASCII characters without spaces");
        }
        Ok(BizId(text.into()))
    }

    /// The id as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BizId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<BizId> for String {
    fn from(id: BizId) -> String {
        id.0.into()
    }
}

impl TryFrom<String> for BizId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<BizId, &'static str> {
        BizId::new(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_plain_decimals_only() {
        for (text, fen) in
            [("0", 0), ("0.01", 1), ("1.5", 150), ("12.50", 1250), ("99999999.99", 9_999_999_999)]
        {
            assert_eq!(Amount::parse(text).unwrap().fen(), fen, "{text}");
        }
        for (text, error) in [
            ("", AmountError::NotPlain),
            ("-1", AmountError::Sign),
            ("+1", AmountError::Sign),
            ("1.005", AmountError::TooPrecise),
            ("1e3", AmountError::NotPlain),
            ("NaN", AmountError::NotPlain),
            (" 1", AmountError::NotPlain),
            ("1 ", AmountError::NotPlain),
            ("\u{661}", AmountError::NotPlain),
            ("\u{ff11}", AmountError::NotPlain),
            (".5", AmountError::NotPlain),
            ("5.", AmountError::NotPlain),
            ("1.2.3", AmountError::NotPlain),
            ("1,000", AmountError::NotPlain),
            ("100000000.00", AmountError::TooLarge),
            ("99999999999999999999999999", AmountError::TooLarge),
        ] {
            assert_eq!(Amount::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn zeros_beyond_the_second_decimal_change_nothing() {
        for (text, fen) in
            [("23.0000", 2300), ("23.5000", 2350), ("0.0100", 1), ("0.000", 0), ("7", 700), ("7.5", 750)]
        {
            assert_eq!(Amount::parse_value(text).unwrap().fen(), fen, "{text}");
        }
        for text in
            ["23.0001", "23.005", "-23.0000", "23.00e0", "23.0000 ", "23.00.00", ".0000", "1.000\u{ff10}"]
        {
            assert!(Amount::parse_value(text).is_err(), "{text}");
        }
    }

    #[test]
    fn biz_id_is_printable_ascii() {
        assert!(BizId::new("T1-20261122-000017").is_ok());
        for bad in ["", "a b", "订单1", "a\n", &"x".repeat(65)] {
            assert!(BizId::new(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(fen in 0u64..=9_999_999_999) {
            let amount = Amount::from_fen(fen).unwrap();
            prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
        }

        #[test]
        fn any_text_is_read_exactly_or_refused(text in "\\PC{0,12}") {
            if let Ok(amount) = Amount::parse(&text) {
                let cents = text.split_once('.').map_or(0, |(_, f)| f.len());
                prop_assert!(cents <= 2);
                let plain = text.trim_start_matches('0');
                let printed = amount.to_string();
                prop_assert!(printed.trim_start_matches('0').starts_with(plain.trim_end_matches('.')) || plain.is_empty());
            }
        }
    }
}
