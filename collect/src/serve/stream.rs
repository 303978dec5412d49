//! A connection that ends at a deadline, whatever the peer does, with or without TLS.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a connection that has ended is read.
const LINGER: Duration = Duration::from_secs(1);

/// A socket, each of whose reads and writes ends at the deadline.
struct Timed {
    socket: Arc<TcpStream>,
    deadline: Cell<Instant>,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.get().saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        (&*self.socket).read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        (&*self.socket).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.socket).flush()
    }
}

/// A connection.
pub(super) enum Stream {
    Plain(PlainStream),
    Tls(TlsStream),
}

pub(super) struct PlainStream(Timed);
pub(super) struct TlsStream(Box<StreamOwned<ServerConnection, Timed>>);

impl Stream {
    pub(super) fn new(
        socket: Arc<TcpStream>,
        tls: Option<&Arc<ServerConfig>>,
        deadline: Instant,
    ) -> io::Result<Stream> {
        // Best effort: without it answers are only slower.
        let _ = socket.set_nodelay(true);
        let timed = Timed { socket, deadline: Cell::new(deadline) };
        let Some(tls) = tls else { return Ok(Stream::Plain(PlainStream(timed))) };
        let connection = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
        Ok(Stream::Tls(TlsStream(Box::new(StreamOwned::new(connection, timed)))))
    }

    /// From now on everything must be done by then.
    pub(super) fn until(&mut self, deadline: Instant) {
        self.timed().deadline.set(deadline);
    }

    /// Ends the connection in order. What the peer still sends is read for a moment: a socket that is closed before that
    /// resets the connection, and the peer may never see the answer.
    pub(super) fn close(mut self) {
        if let Stream::Tls(TlsStream(stream)) = &mut self {
            stream.conn.send_close_notify();
            // The peer may be gone.
            let _ = stream.flush();
        }
        self.until(Instant::now() + LINGER);
        let timed = self.timed();
        if timed.socket.shutdown(Shutdown::Write).is_ok() {
            let mut ignored = [0; 16 * 1024];
            while timed.read(&mut ignored).is_ok_and(|count| count > 0) {}
        }
    }

    fn timed(&mut self) -> &mut Timed {
        match self {
            Stream::Plain(PlainStream(timed)) => timed,
            Stream::Tls(TlsStream(stream)) => &mut stream.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(PlainStream(timed)) => timed.read(buffer),
            Stream::Tls(TlsStream(stream)) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(PlainStream(timed)) => timed.write(bytes),
            Stream::Tls(TlsStream(stream)) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(PlainStream(timed)) => timed.flush(),
            Stream::Tls(TlsStream(stream)) => stream.flush(),
        }
    }
}

/// The settings of TLS with that certificate chain and its key, both PEM files.
///
/// # Errors
/// One of them cannot be read, or they do not fit.
pub(super) fn tls(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let named = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| named(certificate, &error))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .map_err(|error| named(certificate, &error))?;
    Ok(Arc::new(config))
}
