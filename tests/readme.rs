//! Compares the project's documents with the project: every code block in the README and in the integration guide is
//! compiled and run, the two languages say the same, every link has a target, every name exists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, missing_docs, reason = "shared between the files of one test")]

#[path = "readme/check.rs"]
mod check;
#[path = "readme/document.rs"]
mod document;
#[path = "readme/marks.rs"]
mod marks;
#[path = "readme/shell.rs"]
mod shell;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use document::{Block, Document, looks_like};
use support::{Answer, Driver, MEMBER, POOR_MEMBER, Simulator, config};

/// Pages in English and Chinese.
const PAIRS: [[&str; 2]; 8] = [
    ["README.md", "README.zh-CN.md"],
    ["docs/integrating.md", "docs/integrating.zh-CN.md"],
    ["docs/architecture.md", "docs/architecture.zh-CN.md"],
    ["docs/gateway.md", "docs/gateway.zh-CN.md"],
    ["docs/inspector.md", "docs/inspector.zh-CN.md"],
    ["docs/money-safety.md", "docs/money-safety.zh-CN.md"],
    ["docs/platforms.md", "docs/platforms.zh-CN.md"],
    ["docs/zv.md", "docs/zv.zh-CN.md"],
];

/// Pages in English and Chinese whose commands are run, and whose other code is for another program.
const TWINS: [[&str; 2]; 4] = [
    ["docs/benchmarks.md", "docs/benchmarks.zh-CN.md"],
    ["docs/certify.md", "docs/certify.zh-CN.md"],
    ["docs/collect.md", "docs/collect.zh-CN.md"],
    ["docs/doctor.md", "docs/doctor.zh-CN.md"],
];

/// Pages in English and Chinese about other programs, which are not run here.
const SERVERS: [[&str; 2]; 1] = [["docs/several-nodes.md", "docs/several-nodes.zh-CN.md"]];

/// Pages that have no twin and whose code is not run.
const OTHERS: [&str; 7] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/configuration.md",
    "docs/error-codes.md",
    "docs/requests.md",
    "docs/faults.md",
];

fn page(name: &str) -> Document {
    Document::read(&support::root(), name)
}

/// The pages whose code is run.
fn run_pages() -> impl Iterator<Item = Document> {
    PAIRS.into_iter().flatten().map(page)
}

fn all_pages() -> impl Iterator<Item = Document> {
    run_pages().chain(TWINS.into_iter().chain(SERVERS).flatten().chain(OTHERS).map(page))
}

fn root_file(name: &str) -> String {
    fs::read_to_string(support::root().join(name)).unwrap()
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn of<'d>(document: &'d Document, language: &'d str) -> impl Iterator<Item = &'d Block> {
    document.blocks.iter().filter(move |block| block.language == language)
}

#[test]
fn both_languages_say_the_same() {
    for [english, chinese] in PAIRS.into_iter().chain(TWINS).chain(SERVERS) {
        none(&check::say_the_same(&page(english), &page(chinese)));
    }
}

#[test]
fn chinese_text_has_full_width_marks() {
    let root = support::root();
    let pages = marks::files(&root, &|path| path.ends_with(".zh-CN.md"));
    let sources = marks::files(&root, &|path| {
        path.rsplit('.').next() == Some("rs") && (path.contains("/src/") || path.contains("/build/"))
    });
    assert!(pages.len() > 20 && sources.len() > 100, "{} and {}", pages.len(), sources.len());
    for path in pages {
        none(&marks::of_page(&page(&path.strip_prefix(&root).unwrap().to_string_lossy())));
    }
    for path in sources {
        none(&marks::of_source(&path.to_string_lossy(), &fs::read_to_string(&path).unwrap()));
    }
}

#[test]
fn links_and_names_have_targets() {
    // The tables of a database are named in the same way as functions.
    let header = root_file("include/zvpos.h") + &root_file("journal-postgres/src/schema.sql");
    let codes = root_file("docs/error-codes.md");
    for page in all_pages() {
        none(&check::links(&page));
        none(&check::names(&page, &header, &codes));
        none(&check::targets(&page, &root_file("Makefile")));
    }
    for page in run_pages() {
        none(&check::known_languages(&page));
    }
}

#[test]
fn c_blocks_compile_without_a_warning_and_run() {
    for page in run_pages() {
        let simulator = Simulator::start();
        let folder = shell::lookalike(&format!("c/{}", page.name));
        for block in of(&page, "c") {
            let source =
                folder.join("target").join(block.file_name().expect("a C block begins with its name"));
            let whole = block.text.contains("int main(");
            let text = shell::with_own_journals(&block.text, &folder);
            fs::write(&source, text.replace(shell::GATEWAY, &simulator.address().to_string())).unwrap();
            let compiled = shell::compile(&folder, &source, whole);
            let said = String::from_utf8_lossy(&compiled.stderr);
            assert!(compiled.status.success(), "{}:{}: {said}", page.name, block.line);
            if whole {
                let read = folder.join("target/stdin");
                fs::write(&read, "T1-000001\n").unwrap();
                let mut till = shell::command(source.with_extension("run").to_str().unwrap(), &folder);
                let ran = till.stdin(fs::File::open(read).unwrap()).output().unwrap();
                let said = String::from_utf8_lossy(&ran.stdout);
                assert_eq!(ran.status.code(), Some(0), "{}:{}: {ran:?}", page.name, block.line);
                assert!(said.starts_with("0 "), "{}:{}: {said}", page.name, block.line);
            }
        }
    }
    assert!(of(&page("README.md"), "c").count() > 0, "the first screen shows a program");
}

#[test]
fn commands_of_the_english_readme_run() {
    none(&shell::run(&page("README.md")));
}

#[test]
fn commands_of_the_chinese_readme_run() {
    none(&shell::run(&page("README.zh-CN.md")));
}

#[test]
fn commands_of_the_inspectors_pages_run() {
    none(&shell::run(&page("docs/inspector.md")));
    none(&shell::run(&page("docs/inspector.zh-CN.md")));
}

#[test]
fn commands_of_the_certifiers_pages_run() {
    none(&shell::run(&page("docs/certify.md")));
    none(&shell::run(&page("docs/certify.zh-CN.md")));
}

#[test]
fn commands_of_the_collectors_pages_run() {
    none(&shell::run(&page("docs/collect.md")));
    none(&shell::run(&page("docs/collect.zh-CN.md")));
}

/// In Chinese they are the same, and would take as long again.
#[test]
fn commands_of_the_benchmarks_page_run() {
    none(&shell::run(&page("docs/benchmarks.md")));
}

#[test]
fn commands_of_the_english_page_of_zv_run() {
    none(&shell::run(&page("docs/zv.md")));
}

#[test]
fn commands_of_the_chinese_page_of_zv_run() {
    none(&shell::run(&page("docs/zv.zh-CN.md")));
}

#[test]
fn python_blocks_run() {
    let mut count = 0;
    for page in run_pages() {
        let folder = shell::lookalike(&format!("python/{}", page.name));
        for (at, block) in page.blocks.iter().enumerate().filter(|(_, block)| block.language == "python") {
            let simulator = Simulator::start();
            let file = folder.join("target/block.py");
            let text = shell::with_own_journals(&block.text, &folder);
            fs::write(&file, text.replace(shell::GATEWAY, &simulator.address().to_string())).unwrap();
            let ran = shell::command("python3", &folder).arg(&file).output().expect("python3");
            let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "{}:{}: {err}", page.name, block.line);
            let shown = page.blocks.get(at + 1).filter(|next| next.language == "output");
            let shown = &shown.expect("a Python block shows what it prints").text;
            assert!(looks_like(&out, shown), "{}:{}: {out}", page.name, block.line);
            count += 1;
        }
    }
    assert_eq!(count, 2, "one in each language");
}

/// The requests of a page, in order, sent by one till. A configuration starts another one.
#[test]
fn json_blocks_are_what_the_library_takes_and_gives() {
    for page in run_pages() {
        let simulator = Simulator::start();
        let mut till = Driver::new();
        // By their coupons: a page cannot know the ids.
        let mut quotes: BTreeMap<String, Value> = BTreeMap::new();
        for block in of(&page, "json") {
            let place = format!("{}:{}", page.name, block.line);
            let text = block.text.replace(shell::GATEWAY, &simulator.address().to_string());
            let mut value: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
            let answer = match block.about.as_str() {
                "answer" => {
                    none(&unlike_an_answer(&value));
                    continue;
                }
                "config" => {
                    value["journal"] = json!(support::own_folder().join("journal.db"));
                    till = Driver::new();
                    till.init(&value)
                }
                "quote" => {
                    let answer = till.quote(&value);
                    let coupon = value["user_coupon_id"].as_str().unwrap().to_owned();
                    quotes.insert(coupon, answer.json["quoteId"].clone());
                    answer
                }
                "consume" => {
                    if value["quoteIds"].is_array() {
                        let coupon = value["couponsCardList"][0].as_str().unwrap();
                        value["quoteIds"] = json!([quotes[coupon]]);
                    }
                    till.consume(&value)
                }
                "lookup" => till.ask(&format!("lookup {value}")),
                "confirm" => till.ask(&format!("confirm {value}")),
                "reverse" => reversed(&mut till, &value),
                "pending" => till.pending(Some(&value)),
                "settle" => held(&simulator, &value["bizId"]).settle(&value),
                action => till.call(action, &value),
            };
            let outcome = if block.about == "reverse" { "reversed" } else { "succeeded" };
            assert_eq!(answer.outcome(), outcome, "{place}: {}", answer.text);
        }
    }
}

/// A reversal may be under way when it is answered: then the look-up's final answer.
fn reversed(till: &mut Driver, request: &Value) -> Answer {
    let mut answer = till.reverse(request);
    for _ in 0..100 {
        if answer.outcome() != "unknown" {
            break;
        }
        thread::sleep(Duration::from_millis(50));
        answer = till.look_up(request["bizId"].as_str().unwrap());
    }
    answer
}

/// A till without a reverse route that lost the answer to a consume of this bizId.
fn held(simulator: &Simulator, biz_id: &Value) -> Driver {
    let mut till = Driver::started(&config(&simulator.v2(), json!({})));
    simulator.arm("reset_after", "consume", 1, &json!({}));
    till.consume(&json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"}))
        .expect("unknown", "ZV-LOST");
    till
}

/// The differences between the shown answer and the schema of every answer.
fn unlike_an_answer(answer: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(&root_file("include/schemas/answer.schema.json")).unwrap();
    let known = schema["properties"].as_object().unwrap();
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(answer.as_object().unwrap().keys().filter(|key| !known.contains_key(*key)).cloned());
    let required = schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    wrong.extend(required.filter(|name| answer.get(*name).is_none()).map(|name| format!("no {name}")));
    wrong
}

/// The money table of both READMEs matches the header and the library: each row names exactly the `next` values that
/// occur with its outcome.
#[test]
fn the_money_table_is_true() {
    let answers = answers_of_each_outcome();
    let schema: Value = serde_json::from_str(&root_file("include/schemas/answer.schema.json")).unwrap();
    let known = schema["properties"]["next"]["enum"].as_array().unwrap();
    let header = root_file("include/zvpos.h");
    for name in PAIRS[0] {
        let table = page(name).table(2);
        assert_eq!(table.len(), 9, "{name}: one row for each outcome");
        for row in &table {
            let coded =
                |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
            let outcome = coded(&row[0]).remove(0);
            let constant = format!("#define ZV_{} {}\n", outcome.to_uppercase(), row[1]);
            assert!(header.contains(&constant), "{name}: {constant}");
            let shown = coded(&row[3]).into_iter().filter(|word| known.contains(&json!(word)));
            let shown: BTreeSet<String> = shown.collect();
            let said = answers.iter().filter(|answer| answer["outcome"] == outcome.as_str());
            let said: BTreeSet<String> =
                said.map(|answer| answer["next"].as_str().unwrap().to_owned()).collect();
            assert_eq!(shown, said, "{name}: {outcome}");
        }
    }
}

fn answers_of_each_outcome() -> Vec<Value> {
    let simulator = Simulator::start();
    let reverse =
        json!({"reverse": {"action": "sandbox.consume-reverse", "codes": {"not_found": ["920001"]}}});
    let started = |more: Value| Driver::started(&config(&simulator.v2(), more));
    let pay = |biz_id: &str, member: &str, amount: &str| json!({"bizId": biz_id, "customerId": member, "amount": amount});
    let mut till = started(json!({"routes": reverse, "guard": "member"}));
    let mut answers = vec![
        till.consume(&pay("R-1", MEMBER, "1.00")).json,
        till.consume(&pay("R-1", MEMBER, "2.00")).json,
        till.consume(&pay("R-2", POOR_MEMBER, "500.00")).json,
        till.consume(&pay("R-3", MEMBER, "1.005")).json,
        reversed(&mut till, &json!({"bizId": "R-1"})).json,
        till.look_up("R-1").json,
        till.ask(&format!("start lookup {}", json!({"bizId": "R-1"}))).json,
        till.consume(&pay("R-1", MEMBER, "1.00")).json,
        // Another amount after a refusal, and the void of the refused sale.
        till.consume(&pay("R-2", POOR_MEMBER, "5.00")).json,
        till.reverse(&json!({"bizId": "R-2"})).json,
        till.consume(&pay("R-9~reverse_refused", MEMBER, "1.00")).json,
        till.reverse(&json!({"bizId": "R-9~reverse_refused"})).json,
        till.consume(&pay("R-10~reverse_not_found", MEMBER, "1.00")).json,
        till.reverse(&json!({"bizId": "R-10~reverse_not_found"})).json,
        till.consume(&pay("R-4~reset_after", MEMBER, "1.00")).json,
        till.consume(&pay("R-5", MEMBER, "1.00")).json,
        till.call("zvpos.panic", &json!({})).json,
    ];
    assert_eq!(answers[5]["outcome"], "reversed", "{}", answers[5]);
    answers.push(started(json!({})).consume(&pay("R-6~reset_after", MEMBER, "1.00")).json);
    let mut confirming = started(json!({"routes": reverse, "confirm": true}));
    answers.push(confirming.consume(&pay("R-7", MEMBER, "1.00")).json);
    // Nothing listens on a port that was just released.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let mut cut_off = Driver::started(&config(&format!("http://{port}/api/v2"), json!({})));
    answers.push(cut_off.consume(&pay("R-8", MEMBER, "1.00")).json);
    let mut forgotten = pay("R-11", MEMBER, "1.00");
    forgotten["quoteIds"] = json!(["Q0"]);
    answers.push(cut_off.consume(&forgotten).json);
    answers
}

/// Each check of this file, applied to a wrong page.
mod finds {
    use super::*;

    fn written(text: &str) -> Document {
        Document::parse("made-up.md", &support::root(), text)
    }

    #[test]
    fn pages_that_differ() {
        let page = "# A\n\n```sh\nls  # one\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
        let same = page.replace("# A", "# 甲").replace("# one", "# 一");
        assert!(check::say_the_same(&written(page), &written(&same)).is_empty());
        for other in
            [page.replace("ls", "ls -l"), page.replace("# A", "## A"), page.replace("| 1 | 2 |\n", "")]
        {
            assert!(!check::say_the_same(&written(page), &written(&other)).is_empty(), "{other}");
        }
    }

    #[test]
    fn missing_links_names_and_targets() {
        assert!(
            check::links(&written("# A b\n[x](README.md) [y](#a-b) [z](https://example.org)\n")).is_empty()
        );
        for link in ["[x](nowhere.md)", "[x](#nothing)", "[x](README.md#nothing)"] {
            assert_eq!(check::links(&written(link)).len(), 1, "{link}");
        }
        let names =
            |text: &str| check::names(&written(text), "char *zv_init(); ZV_UNKNOWN", "`ZV-NULL`").len();
        assert_eq!(names("zv_init ZV_UNKNOWN ZV-NULL ZV-"), 0);
        assert_eq!(names("zv_initialise ZV_UNKNOW ZV-NUL\n## Now\nzv_lookup_json"), 4);
        assert_eq!(
            check::targets(&written("`make all`\n```sh\nmake   # x\nmake fly\n```\n"), "all: a b\n").len(),
            1
        );
        assert_eq!(check::known_languages(&written("```ruby\n1\n```\n")).len(), 1);
    }

    #[test]
    fn half_width_marks_in_chinese() {
        for right in ["调用 `zv_init(一)`，再[看](#一)：好", "1,000 (a): 22:00", "“一”（二）；三"]
        {
            assert!(marks::of_page(&written(right)).is_empty(), "{right}");
        }
        for wrong in ["一,二", "`a`:一", "一(b)", "[a](b)。一?", "# 一!"] {
            assert_eq!(marks::of_page(&written(wrong)).len(), 1, "{wrong}");
        }
        for right in [r#""undone (冲正), whole""#, r#""元, two""#, "// 一,二", r#""`~一:2`：好""#] {
            assert!(marks::of_source("a", right).is_empty(), "{right}");
        }
        for wrong in [r#""扣款,{name}""#, r#""{name}:一""#, r#""(一)""#, r#""unknown(一)""#, r#""一 (二)三""#]
        {
            assert_eq!(marks::of_source("a", wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn c_that_does_not_compile() {
        let folder = shell::lookalike("c/wrong");
        let source = folder.join("target/wrong.c");
        for (text, compiles) in [("zv_free(0);", true), ("zv_release(0);", false), ("int unused = 0;", false)]
        {
            fs::write(&source, format!("#include \"zvpos.h\"\nvoid f(void);\nvoid f(void) {{ {text} }}\n"))
                .unwrap();
            assert_eq!(shell::compile(&folder, &source, false).status.success(), compiles, "{text}");
        }
    }

    #[test]
    fn commands_that_fail_or_print_something_else() {
        let run = |text: &str| {
            let mut page = written(text);
            page.name = format!("wrong-{}.md", text.len());
            shell::run(&page).len()
        };
        assert_eq!(run("```sh\necho 12 34\nfalse\n```\n```output\n1…4\n```\n```sh\ntrue\n```\n"), 0);
        assert_eq!(run("```sh\necho 12 34\n```\n```output\n1…5\n```\n"), 1);
        assert_eq!(run("```sh\nfalse\ntrue\n```\n```sh\nls\n```\n"), 1);
    }

    #[test]
    fn output_that_is_another() {
        for (printed, shown, same) in [
            ("a b c\n", "a b c", true),
            ("a b c", "a…c", true),
            ("a b c", "a…b…c", true),
            ("a b c", "a…c…c", false),
            ("a b c", "a…d", false),
            ("a", "a…a", false),
            ("a b", "a", false),
        ] {
            assert_eq!(looks_like(printed, shown), same, "{printed:?} {shown:?}");
        }
    }

    #[test]
    fn an_answer_that_does_not_match_the_schema() {
        assert!(unlike_an_answer(&json!({"outcome": "succeeded", "surprise": 1})).len() > 2);
    }
}
