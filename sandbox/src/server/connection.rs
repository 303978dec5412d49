//! One connection: reads requests and plays scripts, down to single bytes and resets.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc::UnboundedSender, oneshot},
    time::sleep,
};

use crate::faults::Step;

use super::port::Command;

const HEAD_MAX: usize = 16 * 1024;
const BODY_MAX: usize = 1024 * 1024;

/// A request as received.
#[derive(Clone, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// Pairs of a lower-case name and a value.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) keep_alive: bool,
    /// The fault that its header selects.
    pub(super) fault: Option<String>,
}

impl Request {
    /// Whether it is a GET of this path, with any query.
    pub(super) fn is_get(&self, path: &str) -> bool {
        self.method == "GET" && self.target.split('?').next() == Some(path)
    }

    /// The value of the first header with this lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Why a request could not be read.
pub(super) enum Unreadable {
    /// The connection has ended, in order or by a reset.
    Gone,
    /// The start of a TLS connection instead of HTTP.
    Handshake,
    /// Given up after the number of bytes that the caller set.
    CutOff,
    /// Not HTTP that this server supports: the status and the message of the answer.
    Bad(u16, String),
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives it a value")]
fn bad(why: impl ToString) -> Unreadable {
    Unreadable::Bad(400, why.to_string())
}

pub(super) struct Connection {
    stream: TcpStream,
    /// Bytes received and not used yet.
    received: Vec<u8>,
    /// The next answer is the last one.
    last: bool,
    /// Whether the connection was closed in order; otherwise dropping it resets it.
    in_order: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.in_order {
            // A close with SO_LINGER 0 is a reset. If the option cannot be set, the close is an ordinary one.
            let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Best effort: without it answers are only slower.
        let _ = stream.set_nodelay(true);
        Self { stream, received: Vec::new(), last: true, in_order: false }
    }

    /// Closes the connection in order.
    pub(super) async fn close(mut self) {
        self.in_order = true;
        let _ = self.stream.shutdown().await;
    }

    async fn more(&mut self) -> Result<(), Unreadable> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(Unreadable::Gone),
            _ => Ok(()),
        }
    }

    /// Removes the first bytes from the buffer, waiting until it has that many.
    async fn take(&mut self, count: usize) -> Result<Vec<u8>, Unreadable> {
        while self.received.len() < count {
            self.more().await?;
        }
        let rest = self.received.split_off(count);
        Ok(std::mem::replace(&mut self.received, rest))
    }

    /// A line without its CR LF.
    async fn line(&mut self) -> Result<String, Unreadable> {
        loop {
            if let Some(at) = self.received.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(at).await?;
                self.take(2).await?;
                return String::from_utf8(line).map_err(bad);
            }
            if self.received.len() > HEAD_MAX {
                return Err(bad("a line without an end"));
            }
            self.more().await?;
        }
    }

    /// The next request on the connection. `cut_at` receives it without its body, and returns after how many bytes to
    /// give it up, if at all.
    pub(super) async fn request(
        &mut self,
        cut_at: impl Fn(&Request) -> Option<u64>,
    ) -> Result<Request, Unreadable> {
        self.last = true;
        loop {
            // The record type that starts every TLS connection; no HTTP method starts with this byte.
            if self.received.first() == Some(&22) {
                return Err(Unreadable::Handshake);
            }
            if let Some((length, head)) = parse_head(&self.received)? {
                let Head { method, target, headers, keep_alive, fault, content_length, .. } = head;
                let mut request = Request { method, target, headers, body: Vec::new(), keep_alive, fault };
                if let Some(count) = cut_at(&request) {
                    let whole = length.saturating_add(content_length);
                    self.take(usize::try_from(count).unwrap_or(usize::MAX).min(whole)).await?;
                    return Err(Unreadable::CutOff);
                }
                self.take(length).await?;
                if head.expects_continue {
                    self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                }
                request.body =
                    if head.chunked { self.chunks().await? } else { self.take(content_length).await? };
                self.last = !request.keep_alive;
                return Ok(request);
            }
            if self.received.len() > HEAD_MAX {
                return Err(bad("the head of the request is too long"));
            }
            self.more().await?;
        }
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, Unreadable> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(bad)?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            if size.saturating_add(body.len()) > BODY_MAX {
                return Err(too_large());
            }
            body.extend(self.take(size).await?);
            self.take(2).await?;
        }
    }

    /// Sends bytes of an answer. The last answer has `Connection: close`: some clients would send their next request
    /// here.
    pub(super) async fn send(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        if self.last
            && bytes.starts_with(b"HTTP/")
            && let Some(at) = bytes.windows(2).position(|pair| pair == b"\r\n")
        {
            bytes.splice(at..at, *b"\r\nConnection: close");
        }
        self.stream.write_all(&bytes).await
    }

    /// Waits until the peer has closed the connection, and discards further bytes.
    pub(super) async fn gone(&mut self) {
        let mut ignored = [0; 1024];
        while self.stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
    }

    /// Limits how many unread bytes the system buffers for the peer.
    pub(super) fn keep_little(&self, bytes: usize) {
        // Best effort: the system's own limit is larger, but finite.
        let _ = socket2::SockRef::from(&self.stream).set_send_buffer_size(bytes);
    }

    /// Plays a script. Returns false once the connection has ended.
    pub(super) async fn play(
        &mut self,
        steps: Vec<Step>,
        port: &UnboundedSender<Command>,
    ) -> io::Result<bool> {
        for step in steps {
            match step {
                Step::Send(bytes) => self.send(bytes).await?,
                Step::Trickle(bytes, ms) => {
                    for byte in bytes {
                        self.stream.write_all(&[byte]).await?;
                        sleep(Duration::from_millis(ms)).await;
                    }
                }
                Step::WaitMs(ms) => sleep(Duration::from_millis(ms)).await,
                Step::Hang => {
                    let mut ignored = Vec::with_capacity(1024);
                    while self.stream.read_buf(&mut ignored).await? > 0 {
                        ignored.clear();
                    }
                    self.in_order = true;
                    return Ok(false);
                }
                Step::Reset => return Ok(false),
                Step::Close => {
                    self.in_order = true;
                    self.stream.shutdown().await?;
                    return Ok(false);
                }
                Step::ResetOnNext => {
                    let mut ignored = Vec::with_capacity(1);
                    self.in_order = self.stream.read_buf(&mut ignored).await? == 0;
                    return Ok(false);
                }
                Step::Block(how, ms) => {
                    let (done, closed) = oneshot::channel();
                    // The receiver is gone only during shutdown; the port is then closed anyway.
                    let _ = port.send(Command::Block { how, ms, done: Some(done) });
                    // The block resets this connection, too, which ends the wait.
                    let _ = closed.await;
                }
            }
        }
        Ok(true)
    }
}

struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    content_length: usize,
    chunked: bool,
    keep_alive: bool,
    expects_continue: bool,
    fault: Option<String>,
}

fn too_large() -> Unreadable {
    Unreadable::Bad(413, format!("a body has at most {BODY_MAX} bytes"))
}

/// The head and its length, or `None` while it is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Head)>, Unreadable> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(bytes).map_err(bad)? else { return Ok(None) };
    let mut head = Head {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: Vec::new(),
        content_length: 0,
        chunked: false,
        keep_alive: parsed.version == Some(1),
        expects_continue: false,
        fault: None,
    };
    for header in parsed.headers.iter() {
        let sent = String::from_utf8_lossy(header.value).trim().to_owned();
        let (name, value) = (header.name.to_ascii_lowercase(), sent.to_ascii_lowercase());
        match name.as_str() {
            "content-length" => head.content_length = value.parse().map_err(bad)?,
            "transfer-encoding" => head.chunked = value == "chunked",
            "connection" if value == "close" => head.keep_alive = false,
            "connection" if value == "keep-alive" => head.keep_alive = true,
            "x-zv-fault" => head.fault = Some(value),
            "expect" => head.expects_continue = value == "100-continue",
            _ => {}
        }
        head.headers.push((name, sent));
    }
    if head.content_length > BODY_MAX {
        return Err(too_large());
    }
    Ok(Some((length, head)))
}
