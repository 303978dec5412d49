//! PgBouncer in transaction mode before a server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::{Cluster, PASSWORD, free_port, give_to_nobody, guardian, own_folder, unprivileged, until};

pub struct Pooler {
    pub port: u16,
    guardian: Child,
}

fn program() -> PathBuf {
    let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"];
    let found = places.iter().map(Path::new).find(|place| place.exists());
    found.expect("missing: pgbouncer (on Debian, as root: apt-get install pgbouncer)").to_owned()
}

impl Pooler {
    /// One with so many connections to the server.
    pub fn before(cluster: &Cluster, size: usize) -> Pooler {
        let folder = own_folder("pgbouncer");
        let port = free_port();
        let users = folder.join("users");
        fs::write(&users, format!("\"zv\" \"{PASSWORD}\"\n")).unwrap();
        let place = folder.display();
        let settings = format!(
            "[databases]\nzv = host=127.0.0.1 port={} dbname=zv\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {size}\nmax_client_conn = 200\nlogfile = {place}/log\npidfile = {place}/pid\n",
            cluster.port,
            users.display()
        );
        let file = folder.join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        for path in [&users, &file] {
            give_to_nobody(path);
        }
        let mut start: Command = unprivileged(&program());
        let status = start.args(["--quiet", "--daemon"]).arg(&file).status().unwrap();
        assert!(status.success(), "{}", fs::read_to_string(folder.join("log")).unwrap_or_default());
        let guardian = guardian(&format!("kill $(cat {place}/pid); rm -rf {place}"));
        let pooler = Pooler { port, guardian };
        until("pgbouncer listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}
