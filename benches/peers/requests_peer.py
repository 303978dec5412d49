"""What a Python programmer would write: requests with one session, hmac, json. Usage: requests_peer.py URL"""

import base64
import hashlib
import hmac
import json
import random
import sys
import time
import urllib.parse

import requests

OPEN_ID = "fake-open-id-for-test-only-0001"
GRANT_CODE = "fake-grant-code-0001"
OPEN_KEY = b"fake-open-key-for-test-only-0001"


def body():
    timestamp, nonce = str(int(time.time())), str(random.randint(1, 999_999_999))
    text = f"grantCode={GRANT_CODE}&nonce={nonce}&openId={OPEN_ID}&timestamp={timestamp}"
    mac = hmac.new(OPEN_KEY, text.encode(), hashlib.sha1).digest()
    token = urllib.parse.quote(base64.b64encode(mac).decode(), safe="")
    item = {"num": "2", "trade_mark": "201909280011111", "price": "13.50"}
    params = {"user_coupon_id": "390962138708451328", "user_id": "383933091455959041", "items": [item]}
    return json.dumps({"OpenId": OPEN_ID, "GrantCode": GRANT_CODE, "Token": token, "Timestamp": timestamp,
                       "Nonce": nonce, "Action": "user.user-by-coupon", "Params": params})


def main():
    session = requests.Session()
    session.trust_env = False
    for line in sys.stdin:
        took = []
        for _ in range(int(line)):
            begun = time.perf_counter_ns()
            answer = session.post(sys.argv[1], data=body(), headers={"Content-Type": "application/json"}, timeout=(3, 10))
            answer.raise_for_status()
            found = answer.json()
            if found["code"] != "0" or not found["data"]["coupon_discount"]:
                sys.exit(str(found))
            took.append(time.perf_counter_ns() - begun)
        print("\n".join(map(str, took)), flush=True)


main()
