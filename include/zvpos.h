/*
 * zvpos: member coupons and stored value of the zvcms platform for any cash register.
 *
 * Written by cbindgen from src/; do not edit. JSON text in, JSON text out, NUL-ended, in the
 * configured charset (UTF-8 where none is).
 *
 * The rule for money: a sale is complete if and only if `outcome` is "succeeded". Every other outcome has one
 * thing to do next, which stands in `next`.
 *
 * A returned text is never NULL and belongs to the caller, who gives it back once: zv_free, or zv_take, which
 * copies it first. Never free(). Input is read only during the call. Every function may be called from any
 * thread, before zv_init and after zv_shutdown too: the answer then says so.
 */

#ifndef ZVPOS_H
#define ZVPOS_H

#include <stddef.h>
#include <stdint.h>
/* Spelled out because a 32-bit Windows compiler may be told another default. */
#ifndef ZV_CALL
#  if defined(_WIN32)
#    define ZV_CALL __cdecl
#  else
#    define ZV_CALL
#  endif
#endif

/**
 * The version of this interface. It grows by one with every addition; nothing is ever removed.
 */
#define ZV_ABI_VERSION 2

/**
 * The gateway did it and the journal has recorded it: complete the sale.
 */
#define ZV_SUCCEEDED 0

/**
 * The gateway refused; nothing was taken: use another tender.
 */
#define ZV_DECLINED 1

/**
 * Refused before sending; this call took nothing: fix the program, `errors[]` says where.
 */
#define ZV_INVALID 2

/**
 * No byte reached the gateway; nothing was taken: the same bizId may be sent again.
 */
#define ZV_NOT_SENT 3

/**
 * It may have happened: do what `next` says, never charge again under a new bizId.
 */
#define ZV_UNKNOWN 4

/**
 * A defect of the library or the machine; this call sent nothing: stop.
 */
#define ZV_INTERNAL 5

/**
 * It was done and then reversed, or can no longer happen: use another tender.
 */
#define ZV_REVERSED 6

/**
 * The bizId is already used for another request: look it up.
 */
#define ZV_CONFLICT 7

/**
 * The started call has not ended: poll its ticket again.
 */
#define ZV_RUNNING 8

/**
 * Nothing is logged.
 */
#define ZV_LOG_OFF 0

/**
 * Something is broken.
 */
#define ZV_LOG_ERROR 1

/**
 * Something needs attention.
 */
#define ZV_LOG_WARN 2

/**
 * One line per call.
 */
#define ZV_LOG_INFO 3

/**
 * The steps of each call.
 */
#define ZV_LOG_DEBUG 4

/**
 * Everything.
 */
#define ZV_LOG_TRACE 5

/**
 * Takes one line of the log. `level` is a `ZV_LOG_` constant, `message` a NUL-ended text that is valid only
 * during the call, `user_data` what was passed to `zv_set_log_callback`. It may be called from any thread, from
 * several at once, and must not call any `zv_` function.
 */
typedef void (ZV_CALL *zv_log_fn)(int32_t level, const char *message, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * Starts the library. Call it once when the program starts, before any other function that uses the gateway or the
 * journal.
 *
 * `config_json`: one JSON object; see docs/configuration.md. Every problem is reported at once, in `errors[]`. A
 * second call with the same configuration succeeds and sets `"already": true`.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
 */
char *ZV_CALL zv_init(const char *config_json);

/**
 * Asks what a coupon is worth for a basket (`user.user-by-coupon`). Nothing is taken, so it may be called as often
 * as needed.
 *
 * `request_json`: one JSON object with the vendor's field names; see include/schemas.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
 */
char *ZV_CALL zv_coupon_quote_json(const char *request_json);

/**
 * Takes coupons, stored balance or both from a member (`communal.user.consume`). This is the one call that takes
 * money: check `outcome`, do what `next` says. The same bizId may be sent again; it is never charged twice.
 *
 * `request_json`: one JSON object with the vendor's field names; see include/schemas.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
 */
char *ZV_CALL zv_consume_json(const char *request_json);

/**
 * Undoes a whole consume (冲正), also another till's by `returnedBizId`. The reversal is written to disk before it is
 * sent, and is sent until the gateway has answered: `reversed`, `unknown` while it is under way, `conflict` where
 * the gateway refuses or the result cannot be known.
 *
 * `request_json`: `{"bizId", "returnedBizId"?, "journal_id"?, "account"?}`; with the identity of this journal, an
 * attempt that was never sent is voided.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
 */
char *ZV_CALL zv_reverse_json(const char *request_json);

/**
 * The state of a bizId, from the journal alone; nothing is sent. `recorded` holds the whole entry.
 *
 * `request_json`: `{"bizId", "journal_id"?, "account"?}`. `journal_id` is `data.journal_id` of `zv_init`, which the
 * till stores with its attempt before making it. With it, a bizId without an entry is `not_sent` (`ZV-NEVER-SENT`,
 * `retry`), or `unknown` (`ZV-OTHER-JOURNAL`) if the attempt was made with another journal.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
 */
char *ZV_CALL zv_lookup_json(const char *request_json);

/**
 * Lists every sale that is not settled yet: `data.entries`, each with what happens next (`running`, `reversing`,
 * `person`, `no_credentials`, and after a crash `recovering`, `unacknowledged` and `confirm`). With `day` it lists
 * every sale of one business day, `settled` ones included, to reconcile with the till's own; `format` returns the list
 * as NDJSON or CSV in `data.text`.
 *
 * `request_json`: NULL for every unsettled sale, or `{"account"?, "day"?, "format"?}`.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
 */
char *ZV_CALL zv_pending_json(const char *request_json);

/**
 * Settles now whatever can be settled, without waiting for the schedule, and lists what is left. For hosts that set
 * `background` to false, or that cannot wait.
 *
 * `request_json`: NULL for all, or `{"account"}` to list only that account's sales.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
 */
char *ZV_CALL zv_recover_json(const char *request_json);

/**
 * Confirms that the till has stored its own sale (option `confirm`); only then does the sale count. After a restart,
 * an unconfirmed sale is listed by `zv_pending_json` and reversed `confirm_after_s` later.
 *
 * `request_json`: `{"bizId", "account"?}`.
 *
 * Returns `succeeded`, or `reversed` or `unknown` if it came too late; an answer that the caller frees with
 * `zv_free` or `zv_take`. Any thread.
 */
char *ZV_CALL zv_confirm_json(const char *request_json);

/**
 * Records a person's decision about a sale whose result could not be found out, with name and reason.
 *
 * `request_json`: `{"bizId", "as": "kept" | "undone", "by", "reason", "account"?}`. `kept` is refused while a
 * reversal has been sent that was not refused.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
 */
char *ZV_CALL zv_settle_json(const char *request_json);

/**
 * Calls a gateway action that takes nothing: member look-up, coupon status, usable coupons, the other documented
 * reads, and the actions that the configuration lists under `call_actions`. For a listed action that is not a
 * documented read, a lost answer is `unknown` (`ZV-CALL-LOST`).
 *
 * `action`: an operation (`member_lookup`, `coupon_status`, `usable_coupons`, `balance_by_biz_id`), its V2 Action or
 * its V3 path. `params_json`: its params, sent unchanged. The action `zvpos.panic` lets a host prove that a defect
 * of the library cannot end its process: it panics inside and returns `internal`.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Ends at `timeouts_ms.total`.
 */
char *ZV_CALL zv_call_json(const char *action,
                   const char *params_json);

/**
 * Starts a call on a thread of the library, for hosts that may not block and cannot take a callback on a foreign
 * thread. Fetch its answer with `zv_poll_json`.
 *
 * `operation`: `coupon_quote`, `consume`, `reverse`, `lookup`, `pending`, `recover`, `confirm`, `settle`, or `call:`
 * followed by the action of `zv_call_json`. `request_json`: as for that function; `{}` where it takes NULL.
 *
 * Returns `running` (8) with `data.ticket`, or `not_sent` (ZV-TICKETS) while 64 calls are running or not yet
 * fetched; an answer that the caller frees with `zv_free` or `zv_take`. Any thread.
 */
char *ZV_CALL zv_start_json(const char *operation,
                    const char *request_json);

/**
 * Returns the answer of a started call, once: afterwards the ticket is invalid. `running` (8) until the answer is
 * there. An answer that is never fetched is kept until `zv_shutdown`; a payment's is in the journal in any case. For
 * an invalid ticket nothing is known of the call: `unknown` (4), look the bizId up.
 *
 * `ticket`: the text of `data.ticket`.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread. Never waits.
 */
char *ZV_CALL zv_poll_json(const char *ticket);

/**
 * Stops the library: refuses new calls and waits for running ones, each up to its own deadline. `data.still_running`
 * names the bizIds of calls that did not end in time. Afterwards `zv_init` starts the library again.
 *
 * Returns an answer that the caller frees with `zv_free` or `zv_take`. Any thread; not from DllMain.
 */
char *ZV_CALL zv_shutdown(void);

/**
 * The outcome of an answer as a number: a `ZV_` constant, or -1 for NULL and for a text that is not an answer.
 *
 * `response`: any NUL-ended answer, also a copy. Any thread.
 */
int32_t ZV_CALL zv_outcome(const char *response);

/**
 * One value of an answer as text, for hosts without a JSON parser.
 *
 * `path`: names and list positions joined by points, such as `cashier`, `data.coupon_discount` or `errors.0.path`.
 * Strings are returned without quotes and escapes, lists and objects as JSON, in the configured charset (`ascii`:
 * characters beyond ASCII as `\uXXXX`).
 *
 * Returns the length n without NUL after copying n + 1 bytes; n + 1 if the buffer is too small (also NULL or
 * capacity 0), without copying anything; 0 if there is no such value, or if it is null or empty. Any thread.
 */
size_t ZV_CALL zv_field(const char *response,
                const char *path,
                char *buffer,
                size_t capacity);

/**
 * Copies an answer into the caller's buffer and frees it, for hosts that own their buffers.
 *
 * Returns the length n without NUL after copying n + 1 bytes and freeing the answer. If the buffer is too small
 * (also NULL or capacity 0), copies nothing, frees nothing and returns n + 1: a result of `capacity` or more means
 * that the answer is still yours, so call again with a larger buffer. Never repeat the call that returned the
 * answer. 0 for NULL or a pointer that is not a live answer. Any thread.
 */
size_t ZV_CALL zv_take(char *response,
               char *buffer,
               size_t capacity);

/**
 * Frees an answer. NULL is ignored; a pointer that is not a live answer is logged (ZV-FREE) and ignored. The last
 * 256 freed answers (at most 1 MiB) are wiped and kept, so that a second free of one of them hits no other answer.
 * Any thread.
 */
void ZV_CALL zv_free(char *response);

/**
 * Sets the log callback; NULL removes it and returns only when no call of it is running. It may be set before
 * `zv_init`. Lines above `max_level` (a `ZV_LOG_` constant) are not produced. No line contains a key or password;
 * phone numbers are masked. Any thread, but not from inside the callback, where it does nothing.
 */
void ZV_CALL zv_set_log_callback(zv_log_fn callback,
                         void *user_data,
                         int32_t max_level);

/**
 * The version of the library, such as "0.1.0". Never freed. Any thread.
 */
const char *ZV_CALL zv_version(void);

/**
 * `ZV_ABI_VERSION` of the loaded library. It must not be less than the header's. Any thread.
 */
uint32_t ZV_CALL zv_abi_version(void);

#if defined(_WIN32) && !defined(_WIN64)
/*
 * The same functions with the calling convention stdcall, for 32-bit hosts that know no other (VB6, PowerBuilder,
 * 易语言). The 32-bit DLL exports both; the names have no decoration there.
 */
typedef void (__stdcall *zvs_log_fn)(int32_t level, const char *message, void *user_data);
char *__stdcall zvs_init(const char *config_json);
char *__stdcall zvs_coupon_quote_json(const char *request_json);
char *__stdcall zvs_consume_json(const char *request_json);
char *__stdcall zvs_reverse_json(const char *request_json);
char *__stdcall zvs_lookup_json(const char *request_json);
char *__stdcall zvs_pending_json(const char *request_json);
char *__stdcall zvs_recover_json(const char *request_json);
char *__stdcall zvs_confirm_json(const char *request_json);
char *__stdcall zvs_settle_json(const char *request_json);
char *__stdcall zvs_call_json(const char *action, const char *params_json);
char *__stdcall zvs_start_json(const char *operation, const char *request_json);
char *__stdcall zvs_poll_json(const char *ticket);
char *__stdcall zvs_shutdown(void);
int32_t __stdcall zvs_outcome(const char *response);
size_t __stdcall zvs_field(const char *response, const char *path, char *buffer, size_t capacity);
size_t __stdcall zvs_take(char *response, char *buffer, size_t capacity);
void __stdcall zvs_free(char *response);
void __stdcall zvs_set_log_callback(zvs_log_fn callback, void *user_data, int32_t max_level);
const char *__stdcall zvs_version(void);
uint32_t __stdcall zvs_abi_version(void);
#endif

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* ZVPOS_H */
