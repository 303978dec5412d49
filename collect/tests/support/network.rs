//! A network between tills and a collector, which loses what it is told to lose.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Forwards connections, and cuts some.
pub struct Network {
    pub address: SocketAddr,
    pub shared: Arc<Shared>,
}

#[derive(Default)]
pub struct Shared {
    /// The collector's port, which changes when it is restarted.
    port: AtomicU16,
    /// Connections are refused.
    pub down: AtomicBool,
    /// So many answers are lost: everything of the request arrives, and the answer does not.
    pub answers_to_lose: AtomicU32,
    /// Of a thousand connections, so many lose their answer, and as many are cut in the middle of their request.
    pub per_mille: AtomicU64,
    /// Connections wait before they reach the collector.
    pub hold: AtomicBool,
    pub connections: AtomicU64,
    pub cut: AtomicU64,
}

impl Network {
    pub fn to(collector: SocketAddr) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        shared.port.store(collector.port(), Ordering::SeqCst);
        let network = Network { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                let carry = move || carry(&socket, &shared);
                thread::Builder::new().stack_size(128 * 1024).spawn(carry).unwrap();
            }
        });
        network
    }

    pub fn leads_to(&self, collector: SocketAddr) {
        self.shared.port.store(collector.port(), Ordering::SeqCst);
    }

    pub fn lose_answers(&self, count: u32) {
        self.shared.answers_to_lose.store(count, Ordering::SeqCst);
    }
}

/// What is lost of a connection.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Answer,
    Request,
}

fn carry(till: &TcpStream, shared: &Shared) {
    let number = shared.connections.fetch_add(1, Ordering::SeqCst);
    let port = shared.port.load(Ordering::SeqCst);
    if shared.down.load(Ordering::SeqCst) {
        return;
    }
    while shared.hold.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
    let Ok(collector) = TcpStream::connect(("127.0.0.1", port)) else { return };
    for socket in [till, &collector] {
        let _ = socket.set_nodelay(true);
        let _ = socket.set_read_timeout(Some(Duration::from_mins(2)));
    }
    let by_order = shared
        .answers_to_lose
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        .is_ok();
    let per_mille = shared.per_mille.load(Ordering::SeqCst);
    let drawn = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) % 1000;
    let fault = match drawn {
        _ if by_order => Fault::Answer,
        drawn if drawn < per_mille => Fault::Answer,
        drawn if drawn < 2 * per_mille => Fault::Request,
        _ => Fault::None,
    };
    let lost = if fault == Fault::Request { 3000 } else { u64::MAX };
    let requested = Arc::new(AtomicBool::new(false));
    let (up_till, up_collector, up_requested) =
        (till.try_clone().unwrap(), collector.try_clone().unwrap(), Arc::clone(&requested));
    let up = move || match fault {
        Fault::Answer => copy_request(&up_till, &up_collector, &up_requested),
        Fault::None | Fault::Request => copy(&up_till, &up_collector, lost),
    };
    let up = thread::Builder::new().stack_size(128 * 1024).spawn(up).unwrap();
    match fault {
        Fault::Answer => lose_answer(&collector, till, &requested),
        Fault::None | Fault::Request => copy(&collector, till, u64::MAX),
    }
    if fault != Fault::None {
        shared.cut.fetch_add(1, Ordering::SeqCst);
        let _ = till.shutdown(Shutdown::Both);
        let _ = collector.shutdown(Shutdown::Both);
    }
    let _ = up.join();
}

/// Copies until one side ends, or more than so many bytes were to be copied: then both are cut.
fn copy(mut from: &TcpStream, mut to: &TcpStream, most: u64) {
    let (mut buffer, mut copied) = ([0; 16 * 1024], 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                copied += count as u64;
                if copied > most {
                    let _ = from.shutdown(Shutdown::Both);
                    let _ = to.shutdown(Shutdown::Both);
                    return;
                }
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The type of a TLS record that holds data, or what TLS 1.3 hides as such.
const DATA: u8 = 23;

/// A whole TLS record.
fn record(mut from: &TcpStream) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head).ok()?;
    let mut record = vec![0; 5 + usize::from(u16::from_be_bytes([head[3], head[4]]))];
    record[..5].copy_from_slice(&head);
    from.read_exact(&mut record[5..]).ok()?;
    Some(record)
}

/// Copies what the till sends, and notes when its request begins: its first record of data ends the handshake.
fn copy_request(from: &TcpStream, mut to: &TcpStream, requested: &AtomicBool) {
    let mut of_data = 0;
    while let Some(record) = record(from) {
        of_data += u32::from(record[0] == DATA);
        requested.fetch_or(of_data > 1, Ordering::SeqCst);
        if to.write_all(&record).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Copies the handshake and the tickets behind it, and loses the answer, which is longer.
fn lose_answer(from: &TcpStream, mut to: &TcpStream, requested: &AtomicBool) {
    while let Some(record) = record(from) {
        if record[0] == DATA && requested.load(Ordering::SeqCst) && record.len() > 400 {
            return;
        }
        if to.write_all(&record).is_err() {
            return;
        }
    }
}
