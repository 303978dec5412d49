//! What was found: lines, as JSON and as a table.

use serde_json::{Map, Value, json};
use zvpos_core::calendar::timestamp;
use zvpos_core::outcome::Lang;

use crate::words::Words;

/// The name of every check, in the order in which they are done; each has its part in docs/doctor.md.
pub const CHECKS: [&str; 28] = [
    "config",
    "config.keys",
    "config.safety",
    "config.http",
    "library",
    "libc",
    "library.file",
    "system",
    "write_filter",
    "time_zone",
    "random",
    "open_files",
    "journal.folder",
    "journal.owner",
    "journal.disk",
    "journal.space",
    "journal.flush",
    "journal.owners",
    "journal.contents",
    "journal.unsettled",
    "journal.witness",
    "proxy",
    "dns",
    "tcp",
    "tls",
    "clock",
    "gateway",
    "signature",
];

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Well.
    Ok,
    /// Sales go on, but somebody should look at it.
    Warning,
    /// Payments fail, or what is promised about them does not hold.
    Failed,
}

impl Status {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "failed",
        }
    }

    /// The word in a table.
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Status::Ok => lang.pick("正常", "ok"),
            Status::Warning => lang.pick("注意", "warning"),
            Status::Failed => lang.pick("失败", "failed"),
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which check, such as `journal.flush`; the names stand in docs/doctor.md.
    pub check: &'static str,
    /// What it was done to: a host, an account, a file; may be empty.
    pub about: String,
    /// How it is.
    pub status: Status,
    /// What was found.
    pub found: Words,
    /// What to do; there always is one where it is not well.
    pub mend: Option<Words>,
    /// Figures for programs.
    pub facts: Map<String, Value>,
}

impl Line {
    pub(crate) fn ok(check: &'static str, about: impl Into<String>, found: Words) -> Line {
        Line { check, about: about.into(), status: Status::Ok, found, mend: None, facts: Map::new() }
    }

    pub(crate) fn warning(check: &'static str, about: impl Into<String>, found: Words, mend: Words) -> Line {
        Line { status: Status::Warning, mend: Some(mend), ..Line::ok(check, about, found) }
    }

    pub(crate) fn failed(check: &'static str, about: impl Into<String>, found: Words, mend: Words) -> Line {
        Line { status: Status::Failed, mend: Some(mend), ..Line::ok(check, about, found) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Line {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// As one JSON object.
    pub fn to_json(&self, lang: Lang) -> Value {
        json!({
            "check": self.check,
            "about": self.about,
            "status": self.status.as_str(),
            "found": self.found.pick(lang),
            "mend": self.mend.as_ref().map(|mend| mend.pick(lang)),
            "facts": self.facts,
        })
    }

    /// As a row of the table: the mend stands on a line of its own. Ends with a line end.
    pub fn to_row(&self, lang: Lang) -> String {
        let about = if self.about.is_empty() { String::new() } else { format!("{}: ", self.about) };
        let status = padded(self.status.word(lang), 8);
        let row = format!("{status} {} {about}{}\n", padded(self.check, 20), self.found.pick(lang));
        match &self.mend {
            Some(mend) => format!("{row}{:30}→ {}\n", "", mend.pick(lang)),
            None => row,
        }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// In the order in which it was found.
    pub lines: Vec<Line>,
    /// When, by the till's clock, in Unix milliseconds.
    pub at_unix_ms: i64,
}

impl Report {
    /// The worst of all lines.
    pub fn status(&self) -> Status {
        self.lines.iter().map(|line| line.status).max().unwrap_or(Status::Ok)
    }

    /// How many lines are so.
    pub fn count(&self, status: Status) -> usize {
        self.lines.iter().filter(|line| line.status == status).count()
    }

    /// As one JSON object.
    pub fn to_json(&self, lang: Lang) -> Value {
        json!({
            "version": zvpos_core::api::VERSION,
            "at": timestamp(self.at_unix_ms),
            "status": self.status().as_str(),
            "lines": self.lines.iter().map(|line| line.to_json(lang)).collect::<Vec<_>>(),
        })
    }

    /// As a table for people, with a line at the end that counts.
    pub fn to_table(&self, lang: Lang) -> String {
        let rows: String = self.lines.iter().map(|line| line.to_row(lang)).collect();
        rows + &self.summary(lang)
    }

    /// The last line of the table.
    pub fn summary(&self, lang: Lang) -> String {
        let [ok, warning, failed] = [Status::Ok, Status::Warning, Status::Failed].map(|s| self.count(s));
        match lang {
            Lang::ZhCn => format!("正常 {ok} 项，注意 {warning} 项，失败 {failed} 项\n"),
            Lang::En => format!("{ok} ok, {warning} warnings, {failed} failed\n"),
        }
    }
}

/// The text and spaces up to this many columns; a Chinese character takes two.
fn padded(text: &str, columns: usize) -> String {
    let width: usize = text.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(width)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    #[test]
    fn a_row_says_what_and_then_the_mend() {
        let line = Line::warning("dns", "h", words!("慢", "slow"), words!("换", "change it")).with("ms", 7);
        assert_eq!(
            line.to_row(Lang::En),
            format!("warning  dns                  h: slow\n{:30}→ change it\n", "")
        );
        assert!(line.to_row(Lang::ZhCn).starts_with("注意     dns"));
        let json = line.to_json(Lang::En);
        assert_eq!((&json["status"], &json["facts"]["ms"]), (&json!("warning"), &json!(7)));
        let report = Report { lines: vec![line, Line::ok("tls", "", words!("好", "well"))], at_unix_ms: 0 };
        assert_eq!(report.status(), Status::Warning);
        assert!(report.to_table(Lang::En).ends_with("1 ok, 1 warnings, 0 failed\n"));
    }
}
