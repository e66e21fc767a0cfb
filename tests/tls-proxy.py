#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# tls-proxy.py DIR PORT TO: TLS on that port of 127.0.0.1 with DIR/server.pem and DIR/server.key, for clients that show a
# certificate of DIR/ca.pem; what they say goes to the port TO.
import socket
import ssl
import sys
import threading

directory, port, to = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(directory + "/server.pem", directory + "/server.key")
context.load_verify_locations(directory + "/ca.pem")
context.verify_mode = ssl.CERT_REQUIRED


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
