//! The server: the rules and the faults behind one socket, the admin API on another.

mod admin;
mod ask;
mod clock;
mod connection;
mod delayed;
mod handle;
mod inspector;
mod line;
mod listener;
mod port;
mod state;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::mpsc::{UnboundedSender, unbounded_channel},
};

use crate::{
    faults::{Chaos, Content, HttpAnswer},
    rules::{Gateway, Policy, Seed, http_date},
    words::{Words, words},
};

pub use self::{
    ask::ask,
    clock::{Change as ClockChange, Shown as ClockShown},
};
use self::{
    connection::{Connection, Unreadable},
    line::now_unix_ms,
    listener::listen,
    port::Command,
    state::Shared,
};

/// Options of a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The gateway's address; port 0 is any free one.
    pub listen: SocketAddr,
    /// The admin API's address.
    pub admin: SocketAddr,
    /// The initial state of the gateway.
    pub seed: Arc<Seed>,
    /// Its behaviour where the vendor's is unknown.
    pub policy: Policy,
    /// The random faults, if any.
    pub chaos: Option<Chaos>,
    /// Whether it is silent; otherwise it writes one line for each request to stderr.
    pub quiet: bool,
}

/// A running server. Dropping it stops it.
pub struct Server {
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
    /// The gateway's address.
    pub gateway: SocketAddr,
    /// The admin API's address.
    pub admin: SocketAddr,
}

impl Server {
    /// Starts a server; both sockets are listening when this returns.
    ///
    /// # Errors
    /// An address cannot be bound; the text begins with the address.
    pub fn start(options: Options) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let Options { listen, admin, seed, policy, chaos, quiet } = options;
        let shared = Arc::new(Shared::new(Gateway::new(seed, policy), chaos, quiet));
        let (gateway, admin) = runtime.block_on(start(listen, admin, &shared))?;
        Ok(Self { runtime: Some(runtime), shared, gateway, admin })
    }

    /// The simulator's clock.
    pub fn clock(&self) -> ClockShown {
        self.shared.clock_shown()
    }

    /// Moves, stops or starts the simulator's clock.
    ///
    /// # Errors
    /// A text: the change is invalid, and nothing is changed.
    pub fn set_clock(&self, change: &ClockChange) -> Result<ClockShown, Words> {
        self.shared.set_clock(change)
    }

    /// Moves the simulator's clock ahead; events that become due happen with the next request.
    pub fn advance_clock(&self, ms: i64) -> Result<ClockShown, Words> {
        self.set_clock(&ClockChange { advance_ms: Some(ms), ..ClockChange::default() })
    }

    /// Sets the random faults from the next request on.
    pub fn set_chaos(&self, chaos: Option<Chaos>) {
        self.shared.faults().set_chaos(chaos);
    }

    /// Runs a future while the server runs.
    pub fn run_until<T: Default>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().map(|runtime| runtime.block_on(future)).unwrap_or_default()
    }
}

/// How long a server that stops waits for its threads.
const STOPPING: Duration = Duration::from_secs(5);

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Its sockets are closed when this returns: the next caller is refused, and finds no half-open connection.
            runtime.shutdown_timeout(STOPPING);
        }
    }
}

async fn start(
    listen_at: SocketAddr,
    admin_at: SocketAddr,
    shared: &Arc<Shared>,
) -> io::Result<(SocketAddr, SocketAddr)> {
    let gateway_listener = bind(listen_at).await?;
    let admin_listener = bind(admin_at).await?;
    let (gateway, admin) = (gateway_listener.local_addr()?, admin_listener.local_addr()?);
    let (port, commands) = unbounded_channel();
    let (to_admin, admin_commands) = unbounded_channel();
    {
        let (shared, port) = (Arc::clone(shared), port.clone());
        tokio::spawn(listen(gateway_listener, gateway, commands, move |connection| {
            serve_gateway(connection, Arc::clone(&shared), port.clone())
        }));
    }
    let shared = Arc::clone(shared);
    tokio::spawn(listen(admin_listener, admin, admin_commands, move |connection| {
        // The admin listener receives no commands; it runs as long as their sender lives, which this closure owns.
        let _ = &to_admin;
        serve_admin(connection, Arc::clone(&shared), port.clone())
    }));
    Ok((gateway, admin))
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    TcpListener::bind(address).await.map_err(named)
}

async fn serve_gateway(mut connection: Connection, shared: Arc<Shared>, port: UnboundedSender<Command>) {
    shared.counters.connections.fetch_add(1, Ordering::Relaxed);
    loop {
        let request = match connection.request(|request| shared.cut_request_at(request)).await {
            Ok(request) => request,
            // The drop resets the connection.
            Err(Unreadable::CutOff) => return,
            Err(Unreadable::Handshake) => {
                let steps = shared.handshake();
                let _ = connection.play(steps, &port).await;
                return;
            }
            Err(unreadable) => return end(connection, unreadable, &port).await,
        };
        let steps = shared.handle(&request);
        match connection.play(steps, &port).await {
            Ok(true) if request.keep_alive => {}
            Ok(true) => return connection.close().await,
            Ok(false) | Err(_) => return,
        }
    }
}

async fn serve_admin(mut connection: Connection, shared: Arc<Shared>, port: UnboundedSender<Command>) {
    loop {
        let request = match connection.request(|_| None).await {
            Ok(request) => request,
            Err(unreadable) => return end(connection, unreadable, &port).await,
        };
        let reply = match inspector::refusal(&request) {
            Some((status, why)) => admin::failed(status, &why),
            None if request.is_get("/events") => {
                if inspector::follow(&mut connection, &shared.feed, &request).await {
                    return;
                }
                admin::failed(503, &words!("too many follow the log already", "已有太多页面在跟随请求日志"))
            }
            None => admin::answer(&shared, &port, &request).await,
        };
        match connection.send(reply.to_bytes()).await {
            Ok(()) if request.keep_alive => {}
            _ => return connection.close().await,
        }
    }
}

/// Ends a connection without a readable request: in order, and with a message if the peer can receive one.
async fn end(mut connection: Connection, unreadable: Unreadable, port: &UnboundedSender<Command>) {
    if let Unreadable::Bad(status, why) = unreadable {
        let body = serde_json::json!({"error": why}).to_string();
        // The connection ends in either case.
        let _ = connection.play(vec![send(status, &body)], port).await;
    }
    connection.close().await;
}

fn send(status: u16, body: &str) -> crate::faults::Step {
    let date = http_date(now_unix_ms().div_euclid(1000));
    crate::faults::Step::Send(HttpAnswer { status, content: Content::Json, body, date: &date }.to_bytes())
}
