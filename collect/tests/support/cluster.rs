//! A PostgreSQL of the test's own, on a free port with TLS and on a Unix socket; it ends with the test, also by a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared with other tests")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    pub port: u16,
    pub password: &'static str,
}

/// The newest PostgreSQL of Debian's; `None` if there is none.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let number = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut found: Vec<PathBuf> = versions.flatten().map(|entry| entry.path()).collect();
    found.sort_by_key(|path| number(path));
    found.pop().map(|path| path.join("bin")).filter(|bin| bin.join("initdb").exists())
}

impl Cluster {
    /// Starts one; the certificate is that of `host.pem` and `host.key` in this folder.
    pub fn start(certificates: &Path) -> Cluster {
        let programs = programs().expect("PostgreSQL: apt-get install postgresql");
        // A Unix socket's path must be short.
        let folder = std::env::temp_dir().join(format!("zv-pg-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Cluster { folder, programs, port, password: "only for tests" };
        fs::write(cluster.folder.join("password"), cluster.password).unwrap();
        fs::set_permissions(cluster.folder.join("password"), fs::Permissions::from_mode(0o644)).unwrap();
        let data = cluster.folder.join("data").display().to_string();
        let password = cluster.folder.join("password").display().to_string();
        cluster.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "zv",
                "-A",
                "scram-sha-256",
                "--pwfile",
                &password,
                "-E",
                "UTF8",
                "--no-sync",
            ],
        );
        for name in ["host.pem", "host.key"] {
            let text = fs::read(certificates.join(name)).unwrap();
            let path = cluster.folder.join("data").join(name);
            fs::write(&path, text).unwrap();
            cluster.give(&path);
        }
        let socket = cluster.folder.display().to_string();
        let options = format!(
            "-p {port} -k {socket} -c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file=host.pem \
             -c ssl_key_file=host.key -c fsync=off -c shared_buffers=64MB"
        );
        let log = cluster.folder.join("data/log").display().to_string();
        cluster.run("pg_ctl", &["-D", &data, "-w", "-l", &log, "-o", &options, "start"]);
        cluster
    }

    /// As a user that PostgreSQL lets be: it refuses root.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|found| std::os::unix::fs::MetadataExt::uid(&found) == 0);
        let mut command = Command::new(if is_root { Path::new("setpriv") } else { &path });
        if is_root {
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(path);
        }
        command.current_dir(&self.folder);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output: Output =
            self.command(program).args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let log = fs::read_to_string(self.folder.join("data/log")).unwrap_or_default();
        assert!(output.status.success(), "{program}: {said}{log}");
    }

    /// The key must belong to the server's user, and to nobody else.
    fn give(&self, path: &Path) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some(owner) = fs::metadata(self.folder.join("data")).ok().map(|found| {
            use std::os::unix::fs::MetadataExt;
            (found.uid(), found.gid())
        }) {
            // Without the rights to do so, the file is this user's already.
            let _ = std::os::unix::fs::chown(path, Some(owner.0), Some(owner.1));
        }
    }

    /// Makes an empty database and returns its URL: over TCP with TLS, or over the Unix socket.
    pub fn database(&self, name: &str, over_tls: bool) -> String {
        let host = self.folder.display().to_string();
        let port = self.port.to_string();
        let output = self
            .command("createdb")
            .env("PGPASSWORD", self.password)
            .args(["-h", &host, "-p", &port, "-U", "zv", name])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if over_tls {
            format!("postgres://zv@localhost:{port}/{name}?sslmode=require&hostaddr=127.0.0.1")
        } else {
            format!("postgres://zv@/{name}?host={host}&port={port}")
        }
    }

    /// Every connection is cut by the server.
    pub fn cut_connections(&self) {
        let data = self.folder.join("data").display().to_string();
        // The server must not keep this program's pipes open.
        let log = self.folder.join("data/log").display().to_string();
        self.run("pg_ctl", &["-D", &data, "-w", "-l", &log, "-m", "immediate", "restart"]);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.folder.join("data").display().to_string();
        let _ = self.command("pg_ctl").args(["-D", &data, "-m", "immediate", "-w", "stop"]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
