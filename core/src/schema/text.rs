//! Rules for ids, codes and notes: what is cut from them, what is refused by name, and which field names mean an id.

use std::borrow::Cow;

/// The largest integer up to which every integer is exact in a double, 2^53 - 1: JavaScript, Lua and many JSON
/// readers round larger ones.
const MAX_SAFE: &str = "9007199254740991";

/// An id without what scanners and files add at its ends: blanks, CR, LF, TAB and byte order marks. Nothing else is
/// changed, leading zeros in particular.
pub(crate) fn trimmed_id(text: &str) -> &str {
    // Most ids have nothing to cut.
    if let [first, .., last] = text.as_bytes()
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
    {
        return text;
    }
    text.trim_matches([' ', '\r', '\n', '\t', '\u{feff}'])
}

/// Why a scanned code or a coupon's code cannot be sent unchanged. The library never changes one: only the till can
/// know what the code would be without the additions.
pub(crate) fn code_problem(code: &str) -> Option<&'static str> {
    if !code.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("may hold only printable ASCII characters without spaces; a code is never changed");
    }
    // AIM identifier, ISO/IEC 15424: the symbology of the scanned code.
    let is_identifier = matches!(code.as_bytes(), [b']', letter, mode, ..] if letter.is_ascii_alphabetic() && mode.is_ascii_alphanumeric());
    is_identifier.then_some("begins with the scanner's symbology identifier (]C1, ]Q3 …); switch that off")
}

/// A note as it is sent: each run of line breaks and tabs becomes a blank and is dropped at the ends; at most `max`
/// characters.
pub(crate) fn cut_note(text: &str, max: usize) -> Cow<'_, str> {
    let breaks = |letter: char| matches!(letter, '\r' | '\n' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let line: Cow<'_, str> = if text.contains(breaks) {
        text.split(breaks).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").into()
    } else {
        text.into()
    };
    match line.char_indices().nth(max) {
        Some((end, _)) => line.get(..end).unwrap_or_default().to_owned().into(),
        None => line,
    }
}

/// Whether a number's text is an integer that a double may not represent exactly.
pub(crate) fn is_unsafe_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let digits = digits.trim_start_matches('0');
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() > MAX_SAFE.len() || (digits.len() == MAX_SAFE.len() && digits > MAX_SAFE))
}

/// Whether a field of that name holds an id of the gateway's.
pub(super) fn is_id_name(name: &str) -> bool {
    const WHOLE: [&str; 18] = [
        "id",
        "ID",
        "ids",
        "openid",
        "unionid",
        "userid",
        "couponsCardList",
        "cardNo",
        "card_no",
        "orderNo",
        "order_no",
        "thirdOrderNo",
        "memberNo",
        "memberCode",
        "userCode",
        "user_code",
        "couponCode",
        "coupon_code",
    ];
    const ENDS: [&str; 8] = ["Id", "ID", "_id", "Ids", "IDs", "_ids", "IdList", "_id_list"];
    WHOLE.contains(&name) || ENDS.into_iter().any(|end| name.ends_with(end))
}

/// Whether a field of that name identifies something or tells a result, so that no letter of it may be guessed.
pub(crate) fn is_name_of_exact(name: &str) -> bool {
    const WHOLE: [&str; 9] = [
        "code",
        "status",
        "identifierNumber",
        "trade_mark",
        "tradeMark",
        "multi_mark",
        "multiMark",
        "multiStoreMark",
        "useStatus",
    ];
    const ENDS: [&str; 4] = ["Code", "_code", "No", "_no"];
    is_id_name(name) || WHOLE.contains(&name) || ENDS.into_iter().any(|end| name.ends_with(end))
}

/// Whether a field of that name holds words for people, even if they are only digits.
pub(crate) fn is_name_of_words(name: &str) -> bool {
    const PARTS: [&str; 9] =
        ["name", "remark", "address", "message", "title", "desc", "reason", "nick", "comment"];
    let name = name.to_ascii_lowercase();
    PARTS.into_iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_a_scanner_adds_is_cut() {
        for (given, wanted) in [
            ("38", "38"),
            (" \t38\r\n\u{feff}", "38"),
            ("3 8", "3 8"),
            ("007", "007"),
            ("38\u{a0}", "38\u{a0}"),
            ("\u{3000}38", "\u{3000}38"),
            ("38\u{200b}", "38\u{200b}"),
            (" \r\n", ""),
        ] {
            assert_eq!(trimmed_id(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn a_code_is_sent_as_it_is_or_not_at_all() {
        for good in ["600000000001", "0012", "QR-A7", "]", "]-1", "C]C1"] {
            assert_eq!(code_problem(good), None, "{good}");
        }
        for bad in ["QR1 ", " QR1", "Q R", "]C1600000000001", "]Q3x", "券", "ＱＲ", "Q\u{200b}R", "\u{feff}Q"]
        {
            assert!(code_problem(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn a_note_is_one_line_of_so_many_characters() {
        for (given, wanted) in [
            ("receipt 17", "receipt 17"),
            (" as it is ", " as it is "),
            ("one\r\ntwo\n", "one two"),
            ("\n\n", ""),
            ("券券券券券券券券券券券券", "券券券券券券券券券券"),
            ("0123456789", "0123456789"),
        ] {
            assert_eq!(cut_note(given, 10), wanted, "{given:?}");
        }
    }

    #[test]
    fn names_of_ids() {
        for name in ["id", "cardId", "user_id", "groupId", "orderNo", "memberCode", "cardIdList", "openid"] {
            assert!(is_id_name(name) && is_name_of_exact(name), "{name}");
        }
        for name in ["code", "status", "trade_mark", "redeemCode"] {
            assert!(!is_id_name(name) && is_name_of_exact(name), "{name}");
        }
        for name in ["paid", "valid", "nickname", "amount", "num", "note", "list", "couponName", "pageNum"] {
            assert!(!is_id_name(name) && !is_name_of_exact(name), "{name}");
        }
    }

    #[test]
    fn what_a_double_cannot_be_trusted_with() {
        for (text, unsafe_) in [
            ("9007199254740991", false),
            ("9007199254740992", true),
            ("-9007199254740993", true),
            ("0", false),
            ("-0", false),
            ("12345678901234567890", true),
            ("1e30", false),
            ("12345678901234567890.5", false),
            ("00000000000000000000007", false),
        ] {
            assert_eq!(is_unsafe_integer(text), unsafe_, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cut_note_needs_no_more_cutting(text in r"[a券😀 \r\n\t\u{2028}]{0,40}", max in 1usize..12) {
            let cut = cut_note(&text, max);
            prop_assert!(cut.chars().count() <= max);
            let breaks = cut.contains(['\r', '\n', '\t', '\u{2028}']);
            prop_assert!(!breaks, "{:?}", cut);
            prop_assert_eq!(cut_note(&cut, max), cut.clone());
        }

        #[test]
        fn a_trimmed_id_is_inside_and_has_nothing_more_to_cut(text in r"[0-9a ]{0,4}[ \r\n\t\u{feff}]{0,3}[0-9 ]{0,6}") {
            let id = trimmed_id(&text);
            prop_assert!(text.contains(id));
            prop_assert_eq!(trimmed_id(id), id);
        }

        #[test]
        fn an_integer_is_unsafe_beyond_2_to_53(number: i64) {
            prop_assert_eq!(is_unsafe_integer(&number.to_string()), number.unsigned_abs() >= 1 << 53);
        }
    }
}
