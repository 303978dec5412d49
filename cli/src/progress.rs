//! Work that takes longer than a second shows on a terminal that it is running, and how far it is.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// One line on a terminal's stderr, removed on drop.
pub(crate) struct Line {
    since: Instant,
    terminal: bool,
    /// The number of columns on the screen.
    drawn: usize,
}

impl Line {
    /// How often it is redrawn.
    pub(crate) const PACE: Duration = Duration::from_millis(200);
    const PATIENCE: Duration = Duration::from_secs(1);
    const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
    const BAR: usize = 24;

    pub(crate) fn new() -> Line {
        Line { since: Instant::now(), terminal: stderr().is_terminal(), drawn: 0 }
    }

    /// Draws an activity of unknown duration.
    pub(crate) fn draw(&mut self, what: &str) {
        let turn = usize::try_from(self.since.elapsed().as_millis() / Self::PACE.as_millis());
        let frame = Self::FRAMES.get(turn.unwrap_or_default() % Self::FRAMES.len()).copied().unwrap_or('-');
        self.show(&format!("{frame} {what}"));
    }

    /// Draws the completed share.
    pub(crate) fn bar(&mut self, done: usize, of: usize) {
        let full = (done * Self::BAR).checked_div(of).unwrap_or_default().min(Self::BAR);
        let bar = format!("[{}{}]", "#".repeat(full), ".".repeat(Self::BAR - full));
        self.show(&format!("{bar} {done}/{of}"));
    }

    fn show(&mut self, text: &str) {
        let elapsed = self.since.elapsed();
        if !self.terminal || elapsed < Self::PATIENCE {
            return;
        }
        let text = format!("{text} {} s ", elapsed.as_secs());
        self.drawn = self.drawn.max(text.len());
        // If the terminal is gone there is nothing to show.
        let _ = write!(stderr(), "\r{text}");
    }

    pub(crate) fn clear(&mut self) {
        if self.drawn > 0 {
            let _ = write!(stderr(), "\r{}\r", " ".repeat(std::mem::take(&mut self.drawn)));
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Runs `work` on a separate thread. `hear` receives what it sends, and `None` now and then while nothing arrives.
/// Returns `None` if `work` panicked.
pub(crate) fn follow<M: Send, T: Send>(
    work: impl FnOnce(&Sender<M>) -> T + Send,
    mut hear: impl FnMut(Option<M>),
) -> Option<T> {
    let (sender, sent) = channel();
    thread::scope(|scope| {
        // The thread owns its sender, so that the channel closes when it ends.
        let working = scope.spawn(move || work(&sender));
        loop {
            match sent.recv_timeout(Line::PACE) {
                Ok(message) => hear(Some(message)),
                Err(RecvTimeoutError::Timeout) => hear(None),
                Err(RecvTimeoutError::Disconnected) => return working.join().ok(),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_received_before_the_end() {
        let mut heard = Vec::new();
        let ended = follow(
            |sender| (0..3).for_each(|number| sender.send(number).unwrap()),
            |number: Option<i32>| heard.extend(number),
        );
        assert_eq!((ended, heard), (Some(()), vec![0, 1, 2]));
        assert_eq!(follow(|_: &Sender<()>| panic!("on purpose"), |_| {}), None::<()>);
    }
}
