//! Waits for a call of the library: a line shows how long it has taken, and Ctrl-C is handled meanwhile.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::output::say;
use crate::progress::spinner;

/// A call that takes longer shows that it is running, and for how long.
const REDRAW: Duration = Duration::from_secs(1);

/// What an interrupted call puts at risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stakes {
    /// The call takes nothing: it may be abandoned at once.
    Nothing,
    /// The call may move money: the first Ctrl-C waits for a certain result, the second one exits.
    Money,
}

enum Event<T> {
    Done(Option<T>),
    Interrupted,
}

/// Runs `work` on a separate thread. `None` if the user did not want to wait any longer; then it keeps running, and
/// ends with the process. `crashed` is the result if it panics.
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
        // The receiver is gone if the user has left.
        let _ = sender.send(Event::Done(done));
    });
    let line = spinner(what);
    let mut asked = false;
    loop {
        match events.recv_timeout(REDRAW) {
            Ok(Event::Done(done)) => return Some(done.unwrap_or_else(crashed)),
            Ok(Event::Interrupted) if stakes == Stakes::Money && !asked => {
                asked = true;
                line.suspend(|| {
                    say(
                        "zv: the request may have been sent and cannot be cancelled. Waiting for a certain outcome, until \
                         timeouts_ms.total at most; Ctrl-C again leaves at once.",
                    );
                });
            }
            Ok(Event::Interrupted) | Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => line.tick(),
        }
    }
}

/// Reports each Ctrl-C from now on. Where that is impossible, Ctrl-C ends the process like a crash, for which the
/// journal is made.
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
    // An error ends the thread; see above.
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
    fn returns_the_result_also_after_a_panic() {
        assert_eq!(attend("x", Stakes::Money, || 1, || 2), Some(1));
        assert_eq!(attend("x", Stakes::Money, || panic!("on purpose"), || 2), Some(2));
    }
}
