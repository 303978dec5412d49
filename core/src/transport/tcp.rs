//! The socket: limited by the call's deadline, written in one piece, and never sending a closed connection's unsent
//! data later.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::BUFFER;
use super::ahead::Ahead;
use super::limits::Limits;

/// A larger request is written at once instead of being gathered.
const GATHER_MAX: usize = 64 * 1024;

/// Tries the addresses in turn, each with an equal share of the time left; first the one to which a connection was begun
/// ahead. That may have been long ago: unless it took its whole share, its address is tried again.
fn connect_any(addresses: &[SocketAddr], limits: &Limits, ahead: Option<Ahead>) -> Result<TcpStream, Error> {
    let mut untried: VecDeque<SocketAddr> = addresses.iter().copied().collect();
    let mut last = Error::HostNotFound;
    if let Some(ahead) = ahead.filter(|ahead| addresses.contains(&ahead.address())) {
        let address = ahead.address();
        let share = share_of(untried.len(), limits)?;
        untried.retain(|other| *other != address);
        match ahead.finish(share) {
            Ok(stream) if is_closed(&stream) => untried.push_front(address),
            Ok(stream) => return prepared(stream),
            Err(error) => {
                if !is_timeout(&error) {
                    untried.push_back(address);
                }
                last = Error::Io(error);
            }
        }
    }
    while !untried.is_empty() {
        let share = share_of(untried.len(), limits)?;
        let Some(address) = untried.pop_front() else { break };
        match TcpStream::connect_timeout(&address, share) {
            Ok(stream) => return prepared(stream),
            Err(error) => last = Error::Io(error),
        }
    }
    Err(last)
}

/// The time for one of so many addresses.
fn share_of(addresses: usize, limits: &Limits) -> Result<Duration, Error> {
    let addresses = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    Ok((limits.left()? / addresses).max(Duration::from_millis(1)))
}

fn prepared(stream: TcpStream) -> Result<TcpStream, Error> {
    stream.set_nodelay(true)?;
    // For the socket's whole life: a deadline, an exit or a kill drops unsent data instead of sending it after the call
    // has ended.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    Ok(stream)
}

/// Whether the peer has closed a connection on which nothing was sent.
fn is_closed(stream: &TcpStream) -> bool {
    peek(stream).map_or_else(|error| error.kind() != ErrorKind::WouldBlock, |count| count == 0)
}

/// One TCP connection.
#[derive(Debug)]
pub(super) struct TcpTransport {
    stream: TcpStream,
    buffers: LazyBuffers,
    limits: Limits,
    /// What is to be written, until an answer is awaited: one packet for a handshake's end and the request behind it.
    gathered: Vec<u8>,
    /// The socket's current timeouts.
    reading: Duration,
    writing: Duration,
}

/// The new timeout, or `None` if the current one is suitable: never longer than the time left, for that is the
/// deadline, and not so short that waiting takes many rounds. A little less than the time left also suits the next
/// call.
fn new_timeout(set: Duration, left: Duration) -> Option<Duration> {
    let fits = set <= left && set >= left / 2;
    (!fits).then(|| left * 15 / 16)
}

impl TcpTransport {
    /// Connects to one of these addresses, on the connection that was begun ahead if it leads to one of them.
    pub(super) fn open(
        addresses: &[SocketAddr],
        limits: Limits,
        ahead: Option<Ahead>,
    ) -> Result<TcpTransport, Error> {
        Ok(TcpTransport {
            stream: connect_any(addresses, &limits, ahead)?,
            buffers: LazyBuffers::new(BUFFER, BUFFER),
            limits,
            gathered: Vec::new(),
            reading: Duration::ZERO,
            writing: Duration::ZERO,
        })
    }

    fn flush(&mut self) -> Result<(), Error> {
        let mut written = 0;
        while let Some(rest) = self.gathered.get(written..).filter(|rest| !rest.is_empty()) {
            let left = self.limits.left()?;
            if let Some(timeout) = new_timeout(self.writing, left) {
                self.stream.set_write_timeout(Some(timeout))?;
                self.writing = timeout;
            }
            match self.stream.write(rest) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(count) => {
                    self.limits.byte_left();
                    written += count;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The next round finds that the deadline has passed.
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.gathered.clear();
        Ok(())
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        let output = self.buffers.output();
        self.gathered.extend_from_slice(output.get(..amount).unwrap_or(output));
        if self.gathered.len() > GATHER_MAX { self.flush() } else { Ok(()) }
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.flush()?;
        if self.limits.takes_only_arrived() && nothing_waits(&self.stream) {
            return Err(Error::Timeout(Timeout::Global));
        }
        loop {
            let left = self.limits.left()?;
            if let Some(timeout) = new_timeout(self.reading, left) {
                self.stream.set_read_timeout(Some(timeout))?;
                self.reading = timeout;
            }
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted || is_timeout(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether an idle connection is usable: open, and without unread bytes, since those would be another sale's
    /// answer.
    fn is_open(&mut self) -> bool {
        if !self.buffers.input().is_empty() || !self.gathered.is_empty() {
            return false;
        }
        nothing_waits(&self.stream)
    }
}

/// Whether a connection is open and no byte waits on it.
fn nothing_waits(stream: &TcpStream) -> bool {
    matches!(peek(stream), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// Whether a byte is waiting, without waiting for one.
#[cfg(unix)]
fn peek(stream: &TcpStream) -> io::Result<usize> {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    SockRef::from(stream).recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT)
}

/// As above, on systems where the socket must first be made non-blocking.
#[cfg(not(unix))]
fn peek(stream: &TcpStream) -> io::Result<usize> {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    stream.set_nonblocking(true)?;
    let peeked = SockRef::from(stream).peek(&mut byte);
    stream.set_nonblocking(false)?;
    peeked
}

/// A socket that times out reports either error, depending on the system.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
