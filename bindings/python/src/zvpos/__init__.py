"""Member coupons and stored value of the zvcms platform for any cash register.

    with zvpos.Library(config) as zv:
        answer = zv.consume(bizId="T1-000001", customerId="383933091455959041", amount="23.00")

The rule for money: a sale is complete if and only if `answer.succeeded`. Everything else is in `answer.next`.
"""

from ._answer import Answer, Notice, Outcome, Problem
from ._errors import Invalid, LibraryMissing, NotFound, NotRunning, StartFailed, ZvposError
from ._library import Call, Field, Library, Request
from ._log import log_to
from ._native import load, version

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Call",
    "Field",
    "Invalid",
    "Library",
    "LibraryMissing",
    "NotFound",
    "NotRunning",
    "Notice",
    "Outcome",
    "Problem",
    "Request",
    "StartFailed",
    "ZvposError",
    "load",
    "log_to",
    "version",
]
