#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# remote-fake.py PORT VERSION FILE: a service of Podman's at 127.0.0.1 that misbehaves, by what it is asked:
#   images/load          refuses at length before it has read any of what is sent
#   images/import        has done it once it has read the head, and goes on reading; of the name both it answers half,
#                        and the rest once it has all that is sent
#   containers/mute      exec sessions whose size it takes and never answers for
#   containers/create    writes down what is to be made, a line of JSON each, in FILE
#   containers/200       sessions that are taken with 200 and a length, as no upgrade is
import json
import socket
import sys
import threading
import time


def head(f):
    first = f.readline().decode().split()
    fields = {}
    while (line := f.readline().strip()):
        key, _, value = line.decode().partition(":")
        fields[key.lower()] = value.strip()
    return first, fields


def body(f, fields):
    if fields.get("transfer-encoding") != "chunked":
        return f.read(int(fields.get("content-length", 0)))
    data = []
    while (size := int(f.readline(), 16)):
        data.append(f.read(size))
        f.readline()
    f.readline()
    return b"".join(data)


def answer(status, text, more=""):
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    return f"HTTP/1.1 {status} X\r\nLibpod-API-Version: {sys.argv[2]}\r\n{more}Content-Length: {len(text)}\r\n\r\n".encode() + text


def one(c, f):
    first, fields = head(f)
    path, _, query = first[1].partition("?")
    path = path.removeprefix("/v4.0.0/libpod")
    if path == "/images/load":
        c.sendall(answer(400, {"pad": "x" * 900000, "message": "no room"}))
        c.shutdown(socket.SHUT_WR)
        time.sleep(60)
        return False
    if path == "/images/import":
        whole = answer(200, {"Id": "a" * 64, "pad": "x" * 2000000})
        later = 10 if "both" in query else 0
        c.sendall(whole[:len(whole) - later])
        body(f, fields)
        c.sendall(whole[len(whole) - later:])
        return True
    said = body(f, fields)
    part = path.split("/")[1:]
    if path == "/containers/create":
        with open(sys.argv[3], "ab") as file:
            file.write(said + b"\n")
        c.sendall(answer(201, {"Id": "c" * 64, "Warnings": ["\x1b[31mred"]}))
    elif part[0] == "containers" and part[-1] == "exec":
        c.sendall(answer(201, {"Id": part[1]}))
    elif path.endswith("/resize"):
        time.sleep(600)
    elif path == "/exec/mute/start":
        c.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello\n")
        time.sleep(1)
        return False
    elif path == "/exec/200/start":
        c.sendall(answer(200, b"\1\0\0\0\0\0\0\6hello\n"))
        return False
    elif part[0] == "exec":
        c.sendall(answer(200, {"ExitCode": 3}))
    else:
        c.sendall(answer(200, {}))
    return True


def serve(c):
    f = c.makefile("rb")
    try:
        while one(c, f):
            pass
    except (OSError, IndexError, ValueError):
        pass
    # With the file in use a socket would stay open.
    f.close()
    c.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
