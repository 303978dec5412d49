//! The real `zv` against a real simulator, which is `zv sandbox` itself.
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

/// Has 900,000.00 recharged and 100,000.00 given.
pub const MEMBER: &str = "383933091455959041";
/// Has 8.50.
pub const POOR_MEMBER: &str = "383933091455959042";
/// `MEMBER`'s, 5 元 off, as often as wanted.
pub const FIVE_OFF: &str = "390962138708451328";

/// A folder of a test's own: its working directory, and its user's home with nothing in it.
pub struct Location {
    pub folder: PathBuf,
}

impl Location {
    pub fn new() -> Location {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("zv-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // A process of the same number may have been here before.
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

    /// The configuration of a till at this simulator, with these keys on top, as `zvpos.json`.
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

    /// A command that finds nothing of the person's who runs the tests.
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

    pub fn zv<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Said {
        let mut command = self.command(env!("CARGO_BIN_EXE_zv"));
        Said::of(command.args(arguments))
    }

    pub fn with_stdin<S: AsRef<OsStr>>(&self, arguments: &[S], stdin: &str) -> Said {
        let mut command = self.command(env!("CARGO_BIN_EXE_zv"));
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        Said::from(&child.wait_with_output().unwrap())
    }
}

impl Drop for Location {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// How a program ended, and what it wrote.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(command: &mut Command) -> Said {
        Said::from(&command.output().unwrap())
    }

    fn from(output: &std::process::Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Panics with everything if it ended otherwise.
    pub fn ended(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Panics if one of these is not in what it wrote to stdout.
    pub fn shows(self, parts: &[&str]) -> Said {
        for part in parts {
            assert!(self.out.contains(part), "{part:?} is not in\n{}{}", self.out, self.err);
        }
        self
    }

    /// Panics if one of these is not in what it wrote to stderr.
    pub fn complains(self, parts: &[&str]) -> Said {
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in\n{}{}", self.out, self.err);
        }
        self
    }

    /// All of stdout as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A running `zv sandbox`; ends when it is dropped.
pub struct Simulator {
    pub child: Child,
    pub gateway: SocketAddr,
    pub admin: SocketAddr,
    /// Its standard output after the lines that name the two.
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

    /// For `--sandbox`.
    pub fn url(&self) -> String {
        format!("http://{}", self.gateway)
    }

    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        ask(self.admin, method, path, body).unwrap()
    }

    /// Lets a fault wait for the next request of an operation.
    pub fn arm(&self, fault: &str, operation: &str) {
        let answer =
            self.admin("POST", "/faults", &json!({"fault": fault, "operation": operation, "times": 1}));
        assert!(answer["error"].is_null(), "{answer}");
    }

    /// What stands of a bizId at the gateway: 1 for one deduction.
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
