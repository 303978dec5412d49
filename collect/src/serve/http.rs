//! HTTP/1.1, as much of it as the collector needs: a head, a body of a stated length, limits for both, and a time by which
//! they must have come.

use std::io::{self, ErrorKind, Read, Write};

use super::PAGE_HEADERS;

/// The longest head.
const HEAD_MAX: usize = 16 * 1024;

/// The most headers.
const HEADERS_MAX: usize = 48;

/// The head of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What stands behind the question mark.
    pub query: String,
    /// Pairs of a lower-case name and a value.
    headers: Vec<(String, String)>,
    /// The length of the body.
    pub length: usize,
    /// Whether another request may follow.
    pub keep_alive: bool,
    expects_continue: bool,
}

/// Why there is no request.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The connection has ended, or took too long.
    Gone,
    /// The status and the text of the answer.
    Bad(u16, String),
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Unreadable {
        Unreadable::Gone
    }
}

impl Head {
    /// The head that these bytes begin with, and its length; `None` if it is not complete yet.
    ///
    /// # Errors
    /// The status and the text of the answer to what is no request for this server.
    pub fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, (u16, String)> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let status = request.parse(bytes).map_err(|error| (400, format!("not HTTP/1.1: {error}")))?;
        let httparse::Status::Complete(end) = status else {
            if bytes.len() >= HEAD_MAX {
                return Err((431, "the head of the request is too long".to_owned()));
            }
            return Ok(None);
        };
        let target = request.path.unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut head = Head {
            method: request.method.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            keep_alive: request.version == Some(1),
            ..Head::default()
        };
        for header in request.headers {
            let name = header.name.to_ascii_lowercase();
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            head.headers.push((name, value));
        }
        head.length = head.body_length()?;
        head.expects_continue =
            head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        if head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            head.keep_alive = false;
        }
        Ok(Some((end, head)))
    }

    fn body_length(&self) -> Result<usize, (u16, String)> {
        if self.header("transfer-encoding").is_some() {
            return Err((411, "the request needs a Content-Length".to_owned()));
        }
        let mut lengths = self.headers.iter().filter(|(name, _)| name == "content-length");
        let Some((_, length)) = lengths.next() else { return Ok(0) };
        if lengths.next().is_some() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err((400, "Content-Length is no number".to_owned()));
        }
        length.parse().map_err(|_| (413, "the body is too long".to_owned()))
    }

    /// The value of the first header with that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The token of the request.
    pub fn token(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// A parameter of the query, percent-decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(own, _)| *own == name).map(|(_, value)| decoded(value)).next()
    }
}

/// Percent-decoding; what is not UTF-8 becomes a replacement character.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            (b'+', _) => {
                out.push(b' ');
                at += 1;
            }
            (other, _) => {
                out.push(*other);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads a head; `received` holds what came behind it.
pub(super) fn read_head(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<Head, Unreadable> {
    loop {
        match Head::parse(received) {
            Err((status, why)) => return Err(Unreadable::Bad(status, why)),
            Ok(Some((length, head))) => {
                received.drain(..length);
                return Ok(head);
            }
            Ok(None) => more(stream, received)?,
        }
    }
}

/// Reads the body of a head.
pub(super) fn read_body(
    stream: &mut (impl Read + Write),
    received: &mut Vec<u8>,
    head: &Head,
    longest: usize,
) -> Result<Vec<u8>, Unreadable> {
    if head.length > longest {
        return Err(Unreadable::Bad(413, format!("the body has {} bytes; at most {longest}", head.length)));
    }
    if head.expects_continue {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.flush()?;
    }
    while received.len() < head.length {
        more(stream, received)?;
    }
    let rest = received.split_off(head.length);
    Ok(std::mem::replace(received, rest))
}

fn more(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<(), Unreadable> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) => Err(Unreadable::Gone),
        Ok(count) => {
            received.extend_from_slice(buffer.get(..count).unwrap_or_default());
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// Sends it.
    pub(super) fn send(&self, stream: &mut impl Write, keep_alive: bool) -> io::Result<()> {
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let head = format!(
            "HTTP/1.1 {} {}\r\nServer: zv-collect\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {connection}\r\n\
             {PAGE_HEADERS}\r\n",
            self.status,
            reason(self.status),
            self.kind,
            self.body.len()
        );
        let mut whole = head.into_bytes();
        whole.extend_from_slice(&self.body);
        stream.write_all(&whole)?;
        stream.flush()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        431 => "Request Header Fields Too Large",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Head {
        Head::parse(text.as_bytes()).unwrap().unwrap().1
    }

    #[test]
    fn a_head_is_read_with_its_parameters() {
        let head = parsed(
            "GET /v1/day?chain=%E8%BF%9E%E9%94%81&day=2026-11-22&x=%zz HTTP/1.1\r\nHost: h\r\nAuthorization: bearer  7.ab \r\n\r\n",
        );
        assert_eq!((head.path.as_str(), head.token(), head.length), ("/v1/day", Some("7.ab"), 0));
        assert_eq!(head.parameter("chain").as_deref(), Some("连锁"));
        assert_eq!(head.parameter("x").as_deref(), Some("%zz"));
        assert_eq!((head.parameter("no"), head.keep_alive), (None, true));
        assert!(!parsed("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").keep_alive);
        assert!(!parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let status = |text: &str| Head::parse(text.as_bytes()).unwrap_err().0;
        assert_eq!(status("\u{16}\u{3}\u{1}\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"), 413);
        assert_eq!(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 411);
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_MAX));
        assert_eq!(status(&long), 431);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(HEADERS_MAX + 1));
        assert_eq!(status(&many), 400);
        assert!(Head::parse(b"GET / HT").unwrap().is_none());
    }
}
