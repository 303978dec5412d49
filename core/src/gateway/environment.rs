//! Which gateway an account belongs to, whatever way leads there. It is part of the journal's key, so that no sale of a
//! simulator is ever taken for one of the vendor's gateway.

use std::net::{IpAddr, Ipv6Addr};

use ureq::http::Uri;

/// The vendor's gateway, by whichever public name or address.
pub const PRODUCTION: &str = "production";

/// Top-level names that lead nowhere outside of a network (RFC 2606, 6761, 6762, 8375; ICANN's `internal`; custom).
const PRIVATE: [&str; 12] = [
    "arpa",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "test",
];

/// The environment of a URL, unless the configuration names another: a public host is the vendor's gateway or a way to
/// it; a host that only this machine or this network knows, such as a simulator, stands for itself.
pub fn environment_of(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else { return url.to_owned() };
    let host = uri.host().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    if is_public(&host) {
        return PRODUCTION.to_owned();
    }
    let usual =
        if uri.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) { 443 } else { 80 };
    match uri.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

fn is_public(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => {
            // What providers and overlay networks share among their customers (RFC 6598).
            let is_shared = matches!(address.octets(), [100, second, ..] if second & 0xc0 == 64);
            !(is_shared
                || address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified())
        }
        Ok(IpAddr::V6(address)) => {
            let is_local = address.is_unique_local() || address.is_unicast_link_local();
            !(is_local || [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED].contains(&address))
        }
        // No top-level name begins with a digit: a system's look-up reads 127.1 and 0x7f.0.0.1 as addresses.
        Err(_) => host.rsplit_once('.').is_some_and(|(_, top)| {
            !PRIVATE.contains(&top) && !top.starts_with(|first: char| first.is_ascii_digit())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_the_vendor_is_one_environment() {
        for url in [
            "http://openapi.qmai.cn/api/v2",
            "https://openapi.qmai.cn",
            "https://OpenAPI.qmai.cn.:8443/v3",
            "https://gateway.chain.example.com/x",
            "http://203.0.113.9/api/v2",
            "http://[2001:db8::1]:8080/",
        ] {
            assert_eq!(environment_of(url), "production", "{url}");
        }
    }

    #[test]
    fn a_private_host_stands_for_itself() {
        for (url, environment) in [
            ("http://127.0.0.1:8080/api/v2", "127.0.0.1:8080"),
            ("http://localhost/api/v2", "localhost"),
            ("https://Localhost:443/", "localhost"),
            ("http://10.1.2.3:80/x", "10.1.2.3"),
            ("http://[::1]:8080/x", "[::1]:8080"),
            ("http://[::ffff:192.168.1.2]/x", "[::ffff:192.168.1.2]"),
            ("http://[fd00::1]/x", "[fd00::1]"),
            ("http://till-server:9000/x", "till-server:9000"),
            ("https://gateway.shop.lan", "gateway.shop.lan"),
            ("https://gateway.test", "gateway.test"),
            ("http://100.64.1.2/x", "100.64.1.2"),
            ("http://127.1:8080/x", "127.1:8080"),
            ("http://0x7f.0.0.1:8080/x", "0x7f.0.0.1:8080"),
            ("not a url", "not a url"),
        ] {
            assert_eq!(environment_of(url), environment, "{url}");
        }
    }
}
