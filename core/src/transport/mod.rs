//! HTTP to the gateway: one ureq agent with sockets and name look-ups of our own, so that one deadline holds for a
//! whole call and so that it is known, not guessed, whether a byte of the request left the machine.

mod absolute;
mod absolute_form;
mod ahead;
mod exchange;
mod resolver;
mod tcp;
mod tls;

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::tls::{Certificate, PemItem, RootCerts};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector};

use crate::bytes::without_mark;
use crate::calendar::timestamp;
use crate::clock::machine_unix_ms;
use crate::gateway::{Doubt, NotSent};
use crate::outcome::codes;
use crate::payment::EARLIEST_MS;
use absolute::AbsoluteConnector;
pub use ahead::Ahead;
use exchange::MarkRequests;
use resolver::CachingResolver;
use tcp::TcpConnector;
use tls::TlsConnector;

/// The largest answer that is accepted.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;

/// The buffer size for reading and writing; the vendor's answers are a few kilobytes.
const BUFFER: usize = 16 * 1024;

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
    agent: ureq::Agent,
    resolver: CachingResolver,
    proxy: Option<ureq::Proxy>,
    connect: Duration,
    idle: Duration,
    absolute: bool,
    /// When each gateway last answered; its connection was kept then.
    answered: Mutex<Vec<(Authority, Instant)>>,
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
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_age(settings.idle)
            .max_idle_connections(128)
            .max_idle_connections_per_host(64)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_response_header_size(16 * 1024)
            .user_agent(concat!("zvpos/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .accept_encoding("identity")
            // Our own sockets and resolver enforce a call's deadline; see `exchange`.
            .timeout_global(None);
        let tls = TlsConnector::new(settings.roots.clone());
        // A configured PEM file is read now. The system's certificates are read when they are needed: a till on a
        // machine without any must still start, because of the journal's records.
        if matches!(settings.roots, Roots::PemFile(_)) {
            tls.prepare()?;
        }
        let proxy = match &settings.proxy {
            Some(proxy) => Some(ureq::Proxy::new(proxy).map_err(|e| format!("proxy: {e}"))?),
            None => None,
        };
        config = config.proxy(proxy.clone());
        let absolute = settings.absolute && proxy.is_some();
        let connector =
            ().chain(AbsoluteConnector::new(proxy.clone().filter(|_| absolute)))
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector)
                .chain(tls)
                .chain(MarkRequests);
        let resolver = CachingResolver::default();
        let agent = ureq::Agent::with_parts(config.build(), connector, resolver.clone());
        let (connect, idle, answered) = (settings.connect, settings.idle, Mutex::default());
        Ok(Http { agent, resolver, proxy, connect, idle, absolute, answered })
    }

    /// Whether plain http goes through a proxy that reads it.
    pub fn is_absolute(&self) -> bool {
        self.absolute
    }

    /// Whether a connection to that gateway was kept so recently that it can be used.
    pub fn is_connected(&self, url: &Uri) -> bool {
        let answered = self.answered();
        let last = answered.iter().find(|(authority, _)| Some(authority) == url.authority());
        last.is_some_and(|(_, at)| at.elapsed() < self.idle)
    }

    /// Begins to open a TCP connection to that gateway, or to the proxy before it. `None` if its address is not known yet,
    /// which is then being looked up, or if it cannot be reached.
    pub fn connect_ahead(&self, url: &Uri) -> Option<Ahead> {
        let target = self.proxy.as_ref().map_or(url, |proxy| proxy.uri());
        Ahead::begin(self.resolver.known(target)?)
    }

    fn answered(&self) -> MutexGuard<'_, Vec<(Authority, Instant)>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether the connection of an exchange was kept.
    fn note(&self, url: &Uri, is_kept: bool) {
        let Some(authority) = url.authority() else { return };
        let mut answered = self.answered();
        answered.retain(|(other, at)| other != authority && at.elapsed() < self.idle);
        if is_kept {
            answered.push((authority.clone(), Instant::now()));
        }
    }

    /// Posts a JSON body and reads the whole answer, ending at the deadline at the latest.
    pub fn post(&self, url: &Uri, body: &str, deadline: Instant, ahead: Option<Ahead>) -> Exchanged {
        let started = Instant::now();
        exchange::begin(url, deadline, deadline.min(started + self.connect), ahead);
        let mut result = self.run(url, body);
        let seen = exchange::end();
        self.note(url, result.is_ok());
        if let Ok(answer) = &mut result
            && self.absolute
            && absolute::is_for(url)
        {
            // It may be the proxy's, or that of a cached answer.
            answer.date = None;
        }
        let result = result.map_err(|error| {
            if seen.departed {
                TransportError::Lost(lost(&error))
            } else {
                TransportError::NotSent(not_sent(&error, url))
            }
        });
        Exchanged { result, connect: seen.connect, wait: started.elapsed().saturating_sub(seen.connect) }
    }

    fn run(&self, url: &Uri, body: &str) -> Result<HttpAnswer, ureq::Error> {
        let mut response = self.agent.post(url).content_type("application/json").send(body)?;
        let date = response
            .headers()
            .get("date")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| httpdate::parse_http_date(text).ok());
        let status = response.status().as_u16();
        // The announced length only reserves memory; the limit applies to the received bytes.
        let announced = response.body().content_length().unwrap_or_default().min(MAX_ANSWER_BYTES);
        let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
        response.body_mut().with_config().limit(MAX_ANSWER_BYTES).reader().read_to_end(&mut body)?;
        Ok(HttpAnswer { status, body, date })
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
fn not_sent(error: &ureq::Error, url: &Uri) -> NotSent {
    use ureq::Error as E;
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
        && absolute::is_for(url)
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

fn lost(error: &ureq::Error) -> Doubt {
    match error {
        ureq::Error::Timeout(_) => Doubt::new(&codes::TIMEOUT, "no whole answer before the deadline"),
        ureq::Error::BodyExceedsLimit(limit) => {
            Doubt::new(&codes::NOT_GATEWAY, format!("the answer is larger than {limit} bytes"))
        }
        ureq::Error::Protocol(error) => {
            Doubt::new(&codes::NOT_GATEWAY, format!("the answer is no HTTP: {error}"))
        }
        other => Doubt::new(
            &codes::LOST,
            format!("the connection broke after the request had begun to leave: {other}"),
        ),
    }
}
