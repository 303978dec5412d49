//! Shared by the tests of the C ABI: the shipped library, C programs built against it, the simulator, a till to
//! control, and servers with misbehaviour for which the simulator has no fault.
// Each test file uses a part of this; code in tests may do what money code may not.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::missing_panics_doc)]

mod build;
mod cargo;
mod cases;
mod disk;
mod driver;
mod own_folder;
mod scripted;
mod shipped;
mod simulator;
mod until;

pub use build::{
    Checked, Flavour, Output, library, library_for_servers, library_with_debug_info, own_folder, preload,
    program, program_for_servers, root, rpath, run, run_checked, scratch,
};
pub use cases::{case_files, case_names, finds_what_is_wrong, run_cases};
pub use disk::{
    Holder, Mounted, Random, beside, lose_owner_files, owner_files, python, quotes_go_on, seed, system,
};
pub use driver::{Answer, Driver, config, reversing, tempfile};
pub use scripted::{Request, Scripted, gateway_answer};
pub use simulator::{FIVE_OFF, MEMBER, POOR_MEMBER, SAVINGS_COUPON, Simulator};
pub use until::until;
