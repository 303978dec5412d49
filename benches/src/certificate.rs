//! The certificate of the https gateway: a CA of this run, and a key that it has signed.

use std::path::Path;
use std::process::Command;

use crate::contestant::fine;

/// Writes `ca.pem`, `host.pem` and `host.key` into the folder.
pub(crate) fn create(folder: &Path) -> Result<(), String> {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let name = "-addext subjectAltName=IP:127.0.0.1";
    let ca = "-CA ca.pem -CAkey ca.key -days 30 -copy_extensions copyall -out host.pem";
    for arguments in [
        format!("req -x509 {key} -days 30 -subj /CN=zvpos-benches -keyout ca.key -out ca.pem"),
        format!("req {key} {name} -subj /CN=gateway -keyout host.key -out host.csr"),
        format!("x509 -req -in host.csr {ca}"),
    ] {
        fine(Command::new("openssl").current_dir(folder).args(arguments.split(' ')))?;
    }
    Ok(())
}
