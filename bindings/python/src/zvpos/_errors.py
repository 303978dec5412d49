"""Mistakes of the program are exceptions. The result of a payment is not an exception but an `Answer`."""

from ._answer import Answer, Outcome


class ZvposError(Exception):
    """Everything that this package raises of its own."""


class LibraryMissing(ZvposError, OSError):
    """The library's file could not be loaded, or is older than this package."""


class StartFailed(ZvposError, RuntimeError):
    """The library could not be started, though the configuration is right."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("%s: %s" % (answer.code, answer.message))
        self.answer = answer


class Invalid(ZvposError, ValueError):
    """The library refused before sending; this call took nothing. `answer.errors` names every wrong field."""

    def __init__(self, answer: Answer) -> None:
        problems = ["%s: %s" % (problem.path, problem.message) for problem in answer.errors]
        super().__init__("%s: %s" % (answer.code, "; ".join(problems) or answer.message))
        self.answer = answer


class NotFound(Invalid, LookupError):
    """The journal has no entry under this bizId, and the look-up no `journal_id`: nobody knows whether it was sent."""


class NotRunning(Invalid, RuntimeError):
    """The library was stopped."""


_BY_CODE = {"ZV-NOT-FOUND": NotFound, "ZV-NOT-INIT": NotRunning, "ZV-SHUT-DOWN": NotRunning}


def checked(answer: Answer) -> Answer:
    """The answer, unless it says that the program is wrong."""
    if answer.outcome is Outcome.INVALID:
        raise _BY_CODE.get(answer.code, Invalid)(answer)
    return answer
