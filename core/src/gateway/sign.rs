//! The signature of a request: HMAC-SHA1 over four fields, Base64, percent-encoded (SEEN in six public
//! integrations; the first test vector is the vendor's own).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

/// The spelling of names in the signed text. Which one V2 expects is OPEN; the 2016 vector uses lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignNames {
    /// `grantCode=`, whatever the envelope's spelling.
    #[default]
    Lower,
    /// As in the envelope: `GrantCode=` for V2.
    AsSent,
}

/// The credentials that an account signs with. The key is wiped on drop and is in no `Debug` output.
#[derive(Clone)]
pub struct Credentials {
    open_id: String,
    grant_code: String,
    open_key: Zeroizing<String>,
    /// Keyed once; cloned for every signature.
    mac: Hmac<Sha1>,
}

/// One signature, valid for one attempt: the gateway accepts a nonce once (SEEN).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Unix seconds, ten digits.
    pub timestamp: String,
    /// 1 to 999999999.
    pub nonce: String,
    /// As in the JSON body: Base64, percent-encoded.
    pub token: String,
}

impl Credentials {
    /// Credentials of one account; `None` if the key cannot be used (HMAC accepts any length, so at present never).
    pub fn new(open_id: &str, grant_code: &str, open_key: &str) -> Option<Credentials> {
        Some(Credentials {
            open_id: open_id.to_owned(),
            grant_code: grant_code.to_owned(),
            open_key: Zeroizing::new(open_key.to_owned()),
            mac: Hmac::<Sha1>::new_from_slice(open_key.as_bytes()).ok()?,
        })
    }

    /// 密钥Id
    pub(crate) fn open_id(&self) -> &str {
        &self.open_id
    }

    /// 授权code
    pub(crate) fn grant_code(&self) -> &str {
        &self.grant_code
    }

    /// The key itself, for removing it from texts.
    pub(crate) fn secret(&self) -> &str {
        &self.open_key
    }

    /// The text that is signed: four fields and nothing else, sorted by name. `capital`: the envelope spells its
    /// names `OpenId`.
    pub fn text_to_sign(&self, names: SignNames, capital: bool, unix_seconds: u64, nonce: u32) -> String {
        self.parts_to_sign(names, capital, &unix_seconds.to_string(), &nonce.to_string()).concat()
    }

    fn parts_to_sign<'t>(
        &'t self,
        names: SignNames,
        capital: bool,
        timestamp: &'t str,
        nonce: &'t str,
    ) -> [&'t str; 8] {
        let [grant_code, nonce_name, open_id, timestamp_name] = if capital && names == SignNames::AsSent {
            ["GrantCode=", "&Nonce=", "&OpenId=", "&Timestamp="]
        } else {
            ["grantCode=", "&nonce=", "&openId=", "&timestamp="]
        };
        [grant_code, &self.grant_code, nonce_name, nonce, open_id, &self.open_id, timestamp_name, timestamp]
    }

    /// Signs for this second with this nonce; see [`Credentials::text_to_sign`].
    pub fn sign(&self, names: SignNames, capital: bool, unix_seconds: u64, nonce: u32) -> Signature {
        let (timestamp, nonce) = (unix_seconds.to_string(), nonce.to_string());
        let mut mac = self.mac.clone();
        for part in self.parts_to_sign(names, capital, &timestamp, &nonce) {
            mac.update(part.as_bytes());
        }
        let encoded = STANDARD.encode(mac.finalize().into_bytes());
        let mut token = String::with_capacity(encoded.len() + 8);
        for letter in encoded.chars() {
            match letter {
                '+' => token.push_str("%2B"),
                '/' => token.push_str("%2F"),
                '=' => token.push_str("%3D"),
                plain => token.push(plain),
            }
        }
        Signature { timestamp, nonce, token }
    }
}

/// The key stays out of every `Debug` output.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("open_id", &self.open_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_known_vectors() {
        for (key, id, grant, time, nonce, token) in [
            (
                "LyvrkvkxRkG2R6aM55bXpPwjYAbkEXTbVnKwfDYvVHjNwNFAmx",
                "d14c1559e87b747d577c834b275a4310",
                "ba67d4fa46",
                1_465_185_768,
                11886,
                "cFw0t9IuvL9jVo9qAzk0qMcw5BM%3D",
            ),
            (
                "fake-open-key-for-test-only-0001",
                "fake-open-id-for-test-only-0001",
                "fake-grant-code-0001",
                1_712_563_200,
                24680,
                "ySypL4SRFMmfSrCqOiFE01LK3ks%3D",
            ),
        ] {
            let credentials = Credentials::new(id, grant, key).unwrap();
            for capital in [false, true] {
                assert_eq!(credentials.sign(SignNames::Lower, capital, time, nonce).token, token);
            }
            assert_eq!(credentials.sign(SignNames::AsSent, false, time, nonce).token, token);
            assert_ne!(credentials.sign(SignNames::AsSent, true, time, nonce).token, token);
        }
    }

    /// RFC 2202, section 3: HMAC-SHA1 itself, as it is used here.
    #[test]
    fn hmac_agrees_with_rfc_2202() {
        let hex = |bytes: &[u8]| {
            use std::fmt::Write;
            bytes.iter().fold(String::new(), |mut out, byte| {
                write!(out, "{byte:02x}").unwrap();
                out
            })
        };
        for (key, data, digest) in [
            (vec![0x0b; 20], b"Hi There".to_vec(), "b617318655057264e28bc0b6fb378c8ef146be00"),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (vec![0xaa; 20], vec![0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
            ((1..=25).collect(), vec![0xcd; 50], "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
            (vec![0x0c; 20], b"Test With Truncation".to_vec(), "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
            (
                vec![0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
            (
                vec![0xaa; 80],
                b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".to_vec(),
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
            ),
        ] {
            let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
            mac.update(&data);
            assert_eq!(hex(&mac.finalize().into_bytes()), digest);
        }
    }

    #[test]
    fn the_key_is_in_no_debug_output() {
        let credentials = Credentials::new("id", "grant", "top-secret-key").unwrap();
        assert!(!format!("{credentials:?}").contains("secret"));
    }
}
