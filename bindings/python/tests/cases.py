"""Runs tests/cases through the package. Usage: cases.py GATEWAY ADMIN FOLDER FILE..."""

import json
import sys
import time
import urllib.parse
import urllib.request
from typing import Any, Callable, Dict, Optional

import zvpos

PATIENCE_S = 40


class Till:
    """The library as a case has left it."""

    def __init__(self, config: str) -> None:
        self.config = config
        self.library = zvpos.Library(config)

    def call(self, what: str, request: Optional[zvpos.Request]) -> zvpos.Answer:
        operation, _, rest = what.partition(":")
        identity = (self.library.started.data or {})["journal_id"]
        request = json.loads(json.dumps(request).replace("$JOURNAL_ID", identity))
        if operation == "init":
            again = zvpos.Library(self.config if request is None else request)
            self.library = self.library if again.started.already else again
            return again.started
        if operation == "shutdown":
            return self.library.close()
        if operation == "biz_id":
            return self.library.make_biz_id()
        if operation == "call":
            return self.library.call(rest, request)
        if operation == "start":
            started = self.library.start(rest, request)
            while not started.done():
                time.sleep(0.005)
            return started.answer()
        name = {"coupon_quote": "quote"}.get(operation, operation)
        # Fields by keyword where they can be, as a program would write them.
        if isinstance(request, dict) and "as" not in request:
            answer: zvpos.Answer = getattr(self.library, name)(**request)
        else:
            answer = getattr(self.library, name)(request)
        return answer


def members(answer: zvpos.Answer) -> Dict[str, Any]:
    """The answer by the names of the C interface, from what the package makes of them."""
    return {
        "outcome": answer.outcome.value,
        "next": answer.next,
        "code": answer.code,
        "message": answer.message,
        "cashier": answer.cashier,
        "bizId": answer.biz_id,
        "replayed": answer.replayed,
        "already": answer.already,
        "warnings": [{"code": it.code, "message": it.message} for it in answer.warnings],
        "errors": [{"path": it.path, "message": it.message} for it in answer.errors],
        "data": answer.data,
        "recorded": answer.recorded,
    }


def at(value: Any, path: str) -> str:
    """A value as `zv_field` would give it."""
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def difference(till: Till, call: Dict[str, Any]) -> str:
    """What is not as expected, empty if nothing is."""
    try:
        answer, raised = till.call(call["call"], call.get("request")), False
    except zvpos.Invalid as error:
        answer, raised = error.answer, True
    if raised != (call["outcome"] == "invalid"):
        return "%s was %s" % (answer.text, "raised" if raised else "returned")
    found = members(answer)
    for path, want in [["outcome", call["outcome"]]] + call["fields"]:
        if at(found, path) != want:
            return "%s: %r expected, found %s" % (path, want, answer.text)
    return ""


def until_right(wait: bool, attempt: Callable[[], str]) -> str:
    ends = time.monotonic() + PATIENCE_S
    wrong = attempt()
    while wrong and wait and time.monotonic() < ends:
        time.sleep(0.05)
        wrong = attempt()
    return wrong


def http(admin: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(admin + path, data, method=method)) as answer:
        return json.load(answer)


def net(admin: str, biz_id: str, want: str) -> str:
    found = str(http(admin, "GET", "/ledger?bizId=" + urllib.parse.quote(biz_id))["net"])
    return "" if found == want else "net of %s: %s" % (biz_id, found)


def run(case: Dict[str, Any], config: str, admin: str) -> str:
    """Why the case failed, empty if it did not."""
    http(admin, "POST", "/reset")
    till = Till(config)
    try:
        for method, path, body in case.get("admin", []):
            http(admin, method, path, body)
        for call in case["calls"]:
            wrong = until_right(call.get("wait", False), lambda: difference(till, call))
            if wrong:
                return "%s: %s" % (call["call"], wrong)
        for biz_id, want in case.get("net", []):
            wrong = until_right(True, lambda: net(admin, biz_id, want))
            if wrong:
                return wrong
        return ""
    finally:
        till.library.close()


def main() -> int:
    gateway, admin, folder = sys.argv[1:4]
    failed = count = 0
    for name in sys.argv[4:]:
        with open(name, encoding="utf-8") as file:
            table = json.load(file)
        for case in table["cases"]:
            count += 1
            config = json.dumps(table["config"]).replace("$GATEWAY", gateway)
            wrong = run(case, config.replace("$JOURNAL", "%s/%d.db" % (folder, count)), admin)
            failed += bool(wrong)
            print("FAILED %s: %s" % (case["name"], wrong) if wrong else "ok " + case["name"], flush=True)
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
