//! The check of browser requests. Any program that can reach the admin socket may use it, but a page of another site
//! that is open on the same machine must not: it could reset the ledger, or read it after pointing its own name to this
//! machine's address (DNS rebinding).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::connection::Request;
use crate::words::{Words, words};

/// Why a request is refused: the HTTP status and the message.
pub(in crate::server) fn refusal(request: &Request) -> Option<(u16, Words)> {
    let host = request.header("host");
    if let Some(host) = host
        && !is_own(name_of(host))
    {
        // The owner of a name can point it to any address; a literal address cannot be redirected.
        return Some((
            403,
            words!(
                "the Host {host:?} is neither localhost nor an address: use the address",
                "Host {host:?} 既不是 localhost 也不是 IP 地址：请使用 IP 地址访问",
            ),
        ));
    }
    // A browser sends no Origin for a picture or a script, but it sends this header.
    let site = request.header("sec-fetch-site").unwrap_or("none");
    let navigates = request.header("sec-fetch-mode") == Some("navigate");
    if !matches!(site, "none" | "same-origin") && !navigates {
        return Some((
            403,
            words!("a page of another site may not use the admin API", "其他网站的页面不能使用管理接口"),
        ));
    }
    let origin = request.header("origin")?;
    if host.is_none_or(|host| origin != format!("http://{host}")) {
        return Some((
            403,
            words!("a page of {origin:?} may not use the admin API", "{origin:?} 的页面不能使用管理接口"),
        ));
    }
    let kind = request.header("content-type").unwrap_or_default();
    let json =
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if matches!(request.method.as_str(), "POST" | "PUT") && !json {
        return Some((
            415,
            words!(
                "a page must send Content-Type: application/json, not {kind:?}",
                "页面必须发送 Content-Type: application/json，不能是 {kind:?}",
            ),
        ));
    }
    None
}

/// A `Host` without its port.
fn name_of(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        return address;
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn is_own(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok()
        || name.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Request {
            method: method.to_owned(),
            target: "/faults".to_owned(),
            headers,
            body: Vec::new(),
            keep_alive: true,
            fault: None,
        };
        refusal(&request).map(|(status, _)| status)
    }

    #[test]
    fn own_names_are_addresses_and_localhost() {
        for host in
            ["localhost", "LocalHost:8081", "127.0.0.1", "127.0.0.1:8081", "[::1]:8081", "10.0.0.7:80"]
        {
            assert_eq!(status("GET", &[("host", host)]), None, "{host}");
        }
        for host in
            ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil", "", ":8081"]
        {
            assert_eq!(status("GET", &[("host", host)]), Some(403), "{host}");
        }
        assert_eq!(status("GET", &[]), None, "no browser leaves the Host out");
    }

    #[test]
    fn only_the_own_page_has_an_origin() {
        let own = ("host", "127.0.0.1:8081");
        let json = ("content-type", "application/json; charset=utf-8");
        assert_eq!(status("POST", &[own, json, ("origin", "http://127.0.0.1:8081")]), None);
        for origin in ["http://evil.example", "http://127.0.0.1:8082", "https://127.0.0.1:8081", "null", ""] {
            assert_eq!(status("POST", &[own, json, ("origin", origin)]), Some(403), "{origin}");
            assert_eq!(status("GET", &[own, ("origin", origin)]), Some(403), "{origin}");
        }
    }

    #[test]
    fn a_form_cannot_speak_to_it() {
        let own = [("host", "localhost:1"), ("origin", "http://localhost:1")];
        assert_eq!(status("POST", &own), Some(415));
        let text = ("content-type", "text/plain");
        assert_eq!(status("PUT", &[own[0], own[1], text]), Some(415));
        assert_eq!(status("POST", &[own[0], text]), None, "curl -d sends no Origin and any type");
    }

    #[test]
    fn a_picture_of_another_site_is_no_request_but_a_link_is() {
        let own = ("host", "localhost:1");
        assert_eq!(
            status("GET", &[own, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]),
            Some(403)
        );
        assert_eq!(status("GET", &[own, ("sec-fetch-site", "same-site")]), Some(403));
        assert_eq!(
            status("GET", &[own, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]),
            None
        );
        assert_eq!(status("GET", &[own, ("sec-fetch-site", "same-origin")]), None);
    }
}
