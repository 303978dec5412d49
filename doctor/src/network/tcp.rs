//! Connections: every address is tried, in parallel, since a dead one delays each sale.

use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::report::Line;
use crate::run::Run;
use crate::words::words;

const CONNECT: Duration = Duration::from_secs(3);
/// More addresses than this are ignored: the library tries few.
const ADDRESSES_MAX: usize = 8;

/// A connection to the first address that accepts one.
pub(super) fn connect(run: &mut Run<'_>, about: &str, addresses: &[SocketAddr]) -> Option<TcpStream> {
    let limit = CONNECT.min(run.left()).max(Duration::from_millis(1));
    let (done, results) = channel();
    for address in addresses.iter().copied().take(ADDRESSES_MAX) {
        let done = done.clone();
        std::thread::spawn(move || {
            let begun = Instant::now();
            let connected = TcpStream::connect_timeout(&address, limit);
            // The receiver may be gone.
            let _ = done.send((address, connected, begun.elapsed()));
        });
    }
    drop(done);
    let (mut first, mut reached, mut dead) = (None, Vec::new(), Vec::new());
    for (address, connected, took) in results {
        match connected {
            Ok(stream) => {
                let milliseconds = took.as_secs_f64() * 1000.0;
                reached.push(format!("{address} {milliseconds:.1} ms"));
                first.get_or_insert(stream);
            }
            Err(error) => dead.push(format!("{address} {error}")),
        }
    }
    let (reached, dead) = (reached.join("; "), dead.join("; "));
    run.say(match (&first, dead.is_empty()) {
        (Some(_), true) => Line::ok("tcp", about, words!("已连接：{reached}", "connected: {reached}")),
        (Some(_), false) => Line::warning(
            "tcp",
            about,
            words!("部分地址连不上：{dead}；可用：{reached}", "some addresses do not answer: {dead}; others do: {reached}"),
            words!(
                "检查路由与防火墙；本机没有可用的 IPv6 时关闭 IPv6，否则每笔交易都要先等待超时",
                "look at routes and firewall; switch IPv6 off where it leads nowhere, else each sale waits for it first"
            ),
        ),
        (None, _) => Line::failed(
            "tcp",
            about,
            words!("连不上：{dead}", "no connection: {dead}"),
            words!(
                "检查本机与门店的防火墙是否放行该端口，endpoint 的地址和端口是否正确，是否必须经过代理（proxy）",
                "look whether the firewall lets this port out, whether host and port in endpoint are right, and whether a proxy is needed here"
            ),
        ),
    });
    first
}
