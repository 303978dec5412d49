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
    """The started library; stops at the end of the `with` block or with `close`. A process has one.

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
        # A library that was running already is stopped by the object that started it.
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
        """Quotes a coupon for a basket. Charges nothing and may be repeated."""
        return _ask("zv_coupon_quote_json", _text(request, fields))

    def make_biz_id(self) -> Answer:
        """Makes a bizId, in the answer's `biz_id`: no two agree, and a look-up needs no `journal_id` with it."""
        return checked(read(call("zv_biz_id")))

    def consume(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Redeems coupons, charges stored balance, or both. Store the bizId first; it is never charged twice."""
        return _ask("zv_consume_json", _text(request, fields))

    def reverse(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Reverses a complete consume (冲正)."""
        return _ask("zv_reverse_json", _text(request, fields))

    def lookup(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Looks a bizId up in the journal. Sends nothing. 
        With the `journal_id` that was stored with the attempt: `not_sent` where nothing was ever sent; `NotFound`, of what
        the journal does not know, comes without one."""
        return _ask("zv_lookup_json", _text(request, fields))

    def pending(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Lists the sales that are not settled; with `day`, every sale of a business day."""
        return _ask("zv_pending_json", _text(request, fields) if request is not None or fields else None)

    def recover(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Settles every sale that can be settled now, and lists the rest."""
        return _ask("zv_recover_json", _text(request, fields) if request is not None or fields else None)

    def confirm(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Reports that the till has stored its sale (option `confirm`)."""
        return _ask("zv_confirm_json", _text(request, fields))

    def settle(self, request: Optional[Request] = None, **fields: Field) -> Answer:
        """Records a person's decision about a sale. `as` is a keyword of Python: pass a mapping."""
        return _ask("zv_settle_json", _text(request, fields))

    def call(self, action: str, params: Optional[Request] = None, **fields: Field) -> Answer:
        """Sends a query that charges nothing, such as `member_lookup`."""
        return checked(read(call("zv_call_json", action, _text(params, fields))))

    def start(self, operation: str, request: Optional[Request] = None, **fields: Field) -> "Call":
        """Begins a call (`consume`, `coupon_quote`, …, `call:ACTION`) on a thread of the library."""
        return Call(checked(read(call("zv_start_json", operation, _text(request, fields)))))


class Call:
    """A call that has been started."""

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
