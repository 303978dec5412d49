"""A gateway over TLS whose first answer on each connection is followed at once by another sale's:
tls_stray.py CERTIFICATE KEY SIZE. The first answer has SIZE bytes, so that the end of TLS records and of buffers
can be met. Prints its port; ends with its standard input."""

import json
import socket
import ssl
import sys
import threading


def answer(biz_id, size):
    def text(padding):
        data = {"bizId": biz_id, "change_recharge_amount": "1.00", "padding": "x" * padding}
        body = json.dumps({"status": "true", "code": "0", "message": "ok", "data": data}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %05d\r\n\r\n" % len(body) + body

    return text(max(0, size - len(text(0))))


def serve(raw, context, size):
    with context.wrap_socket(raw, server_side=True) as stream:
        first = True
        while True:
            request = b""
            while b"\r\n\r\n" not in request:
                got = stream.recv(65536)
                if not got:
                    return
                request += got
            head, _, body = request.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            while len(body) < int(fields[b"content-length"]):
                body += stream.recv(65536)
            biz_id = json.loads(body)["Params"]["bizId"]
            stream.sendall(answer(biz_id, size) + answer("ANOTHER-SALE", 0) if first else answer(biz_id, 0))
            first = False


def accept(listener, context, size):
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, context, size), daemon=True).start()


def main():
    certificate, key, size = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listener, context, int(size)), daemon=True).start()
    sys.stdin.read()


main()
