//! One connection, driven on the calling thread until a deadline. Between statements nobody reads from it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{self, Sleep, sleep_until, timeout_at};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, Socket};

use crate::failure::{Broken, Purpose, is_not_durable, words, words_of};

/// A value of a statement with its type.
pub(crate) type Parameter<'p> = (&'p (dyn ToSql + Sync), Type);

/// A connection. Dropping it closes the socket, without waiting and without a word to the server: a statement that runs is
/// never cancelled.
pub(crate) struct Connection {
    client: Client,
    wire: Wire,
    // The last one: the socket above is registered with it.
    reactor: Reactor,
}

/// Waits for one socket. Its only other thread looks up a name, and is not waited for.
struct Reactor(Option<Runtime>);

impl Reactor {
    fn new() -> io::Result<Reactor> {
        let mut builder = Builder::new_current_thread();
        Ok(Reactor(Some(builder.enable_io().enable_time().max_blocking_threads(1).build()?)))
    }

    fn run<F: Future>(&self, work: F) -> io::Result<F::Output> {
        let runtime = self.0.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        Ok(runtime.block_on(work))
    }

    fn alarm(&self, at: Instant) -> io::Result<Pin<Box<Sleep>>> {
        let _inside = self.0.as_ref().ok_or(io::ErrorKind::NotConnected)?.enter();
        Ok(Box::pin(sleep_until(at.into())))
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Notes that the other side of a request has gone on. Both are driven by one thread, which needs no system call to be woken.
#[derive(Default)]
struct Progress(AtomicBool);

impl Wake for Progress {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Message = Option<Result<AsyncMessage, Error>>;
type Poller = dyn FnMut(&mut Context<'_>) -> Poll<Message> + Send;

/// What comes from the server.
struct Wire {
    /// `None`: nothing comes any more. A request ends without an answer only once this is dropped.
    poll: Option<Box<Poller>>,
    /// Why nothing comes any more.
    ended: Option<String>,
    /// The warnings about durability since the last look.
    warning: Option<String>,
    /// Goes off at a statement's deadline, or before it. It is set once it has gone off, or for an earlier deadline: each
    /// time costs the reactor a system call.
    alarm: Pin<Box<Sleep>>,
}

impl Wire {
    /// Takes in what has come and sends what waits.
    fn turn(&mut self, context: &mut Context<'_>) {
        while let Some(poll) = &mut self.poll {
            let ended = match poll(context) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => {
                    if is_not_durable(&notice) {
                        self.warning = Some(words_of(&notice));
                    }
                    continue;
                }
                Poll::Ready(Some(Ok(_))) => continue,
                Poll::Ready(Some(Err(error))) => words(&error),
                Poll::Ready(None) => "the server has closed the connection".to_owned(),
            };
            self.ended = Some(ended);
            self.poll = None;
        }
    }

    /// Whether that time has come; else `context` is woken then, or before.
    fn is_over(&mut self, until: time::Instant, context: &mut Context<'_>) -> bool {
        if self.alarm.deadline() > until {
            self.alarm.as_mut().reset(until);
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            if time::Instant::now() >= until {
                return true;
            }
            self.alarm.as_mut().reset(until);
        }
        false
    }

    /// Carries out a request to its end, or to that of the connection. `None`: neither came until then.
    async fn carry_out<T>(
        &mut self,
        request: impl Future<Output = Result<T, Error>>,
        until: time::Instant,
    ) -> Option<Result<T, Error>> {
        let mut request = pin!(request);
        let progress = Arc::new(Progress::default());
        let waker = Waker::from(Arc::clone(&progress));
        let mut quietly = Context::from_waker(&waker);
        // The request that comes now is sent below: it need not wake what would send it.
        self.turn(&mut quietly);
        poll_fn(|context| {
            loop {
                progress.0.store(false, Ordering::Relaxed);
                if let Poll::Ready(answer) = Pin::as_mut(&mut request).poll(&mut quietly) {
                    return Poll::Ready(Some(answer));
                }
                // Waits for the socket, also where nothing came.
                self.turn(context);
                if !progress.0.load(Ordering::Relaxed) {
                    return if self.is_over(until, context) { Poll::Ready(None) } else { Poll::Pending };
                }
            }
        })
        .await
    }
}

impl Connection {
    /// Opens a connection to the one server that the configuration names. The message has no secret in it.
    pub(crate) fn open<T>(config: &Config, tls: T, until: Instant) -> Result<Connection, NotOpen>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let in_words = |error: io::Error| NotOpen { words: error.to_string(), code: None };
        let reactor = Reactor::new().map_err(in_words)?;
        let opened = reactor
            .run(async { timeout_at(until.into(), config.connect(tls)).await })
            .map_err(in_words)?
            .map_err(|_| NotOpen { words: "it does not answer in time".to_owned(), code: None })?;
        let (client, mut connection) = opened.map_err(|error| NotOpen {
            words: words(&error),
            code: error.code().map(|code| code.code().to_owned()),
        })?;
        let poll: Box<Poller> = Box::new(move |context: &mut Context<'_>| connection.poll_message(context));
        let alarm = reactor.alarm(until).map_err(in_words)?;
        let wire = Wire { poll: Some(poll), ended: None, warning: None, alarm };
        Ok(Connection { client, wire, reactor })
    }

    /// Whether the server has not ended the connection, as far as anything of that has arrived.
    pub(crate) fn is_open(&mut self) -> bool {
        let Connection { wire, reactor, .. } = self;
        let looked = reactor.run(async {
            // What has arrived is known only after the reactor has looked, which it does while this waits.
            tokio::task::yield_now().await;
            poll_fn(|context| {
                wire.turn(context);
                Poll::Ready(())
            })
            .await;
        });
        looked.is_ok() && wire.poll.is_some()
    }

    /// Carries out one unnamed statement, in a transaction of its own.
    pub(crate) fn ask(
        &mut self,
        purpose: Purpose,
        text: &str,
        parameters: &[Parameter<'_>],
        until: Instant,
    ) -> Result<Vec<Row>, Broken> {
        let Connection { client, wire, reactor } = self;
        wire.carry(reactor, purpose, client.query_typed(text, parameters), until)
    }

    /// Carries out several statements without values, in one transaction.
    pub(crate) fn batch(&mut self, text: &str, until: Instant) -> Result<(), Broken> {
        let Connection { client, wire, reactor } = self;
        wire.carry(reactor, Purpose::Write, client.batch_execute(text), until)
    }
}

impl Wire {
    fn carry<T>(
        &mut self,
        reactor: &Reactor,
        purpose: Purpose,
        request: impl Future<Output = Result<T, Error>>,
        until: Instant,
    ) -> Result<T, Broken> {
        // What came with an earlier statement, or with the connection, says nothing about this one.
        self.warning = None;
        let until = time::Instant::from_std(until);
        let carried = reactor.run(self.carry_out(request, until));
        let carried = carried.map_err(|error| Broken::Lost(error.to_string()))?;
        match carried {
            Some(Ok(rows)) => match self.warning.take() {
                Some(warning) if purpose == Purpose::Write => Err(Broken::NotDurable(warning)),
                _ => Ok(rows),
            },
            Some(Err(error)) => Err(match error.as_db_error() {
                Some(answered) => Broken::Answered(Box::new(answered.clone())),
                None => Broken::Lost(self.ended.clone().unwrap_or_else(|| words(&error))),
            }),
            None => Err(Broken::Silent),
        }
    }
}

/// Why a connection could not be opened.
#[derive(Debug)]
pub(crate) struct NotOpen {
    /// In words.
    pub(crate) words: String,
    /// The code of the server's own answer.
    pub(crate) code: Option<String>,
}
