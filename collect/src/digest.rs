//! Random tokens, the hashes that are stored of them, and the keyed hashes of what must not be read in the copy.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a keyed hash begins with, so that it is not taken for the id itself.
pub const HASHED: &str = "h:";

/// The shortest key of keyed hashes: with fewer letters all member numbers could be tried.
pub const KEY_MIN: usize = 16;

/// So many random bytes as hexadecimal digits.
///
/// # Errors
/// The system gives no random numbers.
pub fn random(bytes: usize) -> Result<String, String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| format!("the system gives no random numbers: {error}"))?;
    Ok(hex(&random))
}

/// The SHA-256 of a text as hexadecimal digits: what is stored of a token, whose 256 random bits need no slower hash.
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Whether two texts are the same, in a time that depends on their lengths only.
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// The keyed hash of an id: the same id has the same hash under the same key, and nobody without the key can find the id by
/// trying. 128 bits of HMAC-SHA256.
pub fn keyed(key: &str, id: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return HASHED.to_owned() };
    mac.update(id.as_bytes());
    let whole = mac.finalize().into_bytes();
    format!("{HASHED}{}", hex(whole.get(..16).unwrap_or_default()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standards() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // RFC 4231, test case 2.
        assert_eq!(keyed("Jefe", "what do ya want for nothing?"), "h:5bdcc146bf60754e6a042426089575c7");
        assert_ne!(keyed("Jefe", "1"), keyed("jefe", "1"));
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (random(32).unwrap(), random(32).unwrap());
        assert_eq!((one.len(), one == other), (64, false));
        assert!(same(&one, &one.clone()) && !same(&one, &other) && !same(&one, &one[1..]) && same("", ""));
    }
}
