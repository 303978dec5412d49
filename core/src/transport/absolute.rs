//! A proxy that forwards plain http and allows no CONNECT: it is sent the whole URL. What is proven about a
//! connection to the gateway does not hold for a connection to such a proxy; see docs/money-safety.md.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::Uri;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Either, Transport};
use ureq::{Error, Proxy};

use super::tcp::TcpTransport;

/// The head of a request in absolute form.
#[derive(Clone, Debug)]
pub(super) struct AbsoluteForm {
    /// `http://host:port`, which precedes the path.
    prefix: String,
    /// The proxy's authorization header, with its line end.
    login: String,
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

/// Opens connections to a proxy for requests in absolute form; without one it leaves every connection to the next connector.
#[derive(Debug)]
pub(super) struct AbsoluteConnector {
    proxy: Option<Proxy>,
}

impl AbsoluteConnector {
    /// For this proxy.
    pub(super) fn new(proxy: Option<Proxy>) -> AbsoluteConnector {
        AbsoluteConnector { proxy }
    }
}

/// Whether a request to this URL is sent in absolute form, if the proxy is used that way.
pub(super) fn is_for(url: &Uri) -> bool {
    url.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
}

impl<In: Transport> Connector<In> for AbsoluteConnector {
    type Out = Either<In, TcpTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        // The chain also runs for the connection over which CONNECT is sent; that one has no proxy configured.
        let proxied = details.config.proxy().is_some() && is_for(details.uri);
        let Some(proxy) = self.proxy.as_ref().filter(|_| proxied) else { return Ok(None) };
        let authority = details.uri.authority().map(ToString::to_string).unwrap_or_default();
        let login = match (proxy.username(), proxy.password()) {
            (None, None) => String::new(),
            (name, password) => {
                let both = format!("{}:{}", name.unwrap_or_default(), password.unwrap_or_default());
                format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(both))
            }
        };
        let form = AbsoluteForm { prefix: format!("http://{authority}"), login };
        let addresses = details.resolver.resolve(proxy.uri(), details.config, details.timeout)?;
        Ok(Some(Either::B(TcpTransport::open(details, &addresses, Some(form))?)))
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
        assert!(is_for(&"HTTP://h/".parse().unwrap()) && !is_for(&"https://h/".parse().unwrap()));
    }
}
