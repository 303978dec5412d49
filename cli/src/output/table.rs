//! Aligned columns, also with double-width characters.

use std::io::{self, Write};

use anstyle::Style;
use comfy_table::Table;

/// A name and a value on each line.
#[derive(Default)]
pub(crate) struct Rows(Vec<(String, String, Style)>);

impl Rows {
    /// Adds a line.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.styled(name, value, Style::new());
    }

    /// Adds a line with a coloured value.
    pub(crate) fn styled(&mut self, name: &str, value: &str, style: Style) {
        self.0.push((safe(name), safe(value), style));
    }

    /// The table without colours.
    pub(crate) fn to_text(&self) -> String {
        let mut out = Vec::new();
        // Writing to a Vec cannot fail.
        let _ = self.write(&mut out);
        anstream::adapter::strip_str(&String::from_utf8_lossy(&out)).to_string()
    }

    /// Writes the table.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let names = aligned(self.0.iter().map(|(name, _, _)| [name]));
        for (name, (_, value, style)) in names.lines().zip(&self.0) {
            writeln!(out, "{name}{style}{value}{style:#}")?;
        }
        Ok(())
    }
}

/// Writes rows of cells; the first row holds the headings.
pub(super) fn columns(out: &mut impl Write, lines: &[Vec<String>]) -> io::Result<()> {
    let lines = lines.iter().map(|line| line.iter().map(|cell| safe(cell)));
    writeln!(out, "{}", aligned(lines).trim_fmt())
}

/// A table without lines; two spaces follow each column.
fn aligned<T: Into<String>>(rows: impl Iterator<Item = impl IntoIterator<Item = T>>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.add_rows(rows.map(|row| row.into_iter().map(Into::into).collect::<Vec<String>>()));
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table
}

/// A text without terminal control characters: it may come from the gateway, or from an attacker on the network.
pub(crate) fn safe(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_take_two_columns() {
        let mut out = Vec::new();
        let lines = [["NAME", "N"], ["张三", "1"], ["abc", "2"]];
        columns(&mut out, &lines.map(|line| line.map(str::to_owned).to_vec())).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME  N\n张三  1\nabc   2\n");
        let mut rows = Rows::default();
        rows.push("名称", "x");
        rows.push("a", "y");
        let mut out = Vec::new();
        rows.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "名称  x\na     y\n");
    }

    #[test]
    fn no_terminal_control_character_is_shown() {
        assert_eq!(safe("a\u{1b}[2Jb\u{9b}c\nd"), "a\\u{1b}[2Jb\\u{9b}c\\nd");
    }
}
