//! `zv sandbox`: the simulated gateway as a program.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::{fs, thread};

use clap::Args;
use serde_json::json;
use tokio::sync::oneshot;
use zvpos_sandbox::faults::{self, Chaos};
use zvpos_sandbox::rules::{Policy, Seed};
use zvpos_sandbox::server::{Options, Server};

use crate::exit::Failure;
use crate::output::say;
use crate::settings::{SIMULATOR, read_text, simulator_config};
use crate::till::or_failure;

/// The arguments of `zv sandbox`.
#[derive(Args, Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Arguments {
    /// The gateway's address; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,

    /// The address of the admin API and the inspector
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081", value_parser = address)]
    admin: SocketAddr,

    /// Accounts, members and coupons as JSON, in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// The gateway's behaviour where the vendor's is unknown, as GET /policy of the admin API shows it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Random faults, such as seed=7,lost_answer=0.05,http_502=0.01
    #[arg(long, value_name = "RATES", value_parser = Chaos::parse)]
    chaos: Option<Chaos>,

    /// Write {"gateway": URL, "admin": URL} to this file once both listen
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,

    /// Do not log each request to stderr
    #[arg(long)]
    quiet: bool,

    /// Exit when standard input ends
    #[arg(long)]
    exit_with_stdin: bool,

    /// Print the table of faults and exit
    #[arg(long)]
    faults: bool,

    /// Print the built-in accounts, members and coupons and exit
    #[arg(long, conflicts_with = "faults")]
    data_example: bool,
}

impl Arguments {
    /// Runs until a signal or the end of standard input.
    pub(crate) fn run(self) -> ExitCode {
        if self.faults {
            return print(&faults::table());
        }
        if self.data_example {
            return print(Seed::DEFAULT_JSON);
        }
        or_failure(self.serve())
    }

    fn serve(self) -> Result<ExitCode, Failure> {
        for address in [self.listen, self.admin].iter().filter(|address| !address.ip().is_loopback()) {
            say(&format!("zv sandbox: {address} is not a loopback address: others can reach this sandbox"));
        }
        let (seed, policy) = (self.seed()?, self.policy()?);
        let Arguments { listen, admin, chaos, quiet, .. } = self.clone();
        let options = Options { listen, admin, seed, policy, chaos, quiet };
        let server = Server::start(options).map_err(|error| self.cannot_listen(&error))?;
        let (gateway, admin) = (format!("http://{}", server.gateway), format!("http://{}", server.admin));
        if let Some(path) = &self.port_file {
            write_whole(path, &json!({"gateway": gateway, "admin": admin}).to_string())
                .map_err(|error| Failure::internal(format!("cannot write {}: {error}", path.display())))?;
        }
        let mut stdout = io::stdout().lock();
        // A script reads the port file, so nothing has to read this.
        let _ = stdout.write_all(welcome(&gateway, &admin).as_bytes()).and_then(|()| stdout.flush());
        server.run_until(end(self.exit_with_stdin));
        Ok(ExitCode::SUCCESS)
    }

    /// The address that is taken, and the remedy.
    fn cannot_listen(&self, error: &io::Error) -> Failure {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse if self.listen == self.admin => {
                "--listen and --admin must not be the same address. "
            }
            io::ErrorKind::AddrInUse => {
                "Another program listens there, perhaps another `zv sandbox`: end it, or choose another address. "
            }
            _ => "",
        };
        let flag =
            if error.to_string().starts_with(&self.listen.to_string()) { "--listen" } else { "--admin" };
        Failure::internal(format!(
            "cannot listen on {error} ({flag}). {why}`{flag} 127.0.0.1:0` takes any free port"
        ))
    }

    fn seed(&self) -> Result<Arc<Seed>, Failure> {
        let (text, name) = match &self.data {
            Some(path) => (read_text(path)?, path.display().to_string()),
            None => (Seed::DEFAULT_JSON.to_owned(), "the built-in data".to_owned()),
        };
        Seed::parse(&text).map(Arc::new).map_err(|error| Failure::invalid(format!("{name}: {error}")))
    }

    fn policy(&self) -> Result<Policy, Failure> {
        let Some(path) = &self.policy else { return Ok(Policy::default()) };
        serde_json::from_str(&read_text(path)?)
            .map_err(|error| Failure::invalid(format!("{}: {error}", path.display())))
    }
}

/// The text that is shown once it listens. Its first two lines are meant for scripts, too.
fn welcome(gateway: &str, admin: &str) -> String {
    // Absolute, as every journal's path: in the folder where the program was started.
    let journal = std::env::current_dir().unwrap_or_else(|_| std::env::temp_dir()).join("sandbox.db");
    let config = simulator_config(gateway, &journal.to_string_lossy());
    let flag = if gateway == SIMULATOR { "--sandbox".to_owned() } else { format!("--sandbox {gateway}") };
    format!(
        "gateway {gateway}\nadmin {admin}\ninspector {admin}/\n\n\
         A configuration for a till; its credentials are made up:\n\n{config}\n\n\
         The same from a shell, without any configuration:\n\n  \
         zv call member_lookup --param identifierNumber=M0001 --param type=1 {flag}\n\n\
         Ctrl-C stops the simulator, which then forgets every payment.\n"
    )
}

fn print(text: &str) -> ExitCode {
    // A closed stdout, as with `head`, is not an error.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address is like 127.0.0.1:8080".to_owned())
}

/// Writes a file so that it is either absent or complete.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

/// Completes when the program must end: at a signal, or at the end of standard input.
async fn end(exit_with_stdin: bool) {
    tokio::select! {
        () = stdin_ended(), if exit_with_stdin => {}
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

async fn stdin_ended() {
    let (ended, stdin) = oneshot::channel();
    // A separate thread: a read of stdin cannot be cancelled, and must not keep the runtime from shutting down.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = ended.send(());
    });
    // An error ends the thread, too.
    let _ = stdin.await;
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
