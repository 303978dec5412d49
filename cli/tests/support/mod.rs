//! Runs the real `zv` against a real simulator, which is `zv sandbox`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, reason = "each test uses its part")]

#[path = "../../../tests/support/until.rs"]
mod until;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use zvpos_sandbox::server::ask;

pub use until::until;

/// Has a recharge balance of 900,000.00 and a gift balance of 100,000.00.
pub const MEMBER: &str = "383933091455959041";
/// Has a balance of 8.50.
pub const POOR_MEMBER: &str = "383933091455959042";
/// A coupon of `MEMBER`: 5 元 off, any number of times.
pub const FIVE_OFF: &str = "390962138708451328";

/// A test's own folder: the working directory, and an empty home of the user.
pub struct Location {
    pub folder: PathBuf,
}

impl Location {
    pub fn new() -> Location {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("zv-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Left over from an earlier process with the same id.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Location { folder }
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes `zvpos.json`: the configuration of a till at this simulator, with these additional keys.
    pub fn configure(&self, simulator: &Simulator, more: &Value) {
        self.write(
            "zvpos.json",
            &self.config(&format!("http://{}/api/v2", simulator.gateway), more).to_string(),
        );
    }

    pub fn config(&self, endpoint: &str, more: &Value) -> Value {
        let mut config = json!({
            "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
            "openKey": "fake-open-key-for-test-only-0001", "endpoint": endpoint, "guard": "off",
            "journal": self.folder.join("journal.db"), "late_arrival_ms": 300,
            "routes": {"reverse": {"action": "sandbox.consume-reverse",
                "codes": {"already": ["920002"], "not_found": ["920001"]}}},
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    }

    /// A command that cannot see the files and settings of the user who runs the tests.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_clear().stdin(Stdio::null());
        command.env("HOME", &self.folder).env("TERM", "xterm").env("LANG", "C.UTF-8");
        let own = Path::new(env!("CARGO_BIN_EXE_zv")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(own.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).unwrap());
        command
    }

    pub fn zv<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_zv"));
        Output::of(command.args(arguments))
    }

    pub fn with_stdin<S: AsRef<OsStr>>(&self, arguments: &[S], stdin: &str) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_zv"));
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its options may end before it reads.
        match child.stdin.take().unwrap().write_all(stdin.as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            written => written.unwrap(),
        }
        Output::from(&child.wait_with_output().unwrap())
    }
}

impl Drop for Location {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The exit code and the output of a program.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Output {
    pub fn of(command: &mut Command) -> Output {
        Output::from(&command.output().unwrap())
    }

    fn from(output: &std::process::Output) -> Output {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Output { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Panics with the whole output if the exit code differs.
    pub fn ended(self, code: i32) -> Output {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Panics if stdout does not contain each of these.
    pub fn shows(self, parts: &[&str]) -> Output {
        for part in parts {
            assert!(self.out.contains(part), "{part:?} is not in\n{}{}", self.out, self.err);
        }
        self
    }

    /// Panics if stderr does not contain each of these.
    pub fn complains(self, parts: &[&str]) -> Output {
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in\n{}{}", self.out, self.err);
        }
        self
    }

    /// The whole of stdout as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A running `zv sandbox`; ends when it is dropped.
pub struct Simulator {
    pub child: Child,
    pub gateway: SocketAddr,
    pub admin: SocketAddr,
    /// Its standard output after the lines with the two addresses.
    pub rest: BufReader<ChildStdout>,
}

impl Simulator {
    pub fn start() -> Simulator {
        Simulator::with(&[])
    }

    pub fn with(arguments: &[&str]) -> Simulator {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zv"));
        command
            .args(["sandbox", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--quiet"])
            .args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut address = |name: &str| {
            let mut line = String::new();
            rest.read_line(&mut line).unwrap();
            let url = line.trim_end().strip_prefix(&format!("{name} http://"));
            url.unwrap_or_else(|| panic!("{line:?} is not the {name}")).parse().unwrap()
        };
        let (gateway, admin) = (address("gateway"), address("admin"));
        Simulator { child, gateway, admin, rest }
    }

    /// The value of `--sandbox`.
    pub fn url(&self) -> String {
        format!("http://{}", self.gateway)
    }

    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        ask(self.admin, method, path, body).unwrap()
    }

    /// Arms a fault for the next request of an operation.
    pub fn arm(&self, fault: &str, operation: &str) {
        let answer =
            self.admin("POST", "/faults", &json!({"fault": fault, "operation": operation, "times": 1}));
        assert!(answer["error"].is_null(), "{answer}");
    }

    /// The number of deductions in force at the gateway for a bizId.
    pub fn net(&self, biz_id: &str) -> i64 {
        self.admin("GET", &format!("/ledger?bizId={biz_id}"), &Value::Null)["net"].as_i64().unwrap()
    }

    pub fn requests(&self) -> u64 {
        self.admin("GET", "/counters", &Value::Null)["requests"].as_u64().unwrap()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
