//! The host's log callback.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{PoisonError, RwLock};

use zvpos_core::log::Level;

/// Takes one line of the log. `level` is a `ZV_LOG_` constant, `message` a NUL-ended text that is valid only
/// during the call, `user_data` what was passed to `zv_set_log_callback`. It may be called from any thread, from
/// several at once, and must not call any `zv_` function.
#[allow(non_camel_case_types, reason = "the C name")]
pub type zv_log_fn = Option<unsafe extern "C" fn(level: i32, message: *const c_char, user_data: *mut c_void)>;

/// As [`zv_log_callback`], for hosts that use the stdcall convention.
#[cfg(all(windows, target_arch = "x86"))]
#[allow(non_camel_case_types, reason = "the C name")]
pub type zvs_log_fn =
    Option<unsafe extern "system" fn(level: i32, message: *const c_char, user_data: *mut c_void)>;

/// The host's function, by calling convention.
#[derive(Clone, Copy)]
pub(crate) enum LogFunction {
    C(unsafe extern "C" fn(i32, *const c_char, *mut c_void)),
    #[cfg(all(windows, target_arch = "x86"))]
    Stdcall(unsafe extern "system" fn(i32, *const c_char, *mut c_void)),
}

impl LogFunction {
    /// # Safety
    /// The host keeps the function callable, and `message` is a NUL-ended text.
    unsafe fn call(self, level: i32, message: *const c_char, user_data: *mut c_void) {
        // SAFETY: forwarded to the caller's contract.
        unsafe {
            match self {
                LogFunction::C(function) => function(level, message, user_data),
                #[cfg(all(windows, target_arch = "x86"))]
                LogFunction::Stdcall(function) => function(level, message, user_data),
            }
        }
    }
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside the host's callback.
pub(crate) fn is_inside() -> bool {
    INSIDE.with(Cell::get)
}

/// The callback that the host has set.
#[derive(Default)]
pub(crate) struct Callback {
    slot: RwLock<Slot>,
    level: AtomicI32,
}

#[derive(Default)]
struct Slot {
    function: Option<LogFunction>,
    user_data: UserData,
}

/// The host's pointer, passed back unchanged.
struct UserData(*mut c_void);

impl Default for UserData {
    fn default() -> Self {
        UserData(std::ptr::null_mut())
    }
}

// SAFETY: the library never dereferences it; the header says that the callback runs on any thread.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl Callback {
    /// Sets the callback, or removes it with NULL; returns when no call of the old one is running. From inside a
    /// callback that wait would never end, so there it does nothing.
    pub(crate) fn set(&self, function: Option<LogFunction>, user_data: *mut c_void, max_level: i32) {
        if is_inside() {
            return;
        }
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let level = if function.is_some() { Level::from_number(max_level) } else { Level::Off };
        self.level.store(level.number(), Ordering::Relaxed);
        *slot = Slot { function, user_data: UserData(user_data) };
    }

    /// The most verbose level that the host wants.
    pub(crate) fn max_level(&self) -> Level {
        Level::from_number(self.level.load(Ordering::Relaxed))
    }

    /// Passes a line, encoded for the host, to the host's function.
    pub(crate) fn write(&self, level: Level, line: Vec<u8>) {
        if is_inside() {
            return;
        }
        let Ok(line) = CString::new(line) else { return };
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = slot.function {
            INSIDE.with(|inside| inside.set(true));
            // SAFETY: the host gave a function of this type and keeps it callable until it is removed; the text
            // outlives the call.
            unsafe { function.call(level.number(), line.as_ptr(), slot.user_data.0) };
            INSIDE.with(|inside| inside.set(false));
        }
    }
}
