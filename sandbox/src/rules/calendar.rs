//! Dates as text, without a clock: the `Date` header and the vendor's local times.

/// Year, month 1–12, day, hour, minute, second and weekday (0 is Sunday) of a Unix time in UTC.
fn civil(unix_s: i64) -> (i64, i64, i64, i64, i64, i64, i64) {
    let (days, second) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years, so that a year ends with the leap day.
    let days_of_era = (days + 719_468).rem_euclid(146_097);
    let era = (days + 719_468).div_euclid(146_097);
    let year_of_era =
        (days_of_era - days_of_era / 1_460 + days_of_era / 36_524 - days_of_era / 146_096) / 365;
    let day_of_year = days_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day, second / 3600, second / 60 % 60, second % 60, (days + 4).rem_euclid(7))
}

fn name<'a>(names: &[&'a str], at: i64) -> &'a str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the format of HTTP.
pub fn http_date(unix_s: i64) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day, hour, minute, second, weekday) = civil(unix_s);
    let (weekday, month) = (name(&DAYS, weekday), name(&MONTHS, month - 1));
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// `2026-11-22 10:22:28`, local time in China.
pub(super) fn china_time(unix_s: i64) -> String {
    let (year, month, day, hour, minute, second, _) = civil(unix_s + 8 * 3600);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `2026-11-22T10:22:28.250Z`.
pub fn rfc3339(unix_ms: i64) -> String {
    let (year, month, day, hour, minute, second, _) = civil(unix_ms.div_euclid(1000));
    let millisecond = unix_ms.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// Parses a time like `2026-11-22T10:22:28Z`, with or without a fraction, or with an offset such as `+08:00`, into
/// milliseconds since 1970. `None` if the text is no time or the day does not exist.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let number = |from: usize, length: usize| -> Option<i64> {
        let digits = text.get(from..from + length)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let sign = |at: usize, allowed: &str| text.get(at..=at).is_some_and(|sign| allowed.contains(sign));
    let marks = [(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")];
    if !marks.iter().all(|(at, allowed)| sign(*at, allowed)) {
        return None;
    }
    let [year, month, day] = [number(0, 4)?, number(5, 2)?, number(8, 2)?];
    let [hour, minute, second] = [number(11, 2)?, number(14, 2)?, number(17, 2)?];
    let rest = text.get(19..)?;
    let fraction: String = match rest.strip_prefix('.') {
        Some(rest) => rest.chars().take_while(char::is_ascii_digit).collect(),
        None => String::new(),
    };
    let zone = rest.trim_start_matches('.').get(fraction.len()..)?;
    let milliseconds: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let days = days_from_civil(year, month, day);
    let unix_s = days * 86_400 + hour * 3600 + minute * 60 + second;
    // A day that does not exist, such as February 30, yields a different date.
    if civil(unix_s) != (year, month, day, hour, minute, second, (days + 4).rem_euclid(7)) {
        return None;
    }
    Some((unix_s - zone_s(zone)?) * 1000 + milliseconds)
}

/// The offset of `Z`, `+08:00` or `-03:30` from UTC, in seconds.
fn zone_s(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    match zone.get(..1)? {
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

/// The days since 1970-01-01 of a date in UTC.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year.div_euclid(400) * 146_097 + day_of_era - 719_468
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
