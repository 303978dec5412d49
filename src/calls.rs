//! The exported functions. The comment above each of them becomes its comment in the header.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_void};

use zvpos_core::api::Library;
use zvpos_core::json::{Value, ValueKind};
use zvpos_core::log::Level;
use zvpos_core::outcome::{Answer, Outcome, codes};

use crate::answers::{Answers, Freed, Taken};
use crate::callback::{LogFunction, zv_log_fn};
use crate::guard;
use crate::process::Process;
use crate::text::{self, FromHost};

/// The version of this interface. It grows by one with every addition; nothing is ever removed.
pub const ZV_ABI_VERSION: u32 = 3;

/// The gateway did it and the journal has recorded it: complete the sale.
pub const ZV_SUCCEEDED: i32 = 0;
/// The gateway refused; nothing was taken: use another tender.
pub const ZV_DECLINED: i32 = 1;
/// Refused before sending; this call took nothing: fix the program, `errors[]` says where.
pub const ZV_INVALID: i32 = 2;
/// No byte reached the gateway; nothing was taken: the same bizId may be sent again.
pub const ZV_NOT_SENT: i32 = 3;
/// It may have happened: do what `next` says, never charge again under a new bizId.
pub const ZV_UNKNOWN: i32 = 4;
/// A defect of the library or the machine; this call sent nothing: stop.
pub const ZV_INTERNAL: i32 = 5;
/// It was done and then reversed, or can no longer happen: use another tender.
pub const ZV_REVERSED: i32 = 6;
/// The bizId is already used for another request, or a refund is refused: do what `next` says.
pub const ZV_CONFLICT: i32 = 7;
/// The started call has not ended: poll its ticket again.
pub const ZV_RUNNING: i32 = 8;

/// Nothing is logged.
pub const ZV_LOG_OFF: i32 = 0;
/// Something is broken.
pub const ZV_LOG_ERROR: i32 = 1;
/// Something needs attention.
pub const ZV_LOG_WARN: i32 = 2;
/// One line per call.
pub const ZV_LOG_INFO: i32 = 3;
/// The steps of each call.
pub const ZV_LOG_DEBUG: i32 = 4;
/// Everything.
pub const ZV_LOG_TRACE: i32 = 5;

/// Starts the library. Call it once when the program starts, before any other function that uses the gateway or the
/// journal.
///
/// `config_json`: one JSON object; see docs/configuration.md. Every problem is reported at once, in `errors[]`. A
/// second call with the same configuration succeeds and sets `"already": true`.
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

/// Asks what a coupon is worth for a basket (`user.user-by-coupon`). Nothing is taken, so it may be called as often
/// as needed. The answer's `quoteId` goes into `quoteIds` of a consume that is to be sent only while the quote holds.
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

/// Makes a bizId for the till's next transaction. No two agree, over all tills and restarts, whatever the clock shows;
/// those of one journal sort by when they were made; and a look-up needs no `journal_id` with it, because it names the
/// journal: make it in the process that pays, or in another one with the same journal. It has 30 capital letters and
/// digits, the last of which shows most typing errors. Nothing is sent or recorded.
///
/// Returns an answer with `bizId` (`succeeded` with `next` `go_on`: it completes no sale), or `internal` while the journal
/// cannot be used; the caller frees it with `zv_free` or `zv_take`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn zv_biz_id() -> *mut c_char {
    answered(Outcome::Internal, &|process| {
        process.library().map_or_else(|answer| answer, |library| library.make_biz_id())
    })
}

/// Takes coupons, stored balance or both from a member (`communal.user.consume`). This is the one call that takes
/// money: check `outcome`, do what `next` says. The same bizId may be sent again; it is never charged twice.
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

/// Undoes a whole consume (冲正), also another till's by `returnedBizId`. The reversal is written to disk before it is
/// sent, and is sent until the gateway has answered: `reversed`, `unknown` while it is under way, `conflict` where
/// the gateway refuses or the result cannot be known.
///
/// `request_json`: `{"bizId", "returnedBizId"?, "journal_id"?, "account"?}`; with the identity of this journal, an
/// attempt that was never sent is voided.
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

/// The state of a bizId, from the journal alone; nothing is sent. `recorded` holds the whole entry.
///
/// `request_json`: `{"bizId", "journal_id"?, "account"?}`. `journal_id` is `data.journal_id` of `zv_init`, which the
/// till stores with its attempt before making it. With it, a bizId without an entry is `not_sent` (`ZV-NEVER-SENT`,
/// `retry`), or `unknown` (`ZV-OTHER-JOURNAL`) if the attempt was made with another journal; a bizId of `zv_biz_id` needs
/// none. That it was never sent is true of now: with several nodes look up only when the first call can no longer be
/// running (docs/several-nodes.md), and void the bizId by `zv_reverse_json` before another tender is taken for it.
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

/// Lists every sale that is not settled yet: `data.entries`, each with what happens next (`running`, `reversing`,
/// `person`, `no_credentials`, and after a crash `recovering`, `unacknowledged` and `confirm`). With `day` it lists
/// every sale of one business day, `settled` ones included, to reconcile with the till's own; `format` returns the list
/// as NDJSON or CSV in `data.text`.
///
/// `request_json`: NULL for every unsettled sale, or `{"account"?, "day"?, "format"?}`.
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

/// Settles now whatever can be settled, without waiting for the schedule, and lists what is left. For hosts that set
/// `background` to false, or that cannot wait.
///
/// `request_json`: NULL for all, or `{"account"}` to list only that account's sales.
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

/// Confirms that the till has stored its own sale (option `confirm`); only then does the sale count. After a restart,
/// an unconfirmed sale is listed by `zv_pending_json` and reversed `confirm_after_s` later.
///
/// `request_json`: `{"bizId", "account"?}`.
///
/// Returns `succeeded`, or `reversed` or `unknown` if it came too late; an answer that the caller frees with
/// `zv_free` or `zv_take`. Any thread.
///
/// # Safety
/// `request_json` is NULL or a NUL-ended text that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_confirm_json(request_json: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise is passed on.
    unsafe { call(Outcome::Internal, request_json, Library::confirm) }
}

/// Records a person's decision about a sale whose result could not be found out, with name and reason.
///
/// `request_json`: `{"bizId", "as": "kept" | "undone", "by", "reason", "account"?}`. `kept` is refused while a
/// reversal has been sent that was not refused.
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

/// Calls a gateway action that takes nothing: member look-up, coupon status, usable coupons, the other documented
/// reads, and the actions that the configuration lists under `call_actions`. For a listed action that is not a
/// documented read, a lost answer is `unknown` (`ZV-CALL-LOST`).
///
/// `action`: an operation (`member_lookup`, `coupon_status`, `usable_coupons`, `balance_by_biz_id`), its V2 Action or
/// its V3 path. `params_json`: its params, sent unchanged. The action `zvpos.panic` lets a host prove that a defect
/// of the library cannot end its process: it panics inside and returns `internal`.
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

/// Starts a call on a thread of the library, for hosts that may not block and cannot take a callback on a foreign
/// thread. Fetch its answer with `zv_poll_json`.
///
/// `operation`: `coupon_quote`, `consume`, `reverse`, `lookup`, `pending`, `recover`, `confirm`, `settle`, or `call:`
/// followed by the action of `zv_call_json`. `request_json`: as for that function; `{}` where it takes NULL.
///
/// Returns `running` (8) with `data.ticket`, or `not_sent` (ZV-TICKETS) while 64 calls are running or not yet
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

/// Returns the answer of a started call, once: afterwards the ticket is invalid. `running` (8) until the answer is
/// there. An answer that is never fetched is kept until `zv_shutdown`; a payment's is in the journal in any case. For
/// an invalid ticket nothing is known of the call: `unknown` (4), look the bizId up.
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

/// Stops the library: refuses new calls and waits for running ones, each up to its own deadline. `data.still_running`
/// names the bizIds of calls that did not end in time. Afterwards `zv_init` starts the library again.
///
/// Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread; not from DllMain.
#[unsafe(no_mangle)]
pub extern "C" fn zv_shutdown() -> *mut c_char {
    answered(Outcome::Internal, &Process::stop)
}

/// The outcome of an answer as a number: a `ZV_` constant, or -1 for NULL and for a text that is not an answer.
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
/// `path`: names and list positions joined by points, such as `cashier`, `data.coupon_discount` or `errors.0.path`.
/// Strings are returned without quotes and escapes, lists and objects as JSON, in the configured charset (`ascii`:
/// characters beyond ASCII as `\uXXXX`).
///
/// Returns the length n without NUL after copying n + 1 bytes; n + 1 if the buffer is too small (also NULL or
/// capacity 0), without copying anything; 0 if there is no such value, or if it is null or empty. Any thread.
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
        let (process, pointer) = (Process::current(), response);
        // SAFETY: the caller's promise is passed on, for all three.
        let (response, path, buffer) =
            unsafe { (read(process, response)?, read(process, path)?, writable(buffer, capacity)) };
        let steps = path.split(['.', '[', ']']).filter(|step| !step.is_empty());
        let value = if process.answers.outcome(pointer).is_some() {
            Value::find_in_own(&response, steps)
        } else {
            Value::find(&response, steps)
        };
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
/// (also NULL or capacity 0), copies nothing, frees nothing and returns n + 1: a result of `capacity` or more means
/// that the answer is still yours, so call again with a larger buffer. Never repeat the call that returned the
/// answer. A success counts as read once it is copied. 0 for NULL or a pointer that is not a live answer. Any thread.
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

/// Frees an answer. A success, of a look-up too, counts as read from then on, and is no longer listed as unacknowledged
/// after a crash. NULL is ignored; a pointer that is not a live answer is logged (ZV-FREE) and ignored. The last
/// 256 freed answers (at most 1 MiB) are wiped and kept, so that a second free of one of them hits no other answer.
/// Any thread.
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

/// Sets the log callback; NULL removes it and returns only when no call of it is running. It may be set before
/// `zv_init`. Lines above `max_level` (a `ZV_LOG_` constant) are not produced. No line contains a key or password;
/// phone numbers are masked. Any thread, but not from inside the callback, where it does nothing.
///
/// # Safety
/// `callback` is NULL or callable from any thread, with `user_data`, until it has been removed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zv_set_log_callback(callback: zv_log_fn, user_data: *mut c_void, max_level: i32) {
    let callback = callback.map(LogFunction::C);
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

/// `ZV_ABI_VERSION` of the loaded library. It must not be less than the header's. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn zv_abi_version() -> u32 {
    ZV_ABI_VERSION
}

/// Runs a function that takes one request. A panic becomes `panic_outcome`: `Unknown` where a request may have been
/// sent.
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

/// Runs the body of an exported function and hands its answer to the host.
fn answered(panic_outcome: Outcome, body: &dyn Fn(&'static Process) -> Answer) -> *mut c_char {
    let process = Process::current();
    let answer = guard::answered(process, panic_outcome, body);
    guard::or_panic(|| {
        let json = process.in_charset(answer.to_json().into());
        process.answers.hand_out(&json, answer.outcome(), answer.delivery())
    })
    .unwrap_or_else(|| Answers::no_memory(answer.outcome()))
}

/// Reports that the host has read an answer.
fn delivered(process: &Process, freed: &Freed) {
    if let (Some(number), Ok(library)) = (freed.delivery, process.library()) {
        library.delivered(number);
    }
}

fn not_ours(process: &Process, function: &str, pointer: *mut c_char) {
    let why = if process.answers.is_dead(pointer) { "was freed before" } else { "is not a live answer" };
    process.say(Level::Error, &format!("ZV-FREE {function}: {pointer:p} {why}; ignored"));
}

/// Two required texts, each with its name.
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

/// A text in the host's charset; `None` for NULL or a text that cannot be decoded.
///
/// # Safety
/// `pointer` is NULL or a NUL-ended text that does not change during the call.
unsafe fn read<'a>(process: &Process, pointer: *const c_char) -> Option<Cow<'a, str>> {
    // SAFETY: the caller's promise is passed on.
    let bytes = unsafe { text::bytes(pointer) }?;
    process.expected("").decode(bytes).ok()
}

/// # Safety
/// `buffer` is NULL or has `capacity` bytes that nothing else accesses during the call.
unsafe fn writable<'a>(buffer: *mut c_char, capacity: usize) -> &'a mut [u8] {
    let Ok(_) = isize::try_from(capacity) else { return &mut [] };
    if buffer.is_null() {
        return &mut [];
    }
    // SAFETY: not NULL, `capacity` bytes by the caller's contract, and no longer than a slice may be.
    unsafe { std::slice::from_raw_parts_mut(buffer.cast(), capacity) }
}

/// A value as text, without quotes and escapes; `None` for null.
fn shown<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value.kind() {
        ValueKind::Null => None,
        ValueKind::Array(_) | ValueKind::Object(_) => Some(value.raw().into()),
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
