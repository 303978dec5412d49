//! The servers of the database: opens a connection to the first one that takes writes and keeps what it acknowledges.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use zvpos_core::journal::JournalError;
use zvpos_core::outcome::codes;

use crate::connection::{Connection, NotOpen};
use crate::fit::NoConnection;
use crate::settings::Settings;
use crate::url::{Host, Url};
use crate::{fit, statements};

/// Where connections lead to.
pub(crate) struct Target {
    url: Url,
    password: Option<String>,
    tls: Option<MakeRustlsConnect>,
    patience: Duration,
}

impl Target {
    /// Reads the settings.
    pub(crate) fn of(settings: &Settings) -> Result<Target, JournalError> {
        let wrong = |words: String| JournalError::new(&codes::JOURNAL_PLACE, words);
        let url = Url::read(&settings.url)
            .map_err(|words| wrong(format!("the address of the journal's database is wrong: {words}")))?;
        if !statements::is_schema(&settings.schema) {
            return Err(wrong(
                "the schema of the journal is named by up to 63 small letters, digits and underscores, and begins \
                 with no digit"
                    .to_owned(),
            ));
        }
        if settings.pool == 0 {
            return Err(wrong("the journal's pool needs at least one connection".to_owned()));
        }
        let tls =
            if url.is_verified { Some(verified(settings.pem.as_deref()).map_err(wrong)?) } else { None };
        Ok(Target { url, password: settings.password.clone(), tls, patience: settings.connect_patience })
    }

    /// Where it is, without secrets.
    pub(crate) fn words(&self) -> String {
        self.url.words()
    }

    /// Whether connections are encrypted, and the server's certificate and name are verified.
    pub(crate) fn is_verified(&self) -> bool {
        self.url.is_verified
    }

    /// Whether nothing between this program and the servers can read along.
    pub(crate) fn is_local(&self) -> bool {
        self.url.hosts.iter().all(Host::is_local)
    }

    /// Opens a connection to the first server that takes writes.
    pub(crate) fn connect(&self, until: Instant) -> Result<Connection, NoConnection> {
        let until = until.min(Instant::now() + self.patience);
        let mut last = None;
        for (place, host) in self.url.hosts.iter().enumerate() {
            let now = Instant::now();
            let left = u32::try_from(self.url.hosts.len() - place).unwrap_or(u32::MAX);
            let share = now + until.saturating_duration_since(now) / left;
            match self.connect_to(host, share) {
                Err(NoConnection::Unreachable(error)) => last = Some(error),
                opened => return opened,
            }
        }
        let nowhere = || JournalError::new(&codes::JOURNAL_PLACE, "the journal's address names no host");
        Err(NoConnection::Unreachable(last.unwrap_or_else(nowhere)))
    }

    fn connect_to(&self, host: &Host, until: Instant) -> Result<Connection, NoConnection> {
        let mut config = Config::new();
        config.host(&host.name).port(host.port).user(&self.url.user).dbname(&self.url.database);
        config.application_name("zvpos").keepalives_idle(Duration::from_secs(30));
        if let Some(password) = &self.password {
            config.password(password);
        }
        let opened = match &self.tls {
            Some(tls) => Connection::open(config.ssl_mode(SslMode::Require), tls.clone(), until),
            None => Connection::open(config.ssl_mode(SslMode::Disable), NoTls, until),
        };
        let mut connection = opened.map_err(|not_open| self.explained(host, &not_open))?;
        fit::prove(&mut connection, host, until)?;
        Ok(connection)
    }

    fn explained(&self, host: &Host, not_open: &NotOpen) -> NoConnection {
        let NotOpen { words, code } = not_open;
        let (at, Url { user, database, .. }) = (host.words(), &self.url);
        let refused = |message: String| JournalError::new(&codes::JOURNAL_PLACE, message);
        NoConnection::Unreachable(match code.as_deref() {
            Some(code) if code.starts_with("28") => refused(format!(
                "the PostgreSQL server {at} refuses the user {user}: {words}; give the user's name and password as the \
                 server knows them, and let its pg_hba.conf admit this machine"
            )),
            Some("3D000") => refused(format!(
                "the PostgreSQL server {at} has no database {database}: {words}; create it, or name another one"
            )),
            _ => JournalError::new(
                &codes::JOURNAL_AWAY,
                format!("the journal's database at {at} cannot be reached: {words}"),
            ),
        })
    }
}

/// TLS that verifies the server's certificate and name.
fn verified(pem: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let roots = match pem {
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        Some(path) => {
            let wrong = |what: &str| format!("the file of certificates {} {what}", path.display());
            let text = fs::read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let certificate = certificate.map_err(|_| wrong("is not PEM"))?;
                roots.add(certificate).map_err(|_| wrong("holds one that cannot be used"))?;
            }
            if roots.is_empty() {
                return Err(wrong("holds no certificate"));
            }
            roots
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
