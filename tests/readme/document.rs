//! A Markdown page as the tests see it: headings, fenced blocks, tables, links. Supports only the Markdown that the
//! pages of this repository use.

use std::path::{Path, PathBuf};

/// One fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The first word after the fence.
    pub language: String,
    /// The further words, such as the purpose of a request.
    pub about: String,
    pub text: String,
    /// The line of the opening fence, for messages.
    pub line: usize,
}

#[derive(Debug)]
pub struct Document {
    /// Its name in messages, relative to the root.
    pub name: String,
    /// The folder that its links are relative to.
    pub folder: PathBuf,
    /// Level and text.
    pub headings: Vec<(usize, String)>,
    pub blocks: Vec<Block>,
    /// The lines outside fenced blocks, each with the number of headings before it.
    pub prose: Vec<(usize, String)>,
}

impl Document {
    pub fn read(root: &Path, name: &str) -> Document {
        let path = root.join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        Document::parse(name, path.parent().unwrap_or(root), &text)
    }

    pub fn parse(name: &str, folder: &Path, text: &str) -> Document {
        let mut document = Document {
            name: name.to_owned(),
            folder: folder.to_owned(),
            headings: Vec::new(),
            blocks: Vec::new(),
            prose: Vec::new(),
        };
        let mut open: Option<Block> = None;
        for (index, line) in text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(info)) => {
                    let (language, about) = info.split_once(' ').unwrap_or((info, ""));
                    open = Some(Block {
                        language: language.to_owned(),
                        about: about.to_owned(),
                        text: String::new(),
                        line: index + 1,
                    });
                }
                (Some(_), Some(_)) => document.blocks.extend(open.take()),
                (Some(block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {
                    let level = line.bytes().take_while(|byte| *byte == b'#').count();
                    if level > 0 {
                        document.headings.push((level, line[level..].trim().to_owned()));
                    }
                    document.prose.push((document.headings.len(), line.to_owned()));
                }
            }
        }
        assert!(open.is_none(), "{name}: a block is not closed");
        document
    }

    /// The cells of the first table under the heading at this position (0: the title).
    pub fn table(&self, heading: usize) -> Vec<Vec<String>> {
        let lines =
            self.prose.iter().filter(|(before, line)| *before == heading + 1 && line.starts_with('|'));
        let cells =
            |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        lines.map(|(_, line)| cells(line)).skip(2).collect()
    }

    /// The targets of all links.
    pub fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for (_, line) in &self.prose {
            for rest in line.split("](").skip(1) {
                links.extend(rest.split_once(')').map(|(target, _)| target.to_owned()));
            }
        }
        links
    }

    /// The anchors of headings, as the usual hosts generate them, and every anchor that is set by name.
    pub fn anchors(&self) -> Vec<String> {
        let slug = |text: &str| -> String {
            let kept = text.to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        let marked = self.prose.iter().flat_map(|(_, line)| line.split("<a id=\"").skip(1));
        let marked = marked.filter_map(|rest| rest.split_once('"').map(|(name, _)| name.to_owned()));
        self.headings.iter().map(|(_, text)| slug(text)).chain(marked).collect()
    }

    /// Every maximal run of letters, digits and these marks with that prefix.
    pub fn words(&self, prefix: &str, marks: &str) -> Vec<String> {
        let blocks = self.blocks.iter().map(|block| block.text.as_str());
        let prose = self.prose.iter().map(|(_, line)| line.as_str());
        let mut found = Vec::new();
        for text in prose.chain(blocks) {
            for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || marks.contains(c))) {
                if word.starts_with(prefix) && word.len() > prefix.len() {
                    found.push(word.to_owned());
                }
            }
        }
        found
    }
}

impl Block {
    /// The code without comments, blank lines and line ends, for a comparison across human languages.
    pub fn bare(&self) -> String {
        let mut text = self.text.clone();
        if self.language == "c" {
            while let Some((before, rest)) = text.split_once("/*") {
                let after = rest.split_once("*/").map_or("", |(_, after)| after);
                text = format!("{before}{after}");
            }
        }
        let mark = match self.language.as_str() {
            "sh" | "python" => Some("#"),
            "cpp" | "csharp" | "java" | "js" | "go" | "pascal" => Some("//"),
            "lua" => Some("--"),
            "cobol" => Some("*>"),
            _ => None,
        };
        let lines = text.lines().map(|line| match mark {
            Some(mark) if line.trim_start().starts_with(mark) => "",
            Some(mark) => line.find(&format!(" {mark}")).map_or(line, |at| &line[..at]).trim_end(),
            None => line.trim_end(),
        });
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The block's own file name: its first line begins `/* name.c:`.
    pub fn file_name(&self) -> Option<String> {
        let (stem, _) = self.text.strip_prefix("/* ")?.split_once(".c:")?;
        Some(format!("{stem}.c"))
    }
}

/// Whether a program's output matches what a page shows; `…` matches anything.
pub fn looks_like(printed: &str, shown: &str) -> bool {
    let (mut rest, shown) = (printed.trim_end(), shown.trim_end());
    let parts: Vec<&str> = shown.split('…').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return rest == shown;
    }
    if !rest.starts_with(first) || !rest.ends_with(last) || rest.len() < first.len() + last.len() {
        return false;
    }
    rest = &rest[first.len()..rest.len() - last.len()];
    parts[1..parts.len() - 1].iter().all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}
