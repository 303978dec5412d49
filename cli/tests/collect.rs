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
    place.configure(&simulator, &json!({"on_unknown": "hold"}));
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
    let closed = day(&place, &["--close", "--by", "王店长", "--accept"], 0);
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
    assert!(said(&["collect", "day"], 2).contains("no till is enrolled"));
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
