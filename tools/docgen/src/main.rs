//! Writes the files that are generated from the tables in the sources: the JSON Schemas, the reference pages, and the
//! options in the pages of `zv`. The test refuses files that are not in step.
#![forbid(unsafe_code)]

mod codes;
mod faults;
mod json_schema;
mod reference;
mod tables;
mod zv;

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Every generated file: its path from the root of the repository, and its content. What only a person can write goes
/// to `wrong`.
fn files(wrong: &mut Vec<String>) -> io::Result<Vec<(String, String)>> {
    let mut files = reference::files();
    files.push(("docs/error-codes.md".to_owned(), codes::page()));
    files.push(("docs/faults.md".to_owned(), faults::page()));
    for page in zv::PAGES {
        files.push((page.to_owned(), zv::updated(page, &read(page)?, wrong)));
    }
    Ok(files)
}

/// A file with the line ends of Unix.
fn read(path: &str) -> io::Result<String> {
    Ok(fs::read_to_string(root().join(path))?.replace("\r\n", "\n"))
}

fn write(wrong: &mut Vec<String>) -> io::Result<()> {
    for (path, content) in files(wrong)? {
        let file = root().join(path);
        fs::create_dir_all(file.parent().unwrap_or(root()))?;
        fs::write(file, content)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut wrong = Vec::new();
    if let Err(error) = write(&mut wrong) {
        wrong.push(error.to_string());
    }
    for line in &wrong {
        eprintln!("docgen: {line}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_file_is_in_step() {
        let mut wrong = Vec::new();
        for (path, content) in files(&mut wrong).unwrap() {
            if read(&path).unwrap_or_default() != content {
                wrong.push(format!("{path} is not in step with the sources: run `make docs`"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
