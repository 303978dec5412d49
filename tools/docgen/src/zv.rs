//! The tables of options in docs/zv.md and docs/zv.zh-CN.md. The English texts are those of `--help`; the Chinese ones
//! are kept and must exist for each option.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use clap::{Arg, Command};

const ENGLISH: &str = "docs/zv.md";
const CHINESE: &str = "docs/zv.zh-CN.md";

/// The two pages, by their paths from the root of the repository.
pub(crate) const PAGES: [&str; 2] = [ENGLISH, CHINESE];

/// The line above a table of options.
const MARK: &str = "<!-- options of ";

/// The options of every command that uses the library; the pages list them once.
const COMMON: [&str; 4] = ["config", "sandbox", "json", "verbose"];

/// A table's title, and its rows: an option and its description.
type Table = (String, Vec<(String, String)>);

/// Every table that the pages must show.
fn tables() -> Vec<Table> {
    let command = zvpos_cli::command();
    let mut tables = Vec::new();
    for sub in command.get_subcommands() {
        if sub.has_subcommands() {
            for leaf in sub.get_subcommands() {
                tables.push((format!("zv {} {}", sub.get_name(), leaf.get_name()), rows(leaf, false)));
            }
        } else {
            tables.push((format!("zv {}", sub.get_name()), rows(sub, false)));
        }
    }
    let common = command.find_subcommand("quote").map(|quote| rows(quote, true));
    tables.push(("every call".to_owned(), common.unwrap_or_default()));
    tables
}

fn rows(command: &Command, common: bool) -> Vec<(String, String)> {
    let arguments = command.get_arguments().filter(|arg| COMMON.contains(&arg.get_id().as_str()) == common);
    arguments.map(|arg| (option(arg), words(arg))).collect()
}

fn option(arg: &Arg) -> String {
    let values = arg.get_value_names().filter(|_| arg.get_action().takes_values());
    let value = values.and_then(|names| names.first()).map(ToString::to_string);
    let optional = arg.get_num_args().is_some_and(|range| range.min_values() == 0);
    let value = value.map(|name| if optional { format!("[{name}]") } else { name });
    let short = arg.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let flag = arg.get_long().map(|long| format!("{short}--{long}"));
    flag.into_iter().chain(value).collect::<Vec<_>>().join(" ")
}

fn words(arg: &Arg) -> String {
    let mut words = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    if !arg.get_action().takes_values() {
        return words;
    }
    let mut more: Vec<String> = Vec::new();
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let names: Vec<&str> = possible.iter().map(clap::builder::PossibleValue::get_name).collect();
        more.push(names.join(", "));
    }
    if let Some(default) = arg.get_default_values().first() {
        more.push(format!("default {}", default.to_string_lossy()));
    }
    if !more.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(words, " ({})", more.join("; "));
    }
    words
}

/// The page with its tables updated. Headings of tables and Chinese descriptions are kept; what is wrong with them goes
/// to `wrong`.
pub(crate) fn updated(page: &str, text: &str, wrong: &mut Vec<String>) -> String {
    let tables: BTreeMap<String, Vec<(String, String)>> = tables().into_iter().collect();
    let mut missing: BTreeSet<&String> = tables.keys().collect();
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(out, "{line}");
        let Some(title) = line.strip_prefix(MARK).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let Some(rows) = tables.get(title) else {
            wrong.push(format!("{page}: there is no {title}"));
            continue;
        };
        missing.retain(|known| *known != title);
        let old: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let kept: BTreeMap<&str, &str> = old.iter().skip(2).filter_map(|row| cells(row)).collect();
        for line in old.iter().take(2) {
            let _ = writeln!(out, "{line}");
        }
        for (option, words) in rows {
            let words =
                if page == ENGLISH { words } else { kept.get(option.as_str()).copied().unwrap_or("") };
            if words.is_empty() {
                wrong.push(format!("{page}: {title}: no words for {option}"));
            }
            let _ = writeln!(out, "| `{option}` | {words} |");
        }
        out.push('\n');
    }
    wrong.extend(missing.into_iter().map(|title| format!("{page}: no table {MARK}{title} -->")));
    out
}

fn cells(row: &str) -> Option<(&str, &str)> {
    let (option, words) = row.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ")?;
    Some((option, words))
}

#[cfg(test)]
mod tests {
    use zvpos_core::outcome::Outcome;

    use super::*;

    #[test]
    fn the_pages_name_every_exit_code() {
        for page in PAGES {
            let text = std::fs::read_to_string(crate::root().join(page)).unwrap();
            // No command returns a ticket.
            for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Running) {
                let row = format!("| {} | `{}` | ", outcome.number(), outcome.as_str());
                assert!(text.lines().any(|line| line.starts_with(&row)), "{page}: {row}");
            }
            assert!(text.contains("| 130 | "), "{page}");
        }
    }

    #[test]
    fn an_option_that_is_not_there_is_found() {
        let page = "<!-- options of zv lookup -->\n| o | m |\n|---|---|\n| `--bizid ID` | words |\n\nrest\n";
        let mut wrong = Vec::new();
        let text = updated(CHINESE, page, &mut wrong);
        assert!(
            text.contains("| `--bizId ID` |  |") && !text.contains("--bizid") && text.ends_with("rest\n")
        );
        assert!(wrong.iter().any(|wrong| wrong.contains("no words for --bizId ID")), "{wrong:?}");
        assert!(
            wrong.iter().any(|wrong| wrong.contains("no table <!-- options of zv consume -->")),
            "{wrong:?}"
        );
    }
}
