//! The head of a request, as the gateway reads it, or a proxy that is sent the whole URL.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::Proxy;
use ureq::http::Uri;
use ureq::http::uri::Authority;

/// How the library names itself, to the gateway and to a proxy.
pub(super) const USER_AGENT: &str = concat!("zvpos/", env!("CARGO_PKG_VERSION"));

const ALWAYS: &str = concat!(
    "User-Agent: zvpos/",
    env!("CARGO_PKG_VERSION"),
    "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\nContent-Type: application/json\r\n"
);

/// A proxy that forwards plain http and allows no CONNECT: it is sent the whole URL. What is proven about a connection to
/// the gateway does not hold for a connection to such a proxy; see docs/money-safety.md.
#[derive(Debug)]
pub(super) struct AbsoluteForm {
    /// The proxy's authorization header, with its line end.
    login: String,
}

impl AbsoluteForm {
    /// For this proxy, with its login.
    pub(super) fn new(proxy: &Proxy) -> AbsoluteForm {
        let login = match (proxy.username(), proxy.password()) {
            (None, None) => String::new(),
            (name, password) => {
                let both = format!("{}:{}", name.unwrap_or_default(), password.unwrap_or_default());
                format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(both))
            }
        };
        AbsoluteForm { login }
    }

    /// Whether a request to this URL is sent in absolute form, if the proxy is used that way.
    pub(super) fn is_for(url: &Uri) -> bool {
        url.scheme_str() == Some("http")
    }
}

/// The head of a POST request with a JSON body of so many bytes.
pub(super) fn head(url: &Uri, length: usize, form: Option<&AbsoluteForm>) -> String {
    let authority = url.authority().map(Authority::as_str).unwrap_or_default();
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let mut head = String::with_capacity(256 + 2 * authority.len() + path.len());
    head.push_str("POST ");
    if form.is_some() {
        head.push_str("http://");
        head.push_str(authority);
    }
    head.push_str(path);
    head.push_str(" HTTP/1.1\r\nHost: ");
    head.push_str(authority);
    head.push_str("\r\n");
    if let Some(form) = form {
        head.push_str(&form.login);
    }
    head.push_str(ALWAYS);
    // Writing to a string cannot fail.
    let _ = write!(head, "Content-Length: {length}\r\n\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_reads_requests_is_sent_the_whole_url_and_its_login() {
        let url: Uri = "http://h:8080/api/v2?a=1".parse().unwrap();
        let lines = |form: Option<&AbsoluteForm>| head(&url, 7, form).replace(ALWAYS, "…\n");
        assert_eq!(lines(None), "POST /api/v2?a=1 HTTP/1.1\r\nHost: h:8080\r\n…\nContent-Length: 7\r\n\r\n");
        let form = AbsoluteForm::new(&Proxy::new("http://u:p@proxy:3128").unwrap());
        assert_eq!(
            lines(Some(&form)),
            "POST http://h:8080/api/v2?a=1 HTTP/1.1\r\nHost: h:8080\r\nProxy-Authorization: Basic dTpw\r\n…\nContent-Length: 7\r\n\r\n"
        );
        let bare: Uri = "http://h".parse().unwrap();
        assert!(head(&bare, 0, None).starts_with("POST / HTTP/1.1\r\nHost: h\r\n"));
        assert!(head(&bare, 0, None).contains(&format!("\r\nUser-Agent: {USER_AGENT}\r\n")));
    }

    #[test]
    fn only_plain_http_is_asked_for_in_absolute_form() {
        let is_for = |url: &str| AbsoluteForm::is_for(&url.parse().unwrap());
        assert!(is_for("http://h/") && is_for("HTTP://h/") && !is_for("https://h/"));
    }
}
