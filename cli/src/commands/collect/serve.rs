//! `zv collect serve`: the collector as a program.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, thread};

use clap::Args;
use serde_json::json;
use zvpos_collect::serve::{Options, Server};

use super::Place;
use crate::exit::Failure;
use crate::output::print;

/// The arguments of `zv collect serve`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The address; without --cert a loopback address behind a reverse proxy with TLS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,

    /// The certificate and its chain, as PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The certificate's key, as PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// How many connections are served at once; for more the oldest that has not proven itself is ended
    #[arg(long, value_name = "NUMBER", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,

    /// After so many minutes without a word a till is silent
    #[arg(long, value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    silent_after: u16,

    /// Write {"url": URL} to this file once it listens
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,

    /// Exit when standard input ends
    #[arg(long)]
    exit_with_stdin: bool,

    #[command(flatten)]
    place: Place,
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let options = Options {
            listen: self.listen,
            tls: self.cert.clone().zip(self.key.clone()),
            store: self.place.location()?,
            connections: self.connections.into(),
            silent_after: Duration::from_mins(self.silent_after.into()),
        };
        let server = Server::start(&options).map_err(Failure::internal)?;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", server.address);
        if let Some(path) = &self.port_file {
            write_whole(path, &json!({ "url": url }).to_string())
                .map_err(|error| Failure::internal(format!("cannot write {}: {error}", path.display())))?;
        }
        print(&format!("collector {url}/\n"));
        if self.exit_with_stdin {
            // An error ends the program, too.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            return Ok(ExitCode::SUCCESS);
        }
        // What was answered is on stable storage: a signal may end the program at any moment.
        loop {
            thread::park();
        }
    }
}

/// Writes a file so that it is either absent or complete.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}
