"""The same quote through this library's Python package. Usage: zvpos_peer.py LIBRARY CONFIG_FILE"""

import ctypes
import json
import sys
import time

QUOTE = {"user_coupon_id": "390962138708451328", "user_id": "383933091455959041",
         "items": [{"num": 2, "trade_mark": "201909280011111", "price": "13.50"}]}


def main():
    zv = ctypes.CDLL(sys.argv[1])
    for name in ("zv_init", "zv_coupon_quote_json", "zv_shutdown"):
        getattr(zv, name).restype = ctypes.c_void_p
    zv.zv_free.argtypes = [ctypes.c_void_p]

    def call(function, *texts):
        answer = function(*texts)
        try:
            return json.loads(ctypes.string_at(answer))
        finally:
            zv.zv_free(answer)

    with open(sys.argv[2], "rb") as file:
        started = call(zv.zv_init, file.read())
    if started["outcome"] != "succeeded":
        sys.exit(str(started))
    for line in sys.stdin:
        took = []
        for _ in range(int(line)):
            begun = time.perf_counter_ns()
            answer = call(zv.zv_coupon_quote_json, json.dumps(QUOTE).encode())
            if answer["outcome"] != "succeeded" or not answer["data"]["coupon_discount"]:
                sys.exit(str(answer))
            took.append(time.perf_counter_ns() - begun)
        print("\n".join(map(str, took)), flush=True)
    call(zv.zv_shutdown)


main()
