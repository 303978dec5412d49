//! TLS whose trust roots are read at the first handshake that needs them. A machine without certificates still
//! starts: the journal can be queried and settled, only the handshake fails. A failed read is tried again, since a
//! certificate store may be repaired while a till runs; a successful one is kept, and concurrent threads read it
//! once.

use std::io::{self, ErrorKind};

use once_cell::sync::OnceCell;
use ureq::config::Config;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{ConnectionDetails, Connector, RustlsConnector, Transport};
use ureq::{Agent, Error};

use super::{BUFFER, Roots, root_certs};

/// TLS settings whose trust roots are read on first use.
#[derive(Debug)]
pub(super) struct Tls {
    roots: Roots,
    /// The settings of a handshake.
    trusting: OnceCell<Config>,
    rustls: RustlsConnector,
}

impl Tls {
    pub(super) fn new(roots: Roots) -> Tls {
        Tls { roots, trusting: OnceCell::new(), rustls: RustlsConnector::default() }
    }

    /// Reads the trusted certificates once. The error says which setting is wrong.
    pub(super) fn prepare(&self) -> Result<&Config, String> {
        self.trusting.get_or_try_init(|| {
            let tls = TlsConfig::builder().root_certs(root_certs(&self.roots)?).build();
            let config = Agent::config_builder().tls_config(tls);
            // The only other settings that a handshake uses.
            Ok(config.input_buffer_size(BUFFER).output_buffer_size(BUFFER).build())
        })
    }

    /// Encrypts a connection to the host of the details' URL.
    pub(super) fn handshake<'a>(
        &'a self,
        mut details: ConnectionDetails<'a>,
        transport: Box<dyn Transport>,
    ) -> Result<Box<dyn Transport>, Error> {
        // The error looks like that of a failed handshake.
        let unreadable = |message| Error::Io(io::Error::new(ErrorKind::InvalidData, message));
        details.config = self.prepare().map_err(unreadable)?;
        let encrypted = self.rustls.connect(&details, Some(transport))?.filter(Transport::is_tls);
        Ok(Box::new(encrypted.ok_or(Error::TlsRequired)?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const CERTIFICATE: &str = include_str!("../../../tests/fixtures/ca.pem");

    #[test]
    fn a_failed_read_is_retried_at_the_next_handshake_and_a_successful_one_kept() {
        let file = std::env::temp_dir().join(format!("zvpos-roots-{}.pem", std::process::id()));
        let _ = fs::remove_file(&file);
        let tls = Tls::new(Roots::PemFile(file.display().to_string()));
        let refused = tls.prepare().unwrap_err();
        assert!(refused.starts_with("tls.pem: cannot read "), "{refused}");
        fs::write(&file, CERTIFICATE).unwrap();
        std::thread::scope(|scope| {
            let made: Vec<_> =
                (0..8).map(|_| scope.spawn(|| (&raw const *tls.prepare().unwrap()).addr())).collect();
            let made: Vec<usize> = made.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert!(made.iter().all(|other| *other == made[0]), "each has its own");
        });
        fs::remove_file(&file).unwrap();
        tls.prepare().unwrap();
    }
}
