//! The C ABI of the release library, driven by C programs that check it themselves: plain, under the sanitizers and
//! under valgrind. The first comment of each program in `tests/c` says what it shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use support::{Checked, Flavour, Simulator, run, run_checked};

fn check(name: &str, flavour: Flavour) {
    let simulator = Simulator::start();
    run_checked(name, flavour, Checked::Leaks, &[&simulator.v2()]);
    let taken = simulator.admin("GET", "/ledger", &serde_json::Value::Null);
    let taken = taken.as_array().unwrap();
    assert_eq!(taken.is_empty(), !matches!(name, "lifetime" | "tickets" | "gbk"), "only these pay");
    for entry in taken {
        assert_eq!(entry["net"], 1, "{entry}");
    }
    if name == "gbk" {
        let requests = simulator.admin("GET", "/requests?last=50", &serde_json::Value::Null);
        let remarks = requests.as_array().unwrap().iter().map(|request| &request["params"]["remark"]);
        assert!(remarks.into_iter().any(|remark| remark == "收银员"), "{requests}");
    }
}

macro_rules! in_every_flavour {
    ($($name:ident)+) => {
        $(mod $name {
            use super::*;

            #[test]
            fn plain() {
                check(stringify!($name), Flavour::Plain);
            }

            #[test]
            fn under_the_sanitizers() {
                check(stringify!($name), Flavour::Sanitized);
            }

            #[test]
            fn under_valgrind() {
                check(stringify!($name), Flavour::Valgrind);
            }
        })+
    };
}

in_every_flavour! { input answers log lifetime gbk tickets }

#[test]
fn a_forked_child_has_a_library_of_its_own() {
    for (flavour, arguments) in
        [(Flavour::Plain, &["busy"][..]), (Flavour::Sanitized, &[]), (Flavour::Valgrind, &[])]
    {
        let simulator = Simulator::start();
        let endpoint = simulator.v2();
        // Without leak detection: a forked child deliberately keeps its parent's memory.
        run_checked("fork", flavour, Checked::NoLeaks, &[&[endpoint.as_str()], arguments].concat());
        assert_eq!(simulator.net("F-0"), 0);
    }
}

/// Each planted mistake is found, which proves that the checkers are enabled and see the library's memory.
#[test]
fn the_checkers_find_planted_mistakes() {
    for (mistake, sanitized, valgrind) in [
        ("leak", "LeakSanitizer", "definitely lost"),
        ("overrun", "heap-buffer-overflow", "Invalid read"),
        ("stale", "heap-use-after-free", "Invalid read"),
    ] {
        for (flavour, words) in [(Flavour::Sanitized, sanitized), (Flavour::Valgrind, valgrind)] {
            let output = run("planted", flavour, Checked::Leaks, &[mistake]);
            assert_eq!(output.code, Some(9), "{mistake} {flavour:?}: {output:?}");
            assert!(output.stderr.contains(words), "{mistake} {flavour:?}: {}", output.stderr);
        }
    }
    let output = run("planted", Flavour::Sanitized, Checked::Leaks, &["undefined"]);
    assert!(output.code != Some(0) && output.stderr.contains("signed integer overflow"), "{output:?}");
    let output = run("planted", Flavour::Plain, Checked::Leaks, &["none"]);
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""));
}
