//! A server that a test scripts for each connection, byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A received request.
#[derive(Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
}

impl Request {
    /// Reads one request; `None` if the peer has closed.
    pub fn read(stream: &mut TcpStream) -> Option<Request> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
                });
                let whole = end + 4 + length.unwrap_or(0);
                if bytes.len() >= whole {
                    let body = String::from_utf8_lossy(&bytes[end + 4..whole]).into_owned();
                    return Some(Request { head, body });
                }
            }
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

/// A server on a free local port; ends on drop.
pub struct Scripted {
    pub address: SocketAddr,
    connections: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl Scripted {
    /// `script` receives each connection on a separate thread; the connection is closed when it returns.
    pub fn start(script: impl Fn(TcpStream) + Send + Sync + 'static) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let script = Arc::new(script);
        let (count, end) = (Arc::clone(&connections), Arc::clone(&ended));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                count.fetch_add(1, Ordering::Relaxed);
                let script = Arc::clone(&script);
                // No script waits longer than this for a peer that has gone.
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                stream.set_nodelay(true).unwrap();
                std::thread::spawn(move || script(stream));
            }
        });
        Scripted { address, connections, ended }
    }

    /// A server that reads each request and sends the result of `answer`.
    pub fn answering(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Scripted {
        Scripted::start(move |mut stream| {
            while let Some(request) = Request::read(&mut stream) {
                if stream.write_all(&answer(&request)).is_err() {
                    return;
                }
            }
        })
    }

    /// A server that reads each request, runs `then` on the connection, and closes it.
    pub fn then(then: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Scripted {
        Scripted::start(move |mut stream| {
            if Request::read(&mut stream).is_some() {
                then(&mut stream);
            }
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}/api/v2", self.address)
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener; if it cannot be reached it has ended.
        let _ = TcpStream::connect(self.address);
    }
}

/// A complete HTTP 200 with this body.
pub fn gateway_answer(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
