//! The C ABI of zvpos and nothing else: strings in and out, the registry of live answers, panics, the log callback.
//! All other logic is in `zvpos-core`. This is the only crate with `unsafe`.

mod answers;
mod callback;
mod calls;
mod fork;
mod guard;
mod pin;
mod process;
#[cfg(all(windows, target_arch = "x86"))]
mod stdcall;
mod text;

pub use callback::zv_log_fn;
#[cfg(all(windows, target_arch = "x86"))]
pub use callback::zvs_log_fn;
pub use calls::*;
#[cfg(all(windows, target_arch = "x86"))]
pub use stdcall::*;
