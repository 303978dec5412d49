//! Journals as tills write them, collectors with certificates, and a network that breaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses its part")]

pub mod chain;
pub mod network;
#[path = "../../../tests/support/own_folder.rs"]
mod own_folder;
pub mod proxy;
pub mod tills;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use zvpos_collect::serve::{Options, Server};
use zvpos_collect::store::{Location, Store};

/// A test's own folder, removed at its end unless the test has failed.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("collect-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn store(&self) -> Location {
        Location::Sqlite(self.0.join("collect.db"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let output = command.current_dir(folder).args(arguments.split(' ')).output();
    let output = output.expect("openssl: apt-get install openssl");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A CA and a certificate for `localhost` signed by it, made once: `ca.pem`, `host.pem`, `host.key`.
pub fn certificates() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = own_folder();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&folder, &format!("req -x509 {key} -days 30 -subj /CN=test-ca -keyout ca.key -out ca.pem"));
        openssl(&folder, &format!("req {key} -subj /CN=test-host -keyout host.key -out host.csr"));
        fs::write(folder.join("extensions"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
        let signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out host.pem";
        openssl(&folder, &format!("x509 -req -in host.csr -days 30 {signed}"));
        folder
    })
}

pub fn options(store: Location) -> Options {
    let tls = certificates();
    Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: Some((tls.join("host.pem"), tls.join("host.key"))),
        store,
        connections: 64,
        silent_after: Duration::from_mins(10),
    }
}

pub fn collector(folder: &Folder) -> Server {
    store(folder);
    Server::start(&options(folder.store())).unwrap()
}

pub fn store(folder: &Folder) -> Store {
    Store::make(&folder.store()).unwrap()
}

/// The configuration of a till that ships to that address.
pub fn settings(address: SocketAddr, token: &str) -> zvpos_collect::ship::Settings {
    let text = serde_json::json!({
        "url": format!("https://localhost:{}", address.port()), "token": token,
        "pem": certificates().join("ca.pem"), "member_key": "a key of the whole chain",
    });
    zvpos_collect::ship::Settings::read(&text.to_string()).unwrap()
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A folder that the next process removes: a certificate, a browser's profile.
pub fn own_folder() -> PathBuf {
    own_folder::own_folder(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("collect"))
}

pub const NOON: i64 = 1_795_320_000_000;

pub fn now_ms() -> i64 {
    zvpos_core::clock::machine_unix_ms()
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
