//! The C interface of the shared library, called from C as a till does it: a minimal call, a request that is refused
//! at once, and texts in the host's charset.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use criterion::Criterion;

/// The running C program; it ends with its input.
struct Host {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Host {
    fn start(program: &Path, config: &Path, what: &str) -> Host {
        let mut command = Command::new(program);
        command.arg(config).arg(what).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Host { input: child.stdin.take(), child, output }
    }

    /// The total duration of `count` calls, by the program's own clock.
    fn calls(&mut self, count: u64) -> Duration {
        writeln!(self.input.as_mut().unwrap(), "{count}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        Duration::from_nanos(line.trim().parse().unwrap())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }
}

pub(crate) fn boundary(c: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("zvpos-bench-boundary-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let program = compiled(&folder);
    for (name, charset, what) in [
        ("C boundary: zv_version", "utf-8", "version"),
        ("C boundary: a refused quote", "utf-8", "refused"),
        ("1,000 Chinese characters in, UTF-8", "utf-8", "find"),
        ("1,000 Chinese characters in, GBK", "gbk", "find"),
        ("1,000 Chinese characters in and out, UTF-8", "utf-8", "take"),
        ("1,000 Chinese characters in and out, GBK", "gbk", "take"),
    ] {
        let mut host = Host::start(&program, &config(&folder, charset), what);
        c.bench_function(name, |b| b.iter_custom(|count| host.calls(count)));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn compiled(folder: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let library = root.join("target/release");
    assert!(library.join("libzvpos.so").exists(), "the library is missing: make library");
    let program = folder.join("boundary");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-I"]).arg(root.join("include"));
    cc.arg(root.join("benches/peers/boundary.c")).arg("-o").arg(&program);
    cc.arg("-L").arg(&library).arg(format!("-Wl,-rpath,{}", library.display())).arg("-lzvpos");
    assert!(cc.status().unwrap().success(), "boundary.c does not compile");
    program
}

/// Nothing is sent: no server listens at this address.
fn config(folder: &Path, charset: &str) -> PathBuf {
    let config = serde_json::json!({
        "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
        "openKey": "fake-open-key-for-test-only-0001", "endpoint": "http://127.0.0.1:9/api/v2",
        "journal": folder.join(format!("{charset}.db")), "charset": charset,
    });
    let path = folder.join(format!("{charset}.json"));
    std::fs::write(&path, config.to_string()).unwrap();
    path
}
