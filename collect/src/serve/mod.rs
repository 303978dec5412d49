//! The collector: takes batches over HTTPS, and shows people the page. A thread a connection, a bounded number of them, and
//! a time by which each step must be done.

mod guard;
pub mod http;
mod routes;
mod seats;
mod shared;
mod stream;

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};
use zvpos_core::clock::machine_unix_ms;

use crate::store::Location;
use crate::words::Words;
use http::Unreadable;
use seats::{Seat, Seats};
use shared::Shared;
use stream::Stream;

const JSON: &str = "application/json; charset=utf-8";

/// Headers of every answer: a browser runs only this server's own files, shows them in no frame, guesses no types and
/// caches nothing.
const PAGE_HEADERS: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
    X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\n";

/// How long a handshake and a head may take, also the next head on a connection that is kept.
const HEAD: Duration = Duration::from_secs(10);

/// How long a body may take.
const BODY: Duration = Duration::from_secs(30);

/// How long an answer may take to be read by the peer.
const ANSWER: Duration = Duration::from_secs(30);

/// The most requests on one connection, so that none keeps its place for ever.
const REQUESTS_MAX: usize = 200;

/// So many connections wait until they are accepted.
const BACKLOG: i32 = 1024;

/// The options of a collector.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address; port 0 is any free one.
    pub listen: SocketAddr,
    /// The certificate chain and its key, both PEM files. Without them only a loopback address is served.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where the copy is.
    pub store: Location,
    /// How many connections are served at once; when there are more, the oldest that is not served goes.
    pub connections: usize,
    /// After which time without a word a till is silent.
    pub silent_after: Duration,
}

/// A running collector. Dropping it stops it: no connection is accepted any more, and those that are served are waited for.
pub struct Server {
    /// The address.
    pub address: SocketAddr,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
    seats: Arc<Seats>,
}

impl Server {
    /// Starts a collector; it listens when this returns.
    ///
    /// # Errors
    /// The store, the certificate or the address cannot be used.
    pub fn start(options: &Options) -> Result<Server, String> {
        if options.tls.is_none() && !options.listen.ip().is_loopback() {
            return Err(format!(
                "{}: without --cert and --key only a loopback address is served, to a reverse proxy with TLS",
                options.listen
            ));
        }
        let tls = options.tls.as_ref().map(|(certificate, key)| stream::tls(certificate, key)).transpose()?;
        let silent_after_ms = i64::try_from(options.silent_after.as_millis()).unwrap_or(i64::MAX);
        let shared = Shared::open(&options.store, silent_after_ms, machine_unix_ms)
            .map_err(|error| error.to_string())?;
        let named = |error: io::Error| format!("cannot listen on {}: {error}", options.listen);
        let listener = listen(options.listen).map_err(named)?;
        let address = listener.local_addr().map_err(named)?;
        let seats = Seats::new(options.connections);
        let stopping = Arc::new(AtomicBool::new(false));
        let accepting = {
            let (seats, stopping, shared) = (Arc::clone(&seats), Arc::clone(&stopping), Arc::new(shared));
            thread::Builder::new()
                .name("accept".to_owned())
                .spawn(move || accept(&listener, &seats, &stopping, tls.as_ref(), &shared))
                .map_err(|error| error.to_string())?
        };
        Ok(Server { address, stopping, accepting: Some(accepting), seats })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.seats.wait_until_empty(Instant::now() + Duration::from_secs(5));
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // On Windows this would let two programs listen on one port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn accept(
    listener: &TcpListener,
    seats: &Arc<Seats>,
    stopping: &Arc<AtomicBool>,
    tls: Option<&Arc<ServerConfig>>,
    shared: &Arc<Shared>,
) {
    loop {
        let accepted = listener.accept();
        if stopping.load(Ordering::Acquire) {
            return;
        }
        let (socket, peer) = match accepted {
            Ok((socket, peer)) => (Arc::new(socket), peer.ip()),
            Err(error) => {
                // No descriptors, or a connection that was gone before it was accepted.
                log(&format!("cannot accept: {error}"));
                thread::sleep(Duration::from_millis(50));
                continue;
            }
        };
        let seat = seats.take(&socket, peer);
        let (tls, shared, stopping) = (tls.cloned(), Arc::clone(shared), Arc::clone(stopping));
        let serving =
            thread::Builder::new().name("serve".to_owned()).stack_size(512 * 1024).spawn(move || {
                // What the peer does wrong is told to the peer; a connection that breaks is the till's to repeat.
                let _ = serve(socket, tls.as_ref(), &shared, &seat, &stopping);
            });
        if let Err(error) = serving {
            log(&format!("cannot start a thread: {error}"));
        }
    }
}

fn serve(
    socket: Arc<TcpStream>,
    tls: Option<&Arc<ServerConfig>>,
    shared: &Shared,
    seat: &Seat,
    stopping: &AtomicBool,
) -> io::Result<()> {
    let mut stream = Stream::new(socket, tls, Instant::now() + HEAD)?;
    let mut received = Vec::new();
    for served in 1..=REQUESTS_MAX {
        stream.until(Instant::now() + HEAD);
        let (reply, keep_alive) = match exchange(&mut stream, &mut received, shared, seat) {
            Ok(done) => done,
            Err(Unreadable::Gone) => return Ok(()),
            Err(Unreadable::Bad(status, why)) => {
                (routes::refused(status, &Words::new(why.clone(), why)), false)
            }
        };
        let keeps =
            keep_alive && served < REQUESTS_MAX && !seat.are_scarce() && !stopping.load(Ordering::Acquire);
        stream.until(Instant::now() + ANSWER);
        reply.send(&mut stream, keeps)?;
        if !keeps {
            break;
        }
    }
    stream.close();
    Ok(())
}

fn exchange(
    stream: &mut Stream,
    received: &mut Vec<u8>,
    shared: &Shared,
    seat: &Seat,
) -> Result<(http::Reply, bool), Unreadable> {
    seat.keep(false);
    let head = http::read_head(stream, received)?;
    // Nothing of a body is read for those who may not send one.
    let asked = routes::asked(shared, &head);
    if let routes::Asked::Known(reply) = asked {
        return Ok((reply, head.keep_alive && head.length == 0));
    }
    seat.keep(true);
    stream.until(Instant::now() + BODY);
    let body = http::read_body(stream, received, &head, asked.longest())?;
    Ok((routes::answer(shared, asked, &body), head.keep_alive))
}

/// One line for the collector's owner.
fn log(line: &str) {
    // A closed stderr is not an error.
    let _ = writeln!(io::stderr(), "zv collect: {line}");
}
