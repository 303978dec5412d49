//! No panic crosses the C boundary, and none is printed.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use zvpos_core::log::Level;
use zvpos_core::outcome::{Answer, Outcome, codes};

use crate::callback;
use crate::process::Process;

/// The action of `zv_call_json` that panics, so that a host can prove that it survives a defect.
pub(crate) const PANIC_ACTION: &str = "zvpos.panic";

static HOOK: Once = Once::new();

/// Runs the body of one exported function. A panic becomes an answer with `outcome`: `Unknown` where a request may
/// have been sent, else `Internal`.
pub(crate) fn answered(
    process: &'static Process,
    outcome: Outcome,
    body: &dyn Fn(&'static Process) -> Answer,
) -> Answer {
    or_panic(|| {
        if callback::is_inside() {
            let message = "a zv_ function was called from inside the log callback";
            return Answer::of(Outcome::Invalid, &codes::REENTRANT, process.lang(), message);
        }
        body(process)
    })
    .unwrap_or_else(|| {
        Answer::of(outcome, &codes::PANIC, process.lang(), "a defect of the library was caught; see the log")
    })
}

/// Runs `body`; `None` if it panicked.
pub(crate) fn or_panic<T>(body: impl FnOnce() -> T) -> Option<T> {
    // The standard library is linked in statically, so this hook is ours alone and the host's is untouched.
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let text = info.payload_as_str().unwrap_or("(no text)");
            Process::current().say(Level::Error, &format!("ZV-PANIC at {place}: {text}"));
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(body)).ok()
}

/// Implements [`PANIC_ACTION`].
pub(crate) fn panic_on_request() {
    panic!("asked for by zv_call_json(\"{PANIC_ACTION}\")");
}
