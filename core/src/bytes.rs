//! Percent-encoding, as in URLs, and the byte order mark.

/// The byte order mark of UTF-8, which Notepad writes at the start of a file.
const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// The bytes of a percent-encoded text. An invalid escape is kept unchanged.
pub fn percent_decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, behind) = encoded(rest).unwrap_or((*first, after));
        out.push(byte);
        rest = behind;
    }
    out
}

/// The byte of the escape at the front, and the rest.
fn encoded(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, behind @ ..] = text else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some((digit(*high)? << 4 | digit(*low)?, behind))
}

/// The bytes after a UTF-8 byte order mark, if there is one.
pub(crate) fn without_mark(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(&MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_escapes_are_decoded_and_all_else_is_unchanged() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("plain", b"plain"),
            ("%41%62%2f%2F", b"Ab//"),
            ("u:p%40s", b"u:p@s"),
            ("%E5%BA%97%00", b"\xe5\xba\x97\x00"),
            ("%2540", b"%40"),
            ("%%41", b"%A"),
            ("100%", b"100%"),
            ("p%2", b"p%2"),
            ("%g1%1g% 1", b"%g1%1g% 1"),
            // A sign is not a digit.
            ("%+1%-1", b"%+1%-1"),
            ("店%41", "店A".as_bytes()),
            ("%店", "%店".as_bytes()),
        ] {
            assert_eq!(percent_decoded(text), bytes, "{text}");
        }
    }
}
