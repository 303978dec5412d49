//! A raw HTTP client over one TCP connection, and a sandbox for it. It retries nothing and hides nothing.
// Each test file uses a part of this module.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::needless_pass_by_value)]

#[path = "../../../tests/support/until.rs"]
mod until;

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use zvpos_sandbox::{
    rules::{Policy, Seed, token},
    server::{Options, Server},
};

pub use until::until;

pub const RICH: &str = "383933091455959041";

/// How reading from a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// In order.
    Closed,
    /// By a reset.
    Reset,
    /// Nothing arrived within the wait.
    Silent,
}

pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
        Some(line[name.len() + 1..].trim())
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    pub fn send(&mut self, method: &str, path: &str, body: &str) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.raw(request.as_bytes());
    }

    /// Sends a request whose header selects a fault.
    pub fn send_asking(&mut self, fault: &str, body: &str) {
        let head = format!("POST /api/v2 HTTP/1.1\r\nX-Zv-Fault: {fault}\r\nContent-Length: {}", body.len());
        self.raw(format!("{head}\r\n\r\n{body}").as_bytes());
    }

    /// Everything until the connection ends or goes silent, and how it ended.
    pub fn rest(&mut self, wait_ms: u64) -> (String, End) {
        let end = self.fill(wait_ms, |_| false).unwrap_err();
        (String::from_utf8_lossy(&std::mem::take(&mut self.received)).into_owned(), end)
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads until there is enough, or returns how the connection ended; `wait_ms` applies to each read.
    fn fill(&mut self, wait_ms: u64, enough: impl Fn(&[u8]) -> bool) -> Result<(), End> {
        self.stream.set_read_timeout(Some(Duration::from_millis(wait_ms))).unwrap();
        let mut buffer = [0; 4096];
        while !enough(&self.received) {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(End::Closed),
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(End::Silent);
                }
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(End::Reset),
                Err(error) => panic!("{error}"),
            }
        }
        Ok(())
    }

    /// The next complete answer, or how the connection ended instead.
    pub fn answer(&mut self, wait_ms: u64) -> Result<Heard, End> {
        let head_end = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        self.fill(wait_ms, |bytes| head_end(bytes).is_some())?;
        let head_length = head_end(&self.received).unwrap();
        let head = String::from_utf8(self.received[..head_length].to_vec()).unwrap();
        let mut answer = Heard { status: head[9..12].parse().unwrap(), head, body: String::new() };
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        self.fill(wait_ms, |bytes| bytes.len() >= head_length + length)?;
        let rest = self.received.split_off(head_length + length);
        answer.body = String::from_utf8(self.received.split_off(head_length)).unwrap();
        self.received = rest;
        Ok(answer)
    }

    /// The bytes received after the answers that were read.
    pub fn left(&self) -> &[u8] {
        &self.received
    }
}

pub struct Sandbox {
    pub server: Server,
    nonce: AtomicU64,
}

impl Sandbox {
    pub fn start() -> Self {
        Self::with(Policy::default())
    }

    pub fn with(policy: Policy) -> Self {
        let seed = Arc::new(Seed::parse(Seed::DEFAULT_JSON).unwrap());
        let (listen, admin) = ("127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap());
        let server =
            Server::start(Options { listen, admin, seed, policy, chaos: None, quiet: true }).unwrap();
        Self { server, nonce: AtomicU64::new(1) }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.server.gateway).unwrap()
    }

    /// A signed V2 body.
    pub fn body(&self, action: &str, params: Value) -> String {
        signed(self.nonce.fetch_add(1, Ordering::Relaxed), action, params)
    }

    /// A signed consume of 1.00.
    pub fn consume(&self, biz_id: &str) -> String {
        self.body("communal.user.consume", json!({"bizId": biz_id, "customerId": RICH, "amount": "1.00"}))
    }

    /// Sends a consume of 1.00 on a new connection.
    pub fn sent(&self, biz_id: &str) -> Client {
        let mut client = self.client();
        client.send("POST", "/api/v2", &self.consume(biz_id));
        client
    }

    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        admin(self.server.admin, method, path, body)
    }

    pub fn net(&self, biz_id: &str) -> i64 {
        self.admin("GET", &format!("/ledger?bizId={biz_id}"), &Value::Null)["net"].as_i64().unwrap()
    }
}

pub fn signed(nonce: u64, action: &str, params: Value) -> String {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (open_id, grant_code) = ("fake-open-id-for-test-only-0001", "fake-grant-code-0001");
    let text = format!("grantCode={grant_code}&nonce={nonce}&openId={open_id}&timestamp={timestamp}");
    json!({
        "OpenId": open_id, "GrantCode": grant_code, "Timestamp": timestamp.to_string(), "Nonce": nonce.to_string(),
        "Token": token("fake-open-key-for-test-only-0001", &text), "Action": action, "Params": params,
    })
    .to_string()
}

pub fn admin(address: SocketAddr, method: &str, path: &str, body: &Value) -> Value {
    let mut client = Client::connect(address).unwrap();
    client.send(method, path, &if body.is_null() { String::new() } else { body.to_string() });
    client.answer(5000).unwrap().json()
}
