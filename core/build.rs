//! GBK's tables for `src/text/gbk.rs`, written from those of encoding_rs. That crate itself would bring the tables of every
//! legacy charset of the web along.

use std::path::Path;
use std::{env, fs};

use encoding_rs::GB18030;

/// Letters of two bytes: as many as there are trail bytes for a lead byte.
const TRAILS: u16 = 190;
const LEADS: u16 = 126;
/// Of four bytes: those that are not beyond the 16 bits of the basic plane.
const BASIC: u16 = 39_420;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    write(Path::new(&env::var_os("OUT_DIR").unwrap_or_else(|| panic!("no OUT_DIR"))));
}

/// Writes the two tables into `folder`: `gbk-pairs.bin`, one letter for each pair of bytes, zero where there is none; and
/// `gbk-ranges.bin`, pairs of the number of a sequence of four bytes and its letter, from which on both count alike.
fn write(folder: &Path) {
    let pairs = (0..LEADS * TRAILS).flat_map(|number| {
        let (lead, trail) = (number / TRAILS + 0x81, number % TRAILS);
        let trail = trail + if trail < 0x3f { 0x40 } else { 0x41 };
        letter([lead, trail]).unwrap_or_default().to_le_bytes()
    });
    save(folder, "gbk-pairs.bin", &pairs.collect::<Vec<u8>>());
    let mut ranges = Vec::new();
    let mut expected = None;
    for number in 0..BASIC {
        let bytes =
            [number / 12_600 + 0x81, number / 1260 % 10 + 0x30, number / 10 % 126 + 0x81, number % 10 + 0x30];
        let found = letter(bytes).unwrap_or_else(|| panic!("{number} is no letter"));
        if Some(found) != expected {
            ranges.extend(number.to_le_bytes());
            ranges.extend(found.to_le_bytes());
        }
        expected = found.checked_add(1);
    }
    save(folder, "gbk-ranges.bin", &ranges);
}

/// The one letter that these bytes are.
fn letter<const N: usize>(bytes: [u16; N]) -> Option<u16> {
    let bytes = bytes.map(|byte| u8::try_from(byte).unwrap_or_else(|_| panic!("{byte} is no byte")));
    let text = GB18030.decode_without_bom_handling_and_without_replacement(&bytes)?;
    let mut letters = text.chars();
    let first = letters.next().filter(|_| letters.next().is_none())?;
    let code = u16::try_from(u32::from(first));
    Some(code.unwrap_or_else(|_| panic!("{first} is beyond the basic plane")))
}

fn save(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
