"""What the package does beside the table of cases. Usage: package.py ENDPOINT FOLDER."""

import ctypes
import http.server
import logging
import sys
import threading
from decimal import Decimal
from typing import Any, Callable, Dict, List, Type

import zvpos

MEMBER = "383933091455959041"


def raises(kind: Type[BaseException], words: str, call: Callable[[], Any]) -> BaseException:
    try:
        result = call()
    except kind as error:
        assert words in str(error), error
        return error
    raise AssertionError("%s expected, found %r" % (kind.__name__, result))


def configuration(endpoint: str, folder: str) -> Dict[str, zvpos.Field]:
    return {
        "openId": "fake-open-id-for-test-only-0001",
        "grantCode": "fake-grant-code-0001",
        "openKey": "fake-open-key-for-test-only-0001",
        "endpoint": endpoint,
        "journal": folder + "/journal.db",
    }


def starting(config: Dict[str, zvpos.Field]) -> None:
    error = raises(zvpos.Invalid, "opneId", lambda: zvpos.Library({"opneId": "x"}))
    assert isinstance(error, ValueError)
    raises(ValueError, "charset", lambda: zvpos.Library({**config, "charset": "gbk"}))
    first = zvpos.Library(config)
    with zvpos.Library(config) as second:
        assert second.started.already
    assert first.pending().data["count"] == 0, "the end of the second stopped the first"
    with first:
        pass
    error = raises(zvpos.NotRunning, "ZV-SHUT-DOWN", first.pending)
    assert isinstance(error, RuntimeError)
    # Unlike the end of `with`, `close` stops what another object has started.
    first = zvpos.Library(config)
    zvpos.Library(config).close()
    raises(zvpos.NotRunning, "ZV-SHUT-DOWN", first.pending)


def requests(zv: zvpos.Library) -> None:
    raises(TypeError, "amount", lambda: zv.consume(bizId="P-1", customerId=MEMBER, amount=1.5))  # type: ignore[arg-type]
    raises(TypeError, "items[0].price", lambda: zv.quote({"items": [{"price": 0.1}]}))  # type: ignore[dict-item]
    raises(TypeError, "not both", lambda: zv.consume("{}", bizId="P-1"))
    raises(ValueError, "NUL", lambda: zv.lookup("{}\0"))
    error = raises(zvpos.NotFound, "ZV-NOT-FOUND", lambda: zv.lookup(bizId="P-1"))
    assert isinstance(error, LookupError) and isinstance(error, zvpos.Invalid)
    raises(zvpos.Invalid, "amount", lambda: zv.consume(bizId="P-1", customerId=MEMBER, amount=Decimal("1.005")))
    amounts: List[zvpos.Field] = [Decimal("0.10"), "0.10", Decimal("1E+1")]
    for number, amount in enumerate(amounts):
        answer = zv.consume(bizId="P-%d" % number, customerId=MEMBER, amount=amount)
        assert answer.data["change_recharge_amount"] == ["0.10", "0.10", "10.00"][number], answer.text
    raises(TypeError, "answer.succeeded", lambda: bool(answer))
    raises(TypeError, "Outcome.SUCCEEDED", lambda: bool(answer.outcome))
    many = ("390962138708451328",)
    assert zv.consume({"bizId": "P-9", "customerId": int(MEMBER), "couponsCardList": many}).succeeded


def threads(zv: zvpos.Library) -> None:
    """Each thread gets its own answer."""
    found: List[bool] = []

    def till(number: int) -> None:
        for sale in range(5):
            biz_id = "T%d-%d" % (number, sale)
            answer = zv.consume(bizId=biz_id, customerId=MEMBER, amount="0.01")
            found.append(answer.succeeded and answer.biz_id == biz_id)

    tills = [threading.Thread(target=till, args=(number,)) for number in range(8)]
    for one in tills:
        one.start()
    for one in tills:
        one.join()
    assert found == [True] * 40, found


class MallInfo(ctypes.Structure):
    """glibc's `struct mallinfo`; number 7 is `uordblks`."""

    _fields_ = [("numbers", ctypes.c_int * 10)]


def allocated() -> int:
    """How many bytes the C library has given out, the text of answers among them."""
    mallinfo = ctypes.CDLL(None).mallinfo
    mallinfo.restype = MallInfo
    return int(mallinfo().numbers[7])


def answers_are_given_back(zv: zvpos.Library) -> None:
    before = 0
    for number in range(2200):
        raises(zvpos.NotFound, "", lambda: zv.lookup(bizId="none"))
        before = allocated() if number == 200 else before
    assert allocated() < before + 200_000, allocated() - before


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: List[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def logs(zv: zvpos.Library) -> None:
    logger, lines = logging.getLogger("zvpos"), Lines()
    logger.propagate = False
    logger.addHandler(lines)
    logger.setLevel(logging.ERROR)
    zvpos.log_to(logger)
    zv.consume(bizId="L-1", customerId=MEMBER, amount="0.01")
    assert not lines.texts, lines.texts
    logger.setLevel(logging.DEBUG)
    zvpos.log_to(logger)
    zv.consume(bizId="L-2", customerId=MEMBER, amount="0.01")
    assert any("L-2" in text for text in lines.texts), lines.texts
    zvpos.log_to(None)
    before = len(lines.texts)
    zv.consume(bizId="L-3", customerId=MEMBER, amount="0.01")
    assert len(lines.texts) == before
    # And left on, while the interpreter ends.
    zvpos.log_to(logger)


class Strange(http.server.BaseHTTPRequestHandler):
    """A gateway whose answers hold numbers that Python makes no numbers of."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        data = '{"change_recharge_amount":"1.00","whole":%s,"decimal":1e999999999999999999999}' % ("7" * 5000)
        body = ('{"status":true,"code":0,"message":"ok","data":%s}' % data).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def an_answer_is_lost_to_no_number(config: Dict[str, zvpos.Field]) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Strange) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = "http://127.0.0.1:%d/api/v2" % server.server_port
        with zvpos.Library({**config, "endpoint": endpoint}) as zv:
            answer = zv.consume(bizId="N-1", customerId=MEMBER, amount="1.00")
            assert answer.succeeded, answer
            assert answer.data["whole"] == "7" * 5000, answer.data
            assert answer.data["decimal"] == "1e999999999999999999999", answer.data
        server.shutdown()


def main() -> None:
    endpoint, folder = sys.argv[1:]
    assert zvpos.version() == zvpos.__version__
    config = configuration(endpoint, folder)
    starting(config)
    with zvpos.Library(config) as zv:
        requests(zv)
        threads(zv)
        answers_are_given_back(zv)
        logs(zv)
    an_answer_is_lost_to_no_number(config)
    print("ok")


main()
