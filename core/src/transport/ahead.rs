//! A TCP connection that is opened while the caller does something else: without a thread and without waiting.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

/// A connection that is being opened. Nothing was sent through it, and dropping it sends nothing.
#[derive(Debug)]
pub struct Ahead {
    socket: Socket,
    address: SocketAddr,
}

impl Ahead {
    /// Begins to connect; `None` if that fails at once.
    pub(super) fn begin(address: SocketAddr) -> Option<Ahead> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).ok()?;
        socket.set_nonblocking(true).ok()?;
        match socket.connect(&address.into()) {
            Err(error) if !is_in_progress(&error) => None,
            Ok(()) | Err(_) => Some(Ahead { socket, address }),
        }
    }

    /// The address that it connects to.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the connection is open, at most that long.
    pub(super) fn finish(self, within: Duration) -> io::Result<TcpStream> {
        wait(&self.socket, Instant::now() + within)?;
        self.socket.set_nonblocking(false)?;
        Ok(self.socket.into())
    }
}

#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

#[cfg(not(unix))]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(target_os = "linux")]
fn wait(socket: &Socket, until: Instant) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return socket.take_error()?.map_or(Ok(()), Err),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Looks every millisecond: std has no wait for a connection that was begun.
#[cfg(not(target_os = "linux"))]
fn wait(socket: &Socket, until: Instant) -> io::Result<()> {
    loop {
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        if socket.peer_addr().is_ok() {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn a_connection_opens_by_itself_and_carries_bytes_afterwards() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ahead = Ahead::begin(listener.local_addr().unwrap()).unwrap();
        let mut accepted = listener.accept().unwrap().0;
        let mut stream = ahead.finish(Duration::from_secs(5)).unwrap();
        stream.write_all(b"a").unwrap();
        let mut byte = [0];
        accepted.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"a");
    }

    #[test]
    fn a_refusal_and_silence_are_errors() {
        let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let ahead = Ahead::begin(refused).map(|ahead| ahead.finish(Duration::from_secs(5)));
        assert!(ahead.is_none_or(|connected| connected.is_err()));
        // An address that answers nothing (RFC 5737), or that this machine has no route to.
        let silent = Ahead::begin("192.0.2.1:9".parse().unwrap());
        let started = Instant::now();
        assert!(silent.is_none_or(|ahead| ahead.finish(Duration::from_millis(50)).is_err()));
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}
