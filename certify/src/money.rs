//! Amounts of the gateway and the till, such as `12.00`, as whole 分.

/// The 分 of a decimal with at most two fractional digits; `None` for any other text.
pub(crate) fn fen(text: &str) -> Option<i64> {
    let (yuan, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(yuan) || !digits(fraction) || fraction.len() > 2 {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<2}").parse().ok()?;
    yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction)
}

/// The amount with two decimals.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_read_exactly_or_not_at_all() {
        assert_eq!(fen("12.00"), Some(1200));
        assert_eq!(fen("0.5"), Some(50));
        assert_eq!(fen("7"), Some(700));
        for wrong in ["", ".5", "1.", "1.005", "-1", "1e3", "一"] {
            assert_eq!(fen(wrong), None, "{wrong}");
        }
        assert_eq!((yuan(1205), yuan(-5)), ("12.05".to_owned(), "-0.05".to_owned()));
    }
}
