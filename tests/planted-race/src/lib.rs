//! A counter that two threads may call at once, and must not.

static mut CALLS: u64 = 0;

/// Counts this call, with a data race.
#[unsafe(no_mangle)]
pub extern "C" fn planted_race() -> u64 {
    // SAFETY: none, deliberately.
    unsafe {
        CALLS += 1;
        CALLS
    }
}
