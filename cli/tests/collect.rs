//! `zv collect` from an empty folder to a closed day, over TLS, with real programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::{Location, MEMBER, Simulator, until};

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(place: &Location, arguments: &[&str]) -> Running {
    let mut command = place.command(env!("CARGO_BIN_EXE_zv"));
    let child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(child.spawn().unwrap())
}

fn openssl(place: &Location, arguments: &str) {
    let mut command = Command::new("openssl");
    let output = command.current_dir(&place.folder).args(arguments.split(' ')).output();
    let output = output.expect("openssl: apt-get install openssl");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate for `localhost` that is its own CA: `host.pem`, `host.key`.
fn certificate(place: &Location) {
    openssl(
        place,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -keyout host.key -out host.pem",
    );
}

fn collector(place: &Location, listen: &str) -> (Running, String) {
    let _ = fs::remove_file(place.folder.join("up.json"));
    let running = start(
        place,
        &[
            "collect",
            "serve",
            "--listen",
            listen,
            "--cert",
            "host.pem",
            "--key",
            "host.key",
            "--port-file",
            "up.json",
        ],
    );
    until("the collector listens", || place.folder.join("up.json").exists());
    let up: Value = serde_json::from_str(&fs::read_to_string(place.folder.join("up.json")).unwrap()).unwrap();
    let port = up["url"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    (running, port)
}

fn day(place: &Location, more: &[&str], code: i32) -> Value {
    let all = [&["collect", "day", "--json", "--lang", "en"], more].concat();
    serde_json::from_str(&place.zv(&all).ended(code).out).unwrap()
}

#[test]
fn from_an_empty_folder_to_a_closed_day() {
    let (simulator, place) = (Simulator::start(), Location::new());
    // The simulator stands for the vendor's gateway, whose sales count.
    place.configure(&simulator, &json!({"on_unknown": "hold", "environment": "production"}));
    certificate(&place);
    let token = place.zv(&["collect", "init"]).ended(0).out;
    assert_eq!(token.trim().len(), 48, "{token}");
    place.write("member.key", "a key of the whole chain\n");
    let (running, port) = collector(&place, "127.0.0.1:0");
    let url = format!("https://localhost:{port}");
    let enroll = |till: &str, url: &str| {
        let arguments = [
            "collect",
            "enroll",
            "--chain",
            "demo",
            "--till",
            till,
            "--shop",
            "S01",
            "--url",
            url,
            "--member-key-file",
            "member.key",
            "--pem",
            "host.pem",
        ];
        place.zv(&arguments)
    };
    let config = enroll("T1", &url).ended(0).out;
    place.write("collect.json", &config);
    for (wrong, said) in [("http://collect.example", "use https"), ("collect.example", "https://host:port")] {
        assert!(enroll("T1", wrong).ended(2).err.contains(said));
    }
    // The till sells, and ships while it runs.
    place.zv(&["consume", "--bizId", "T1-000001", "--customerId", MEMBER, "--amount", "23.00"]).ended(0);
    let shipped = place.zv(&["collect", "ship", "--once"]).ended(0).out;
    assert!(shipped.starts_with("1 records shipped"), "{shipped}");
    let mut interval: Value = serde_json::from_str(&config).unwrap();
    interval["interval_s"] = json!(1);
    place.write("fast.json", &interval.to_string());
    let shipping = start(&place, &["collect", "ship", "--collector", "fast.json"]);
    simulator.arm("reset_after", "consume");
    place.zv(&["consume", "--bizId", "T1-000002", "--customerId", MEMBER, "--amount", "1.00"]).ended(4);
    until("the unsettled sale is seen", || day(&place, &[], 0)["unsettled"][0]["biz_id"] == "T1-000002");
    // A second shipper of the same journal does nothing, and says why.
    for second in
        [&["collect", "ship", "--once"][..], &["collect", "ship"], &["collect", "ship", "--from-start"]]
    {
        let refused = place.zv(second).ended(5);
        assert!(refused.err.contains("another zv collect ship runs"), "{refused:?}");
    }
    // The collector is killed and started again on the same port.
    drop(running);
    drop(shipping);
    place.zv(&["collect", "ship", "--once"]).ended(3);
    let shipping = start(&place, &["collect", "ship", "--collector", "fast.json"]);
    let (running, _) = collector(&place, &format!("127.0.0.1:{port}"));
    place
        .zv(&["settle", "--bizId", "T1-000002", "--as", "kept", "--by", "王店长", "--reason", "已核对"])
        .ended(0);
    until("the settled sale is seen", || day(&place, &[], 0)["total"]["sales"]["sum"] == "24.00");
    drop(shipping);
    let report = day(&place, &[], 0);
    assert_eq!(
        (&report["unsettled"], &report["gaps"], &report["differences"]),
        (&json!([]), &json!([]), &json!([]))
    );
    assert_eq!(report["reasons"][0]["en"], "the day is not over", "{report}");
    // A day that is not over is closed only by somebody who accepts that.
    let refused = place.zv(&["collect", "day", "--close", "--by", "王店长"]).ended(1);
    assert!(refused.err.contains("未日结") && refused.out.contains("24.00"), "{refused:?}");
    let mark = report["mark"].as_str().unwrap();
    assert!(refused.err.contains(&format!("--accept {mark}")), "{refused:?}");
    for (more, code) in [(&["--accept", "00000000"][..], 1), (&["--accept"], 2)] {
        place.zv(&[&["collect", "day", "--close", "--by", "王店长"], more].concat()).ended(code);
    }
    let closed = day(&place, &["--close", "--by", "王店长", "--accept", mark], 0);
    assert_eq!((&closed["closed"]["by"], &closed["closed"]["clean"]), (&json!("王店长"), &json!(false)));
    assert!(place.zv(&["collect", "day"]).ended(0).out.contains("王店长"));
    // Enrolled again, the old token is worth nothing.
    enroll("T1", &url).ended(0);
    let refused = place.zv(&["collect", "ship", "--once"]).ended(1);
    assert!(refused.err.contains("the token is not valid"), "{refused:?}");
    drop(running);
}

#[test]
fn what_is_wrong_is_said() {
    let place = Location::new();
    let said = |arguments: &[&str], code: i32| place.zv(arguments).ended(code).err;
    // Only init makes a store: a mistyped one is none.
    for command in [&["collect", "day"][..], &["collect", "serve"], &["collect", "gap"]] {
        let refused = said(&[command, &["--store", "typo.db"]].concat(), 5);
        assert!(
            refused.contains("typo.db: there is no store here; `zv collect init` makes one"),
            "{refused}"
        );
    }
    assert!(!place.folder.join("typo.db").exists());
    place.zv(&["collect", "init"]).ended(0);
    assert!(said(&["collect", "day"], 2).contains("no till is enrolled"));
    let long = "王".repeat(22);
    for by in ["", " ", "a\u{1b}[2J", &long] {
        assert!(said(&["collect", "day", "--close", "--by", by], 2).contains("1 to 64 bytes"), "{by:?}");
    }
    assert!(said(&["collect", "day", "--day", "2026-02-30"], 2).contains("2026-11-22"));
    said(&["collect", "day", "--close"], 2);
    said(&["collect", "init", "--utc-offset", "8"], 2);
    assert!(said(&["collect", "ship"], 2).contains("collect.json"));
    place.write("collect.json", "{\"url\": \"https://h\"}");
    assert!(said(&["collect", "ship"], 2).contains("missing field `token`"));
    assert!(said(&["collect", "serve", "--listen", "0.0.0.0:0"], 5).contains("--cert"));
    said(&["collect", "serve", "--cert", "host.pem"], 2);
    place.write("host.pem", "no certificate");
    place.write("host.key", "no key");
    assert!(said(&["collect", "serve", "--cert", "host.pem", "--key", "host.key"], 5).contains("host."));
    assert!(said(&["collect", "init", "--store", "/nowhere/collect.db"], 5).contains("/nowhere/collect.db"));
}

/// The documented commands write the token, the key and a till's configuration for their owner only, whatever umask the
/// shell has.
#[cfg(unix)]
#[test]
fn documented_commands_keep_secrets_from_others() {
    use std::os::unix::fs::PermissionsExt;
    for page in [include_str!("../../docs/collect.md"), include_str!("../../docs/collect.zh-CN.md")] {
        let place = Location::new();
        fs::create_dir(place.folder.join("target")).unwrap();
        let block = page.split("```sh\n").find(|block| block.contains("collect init"));
        let block = block.unwrap().split("```").next().unwrap();
        let mut shell = place.command("sh");
        let script = format!("umask 022; set -e\n{block}");
        let output = shell.args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{block}{}", String::from_utf8_lossy(&output.stderr));
        for file in ["admin-token", "member.key", "collect.json", "collect.db"] {
            let found = fs::metadata(place.folder.join("target").join(file)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, 0o600, "others may read {file}");
        }
    }
}

/// Another token is no other business day.
#[test]
fn init_again_keeps_what_is_not_given() {
    let place = Location::new();
    let init = |more: &[&str]| {
        let token = place.zv(&[&["collect", "init"], more].concat()).ended(0).out;
        let store = zvpos_collect::store::Location::Sqlite(place.folder.join("collect.db"));
        let days = zvpos_collect::store::Store::open(&store).unwrap().business_days().unwrap();
        (token, days.start_minutes, days.offset_minutes)
    };
    let (first, start, offset) = init(&[]);
    assert_eq!((start, offset), (240, 480), "the defaults of a till");
    let set = init(&["--business-day-start", "06:30", "--utc-offset", "-03:00"]);
    assert_eq!((set.1, set.2), (390, -180));
    let again = init(&[]);
    assert_eq!((again.1, again.2), (390, -180));
    assert!(again.0 != first && again.0 != set.0, "another token");
    let one = init(&["--utc-offset", "+09:00"]);
    assert_eq!((one.1, one.2), (390, 540));
}

fn enrolled(place: &Location, till: &str, port: &str) -> String {
    let url = format!("https://localhost:{port}");
    let arguments = [
        "--chain",
        "demo",
        "--till",
        till,
        "--shop",
        "S01",
        "--url",
        &url,
        "--pem",
        "host.pem",
        "--plain-members",
    ];
    place.zv(&[&["collect", "enroll"][..], &arguments].concat()).ended(0).out
}

/// A till without a journal has nothing to ship yet, and makes none.
#[test]
fn a_fresh_till_tells_that_it_lives_and_makes_nothing() {
    let (simulator, place) = (Simulator::start(), Location::new());
    let journal = place.folder.join("journals/journal.db");
    place.configure(&simulator, &json!({"journal": journal}));
    certificate(&place);
    place.zv(&["collect", "init"]).ended(0);
    let (running, port) = collector(&place, "127.0.0.1:0");
    place.write("collect.json", &enrolled(&place, "T1", &port));
    let report = day(&place, &[], 0);
    assert_eq!(report["silent"][0]["words"]["en"], "was never heard of");
    let nothing = place.zv(&["collect", "ship", "--once"]).ended(0);
    assert!(nothing.out.contains("nothing to ship yet"), "{nothing:?}");
    assert!(!journal.parent().unwrap().exists(), "the journal's folder was made");
    assert_eq!(day(&place, &[], 0)["silent"], json!([]), "it was heard of");
    assert_eq!(place.zv(&["collect", "ship", "--once", "--json"]).ended(0).json()["empty"], true);
    place.zv(&["consume", "--bizId", "T1-000001", "--customerId", MEMBER, "--amount", "1.00"]).ended(0);
    let shipped = place.zv(&["collect", "ship", "--once"]).ended(0).out;
    assert!(shipped.starts_with("1 records shipped"), "{shipped}");
    // What the simulator has taken is in no total.
    let report = day(&place, &[], 0);
    assert_eq!(report["total"]["sales"]["count"], 0);
    let apart = &report["other_environments"][0];
    assert_eq!(
        (&apart["environment"], &apart["sales"]["sum"]),
        (&json!(simulator.gateway.to_string()), &json!("1.00"))
    );
    assert!(
        place
            .zv(&["collect", "day", "--lang", "en"])
            .ended(0)
            .out
            .contains(&format!("({}, in no total)", simulator.gateway))
    );
    drop(running);
}

/// The machine's own journal is looked for, and its folder left alone.
#[cfg(unix)]
#[test]
fn ship_makes_no_folder_for_the_default_journal() {
    let (simulator, place) = (Simulator::start(), Location::new());
    let mut config = place.config(&format!("http://{}/api/v2", simulator.gateway), &json!({}));
    config.as_object_mut().unwrap().remove("journal");
    place.write("zvpos.json", &config.to_string());
    let settings = json!({"url": "https://127.0.0.1:1", "token": "1.x", "plain_members": true});
    place.write("collect.json", &settings.to_string());
    let machine = std::path::Path::new("/var/lib/zvpos");
    if machine.exists() {
        // It would be shipped from; core has the same test in folders of its own.
        return;
    }
    let refused = place.zv(&["collect", "ship", "--once"]).ended(3);
    assert!(refused.err.contains("the collector is not reached"), "{refused:?}");
    assert!(!machine.exists() && !place.folder.join(".zvpos").exists());
}

/// A till that burnt and a gap that was looked at: both are stated by a person, and shown.
#[test]
fn a_person_retires_a_till_and_accepts_a_gap() {
    let (simulator, place) = (Simulator::start(), Location::new());
    place.configure(&simulator, &json!({"environment": "production"}));
    certificate(&place);
    place.zv(&["collect", "init"]).ended(0);
    let (running, port) = collector(&place, "127.0.0.1:0");
    place.write("collect.json", &enrolled(&place, "T1", &port));
    place.write("gone.json", &enrolled(&place, "T2", &port));
    place.zv(&["consume", "--bizId", "T1-000001", "--customerId", MEMBER, "--amount", "1.00"]).ended(0);
    place.zv(&["collect", "ship", "--once"]).ended(0);
    // T2 never ships; T1 gets a new journal.
    for file in fs::read_dir(&place.folder).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("journal.db") {
            let _ = fs::remove_file(file.path());
        }
    }
    place.zv(&["consume", "--bizId", "T1-000002", "--customerId", MEMBER, "--amount", "2.00"]).ended(0);
    place.zv(&["collect", "ship", "--once"]).ended(0);
    let yesterday = |code| day(&place, &["--day", "yesterday"], code);
    let reasons = |report: &Value| {
        let reasons = report["reasons"].as_array().unwrap();
        reasons.iter().map(|words| words["en"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&yesterday(0)), ["1 tills have not shipped all of the day", "1 gaps"]);
    let by = ["--by", "王店长", "--reason", "店里失火，已报废"];
    let retire = |till: &str, more: &[&str], code: i32| {
        place.zv(&[&["collect", "retire", "--till", till][..], &by, more].concat()).ended(code)
    };
    assert!(retire("T9", &[], 2).err.contains("demo has no till T9"));
    assert!(retire("T2", &["--from", "2099-01-01"], 2).err.contains("cannot be retired yet"));
    assert!(retire("T2", &["--from", "yesterday"], 0).out.contains("is not awaited from"));
    assert!(retire("T2", &[], 2).err.contains("is retired"));
    assert!(
        place
            .zv(&["collect", "ship", "--once", "--collector", "gone.json"])
            .ended(1)
            .err
            .contains("not valid")
    );
    let listed = place.zv(&["collect", "gap", "--lang", "en"]).ended(0).out;
    assert!(listed.starts_with("1 S01 T1: the till has another journal than before"), "{listed}");
    let accept = |number: &str, code: i32| {
        place.zv(&[&["collect", "gap", "--lang", "en", "--accept", number][..], &by].concat()).ended(code)
    };
    assert!(accept("7", 2).err.contains("no open gap 7"));
    place.zv(&["collect", "gap", "--accept", "1"]).ended(2);
    assert!(accept("1", 0).out.contains("店里失火，已报废"));
    let report = yesterday(0);
    assert_eq!((&report["clean"], &report["reasons"]), (&json!(true), &json!([])));
    assert_eq!(report["retired"][0]["by"], "王店长");
    assert_eq!(report["accepted_gaps"][0]["accepted"]["reason"], "店里失火，已报废");
    let shown = place.zv(&["collect", "day", "--day", "yesterday", "--lang", "en"]).ended(0).out;
    assert!(shown.contains("retired tills (1)") && shown.contains("gaps that were looked at (1)"), "{shown}");
    place.zv(&["collect", "day", "--day", "yesterday", "--close", "--by", "王店长"]).ended(0);
    // It comes back by enrolling again.
    place.write("gone.json", &enrolled(&place, "T2", &port));
    let foreign =
        place.zv(&["collect", "ship", "--once", "--collector", "gone.json", "--from-start"]).ended(1);
    assert!(foreign.err.contains("this journal is that of till T1"), "{foreign:?}");
    drop(running);
}
