$PBExportHeader$n_zvpos.sru
$PBExportComments$zvpos: stored value and coupons of the zvcms platform
forward
global type n_zvpos from nonvisualobject
end type
end forward

global type n_zvpos from nonvisualobject autoinstantiate
end type

type prototypes
// The stdcall functions of the 32-bit zvpos.dll; ";Ansi" passes a string in the code page of Windows, which must be 936.
// A returned ulong is an answer that is given back once, by zvs_take or zvs_free: never declare it as string.
// Left out: zvs_set_log_callback, since PowerBuilder has no callbacks; use "log" of the configuration.
FUNCTION ulong zvs_init (string config) LIBRARY "zvpos.dll" ALIAS FOR "zvs_init;Ansi"
FUNCTION ulong zvs_coupon_quote_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_coupon_quote_json;Ansi"
FUNCTION ulong zvs_consume_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_consume_json;Ansi"
FUNCTION ulong zvs_reverse_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_reverse_json;Ansi"
FUNCTION ulong zvs_lookup_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_lookup_json;Ansi"
FUNCTION ulong zvs_pending_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_pending_json;Ansi"
FUNCTION ulong zvs_recover_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_recover_json;Ansi"
FUNCTION ulong zvs_confirm_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_confirm_json;Ansi"
FUNCTION ulong zvs_settle_json (string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_settle_json;Ansi"
FUNCTION ulong zvs_call_json (string action, string params) LIBRARY "zvpos.dll" ALIAS FOR "zvs_call_json;Ansi"
FUNCTION ulong zvs_start_json (string operation, string request) LIBRARY "zvpos.dll" ALIAS FOR "zvs_start_json;Ansi"
FUNCTION ulong zvs_poll_json (string ticket) LIBRARY "zvpos.dll" ALIAS FOR "zvs_poll_json;Ansi"
FUNCTION ulong zvs_biz_id () LIBRARY "zvpos.dll"
FUNCTION ulong zvs_shutdown () LIBRARY "zvpos.dll"
FUNCTION long zvs_outcome (string response) LIBRARY "zvpos.dll" ALIAS FOR "zvs_outcome;Ansi"
FUNCTION ulong zvs_field (string response, string path, REF blob buffer, ulong capacity) LIBRARY "zvpos.dll" ALIAS FOR "zvs_field;Ansi"
FUNCTION ulong zvs_take (ulong response, REF blob buffer, ulong capacity) LIBRARY "zvpos.dll"
SUBROUTINE zvs_free (ulong response) LIBRARY "zvpos.dll"
FUNCTION ulong zvs_version () LIBRARY "zvpos.dll"
FUNCTION ulong zvs_abi_version () LIBRARY "zvpos.dll"
FUNCTION ulong GetACP () LIBRARY "kernel32.dll"
end prototypes

type variables
// A sale is complete if and only if il_outcome = SUCCEEDED. Every other answer has one thing to do in is_next.
constant long SUCCEEDED = 0
constant long DECLINED = 1
constant long INVALID = 2
constant long NOT_SENT = 3
constant long UNKNOWN = 4
constant long INTERNAL = 5
constant long REVERSED = 6
constant long CONFLICT = 7
constant long RUNNING = 8

// The last answer.
long il_outcome = -1
string is_next
string is_code
// For the programmer.
string is_message
// For the cashier.
string is_cashier
// The whole answer, for the log.
string is_text
end variables

forward prototypes
public function long of_init (string as_config)
public function long of_coupon_quote (string as_request)
public function long of_consume (string as_request)
public function long of_reverse (string as_request)
public function long of_lookup (string as_request)
public function long of_pending (string as_request)
public function long of_recover (string as_request)
public function long of_confirm (string as_request)
public function long of_settle (string as_request)
public function long of_call (string as_action, string as_params)
public function long of_start (string as_operation, string as_request)
public function long of_poll (string as_ticket)
public function long of_make_biz_id ()
public function long of_shutdown ()
public function string of_field (string as_path)
private function long of_take (ulong aul_response)
end prototypes

public function long of_init (string as_config);// Once, when the application opens. The configuration holds "charset":"gbk".
if GetACP() <> 936 then
	il_outcome = INTERNAL
	is_message = "Windows must run under code page 936 (Chinese, simplified)"
	return il_outcome
end if
if zvs_abi_version() < 3 then
	il_outcome = INTERNAL
	is_message = "zvpos.dll is older than this object"
	return il_outcome
end if
return of_take(zvs_init(as_config))
end function

public function long of_coupon_quote (string as_request);return of_take(zvs_coupon_quote_json(as_request))
end function

public function long of_consume (string as_request);// Store the bizId on disk before the call.
return of_take(zvs_consume_json(as_request))
end function

public function long of_reverse (string as_request);return of_take(zvs_reverse_json(as_request))
end function

public function long of_lookup (string as_request);return of_take(zvs_lookup_json(as_request))
end function

public function long of_pending (string as_request);// "{}" for all that is not settled.
return of_take(zvs_pending_json(as_request))
end function

public function long of_recover (string as_request);// "{}" for everything.
return of_take(zvs_recover_json(as_request))
end function

public function long of_confirm (string as_request);return of_take(zvs_confirm_json(as_request))
end function

public function long of_settle (string as_request);return of_take(zvs_settle_json(as_request))
end function

public function long of_call (string as_action, string as_params);return of_take(zvs_call_json(as_action, as_params))
end function

public function long of_start (string as_operation, string as_request);// Begins a call without freezing the window: keep of_field("data.ticket"), and of_poll it from the timer event until the
// result is no longer RUNNING.
return of_take(zvs_start_json(as_operation, as_request))
end function

public function long of_poll (string as_ticket);return of_take(zvs_poll_json(as_ticket))
end function

public function long of_make_biz_id ();// Makes a bizId: of_field("bizId"). No two agree, and a look-up needs no journal_id with it.
return of_take(zvs_biz_id())
end function

public function long of_shutdown ();return of_take(zvs_shutdown())
end function

public function string of_field (string as_path);// One value of the last answer as text, such as "data.coupon_discount"; "" if there is none.
blob lblb_buffer
ulong lul_length
ulong lul_capacity = 4096

lblb_buffer = Blob(Space(lul_capacity), EncodingANSI!)
lul_length = zvs_field(is_text, as_path, lblb_buffer, lul_capacity)
if lul_length >= lul_capacity then
	lul_capacity = lul_length
	lblb_buffer = Blob(Space(lul_capacity), EncodingANSI!)
	lul_length = zvs_field(is_text, as_path, lblb_buffer, lul_capacity)
end if
if lul_length = 0 then return ""
return String(BlobMid(lblb_buffer, 1, lul_length), EncodingANSI!)
end function

private function long of_take (ulong aul_response);// Copies an answer and gives it back. A buffer that is too small costs a second zvs_take, never a second call.
blob lblb_buffer
ulong lul_length
ulong lul_capacity = 65536

lblb_buffer = Blob(Space(lul_capacity), EncodingANSI!)
lul_length = zvs_take(aul_response, lblb_buffer, lul_capacity)
if lul_length >= lul_capacity then
	lul_capacity = lul_length
	lblb_buffer = Blob(Space(lul_capacity), EncodingANSI!)
	lul_length = zvs_take(aul_response, lblb_buffer, lul_capacity)
end if
is_text = String(BlobMid(lblb_buffer, 1, lul_length), EncodingANSI!)
il_outcome = zvs_outcome(is_text)
is_next = of_field("next")
is_code = of_field("code")
is_message = of_field("message")
is_cashier = of_field("cashier")
return il_outcome
end function

on n_zvpos.create
call super::create
TriggerEvent(this, "constructor")
end on

on n_zvpos.destroy
TriggerEvent(this, "destructor")
call super::destroy
end on
