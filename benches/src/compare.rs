//! How long a call takes, of all contestants in turn, round after round, so that whatever else the machine does meets
//! all of them.

use std::process::Command;

use crate::Place;
use crate::contestant::{Contestant, compile};
use crate::report::Report;
use crate::server::Server;

const ROUNDS: usize = 25;
const CALLS_A_ROUND: usize = 400;

/// The limit of a quote.
pub(crate) const SOCKET: &str = "bare socket, ready-made request";
/// The limit of a consume.
pub(crate) const SOCKET_FLUSHED: &str = "bare socket + 2 × fdatasync";
pub(crate) const CURL: &str = "libcurl + OpenSSL + cJSON";
pub(crate) const REQUESTS: &str = "Python requests";
pub(crate) const HTTP_CLIENT: &str = "C# HttpClient (mono)";
pub(crate) const QUOTE: &str = "zvpos quote, from C";
pub(crate) const QUOTE_PYTHON: &str = "zvpos quote, from Python";
pub(crate) const QUOTE_CSHARP: &str = "zvpos quote, from C# (mono)";
pub(crate) const CONSUME: &str = "zvpos consume, from C";

pub(crate) fn run(place: &Place, server: &Server, report: &mut Report) -> Result<(), String> {
    let mut contestants = start(place, server)?;
    for contestant in &mut contestants {
        contestant.calls(place.calls(500))?;
    }
    for _ in 0..ROUNDS {
        for contestant in &mut contestants {
            let took = contestant.calls(place.calls(CALLS_A_ROUND))?;
            contestant.took.extend(took);
        }
    }
    for contestant in &mut contestants {
        if contestant.name == QUOTE || contestant.name == CONSUME {
            report.memory(contestant.name, contestant.pid());
        }
        report.times(contestant.name, &mut contestant.took);
    }
    Ok(())
}

fn start(place: &Place, server: &Server) -> Result<Vec<Contestant>, String> {
    let url = format!("http://{}/api/v2", server.address);
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let folder = place.library.parent().unwrap_or(&place.root);
    let link = [format!("-L{}", folder.display()), format!("-Wl,-rpath,{}", folder.display())];
    let socket = compile(&place.root, "socket", &[])?;
    let curl = compile(&place.root, "curl", &["-lcurl", "-lcrypto", "-lcjson"])?;
    let zvpos = compile(&place.root, "zvpos", &[&link[0], &link[1], "-lzvpos"])?;
    let request = request_file(place, server)?;
    let peers = place.root.join("benches/peers");
    let appended = place.folder.join("appended");
    let mut all = vec![
        Contestant::start(SOCKET, Command::new(&socket).args([&host, &port]).arg(&request))?,
        Contestant::start(CURL, Command::new(curl).arg(&url))?,
        Contestant::start(QUOTE, Command::new(&zvpos).arg("quote").arg(place.config(server, "quote")?))?,
        Contestant::start(REQUESTS, Command::new("python3").arg(peers.join("requests_peer.py")).arg(&url))?,
        Contestant::start(
            QUOTE_PYTHON,
            Command::new("python3")
                .arg(peers.join("zvpos_peer.py"))
                .arg(&place.library)
                .arg(place.config(server, "python")?),
        )?,
        Contestant::start(
            SOCKET_FLUSHED,
            Command::new(&socket).args([&host, &port]).arg(&request).arg(appended),
        )?,
        Contestant::start(
            CONSUME,
            Command::new(&zvpos).arg("consume").arg(place.config(server, "consume")?),
        )?,
    ];
    if let (Some(http), Some(own)) = (csharp(place, "HttpPeer"), csharp(place, "ZvposPeer")) {
        all.push(Contestant::start(HTTP_CLIENT, Command::new("mono").arg(http).arg(&url))?);
        let mut command = Command::new("mono");
        command.arg(own).arg(place.config(server, "csharp")?).env("LD_LIBRARY_PATH", folder);
        all.push(Contestant::start(QUOTE_CSHARP, &mut command)?);
    }
    Ok(all)
}

/// `None` where mono is not installed.
fn csharp(place: &Place, name: &str) -> Option<std::path::PathBuf> {
    let out = place.root.join("target/benches").join(format!("{name}.exe"));
    let source = place.root.join("benches/peers").join(format!("{name}.cs"));
    let mut command = Command::new("mcs");
    command.args(["-optimize+", "-r:System.Net.Http.dll"]).arg(format!("-out:{}", out.display())).arg(source);
    let compiled = command.output().is_ok_and(|output| output.status.success());
    compiled.then_some(out)
}

/// What the bare socket sends: a quote as the library would send it.
pub(crate) fn request_file(place: &Place, server: &Server) -> Result<std::path::PathBuf, String> {
    let body = r#"{"OpenId":"fake-open-id-for-test-only-0001","GrantCode":"fake-grant-code-0001","Token":"ySypL4SRFMmfSrCqOiFE01LK3ks%3D","Timestamp":"1712563200","Nonce":"24680","Action":"user.user-by-coupon","Params":{"user_coupon_id":"390962138708451328","user_id":"383933091455959041","items":[{"num":"2","trade_mark":"201909280011111","price":"13.50"}]}}"#;
    let request = format!(
        "POST /api/v2 HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let path = place.folder.join("request");
    std::fs::write(&path, request).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
