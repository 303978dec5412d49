"""A headless Chromium that does what JSON lines on standard input say, and answers each with a JSON line.

browser.py PROFILE_FOLDER. It speaks the DevTools protocol over a WebSocket with nothing but the standard library.
It ends, and its browser with it, when its standard input ends.
"""

import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

WAIT_S = 30


class WebSocket:
    """The client's side of RFC 6455, as far as DevTools uses it."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(WAIT_S)
        self.received = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status = self.received.readline()
        if b" 101 " not in status:
            raise ConnectionError(status)
        while self.received.readline() != b"\r\n":
            pass

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        length = len(data)
        if length < 126:
            head = struct.pack("!BB", 0x81, 0x80 | length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, length)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self.socket.sendall(head + mask + masked)

    def receive(self):
        whole = b""
        while True:
            first, second = self.received.read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.received.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.received.read(8))
            whole += self.received.read(length)
            if first & 0x80:
                return whole.decode()


class Browser:
    """One page, and what it complained of."""

    def __init__(self, profile):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        if program is None:
            sys.exit("chromium is missing: apt-get install chromium")
        arguments = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-lcd-text"]
        # A test machine may run as root and without user namespaces; only the simulator's own page is opened.
        arguments += ["--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        # Whatever asks for another host does not get it.
        arguments += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"]
        with open(os.path.join(profile, "chromium.log"), "wb") as log:
            self.process = subprocess.Popen(
                [program, *arguments, "about:blank"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )
        port, path = self.devtools(profile)
        self.web_socket = WebSocket(port, path)
        self.last = 0
        self.session = None
        self.complaints, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def devtools(self, profile):
        place = os.path.join(profile, "DevToolsActivePort")
        since = time.monotonic()
        while time.monotonic() - since < WAIT_S and self.process.poll() is None:
            try:
                with open(place, encoding="ascii") as file:
                    port, path = file.read().split()
                    return int(port), path
            except (FileNotFoundError, ValueError):
                time.sleep(0.02)
        with open(os.path.join(profile, "chromium.log"), encoding="utf-8", errors="replace") as log:
            sys.exit(f"chromium does not start:\n{log.read()}")

    def end(self):
        # The session is this browser's own: its processes, and no others.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def call(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.web_socket.send(json.dumps(message))
        while True:
            heard = json.loads(self.web_socket.receive())
            if heard.get("id") == self.last:
                if "error" in heard:
                    raise RuntimeError(f"{method}: {heard['error']['message']}")
                return heard["result"]
            self.note(heard.get("method"), heard.get("params", {}))

    def note(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"a dialog: {params['message']}")
            self.session and self.call("Page.handleJavaScriptDialog", accept=False)

    def evaluate(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    def until(self, script):
        """The first value of the script that is true, or after the wait whatever it is."""
        since = time.monotonic()
        while True:
            value = self.evaluate(script)
            if value or time.monotonic() - since > WAIT_S:
                return value
            time.sleep(0.05)

    def click(self, selector):
        """A click of the mouse where the element is; it fails if something else is there."""
        place = self.until(
            f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            if (!node || node.disabled) return null;
            node.scrollIntoView({{block: "nearest"}});
            const box = node.getBoundingClientRect();
            const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
            const hit = document.elementFromPoint(x, y);
            return hit && (node.contains(hit) || hit.contains(node)) && box.width ? {{x, y}} : null;
            }})()"""
        )
        if place is None:
            raise RuntimeError(f"{selector} cannot be clicked")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def obey(self, order):
        name, value = order["do"], order.get("value")
        if name == "open":
            self.call("Page.navigate", url=value)
            return self.until("document.readyState === 'complete'")
        if name == "language":
            agent = self.evaluate("navigator.userAgent")
            return self.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=value)
        if name == "size":
            width, height, mobile = value
            return self.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
            )
        if name == "scheme":
            features = [{"name": "prefers-color-scheme", "value": value}]
            return self.call("Emulation.setEmulatedMedia", features=features)
        if name == "type":
            return self.call("Input.insertText", text=value)
        if name == "key":
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key=value, code=value)
            return None
        if name == "screenshot":
            shot = self.call("Page.captureScreenshot", format="png")["data"]
            with open(value, "wb") as file:
                file.write(base64.b64decode(shot))
            return None
        if name == "complaints":
            self.evaluate("0")
            return self.complaints
        if name == "requests":
            return self.requests
        return {"eval": self.evaluate, "until": self.until, "click": self.click}[name](value)


def main():
    browser = Browser(sys.argv[1])
    try:
        for line in sys.stdin:
            try:
                answer = {"value": browser.obey(json.loads(line))}
            except RuntimeError as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    finally:
        browser.end()


main()
