//! A listening socket that can be closed for a time and opened again on the same port.

use std::{future::pending, io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc::UnboundedReceiver, oneshot},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::connection::Connection;

/// What a listener can be told; `done` is answered when it is so.
pub(super) enum Command {
    /// Close the port for so many milliseconds and reset what is connected.
    Close { ms: u64, done: Option<oneshot::Sender<()>> },
    /// Open it again now, if it is closed.
    Open { done: oneshot::Sender<()> },
}

/// Either a socket, or the time from when on there is to be one again.
enum Port {
    Open(TcpListener),
    ClosedUntil(Instant),
}

/// Accepts connections until the sender of the commands is gone.
pub(super) async fn listen<F>(
    listener: TcpListener,
    address: SocketAddr,
    mut commands: UnboundedReceiver<Command>,
    serve: impl Fn(Connection) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut port = Port::Open(listener);
    // Dropping the set, or shutting it down, drops the connections, and a dropped connection is reset.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(&port) => match accepted {
                Ok(stream) => { connections.spawn(serve(Connection::new(stream))); }
                // Out of file descriptors, mostly: it passes when connections end.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = opening_time(&port) => port = open(address).await,
            command = commands.recv() => match command {
                None => return,
                Some(Command::Close { ms, done }) => {
                    port = Port::ClosedUntil(Instant::now() + Duration::from_millis(ms));
                    connections.shutdown().await;
                    done.map(|done| done.send(()));
                }
                Some(Command::Open { done }) => {
                    while matches!(port, Port::ClosedUntil(_)) {
                        port = open(address).await;
                    }
                    // Whoever asked may have gone away.
                    let _ = done.send(());
                }
            },
        }
    }
}

async fn accept(port: &Port) -> io::Result<TcpStream> {
    match port {
        Port::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
        Port::ClosedUntil(_) => pending().await,
    }
}

async fn opening_time(port: &Port) {
    match port {
        Port::Open(_) => pending().await,
        Port::ClosedUntil(time) => sleep_until(*time).await,
    }
}

/// Opens the port, or says when to try again: another program may hold it.
async fn open(address: SocketAddr) -> Port {
    let Ok(listener) = TcpListener::bind(address).await else {
        sleep(Duration::from_millis(20)).await;
        return Port::ClosedUntil(Instant::now());
    };
    Port::Open(listener)
}
