//! The table of faults as `--faults` prints it.

use super::{
    name::ALIASES,
    table::{Fault, Meets, Row},
};

/// The whole text.
pub fn table() -> String {
    let mut out = String::from(SELECTION);
    for row in Fault::ALL.iter().map(|fault| fault.row()) {
        let number = row.param.map_or_else(String::new, |p| {
            format!("  number   {} = {} ({})\n           {}\n", p.name, p.default, p.meaning, p.meaning_zh)
        });
        let Row { name, amount, en, zh, till_sees, till_sees_zh, .. } = row;
        out.extend([name, "\n  ", en, "\n  ", zh, "\n", &number, "  amount   "]);
        let amount = if row.meets == Meets::Handshake { "none: arm it, and use https://" } else { amount };
        out.extend([amount, "\n  till     ", till_sees, "\n           ", till_sees_zh, "\n\n"]);
    }
    out.push_str("Other names\n");
    for (alias, name) in ALIASES {
        out.extend(["  ", alias, " = ", name, "\n"]);
    }
    out.push_str(BY_CONFIGURATION);
    out
}

/// How a request meets a fault.
pub const SELECTION: &str = "\
A fault is chosen by the first of these that names one:
  header   X-Zv-Fault: NAME or NAME:NUMBER, on any request
  bizId    the end of a consume's, ~NAME or ~NAME:NUMBER, e.g. T1-0004~reset_after or T1-0005~cut_body:57;
           a fault whose name begins with reverse_ meets the reversal of that sale, and may stand beside another:
           T1-0006~reset_after~reverse_refused
  amount   a consume of exactly that sum; 9001.49 to 9001.55 meet its reversal
  admin    POST /faults {\"fault\": NAME, \"times\": 1, \"operation\": \"consume\"}; DELETE /faults
  chance   --chaos seed=7,lost_answer=0.05,http_502=0.01, or PUT /chaos; the same seed and order of requests
           give the same faults
An outage that has begun goes before all of them.

";

/// What the configuration of a till does instead of a fault.
pub const BY_CONFIGURATION: &str = "
What no server can do is done by the endpoint in the till's configuration:
  the name lookup fails        http://no-such-host.invalid/api/v2    till     not_sent, ZV-DNS
  nobody listens there at all  http://127.0.0.1:1/api/v2             till     not_sent, ZV-CONNECT
  the server speaks no TLS     https:// with this simulator's port   till     not_sent, ZV-TLS
";

#[cfg(test)]
mod tests {
    use super::*;

    /// The library's own terms, which are the same in every language.
    fn terms(text: &str) -> Vec<&str> {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_-.".contains(letter)));
        let outcomes = ["succeeded", "declined", "not_sent", "unknown", "reversed", "strict_answer"];
        let is_term = |word: &&str| {
            outcomes.contains(word)
                || word.starts_with("ZV-")
                || word.contains('_')
                || word.starts_with("9100")
        };
        let mut terms: Vec<_> = words.filter(is_term).collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    #[test]
    fn every_fault_says_the_same_in_chinese() {
        let is_chinese = |text: &str| text.contains(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        for row in Fault::ALL.iter().map(|fault| fault.row()) {
            assert!(is_chinese(row.zh) && is_chinese(row.till_sees_zh), "{}", row.name);
            assert_eq!(terms(row.till_sees), terms(row.till_sees_zh), "{}", row.name);
            assert!(row.param.is_none_or(|param| is_chinese(param.meaning_zh)), "{}", row.name);
        }
    }
}
