//! The request log, and those who follow it by server-sent events. A follower has no queue: it reads the log from
//! where it is, at its own pace, and is told how many lines were gone before it came to them. So a follower costs the
//! gateway one wake-up, whatever it does or does not read.

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
        state::{Line, Shared, now_unix_ms},
    },
    HEADERS,
};

/// How many requests the log keeps.
const LOG_MAX: usize = 1000;
/// How many lines a new follower is given first.
const REPLAY: u64 = 200;
/// How many may follow at once.
const FOLLOWERS_MAX: usize = 64;
/// How many lines are written at once, and how long a follower then rests: at most 500 lines a second.
const BATCH_MAX: usize = 50;
const REST: Duration = Duration::from_millis(100);
/// How often something is said when nothing happens, so that proxies and browsers know that the line is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a write may take before its reader counts as gone.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// How much the system keeps for a follower that does not read.
const KERNEL_BUFFER: usize = 64 * 1024;

struct Log {
    /// Which log it is: another one after a restart or a reset. The time of its beginning, so that it never repeats.
    run: i64,
    /// The place of the last line, in this log or the one before. Lines are counted as they are written: a request
    /// that is held up is written twice, and two at once in either order.
    last: u64,
    lines: VecDeque<(u64, Line)>,
}

impl Log {
    /// The place of the oldest line that is kept; the next one's when there is none.
    fn first(&self) -> u64 {
        self.lines.front().map_or(self.last + 1, |(place, _)| *place)
    }
}

/// The request log and what wakes its followers.
pub(in crate::server) struct Feed {
    log: Mutex<Log>,
    /// How often something else was changed by way of the admin API.
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

    /// Begins another log.
    pub(in crate::server) fn clear(&self) {
        let mut log = self.log();
        log.run = now_unix_ms().max(log.run + 1);
        log.lines.clear();
        drop(log);
        self.changed();
    }

    /// Tells the followers that something beside the log is different.
    pub(in crate::server) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.stirred.send_replace(());
    }

    /// Where a follower begins: after the line that it names by `Last-Event-ID`, if that is of this log, else some
    /// lines before the end.
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

    /// What a follower has not seen, as events, and nothing when it has seen all. Text is made after the lock.
    fn events(&self, place: &mut Place) -> String {
        let mut out = String::new();
        let changes = self.changes.load(Ordering::Relaxed);
        let log = self.log();
        let run = log.run;
        if place.run != Some(run) {
            // Numbers go on over a reset, so a place in the old log is one before the new one.
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
            // A params text may have line ends between its values, which would end the event's line.
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

/// What a follower has seen.
struct Place {
    run: Option<i64>,
    number: u64,
    changes: u64,
}

/// Serves a follower until it goes, or does not read what it is sent. False: there was no seat, and nothing was sent.
pub(in crate::server) async fn follow(
    connection: &mut Connection,
    shared: &Shared,
    request: &Request,
) -> bool {
    let feed = &shared.feed;
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
