//! The request log and its followers over server-sent events. A follower has no queue: it reads the log from its own
//! position at its own pace, and is told how many lines were dropped before it reached them. A follower therefore costs
//! the gateway one wake-up, whether it reads or not.

use std::{
    collections::VecDeque,
    fmt::Write,
    io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use super::{
    super::{
        connection::{Connection, Request},
        line::{Line, now_unix_ms},
    },
    HEADERS,
};

/// The number of requests in the log.
const LOG_MAX: usize = 1000;
/// The number of earlier lines for a new follower.
const REPLAY: u64 = 200;
/// The maximum number of followers.
const FOLLOWERS_MAX: usize = 64;
/// The number of lines in one write, and the follower's pause after it: at most 500 lines a second.
const BATCH_MAX: usize = 50;
const REST: Duration = Duration::from_millis(100);
/// The interval of heartbeats while nothing happens, so that proxies and browsers keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The time limit of a write, after which the reader counts as gone.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// The size of the system's send buffer for a follower that does not read.
const KERNEL_BUFFER: usize = 64 * 1024;

struct Log {
    /// The id of the log, which changes with a restart or a reset. It is the log's start time, so that no id repeats.
    run: i64,
    /// The number of the last line, in this log or the one before. Lines are numbered as they are written: a delayed
    /// request is written twice, and two concurrent ones in either order.
    last: u64,
    lines: VecDeque<(u64, Line)>,
}

impl Log {
    /// The number of the oldest line in the log, or of the next line if the log is empty.
    fn first(&self) -> u64 {
        self.lines.front().map_or(self.last + 1, |(place, _)| *place)
    }
}

/// The request log and the notification of its followers.
pub(in crate::server) struct Feed {
    log: Mutex<Log>,
    /// The number of other changes through the admin API.
    changes: AtomicU64,
    stirred: watch::Sender<()>,
    seats: Semaphore,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            log: Mutex::new(Log { run: now_unix_ms(), last: 0, lines: VecDeque::new() }),
            changes: AtomicU64::new(0),
            stirred: watch::Sender::new(()),
            seats: Semaphore::new(FOLLOWERS_MAX),
        }
    }
}

impl Feed {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line.
    pub(in crate::server) fn push(&self, line: Line) {
        let mut log = self.log();
        log.last += 1;
        let place = log.last;
        if log.lines.len() == LOG_MAX {
            log.lines.pop_front();
        }
        log.lines.push_back((place, line));
        drop(log);
        self.stirred.send_replace(());
    }

    /// The last lines, the oldest first.
    pub(in crate::server) fn last(&self, count: usize) -> Vec<Line> {
        let log = self.log();
        let lines = log.lines.iter().skip(log.lines.len().saturating_sub(count));
        lines.map(|(_, line)| line.clone()).collect()
    }

    /// Starts a new log.
    pub(in crate::server) fn clear(&self) {
        let mut log = self.log();
        log.run = now_unix_ms().max(log.run + 1);
        log.lines.clear();
        drop(log);
        self.changed();
    }

    /// Notifies the followers of a change outside the log.
    pub(in crate::server) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.stirred.send_replace(());
    }

    /// The start position of a follower: after the line in its `Last-Event-ID` if that belongs to this log, otherwise a
    /// number of lines before the end.
    fn place(&self, last_event_id: Option<&str>) -> Place {
        let changes = self.changes.load(Ordering::Relaxed);
        let log = self.log();
        let named = last_event_id.and_then(|id| {
            let (run, number) = id.split_once('-')?;
            Some((run.parse::<i64>().ok()?, number.parse::<u64>().ok()?))
        });
        match named {
            Some((run, number)) if run == log.run => {
                Place { run: Some(run), number: number.min(log.last), changes }
            }
            _ => Place { run: None, number: log.last.saturating_sub(REPLAY).max(log.first() - 1), changes },
        }
    }

    /// The lines that a follower has not seen, as events; empty if it has seen all. The text is built outside the lock.
    fn events(&self, place: &mut Place) -> String {
        let mut out = String::new();
        let changes = self.changes.load(Ordering::Relaxed);
        let log = self.log();
        let run = log.run;
        if place.run != Some(run) {
            // Numbers continue across a reset, so a position in the old log precedes the new one.
            place.run = Some(run);
            event(&mut out, "run", run);
            place.number = place.number.max(log.first() - 1);
        }
        let gone = (log.first() - 1).saturating_sub(place.number);
        if gone > 0 {
            event(&mut out, "skipped", gone);
            place.number += gone;
        }
        let seen = usize::try_from(place.number + 1 - log.first()).unwrap_or(usize::MAX);
        let lines: Vec<_> = log.lines.iter().skip(seen).take(BATCH_MAX).cloned().collect();
        drop(log);
        for (number, line) in lines {
            place.number = number;
            // The text of params may contain line breaks between its values, which would end the event's line.
            let json = serde_json::to_string(&line).unwrap_or_default().replace(['\r', '\n'], " ");
            let _ = write!(out, "id: {run}-{number}\ndata: {json}\n\n");
        }
        if changes != place.changes {
            place.changes = changes;
            event(&mut out, "changed", changes);
        }
        out
    }
}

fn event(out: &mut String, name: &str, data: impl std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(out, "event: {name}\ndata: {data}\n\n");
}

/// The position of a follower.
struct Place {
    run: Option<i64>,
    number: u64,
    changes: u64,
}

/// Serves a follower until it disconnects or stops reading. False: the limit was reached, and nothing was sent.
pub(in crate::server) async fn follow(connection: &mut Connection, feed: &Feed, request: &Request) -> bool {
    let Ok(_seat) = feed.seats.try_acquire() else { return false };
    let mut stirred = feed.stirred.subscribe();
    let mut place = feed.place(request.header("last-event-id"));
    connection.keep_little(KERNEL_BUFFER);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n{HEADERS}\r\nretry: 1000\n\n"
    );
    let mut said = say(connection, &head).await;
    while said.is_ok() {
        stirred.borrow_and_update();
        let events = feed.events(&mut place);
        if !events.is_empty() {
            said = say(connection, &events).await;
            sleep(REST).await;
            continue;
        }
        tokio::select! {
            changed = stirred.changed() => if changed.is_err() { return true },
            () = connection.gone() => return true,
            () = sleep(HEARTBEAT) => said = say(connection, ":\n\n").await,
        }
    }
    true
}

async fn say(connection: &mut Connection, text: &str) -> io::Result<()> {
    timeout(WRITE_MAX, connection.send(text.into())).await.map_err(io::Error::other)?
}
