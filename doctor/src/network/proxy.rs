//! The proxy: the configured one, and those in the environment, which the library does not use.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use zvpos_core::bytes::percent_decoded;
use zvpos_core::config::Config;

use super::{Target, authority, look_up, tcp};
use crate::redact::PROXY_VARIABLES;
use crate::report::Line;
use crate::run::Run;
use crate::words::words;

const ANSWER: Duration = Duration::from_secs(5);

/// The configured proxy.
pub(super) struct Proxy {
    name: String,
    /// `None` if its name is unknown: reported once, and nothing is tried again.
    addresses: Option<Vec<SocketAddr>>,
    authorization: Option<String>,
    /// Whether plain http requests are sent to it with the whole URL.
    absolute: bool,
}

pub(super) fn examine(run: &mut Run<'_>, config: &Config) -> Option<Proxy> {
    let Some(text) = &config.transport.proxy else {
        environment(run);
        return None;
    };
    let uri: Uri = text.parse().ok()?;
    let userinfo = uri.authority()?.as_str().rsplit_once('@').map(|(userinfo, _)| userinfo.to_owned());
    let (host, port) = (uri.host()?, uri.port_u16().unwrap_or(80));
    let name = authority(host.trim_matches(['[', ']']), port);
    run.say(Line::ok("proxy", name.clone(), words!("已配置代理", "is configured")));
    let addresses = look_up(run, host.trim_matches(['[', ']']), port);
    let authorization = userinfo.map(|userinfo| STANDARD.encode(percent_decoded(&userinfo)));
    Some(Proxy { name, addresses, authorization, absolute: config.transport.absolute })
}

fn environment(run: &mut Run<'_>) {
    let set: Vec<&str> = PROXY_VARIABLES
        .into_iter()
        .filter(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
        .collect();
    if set.is_empty() {
        return run.say(Line::ok("proxy", "", words!("没有代理，直接连接", "none: connections are direct")));
    }
    let names = set.join(", ");
    let line = Line::ok(
        "proxy",
        "",
        words!(
            "环境变量中有代理（{names}），本库不使用",
            "{names} in the environment: not used by the library"
        ),
    );
    let remedy = words!(
        "若必须经过代理才能上网，在配置中设置 proxy",
        "where the network needs it, set proxy in the configuration"
    );
    run.say(Line { remedy: Some(remedy), ..line }.with("environment", set));
}

impl Proxy {
    /// A connection through it by CONNECT, or to the proxy alone if plain http requests are sent to it with the whole
    /// URL.
    pub(super) fn tunnel(&self, run: &mut Run<'_>, target: &Target) -> Option<TcpStream> {
        let mut stream = tcp::connect(run, &self.name, self.addresses.as_ref()?)?;
        let name = target.name();
        if self.absolute && !target.https {
            run.say(Line::ok(
                "proxy",
                self.name.clone(),
                words!(
                    "以完整网址转发明文 http 到 {name}（proxy.mode: absolute），不使用它的 Date 校时",
                    "is asked for plain http to {name} with the whole URL (proxy.mode: absolute); its Date sets no clock"
                ),
            ));
            return Some(stream);
        }
        let authorization = self
            .authorization
            .as_ref()
            .map(|a| format!("Proxy-Authorization: Basic {a}\r\n"))
            .unwrap_or_default();
        let request = format!("CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n{authorization}\r\n");
        let asked = run.within(ANSWER, move || {
            stream.set_read_timeout(Some(ANSWER))?;
            stream.set_write_timeout(Some(ANSWER))?;
            stream.write_all(request.as_bytes())?;
            let head = read_head(&mut stream)?;
            Ok::<_, io::Error>((stream, head.lines().next().unwrap_or_default().to_owned()))
        });
        let (status, stream) = match asked {
            Some(Ok((stream, status))) => (status, Some(stream)),
            Some(Err(error)) => (error.to_string(), None),
            None => {
                run.out_of_time("proxy", &self.name);
                return None;
            }
        };
        let code = status.split(' ').nth(1).unwrap_or_default();
        if code.starts_with('2') && stream.is_some() {
            run.say(Line::ok("proxy", self.name.clone(), words!("已通到 {name}", "leads to {name}")));
            return stream;
        }
        let remedy = if code == "407" {
            words!(
                "代理要求登录：在 proxy 中写入用户名和密码",
                "the proxy wants a login: put name and password into proxy"
            )
        } else if target.https {
            words!(
                "请网管放行 {name} 的 CONNECT",
                "ask the network's keeper to let CONNECT to {name} through"
            )
        } else {
            words!(
                "请网管放行 {name} 的 CONNECT；若代理只转发明文 http，可设置 proxy.mode 为 absolute，请先阅读 docs/money-safety.zh-CN.md",
                "ask the network's keeper to let CONNECT to {name} through; for a proxy that only forwards plain http there is proxy.mode: absolute, read docs/money-safety.md first"
            )
        };
        run.say(Line::failed(
            "proxy",
            self.name.clone(),
            words!("拒绝连接 {name}：{status}", "refuses to connect to {name}: {status}"),
            remedy,
        ));
        None
    }
}

/// The head of an answer, read byte by byte: the bytes that follow belong to the tunnel.
fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    const HEAD_MAX: usize = 8 * 1024;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_MAX {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
