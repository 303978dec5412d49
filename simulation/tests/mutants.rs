//! Defects put into the library's own code (`mutants.txt`): one build of the library holds all of them, each behind a
//! switch, and the simulation must catch every one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test may panic and says what it sees"
)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Within how many seeds a defect must be caught.
const CAUGHT_WITHIN: &str = "20000";

struct Defect {
    name: String,
    caught_by: Vec<String>,
    file: String,
    behind: String,
    as_it_stands: String,
    broken: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn defects() -> Vec<Defect> {
    let text = fs::read_to_string(root().join("simulation/mutants.txt")).unwrap();
    let blocks = text.split("\n\n").filter(|block| !block.starts_with('#'));
    blocks.map(|block| read(block.trim_end())).collect()
}

fn read(block: &str) -> Defect {
    let mut lines = block.lines();
    let head: Vec<&str> = lines.next().unwrap().splitn(3, ": ").collect();
    let [name, caught_by, _] = head[..] else { panic!("{block}: NAME: INVARIANTS: WORDS") };
    let file = lines.next().unwrap().to_owned();
    let part = |mark: char| {
        let lines = block.lines().skip(2).filter_map(|line| line.strip_prefix(mark));
        lines.map(str::trim_start).collect::<Vec<_>>().join("\n")
    };
    Defect {
        name: name.to_owned(),
        caught_by: caught_by.split(' ').map(str::to_owned).collect(),
        file,
        behind: part('@'),
        as_it_stands: part('-'),
        broken: part('+'),
    }
}

/// Where a text stands in a source, whatever the white space between its letters; once and no more, from `from` on.
fn find(source: &str, text: &str, from: usize) -> Result<(usize, usize), String> {
    let letters = |text: &str, from: usize| -> Vec<(usize, char)> {
        let letters = text.char_indices().skip_while(|(at, _)| *at < from);
        letters.filter(|(_, letter)| !letter.is_whitespace()).collect()
    };
    let wanted: Vec<char> = letters(text, 0).into_iter().map(|(_, letter)| letter).collect();
    let source = letters(source, from);
    let is_at = |at: &usize| {
        source[*at..].iter().map(|(_, letter)| letter).zip(&wanted).filter(|(a, b)| a == b).count()
            == wanted.len()
    };
    let mut places = (0..=source.len().saturating_sub(wanted.len())).filter(is_at);
    let (Some(first), again) = (places.next(), places.next()) else {
        return Err("stands nowhere".to_owned());
    };
    if from == 0 && again.is_some() {
        return Err("stands there more than once".to_owned());
    }
    let (last, letter) = source[first + wanted.len() - 1];
    Ok((source[first].0, last + letter.len_utf8()))
}

/// The place of a defect in its file.
fn place(source: &str, defect: &Defect) -> (usize, usize) {
    let at = |text: &str, from| {
        find(source, text, from).unwrap_or_else(|why| panic!("{}: {text:?} {why}", defect.name))
    };
    let from = if defect.behind.is_empty() { 0 } else { at(&defect.behind, 0).1 };
    at(&defect.as_it_stands, from)
}

/// A source with all its defects, each behind its switch. Of two at one place the later stands within the earlier.
fn with_switches(source: &str, defects: &[&Defect]) -> String {
    let mut places: HashMap<(usize, usize), String> = HashMap::new();
    for defect in defects {
        let place = place(source, defect);
        let now = places.entry(place).or_insert_with(|| source[place.0..place.1].to_owned());
        let (name, broken) = (&defect.name, &defect.broken);
        *now = match now.trim_end().strip_suffix([';', ',']) {
            Some(_) if now.ends_with(';') => {
                format!("if crate::mutant::is({name:?}) {{ {broken} }} else {{ {now} }}")
            }
            Some(inner) => {
                let broken = broken.trim_end_matches(',');
                format!("(if crate::mutant::is({name:?}) {{ {broken} }} else {{ {inner} }}),")
            }
            None => format!("(if crate::mutant::is({name:?}) {{ {broken} }} else {{ {now} }})"),
        };
    }
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_by_key(|((start, _), _)| *start);
    let mut out = String::new();
    let mut at = 0;
    for ((start, end), now) in places {
        assert!(start >= at, "two defects overlap at {:?}", &source[start..end]);
        out.push_str(&source[at..start]);
        out.push_str(&now);
        at = end;
    }
    out + &source[at..]
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            write_if_new(&to, &fs::read(&path).unwrap());
        }
    }
}

/// What is the same keeps its date, so that nothing is built again.
fn write_if_new(path: &Path, bytes: &[u8]) {
    if fs::read(path).ok().as_deref() != Some(bytes) {
        fs::write(path, bytes).unwrap();
    }
}

/// The workspace of the mutated library: the parts of this one's manifest that are about all crates.
fn manifest() -> String {
    let whole = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut out =
        String::from("[workspace]\nresolver = \"3\"\nmembers = [\"core\", \"sandbox\", \"simulation\"]\n");
    let mut keeps = false;
    for line in whole.lines() {
        if line.starts_with('[') {
            keeps = line.starts_with("[workspace.");
        }
        if keeps {
            out.push_str(line);
            out.push('\n');
        }
    }
    out + "[profile.release]\nincremental = true\n"
}

/// Builds the simulation over the library with all defects; gives the program.
fn build(defects: &[Defect]) -> PathBuf {
    let target = root().join("target/mutated");
    let folder = target.join("workspace");
    for part in ["core", "sandbox", "simulation"] {
        for inner in ["src", "build", "data"].iter().filter(|inner| root().join(part).join(inner).is_dir()) {
            copy(&root().join(part).join(inner), &folder.join(part).join(inner));
        }
        for file in ["Cargo.toml", "build.rs"] {
            if let Ok(bytes) = fs::read(root().join(part).join(file)) {
                write_if_new(&folder.join(part).join(file), &bytes);
            }
        }
    }
    copy(&root().join("page"), &folder.join("page"));
    let mut files: HashMap<&str, Vec<&Defect>> = HashMap::new();
    for defect in defects {
        files.entry(&defect.file).or_default().push(defect);
    }
    for (file, defects) in files {
        let source = fs::read_to_string(root().join(file)).unwrap();
        write_if_new(&folder.join(file), with_switches(&source, &defects).as_bytes());
    }
    let lib = fs::read_to_string(root().join("core/src/lib.rs")).unwrap();
    write_if_new(&folder.join("core/src/lib.rs"), format!("{lib}\npub mod mutant;\n").as_bytes());
    let switch = "//! Which defect is on.\nuse std::sync::OnceLock;\n\n\
                  /// Whether it is this one.\npub fn is(name: &str) -> bool {\n    \
                  static ON: OnceLock<Option<String>> = OnceLock::new();\n    \
                  ON.get_or_init(|| std::env::var(\"ZVPOS_MUTANT\").ok()).as_deref() == Some(name)\n}\n";
    write_if_new(&folder.join("core/src/mutant.rs"), switch.as_bytes());
    write_if_new(&folder.join("Cargo.toml"), manifest().as_bytes());
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--offline", "-p", "zvpos-simulation"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "--cap-lints allow")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .status()
        .unwrap();
    assert!(built.success(), "the mutated library is not built");
    target.join("release/zvpos-simulation")
}

#[test]
fn every_defect_has_its_place() {
    for defect in &defects() {
        let source = fs::read_to_string(root().join(&defect.file)).unwrap();
        place(&source, defect);
    }
}

#[test]
fn every_defect_in_the_library_is_caught() {
    let defects = defects();
    let program = build(&defects);
    let simulate = |name: &str, seeds: &str| {
        let nodes = ["--nodes"].into_iter().filter(|_| name.starts_with("n-"));
        let arguments = nodes.chain(["--seeds", seeds]);
        let run = Command::new(&program).args(arguments).env("ZVPOS_MUTANT", name).output().unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        let broken =
            text.lines().rev().find(|line| line.starts_with("seed ") && line.contains(" is broken: "));
        broken.map(str::to_owned)
    };
    // Without a switch it is the library.
    assert_eq!(simulate("", "200"), None);
    let only = std::env::var("ZVPOS_MUTANT").ok();
    let mut missed = Vec::new();
    // The exhaustive search sees those that a few calls can show.
    for name in
        ["i3-lost-as-declined", "i3-running-is-dead", "i6-not-found-at-once", "i1-reversed-sent-again"]
    {
        let search = ["--model", "small"];
        let run = Command::new(&program).args(search).env("ZVPOS_MUTANT", name).output().unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        if !text.contains(" is broken: ") {
            missed.push(format!("{name}: not in the model"));
        }
    }
    for defect in defects.iter().filter(|defect| only.as_ref().is_none_or(|only| *only == defect.name)) {
        let caught = simulate(&defect.name, CAUGHT_WITHIN);
        println!("{:<28} {}", defect.name, caught.as_deref().unwrap_or("NOT caught"));
        let by = caught.as_deref().and_then(|line| line.split(": ").nth(1)?.split(' ').next());
        if !by.is_some_and(|by| defect.caught_by.iter().any(|wanted| wanted == by)) {
            missed.push(format!("{}: {caught:?}", defect.name));
        }
    }
    assert!(missed.is_empty(), "not caught by its own invariant: {missed:#?}");
}
