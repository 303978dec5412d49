//! The certifier with tills that misbehave, and the form of its report.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use support::{c_till, certify, options, root, shell_till};
use zvpos_certify::{Group, Options, Report, Rule, run, scenarios};

/// One scenario, with short time limits.
fn one(script: &str) -> Report {
    let mut options = options(shell_till(script));
    (options.only, options.time_limit) = (vec!["plain.balance".to_owned()], Duration::from_secs(2));
    certify(&options)
}

fn rules(report: &Report) -> Vec<Rule> {
    report.scenarios[0].findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_silent_till_times_out() {
    assert!(rules(&one("while read line; do :; done")).contains(&Rule::Silent));
}

#[test]
fn a_till_that_exits_by_itself_is_found() {
    let report = one("read line; echo broken >&2; exit 3");
    assert!(rules(&report).contains(&Rule::Died));
    assert_eq!(report.scenarios[0].stderr, "broken\n");
}

#[test]
fn the_report_names_the_exit_code_or_signal_of_a_till() {
    for (script, en, zh) in [
        ("read line; exit 3", "ended by itself: with exit code 3", "退出码 3"),
        ("exit 0", "ended by itself: with exit code 0", "退出码 0"),
        (
            "read line; kill -SEGV $$; sleep 1",
            "ended by itself: by signal 11 (SIGSEGV)",
            "信号 11 终止 (SIGSEGV)",
        ),
        ("exec 1>&-; sleep 60", "ended by itself: its output ended, and it runs on", "进程仍在运行"),
    ] {
        let report = one(script);
        let findings = &report.scenarios[0].findings;
        let died = findings.iter().find(|finding| finding.rule == Rule::Died).unwrap();
        assert!(died.seen.en.contains(en) && died.seen.zh.contains(zh), "{script}: {died:?}");
    }
}

#[test]
fn a_till_that_writes_arbitrary_bytes_to_stdout_is_found() {
    assert!(rules(&one("while read line; do echo 'hello <b>'; done")).contains(&Rule::Protocol));
    // Neither bytes that are not text nor a line without an end block the certifier.
    assert!(
        rules(&one("head -c 300000 /dev/urandom; while read line; do :; done")).contains(&Rule::Protocol)
    );
    assert!(rules(&one("yes | tr -d '\\n' | head -c 300000; exec sleep 60")).contains(&Rule::Protocol));
}

#[test]
fn a_till_that_floods_stderr_is_not_blocked() {
    let till = c_till()[0].to_string_lossy().into_owned();
    let report = one(&format!("head -c 5000000 /dev/zero | tr '\\0' x >&2; exec {till}"));
    assert!(report.scenarios[0].passed);
}

#[test]
fn a_script_that_only_starts_the_till_cannot_be_killed_in_its_place() {
    let till = c_till()[0].to_string_lossy().into_owned();
    let only = |script: String| {
        let mut options = options(shell_till(&script));
        options.only = vec!["crash.completed".to_owned()];
        certify(&options)
    };
    assert!(only(format!("exec {till}")).scenarios[0].passed);
    assert!(rules(&only(format!("{till}; true"))).contains(&Rule::Protocol));
}

#[test]
fn a_till_that_completes_everything_without_the_library_is_found() {
    let report = one(r#"while read line; do case $line in *'"sell"'*|*'"list"'*)
               echo '{"sale":"S-0001","result":"completed","paid_by_member":"12.00","bizId":"X"}';;
           esac; echo '{"done":"x"}'; case $line in *'"stop"'*) exit;; esac; done"#);
    let rules = rules(&report);
    assert!(rules.contains(&Rule::NotTaken) && rules.contains(&Rule::Journal), "{rules:?}");
}

#[test]
fn a_run_that_cannot_start_says_why() {
    let nothing = Options::new(vec!["/no/such/till".into()], support::own_folder());
    assert!(run(&nothing, &|_| {}).unwrap_err().contains("/no/such/till"));
    let mut unknown = options(c_till());
    unknown.only = vec!["nothing.like.this".to_owned()];
    assert!(run(&unknown, &|_| {}).is_err());
}

#[test]
fn the_report_is_complete_as_html_and_as_json() {
    let mut options = options(c_till());
    options.only = vec!["lost.reset".to_owned(), "plain.both".to_owned()];
    let report = certify(&options);
    assert!(!report.certified && report.failed == 0 && report.left_out == scenarios().len() - 2);

    let json: Value = serde_json::from_str(&report.to_json()).unwrap();
    let lost = json["scenarios"].as_array().unwrap().iter().find(|one| one["id"] == "lost.reset").unwrap();
    assert_eq!(lost["sales"][0]["said"][0], "other_tender");
    assert_eq!(lost["ledger"][0]["entries"], serde_json::json!(["consume", "reverse"]));
    assert_eq!(lost["members"][0]["after"], lost["members"][0]["before"]);
    let both = json["scenarios"].as_array().unwrap().iter().find(|one| one["id"] == "plain.both").unwrap();
    assert_eq!(
        (&both["members"][0]["after"], &both["ledger"][0]["amount"]),
        (&"999977.00".into(), &"23.00".into())
    );

    let html = report.to_html();
    for part in
        ["id=\"lost.reset\"", "prefers-color-scheme: dark", "扣款后连接重置", "then the connection is reset"]
    {
        assert!(html.contains(part), "{part}");
    }
    // The file loads nothing from another place.
    for outside in ["src=", "<link", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}

/// A table of the pages: the rows under a heading that begin with a name in back-ticks.
fn table(page: &str, heading: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
    let part = text.split(&format!("## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        Some((cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned(), cells.next()?))
    };
    part.lines().filter_map(row).collect()
}

#[test]
fn the_pages_name_every_scenario_and_every_rule() {
    let all = scenarios();
    let english: Vec<_> = all.iter().map(|one| (one.id.to_owned(), one.title.en.clone())).collect();
    let chinese: Vec<_> = all.iter().map(|one| (one.id.to_owned(), one.title.zh.clone())).collect();
    assert_eq!(table("certify.md", "The scenarios"), english);
    assert_eq!(table("certify.zh-CN.md", "场景"), chinese);
    let rules = |text: fn(&Rule) -> String| -> Vec<_> {
        Rule::ALL.iter().map(|rule| (rule.word().to_owned(), text(rule))).collect()
    };
    assert_eq!(table("certify.md", "What can be found"), rules(|rule| rule.what().en));
    assert_eq!(table("certify.zh-CN.md", "可能发现的问题"), rules(|rule| rule.what().zh));
    for page in ["certify.md", "certify.zh-CN.md"] {
        let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
        let (scenarios, groups) = (all.len().to_string(), Group::ALL.len().to_string());
        let counts = text.lines().any(|line| {
            let numbers: Vec<_> = line.split(|letter: char| !letter.is_ascii_digit()).collect();
            numbers.contains(&scenarios.as_str()) && numbers.contains(&groups.as_str())
        });
        assert!(counts, "{page} says {scenarios} and {groups}");
    }
}

/// The commands of the page build tills that pass.
#[test]
fn the_commands_of_the_page_work() {
    let page = std::fs::read_to_string(root().join("docs/certify.md")).unwrap();
    let commands = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = support::own_folder();
    for shared in ["include", "examples"] {
        std::os::unix::fs::symlink(root().join(shared), folder.join(shared)).unwrap();
    }
    std::fs::create_dir(folder.join("target")).unwrap();
    std::os::unix::fs::symlink(support::library(), folder.join("target/release")).unwrap();
    let shell = Command::new("sh").args(["-ec", commands]).current_dir(&folder).status().unwrap();
    assert!(shell.success());
    for till in [vec![folder.join("till").into()], vec!["mono".into(), folder.join("Till.exe").into()]] {
        let mut options = options(till);
        options.only = vec!["plain.balance".to_owned()];
        assert_eq!(certify(&options).failed, 0);
    }
}
