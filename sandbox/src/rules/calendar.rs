//! Times as text, without a clock: the `Date` header, the vendor's local times, RFC 3339.

use jiff::Timestamp;
use jiff::fmt::{rfc2822, temporal};
use jiff::tz::offset;

fn timestamp(unix_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(unix_ms).unwrap_or_default()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the format of HTTP.
pub fn http_date(unix_s: i64) -> String {
    let at = timestamp(unix_s.saturating_mul(1000));
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

/// `2026-11-22 10:22:28`, local time in China.
pub(super) fn china_time(unix_s: i64) -> String {
    let at = offset(8).to_datetime(timestamp(unix_s.saturating_mul(1000)));
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-22T10:22:28.250Z`.
pub fn rfc3339(unix_ms: i64) -> String {
    temporal::DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&timestamp(unix_ms))
}

/// Parses a time like `2026-11-22T10:22:28Z`, with or without a fraction, or with an offset such as `+08:00`, into
/// milliseconds since 1970. `None` if the text is no time or the day does not exist.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::{china_time, http_date, parse_rfc3339, rfc3339};

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in ["1969-12-31T23:59:59.999Z", "2000-02-29T00:00:00.000Z", "2026-11-22T10:22:28.250Z"] {
            assert_eq!(rfc3339(parse_rfc3339(text).unwrap()), text);
        }
        let same =
            ["2026-11-22T18:22:28.25+08:00", "2026-11-22t10:22:28.250000z", "2026-11-22 06:52:28.25-03:30"];
        for text in same {
            assert_eq!(parse_rfc3339(text), parse_rfc3339("2026-11-22T10:22:28.250Z"), "{text}");
        }
        let wrong = ["", "2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:22:28"];
        for text in
            wrong.iter().chain(&["2026-11-22T10:22:28+8", "2026-1-22T10:22:28Z", "2026-11-22T10:22:28Zx"])
        {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn known_dates() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(china_time(1_712_563_200), "2024-04-08 16:00:00");
    }
}
