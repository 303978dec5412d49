//! Where the calls of a run go: the same answers over http and over https.

use std::fs;
use std::path::PathBuf;

use crate::Location;
use crate::certificate;
use crate::peers::{OPENSSL, is_there};
use crate::report::Report;
use crate::server::Server;

/// The servers of a run.
pub(crate) struct Gateway {
    pub(crate) plain: Server,
    /// Not on a machine that cannot make a certificate.
    secure: Option<Server>,
    /// `ca.pem` and what it signed.
    certificate: PathBuf,
}

impl Gateway {
    pub(crate) fn start(place: &Location, report: &mut Report) -> Result<Gateway, String> {
        let plain = Server::start().map_err(|error| format!("{error}"))?;
        let certificate = place.folder.join("certificate");
        let secure = if is_there(place, &OPENSSL) {
            fs::create_dir_all(&certificate)
                .map_err(|error| format!("{}: {error}", certificate.display()))?;
            certificate::create(&certificate)?;
            Some(Server::start_secure(&certificate)?)
        } else {
            report.missing("everything over https", OPENSSL.why, OPENSSL.install);
            None
        };
        Ok(Gateway { plain, secure, certificate })
    }

    /// The server over https.
    pub(crate) fn secure(&self) -> Result<&Server, String> {
        self.secure.as_ref().ok_or_else(|| format!("no https: {}", OPENSSL.why))
    }

    /// The certificate that a client trusts.
    pub(crate) fn ca(&self) -> PathBuf {
        self.certificate.join("ca.pem")
    }
}
