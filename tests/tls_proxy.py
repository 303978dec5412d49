"""A TLS server in front of a plain one: tls_proxy.py CERTIFICATE KEY HOST:PORT. Prints its own port."""

import socket
import ssl
import sys
import threading


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(raw, context, target):
    try:
        outside = context.wrap_socket(raw, server_side=True)
    except (OSError, ssl.SSLError):
        raw.close()
        return
    inside = socket.create_connection(target)
    threading.Thread(target=copy, args=(inside, outside), daemon=True).start()
    copy(outside, inside)


def main():
    certificate, key, target = sys.argv[1:]
    host, port = target.rsplit(":", 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    # Ends with its standard input, so that it never outlives the test.
    threading.Thread(target=accept, args=(listener, context, (host, int(port))), daemon=True).start()
    sys.stdin.read()


def accept(listener, context, target):
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, context, target), daemon=True).start()


main()
