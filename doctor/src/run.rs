//! One run of the doctor: the lines so far, the time left, and deadlines for checks that may hang.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::options::Options;
use crate::redact::Redactor;
use crate::report::{Line, Report};
use crate::words::{Words, words};

/// The state of one run.
pub(crate) struct Run<'r> {
    say: &'r mut dyn FnMut(&Line),
    lines: Vec<Line>,
    redactor: Redactor,
    deadline: Instant,
}

impl<'r> Run<'r> {
    pub(crate) fn new(options: &Options, say: &'r mut dyn FnMut(&Line)) -> Run<'r> {
        let redactor = Redactor::of(&options.config);
        Run { say, lines: Vec::new(), redactor, deadline: Instant::now() + options.total }
    }

    /// Adds a line, with secrets removed.
    pub(crate) fn say(&mut self, line: Line) {
        let clean = |text: &str| self.redactor.said(text, &[]);
        let clean_words = |words: Words| words.map(|text, own| self.redactor.said(text, own));
        let facts = line.facts.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, clean(&text).into()),
            other => (name, other),
        });
        let line = Line {
            about: clean(&line.about),
            found: clean_words(line.found),
            remedy: line.remedy.map(clean_words),
            facts: facts.collect(),
            ..line
        };
        (self.say)(&line);
        self.lines.push(line);
    }

    /// As [`within`], limited by the time left for the run.
    pub(crate) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        within(limit.min(self.left()), work)
    }

    /// The time left for the run.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Reports a check that did not finish in time.
    pub(crate) fn out_of_time(&mut self, check: &'static str, about: &str) {
        self.say(Line::warning(
            check,
            about,
            words!("在限定时间内没有完成", "was not done in its time"),
            words!(
                "先处理其它失败的项目，再重新运行检查",
                "fix what else has failed, then run the doctor again"
            ),
        ));
    }

    pub(crate) fn into_report(self) -> Report {
        Report { lines: self.lines, at_unix_ms: unix_ms(SystemTime::now()) }
    }
}

/// Runs work that may hang on a separate thread. `None` if it is not done in time; the thread is then abandoned.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = channel();
    let started = std::thread::Builder::new().name("zv-doctor".to_owned()).spawn(move || {
        // The receiver may be gone.
        let _ = done.send(work());
    });
    started.ok()?;
    result.recv_timeout(limit).ok()
}

/// A time in Unix milliseconds.
pub(crate) fn unix_ms(time: SystemTime) -> i64 {
    let milliseconds = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -milliseconds(before.duration()), milliseconds)
}
