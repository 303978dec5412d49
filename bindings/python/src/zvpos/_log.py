"""The library's log, into Python's."""

import atexit
import logging
from typing import Any, List, Optional

from ._native import LogFunction, load

# Python's levels by ZV_LOG_OFF, 0, to ZV_LOG_TRACE, 5.
_LEVELS = [logging.NOTSET, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, 5]

# ctypes functions that the library may call; the last one is in use.
_in_use: List[Any] = []


def log_to(logger: Optional[logging.Logger]) -> None:
    """Passes the library's log to a logger of `logging`, at that logger's level; with None to nobody.

    Lines come from any thread. A handler must not call the library. Set the logger's level first.
    """
    native = load()
    if logger is None:
        native.zv_set_log_callback(LogFunction(), None, 0)
        _in_use.clear()
        return
    level_max = sum(logger.isEnabledFor(level) for level in _LEVELS[1:])

    def line(level: int, message: bytes, _user_data: Optional[int]) -> None:
        logger.log(_LEVELS[min(level, 5)], "%s", message.decode("utf-8", "replace"))

    function = LogFunction(line)
    native.zv_set_log_callback(function, None, level_max)
    # The one before is no longer called, this one must outlive the call.
    _in_use[:] = [function]


@atexit.register
def _stop() -> None:
    # A thread of the library's must not call into an interpreter that ends.
    if _in_use:
        log_to(None)
