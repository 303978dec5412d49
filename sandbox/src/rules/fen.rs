//! Amounts in the sandbox: whole 分, parsed strictly from 元 with at most two decimals.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// An amount of money in 分 (1/100 元), never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fen(u64);

impl Fen {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// This many 分.
    pub const fn new(fen: u64) -> Self {
        Self(fen)
    }

    /// The number of 分.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Parses 元: 1 to 12 digits, then at most two decimals (DOC: 取到小数点后两位). Nothing is rounded: `1.005`, `1e3`, `-1`,
    /// `.5`, `1.` and a space are not amounts.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if (1..=2).contains(&fraction.len()) => (whole, fraction),
            Some(_) => return None,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !(1..=12).contains(&whole.len()) || !digits(whole) || !digits(fraction) {
            return None;
        }
        format!("{whole}{fraction:0<2}").parse().ok().map(Self)
    }

    /// The sum; amounts are limited far below an overflow.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero if the other amount is larger.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// 元 with two decimals, the vendor's format.
impl fmt::Display for Fen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Fen {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no amount like \"12.50\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::Fen;

    #[test]
    fn reads_two_decimals_and_nothing_else() {
        for (text, fen) in [
            ("0", 0),
            ("1", 100),
            ("1.5", 150),
            ("1.05", 105),
            ("007.10", 710),
            ("999999999999.99", 99_999_999_999_999),
        ] {
            assert_eq!(Fen::parse(text), Some(Fen::new(fen)), "{text}");
        }
        for text in [
            "",
            ".5",
            "1.",
            "1.005",
            "1e3",
            "-1",
            "+1",
            " 1",
            "1 ",
            "NaN",
            "١",
            "1,5",
            "1.5.0",
            "1000000000000",
        ] {
            assert_eq!(Fen::parse(text), None, "{text}");
        }
    }

    #[test]
    fn writes_two_decimals() {
        assert_eq!(Fen::new(5).to_string(), "0.05");
        assert_eq!(Fen::new(100_000_000).to_string(), "1000000.00");
    }
}
