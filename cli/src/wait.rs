//! Waiting for a call of the library's: a line that says how long it has been, and what Ctrl-C means meanwhile.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;

use crate::output::say;
use crate::progress::Line;

/// What can be said about an interrupted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stakes {
    /// It takes nothing: it may be left at once.
    Nothing,
    /// Money may move: the first Ctrl-C waits for what is certain, the second leaves.
    Money,
}

enum Event<T> {
    Done(Option<T>),
    Interrupted,
}

/// Runs `work` on a thread of its own. `None` if the person did not want to wait for it any longer; then it still
/// runs, and ends with the process. `crashed` is for a defect in it.
pub(crate) fn attend<T: Send + 'static>(
    what: &str,
    stakes: Stakes,
    work: impl FnOnce() -> T + Send + 'static,
    crashed: impl FnOnce() -> T,
) -> Option<T> {
    let (sender, events) = channel();
    listen(sender.clone());
    thread::spawn(move || {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok();
        // Nobody listens any more when the person has left.
        let _ = sender.send(Event::Done(done));
    });
    let mut line = Line::new();
    let mut asked = false;
    loop {
        match events.recv_timeout(Line::PACE) {
            Ok(Event::Done(done)) => return Some(done.unwrap_or_else(crashed)),
            Ok(Event::Interrupted) if stakes == Stakes::Money && !asked => {
                asked = true;
                line.clear();
                say(
                    "zv: the request may have left and cannot be called back. Waiting for what is certain, until \
                     timeouts_ms.total at most; Ctrl-C again leaves at once.",
                );
            }
            Ok(Event::Interrupted) | Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => line.draw(what),
        }
    }
}

/// Reports each Ctrl-C from now on. Where that cannot be, Ctrl-C ends the process as a crash does, which the journal is
/// made for.
fn listen<T: Send + 'static>(sender: Sender<Event<T>>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    let (ready, listening) = channel();
    thread::spawn(move || {
        runtime.block_on(async {
            let Ok(mut presses) = ctrl_c() else { return };
            // Nothing is sent before this.
            let _ = ready.send(());
            while presses.recv().await.is_some() && sender.send(Event::Interrupted).is_ok() {}
        });
    });
    // An error is the thread's end; see above.
    let _ = listening.recv();
}

#[cfg(unix)]
fn ctrl_c() -> std::io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn ctrl_c() -> std::io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_the_work_gives_also_when_it_crashes() {
        assert_eq!(attend("x", Stakes::Money, || 1, || 2), Some(1));
        assert_eq!(attend("x", Stakes::Money, || panic!("on purpose"), || 2), Some(2));
    }
}
