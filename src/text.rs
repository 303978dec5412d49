//! Texts of a host: from a pointer to the bytes that `zvpos_core::text` reads.

use std::borrow::Cow;
use std::ffi::{CStr, c_char};

use zvpos_core::outcome::{Answer, codes};
use zvpos_core::text::Expected;

/// The bytes of a text, without NUL; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL or points to a NUL-ended text that lives and does not change during the call.
pub(crate) unsafe fn bytes<'a>(pointer: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: not NULL, and the caller promises a NUL-ended text.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// Reads a text from a host's pointer.
pub(crate) trait FromHost {
    /// A required text.
    ///
    /// # Safety
    /// As [`bytes`].
    unsafe fn required<'a>(self, pointer: *const c_char) -> Result<Cow<'a, str>, Answer>;

    /// A text that may be NULL.
    ///
    /// # Safety
    /// As [`bytes`].
    unsafe fn optional<'a>(self, pointer: *const c_char) -> Result<Option<Cow<'a, str>>, Answer>;
}

impl FromHost for Expected<'_> {
    unsafe fn required<'a>(self, pointer: *const c_char) -> Result<Cow<'a, str>, Answer> {
        // SAFETY: the caller's promise is passed on.
        match unsafe { bytes(pointer) } {
            Some(bytes) => self.decode_given(bytes),
            None => Err(self.refused(&codes::NULL, "is NULL")),
        }
    }

    unsafe fn optional<'a>(self, pointer: *const c_char) -> Result<Option<Cow<'a, str>>, Answer> {
        // SAFETY: the caller's promise is passed on.
        unsafe { bytes(pointer) }.map(|bytes| self.decode_given(bytes)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zvpos_core::config::Charset;
    use zvpos_core::outcome::Lang;

    #[test]
    fn null_is_reported_by_name() {
        let expected = Expected { what: "r", charset: Charset::Gbk, lang: Lang::En };
        // SAFETY: NULL is allowed.
        let null = unsafe { expected.required(std::ptr::null()) };
        assert_eq!(null.unwrap_err().code(), "ZV-NULL");
    }
}
