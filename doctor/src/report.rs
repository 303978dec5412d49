//! The results: lines, as JSON and as a table.

use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;
use zvpos_core::calendar::timestamp;
use zvpos_core::outcome::Lang;

use crate::words::Words;

/// The names of all checks, in their order of execution; each has a section in docs/doctor.md.
pub const CHECKS: [&str; 35] = [
    "config",
    "config.keys",
    "config.warm",
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
    "journal.database",
    "journal.settings",
    "journal.clock",
    "journal.twice",
    "journal.size",
    "journal.nodes",
    "proxy",
    "dns",
    "tcp",
    "tls",
    "clock",
    "gateway",
    "signature",
];

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Well.
    Ok,
    /// Sales continue, but a person must check it.
    Warning,
    /// Payments fail, or a guarantee about them does not hold.
    Failed,
}

impl Status {
    /// The status in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "failed",
        }
    }

    /// The status in a table.
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Status::Ok => lang.pick("正常", "ok"),
            Status::Warning => lang.pick("注意", "warning"),
            Status::Failed => lang.pick("失败", "failed"),
        }
    }
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The check, such as `journal.flush`; docs/doctor.md lists the names.
    pub check: &'static str,
    /// The subject of the check: a host, an account, a file; may be empty.
    pub about: String,
    /// The status.
    pub status: Status,
    /// The finding.
    pub found: Words,
    /// What to do; always set unless the status is `Ok`.
    pub remedy: Option<Words>,
    /// Figures for programs.
    pub facts: Map<String, Value>,
}

impl Line {
    pub(crate) fn ok(check: &'static str, about: impl Into<String>, found: Words) -> Line {
        Line { check, about: about.into(), status: Status::Ok, found, remedy: None, facts: Map::new() }
    }

    pub(crate) fn warning(
        check: &'static str,
        about: impl Into<String>,
        found: Words,
        remedy: Words,
    ) -> Line {
        Line { status: Status::Warning, remedy: Some(remedy), ..Line::ok(check, about, found) }
    }

    pub(crate) fn failed(check: &'static str, about: impl Into<String>, found: Words, remedy: Words) -> Line {
        Line { status: Status::Failed, remedy: Some(remedy), ..Line::ok(check, about, found) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Line {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// The line as one JSON object.
    pub fn to_json(&self, lang: Lang) -> Value {
        json!({
            "check": self.check,
            "about": self.about,
            "status": self.status.as_str(),
            "found": self.found.pick(lang),
            "remedy": self.remedy.as_ref().map(|remedy| remedy.pick(lang)),
            "facts": self.facts,
        })
    }

    /// The line as a row of the table, with the remedy on a separate line. Ends with a line end.
    pub fn to_row(&self, lang: Lang) -> String {
        let about = if self.about.is_empty() { String::new() } else { format!("{}: ", self.about) };
        let status = padded(self.status.word(lang), 8);
        let row = format!("{status} {} {about}{}\n", padded(self.check, 20), self.found.pick(lang));
        match &self.remedy {
            Some(remedy) => format!("{row}{:30}→ {}\n", "", remedy.pick(lang)),
            None => row,
        }
    }
}

/// The results of all checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// In the order in which they were found.
    pub lines: Vec<Line>,
    /// The time of the run by the till's clock, in Unix milliseconds.
    pub at_unix_ms: i64,
}

impl Report {
    /// The worst status of all lines.
    pub fn status(&self) -> Status {
        self.lines.iter().map(|line| line.status).max().unwrap_or(Status::Ok)
    }

    /// The number of lines with that status.
    pub fn count(&self, status: Status) -> usize {
        self.lines.iter().filter(|line| line.status == status).count()
    }

    /// The report as one JSON object.
    pub fn to_json(&self, lang: Lang) -> Value {
        json!({
            "version": zvpos_core::api::VERSION,
            "at": timestamp(self.at_unix_ms),
            "status": self.status().as_str(),
            "lines": self.lines.iter().map(|line| line.to_json(lang)).collect::<Vec<_>>(),
        })
    }

    /// The report as a table for people, with counts in the last line.
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

/// The text and spaces up to this many columns.
fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    #[test]
    fn a_row_shows_the_finding_and_then_the_remedy() {
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
