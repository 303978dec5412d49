//! One connection and the exchange of one request for one answer on it. Nothing is sent twice, and once a byte of the
//! request has left, only the answer to it is read.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::HttpAnswer;
use super::limits::Limits;
use super::reader::{Reader, Unreadable};

/// The time for what needs none: the end of the handshake of an unused connection has been sent long ago.
const A_MOMENT: Duration = Duration::from_millis(100);

/// An open connection to a gateway.
#[derive(Debug)]
pub(super) struct Connection {
    transport: Box<dyn Transport>,
    limits: Limits,
    /// No request has gone out on it.
    is_unused: bool,
}

/// Why an exchange has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Connection(#[from] Error),
    /// The connection has ended, or there are bytes on it, before the request.
    #[error("the server sent something before it was asked, or closed the connection")]
    Early,
    #[error("the server closed it before the answer was whole")]
    Cut,
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
}

impl Connection {
    /// A connection that was just opened. Bytes that came on it are no answer; over TLS there may be some: session tickets.
    pub(super) fn opened(transport: Box<dyn Transport>, limits: Limits) -> Result<Connection, Failure> {
        let mut connection = Connection { transport, limits, is_unused: true };
        let is_usable = connection.transport.is_tls() || connection.has_nothing_to_read();
        if is_usable { Ok(connection) } else { Err(Failure::Early) }
    }

    /// Whether a byte of the last request was accepted by the socket.
    pub(super) fn departed(&self) -> bool {
        self.limits.departed()
    }

    /// Whether an idle connection is usable: open, and without bytes that nobody asked for, encrypted or decrypted, since
    /// those would be another sale's answer.
    pub(super) fn is_idle(&mut self) -> bool {
        if self.transport.is_tls() && self.is_unused && !self.takes_in_tickets(Instant::now() + A_MOMENT) {
            return false;
        }
        self.has_nothing_to_read() && !(self.transport.is_tls() && self.has_plaintext())
    }

    /// Ends the handshake of a connection that is to wait for its first request, by then.
    pub(super) fn settle(&mut self, deadline: Instant) -> bool {
        !self.transport.is_tls() || self.takes_in_tickets(deadline)
    }

    /// Sends the end of the handshake, and reads what the server has sent behind it: session tickets. Returns whether that
    /// was all.
    fn takes_in_tickets(&mut self, deadline: Instant) -> bool {
        self.limits.take_arrived(deadline);
        matches!(self.transport.await_input(NextTimeout::default()), Err(Error::Timeout(Timeout::Global)))
    }

    fn has_nothing_to_read(&mut self) -> bool {
        self.transport.buffers().input().is_empty() && self.transport.is_open()
    }

    /// Whether TLS has decrypted unread data, or its end: the socket does not show that.
    fn has_plaintext(&mut self) -> bool {
        self.limits.look();
        self.transport.await_input(NextTimeout::default()).is_ok()
    }

    /// Sends a request, whose head and body are given, and reads the answer. Returns it, and whether the connection can
    /// carry another request.
    pub(super) fn exchange(
        &mut self,
        head: &[u8],
        body: &[u8],
        deadline: Instant,
    ) -> Result<(HttpAnswer, bool), Failure> {
        self.is_unused = false;
        self.limits.request(deadline);
        self.send(&[head, body])?;
        let mut reader = Reader::new();
        while !reader.is_whole() {
            let is_open = match self.transport.await_input(NextTimeout::default()) {
                Err(Error::Io(error)) if is_end(error.kind()) && reader.ends_where_it_is_closed() => false,
                awaited => awaited?,
            };
            if !is_open {
                if reader.ends_where_it_is_closed() {
                    break;
                }
                return Err(Failure::Cut);
            }
            let used = reader.read(self.transport.buffers().input())?;
            self.transport.buffers().input_consume(used);
        }
        // What follows the answer belongs to nobody.
        let keeps = reader.keeps() && self.transport.buffers().input().is_empty();
        Ok((reader.into_answer(), keeps))
    }

    /// Passes the request on; the socket writes it when the answer is awaited.
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        let mut filled = 0;
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                let room = self.transport.buffers().output().get_mut(filled..).unwrap_or_default();
                let (now, later) = rest.split_at(rest.len().min(room.len()));
                if let Some(room) = room.get_mut(..now.len()) {
                    room.copy_from_slice(now);
                }
                filled += now.len();
                rest = later;
                if !rest.is_empty() {
                    self.transport.transmit_output(filled, NextTimeout::default())?;
                    filled = 0;
                }
            }
        }
        self.transport.transmit_output(filled, NextTimeout::default())
    }
}

/// Whether an error says that the peer has ended the connection.
fn is_end(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
