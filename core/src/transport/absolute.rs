//! A proxy that forwards plain http and allows no CONNECT: it is sent the whole URL. What is proven about a
//! connection to the gateway does not hold for a connection to such a proxy; see docs/money-safety.md.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::Uri;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Either, Transport};
use ureq::{Error, Proxy};

use super::absolute_form::AbsoluteForm;
use super::tcp::TcpTransport;

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
    fn only_plain_http_is_asked_for_in_absolute_form() {
        assert!(is_for(&"HTTP://h/".parse().unwrap()) && !is_for(&"https://h/".parse().unwrap()));
    }
}
