#!/usr/bin/env python3
"""A till that passes `zv certify`: what an integrator's own program must keep, store, and do.

The certifier plays the cashier: a JSON object a line on stdin, answered by JSON objects on stdout (docs/certify.md).
libzvpos.so must be where the loader finds it, or named by the variable ZVPOS_LIBRARY.
"""
import ctypes
import json
import os
import sys
from decimal import Decimal

zv = ctypes.CDLL(os.environ.get("ZVPOS_LIBRARY", "libzvpos.so"))
for name, arguments in {"zv_init": 1, "zv_coupon_quote_json": 1, "zv_consume_json": 1, "zv_lookup_json": 1,
                        "zv_confirm_json": 1, "zv_reverse_json": 1, "zv_pending_json": 1, "zv_shutdown": 0}.items():
    getattr(zv, name).restype = ctypes.c_void_p  # c_char_p would lose the pointer
    getattr(zv, name).argtypes = [ctypes.c_char_p] * arguments
zv.zv_free.restype, zv.zv_free.argtypes = None, [ctypes.c_void_p]


def call(name, request=None):
    """One call of the library; every answer is given back once."""
    answer = getattr(zv, name)(*([json.dumps(request).encode()] if request is not None else []))
    try:
        return json.loads(ctypes.string_at(answer))
    finally:
        zv.zv_free(answer)


class SaleFile:
    """The till's own sales: a line for each change, on disk before anything else happens. The last line counts."""

    def __init__(self, folder):
        self.path, self.sales = os.path.join(folder, "sales.txt"), {}
        self.file = open(self.path, "a+b")
        self.file.seek(0)
        for line in self.file.read().split(b"\n")[:-1]:  # what has no end was torn by a crash
            try:
                sale = json.loads(line)
                self.sales[sale["sale"]] = sale
            except ValueError:
                continue
        self.file.write(b"\n")  # ends a torn line

    def store(self, sale):
        self.sales[sale["sale"]] = sale
        self.file.write(json.dumps(sale).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())


class Till:
    def start(self, line):
        self.number, self.file = line["till"], SaleFile(line["folder"])
        answer = call("zv_init", line["config"])
        if answer["outcome"] != "succeeded":
            print(answer, file=sys.stderr)
            return
        self.journal_id = answer["data"]["journal_id"]
        for sale in list(self.file.sales.values()):
            if sale["state"] in ("attempt", "waiting", "refunding"):  # a crash, or nobody knew
                self.look(sale)
        known = {sale["bizId"] for sale in self.file.sales.values()}
        for biz_id in answer["data"]["unacknowledged"]:
            call("zv_lookup_json", {"bizId": biz_id})  # it is in the journal: it needs no identity
            if biz_id not in known:  # taken for a sale that this till has lost: a person must see it
                say({"note": "taken, but no sale of this till", "bizId": biz_id})

    def sell(self, line):
        sale = self.file.sales.get(line["sale"])
        if sale is None:
            # Made once, unique over all tills, and kept with the sale.
            sale = {"sale": line["sale"], "bizId": f"{self.number}-{line['sale']}", "state": "new", "paid": "0.00"}
        if sale["state"] == "waiting":
            self.look(sale)
        elif sale["state"] in ("new", "retry"):
            self.pay(sale, line)
        self.show(sale)

    def pay(self, sale, line):
        if "request" not in sale:
            request = self.request(sale, line)
            if request is None:
                return
            sale["request"] = request
        sale["state"], sale["journal_id"] = "attempt", self.journal_id
        self.file.store(sale)  # before the call: after a crash there is a bizId to look up, and with which journal
        self.judge(sale, call("zv_consume_json", sale["request"]))

    def request(self, sale, line):
        """What is to be taken: with a basket less what the coupon is worth. None if the quote did not say that."""
        request = {"bizId": sale["bizId"], "customerId": line["customerId"]}
        amount = line.get("amount")
        if "items" in line:
            quote = call("zv_coupon_quote_json", {"user_coupon_id": line["coupons"][0], "user_id": line["customerId"],
                                                  "items": line["items"], "usage_scenarios": 1})
            if quote["outcome"] != "succeeded":
                sale["state"] = "retry" if quote["next"] == "retry" else "other_tender"
                sale["shown"] = quote["cashier"]
                self.file.store(sale)
                return None
            amount = str(Decimal(amount) - Decimal(quote["data"]["coupon_discount"]))
        optional = {"amount": amount, "couponsCardList": line.get("coupons"), "points": line.get("points")}
        return request | {name: value for name, value in optional.items() if value}

    def judge(self, sale, answer):
        """From the library's answer to what becomes of the sale. `next` decides, nothing else."""
        sale["shown"] = answer["cashier"]
        if answer["next"] == "store_then_confirm":
            self.file.store(sale)
            answer = call("zv_confirm_json", {"bizId": sale["bizId"]})
        if answer["next"] == "complete_sale":
            # Where a person has settled it there is no answer of the gateway: what was asked for was taken.
            data = answer["data"] or {"change_recharge_amount": sale["request"].get("amount")}
            sale["returnedBizId"] = data.get("bizId") or sale["bizId"]  # the vendor reverses by this one
            taken = [data.get("change_recharge_amount"), data.get("change_gift_amount")]
            sale["paid"] = str(sum((Decimal(part or "0") for part in taken), Decimal("0.00")))
            sale["state"] = "completed"
        else:
            # wait and other_tender after a crash, too; what is left needs a person: fix_request, stop, lookup.
            # new_bizid: a corrected sum is a new sale, with a bizId of its own.
            states = {"other_tender": "other_tender", "new_bizid": "other_tender", "retry": "retry", "wait": "waiting",
                      "refunded": "refunded"}
            sale["state"] = states.get(answer["next"], "failed")
        self.file.store(sale)

    def look(self, sale):
        # With the identity: then the library can say that nothing was ever sent, or that it cannot know.
        answer = call("zv_lookup_json", {"bizId": sale["bizId"], "journal_id": sale["journal_id"]})
        if sale["state"] == "refunding":
            # refund_pending: on its way. complete_sale: the gateway has refused, and the sale stands. wait: a person.
            states = {"refunded": "refunded", "complete_sale": "completed", "wait": "waiting"}
            sale["state"] = states.get(answer["next"], "refunding")
            self.file.store(sale)
        else:
            self.judge(sale, answer)

    def refund(self, line):
        sale = self.file.sales.get(line["sale"])
        if sale and sale["state"] == "completed":
            sale["state"] = "refunding"
            self.file.store(sale)
            outcome = call("zv_reverse_json", {"bizId": sale["bizId"]})["outcome"]
            # unknown: it is on disk and goes on by itself. Everything else: it still stands.
            sale["state"] = {"reversed": "refunded", "unknown": "refunding"}.get(outcome, "completed")
            self.file.store(sale)
        if sale:
            self.show(sale)

    def list(self, _line):
        for sale in self.file.sales.values():
            if sale["state"] in ("waiting", "refunding"):
                self.look(sale)
            self.show(sale)

    def day(self, line):
        """Both ways: what the till has completed was taken, and what was taken the till has completed."""
        entries = call("zv_pending_json", {"day": line["day"]})["data"]["entries"]
        taken = {one["entry"]["bizId"] for one in entries if one["entry"]["stage"] in ("succeeded", "kept")}
        completed = {sale["bizId"] for sale in self.file.sales.values() if sale["state"] == "completed"}
        for biz_id in sorted(taken ^ completed):
            say({"difference": biz_id})

    def stop(self, _line):
        call("zv_shutdown")

    def show(self, sale):
        say({"sale": sale["sale"], "bizId": sale["bizId"], "result": sale["state"], "paid_by_member": sale["paid"],
             "returnedBizId": sale.get("returnedBizId", ""), "shown": sale.get("shown", "")})


def say(line):
    print(json.dumps(line, ensure_ascii=False), flush=True)


def run(till):
    for text in sys.stdin:
        line = json.loads(text)
        getattr(till, line["do"])(line)
        say({"done": line["do"]})
        if line["do"] == "stop":
            break


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    run(Till())
