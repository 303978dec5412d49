//! The connection to the gateway, step by step, so that the first failing step is reported: proxy, name, connection,
//! TLS, and then one harmless request.

mod certificate;
mod gateway;
mod proxy;
mod tcp;
mod tls;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use http::Uri;
use zvpos_core::config::Config;
use zvpos_core::gateway::Operation;

use crate::report::Line;
use crate::run::Run;
use crate::words::words;
use proxy::Proxy;

const LOOK_UP: Duration = Duration::from_secs(4);

/// A server that routes lead to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    host: String,
    port: u16,
    https: bool,
}

impl Target {
    /// The target of a URL that was checked with the configuration.
    fn of(url: &str) -> Option<Target> {
        let uri: Uri = url.parse().ok()?;
        let https = uri.scheme_str() == Some("https");
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Target { host, port: uri.port_u16().unwrap_or(if https { 443 } else { 80 }), https })
    }

    fn name(&self) -> String {
        authority(&self.host, self.port)
    }
}

/// `host:port`, with brackets around an IPv6 address.
fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

pub(crate) fn examine(run: &mut Run<'_>, config: &Config) {
    let proxy = proxy::examine(run, config);
    let routes = config.accounts.iter().flat_map(|account| {
        Operation::ALL.into_iter().filter_map(|operation| account.route(operation)).map(|route| &route.url)
    });
    let targets: BTreeSet<Target> = routes.filter_map(|url| Target::of(url)).collect();
    let mut reached = BTreeSet::new();
    for target in targets {
        if reach(run, config, proxy.as_ref(), &target) {
            reached.insert(target);
        }
    }
    gateway::examine(run, config, &reached);
}

/// Checks whether a request can reach this server.
fn reach(run: &mut Run<'_>, config: &Config, proxy: Option<&Proxy>, target: &Target) -> bool {
    let stream = match proxy {
        // The proxy looks the name up.
        Some(proxy) => proxy.tunnel(run, target),
        None => look_up(run, &target.host, target.port)
            .and_then(|addresses| tcp::connect(run, &target.name(), &addresses)),
    };
    match stream {
        None => false,
        Some(stream) if target.https => tls::examine(run, config, target, stream),
        Some(_) => true,
    }
}

/// The addresses of a name; reports if there are none.
fn look_up(run: &mut Run<'_>, host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_owned();
    let begun = Instant::now();
    let found = run.within(LOOK_UP, move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter));
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let remedy = words!(
        "检查网线与路由器，再检查 DNS 设置（可改用 223.5.5.5 或 114.114.114.114），并核对 endpoint 的域名",
        "look at the cable and the router, then the DNS server (223.5.5.5 or 114.114.114.114 serve as another), and the host in endpoint"
    );
    let (line, addresses) = match found {
        None => {
            let found = words!(
                "域名解析超时（{milliseconds} 毫秒）",
                "no answer from the name server in {milliseconds} ms"
            );
            (Line::failed("dns", host, found, remedy), None)
        }
        Some(Ok(addresses)) if !addresses.is_empty() => {
            let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            let six = addresses.iter().filter(|address| address.is_ipv6()).count();
            let four = addresses.len() - six;
            let shown_list = shown.join(", ");
            let found = words!(
                "{shown_list}（IPv4 {four} 个，IPv6 {six} 个），{milliseconds} 毫秒",
                "{shown_list} (IPv4: {four}, IPv6: {six}) in {milliseconds} ms"
            );
            (Line::ok("dns", host, found).with("addresses", shown), Some(addresses))
        }
        Some(Ok(_)) => {
            (Line::failed("dns", host, words!("该域名没有地址", "the name has no address"), remedy), None)
        }
        Some(Err(error)) => {
            let found = words!("域名解析失败：{error}", "the name cannot be resolved: {error}");
            (Line::failed("dns", host, found, remedy), None)
        }
    };
    run.say(line.with("ms", milliseconds));
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_server() {
        let target = |url: &str| Target::of(url).map(|target| (target.name(), target.https)).unwrap();
        assert_eq!(target("http://h/api/v2"), ("h:80".to_owned(), false));
        assert_eq!(target("https://[::1]:8443/x"), ("[::1]:8443".to_owned(), true));
    }
}
