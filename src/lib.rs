//! The C ABI of zvpos and nothing else: strings in and out, the registry of live answers, panics, the log
//! callback. Everything the library knows is in `zvpos-core`. This is the only crate with `unsafe`.

mod answers;
mod callback;
mod calls;
mod fork;
mod guard;
mod process;
mod text;

pub use callback::zv_log_fn;
pub use calls::*;
