#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# tls-proxy.py DIR PORT TO [KEY=VALUE...]: TLS on that port of 127.0.0.1 with DIR/server.pem and DIR/server.key, for
# clients that show a certificate of DIR/ca.pem; what they say goes to the port TO.  client=any: clients need none;
# version=1.1: that alone is spoken; ciphers=NAME: the suites of TLS 1.2, as OpenSSL calls them; group=NAME: that alone.
import socket
import ssl
import sys
import threading

directory, port, to = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
limits = dict(word.split("=", 1) for word in sys.argv[4:])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(directory + "/server.pem", directory + "/server.key")
context.load_verify_locations(directory + "/ca.pem")
context.verify_mode = ssl.CERT_NONE if limits.get("client") == "any" else ssl.CERT_REQUIRED
if "ciphers" in limits:
    context.set_ciphers(limits["ciphers"])
if "version" in limits:
    version = getattr(ssl.TLSVersion, "TLSv" + limits["version"].replace(".", "_"))
    context.minimum_version = context.maximum_version = version
if "group" in limits:
    context.set_ecdh_curve(limits["group"])


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    try:
        inside = context.wrap_socket(client, server_side=True)
        outside = socket.create_connection(("127.0.0.1", to))
    except OSError:
        return
    there = threading.Thread(target=pump, args=(inside, outside), daemon=True)
    there.start()
    pump(outside, inside)
    # A connection that is closed with something unread takes back what was sent last.
    there.join(30)
    outside.close()
    inside.close()


listener = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
