//! A listening socket that can be blocked for a time in several ways and reopened on the same port.

use std::{future::pending, io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::faults::Blockage;

use super::{connection::Connection, port::Command};

/// A socket, or the time of its next bind and the obstacle until then.
enum Port {
    Open(TcpListener),
    Blocked { until: Instant, _by: Obstacle },
}

impl Port {
    /// Closes the socket or the obstacle, so that the address can be bound again.
    fn unbind(&mut self) {
        *self = Self::Blocked { until: Instant::now(), _by: Obstacle::Nothing };
    }
}

/// The obstacle of a blocked port. It is only held, and closes its sockets when dropped.
enum Obstacle {
    Nothing,
    /// A socket that never accepts, and the connections that fill its queue.
    Socket {
        _listener: TcpListener,
        _queue: Vec<TcpStream>,
    },
}

/// This many connections fill any queue of length zero.
const QUEUE_MAX: usize = 64;
/// A connection to this machine that takes longer will not be established.
const FULL_AFTER: Duration = Duration::from_millis(100);

/// Accepts connections until the sender of the commands is dropped.
pub(super) async fn listen<F>(
    listener: TcpListener,
    address: SocketAddr,
    mut commands: UnboundedReceiver<Command>,
    serve: impl Fn(Connection) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut port = Port::Open(listener);
    // Dropping the set, or shutting it down, drops the connections, and dropping a connection resets it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(&port) => match accepted {
                Ok(stream) => { connections.spawn(serve(Connection::new(stream))); }
                // Usually out of file descriptors, which passes as connections end.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = opening_time(&port) => {
                port.unbind();
                port = open(address).await;
            }
            command = commands.recv() => match command {
                None => return,
                Some(Command::Block { how, ms, done }) => {
                    // Closed first, because the port is bound again.
                    port.unbind();
                    connections.shutdown().await;
                    let obstacle = block(how, address).await;
                    port = Port::Blocked { until: until(ms), _by: obstacle };
                    done.map(|done| done.send(()));
                }
                Some(Command::Open { done }) => {
                    while matches!(port, Port::Blocked { .. }) {
                        port.unbind();
                        port = open(address).await;
                    }
                    // The caller may be gone.
                    let _ = done.send(());
                }
            },
        }
    }
}

async fn accept(port: &Port) -> io::Result<TcpStream> {
    match port {
        Port::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
        Port::Blocked { .. } => pending().await,
    }
}

async fn opening_time(port: &Port) {
    match port {
        Port::Open(_) => pending().await,
        Port::Blocked { until, .. } => sleep_until(*until).await,
    }
}

/// A time that far from now; one that is out of range becomes a century from now.
fn until(ms: u64) -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_millis(ms)).unwrap_or(now + Duration::from_hours(24 * 36_525))
}

/// Creates the obstacle. If the port cannot be bound, it stays closed.
async fn block(how: Blockage, address: SocketAddr) -> Obstacle {
    let length = match how {
        Blockage::Closed => return Obstacle::Nothing,
        Blockage::Full => 0,
        Blockage::Unread => 1024,
    };
    let Ok(listener) = bind(address, length) else { return Obstacle::Nothing };
    let mut queue = Vec::new();
    while how == Blockage::Full && queue.len() < QUEUE_MAX {
        let Ok(Ok(stream)) = timeout(FULL_AFTER, TcpStream::connect(address)).await else { break };
        queue.push(stream);
    }
    Obstacle::Socket { _listener: listener, _queue: queue }
}

/// A listening socket with a queue of that length.
fn bind(address: SocketAddr, length: u32) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(length)
}

/// Opens the port, or returns when to try again, because another program may hold it.
async fn open(address: SocketAddr) -> Port {
    let Ok(listener) = TcpListener::bind(address).await else {
        sleep(Duration::from_millis(20)).await;
        return Port::Blocked { until: Instant::now(), _by: Obstacle::Nothing };
    };
    Port::Open(listener)
}
