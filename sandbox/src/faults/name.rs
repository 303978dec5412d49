//! The names of faults in requests, orders and rates: `name` or `name:number`.

use super::{Chosen, Fault, table::Meets};
use crate::words::{Words, words};

/// Other names for faults, some with a number.
pub const ALIASES: &[(&str, &str)] = &[
    ("lost_request", "hang"),
    ("lost_answer", "reset_after"),
    ("timeout", "late_answer"),
    ("one_byte_a_second", "slow_body"),
    ("duplicate_delivery", "delivered_twice"),
    ("portal", "html_200"),
    ("portal_after", "html_200_after"),
    ("http_302", "redirect"),
    ("http_502", "http_500:502"),
    ("http_503", "http_500:503"),
    ("http_504", "http_500:504"),
    ("http_502_after", "http_500_after:502"),
    ("http_503_after", "http_500_after:503"),
    ("http_504_after", "http_500_after:504"),
    ("success_without_data", "no_data"),
    ("reversal_refused", "reverse_refused"),
    ("reversal_too_late", "reverse_too_late"),
    ("reversal_acts_twice", "reverse_twice"),
    ("already_reversed", "reverse_already"),
];

/// A fault as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The fault.
    pub fault: Fault,
    /// Its number, if one is given.
    pub number: Option<u64>,
}

impl Fault {
    /// The fault of that name, without a number.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.row().name == name)
    }

    /// Whether the fault hits the start of a TLS connection, before any request can select it.
    pub fn is_in_handshake(self) -> bool {
        self.row().meets == Meets::Handshake
    }
}

impl Named {
    /// Reads `name` or `name:number`; aliases are accepted.
    ///
    /// # Errors
    /// A text: an unknown name, with the nearest one; an invalid number; or a number for a fault that takes none.
    pub fn read(text: &str) -> Result<Self, Words> {
        let text = text.trim();
        let (name, number) = split(text);
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        let (known, preset) = split(alias.map_or(name, |(_, known)| known));
        let fault = Fault::named(known).ok_or_else(|| unknown(name))?;
        let Some(number) = number.or(preset) else { return Ok(Self { fault, number: None }) };
        if fault.row().param.is_none() {
            return Err(words!("{name} takes no number", "{name} 不接受数值"));
        }
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        match number.parse() {
            Ok(number) if digits => Ok(Self { fault, number: Some(number) }),
            _ => Err(words!("{name}: {number:?} is no whole number", "{name}：{number:?} 不是整数")),
        }
    }

    /// The fault with its number.
    pub fn chosen(self) -> Chosen {
        let number = self.number.or(self.fault.row().param.map(|param| param.default)).unwrap_or(0);
        Chosen { fault: self.fault, number }
    }
}

/// Whether the author of this suffix of a bizId must have meant a fault.
pub(super) fn looks_like_one(text: &str) -> bool {
    let (name, _) = split(text);
    name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)))
}

fn unknown(name: &str) -> Words {
    let names =
        Fault::ALL.iter().map(|fault| fault.row().name).chain(ALIASES.iter().map(|(alias, _)| *alias));
    let nearest = names.min_by_key(|known| distance(name, known)).unwrap_or_default();
    words!(
        "there is no fault {name:?}; the nearest is {nearest:?}, GET /faults lists them all",
        "没有名为 {name:?} 的故障；最接近的是 {nearest:?}，全部故障见 GET /faults",
    )
}

/// The edit distance: how many letters to add, remove or change. Only the beginning of a long text is compared, because
/// the text comes from a request.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().take(64).enumerate() {
        let mut next = vec![at + 1];
        for ((pair, known), left) in row.windows(2).zip(&other).zip(1..) {
            let (diagonal, above) = match pair {
                [diagonal, above] => (*diagonal, *above),
                _ => continue,
            };
            let before = next.get(left - 1).copied().unwrap_or(usize::MAX - 1);
            next.push((diagonal + usize::from(letter != *known)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_number_and_another_name() {
        let read = |text: &str| Named::read(text).map(Named::chosen).unwrap();
        assert_eq!(read("cut_body:57"), Chosen { fault: Fault::CutBody, number: 57 });
        assert_eq!(read(" cut_body "), Chosen { fault: Fault::CutBody, number: 40 });
        assert_eq!(read("lost_answer"), Chosen { fault: Fault::ResetAfter, number: 0 });
        assert_eq!(read("http_503"), Chosen { fault: Fault::Http500, number: 503 });
        assert_eq!(read("timeout:100"), Chosen { fault: Fault::LateAnswer, number: 100 });
    }

    #[test]
    fn every_other_name_means_a_fault_and_is_none_itself() {
        for (alias, name) in ALIASES {
            assert!(Named::read(name).is_ok() && Fault::named(alias).is_none(), "{alias}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_the_nearest_name() {
        for (text, part) in [
            ("reset_aftr", "\"reset_after\""),
            ("lost_anser", "\"lost_answer\""),
            ("HANG", "nearest"),
            ("", "nearest"),
            ("hang:5", "no number"),
            ("cut_body:x", "\"x\""),
            ("cut_body:-1", "\"-1\""),
            ("cut_body:", "\"\""),
        ] {
            let why = Named::read(text).unwrap_err().en;
            assert!(why.contains(part), "{text}: {why}");
        }
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "")), (3, 3, 3));
    }

    #[test]
    fn every_fault_has_a_name_and_an_amount_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for (fault, number) in Fault::ALL.iter().zip(1..) {
            let row = fault.row();
            assert_eq!(row.amount, format!("9001.{number:02}"), "{}", row.name);
            assert!(seen.insert(row.name), "{}", row.name);
            assert_eq!(row.meets == Meets::Reverse, row.name.starts_with("reverse_"), "{}", row.name);
        }
    }
}
