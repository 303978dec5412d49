//! A PostgreSQL of the test's own: made in a folder in memory, run by a user that is not root, stopped and removed with
//! the value, and also when the test's process ends in any other way.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, reason = "no test uses all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod version;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

pub use version::{Version, on_the_second_version_too};

/// `nobody`, as which the server runs where the test is root: initdb refuses root.
const NOBODY: u32 = 65_534;

pub const PASSWORD: &str = "sEcret-of-zv";

/// A server with the superuser `postgres`, and the user `zv` who owns the database `zv`.
pub struct Cluster {
    folder: PathBuf,
    version: Version,
    pub port: u16,
    /// Waits for the end of this process, and then stops the server and removes the folder.
    guardian: Child,
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Whether this process is root.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// A program as the user that runs servers.
pub fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let id = NOBODY.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(program);
    command
}

pub fn give_to_nobody(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

#[track_caller]
pub fn done(mut command: Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A new folder in memory, for a user that is not root.
pub fn own_folder(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    own_folder_in(&parent, name)
}

/// The same in that folder.
pub fn own_folder_in(parent: &Path, name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = parent.join(format!("zvpos-{name}-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    give_to_nobody(&folder);
    folder
}

/// A shell that waits until its standard input ends, which it does with this process at the latest, and then carries out
/// a command. What a terminal sends to all its programs ends only this process.
pub fn guardian(command: &str) -> Child {
    let mut shell = unprivileged(Path::new("/bin/sh"));
    shell.args(["-c", &format!("trap '' HUP INT TERM; cd /; read -r _; {command}")]);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

impl Cluster {
    /// A server with the usual settings.
    pub fn start() -> Cluster {
        Cluster::with(&[])
    }

    /// A server with these settings besides.
    pub fn with(settings: &[&str]) -> Cluster {
        Cluster::at(own_folder("postgres"), settings)
    }

    /// A server with TLS, whose certificate and key are in these files.
    pub fn with_tls(certificate: &Path, key: &Path) -> Cluster {
        let folder = own_folder("postgres");
        let settings = [("ssl_cert_file", certificate), ("ssl_key_file", key)].map(|(setting, from)| {
            let file = folder.join(from.file_name().unwrap());
            fs::copy(from, &file).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            give_to_nobody(&file);
            format!("{setting} = '{}'", file.display())
        });
        Cluster::of(Version::with_tls(), folder, &["ssl = on", &settings[0], &settings[1]])
    }

    /// The same in a folder of its own.
    pub fn at(folder: PathBuf, settings: &[&str]) -> Cluster {
        Cluster::of(Version::chosen(), folder, settings)
    }

    fn of(version: Version, folder: PathBuf, settings: &[&str]) -> Cluster {
        let password = folder.join("password");
        fs::write(&password, PASSWORD).unwrap();
        let mut initdb = unprivileged(&version.program("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
        ]);
        initdb.args(["--locale=C.UTF-8", "--no-sync", "--no-instructions"]);
        done({
            initdb.arg("--pwfile").arg(&password).arg("--pgdata").arg(folder.join("data"));
            initdb
        });
        let cluster = Cluster::over(version, folder, settings);
        cluster.server_start();
        let admin = cluster.admin();
        let running = admin.texts("SHOW server_version").remove(0);
        assert!(
            running.starts_with(&format!("{}.", cluster.version.major)),
            "{running} {:?}",
            cluster.version
        );
        admin.batch(&format!("CREATE ROLE zv LOGIN PASSWORD '{PASSWORD}'"));
        admin.batch("CREATE DATABASE zv OWNER zv");
        cluster
    }

    /// A standby of this server with that name, and a slot of its own.
    pub fn standby(&self, name: &str) -> Cluster {
        let folder = own_folder("standby");
        let mut backup = unprivileged(&self.version.program("pg_basebackup"));
        backup.args(["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync"]);
        let from = format!(
            "host={} port={} user=postgres application_name={name}",
            self.folder.display(),
            self.port
        );
        done({
            backup.arg("--dbname").arg(from).arg("--pgdata").arg(folder.join("data"));
            backup
        });
        let standby = Cluster::over(self.version.clone(), folder, &[]);
        standby.server_start();
        standby
    }

    fn over(version: Version, folder: PathBuf, settings: &[&str]) -> Cluster {
        let port = free_port();
        let mut lines = format!(
            "\nport = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 60\n\
             shared_buffers = 32MB\nfsync = on\nmax_wal_senders = 4\n",
            folder.display()
        );
        for setting in settings {
            lines.push_str(setting);
            lines.push('\n');
        }
        let file = folder.join("data/postgresql.conf");
        let text = fs::read_to_string(&file).unwrap() + &lines;
        fs::write(&file, text).unwrap();
        let stop = format!(
            "{} stop -m immediate -D {}",
            version.program("pg_ctl").display(),
            folder.join("data").display()
        );
        let guardian = guardian(&format!("{stop}; rm -rf {}", folder.display()));
        Cluster { folder, version, port, guardian }
    }

    fn control(&self, arguments: &[&str]) {
        let mut control = unprivileged(&self.version.program("pg_ctl"));
        // The server must not keep the pipe of a test's output open.
        control
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-l")
            .arg(self.folder.join("log"))
            .args(arguments);
        let status =
            control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "{arguments:?}: {}", log());
    }

    pub fn server_start(&self) {
        self.control(&["start", "-w", "-t", "30"]);
    }

    /// As if the machine's processes had been killed.
    pub fn server_stop_at_once(&self) {
        self.control(&["stop", "-m", "immediate"]);
    }

    pub fn promote(&self) {
        self.control(&["promote", "-w"]);
    }

    pub fn reload(&self) {
        self.control(&["reload"]);
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process of the server.
    pub fn process(&self) -> String {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().to_owned()
    }

    /// The address over TCP.
    pub fn url(&self) -> String {
        format!("postgres://zv@127.0.0.1:{}/zv", self.port)
    }

    /// A connection of the superuser.
    pub fn admin(&self) -> Admin {
        self.admin_of("postgres")
    }

    /// A connection of the superuser to that database.
    pub fn admin_of(&self, database: &str) -> Admin {
        let host = self.folder.display();
        Admin::connect(&format!("host={host} port={} user=postgres dbname={database}", self.port))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// Statements of a person.
pub struct Admin {
    runtime: Runtime,
    client: Client,
}

impl Admin {
    fn connect(words: &str) -> Admin {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(words, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Admin { runtime, client }
    }

    pub fn batch(&self, text: &str) {
        self.runtime
            .block_on(self.client.batch_execute(text))
            .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    }

    /// The first column of each row, as text.
    pub fn texts(&self, text: &str) -> Vec<String> {
        let answers = self.runtime.block_on(self.client.simple_query(text));
        let answers = answers.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let rows = answers.iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
            _ => None,
        });
        rows.collect()
    }
}

/// Waits until it is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = soon();
    while !is_so() {
        assert!(Instant::now() < end, "not in time: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
