//! `zvpos-sandbox`: the simulated gateway as a program. What it can be told stands in `USAGE`.
#![forbid(unsafe_code)]

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use tokio::sync::oneshot;
use zvpos_sandbox::{
    faults::{self, Chaos},
    rules::{Policy, Seed},
    server::{Options, Server},
};

const USAGE: &str = "\
zvpos-sandbox: a simulator of the zvcms gateway

  --listen ADDRESS    where the gateway listens (127.0.0.1:8080; port 0: any free one)
  --admin ADDRESS     where the admin API listens (127.0.0.1:8081)
  --data FILE         seed data as JSON (built-in: four members, ten coupons, made-up credentials)
  --policy FILE       how the gateway behaves where nobody knows, as GET /policy shows it
  --port-file FILE    write {\"gateway\": URL, \"admin\": URL} there once both listen
  --chaos RATES       faults by chance, such as seed=7,lost_answer=0.05,http_502=0.01
  --quiet             no line on stderr for each request
  --exit-with-stdin   end when standard input ends
  --faults            print the table of faults and end
  --data-example      print the built-in seed data and end
  --help, --version

On start two lines go to stdout: `gateway http://…` and `admin http://…`.
";

struct Arguments {
    options: Options,
    port_file: Option<PathBuf>,
    exit_with_stdin: bool,
}

/// What the command line asks for.
enum Asked {
    Run(Box<Arguments>),
    Print(String),
}

fn main() -> ExitCode {
    let arguments = match read_arguments(std::env::args().skip(1)) {
        Ok(Asked::Run(arguments)) => *arguments,
        Ok(Asked::Print(text)) => {
            // A reader that stops reading, as `head` does, is no failure.
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("zvpos-sandbox: {why}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("zvpos-sandbox: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), String> {
    let Arguments { options, port_file, exit_with_stdin } = arguments;
    for address in [options.listen, options.admin].iter().filter(|address| !address.ip().is_loopback()) {
        eprintln!("zvpos-sandbox: {address} is not a loopback address: others can reach this sandbox");
    }
    let (listen, admin) = (options.listen, options.admin);
    let server =
        Server::start(options).map_err(|error| format!("cannot listen on {listen} and {admin}: {error}"))?;
    let (gateway, admin) = (format!("http://{}", server.gateway), format!("http://{}", server.admin));
    if let Some(path) = port_file {
        write_whole(&path, &serde_json::json!({"gateway": gateway, "admin": admin}).to_string())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "gateway {gateway}\nadmin {admin}")
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("cannot write to stdout: {error}"))?;
    server.run_until(end(exit_with_stdin));
    Ok(())
}

/// Writes a file so that it is either not there or whole.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

/// Ends when the program is to end: by a signal, or with its standard input.
async fn end(exit_with_stdin: bool) {
    tokio::select! {
        () = stdin_ended(), if exit_with_stdin => {}
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

async fn stdin_ended() {
    let (ended, stdin) = oneshot::channel();
    // A thread of its own: a read of stdin cannot be given up, and must not keep the runtime from ending.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = ended.send(());
    });
    // An error is the thread's end, too.
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

fn read_arguments(mut given: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut listen = address("--listen", "127.0.0.1:8080")?;
    let mut admin = address("--admin", "127.0.0.1:8081")?;
    let mut seed = Seed::DEFAULT_JSON.to_owned();
    let mut seed_name = "the built-in seed data".to_owned();
    let mut policy = Policy::default();
    let mut chaos = None;
    let (mut port_file, mut quiet, mut exit_with_stdin) = (None, false, false);
    while let Some(argument) = given.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let takes_value = matches!(
            name.as_str(),
            "--listen" | "--admin" | "--data" | "--policy" | "--chaos" | "--port-file"
        );
        if inline.is_some() && !takes_value {
            return Err(format!("{name} takes no value, or is not known"));
        }
        let value = match inline {
            None if takes_value => given.next().ok_or_else(|| format!("{name} needs a value"))?,
            inline => inline.unwrap_or_default(),
        };
        match name.as_str() {
            "--listen" => listen = address(&name, &value)?,
            "--admin" => admin = address(&name, &value)?,
            "--data" => {
                seed = read_file(&value)?;
                seed_name = value;
            }
            "--policy" => {
                let text = read_file(&value)?;
                policy = serde_json::from_str(&text).map_err(|error| format!("{value}: {error}"))?;
            }
            "--chaos" => chaos = Some(Chaos::parse(&value).map_err(|why| format!("--chaos: {why}"))?),
            "--port-file" => port_file = Some(PathBuf::from(value)),
            "--quiet" => quiet = true,
            "--exit-with-stdin" => exit_with_stdin = true,
            "--faults" => return Ok(Asked::Print(faults::table())),
            "--data-example" => return Ok(Asked::Print(Seed::DEFAULT_JSON.to_owned())),
            "--help" => return Ok(Asked::Print(USAGE.to_owned())),
            "--version" => return Ok(Asked::Print(format!("zvpos-sandbox {}\n", env!("CARGO_PKG_VERSION")))),
            _ => return Err(format!("{name:?} is not known")),
        }
    }
    let seed = Arc::new(Seed::parse(&seed).map_err(|error| format!("{seed_name}: {error}"))?);
    let options = Options { listen, admin, seed, policy, chaos, quiet };
    Ok(Asked::Run(Box::new(Arguments { options, port_file, exit_with_stdin })))
}

fn address(name: &str, value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| format!("{name}: {value:?} is no address like 127.0.0.1:8080"))
}

fn read_file(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}
