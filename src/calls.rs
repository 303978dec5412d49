//! The exported functions. What stands above each of them here stands in the header.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_void};

use zvpos_core::api::Library;
use zvpos_core::json::{Kind, Value};
use zvpos_core::log::Level;
use zvpos_core::outcome::{Answer, Outcome, codes};

use crate::answers::{Answers, Freed, Taken};
use crate::callback::{Function, zv_log_fn};
use crate::guard;
use crate::process::Process;
use crate::text::{self, FromHost};

/// The version of this interface: it grows by one whenever something is added, and nothing is ever taken away.
pub const ZV_ABI_VERSION: u32 = 2;

/// The gateway did it, and the journal knows: complete the sale.
pub const ZV_SUCCEEDED: i32 = 0;
/// The gateway said no; nothing was taken: another tender.
pub const ZV_DECLINED: i32 = 1;
/// Refused before sending; this call took nothing: mend the program, `errors[]` says where.
pub const ZV_INVALID: i32 = 2;
/// No byte reached the gateway; nothing was taken: the same bizId may be tried again.
pub const ZV_NOT_SENT: i32 = 3;
/// It may have happened: do what `next` says, never charge again under a new bizId.
pub const ZV_UNKNOWN: i32 = 4;
/// A defect of the library or the machine; this call sent nothing: stop.
pub const ZV_INTERNAL: i32 = 5;
/// It was done and is undone, or can no longer happen: another tender.
pub const ZV_REVERSED: i32 = 6;
/// The bizId already stands for another request: look it up.
pub const ZV_CONFLICT: i32 = 7;
/// A call that was started has not ended: poll its ticket again.
pub const ZV_RUNNING: i32 = 8;

/// Nothing is logged.
pub const ZV_LOG_OFF: i32 = 0;
/// Something is broken.
pub const ZV_LOG_ERROR: i32 = 1;
/// Something should be looked at.
pub const ZV_LOG_WARN: i32 = 2;
/// One line a call.
pub const ZV_LOG_INFO: i32 = 3;
/// What a call is made of.
pub const ZV_LOG_DEBUG: i32 = 4;
/// Everything.
pub const ZV_LOG_TRACE: i32 = 5;

/// Starts the library. Call it once when the program starts; everything else waits for it.
///
/// `config_json`: one JSON object; see docs/configuration.md. Every problem with it is reported at once, in
/// `errors[]`. A second call with the same configuration succeeds and says `"already": true`.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
///
/// # Safety
/// `config_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_init(config_json: *const c_char) -> *mut c_char {
    answered(Outcome::Internal, &|process| {
        // SAFETY: the caller's promise is passed on.
        match unsafe { text::bytes(config_json) } {
            Some(config) => process.start(config),
            None => Answer::of(Outcome::Invalid, &codes::NULL, process.lang(), "config_json is NULL"),
        }
    })
}

/// Asks what a coupon is worth on a basket (`user.user-by-coupon`). Nothing is taken, so it may be asked as
/// often as wanted.
///
/// `request_json`: one JSON object with the vendor's field names; see include/schemas.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_coupon_quote_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call(Outcome::Internal, request_json, Library::quote) }
}

/// Takes coupons, stored balance or both from a member (`communal.user.consume`). The one call that moves money:
/// look at `outcome`, do what `next` says. The same bizId may be sent again; it never takes twice.
///
/// `request_json`: one JSON object with the vendor's field names; see include/schemas.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_consume_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call(Outcome::Unknown, request_json, Library::consume) }
}

/// Undoes a whole consume (冲正), also another till's by `returnedBizId`. On disk before it is sent, and sent until
/// the gateway has answered: `reversed`, `unknown` while it is under way, `conflict` where the gateway refuses or
/// nobody can know.
///
/// `request_json`: `{"bizId", "returnedBizId"?, "journal_id"?, "account"?}`; with the identity of this journal an attempt
/// that was never sent is voided.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_reverse_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call(Outcome::Unknown, request_json, Library::reverse) }
}

/// What became of a bizId, from the journal alone; nothing is sent. `recorded` shows the whole entry.
///
/// `request_json`: `{"bizId", "journal_id"?, "account"?}`. `journal_id` is `data.journal_id` of `zv_init`, stored by the
/// till with its attempt before it was made: then a bizId without an entry is `not_sent` (`ZV-NEVER-SENT`, `retry`), or
/// `unknown` (`ZV-OTHER-JOURNAL`) where the attempt was made with another journal.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_lookup_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call(Outcome::Internal, request_json, Library::look_up) }
}

/// Every sale that is not settled yet: `data.entries`, each with what happens next (`running`, `reversing`,
/// `person`, `no_credentials`, and after a crash `recovering`, `unheard` and `confirm`). With `day` every sale of one business
/// day, also those that are `settled`, to be held against the till's own; `format` gives it as NDJSON or CSV in `data.text`.
///
/// `request_json`: NULL for all that is not settled, or `{"account"?, "day"?, "format"?}`.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_pending_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call_optional(request_json, Library::pending) }
}

/// Settles now what can be settled, without waiting for its turn, and lists what is left. For hosts that set
/// `background` to false, and for impatient ones.
///
/// `request_json`: NULL for all, or `{"account"}` to list only that account's.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_recover_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call_optional(request_json, Library::recover) }
}

/// The till has stored its own sale (option `confirm`): only now it counts. What is not confirmed is shown after a
/// restart and reversed `confirm_after_s` later.
///
/// `request_json`: `{"bizId", "account"?}`.
///
/// Returns `succeeded`, or `reversed` or `unknown` where it was too late; an answer that the caller frees with
/// `zv_free` or `zv_take`. Any thread.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_confirm_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call(Outcome::Internal, request_json, Library::confirm) }
}

/// A person says what became of a sale that nobody could find out; kept in the journal with name and reason.
///
/// `request_json`: `{"bizId", "as": "kept" | "undone", "by", "reason", "account"?}`. `kept` is refused while a
/// reversal has left that was not refused.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_settle_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call(Outcome::Internal, request_json, Library::settle) }
}

/// Asks the gateway for something that takes nothing: member look-up, coupon status, usable coupons, the other
/// documented reads, and what the configuration lists under `call_actions`; of what is listed and no documented
/// read, a lost answer is `unknown` (`ZV-CALL-LOST`).
///
/// `action`: an operation (`member_lookup`, `coupon_status`, `usable_coupons`, `balance_by_biz_id`), its V2
/// Action or its V3 path. `params_json`: its params, sent as they are. The action `zvpos.panic` proves on a
/// host that a defect of the library cannot end its process: it panics inside and answers `internal`.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
///
/// # Safety
/// Both texts are NULL or NUL-ended and do not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_call_json(action: *const c_char, params_json: *const c_char) -> *mut c_char {
    answered(Outcome::Internal, &|process| {
        // SAFETY: the caller's promise is passed on, for both.
        let texts = unsafe { two(process, (action, "action"), (params_json, "params_json")) };
        texts
            .and_then(|(action, params)| {
                let library = process.library()?;
                if action == guard::PANIC_ACTION {
                    guard::panic_on_request();
                }
                Ok(library.call(&action, &params))
            })
            .unwrap_or_else(|answer| answer)
    })
}

/// Begins a call on a thread of the library's, for hosts that may not block and can take no callback on a foreign
/// thread. Its answer is fetched with `zv_poll_json`.
///
/// `operation`: `coupon_quote`, `consume`, `reverse`, `lookup`, `pending`, `recover`, `confirm`, `settle`, or
/// `call:` and the action of `zv_call_json`. `request_json`: as for that function; `{}` where it takes NULL.
///
/// Returns `running` (8) with `data.ticket`, or `not_sent` (ZV-TICKETS) while 64 calls are running or have not been
/// fetched; an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
///
/// # Safety
/// Both texts are NULL or NUL-ended and do not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_start_json(operation: *const c_char, request_json: *const c_char) -> *mut c_char {
    answered(Outcome::Internal, &|process| {
        // SAFETY: the caller's promise is passed on, for both.
        let texts = unsafe { two(process, (operation, "operation"), (request_json, "request_json")) };
        texts
            .and_then(|(operation, request)| Ok(process.library()?.begin(&operation, &request)))
            .unwrap_or_else(|answer| answer)
    })
}

/// The answer of a call that was started, once: afterwards the ticket is gone. `running` (8) until it is there. An
/// answer that is never fetched is kept until `zv_shutdown`; a payment's stands in the journal anyway. Where there is
/// no such ticket (any more) nothing is known of its call: `unknown` (4), look the bizId up.
///
/// `ticket`: the text of `data.ticket`.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Never waits.
///
/// # Safety
/// `ticket` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_poll_json(ticket: *const c_char) -> *mut c_char {
    answered(Outcome::Unknown, &|process| {
        // SAFETY: the caller's promise is passed on.
        let ticket = unsafe { process.expected("ticket").required(ticket) };
        ticket
            .and_then(|ticket| Ok(process.library_of_ticket()?.poll(ticket.trim())))
            .unwrap_or_else(|answer| answer)
    })
}

/// Stops the library: refuses new calls and waits for those under way, each up to its own deadline.
/// `data.still_running` names the bizIds that could not be waited for. Afterwards `zv_init` starts anew.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread; not from DllMain.
#[unsafe(no_mangle)]
pub extern "C" fn zv_shutdown() -> *mut c_char {
    answered(Outcome::Internal, &Process::stop)
}

/// The outcome of an answer as a number: a `ZV_` constant, or -1 for NULL and for what is no answer.
///
/// `response`: any NUL-ended answer, also a copy. Any thread.
///
/// # Safety
/// `response` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_outcome(response: *const c_char) -> i32 {
    guard::or_panic(|| {
        let process = Process::current();
        if let Some(outcome) = process.answers.outcome(response) {
            return Some(outcome.number());
        }
        // SAFETY: the caller's promise is passed on.
        let response = unsafe { read(process, response) }?;
        let value = Value::find(&response, ["outcome"])?;
        Outcome::from_word(value.scalar()?).map(Outcome::number)
    })
    .flatten()
    .unwrap_or(-1)
}

/// One value of an answer as text, for hosts without a JSON parser.
///
/// `path`: names and list positions joined by points, such as `cashier`, `data.coupon_discount` or
/// `errors.0.path`. Texts come without quotes and escapes, lists and objects as JSON, in the configured charset
/// (`ascii`: what is beyond it as `\uXXXX`).
///
/// Returns the length n without NUL after copying n + 1 bytes; n + 1 if the buffer is too small (also NULL or
/// capacity 0), and then copies nothing; 0 if there is no such value, or it is null or empty. Any thread.
///
/// # Safety
/// `response` and `path` are NULL or NUL-ended texts; `buffer` is NULL or has `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_field(
    response: *const c_char,
    path: *const c_char,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    guard::or_panic(|| {
        let process = Process::current();
        // SAFETY: the caller's promise is passed on, for all three.
        let (response, path, buffer) =
            unsafe { (read(process, response)?, read(process, path)?, writable(buffer, capacity)) };
        let value = Value::find(&response, path.split(['.', '[', ']']).filter(|step| !step.is_empty()));
        let text = process.in_charset(value.as_ref().and_then(shown).unwrap_or_default());
        let text = &*text;
        let Some(room) = buffer.get_mut(..=text.len()) else {
            return Some(if text.is_empty() { 0 } else { text.len() + 1 });
        };
        let (room, nul) = room.split_at_mut(text.len());
        room.copy_from_slice(text);
        nul.fill(0);
        Some(text.len())
    })
    .flatten()
    .unwrap_or(0)
}

/// Copies an answer into the caller's buffer and frees it, for hosts that own their buffers.
///
/// Returns the length n without NUL after copying n + 1 bytes and freeing the answer. If the buffer is too small
/// (also NULL or capacity 0), copies nothing, frees nothing and returns n + 1: as long as the result is not less
/// than `capacity`, the answer is still yours, come again with more room. Never repeat the call that gave the
/// answer. 0 for NULL or what is no live answer. Any thread.
///
/// # Safety
/// `buffer` is NULL or has `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_take(response: *mut c_char, buffer: *mut c_char, capacity: usize) -> usize {
    guard::or_panic(|| {
        if response.is_null() {
            return 0;
        }
        let process = Process::current();
        // SAFETY: the caller's promise is passed on.
        match process.answers.take(response, unsafe { writable(buffer, capacity) }) {
            Taken::Copied(length, freed) => {
                delivered(process, &freed);
                length
            }
            Taken::TooSmall(needed) => needed,
            Taken::Unknown => {
                not_ours(process, "zv_take", response);
                0
            }
        }
    })
    .unwrap_or(0)
}

/// Frees an answer. NULL is nothing; what is no live answer is logged (ZV-FREE) and ignored. The last 256 that were
/// freed (at most 1 MiB) are wiped and kept, so that a second free of one of them hits no other answer. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn zv_free(response: *mut c_char) {
    guard::or_panic(|| {
        let process = Process::current();
        if response.is_null() {
            return;
        }
        match process.answers.free(response) {
            Some(freed) => delivered(process, &freed),
            None => not_ours(process, "zv_free", response),
        }
    });
}

/// Sets the log callback; with NULL removes it and returns only when none is running. It may be set before
/// `zv_init`. Lines above `max_level` (a `ZV_LOG_` constant) are not made. Keys and passwords are in no line,
/// phone numbers are masked. Any thread, but not from inside the callback, where it does nothing.
///
/// # Safety
/// `callback` is NULL or callable from any thread, with `user_data`, until it has been removed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_set_log_callback(callback: zv_log_fn, user_data: *mut c_void, max_level: i32) {
    let callback = callback.map(Function::C);
    guard::or_panic(|| Process::current().callback.set(callback, user_data, max_level));
}

/// The version of the library, such as "0.1.0". Never freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn zv_version() -> *const c_char {
    const TEXT: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => c"?",
    };
    TEXT.as_ptr()
}

/// `ZV_ABI_VERSION` of the library that is loaded. Compare it with the header's: it must not be less. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn zv_abi_version() -> u32 {
    ZV_ABI_VERSION
}

/// Runs a function of one request. A panic becomes `panic_outcome`: `Unknown` where a request may have left.
///
/// # Safety
/// `request` is NULL or a NUL-ended text that does not change during the call.
unsafe fn call(
    panic_outcome: Outcome,
    request: *const c_char,
    run: fn(&Library, &str) -> Answer,
) -> *mut c_char {
    answered(panic_outcome, &|process| {
        // SAFETY: the caller's promise is passed on.
        let request = unsafe { process.expected("request_json").required(request) };
        request.and_then(|request| Ok(run(&*process.library()?, &request))).unwrap_or_else(|answer| answer)
    })
}

/// Runs a function whose request may be NULL.
///
/// # Safety
/// As [`call`].
unsafe fn call_optional(request: *const c_char, run: fn(&Library, Option<&str>) -> Answer) -> *mut c_char {
    answered(Outcome::Internal, &|process| {
        // SAFETY: the caller's promise is passed on.
        let request = unsafe { process.expected("request_json").optional(request) };
        request
            .and_then(|request| Ok(run(&*process.library()?, request.as_deref())))
            .unwrap_or_else(|answer| answer)
    })
}

/// Runs the body of an exported function and gives its answer to the host.
fn answered(panic_outcome: Outcome, body: &dyn Fn(&'static Process) -> Answer) -> *mut c_char {
    let process = Process::current();
    let answer = guard::answered(process, panic_outcome, body);
    guard::or_panic(|| {
        let json = process.in_charset(answer.to_json().into());
        process.answers.hand_out(&json, answer.outcome(), answer.delivery())
    })
    .unwrap_or_else(|| Answers::no_memory(answer.outcome()))
}

/// The host has read an answer.
fn delivered(process: &Process, freed: &Freed) {
    if let (Some(number), Ok(library)) = (freed.delivery, process.library()) {
        library.delivered(number);
    }
}

fn not_ours(process: &Process, function: &str, pointer: *mut c_char) {
    let why = if process.answers.is_dead(pointer) { "was freed before" } else { "is not a live answer" };
    process.say(Level::Error, &format!("ZV-FREE {function}: {pointer:p} {why}; ignored"));
}

/// Two texts that must be given, each with its name.
///
/// # Safety
/// Both pointers are NULL or NUL-ended texts that do not change during the call.
unsafe fn two<'a>(
    process: &Process,
    first: (*const c_char, &str),
    second: (*const c_char, &str),
) -> Result<(Cow<'a, str>, Cow<'a, str>), Answer> {
    let expected = process.expected(first.1);
    // SAFETY: the caller's promise is passed on, for both.
    unsafe { Ok((expected.required(first.0)?, expected.named(second.1).required(second.0)?)) }
}

/// A text in the host's charset; `None` for what is none.
///
/// # Safety
/// `pointer` is NULL or a NUL-ended text that does not change during the call.
unsafe fn read<'a>(process: &Process, pointer: *const c_char) -> Option<Cow<'a, str>> {
    // SAFETY: the caller's promise is passed on.
    let bytes = unsafe { text::bytes(pointer) }?;
    process.expected("").decode(bytes).ok()
}

/// # Safety
/// `buffer` is NULL or has `capacity` bytes that nobody else touches during the call.
unsafe fn writable<'a>(buffer: *mut c_char, capacity: usize) -> &'a mut [u8] {
    let Ok(_) = isize::try_from(capacity) else { return &mut [] };
    if buffer.is_null() {
        return &mut [];
    }
    // SAFETY: not NULL, `capacity` bytes by the caller's promise, and no more than a slice may have.
    unsafe { std::slice::from_raw_parts_mut(buffer.cast(), capacity) }
}

/// A value as text: without quotes and escapes; nothing for null.
fn shown<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value.kind() {
        Kind::Null => None,
        Kind::Array(_) | Kind::Object(_) => Some(value.raw().into()),
        _ => value.scalar().map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_the_outcomes_numbers() {
        let constants = [
            ZV_SUCCEEDED,
            ZV_DECLINED,
            ZV_INVALID,
            ZV_NOT_SENT,
            ZV_UNKNOWN,
            ZV_INTERNAL,
            ZV_REVERSED,
            ZV_CONFLICT,
            ZV_RUNNING,
        ];
        assert_eq!(Outcome::ALL.map(Outcome::number), constants);
        let levels = [ZV_LOG_OFF, ZV_LOG_ERROR, ZV_LOG_WARN, ZV_LOG_INFO, ZV_LOG_DEBUG, ZV_LOG_TRACE];
        assert_eq!(levels.map(|number| Level::from_number(number).number()), levels);
    }
}
