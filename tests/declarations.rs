//! The declarations that no compiler here reads (VB6, PowerBuilder, 易语言), and those that one does (Pascal, Lua),
//! compared with the header: every function is declared, with as many arguments and a result where it has one, or is
//! named as left out; every outcome has its number.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The number of a function's arguments, and whether it returns something.
type Schema = (usize, bool);

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn arguments(list: &str, mark: char) -> usize {
    if matches!(list.trim(), "" | "void") { 0 } else { list.split(mark).count() }
}

/// The functions of the header, by their names without `zv_`.
fn header() -> BTreeMap<String, Schema> {
    let text = read("include/zvpos.h");
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/', '#'])).collect();
    let statements = code.split(';').filter(|statement| !statement.contains("typedef"));
    let functions = statements.filter_map(|statement| {
        let (before, after) = statement.split_once("ZV_CALL zv_")?;
        let (name, list) = after.split_once('(')?;
        let returned = before.rsplit(['}', '{']).next().unwrap().trim() != "void";
        Some((name.to_owned(), (arguments(list.trim_end_matches(')'), ','), returned)))
    });
    functions.collect()
}

/// Every outcome of the header with its number.
fn outcomes() -> BTreeMap<String, String> {
    let defined = |line: &str| {
        let (name, number) = line.strip_prefix("#define ZV_")?.split_once(' ')?;
        let other = name.starts_with("LOG_") || name == "ABI_VERSION" || number.parse::<u8>().is_err();
        (!other).then(|| (name.to_owned(), number.to_owned()))
    };
    read("include/zvpos.h").lines().filter_map(defined).collect()
}

/// Compares a file's declarations; a function that it lacks must be named in `words` after this mark.
fn complete(what: &str, declared: &BTreeMap<String, Schema>, words: &str, left_out: &str) {
    let wanted = header();
    assert!(wanted.len() >= 20, "{wanted:?}");
    for (name, shape) in declared {
        assert_eq!(wanted.get(name), Some(shape), "{what}: {name}");
    }
    for name in wanted.keys().filter(|name| !declared.contains_key(*name)) {
        let excused = words.split(left_out).skip(1).any(|text| {
            let sentence: String = text.chars().take(200).collect();
            sentence.contains(&format!("_{name}"))
        });
        assert!(excused, "{what}: {name} is neither declared nor named as left out");
    }
}

/// The text between two marks in a line.
fn between<'t>(line: &'t str, start: &str, end: &str) -> Option<&'t str> {
    Some(line.split_once(start)?.1.split_once(end)?.0)
}

#[test]
fn vb6() {
    let text = read("bindings/vb6/zvpos.bas");
    let declare = |line: &str| {
        let (kind, rest) = line.split_once("Declare ")?.1.split_once(' ')?;
        let name = rest.split(' ').next()?.strip_prefix("zvs_")?;
        assert!(rest.contains("Lib \"zvpos.dll\" ("), "{line}");
        let list = between(rest, "(", ")")?;
        let typed = list.split(',').all(|it| list.is_empty() || it.contains("By") && it.contains(" As "));
        assert!(typed && (kind == "Sub") != rest.ends_with(") As Long"), "{line}");
        Some((name.to_owned(), (arguments(list, ','), kind == "Function")))
    };
    let declared: BTreeMap<_, _> = text.lines().filter_map(declare).collect();
    complete("VB6", &declared, &text, "Left out");
    for (name, number) in outcomes() {
        assert!(text.contains(&format!("Const ZV_{name} As Long = {number}\r\n")), "{name}");
    }
    let lines = text.lines().count();
    assert!(text.is_ascii() && text.matches("\r\n").count() == lines, "VB6 reads ASCII with CRLF everywhere");
}

#[test]
fn powerbuilder() {
    let text = read("bindings/powerbuilder/n_zvpos.sru");
    let declare = |line: &str| {
        let name = between(line, "zvs_", " (").filter(|_| line.contains(" LIBRARY \"zvpos.dll\""))?;
        let list = between(line, "(", ")")?;
        let ansi = line.ends_with(&format!(" ALIAS FOR \"zvs_{name};Ansi\""));
        assert_eq!(list.contains("string "), ansi, "only texts are converted: {line}");
        let returned = line.starts_with("FUNCTION ulong ") || line.starts_with("FUNCTION long ");
        assert!(returned != line.starts_with("SUBROUTINE "), "{line}");
        Some((name.to_owned(), (arguments(list, ','), returned)))
    };
    let declared: BTreeMap<_, _> = text.lines().filter_map(declare).collect();
    complete("PowerBuilder", &declared, &text, "Left out");
    for (name, number) in outcomes() {
        assert!(text.contains(&format!("constant long {name} = {number}\r\n")), "{name}");
    }
}

#[test]
fn epl() {
    let text = read("bindings/epl/zvpos.txt");
    let declare = |command: &str| {
        let (head, list) = command.split_once("\r\n")?;
        let parts: Vec<&str> = head.split(", ").collect();
        assert_eq!((parts[2], parts[4]), ("\"zvpos.dll\"", "公开"), "{head}");
        let name = parts[3].strip_prefix("\"zvs_")?.strip_suffix('"')?;
        assert!(matches!(parts[1], "整数型" | ""), "an answer is a number: {head}");
        Some((name.to_owned(), (list.matches(".参数 ").count(), parts[1] == "整数型")))
    };
    let declared: BTreeMap<_, _> = text.split(".DLL命令 ").skip(1).filter_map(declare).collect();
    for (page, left_out) in [("README.md", "Left out"), ("README.zh-CN.md", "未声明")] {
        complete(page, &declared, &read(&format!("bindings/epl/{page}")), left_out);
    }
    let constants = read("bindings/epl/constants.txt");
    for (name, number) in outcomes() {
        assert!(constants.contains(&format!(".常量 ZV_{name}, \"{number}\", 公开, ")), "{name}");
    }
}

/// Every function that the examples call is declared, by the name that they use.
#[test]
fn the_examples_use_what_is_declared() {
    let used = |text: &str, prefix: &str| -> Vec<String> {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.filter(|word| word.starts_with(prefix) && *word != prefix).map(str::to_owned).collect()
    };
    for (folder, declarations, prefix) in
        [("vb6", "zvpos.bas", "Zv"), ("vb6", "zvpos.bas", "ZV_"), ("epl", "zvpos.txt", "zv_")]
    {
        let example = if folder == "vb6" { "example.bas" } else { "example.txt" };
        let declared = used(&read(&format!("bindings/{folder}/{declarations}")), prefix);
        let words = used(&read(&format!("bindings/{folder}/{example}")), prefix);
        assert!(!words.is_empty());
        for word in words {
            assert!(declared.contains(&word), "{folder}: {word}");
        }
    }
    let object = read("bindings/powerbuilder/n_zvpos.sru");
    let example = read("bindings/powerbuilder/example.txt");
    let members: Vec<&str> = example.split("zv.").skip(1).collect();
    assert!(members.len() > 5);
    for rest in members {
        let member: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let known = [format!(" {member} ("), format!(" {member}\r\n"), format!(" {member} =")];
        assert!(known.iter().any(|it| object.contains(it.as_str())), "{member}");
    }
}

#[test]
fn pascal() {
    let text = read("bindings/pascal/zvpos.pas");
    let declare = |line: &str| {
        let (kind, rest) =
            line.split_once(" zv_").filter(|_| line.contains(" cdecl; external ZvLibrary;"))?;
        let (name, list) = match rest.split_once('(') {
            Some((name, rest)) => (name, rest.split_once(')')?.0),
            None => (rest.split_once(':')?.0, ""),
        };
        // `a, b: T; c: U`: three.
        let count = list.split(';').map(|group| arguments(group, ',')).sum();
        Some((name.to_owned(), (count, kind == "function")))
    };
    let declared: BTreeMap<_, _> = text.lines().filter_map(declare).collect();
    complete("Pascal", &declared, &text, "Left out");
}

#[test]
fn lua() {
    let text = read("bindings/lua/zvpos.lua");
    let declare = |line: &str| {
        let (before, after) = line.strip_suffix(");")?.split_once("zv_")?;
        let (name, list) = after.split_once('(')?;
        Some((name.to_owned(), (arguments(list, ','), before.trim() != "void")))
    };
    let declared: BTreeMap<_, _> = text.lines().filter_map(declare).collect();
    complete("Lua", &declared, &text, "Left out");
}

/// Languages whose programs name what to do next, instead of comparing texts.
#[test]
fn every_next_has_its_name() {
    let schema: serde_json::Value =
        serde_json::from_str(&read("include/schemas/answer.schema.json")).unwrap();
    let words = schema["properties"]["next"]["enum"].as_array().unwrap();
    assert!(words.len() >= 15, "{words:?}");
    for file in ["bindings/go/outcome.go", "bindings/cobol/zvpos.cpy"] {
        let names = read(file);
        for word in words {
            assert!(names.contains(&word.to_string()), "{file}: {word}");
        }
    }
}
