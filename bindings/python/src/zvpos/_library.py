"""The calls of a till."""

import json
from decimal import Decimal
from types import TracebackType
from typing import Any, Mapping, Optional, Sequence, Type, Union

from ._answer import Answer, Outcome, read
from ._errors import StartFailed, checked
from ._native import call

Field = Union[None, bool, int, str, Decimal, Sequence["Field"], Mapping[str, "Field"]]
"""A value in a request. No float: money is text or Decimal."""

Request = Union[str, Mapping[str, Field]]
"""A request: its fields by the vendor's names, or JSON text, which is passed on as it is."""


class Library:
    """The library, started; stops at the end of the `with` block or with `close`. There is one for a process.

    Every call may be made from any thread and blocks for at most `timeouts_ms.total`. A request is given as a
    mapping, as JSON text, or by keywords: `zv.lookup(bizId="T1-000001")`.

    `Invalid` is raised where the library refuses the request before sending. Everything else is an `Answer`.
    """

    def __init__(self, config: Request) -> None:
        text = _text(config, {})
        _check_charset(text)
        self.started = checked(read(call("zv_init", text)))
        """The answer of the start: what was found in the journal, and warnings."""
        if not self.started.succeeded:
            raise StartFailed(self.started)
        # What was running already is another object's to stop.
        self._owner = not self.started.already

    def __enter__(self) -> "Library":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._owner:
            self.close()

    def close(self) -> Answer:
        """Stops the library: waits for calls under way, names in `data` what it could not wait for."""
        self._owner = False
        return checked(read(call("zv_shutdown")))

    def quote(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """What a coupon is worth on a basket. Takes nothing, may be repeated."""
        return _ask("zv_coupon_quote_json", _text(request, fields))

    def consume(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Takes coupons, stored balance or both. Store the bizId first; the same one never takes twice."""
        return _ask("zv_consume_json", _text(request, fields))

    def reverse(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Undoes a whole consume (冲正)."""
        return _ask("zv_reverse_json", _text(request, fields))

    def lookup(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """What became of a bizId, from the journal alone. 
        With the `journal_id` that was stored with the attempt: `not_sent` where nothing was ever sent; `NotFound`, of what
        the journal does not know, comes without one."""
        return _ask("zv_lookup_json", _text(request, fields))

    def pending(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Every sale that is not settled; with `day` every sale of a business day."""
        return _ask("zv_pending_json", _text(request, fields) if request is not None or fields else None)

    def recover(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Settles now what can be settled, and lists the rest."""
        return _ask("zv_recover_json", _text(request, fields) if request is not None or fields else None)

    def confirm(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """The till has stored its sale (option `confirm`)."""
        return _ask("zv_confirm_json", _text(request, fields))

    def settle(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """A person says what became of a sale. `as` is a keyword of Python's: pass a mapping."""
        return _ask("zv_settle_json", _text(request, fields))

    def call(self, action: str, params: Optional[Request] = None, **fields: Field) -> Answer:
        """Asks the gateway for something that takes nothing, such as `member_lookup`."""
        return checked(read(call("zv_call_json", action, _text(params, fields))))

    def start(self, operation: str, request: Optional[Request] = None, **fields: Field) -> "Call":
        """Begins a call (`consume`, `coupon_quote`, …, `call:ACTION`) on a thread of the library's."""
        return Call(checked(read(call("zv_start_json", operation, _text(request, fields)))))


class Call:
    """A call under way."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._ticket = str(answer.data["ticket"]) if answer.outcome is Outcome.RUNNING else ""

    def done(self) -> bool:
        """Whether the answer is there. Never waits."""
        if self._answer.outcome is Outcome.RUNNING:
            self._answer = read(call("zv_poll_json", self._ticket))
        return self._answer.outcome is not Outcome.RUNNING

    def answer(self) -> Answer:
        """The answer, `running` until `done`; raises `Invalid` as the call itself would."""
        return checked(self._answer)


def _ask(function: str, text: Optional[str]) -> Answer:
    return checked(read(call(function, text)))


def _text(request: Optional[Request], fields: Mapping[str, Field]) -> str:
    if isinstance(request, str):
        if fields:
            raise TypeError("a request is JSON text or fields, not both")
        return request
    whole = {**(request or {}), **fields}
    _check_floats(whole, "")
    return json.dumps(whole, ensure_ascii=False, default=_encoded)


def _encoded(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError("%r cannot stand in a request" % (value,))


def _check_floats(value: Any, path: str) -> None:
    if isinstance(value, float):
        raise TypeError("%s is a float: give money as text or Decimal" % path)
    if isinstance(value, Mapping):
        for name, part in value.items():
            _check_floats(part, ("%s.%s" % (path, name)).lstrip("."))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, part in enumerate(value):
            _check_floats(part, "%s[%d]" % (path, index))


def _check_charset(config: str) -> None:
    try:
        value = json.loads(config)
    except ValueError:
        return  # The library says what is wrong with it, and where.
    if isinstance(value, dict) and value.get("charset") not in (None, "utf-8", "ascii"):
        raise ValueError("charset: texts of Python are Unicode, leave it out")
