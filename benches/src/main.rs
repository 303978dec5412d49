//! `make bench`: compares the library with what a till's programmer would write instead, in one run against one local
//! server. Only ratios within a run are meaningful: machines differ, and are busy.
//!
//! `zvpos-benches [--quick]` measures, prints every table and the goals, and writes `benches/results/` and the
//! sections of the pages that show it. `--quick` makes a tenth of the calls and writes nothing. `--render` writes the
//! same from the figures of the last run. Timings never fail a test.

mod chart;
mod compare;
mod contestant;
mod counts;
mod fill;
mod goals;
mod journals;
mod pages;
mod peers;
mod report;
mod scale;
mod server;
mod starts;
mod tables;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;
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
        let config = serde_json::json!({
            "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
            "openKey": "fake-open-key-for-test-only-0001",
            "endpoint": server.endpoint(),
            "journal": self.folder.join(format!("{journal}.db")),
            "routes": {"reverse": {"action": "bench.reverse"}},
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
    let server = Server::start().map_err(|error| format!("{error}"))?;
    let mut report = Report::of_this_machine();
    compare::run(&place, &server, &mut report)?;
    counts::run(&place, &server, &mut report)?;
    scale::run(&place, &server, &mut report)?;
    journals::run(&place, &server, &mut report)?;
    // It holds most of a gigabyte.
    let _ = std::fs::remove_dir_all(&place.folder);
    println!("{}", tables::results(&report));
    if quick { Ok(()) } else { pages::write(&report) }
}
