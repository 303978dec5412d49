//! The head of a request as a proxy reads it that is sent the whole URL.

use std::io;

/// The head of a request in absolute form.
#[derive(Clone, Debug)]
pub(super) struct AbsoluteForm {
    /// `http://host:port`, which precedes the path.
    pub(super) prefix: String,
    /// The proxy's authorization header, with its line end.
    pub(super) login: String,
}

impl AbsoluteForm {
    /// The request in absolute form. Bytes that are not a request are not sent.
    pub(super) fn of_request(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let line_end = request.windows(2).position(|two| two == b"\r\n").map(|at| at + 2);
        let target = request.iter().position(|byte| *byte == b' ').map(|at| at + 1);
        let parts = line_end.zip(target).filter(|(end, target)| target < end).and_then(|(end, target)| {
            let (method, rest) = request.split_at_checked(target)?;
            let (target, rest) = rest.split_at_checked(end - target)?;
            target.starts_with(b"/").then_some((method, target, rest))
        });
        let Some((method, target, rest)) = parts else {
            return Err(io::Error::other("a request whose first line cannot be written in absolute form"));
        };
        let (prefix, login) = (self.prefix.as_bytes(), self.login.as_bytes());
        Ok([method, prefix, target, login, rest].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_url_is_in_the_request_line_and_nothing_else_changes() {
        let form =
            AbsoluteForm { prefix: "http://h:8080".into(), login: "Proxy-Authorization: Basic x\r\n".into() };
        let request = b"POST /api/v2?a=1 HTTP/1.1\r\nhost: h:8080\r\n\r\n{\"a\":\" /\r\n\"}";
        let wanted = "POST http://h:8080/api/v2?a=1 HTTP/1.1\r\nProxy-Authorization: Basic x\r\nhost: h:8080\r\n\r\n{\"a\":\" /\r\n\"}";
        assert_eq!(String::from_utf8(form.of_request(request).unwrap()).unwrap(), wanted);
        for bad in [&b"POST"[..], b"POST /a", b"\r\n /", b"CONNECT h:1 HTTP/1.1\r\n\r\n", b"X\r\nPOST / \r\n"]
        {
            assert!(form.of_request(bad).is_err(), "{bad:?}");
        }
    }
}
