"""The same quote through this library's Python package, as its page shows it. Usage: zvpos_peer.py LIBRARY CONFIG_FILE"""

import sys
import time
from pathlib import Path

import zvpos


def main():
    zvpos.load(sys.argv[1])
    with zvpos.Library(Path(sys.argv[2]).read_text()) as zv:
        for line in sys.stdin:
            took = []
            for _ in range(int(line)):
                begun = time.perf_counter_ns()
                basket = [{"num": 2, "trade_mark": "201909280011111", "price": "13.50"}]
                answer = zv.quote(user_coupon_id="390962138708451328", user_id="383933091455959041", items=basket)
                if not answer.succeeded or not answer.data["coupon_discount"]:
                    sys.exit(answer.text)
                took.append(time.perf_counter_ns() - begun)
            print("\n".join(map(str, took)), flush=True)


main()
