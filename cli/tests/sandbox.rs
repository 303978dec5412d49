//! `zv sandbox`: it prints its addresses, needs no configuration, and exits on request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::Read;
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{FIVE_OFF, Location, MEMBER, Simulator, until};

#[test]
fn from_start_to_the_first_answered_quote_in_five_seconds_without_configuration() {
    let place = Location::new();
    let since = Instant::now();
    let simulator = Simulator::start();
    let listens = since.elapsed();
    let item = "201909280011111,2,13.50";
    let url = simulator.url();
    let quote =
        ["quote", "--user_id", MEMBER, "--user_coupon_id", FIVE_OFF, "--item", item, "--sandbox", &url];
    place.zv(&quote).ended(0).shows(&["data.coupon_discount"]);
    let answered = since.elapsed();
    println!("it listens after {listens:?}, and the first quote is answered after {answered:?}");
    assert!(answered < Duration::from_secs(5), "{answered:?}");
}

#[test]
fn its_configuration_can_be_pasted() {
    let (mut simulator, place) = (Simulator::with(&["--exit-with-stdin"]), Location::new());
    drop(simulator.child.stdin.take());
    let mut said = String::new();
    simulator.rest.read_to_string(&mut said).unwrap();
    assert!(said.contains(&format!("inspector http://{}/", simulator.admin)), "{said}");
    let (from, to) = (said.find("\n{").unwrap(), said.find("\n}").unwrap());
    let again = Simulator::start();
    let config = said[from..to + 2].replace(&simulator.gateway.to_string(), &again.gateway.to_string());
    // The printed journal is in the working directory of the simulator, where a test must not write it.
    let there = std::env::current_dir().unwrap().join("sandbox.db");
    let here = place.folder.join("sandbox.db");
    assert!(config.contains(there.to_str().unwrap()), "{config}");
    let config = config.replace(there.to_str().unwrap(), here.to_str().unwrap());
    place.write("zvpos.json", &config);
    place.zv(&["consume", "--bizId", "T1", "--customerId", MEMBER, "--amount", "1.00"]).ended(0);
    place.zv(&["reverse", "--bizId", "T1"]).ended(6);
    assert!(here.is_file());
    let line = said.lines().find(|line| line.contains("zv call")).unwrap();
    let line = line.replace(&simulator.gateway.to_string(), &again.gateway.to_string());
    assert!(place.command("bash").args(["-c", &line]).status().unwrap().success(), "{line}");
}

fn ended(child: &mut Child) {
    let mut status = None;
    until("its end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.unwrap().success());
}

#[test]
fn says_where_it_listens_and_ends_with_stdin() {
    let place = Location::new();
    let port_file = place.folder.join("ports.json");
    let mut simulator = Simulator::with(&["--exit-with-stdin", "--port-file", port_file.to_str().unwrap()]);
    let urls: Value = serde_json::from_str(&std::fs::read_to_string(&port_file).unwrap()).unwrap();
    assert_eq!(urls, json!({"gateway": simulator.url(), "admin": format!("http://{}", simulator.admin)}));
    assert_eq!(simulator.admin("GET", "/health", &Value::Null), json!({"ok": true}));
    // An open connection does not keep it from exiting.
    let _open = TcpStream::connect(simulator.gateway).unwrap();
    drop(simulator.child.stdin.take());
    ended(&mut simulator.child);
}

#[test]
fn an_address_in_use_is_named() {
    let (busy, place) = (Simulator::start(), Location::new());
    let (gateway, admin) = (busy.gateway.to_string(), busy.admin.to_string());
    let refused = |listen: &str, admin: &str, says: &[&str]| {
        place.zv(&["sandbox", "--listen", listen, "--admin", admin]).ended(5).complains(says)
    };
    let said = refused(&gateway, "127.0.0.1:0", &[&format!("cannot listen on {gateway}: "), "(--listen)"]);
    let said = said.complains(&["another `zv sandbox`", "`--listen 127.0.0.1:0` takes any free port"]);
    assert!(!said.err.contains("--admin"), "{said:?}");
    refused("127.0.0.1:0", &admin, &[&format!("cannot listen on {admin}: "), "`--admin 127.0.0.1:0`"]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).unwrap().to_string();
    refused(&free, &free, &["must not be the same address"]);
}

#[cfg(unix)]
#[test]
fn ends_on_signals_and_not_with_stdin_unasked() {
    for signal in ["-TERM", "-INT"] {
        let mut simulator = Simulator::start();
        drop(simulator.child.stdin.take());
        std::thread::sleep(Duration::from_millis(200));
        assert!(simulator.child.try_wait().unwrap().is_none(), "it ended with stdin");
        let pid = simulator.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        ended(&mut simulator.child);
    }
}

#[test]
fn tables_and_wrong_options() {
    let place = Location::new();
    place.zv(&["sandbox", "--faults"]).ended(0).shows(&["reset_after", "扣款后连接被重置"]);
    assert!(place.zv(&["sandbox", "--data-example"]).ended(0).json()["members"].is_array());
    place.write("data.json", r#"{"accounts": [], "members": [], "coupon": []}"#);
    place.write("policy.json", r#"{"surprise": 1}"#);
    for (arguments, code, part) in [
        (vec!["--lisen"], 2, "'--lisen'"),
        (vec!["--listen"], 2, "--listen <ADDRESS>"),
        (vec!["--listen", "8080"], 2, "an address is like 127.0.0.1:8080"),
        (vec!["--data", "/no/such/file"], 2, "cannot read /no/such/file"),
        (vec!["--data", "data.json"], 2, "data.json: unknown field `coupon`"),
        (vec!["--policy", "policy.json"], 2, "policy.json: "),
        (vec!["--quiet=1"], 2, "--quiet"),
        (vec!["--listen", "192.0.2.1:1"], 5, "cannot listen on 192.0.2.1:1"),
    ] {
        place.zv(&[&["sandbox"], &arguments[..]].concat()).ended(code).complains(&[part]);
    }
}

#[test]
fn takes_chaos_and_prints_the_whole_table_of_faults() {
    let place = Location::new();
    place.zv(&["sandbox", "--chaos", "seed=7,lost_anser=0.1"]).ended(2).complains(&["lost_answer"]);
    let table = place.zv(&["sandbox", "--faults"]).ended(0).out;
    for fault in zvpos_sandbox::faults::Fault::ALL {
        let row = fault.row();
        for part in [row.name, row.en, row.zh, row.till_sees] {
            assert!(table.contains(part), "{part}");
        }
        assert_eq!(table.contains(row.amount), !fault.is_in_handshake(), "{}", row.name);
    }
    assert!(table.contains("lost_answer = reset_after") && table.contains("no-such-host.invalid"));
}
