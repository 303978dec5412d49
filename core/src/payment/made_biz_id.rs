//! BizIds that the library makes for a till: `ZV`, the time, a random part, the journal and a check character, 30
//! characters in capitals.
//!
//! - The time in milliseconds comes first, so that they sort by when they were made.
//! - Two of one journal differ whatever the clock shows: by 40 random bits, and within a process by the time, which never
//!   stands still.
//! - They name the journal with which the attempt is made (50 bits of its identity), so a look-up needs nothing else.
//! - The check character (ISO 7064, MOD 37,36) finds every mistyped character and nearly every swap of two neighbours: a
//!   mistyped bizId would otherwise be one under which nothing was sent.

use sha1::{Digest, Sha1};

use crate::money::BizId;

/// How they begin.
const PREFIX: &str = "ZV";

/// The digits: no I, L, O and U, which are misread (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Milliseconds since 1970, in digits: enough for a thousand years.
const TIME: usize = 9;

/// The random part, in digits.
const RANDOM: usize = 8;

/// The journal, in digits.
const JOURNAL: usize = 10;

/// The check character.
const CHECK: usize = 1;

const LENGTH: usize = PREFIX.len() + TIME + RANDOM + JOURNAL + CHECK;

/// The bizId of that moment and random number, for an attempt with that journal.
pub(crate) fn make(unix_ms: u64, random: u64, journal: &str) -> Result<BizId, &'static str> {
    let mut text = String::with_capacity(LENGTH);
    text.push_str(PREFIX);
    push_digits(&mut text, unix_ms, TIME);
    push_digits(&mut text, random, RANDOM);
    push_digits(&mut text, mark_of(journal), JOURNAL);
    text.push(check_character(&text));
    BizId::new(&text)
}

/// Whether the library has made this bizId, with whichever journal.
pub(crate) fn is_made(biz_id: &BizId) -> bool {
    body(biz_id).is_some()
}

/// Whether a bizId was made for attempts with that journal; `None` if it is none of the library's.
pub(super) fn is_made_for(biz_id: &BizId, journal: &str) -> Option<bool> {
    let body = body(biz_id)?;
    let mut mark = String::with_capacity(JOURNAL);
    push_digits(&mut mark, mark_of(journal), JOURNAL);
    Some(body.ends_with(&mark))
}

/// All but the check character, if that is right.
fn body(biz_id: &BizId) -> Option<&str> {
    let text = biz_id.as_str();
    let body = text.get(..LENGTH - CHECK)?;
    let is_own = body.strip_prefix(PREFIX)?.bytes().all(|digit| DIGITS.contains(&digit));
    let is_whole = text.get(LENGTH - CHECK..)?.chars().eq([check_character(body)]);
    (is_own && is_whole).then_some(body)
}

/// The last so many digits of a number.
fn push_digits(text: &mut String, number: u64, count: usize) {
    for place in (0..count).rev() {
        let digit = usize::try_from((number >> (5 * place)) & 31).unwrap_or_default();
        text.extend(DIGITS.get(digit).copied().map(char::from));
    }
}

/// What of a journal's identity its bizIds carry.
fn mark_of(journal: &str) -> u64 {
    let hash = Sha1::digest(journal.as_bytes());
    hash.iter().take(7).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}

/// The check character of ISO 7064, MOD 37,36, over digits and capital letters.
fn check_character(text: &str) -> char {
    let values = text.chars().filter_map(|character| character.to_digit(36));
    let rest = values.fold(36, |rest, value| {
        let sum = match (rest + value) % 36 {
            0 => 36,
            sum => sum,
        };
        sum * 2 % 37
    });
    char::from_digit((37 - rest) % 36, 36).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOURNAL_ID: &str = "0123456789abcdef0123456789abcdef";

    fn made(unix_ms: u64, random: u64) -> BizId {
        make(unix_ms, random, JOURNAL_ID).unwrap()
    }

    #[test]
    fn the_check_character_is_that_of_the_standard() {
        // The example of the Global Release Identifier (GRid), which uses this system.
        assert_eq!(check_character("A12425GABC1234002"), 'M');
    }

    #[test]
    fn it_has_thirty_capitals_and_digits_and_names_its_journal() {
        for (unix_ms, random) in [(0, 0), (1_795_000_000_123, 0xab_cdef_0123), (u64::MAX, u64::MAX)] {
            let biz_id = made(unix_ms, random);
            assert_eq!(biz_id.as_str().len(), 30, "{biz_id}");
            assert!(
                biz_id.as_str().bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()),
                "{biz_id}"
            );
            assert_eq!(is_made_for(&biz_id, JOURNAL_ID), Some(true));
            assert_eq!(is_made_for(&biz_id, "another"), Some(false));
        }
    }

    #[test]
    fn they_sort_by_time() {
        let mut times: Vec<u64> = (0..40).map(|power| 1 << power).collect();
        times.extend([1_795_000_000_123, 1_795_000_000_124, 1_795_000_001_000]);
        times.sort_unstable();
        let texts: Vec<String> =
            times.iter().map(|at| made(*at, u64::MAX - at).as_str().to_owned()).collect();
        assert!(texts.is_sorted(), "{texts:?}");
    }

    #[test]
    fn what_is_mistyped_names_no_journal() {
        let biz_id = made(1_795_000_000_123, 0xab_cdef_0123);
        let text = biz_id.as_str();
        let mut tried = 0;
        let mut no_longer = |text: &str| {
            assert_eq!(is_made_for(&BizId::new(text).unwrap(), JOURNAL_ID), None, "{text}");
            tried += 1;
        };
        for place in 0..text.len() {
            for other in ('0'..='9').chain('A'..='Z') {
                if !text[place..].starts_with(other) {
                    no_longer(&format!("{}{other}{}", &text[..place], &text[place + 1..]));
                }
            }
            no_longer(&format!("{}{}", &text[..place], &text[place + 1..]));
            no_longer(&format!("{}0{}", &text[..place], &text[place..]));
        }
        for other in ["20261122-000017", "ZV", "zv", &text.to_lowercase(), &format!("{text}-1")] {
            no_longer(other);
        }
        assert!(tried > 1000);
    }

    #[test]
    fn nearly_all_neighbours_that_were_swapped_are_found() {
        let (mut swaps, mut missed) = (0_u32, 0_u32);
        for number in 0..2_000_u64 {
            let text = made(1_795_000_000_123 + number * 977, number * 0x1_2345_6789).as_str().to_owned();
            for place in 0..text.len() - 1 {
                let mut swapped: Vec<char> = text.chars().collect();
                swapped.swap(place, place + 1);
                let swapped: String = swapped.into_iter().collect();
                if swapped != text {
                    swaps += 1;
                    let is_taken = is_made_for(&BizId::new(&swapped).unwrap(), JOURNAL_ID).is_some();
                    missed += u32::from(is_taken);
                }
            }
        }
        assert!(swaps > 40_000 && missed * 200 < swaps, "{missed} of {swaps}");
    }
}
