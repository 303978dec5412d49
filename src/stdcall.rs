//! Every exported function again with the stdcall calling convention, for 32-bit Windows hosts that support no other:
//! VB6, PowerBuilder, 易语言. `zvs_init` is `zv_init`, and so on; see `calls` for what each does. Their names are
//! exported undecorated; build/header.rs declares them.

use std::ffi::{c_char, c_void};

use crate::callback::{LogFunction, zvs_log_fn};
use crate::guard;
use crate::process::Process;

/// One twin per line; the compiler checks its types against the function that it calls.
macro_rules! twins {
    ($($twin:ident = $function:ident($($name:ident: $type:ty),*) $(-> $returned:ty)?;)+) => {
        $(
            #[doc = concat!("`", stringify!($function), "` for hosts that call by stdcall.")]
            ///
            /// # Safety
            /// As for the function that it calls.
            #[unsafe(no_mangle)]
            pub unsafe extern "system" fn $twin($($name: $type),*) $(-> $returned)? {
                let function: unsafe extern "C" fn($($type),*) $(-> $returned)? = crate::calls::$function;
                // SAFETY: the caller's promise is passed on.
                unsafe { function($($name),*) }
            }
        )+
    };
}

twins! {
    zvs_init = zv_init(config_json: *const c_char) -> *mut c_char;
    zvs_coupon_quote_json = zv_coupon_quote_json(request_json: *const c_char) -> *mut c_char;
    zvs_biz_id = zv_biz_id() -> *mut c_char;
    zvs_consume_json = zv_consume_json(request_json: *const c_char) -> *mut c_char;
    zvs_reverse_json = zv_reverse_json(request_json: *const c_char) -> *mut c_char;
    zvs_lookup_json = zv_lookup_json(request_json: *const c_char) -> *mut c_char;
    zvs_pending_json = zv_pending_json(request_json: *const c_char) -> *mut c_char;
    zvs_recover_json = zv_recover_json(request_json: *const c_char) -> *mut c_char;
    zvs_confirm_json = zv_confirm_json(request_json: *const c_char) -> *mut c_char;
    zvs_settle_json = zv_settle_json(request_json: *const c_char) -> *mut c_char;
    zvs_call_json = zv_call_json(action: *const c_char, params_json: *const c_char) -> *mut c_char;
    zvs_start_json = zv_start_json(operation: *const c_char, request_json: *const c_char) -> *mut c_char;
    zvs_poll_json = zv_poll_json(ticket: *const c_char) -> *mut c_char;
    zvs_shutdown = zv_shutdown() -> *mut c_char;
    zvs_outcome = zv_outcome(response: *const c_char) -> i32;
    zvs_field = zv_field(
        response: *const c_char, path: *const c_char, buffer: *mut c_char, capacity: usize
    ) -> usize;
    zvs_take = zv_take(response: *mut c_char, buffer: *mut c_char, capacity: usize) -> usize;
    zvs_free = zv_free(response: *mut c_char);
    zvs_version = zv_version() -> *const c_char;
    zvs_abi_version = zv_abi_version() -> u32;
}

/// `zv_set_log_callback` for hosts that call, and are called, by stdcall.
///
/// # Safety
/// As `zv_set_log_callback`.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn zvs_set_log_callback(
    callback: zvs_log_fn,
    user_data: *mut c_void,
    max_level: i32,
) {
    let callback = callback.map(LogFunction::Stdcall);
    guard::or_panic(|| Process::current().callback.set(callback, user_data, max_level));
}
