//! GBK to Unicode and back, as the WHATWG's encoding standard has it: two bytes a letter, the euro sign as one, and on
//! the way in also GB 18030's four. The tables are written by the build (`build.rs`).

use std::sync::OnceLock;

/// One letter of two bytes each for every pair of lead and trail; zero where there is none.
static PAIRS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gbk-pairs.bin"));
/// For sequences of four bytes: a number and its letter, from which on both count alike.
static RANGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gbk-ranges.bin"));

const TRAILS: u16 = 190;
const EURO: char = '€';
const EURO_BYTE: u8 = 0x80;

/// Sequences of four bytes for the basic plane end here, and those for all others lie in between.
const BASIC_END: u32 = 39_420;
const OTHERS: u32 = 189_000;

/// Strictly; the error is the place of the first bad byte, or of the first one for which there is no memory.
pub(super) fn decode(bytes: &[u8]) -> Result<String, usize> {
    let mut out = String::new();
    // No letter takes more than three bytes for each of its own.
    out.try_reserve(bytes.len().saturating_mul(3)).map_err(|_| 0_usize)?;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (letter, length) = first_letter(rest).ok_or(at)?;
        out.push(letter);
        at += length;
    }
    Ok(out)
}

/// The letter that begins here, and how many bytes it has.
fn first_letter(bytes: &[u8]) -> Option<(char, usize)> {
    match *bytes {
        [ascii @ ..0x80, ..] => Some((char::from(ascii), 1)),
        [EURO_BYTE, ..] => Some((EURO, 1)),
        [a @ 0x81..=0xfe, b @ b'0'..=b'9', c @ 0x81..=0xfe, d @ b'0'..=b'9', ..] => {
            let [a, c] = [a, c].map(|byte| u32::from(byte - 0x81));
            let [b, d] = [b, d].map(|byte| u32::from(byte - b'0'));
            Some((of_four(((a * 10 + b) * 126 + c) * 10 + d)?, 4))
        }
        [lead @ 0x81..=0xfe, trail @ (0x40..=0x7e | 0x80..=0xfe), ..] => {
            let trail = u16::from(trail - if trail < 0x7f { 0x40 } else { 0x41 });
            let code = entry(PAIRS, usize::from(u16::from(lead - 0x81) * TRAILS + trail))?;
            Some((char::from_u32(u32::from(code)).filter(|_| code != 0)?, 2))
        }
        _ => None,
    }
}

/// The letter of a sequence of four bytes.
fn of_four(number: u32) -> Option<char> {
    if number >= BASIC_END {
        return char::from_u32(number.checked_sub(OTHERS)? + 0x1_0000);
    }
    let range = |index: usize| Some((u32::from(entry(RANGES, 2 * index)?), entry(RANGES, 2 * index + 1)?));
    let (mut low, mut high) = (0, RANGES.len() / 4);
    // The last range that begins at or before the number.
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if range(middle)?.0 <= number { low = middle } else { high = middle }
    }
    let (first, letter) = range(low)?;
    char::from_u32(u32::from(letter) + (number - first))
}

/// Writes a letter; whether GBK has it.
pub(super) fn push(out: &mut Vec<u8>, letter: char) -> bool {
    if let Ok(ascii @ ..0x80) = u8::try_from(letter) {
        out.push(ascii);
        return true;
    }
    if letter == EURO {
        out.push(EURO_BYTE);
        return true;
    }
    let index = usize::try_from(u32::from(letter)).unwrap_or(usize::MAX);
    let Some([lead, trail]) = backwards().get(index).copied().filter(|[lead, _]| *lead != 0) else {
        return false;
    };
    out.extend([lead, trail]);
    true
}

/// The two bytes of every letter of the basic plane; zeros where GBK has none. Only hosts that speak GBK pay for it.
fn backwards() -> &'static [[u8; 2]] {
    static TABLE: OnceLock<Vec<[u8; 2]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = vec![[0, 0]; 0x1_0000];
        for lead in 0x81..=0xfe {
            for trail in (0x40..=0x7e).chain(0x80..=0xfe) {
                let Some((letter, _)) = first_letter(&[lead, trail]) else { continue };
                let index = usize::try_from(u32::from(letter)).unwrap_or(usize::MAX);
                // Of two ways to write a letter the first is the usual one.
                if let Some(place @ [0, 0]) = table.get_mut(index) {
                    *place = [lead, trail];
                }
            }
        }
        table
    })
}

fn entry(table: &[u8], index: usize) -> Option<u16> {
    let bytes = table.get(2 * index..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{DecoderResult, GB18030, GBK};

    /// What encoding_rs makes of the bytes; the error is the place of the first bad byte.
    fn peer(bytes: &[u8]) -> Result<String, usize> {
        let mut decoder = GB18030.new_decoder_without_bom_handling();
        let mut out = String::with_capacity(4 * bytes.len() + 16);
        match decoder.decode_to_string_without_replacement(bytes, &mut out, true) {
            (DecoderResult::InputEmpty, _) => Ok(out),
            (DecoderResult::Malformed(length, behind), read) => {
                Err(read - usize::from(length) - usize::from(behind))
            }
            (DecoderResult::OutputFull, _) => panic!("no room"),
        }
    }

    #[test]
    fn reads_every_sequence_as_encoding_rs_does() {
        for a in 0..=0xff_u8 {
            assert_eq!(decode(&[a]), peer(&[a]), "{a:02x}");
            for b in 0..=0xff_u8 {
                assert_eq!(decode(&[b'x', a, b]), peer(&[b'x', a, b]), "{a:02x} {b:02x}");
            }
        }
        for a in 0x80..=0xff_u8 {
            for b in b'/'..=b':' {
                for c in 0x80..=0xff_u8 {
                    assert_eq!(decode(&[a, b, c]), peer(&[a, b, c]), "{a:02x} {b:02x} {c:02x}");
                    for d in b'/'..=b':' {
                        let bytes = [a, b, c, d, b'x'];
                        assert_eq!(decode(&bytes), peer(&bytes), "{bytes:02x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn writes_every_letter_as_encoding_rs_does() {
        // Private-use letters are never written (see `text`), and the tables disagree on them.
        for letter in (char::MIN..=char::MAX).filter(|c| !('\u{e000}'..='\u{f8ff}').contains(c)) {
            let mut text = [0; 4];
            let (bytes, _, unmappable) = GBK.encode(letter.encode_utf8(&mut text));
            let mut out = Vec::new();
            assert_eq!(push(&mut out, letter), !unmappable, "{letter:?}");
            if !unmappable {
                assert_eq!(out, *bytes, "{letter:?}");
            }
        }
    }
}
