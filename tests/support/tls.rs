//! https in front of the simulator: a CA that is created here, and servers with its certificates.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments.split(' '));
    let output = command.output().expect("openssl: apt-get install openssl");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Creates a CA of this name and a certificate signed by it, valid for this number of days, in this folder, which it
/// returns: `ca.pem`, `host.pem`, `host.key`.
pub fn certificate(folder: PathBuf, ca: &str, alternative_name: &str, days: i32) -> PathBuf {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&folder, &format!("req -x509 {key} -days 30 -subj /CN={ca} -keyout ca.key -out ca.pem"));
    openssl(&folder, &format!("req {key} -subj /CN=test-host -keyout host.key -out host.csr"));
    std::fs::write(folder.join("extensions"), format!("subjectAltName={alternative_name}\n")).unwrap();
    let signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out host.pem";
    openssl(&folder, &format!("x509 -req -in host.csr -days {days} {signed}"));
    folder
}

/// A TLS server in Python; ends on drop.
pub struct Tls {
    child: Child,
    pub port: u16,
}

impl Tls {
    /// The argument of `tests/tls_proxy.py` is the address behind it, that of `tests/tls_stray.py` a size.
    pub fn start(script: &Path, certificate: &Path, argument: &str) -> Tls {
        let mut child = Command::new("python3")
            .arg(script)
            .args([certificate.join("host.pem"), certificate.join("host.key")])
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Tls { child, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
