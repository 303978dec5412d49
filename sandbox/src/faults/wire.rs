//! An HTTP answer as bytes.

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON.
    Json,
    /// A page for a browser.
    Html,
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct HttpAnswer<'a> {
    /// The status.
    pub status: u16,
    /// What the body is.
    pub content: Content,
    /// The body.
    pub body: &'a str,
    /// The value of `Date`.
    pub date: &'a str,
}

impl HttpAnswer<'_> {
    /// The bytes before the body.
    pub fn head(&self) -> Vec<u8> {
        let Self { status, content, body, date } = self;
        let kind = match content {
            Content::Json => "application/json; charset=utf-8",
            Content::Html => "text/html; charset=utf-8",
        };
        format!(
            "HTTP/1.1 {status} {}\r\nServer: zvpos-sandbox\r\nDate: {date}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n",
            reason(*status),
            body.len()
        )
        .into_bytes()
    }

    /// The whole.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        bytes.extend_from_slice(self.body.as_bytes());
        bytes
    }
}

/// The words beside a status.
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
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
