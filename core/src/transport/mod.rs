//! HTTP/1.1 to the gateway, on sockets and with name look-ups of our own, so that one deadline holds for a whole call and
//! so that it is known, not guessed, whether a byte of the request left the machine. ureq's connectors do the proxy's
//! CONNECT and TLS (`connect.rs`, `tls.rs`); the exchange on an open connection is `connection.rs`, and what bytes are an
//! answer `reader.rs`.

mod ahead;
mod connect;
mod connection;
mod limits;
mod pool;
mod reader;
mod request;
mod resolver;
mod tcp;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts};

use crate::bytes::without_mark;
use crate::calendar::timestamp;
use crate::clock::machine_unix_ms;
use crate::gateway::{Doubt, NotSent};
use crate::outcome::codes;
use crate::payment::EARLIEST_MS;
pub use ahead::Ahead;
use connect::Opener;
use connection::{Connection, Failure};
use pool::{Pool, Ready};
use request::AbsoluteForm;

/// The buffer size for reading and writing; the vendor's answers are a few kilobytes.
const BUFFER: usize = reader::MAX_HEAD;

/// Which certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Mozilla's, bundled in the library: the same on every till, whatever its age.
    #[default]
    Bundled,
    /// The operating system's.
    System,
    /// Those in a PEM file.
    PemFile(String),
}

/// How the gateway is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportSettings {
    /// The timeout for name look-up, TCP, proxy and TLS together.
    pub connect: Duration,
    /// How long an idle connection may be reused.
    pub idle: Duration,
    /// The trusted certificates.
    pub roots: Roots,
    /// `http://host:port` of a proxy.
    pub proxy: Option<String>,
    /// Whether the proxy gets plain http requests with the whole URL instead of a CONNECT.
    pub absolute: bool,
}

/// The HTTP client for the gateway. Calls from many threads share its connections.
#[derive(Debug)]
pub struct Http {
    opener: Opener,
    pool: Pool,
    connect: Duration,
}

/// A complete HTTP answer.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
    /// The `Date` header.
    pub date: Option<SystemTime>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum TransportError {
    /// No byte of the request was sent.
    NotSent(NotSent),
    /// A byte was sent, so anything may have happened.
    Lost(Doubt),
}

/// Whether a request may still leave, or why not.
pub type MaySend<'m> = &'m dyn Fn() -> Result<(), NotSent>;

/// When a gateway with a request under way is looked at again, whose connection will then be kept.
const SOON: Duration = Duration::from_millis(250);

/// The result of one request, and how long it took.
#[derive(Debug)]
pub struct Exchanged {
    /// The answer, or why there is none.
    pub result: Result<HttpAnswer, TransportError>,
    /// Name look-up, TCP, proxy and TLS; zero on a kept connection.
    pub connect: Duration,
    /// The rest of the time.
    pub wait: Duration,
}

impl Http {
    /// Sets up the client; sends nothing. The error says which setting is wrong.
    pub fn new(settings: &TransportSettings) -> Result<Http, String> {
        let proxy = match &settings.proxy {
            Some(proxy) => Some(ureq::Proxy::new(proxy).map_err(|e| format!("proxy: {e}"))?),
            None => None,
        };
        let opener = Opener::new(settings.roots.clone(), proxy, settings.absolute);
        // A configured PEM file is read now. The system's certificates are read when they are needed: a till on a
        // machine without any must still start, because of the journal's records.
        if matches!(settings.roots, Roots::PemFile(_)) {
            opener.tls().prepare()?;
        }
        Ok(Http { opener, pool: Pool::new(settings.idle), connect: settings.connect })
    }

    /// Whether plain http goes through a proxy that reads it.
    pub fn is_absolute(&self) -> bool {
        self.opener.is_absolute()
    }

    /// Whether a connection to that gateway is kept that is not too old.
    pub fn is_connected(&self, url: &Uri) -> bool {
        self.pool.holds(url)
    }

    /// Begins to open a TCP connection to that gateway, or to the proxy before it. `None` if its address is not known yet,
    /// which is then being looked up, or if it cannot be reached.
    pub fn connect_ahead(&self, url: &Uri) -> Option<Ahead> {
        self.opener.begin(url)
    }

    /// Opens a connection to that gateway, for a request that may come, unless the youngest that is kept stays usable for a
    /// while or a request is using one. Sends no request. Returns after how long it is done again.
    pub fn keep_warm(&self, url: &Uri) -> Duration {
        let renewed = self.pool.idle() * 3 / 4;
        match self.pool.ready(url) {
            Ready::Kept(age) if age < renewed => return renewed.saturating_sub(age),
            Ready::InUse => return renewed.min(SOON),
            Ready::Kept(_) | Ready::None => {}
        }
        let deadline = Instant::now() + self.connect;
        if let Ok(mut opened) = self.opener.open(url, deadline, None)
            && opened.settle(deadline)
        {
            self.pool.keep(url, opened);
        }
        renewed
    }

    /// Posts a JSON body and reads the whole answer, ending at the deadline at the latest. `may_send` is asked when a
    /// connection is open, immediately before the first byte.
    pub fn post(
        &self,
        url: &Uri,
        body: &str,
        deadline: Instant,
        ahead: Option<Ahead>,
        may_send: MaySend<'_>,
    ) -> Exchanged {
        let started = Instant::now();
        let mut connect = Duration::ZERO;
        let _under_way = self.pool.begin(url);
        let found = self.pool.take(url).map_or_else(
            || {
                let opened = self.opener.open(url, deadline.min(started + self.connect), ahead);
                connect = started.elapsed();
                opened.map_err(|failure| TransportError::NotSent(not_sent(&failure, url)))
            },
            Ok,
        );
        let result = found.and_then(|connection| {
            may_send().map_err(TransportError::NotSent)?;
            self.exchange(connection, url, body, deadline)
        });
        Exchanged { result, connect, wait: started.elapsed().saturating_sub(connect) }
    }

    fn exchange(
        &self,
        mut connection: Connection,
        url: &Uri,
        body: &str,
        deadline: Instant,
    ) -> Result<HttpAnswer, TransportError> {
        let form = self.opener.absolute_for(url);
        let head = request::head(url, body.len(), form);
        match connection.exchange(head.as_bytes(), body.as_bytes(), deadline) {
            Ok((answer, keeps)) => {
                if keeps {
                    self.pool.keep(url, connection);
                }
                // Through a proxy that reads requests, a date may be the proxy's, or that of a cached answer.
                Ok(HttpAnswer { date: answer.date.filter(|_| form.is_none()), ..answer })
            }
            Err(failure) if connection.departed() => Err(TransportError::Lost(lost(&failure))),
            Err(failure) => Err(TransportError::NotSent(not_sent(&failure, url))),
        }
    }
}

fn root_certs(roots: &Roots) -> Result<RootCerts, String> {
    let certificates: Vec<Certificate<'static>> = match roots {
        Roots::Bundled => return Ok(RootCerts::WebPki),
        Roots::System => system_certificates()?,
        Roots::PemFile(path) => pem_certificates(path).map_err(|error| format!("tls.pem: {error}"))?,
    };
    if certificates.is_empty() {
        return Err(match roots {
            Roots::PemFile(path) => format!("tls.pem: {path} holds no certificate"),
            _ => "tls.roots: the system has no certificates; use \"bundled\" or a PEM file".to_owned(),
        });
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

impl Roots {
    /// The certificates in DER; `None` for the bundled ones, which are Mozilla's.
    pub fn certificates(&self) -> Result<Option<Vec<Vec<u8>>>, String> {
        match root_certs(self)? {
            RootCerts::Specific(certificates) => {
                Ok(Some(certificates.iter().map(|certificate| certificate.der().to_vec()).collect()))
            }
            _ => Ok(None),
        }
    }
}

fn pem_certificates(path: &str) -> Result<Vec<Certificate<'static>>, String> {
    let pem = std::fs::read(path).map_err(|e| format!("cannot read {path}: {e}"))?;
    ureq::tls::parse_pem(without_mark(&pem).unwrap_or(&pem))
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(e) => Some(Err(format!("{path}: {e}"))),
        })
        .collect()
}

/// The paths of the systems' certificates. Listed here because the usual crates obey environment variables, which
/// must not be able to change whom a till trusts.
#[cfg(unix)]
fn system_certificates() -> Result<Vec<Certificate<'static>>, String> {
    const BUNDLES: [&str; 5] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    match BUNDLES.into_iter().find(|path| std::path::Path::new(path).exists()) {
        Some(path) => pem_certificates(path).map_err(|error| format!("tls.roots: {error}")),
        None => Ok(Vec::new()),
    }
}

#[cfg(not(unix))]
fn system_certificates() -> Result<Vec<Certificate<'static>>, String> {
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| std::env::var_os(name).is_some()) {
        return Err(
            "tls.roots: SSL_CERT_FILE or SSL_CERT_DIR is set; give the certificates as tls.pem".to_owned()
        );
    }
    let certificates = rustls_native_certs::load_native_certs().certs;
    Ok(certificates
        .iter()
        .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned())
        .collect())
}

/// Which step failed before a byte was sent. The kinds of ureq's errors overlap (an unknown host is `Io`), so the
/// resolver and the connector name themselves.
fn not_sent(failure: &Failure, url: &Uri) -> NotSent {
    use ureq::Error as E;
    let Failure::Connection(error) = failure else {
        return NotSent { code: &codes::CONNECT, message: failure.to_string() };
    };
    let code = match error {
        E::HostNotFound | E::Timeout(ureq::Timeout::Resolve) => &codes::DNS,
        E::Tls(_) | E::Rustls(_) | E::Pem(_) | E::TlsRequired => &codes::TLS,
        E::ConnectProxyFailed(_) | E::InvalidProxyUrl => &codes::PROXY,
        E::Io(io) if tls_cause(io) => &codes::TLS,
        _ => &codes::CONNECT,
    };
    let mut message = error.to_string();
    // 407 asks for a login; a proxy that does not answer may be down.
    if let E::ConnectProxyFailed(why) = error
        && AbsoluteForm::is_for(url)
        && why.contains("responded")
        && !why.contains("407")
    {
        message.push_str(
            "; a proxy that forwards plain http but lets no CONNECT to it through (Squid's default) is asked with the \
             whole URL by \"proxy\": {\"url\": …, \"mode\": \"absolute\"} (proxy.mode); docs/money-safety.md says \
             what no longer holds then",
        );
    }
    // Certificates have dates, and a clock that was reset is before all of them.
    let of_dates = ["not valid", "NotValid", "xpired"].iter().any(|words| message.contains(words));
    if code.text != codes::TLS.text || !of_dates {
        return NotSent { code, message };
    }
    let now = machine_unix_ms();
    let code = if now < EARLIEST_MS { &codes::TLS_CLOCK } else { code };
    NotSent { code, message: format!("{message}; this machine's clock says {}", timestamp(now)) }
}

/// rustls reports a failed handshake through the socket's error.
fn tls_cause(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}

fn lost(failure: &Failure) -> Doubt {
    match failure {
        Failure::Connection(ureq::Error::Timeout(_)) => {
            Doubt::new(&codes::TIMEOUT, "no whole answer before the deadline")
        }
        Failure::Unreadable(why) => Doubt::new(&codes::NOT_GATEWAY, why.to_string()),
        other => Doubt::new(
            &codes::LOST,
            format!("the connection broke after the request had begun to leave: {other}"),
        ),
    }
}

#[cfg(test)]
mod tests;
