//! HTTP answers as bytes.

/// The type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON.
    Json,
    /// An HTML page.
    Html,
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct HttpAnswer<'a> {
    /// The status.
    pub status: u16,
    /// The type of the body.
    pub content: Content,
    /// The body.
    pub body: &'a str,
    /// The value of `Date`.
    pub date: &'a str,
}

impl HttpAnswer<'_> {
    /// The bytes before the body.
    pub fn head(&self) -> Vec<u8> {
        self.head_with(&format!("Content-Length: {}", self.body.len()))
    }

    /// The complete answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.after(self.head())
    }

    /// The complete answer with one more header field, `Name: value`.
    pub fn with(&self, field: &str) -> Vec<u8> {
        self.after(self.head_with(&format!("{field}\r\nContent-Length: {}", self.body.len())))
    }

    /// The complete answer with the given length, which may be wrong.
    pub fn with_length(&self, length: usize) -> Vec<u8> {
        self.after(self.head_with(&format!("Content-Length: {length}")))
    }

    /// The first bytes of the body in chunks of this size, with or without the final chunk.
    pub fn chunked(&self, size: usize, count: usize, whole: bool) -> Vec<u8> {
        let mut bytes = self.head_with("Transfer-Encoding: chunked");
        let sent: Vec<u8> = self.body.bytes().take(count).collect();
        for chunk in sent.chunks(size.max(1)) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        if whole {
            bytes.extend(b"0\r\n\r\n");
        }
        bytes
    }

    fn head_with(&self, fields: &str) -> Vec<u8> {
        let Self { status, content, date, .. } = self;
        let kind = match content {
            Content::Json => "application/json; charset=utf-8",
            Content::Html => "text/html; charset=utf-8",
        };
        format!(
            "HTTP/1.1 {status} {}\r\nServer: zvpos-sandbox\r\nDate: {date}\r\nContent-Type: {kind}\r\n{fields}\r\n\r\n",
            reason(*status),
        )
        .into_bytes()
    }

    fn after(&self, mut head: Vec<u8>) -> Vec<u8> {
        head.extend_from_slice(self.body.as_bytes());
        head
    }
}

/// The reason phrase of a status.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
