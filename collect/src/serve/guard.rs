//! Who may see the page and its data: a person with the token for people. Without one nobody, since a request that came
//! through a proxy looks like one from this machine. A page of another site may do nothing.

use super::http::Head;
use crate::digest;
use crate::words::Words;

/// Why a request for people is refused: the status and the words.
pub(super) fn refusal(head: &Head, admin: Option<&str>) -> Option<(u16, Words)> {
    if let Some(refused) = foreign(head) {
        return Some(refused);
    }
    match (admin, head.token()) {
        (Some(hash), Some(token)) if digest::same(hash, &digest::sha256(token)) => None,
        (Some(_), _) => Some((401, Words::new("需要管理令牌", "the admin token is needed"))),
        (None, _) => Some((
            403,
            Words::new(
                "尚无管理令牌：请运行 zv collect init",
                "there is no admin token: run zv collect init",
            ),
        )),
    }
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

    fn status(method: &str, headers: &str, admin: Option<&str>) -> Option<u16> {
        let text = format!("{method} /v1/day HTTP/1.1\r\n{headers}\r\n");
        let head = Head::parse(text.as_bytes()).unwrap().unwrap().1;
        refusal(&head, admin).map(|(status, _)| status)
    }

    #[test]
    fn with_a_token_only_the_token_counts() {
        let hash = digest::sha256("secret");
        let asked = |headers: &str| status("GET", headers, Some(&hash));
        assert_eq!(asked("Host: h\r\nAuthorization: Bearer secret\r\n"), None);
        assert_eq!(asked("Host: h\r\nAuthorization: Bearer secrets\r\n"), Some(401));
        assert_eq!(asked("Host: localhost\r\n"), Some(401));
        assert_eq!(asked("Host: h\r\nAuthorization: Basic secret\r\n"), Some(401));
    }

    #[test]
    fn without_a_token_nobody_may_look() {
        for host in ["localhost", "localhost:8443", "127.0.0.1:8443", "[::1]:8443", "collect.example", ""] {
            let headers = format!("Host: {host}\r\n");
            assert_eq!(status("GET", &headers, None), Some(403), "{host}");
            let given = format!("{headers}Authorization: Bearer secret\r\n");
            assert_eq!(status("GET", &given, None), Some(403), "{host}");
            let order = format!("{headers}Content-Type: application/json\r\n");
            assert_eq!(status("POST", &order, None), Some(403), "{host}");
        }
    }

    #[test]
    fn pages_of_other_sites_do_nothing() {
        let json = "Content-Type: application/json\r\n";
        let hash = digest::sha256("secret");
        let near = |method: &str, more: &str| {
            let headers = format!("Host: localhost:1\r\nAuthorization: Bearer secret\r\n{more}");
            status(method, &headers, Some(&hash))
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
