//! The conventions of command-line programs: configuration, colours, pipes, Ctrl-C, completions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::Read;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::{FIVE_OFF, Location, MEMBER, Output, Simulator, until};

const QUOTE: [&str; 7] =
    ["quote", "--user_id", MEMBER, "--user_coupon_id", FIVE_OFF, "--item", "201909280011111,2,13.50"];

#[test]
fn the_configuration_is_looked_for_in_three_places() {
    let (simulator, place) = (Simulator::start(), Location::new());
    let missing =
        place.zv(&QUOTE).ended(2).complains(&["zvpos.json", ".config/zvpos/config.json", "--sandbox"]);
    assert!(missing.out.is_empty());
    let config = place.config(&format!("http://{}/api/v2", simulator.gateway), &json!({})).to_string();
    let verbose = [&QUOTE[..], &["-v"]].concat();
    let used = |name: &str| {
        let said = place.zv(&verbose).ended(0);
        assert!(said.err.contains(&format!("configuration: {name}\n")), "{said:?}");
        said.complains(&["journal: ", "journal.db"]).shows(&["timing_ms.total"]);
    };
    let in_home = place.write(".config/zvpos/config.json", &config);
    used(in_home.to_str().unwrap());
    let mut command = place.command(env!("CARGO_BIN_EXE_zv"));
    let elsewhere = place.write("xdg/zvpos/config.json", &config);
    command.env("XDG_CONFIG_HOME", place.folder.join("xdg")).args(&verbose);
    Output::of(&mut command).ended(0).complains(&[elsewhere.to_str().unwrap()]);
    place.write("zvpos.json", &config);
    used("zvpos.json");
    place.write("other.json", &config);
    place.zv(&[&QUOTE[..], &["-v", "--config", "other.json"]].concat()).ended(0).complains(&["other.json"]);
    place.write("wrong.json", r#"{"openId": "a", "grantCod": "b"}"#);
    place
        .zv(&[&QUOTE[..], &["--config", "wrong.json"]].concat())
        .ended(2)
        .complains(&["wrong.json is not taken"])
        .shows(&["grantCod: is not a field", "openKey: is missing"]);
    place.zv(&[&QUOTE[..], &["--config", "no.json"]].concat()).ended(2).complains(&["cannot read no.json"]);
}

/// `--sandbox` may precede the action. The test passes with and without a simulator at the default address.
#[test]
fn an_option_swallows_no_word() {
    let place = Location::new();
    let answer = |words: &[&str]| {
        let said = place.zv(&[words, &["--param", "identifierNumber=M0001", "--json"]].concat());
        assert!(matches!(said.code, Some(0 | 1 | 3)), "{words:?}: {said:?}");
        said.json()["outcome"].clone()
    };
    assert_eq!(
        answer(&["call", "--sandbox", "member_lookup"]),
        answer(&["call", "member_lookup", "--sandbox"])
    );
    place.zv(&["call", "--sandbox", "localhost:1", "x"]).ended(2).complains(&["a simulator's URL is like"]);
}

#[test]
fn no_secret_is_shown() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"password_over_http": true}));
    let pay =
        json!({"bizId": "P1", "customerId": "383933091455959043", "amount": "1.00", "payPassword": "246810"});
    place.write("pay.json", &pay.to_string());
    let mut said = place.zv(&["consume", "-vv", "--request", "pay.json"]).ended(0);
    said.err.push_str(&place.zv(&["sign", "--operation", "consume", "--request", "pay.json"]).ended(0).out);
    let all = said.out + &said.err;
    assert!(!all.contains("246810") && !all.contains("fake-open-key"), "{all}");
}

#[test]
fn the_log_is_shown_when_it_is_asked_for() {
    let (simulator, place) = (Simulator::start(), Location::new());
    let url = simulator.url();
    let said = place.zv(&[&QUOTE[..], &["--sandbox", url.as_str(), "-vv"]].concat());
    said.ended(0).complains(&["info: zvpos", "started"]);
    let said = place.zv(&[&QUOTE[..], &["--sandbox", url.as_str()]].concat()).ended(0);
    assert_eq!(said.err, "", "nothing but the answer unasked");
    place
        .zv(&[&QUOTE[..], &["--sandbox", "http://127.0.0.1:1"]].concat())
        .ended(3)
        .complains(&["`zv sandbox`"]);
}

/// The same command on a terminal, by script(1).
fn on_a_terminal(place: &Location, line: &str, more: &[(&str, &str)]) -> Output {
    let mut command = place.command("script");
    command.args(["--quiet", "--return", "--command", line, "/dev/null"]).envs(more.iter().copied());
    Output::of(&mut command)
}

#[test]
fn colours_only_on_a_terminal() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    let line = "zv lookup --bizId T1";
    let piped = place.zv(&["lookup", "--bizId", "T1"]).ended(2);
    assert!(!piped.out.contains('\u{1b}') && !piped.err.contains('\u{1b}'), "{piped:?}");
    on_a_terminal(&place, line, &[]).ended(2).shows(&["\u{1b}[", "invalid"]);
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = on_a_terminal(&place, line, &[(name, value)]).ended(2);
        assert!(!plain.out.contains('\u{1b}'), "{plain:?}");
    }
    let plain = on_a_terminal(&place, "zv lookup --bizId T1 --json", &[]).ended(2);
    assert!(!plain.out.contains('\u{1b}'), "{plain:?}");
    assert!(!place.zv(&["consume", "--help"]).ended(0).out.contains('\u{1b}'));
}

#[test]
fn progress_only_on_a_terminal_and_not_in_the_answer() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"timeouts_ms": {"connect": 300, "total": 2500}}));
    simulator.arm("hang", "quote");
    let line = format!("zv {}", QUOTE.join(" "));
    on_a_terminal(&place, &line, &[]).ended(3).shows(&["waiting for the gateway 1s"]);
    simulator.arm("hang", "quote");
    let dumb = on_a_terminal(&place, &line, &[("TERM", "dumb")]).ended(3);
    assert!(!dumb.out.contains("waiting") && !dumb.out.contains('\u{1b}'), "{dumb:?}");
    simulator.arm("hang", "quote");
    assert!(!place.zv(&QUOTE).ended(3).err.contains("waiting"));
}

#[test]
fn the_gateways_words_command_no_terminal() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    let mut seed: Value =
        serde_json::from_str(&place.zv(&["sandbox", "--data-example"]).ended(0).out).unwrap();
    seed["members"][0]["nickname"] = json!("a\u{1b}[2Jb");
    let data = place.write("data.json", &seed.to_string());
    let evil = Simulator::with(&["--data", data.to_str().unwrap()]);
    let url = evil.url();
    let ask = [
        "call",
        "member_lookup",
        "--param",
        "identifierNumber=M0001",
        "--param",
        "type=1",
        "--sandbox",
        &url,
    ];
    let said = place.zv(&ask).ended(0).shows(&["a\\u{1b}[2Jb"]);
    assert!(!said.out.contains('\u{1b}'));
}

#[test]
fn a_broken_pipe_is_harmless_and_what_nobody_read_is_unacknowledged() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({}));
    for line in [
        "zv --help | true",
        "zv sandbox --data-example | head -1",
        "zv completions bash | true",
        "zv quote --user_id 1 --user_coupon_id 1 --item a,1,1 | true",
    ] {
        let mut bash = place.command("bash");
        let said = Output::of(bash.args(["-c", line])).ended(0);
        assert!(!said.err.contains("panicked") && !said.err.contains("pipe"), "{line}: {said:?}");
    }
    // The same if stderr is closed.
    let deaf = format!(
        "exec 3> >(exec true); wait $!; zv consume -v --bizId auto --customerId {MEMBER} --amount 1.00 2>&3"
    );
    Output::of(place.command("bash").args(["-c", &deaf])).ended(0).shows(&["succeeded"]);
    let pay = format!(
        "exec 3> >(exec true); wait $!; zv consume --bizId B1 --customerId {MEMBER} --amount 1.00 >&3"
    );
    Output::of(place.command("bash").args(["-c", &pay])).ended(0);
    assert_eq!(simulator.net("B1"), 1);
    place.zv(&["pending"]).ended(0).shows(&["B1", "unacknowledged"]).complains(&["ZV-W-UNACKNOWLEDGED"]);
    place.zv(&["journal", "show", "--biz-id", "B1"]).ended(0).shows(&["succeeded"]);
    place.zv(&["pending"]).ended(0).shows(&["B1", "unacknowledged"]);
    place.zv(&["lookup", "--bizId", "B1"]).ended(0);
    place.zv(&["pending"]).ended(0).shows(&["(no entries)"]);
}

fn begin(place: &Location, arguments: &[&str]) -> Child {
    let mut command = place.command(env!("CARGO_BIN_EXE_zv"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn press_ctrl_c(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Reads stderr until it contains this text.
fn read_until(child: &mut Child, part: &str) {
    let mut seen = Vec::new();
    let stderr = child.stderr.as_mut().unwrap();
    while !String::from_utf8_lossy(&seen).contains(part) {
        let mut byte = [0];
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
}

#[test]
fn ctrl_c_during_a_consume_says_what_is_certain() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"timeouts_ms": {"connect": 300, "total": 3000}}));
    let pay =
        |biz_id: &'static str| ["consume", "--bizId", biz_id, "--customerId", MEMBER, "--amount", "1.00"];

    let mut waits = begin(&place, &pay("C1~hang_after"));
    until("the request", || simulator.net("C1~hang_after") == 1);
    press_ctrl_c(&waits);
    read_until(&mut waits, "Ctrl-C again leaves at once");
    let output = waits.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stdout).contains("结果未知"), "{output:?}");

    let mut leaves = begin(&place, &pay("C2~hang_after"));
    until("the request", || simulator.net("C2~hang_after") == 1);
    press_ctrl_c(&leaves);
    read_until(&mut leaves, "Ctrl-C again leaves at once");
    press_ctrl_c(&leaves);
    let output = leaves.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Never pay for this sale under a new bizId") && output.stdout.is_empty(), "{said}");

    place.zv(&["recover", "--wait", "60"]).ended(0).shows(&["(no entries)"]);
    assert_eq!((simulator.net("C1~hang_after"), simulator.net("C2~hang_after")), (0, 0));
}

#[test]
fn ctrl_c_during_a_quote_ends_it() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"timeouts_ms": {"connect": 300, "total": 60000}}));
    simulator.arm("hang", "quote");
    let child = begin(&place, &QUOTE);
    until("the request", || simulator.requests() == 1);
    press_ctrl_c(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("takes nothing"));
}

#[test]
fn completions_load_and_know_the_flags() {
    let place = Location::new();
    for (shell, part) in [
        ("bash", "complete -F _zv"),
        ("zsh", "#compdef zv"),
        ("fish", "complete -c zv"),
        ("powershell", "Register-Argu"),
    ] {
        place.zv(&["completions", shell]).ended(0).shows(&[part, "customerId"]);
    }
    let line = "source <(zv completions bash) && COMP_WORDS=(zv consume --cust) COMP_CWORD=2 && \
                _zv zv --cust consume && echo \"${COMPREPLY[@]}\"";
    let said = Output::of(place.command("bash").args(["-c", line])).ended(0);
    assert_eq!(said.out.trim(), "--customerId", "{said:?}");
    place.zv(&["completions", "tcsh"]).ended(2).complains(&["tcsh", "bash", "powershell"]);
}

#[test]
fn help_and_version_and_the_exit_codes_in_every_help() {
    let place = Location::new();
    let version = format!("zv {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(place.zv(&["--version"]).ended(0).out, version);
    for command in ["", "quote", "consume", "journal", "journal show", "sign"] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        place.zv(&arguments).ended(0).shows(&["Exit codes:", "4    unknown", "7    conflict"]);
    }
    for command in ["sandbox", "completions"] {
        let help = place.zv(&[command, "--help"]).ended(0).shows(&["Exit codes:", "2    invalid"]);
        assert!(!help.out.contains("conflict"), "it pays nothing: {help:?}");
    }
    place.zv::<&str>(&[]).ended(2).complains(&["Usage: zv <COMMAND>"]);
    place.zv(&["pay"]).ended(2).complains(&["'pay'"]);
}
