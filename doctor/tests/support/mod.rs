//! Shared by the tests of the doctor: a simulator, a till's configuration, and access to the lines.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

#[path = "../../../tests/support/own_folder.rs"]
mod own_folder;
#[path = "../../../tests/support/tls.rs"]
mod tls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use zvpos_core::api::Library;
use zvpos_doctor::{CHECKS, Line, Options, Report, Status, examine};
use zvpos_sandbox::rules::{Policy, Seed};
use zvpos_sandbox::server::{Options as ServerOptions, Server, ask};

use tls::Tls;

pub const MEMBER: &str = "383933091455959041";

/// A new folder for one caller.
pub fn own_folder() -> PathBuf {
    own_folder::own_folder(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// The simulator, in this process.
pub fn simulator(policy: Policy) -> Server {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let seed = Arc::new(Seed::parse(Seed::DEFAULT_JSON).unwrap());
    Server::start(ServerOptions { listen: any, admin: any, seed, policy, chaos: None, quiet: true }).unwrap()
}

pub fn url(server: &Server) -> String {
    format!("http://{}/api/v2", server.gateway)
}

/// One request to the simulator's admin port.
pub fn admin(server: &Server, method: &str, path: &str, body: &Value) -> Value {
    ask(server.admin, method, path, body).unwrap()
}

/// A configuration: the simulator's credentials, this endpoint, a journal in this folder, and these additional keys.
pub fn config(endpoint: &str, folder: &Path, more: Value) -> Value {
    let mut config = json!({
        "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
        "openKey": "fake-open-key-for-test-only-0001", "endpoint": endpoint,
        "journal": folder.join("journal.db"), "timeouts_ms": {"connect": 500, "total": 1000}, "background": false,
    });
    let Value::Object(more) = more else { panic!("an object") };
    config.as_object_mut().unwrap().extend(more);
    config
}

/// Options that keep the second witness out of the user's home.
pub fn options(config: &Value, folder: &Path) -> Options {
    Options { witness: Some(folder.join("second")), ..Options::new(config.to_string()) }
}

pub fn report(config: &Value, folder: &Path) -> Report {
    run(&options(config, folder))
}

/// Runs the doctor, receives each line as it is found, and checks that a line with a problem has a remedy.
pub fn run(options: &Options) -> Report {
    let mut heard = Vec::new();
    let report = examine(options, &mut |line| heard.push(line.clone()));
    assert_eq!(heard, report.lines);
    for line in &report.lines {
        assert!(CHECKS.contains(&line.check), "{line:?}");
        assert!(line.status == Status::Ok || line.remedy.is_some(), "{line:?}");
        assert!(!line.found.zh.is_empty() && !line.found.en.is_empty(), "{line:?}");
    }
    report
}

/// The one line of this check.
pub fn line<'r>(report: &'r Report, check: &str) -> &'r Line {
    let lines: Vec<&Line> = report.lines.iter().filter(|line| line.check == check).collect();
    assert_eq!(lines.len(), 1, "{check}: {report:#?}");
    lines[0]
}

pub fn remedy(line: &Line) -> &str {
    &line.remedy.as_ref().unwrap_or_else(|| panic!("no remedy: {line:?}")).en
}

/// A till with this configuration, which has made its journal.
pub fn till(config: &Value) -> Library {
    Library::start(&config.to_string(), Vec::new(), false, None)
        .unwrap_or_else(|answer| panic!("{}", answer.to_json()))
}

/// Compiles the shim that makes flushes take as long as a test wants.
pub fn flush_shim(folder: &Path) -> PathBuf {
    let shim = folder.join("flush.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/flush.c");
    let built = Command::new("cc")
        .args(["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
        .args([&shim, &source])
        .status()
        .expect("cc: install gcc");
    assert!(built.success());
    shim
}

/// A CA of this name and a certificate signed by it, valid for this many days; see [`tls::certificate`].
pub fn certificate(ca: &str, alternative_name: &str, days: i32) -> PathBuf {
    tls::certificate(own_folder(), ca, alternative_name, days)
}

/// A TLS server in front of `target`.
pub fn in_front_of(target: SocketAddr, certificate: &Path) -> Tls {
    let proxy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tls_proxy.py");
    Tls::start(&proxy, certificate, &target.to_string())
}
