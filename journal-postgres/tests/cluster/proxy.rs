//! A proxy before a server that can lose the answer to a statement that it has forwarded, or swallow all that comes.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "no test uses all of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;

/// What happens to the next bytes of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// They are forwarded.
    Nothing,
    /// Both connections end in their place.
    Cut,
    /// They vanish, and the connection stays.
    Swallow,
}

pub struct Proxy {
    pub port: u16,
    fault: Arc<AtomicU8>,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn before(port: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let fault = Arc::new(AtomicU8::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let (faults, count) = (Arc::clone(&fault), Arc::clone(&connections));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || forward(client, to_server, || Fault::Nothing));
                let faults = Arc::clone(&faults);
                thread::spawn(move || forward(server, to_client, move || take(&faults)));
            }
        });
        Proxy { port: own, fault, connections }
    }

    /// What happens to the server's next bytes, on whichever connection; a cut happens once.
    pub fn set(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn take(fault: &AtomicU8) -> Fault {
    let cut = fault.compare_exchange(Fault::Cut as u8, 0, Ordering::SeqCst, Ordering::SeqCst);
    match cut.unwrap_or_else(|now| now) {
        code if code == Fault::Cut as u8 => Fault::Cut,
        code if code == Fault::Swallow as u8 => Fault::Swallow,
        _ => Fault::Nothing,
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, fault: impl Fn() -> Fault) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        match fault() {
            Fault::Nothing => {
                if to.write_all(&bytes[..length]).is_err() {
                    break;
                }
            }
            Fault::Cut => break,
            Fault::Swallow => {}
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
