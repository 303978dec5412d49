"""The library's answers as Python values."""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Dict, Optional, Tuple, Union


class Outcome(Enum):
    """What happened to the member's money."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    INVALID = "invalid"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    INTERNAL = "internal"
    REVERSED = "reversed"
    CONFLICT = "conflict"
    RUNNING = "running"

    def __bool__(self) -> bool:
        raise TypeError("an outcome is neither true nor false: compare it, outcome is Outcome.SUCCEEDED")


@dataclass(frozen=True)
class Notice:
    """What the till should know although the outcome stands."""

    code: str
    message: str


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request or a configuration."""

    path: str
    message: str


@dataclass(frozen=True)
class Answer:
    """One answer of the library. Check `succeeded` and do what `next` says."""

    outcome: Outcome
    next: str
    code: str
    message: str
    """For the programmer."""
    cashier: str
    """For the cashier."""
    biz_id: Optional[str]
    replayed: bool
    """It was given before, and nothing was sent now."""
    already: Optional[bool]
    """Of a start only: the library was running."""
    retry_after_ms: Optional[int]
    warnings: Tuple[Notice, ...]
    errors: Tuple[Problem, ...]
    data: Any
    """The gateway's data: ids and money as text, numbers of undocumented fields as int and Decimal, or as text where
    Python has none so large."""
    recorded: Any
    """What the journal has under the bizId."""
    text: str
    """The whole answer as it came."""

    @property
    def succeeded(self) -> bool:
        """The one thing that completes a sale (with the option `confirm`: once it is stored and confirmed)."""
        return self.outcome is Outcome.SUCCEEDED

    def __bool__(self) -> bool:
        raise TypeError("an answer is neither true nor false: look at answer.succeeded")


def read(text: str) -> Answer:
    """The answer that this text is."""
    value: Dict[str, Any] = json.loads(text, parse_float=_decimal, parse_int=_whole)
    return Answer(
        outcome=Outcome(value["outcome"]),
        next=value["next"],
        code=value["code"],
        message=value["message"],
        cashier=value["cashier"],
        biz_id=value.get("bizId"),
        replayed=value["replayed"],
        already=value.get("already"),
        retry_after_ms=value.get("retry_after_ms"),
        warnings=tuple(Notice(it["code"], it["message"]) for it in value["warnings"]),
        errors=tuple(Problem(it["path"], it["message"]) for it in value["errors"]),
        data=value["data"],
        recorded=value.get("recorded"),
        text=text,
    )


def _whole(text: str) -> Union[int, str]:
    """No answer may be lost to a number in it: Python refuses some thousand digits."""
    try:
        return int(text)
    except ValueError:
        return text


def _decimal(text: str) -> Union[Decimal, str]:
    """An amount must not pass through a double. Decimal refuses the largest exponents."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
