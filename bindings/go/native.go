package zvpos

// #include <stdlib.h>
// #include "zvpos.h"
import "C"

import "unsafe"

// A text for one call. A NUL would cut the text in two, so the library gets a text that it refuses with an explanation.
func native(text string) *C.char {
	return C.CString(text)
}

// Copies the library's answer and gives it back; from then on it counts as read.
func take(response *C.char) string {
	text := C.GoString(response)
	C.zv_free(response)
	return text
}

// A call of one text.
type function func(request *C.char) *C.char

// What blocks until the gateway has answered, by the name that zv_start_json knows it by.
var functions = map[string]function{
	"coupon_quote": func(r *C.char) *C.char { return C.zv_coupon_quote_json(r) },
	"consume":      func(r *C.char) *C.char { return C.zv_consume_json(r) },
	"reverse":      func(r *C.char) *C.char { return C.zv_reverse_json(r) },
	"lookup":       func(r *C.char) *C.char { return C.zv_lookup_json(r) },
	"pending":      func(r *C.char) *C.char { return C.zv_pending_json(r) },
	"recover":      func(r *C.char) *C.char { return C.zv_recover_json(r) },
	"confirm":      func(r *C.char) *C.char { return C.zv_confirm_json(r) },
	"settle":       func(r *C.char) *C.char { return C.zv_settle_json(r) },
}

func nativeInit(config string) string {
	text := native(config)
	defer C.free(unsafe.Pointer(text))
	return take(C.zv_init(text))
}

func nativeBlocking(call function, request string) string {
	text := native(request)
	defer C.free(unsafe.Pointer(text))
	return take(call(text))
}

func nativeCall(action, params string) string {
	first, second := native(action), native(params)
	defer C.free(unsafe.Pointer(first))
	defer C.free(unsafe.Pointer(second))
	return take(C.zv_call_json(first, second))
}

func nativeStart(operation, request string) string {
	first, second := native(operation), native(request)
	defer C.free(unsafe.Pointer(first))
	defer C.free(unsafe.Pointer(second))
	return take(C.zv_start_json(first, second))
}

func nativePoll(ticket string) string {
	text := native(ticket)
	defer C.free(unsafe.Pointer(text))
	return take(C.zv_poll_json(text))
}

func nativeBizID() string {
	return take(C.zv_biz_id())
}

func nativeShutdown() string {
	return take(C.zv_shutdown())
}

func nativeVersion() (version string, abi uint32) {
	return C.GoString(C.zv_version()), uint32(C.zv_abi_version())
}

// headerABI is the version of the header that this package was built with.
const headerABI = uint32(C.ZV_ABI_VERSION)

// One value of an answer; the size rule is that of zv_field.
func nativeField(answer, path string) string {
	text, name := native(answer), native(path)
	defer C.free(unsafe.Pointer(text))
	defer C.free(unsafe.Pointer(name))
	size := C.zv_field(text, name, nil, 0)
	if size == 0 {
		return ""
	}
	room := make([]byte, size)
	length := C.zv_field(text, name, (*C.char)(unsafe.Pointer(&room[0])), size)
	return string(room[:length])
}
