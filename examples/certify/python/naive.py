#!/usr/bin/env python3
"""Tills that are wrong on purpose, each in one way that is seen in the field. DO NOT COPY.

naive.py --naive=KIND, where KIND is one of the classes below. The certifier must find each of them out.
"""
import sys
import time

from till import SaleFile, Till, call, run


class charge_again(Till):
    """Takes an unknown outcome for a failure, and charges again under a new bizId."""

    def judge(self, sale, answer):
        if answer["outcome"] == "unknown" and not sale["bizId"].endswith("-again"):
            sale["bizId"] += "-again"
            sale["request"]["bizId"] = sale["bizId"]
            answer = call("zv_consume_json", sale["request"])
        super().judge(sale, answer)


class ignore_next(Till):
    """Looks at the outcome and never at next."""

    def judge(self, sale, answer):
        guess = {"succeeded": "complete_sale", "declined": "other_tender", "not_sent": "retry", "unknown": "wait",
                 "reversed": "other_tender"}
        super().judge(sale, answer | {"next": guess.get(answer["outcome"], "stop")})


class new_biz_id(Till):
    """Makes a new bizId whenever the button is pressed again."""

    def sell(self, line):
        sale = self.file.sales.get(line["sale"])
        if sale is not None:
            sale["bizId"] += "x"
            sale["state"] = "retry"
            sale.pop("request", None)
        super().sell(line)


class forget(Till):
    """Keeps its sales in memory: after a crash it knows nothing, and its bizIds begin again from the first."""

    class Memory(SaleFile):
        def __init__(self, _folder):
            self.sales = {}

        def store(self, sale):
            self.sales[sale["sale"]] = sale

    def start(self, line):
        import till
        till.SaleFile = self.Memory
        super().start(line | {"till": f"{line['till']}-{time.time_ns()}"})


class complete_on_unknown(Till):
    """Completes the sale when nobody knows whether the money was taken."""

    def judge(self, sale, answer):
        if answer["outcome"] == "unknown":
            answer = answer | {"next": "complete_sale", "data": None}
        super().judge(sale, answer)


if __name__ == "__main__":
    kind = sys.argv[1].removeprefix("--naive=")
    sys.stdout.reconfigure(encoding="utf-8")
    run({one.__name__: one for one in Till.__subclasses__()}[kind]())
