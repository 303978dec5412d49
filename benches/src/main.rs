//! `make bench`: compares the library with what a till's programmer would write instead, in one run against one local
//! server. Only ratios within a run are meaningful: machines differ, and are busy.
//!
//! `zvpos-benches [--quick]` measures, prints every table and the goals, and writes `benches/results/` and the
//! sections of the pages that show it. `--quick` makes a tenth of the calls and writes nothing. `--render` writes the
//! same from the figures of the last run. Timings never fail a test; what is counted has bounds that a test checks.

mod bounds;
#[cfg(test)]
#[allow(unreachable_pub, reason = "test programs of other packages have it, too")]
#[path = "../../tests/support/cargo.rs"]
mod cargo;
mod certificate;
mod chart;
mod cold;
mod compare;
mod contestant;
mod counts;
mod disk;
mod fill;
mod first_sales;
mod gateway;
mod goals;
mod journals;
mod opening;
mod pages;
mod pause;
mod peers;
mod relay;
mod report;
mod scale;
mod server;
mod slow_disk;
mod starts;
mod tables;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway::Gateway;
use report::Report;
use serde_json::{Value, json};
use server::Server;

/// The paths of a run, and how much is measured.
pub(crate) struct Location {
    root: PathBuf,
    /// Journals and configurations of this run, on the disk that a till's journals would be on.
    folder: PathBuf,
    library: PathBuf,
    /// Makes a tenth of the calls.
    quick: bool,
}

impl Location {
    fn new(quick: bool) -> Result<Location, String> {
        let root = pages::root()?;
        let folder = root.join("target/benches/run");
        // Left over from the last run.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let library = root.join("target/release/libzvpos.so");
        if !library.exists() {
            return Err("target/release/libzvpos.so is missing: cargo build --release -p zvpos".to_owned());
        }
        Ok(Location { root, folder, library, quick })
    }

    /// The same run with its journals in another folder.
    fn with_folder(&self, folder: PathBuf) -> Location {
        Location { root: self.root.clone(), folder, library: self.library.clone(), quick: self.quick }
    }

    /// The count, or a tenth of it in a quick run.
    fn calls(&self, count: usize) -> usize {
        if self.quick { count.div_ceil(10) } else { count }
    }

    /// A compiled program of `target/benches`.
    fn program(&self, name: &str) -> PathBuf {
        self.root.join("target/benches").join(name)
    }

    /// The folder of the library.
    fn library_folder(&self) -> &Path {
        self.library.parent().unwrap_or(&self.root)
    }

    /// A configuration whose journal has that name.
    fn config(&self, server: &Server, journal: &str) -> Result<PathBuf, String> {
        self.write_config(journal, &server.endpoint(), &json!({}))
    }

    /// As [`Location::config`], over https; the gateway is reached at this address.
    fn secure_config(
        &self,
        gateway: &Gateway,
        address: SocketAddr,
        journal: &str,
    ) -> Result<PathBuf, String> {
        let endpoint = gateway.secure()?.endpoint_over(address);
        self.write_config(journal, &endpoint, &json!({"pem": gateway.ca()}))
    }

    fn write_config(&self, journal: &str, endpoint: &str, tls: &Value) -> Result<PathBuf, String> {
        let config = json!({
            "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
            "openKey": "fake-open-key-for-test-only-0001",
            "endpoint": endpoint,
            "journal": self.folder.join(format!("{journal}.db")),
            "routes": {"reverse": {"action": "bench.reverse"}},
            "tls": tls,
        });
        let path = self.folder.join(format!("{journal}.json"));
        std::fs::write(&path, config.to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

fn main() -> ExitCode {
    let asked = |option: &str| std::env::args().any(|argument| argument == option);
    let done = if asked("--render") { pages::render() } else { run(asked("--quick")) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("zvpos-benches: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(quick: bool) -> Result<(), String> {
    let place = Location::new(quick)?;
    let mut report = Report::of_this_machine();
    let gateway = Gateway::start(&place, &mut report)?;
    compare::run(&place, &gateway, &mut report)?;
    counts::run(&place, &gateway, &mut report)?;
    first_sales::run(&place, &gateway.plain, &mut report)?;
    pause::run(&place, &gateway, &mut report)?;
    cold::run(&place, &gateway, &mut report)?;
    scale::run(&place, &gateway.plain, &mut report)?;
    opening::run(&place, &gateway.plain, &mut report)?;
    journals::run(&place, &gateway.plain, &mut report)?;
    // It holds most of a gigabyte.
    let _ = std::fs::remove_dir_all(&place.folder);
    println!("{}", tables::results(&report));
    if quick { Ok(()) } else { pages::write(&report) }
}
