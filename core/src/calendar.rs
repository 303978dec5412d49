//! Dates without a library: the proleptic Gregorian calendar by the civil-from-days method, in which years begin in
//! March so that the leap day is the last. UTC, and business days of a till that has a fixed offset from it.

/// A day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// The date of a day counted from 1970-01-01, as `2026-11-22`.
pub fn date(day: i64) -> String {
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

/// The day of a date written `2026-11-22`, counted from 1970-01-01; `None` if there is no such date.
pub fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i64>().ok())?
    };
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let year = year - i64::from(month <= 2);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let found = era * 146_097 + day_of_era - 719_468;
    // What is no date (month 13, 30 February) does not come back as itself.
    (parts.next().is_none() && date(found) == text).then_some(found)
}

/// `2026-11-22T02:14:17.123Z`
pub fn timestamp(unix_ms: i64) -> String {
    let of_day = unix_ms.rem_euclid(DAY_MS);
    let second = of_day / 1000;
    format!(
        "{}T{:02}:{:02}:{:02}.{:03}Z",
        date(unix_ms.div_euclid(DAY_MS)),
        second / 3600,
        second / 60 % 60,
        second % 60,
        of_day % 1000
    )
}

/// When a till's days begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusinessDays {
    /// Minutes after midnight at which a day begins.
    pub start_minutes: i64,
    /// Minutes that the till's time is ahead of UTC.
    pub offset_minutes: i64,
}

impl BusinessDays {
    /// The first and the first no longer millisecond of a business day, in Unix time.
    pub fn span(self, day: i64) -> (i64, i64) {
        let from = day.saturating_mul(DAY_MS) + (self.start_minutes - self.offset_minutes) * 60_000;
        (from, from.saturating_add(DAY_MS))
    }

    /// A moment as it stood on the till's wall: `2026-11-22 10:14:17`.
    pub fn wall(self, unix_ms: i64) -> String {
        let text = timestamp(unix_ms.saturating_add(self.offset_minutes.saturating_mul(60_000)));
        text.get(..19).unwrap_or(&text).replace('T', " ")
    }

    /// The business day of a moment in Unix time.
    pub fn day_of(self, unix_ms: i64) -> i64 {
        let (first, _) = self.span(0);
        unix_ms.saturating_sub(first).div_euclid(DAY_MS)
    }
}

/// Minutes of `04:00`; `None` if it is no time of day.
pub fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str, below: i64| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok())?.filter(|number| *number < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

/// Minutes of `+08:00` or `-03:30`; `None` if it is no offset.
pub fn offset_minutes(text: &str) -> Option<i64> {
    match text.split_at_checked(1)? {
        ("+", rest) => minutes(rest),
        ("-", rest) => minutes(rest).map(|minutes| -minutes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_others_inverse() {
        for (number, wanted) in [
            (-1, "1969-12-31"),
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_779, "2026-11-22"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(number), wanted);
            assert_eq!(day(wanted), Some(number));
        }
        assert!((0..80_000).all(|number| day(&date(number)) == Some(number)));
        for bad in ["2026-02-29", "2026-13-01", "2026-1-1", "2026-01-01-", "20260101", "", "2026-00-10"] {
            assert_eq!(day(bad), None, "{bad}");
        }
        assert_eq!(timestamp(1_795_313_657_123), "2026-11-22T02:14:17.123Z");
    }

    #[test]
    fn a_business_day_begins_where_the_till_stands() {
        let days = BusinessDays { start_minutes: 240, offset_minutes: 480 };
        let (from, to) = days.span(day("2026-11-22").unwrap());
        assert_eq!(timestamp(from), "2026-11-21T20:00:00.000Z");
        assert_eq!(timestamp(to), "2026-11-22T20:00:00.000Z");
        let found: Vec<String> = [from - 1, from, to - 1, to].map(|moment| date(days.day_of(moment))).into();
        assert_eq!(found, ["2026-11-21", "2026-11-22", "2026-11-22", "2026-11-23"]);
        assert_eq!(minutes("04:30"), Some(270));
        assert_eq!((minutes("24:00"), minutes("4:00"), minutes("aa:00")), (None, None, None));
        assert_eq!(
            (offset_minutes("+08:00"), offset_minutes("-03:30"), offset_minutes("08:00")),
            (Some(480), Some(-210), None)
        );
    }
}
