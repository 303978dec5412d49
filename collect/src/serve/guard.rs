//! Who may see the page and its data: a person with the token for people. Without one only a browser on the same machine,
//! and nobody who comes through a proxy. A page of another site may do nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::http::Head;
use crate::digest;
use crate::words::Words;

/// The headers that a proxy adds.
const OF_PROXIES: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Why a request for people is refused: the status and the words.
pub(super) fn refusal(head: &Head, peer: IpAddr, admin: Option<&str>) -> Option<(u16, Words)> {
    if let Some(refused) = foreign(head) {
        return Some(refused);
    }
    match (admin, head.token()) {
        (Some(hash), Some(token)) if digest::same(hash, &digest::sha256(token)) => None,
        (Some(_), _) => Some((401, Words::new("需要管理令牌", "the admin token is needed"))),
        (None, _) if is_near(head, peer) => None,
        (None, _) => Some((
            403,
            Words::new(
                "尚未设置管理令牌：只能在本机查看。请运行 zv collect init",
                "there is no admin token: only this machine may look; run zv collect init",
            ),
        )),
    }
}

/// Whether the request comes from a program on this machine that has named the machine itself.
fn is_near(head: &Head, peer: IpAddr) -> bool {
    let is_through_proxy = OF_PROXIES.iter().any(|name| head.header(name).is_some());
    // The owner of a name can point it to any address; a literal address cannot be redirected.
    let is_own = head.header("host").is_some_and(|host| {
        let name = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((address, _)) => address,
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || name.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
    });
    peer.is_loopback() && is_own && !is_through_proxy
}

/// A request that a page of another site makes.
fn foreign(head: &Head) -> Option<(u16, Words)> {
    let refused = || {
        (
            403,
            Words::new("其他网站的页面不能使用汇总接口", "a page of another site may not use the collector"),
        )
    };
    let site = head.header("sec-fetch-site").unwrap_or("none");
    let navigates = head.header("sec-fetch-mode") == Some("navigate") && head.method == "GET";
    if !matches!(site, "none" | "same-origin") && !navigates {
        return Some(refused());
    }
    if let Some(origin) = head.header("origin") {
        let host = head.header("host").unwrap_or_default();
        if origin != format!("http://{host}") && origin != format!("https://{host}") {
            return Some(refused());
        }
    }
    let kind = head.header("content-type").unwrap_or_default();
    let is_json =
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if head.method == "POST" && !is_json {
        return Some((415, Words::new("请求须为 application/json", "the request must be application/json")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, headers: &str, peer: &str, admin: Option<&str>) -> Option<u16> {
        let text = format!("{method} /v1/day HTTP/1.1\r\n{headers}\r\n");
        let head = Head::parse(text.as_bytes()).unwrap().unwrap().1;
        refusal(&head, peer.parse().unwrap(), admin).map(|(status, _)| status)
    }

    #[test]
    fn with_a_token_only_the_token_counts() {
        let hash = digest::sha256("secret");
        let asked = |headers: &str, peer: &str| status("GET", headers, peer, Some(&hash));
        assert_eq!(asked("Host: h\r\nAuthorization: Bearer secret\r\n", "203.0.113.9"), None);
        assert_eq!(asked("Host: h\r\nAuthorization: Bearer secrets\r\n", "127.0.0.1"), Some(401));
        assert_eq!(asked("Host: localhost\r\n", "127.0.0.1"), Some(401));
        assert_eq!(asked("Host: h\r\nAuthorization: Basic secret\r\n", "127.0.0.1"), Some(401));
    }

    #[test]
    fn without_a_token_only_this_machine_may_look() {
        for host in ["localhost", "localhost:8443", "127.0.0.1", "[::1]:8443"] {
            assert_eq!(status("GET", &format!("Host: {host}\r\n"), "127.0.0.1", None), None, "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "10.0.0.7", ""] {
            assert_eq!(status("GET", &format!("Host: {host}\r\n"), "127.0.0.1", None), Some(403), "{host}");
        }
        assert_eq!(status("GET", "Host: localhost\r\n", "10.0.0.7", None), Some(403));
        for name in OF_PROXIES {
            let headers = format!("Host: localhost\r\n{name}: 203.0.113.9\r\n");
            assert_eq!(status("GET", &headers, "127.0.0.1", None), Some(403), "{name}");
        }
    }

    #[test]
    fn pages_of_other_sites_do_nothing() {
        let json = "Content-Type: application/json\r\n";
        let near = |method: &str, more: &str| {
            status(method, &format!("Host: localhost:1\r\n{more}"), "127.0.0.1", None)
        };
        assert_eq!(near("POST", json), None);
        assert_eq!(near("POST", ""), Some(415), "a form can do that");
        assert_eq!(near("POST", &format!("{json}Origin: http://localhost:1\r\n")), None);
        assert_eq!(near("POST", &format!("{json}Origin: http://evil.example\r\n")), Some(403));
        assert_eq!(near("GET", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"), Some(403));
        assert_eq!(near("GET", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"), None);
        assert_eq!(
            near("POST", &format!("{json}Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n")),
            Some(403)
        );
    }
}
