//! Output for people: an answer as aligned lines, journal entries as a table.

mod entries;
mod table;

pub(crate) use table::{Rows, safe};

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use zvpos_core::calendar::BusinessDays;
use zvpos_core::json::{Object, Value, ValueKind};
use zvpos_core::outcome::Outcome;

/// Prints a line on stderr. A closed stderr must not stop the work.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints a text on stdout. A closed stdout, as with `head`, is not an error.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// The members of an answer that are shown first, in order.
const FIRST: [&str; 8] =
    ["outcome", "next", "cashier", "bizId", "code", "message", "replayed", "retry_after_ms"];

/// Fields that a consume's data repeats (DOC) and that are shown once.
const REPEATED: [&str; 3] = ["status", "code", "message"];

/// An answer for people. `days` gives the till's time zone; `verbose` adds the duration of each part.
pub(crate) fn answer(out: &mut impl Write, text: &str, days: BusinessDays, verbose: bool) -> io::Result<()> {
    let Ok(value) = Value::parse(text) else { return writeln!(out, "{}", safe(text)) };
    let Some(answer) = value.as_object() else { return writeln!(out, "{}", safe(text)) };
    let data = answer.get("data");
    let member = |name: &str| data.and_then(Value::as_object).and_then(|data| data.get(name));
    if let Some(text) = member("text").and_then(Value::scalar) {
        return out.write_all(text.as_bytes());
    }
    let listed = member("entries").and_then(Value::as_array);
    let mut rows = Rows::default();
    // Each error has its own line with the same text.
    let named = answer.given("errors").is_some();
    for name in FIRST.into_iter().filter(|name| !(named && *name == "message")) {
        let Some(value) = answer.given(name) else { continue };
        let shown = value.scalar().unwrap_or_default();
        if name == "outcome" {
            rows.styled(name, shown, style(shown));
        } else if !(shown == "false" || listed.is_some() && matches!(name, "next" | "code" | "message")) {
            rows.push(name, shown);
        }
    }
    for (name, label, first, style) in [
        ("errors", "error", "path", AnsiColor::Red.on_default()),
        ("warnings", "warning", "code", AnsiColor::Yellow.on_default()),
    ] {
        for item in answer.get(name).and_then(Value::as_array).unwrap_or_default() {
            let part = |name: &str| item.as_object()?.get(name)?.scalar().map(str::to_owned);
            let (first, message) = (part(first).unwrap_or_default(), part("message").unwrap_or_default());
            rows.styled(label, &format!("{first}: {message}"), style);
        }
    }
    let mut shape = Flattened { rows, tables: Vec::new(), days };
    for name in ["recorded", "data"].into_iter().filter(|name| listed.is_none() || *name != "data") {
        if let Some(value) = answer.get(name) {
            shape.push(name, value);
        }
    }
    if verbose && let Some(timing) = answer.get("timing_ms") {
        shape.push("timing_ms", timing);
    }
    shape.rows.write(out)?;
    for (path, list) in &shape.tables {
        writeln!(out, "\n{}", safe(path))?;
        table::columns(out, &lines(list))?;
    }
    match listed {
        Some(entries) => {
            entries::write(out, entries, days)?;
            match member("totals").and_then(Value::as_object).filter(|_| !entries.is_empty()) {
                Some(totals) => entries::totals(out, totals),
                None => Ok(()),
            }
        }
        None => Ok(()),
    }
}

/// A value as lines, and the lists in it that are shown as tables.
struct Flattened<'v, 'a> {
    rows: Rows,
    tables: Vec<(String, &'v [Value<'a>])>,
    days: BusinessDays,
}

impl<'v, 'a> Flattened<'v, 'a> {
    /// Adds every value under its path, in the form that `zv_field` takes: `data.userInfo.nickname`.
    fn push(&mut self, path: &str, value: &'v Value<'a>) {
        match value.kind() {
            ValueKind::Object(object) => {
                for (name, value) in object.iter().filter(|(_, value)| !value.is_blank()) {
                    if !(path == "data" && REPEATED.contains(&name)) {
                        self.push(&format!("{path}.{name}"), value);
                    }
                }
            }
            ValueKind::Array(list) if list.iter().all(|item| item.scalar().is_some()) => {
                let items: Vec<&str> = list.iter().filter_map(Value::scalar).collect();
                self.rows.push(path, &items.join(", "));
            }
            ValueKind::Array(list) if list.iter().all(is_flat) => self.tables.push((path.to_owned(), list)),
            ValueKind::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    self.push(&format!("{path}[{index}]"), item);
                }
            }
            ValueKind::Null => {}
            ValueKind::Number if path.ends_with(".created_unix_ms") => {
                let wall = value.raw().parse().map(|moment| self.days.wall(moment)).unwrap_or_default();
                self.rows.push(path, &format!("{} ({wall})", value.raw()));
            }
            _ => self.rows.push(path, value.scalar().unwrap_or_default()),
        }
    }
}

/// Whether it is an object of scalars.
fn is_flat(value: &Value<'_>) -> bool {
    let single = |value: &Value<'_>| value.scalar().is_some() || value.is_blank();
    let flat = |object: &Object<'_>| object.iter().all(|(_, value)| single(value));
    value.as_object().is_some_and(|object| !object.is_empty() && flat(object))
}

/// A list of flat objects as rows of cells, below the names that occur in any of them.
fn lines(list: &[Value<'_>]) -> Vec<Vec<String>> {
    let objects: Vec<_> = list.iter().filter_map(Value::as_object).collect();
    let mut names: Vec<String> = Vec::new();
    for (name, _) in objects.iter().flat_map(|object| object.iter()).filter(|(_, value)| !value.is_blank()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    let cell = |object: &Object<'_>, name: &String| {
        object.get(name).and_then(Value::scalar).unwrap_or_default().to_owned()
    };
    let cells = objects.iter().map(|object| names.iter().map(|name| cell(object, name)).collect());
    std::iter::once(names.clone()).chain(cells).collect()
}

/// Green: go on; red: do not; yellow: not finished.
fn style(outcome: &str) -> Style {
    let colour = match Outcome::from_word(outcome) {
        Some(Outcome::Succeeded) => AnsiColor::Green,
        Some(Outcome::NotSent | Outcome::Unknown | Outcome::Reversed) => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    colour.on_default().bold()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, verbose: bool) -> String {
        let mut out = Vec::new();
        answer(&mut out, text, BusinessDays::default(), verbose).unwrap();
        anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
    }

    #[test]
    fn an_answer_is_aligned_lines_without_what_is_empty() {
        let text = r#"{"outcome":"invalid","next":"fix_request","code":"ZV-REQUEST","message":"amount must not carry a sign",
            "cashier":"","replayed":false,"warnings":[{"code":"ZV-W-CLOCK","message":"off by 90 s"}],
            "errors":[{"path":"amount","message":"must not carry a sign"}],
            "data":{"a":"","code":"0","list":["1","2"],"goods":[{"x":1},{"x":"","y":"张"}],"none":null,"deep":[{"z":[{}]}]},
            "timing_ms":{"total":32.0}}"#;
        let wanted = "\
outcome    invalid
next       fix_request
code       ZV-REQUEST
error      amount: must not carry a sign
warning    ZV-W-CLOCK: off by 90 s
data.list  1, 2

data.goods
x  y
1
   张
";
        assert_eq!(shown(text, false), wanted);
        assert!(shown(text, true).contains("\ntiming_ms.total  32.0\n"));
    }

    #[test]
    fn an_export_is_printed_as_it_is() {
        assert_eq!(
            shown(r#"{"outcome":"succeeded","data":{"text":"a,b\r\n1,2\r\n"}}"#, true),
            "a,b\r\n1,2\r\n"
        );
    }
}
