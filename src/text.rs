//! Texts of a host: from a pointer to a checked `&str`, with a clear answer for whatever else was passed.

use std::ffi::{CStr, c_char};

use zvpos_core::outcome::{Answer, Lang, Outcome, codes};

/// Reads a text that must be given. `what` names it in messages.
///
/// # Safety
/// `pointer` is NULL or points to a NUL-ended text that lives and does not change during the call.
pub(crate) unsafe fn required<'a>(pointer: *const c_char, what: &str, lang: Lang) -> Result<&'a str, Answer> {
    // SAFETY: the caller's promise is passed on.
    match unsafe { optional(pointer, what, lang) }? {
        Some(text) => Ok(text),
        None => Err(Answer::of(Outcome::Invalid, &codes::NULL, lang, format!("{what} is NULL"))),
    }
}

/// Reads a text that may be NULL.
///
/// # Safety
/// As [`required`].
pub(crate) unsafe fn optional<'a>(
    pointer: *const c_char,
    what: &str,
    lang: Lang,
) -> Result<Option<&'a str>, Answer> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the caller promises a NUL-ended text.
    let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
            let message = format!("{what} begins with a UTF-16 byte order mark; pass UTF-8");
            Err(Answer::of(Outcome::Invalid, &codes::UTF16, lang, message))
        }
        Err(error) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            let message = format!("{what} is not UTF-8: byte {at} is 0x{byte:02x}; is it GBK?");
            Err(Answer::of(Outcome::Invalid, &codes::UTF8, lang, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_the_bytes() {
        let read = |bytes: &[u8]| {
            // SAFETY: the slices below end with NUL.
            unsafe { required(bytes.as_ptr().cast(), "request", Lang::En) }
                .map(str::to_owned)
                .map_err(|answer| answer.code().to_owned())
        };
        assert_eq!(read(b"{}\0"), Ok("{}".to_owned()));
        assert_eq!(read(b"\xc6\xf3\xc2\xf5\0"), Err("ZV-UTF8".to_owned()));
        assert_eq!(read(b"\xff\xfe{\0"), Err("ZV-UTF16".to_owned()));
        // SAFETY: NULL is allowed.
        let null = unsafe { required(std::ptr::null(), "request", Lang::En) };
        assert_eq!(null.unwrap_err().code(), "ZV-NULL");
    }
}
