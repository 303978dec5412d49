//! What the fuzz targets compare the library with: readers and rules of their own, made of serde_json and little else,
//! so that a defect of the library cannot excuse itself.

pub mod gateway;
pub mod http;
pub mod journal;
pub mod ledger;
pub mod proof;
pub mod tree;

/// The input's first byte as a number, and what follows it. Seeds have a digit or a letter there.
pub fn choice(input: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = input.split_first()?;
    Some((first.wrapping_sub(b'0'), rest))
}
