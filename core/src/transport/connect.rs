//! Opens connections: look-up, TCP, the proxy's CONNECT and TLS, the last two by ureq's connectors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, Transport, time,
};
use ureq::{Agent, Error, Proxy};

use super::ahead::Ahead;
use super::connection::{Connection, Failure};
use super::limits::Limits;
use super::request::{AbsoluteForm, USER_AGENT};
use super::resolver::CachingResolver;
use super::tcp::TcpTransport;
use super::tls::Tls;
use super::{BUFFER, Roots};

/// The way to the gateway, directly or through a proxy.
#[derive(Debug)]
pub(super) struct Opener {
    resolver: CachingResolver,
    proxy: Option<Proxy>,
    /// Set if plain http goes to the proxy with the whole URL instead of through a CONNECT.
    absolute: Option<AbsoluteForm>,
    /// What the proxy's connector reads.
    config: Config,
    tls: Tls,
}

impl Opener {
    pub(super) fn new(roots: Roots, proxy: Option<Proxy>, absolute: bool) -> Opener {
        let config = Agent::config_builder()
            .proxy(proxy.clone())
            .user_agent(USER_AGENT)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .build();
        let absolute = proxy.as_ref().filter(|_| absolute).map(AbsoluteForm::new);
        Opener { resolver: CachingResolver::default(), proxy, absolute, config, tls: Tls::new(roots) }
    }

    /// Where handshakes get their certificates.
    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Whether plain http goes to a proxy that reads it.
    pub(super) fn is_absolute(&self) -> bool {
        self.absolute.is_some()
    }

    /// How requests to this URL name their target, if a proxy reads them.
    pub(super) fn absolute_for(&self, url: &Uri) -> Option<&AbsoluteForm> {
        self.absolute.as_ref().filter(|_| AbsoluteForm::is_for(url))
    }

    /// Begins to open a TCP connection to that gateway, or to the proxy before it. `None` if its address is not known yet,
    /// which is then being looked up, or if it cannot be reached.
    pub(super) fn begin(&self, url: &Uri) -> Option<Ahead> {
        let target = self.proxy.as_ref().map_or(url, |proxy| proxy.uri());
        Ahead::begin(self.resolver.known(target)?)
    }

    /// Opens a connection to that gateway by then, on the one that was begun ahead if there is one.
    pub(super) fn open(
        &self,
        url: &Uri,
        deadline: Instant,
        ahead: Option<Ahead>,
    ) -> Result<Connection, Failure> {
        let limits = Limits::of_connecting(deadline);
        let transport = match &self.proxy {
            None => self.connect(url, &limits, deadline, ahead)?,
            Some(proxy) if self.absolute_for(url).is_some() => {
                self.connect(proxy.uri(), &limits, deadline, ahead)?
            }
            Some(_) => self.tunnel(url, &limits, deadline, ahead)?,
        };
        let transport = if url.scheme_str() == Some("https") {
            self.tls.handshake(self.details(url, deadline), transport)?
        } else {
            transport
        };
        Connection::opened(transport, limits)
    }

    fn connect(
        &self,
        target: &Uri,
        limits: &Limits,
        deadline: Instant,
        ahead: Option<Ahead>,
    ) -> Result<Box<dyn Transport>, Error> {
        let addresses = self.resolver.addresses(target, deadline)?;
        Ok(Box::new(TcpTransport::open(&addresses, limits.clone(), ahead)?))
    }

    /// A connection to the gateway through the proxy, which looks the name up.
    fn tunnel(
        &self,
        url: &Uri,
        limits: &Limits,
        deadline: Instant,
        ahead: Option<Ahead>,
    ) -> Result<Box<dyn Transport>, Error> {
        let (limits, ahead) = (limits.clone(), Mutex::new(ahead));
        let to_proxy = move |details: &ConnectionDetails<'_>| -> Result<Box<dyn Transport>, Error> {
            let ahead = ahead.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(Box::new(TcpTransport::open(&details.addrs, limits.clone(), ahead)?))
        };
        let mut details = self.details(url, deadline);
        details.run_connector = Arc::new(to_proxy);
        match ConnectProxyConnector::default().connect(&details, None::<()>)? {
            Some(Either::B(tunnel)) => Ok(tunnel),
            Some(Either::A(())) | None => Err(Error::InvalidProxyUrl),
        }
    }

    /// What ureq's connectors want to know. Timeouts are those of the socket; see [`Limits`].
    fn details<'a>(&'a self, url: &'a Uri, deadline: Instant) -> ConnectionDetails<'a> {
        let left = deadline.saturating_duration_since(Instant::now());
        ConnectionDetails {
            uri: url,
            addrs: self.resolver.empty(),
            config: &self.config,
            request_level: false,
            resolver: &self.resolver,
            // The time is not read again for every layer.
            now: time::Instant::AlreadyHappened,
            timeout: NextTimeout { after: time::Duration::Exact(left), ..NextTimeout::default() },
            current_time: Arc::new(|| time::Instant::AlreadyHappened),
            run_connector: Arc::new(|_| Err(Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        }
    }
}
