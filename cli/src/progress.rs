//! Shows on a terminal's stderr that a command is running, and how far it is.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a bar that moves by itself is redrawn.
pub(crate) const TICK: Duration = Duration::from_millis(200);

/// An activity of unknown duration. It is first drawn by its caller, so that a short one shows nothing.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    styled(ProgressBar::no_length(), "{spinner} {msg} {elapsed}").with_message(what.to_owned())
}

/// A spinner that turns by itself.
pub(crate) fn turning(what: &str) -> ProgressBar {
    let spinner = spinner(what);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// The completed share of a number. It is first drawn when the caller sets that number: a bar of none is full.
pub(crate) fn bar() -> ProgressBar {
    styled(ProgressBar::no_length(), "[{bar:24}] {pos}/{len} {elapsed}")
}

/// Nothing is drawn unless stderr is a terminal that can move its cursor. The last handle that is dropped clears the
/// line.
fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    let dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    bar.set_draw_target(if dumb { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    // An old console has no other letters.
    bar.with_style(style.tick_chars("|/-\\ ").progress_chars("#."))
}
