"""The C interface, `zvpos.h`, by ctypes. Calls release the interpreter's lock."""

import ctypes
import os
import sys
import threading
from typing import Any, Optional

from ._errors import LibraryMissing

# What this package calls is there since this version of the interface.
_ABI_VERSION_MIN = 3

# How many texts each function takes. All of them return an answer.
_ARGUMENTS = {
    "zv_init": 1,
    "zv_coupon_quote_json": 1,
    "zv_consume_json": 1,
    "zv_reverse_json": 1,
    "zv_lookup_json": 1,
    "zv_pending_json": 1,
    "zv_recover_json": 1,
    "zv_confirm_json": 1,
    "zv_settle_json": 1,
    "zv_call_json": 2,
    "zv_start_json": 2,
    "zv_poll_json": 1,
    "zv_biz_id": 0,
    "zv_shutdown": 0,
}

LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p)

_loading = threading.Lock()
_loaded: Optional[ctypes.CDLL] = None


def load(path: Optional[str] = None) -> ctypes.CDLL:
    """Loads the library once: this file, else the one in this package, else the one that the system finds.

    Needs to be called only for a file of one's own, before anything else.
    """
    global _loaded
    with _loading:
        if _loaded is None:
            _loaded = _declared(path or _default())
        return _loaded


def version() -> str:
    """The version of the library, such as "0.1.0"."""
    text: bytes = load().zv_version()
    return text.decode("ascii")


def call(function: str, *texts: Optional[str]) -> str:
    """Calls a function and gives its answer back to the library."""
    library = load()
    pointer = getattr(library, function)(*[text if text is None else _c_text(text) for text in texts])
    try:
        # Whatever an answer holds, it must not be lost to a decoder.
        return ctypes.string_at(pointer).decode("utf-8", "replace")
    finally:
        library.zv_free(pointer)


def _c_text(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a text for the library holds a NUL")
    return text.encode("utf-8")


def _default() -> str:
    name = {"win32": "zvpos.dll", "darwin": "libzvpos.dylib"}.get(sys.platform, "libzvpos.so")
    bundled = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    return bundled if os.path.exists(bundled) else name


def _declared(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
        library.zv_abi_version.restype = ctypes.c_uint32
        found: int = library.zv_abi_version()
    except (OSError, AttributeError) as error:
        raise LibraryMissing("cannot load %s: %s" % (path, error)) from error
    if found < _ABI_VERSION_MIN:
        raise LibraryMissing("%s has interface %d, %d is needed" % (path, found, _ABI_VERSION_MIN))
    for name, arguments in _ARGUMENTS.items():
        function: Any = getattr(library, name)
        # A pointer, never c_char_p: ctypes would copy the text and lose what must be freed.
        function.restype = ctypes.c_void_p
        function.argtypes = [ctypes.c_char_p] * arguments
    library.zv_free.restype = None
    library.zv_free.argtypes = [ctypes.c_void_p]
    library.zv_version.restype = ctypes.c_char_p
    library.zv_set_log_callback.restype = None
    library.zv_set_log_callback.argtypes = [LogFunction, ctypes.c_void_p, ctypes.c_int32]
    return library
