#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# docker-daemon.py SOCKET DIR: the two calls of Docker's Engine API that carry images, on real archives.
# GET /images/NAME/get gives DIR/NAME (slashes as _); POST /images/load keeps what comes as DIR/loaded and reads it as an
# archive.  Names that begin with "bad-" are answered wrongly, each in its own way.
import http.server
import json
import os
import socketserver
import sys
import tarfile
import urllib.parse

STORE = sys.argv[2]


def wrong(h, name):
    def raw(*parts):
        for p in parts:
            h.wfile.write(p)
        h.close_connection = True

    ok = b"HTTP/1.1 200 OK\r\n"
    if name == "bad-length":
        raw(ok, b"Content-Length: 100000\r\n\r\n", b"x" * 1000)
    elif name == "bad-chunk":
        raw(ok, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n")
    elif name == "bad-chunks":
        raw(ok, b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc")
    elif name == "bad-head":
        raw(ok, b"X: y\r\n" * 20000, b"\r\n")
    elif name == "bad-line":
        raw(b"HTTP/1.1 200 " + b"x" * 100000)
    elif name == "bad-protocol":
        raw(b"220 mail.example.com ESMTP\r\n")
    elif name == "bad-interim":
        raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)
    elif name == "bad-tar":
        raw(ok, b"\r\n", b"this is no tar at all" * 100)
    elif name == "bad-nothing":
        raw(ok, b"Content-Length: 0\r\n\r\n")
    elif name == "bad-error":
        body = json.dumps({"message": "it is on fire"}).encode()
        raw(b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % len(body), body)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def address_string(self):
        return "local"

    def answer(self, status, value):
        body = (json.dumps(value) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        name = path[len("/images/"):-len("/get")]
        if name.startswith("docker.io/library/bad-"):
            return wrong(self, name[len("docker.io/library/"):].split(":")[0])
        file = os.path.join(STORE, name.replace("/", "_"))
        if not os.path.exists(file):
            return self.answer(404, {"message": "reference does not exist: " + name})
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with open(file, "rb") as f:
            while block := f.read(50000):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self):
        if os.path.exists(os.path.join(STORE, "refuse")):
            self.close_connection = True
            return self.answer(413, {"message": "the disk is full"})
        name = os.path.join(STORE, "part")
        with open(name, "wb") as f:
            while size := int(self.rfile.readline(), 16):
                f.write(self.rfile.read(size))
                self.rfile.readline()
        self.rfile.readline()
        try:
            with tarfile.open(name) as t:
                tags = json.load(t.extractfile("manifest.json"))[0]["RepoTags"]
        except Exception as x:
            return self.answer(200, {"errorDetail": {"message": str(x)}, "error": str(x)})
        os.rename(name, os.path.join(STORE, "loaded"))
        if os.path.exists(os.path.join(STORE, "late")):
            return self.answer(200, {"errorDetail": {"message": "out of inodes"}, "error": "out of inodes"})
        self.answer(200, {"stream": "Loaded image: %s\n" % tags[0]})


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        return super().get_request()[0], ("local", 0)

    def handle_error(self, *args):
        pass


with Server(sys.argv[1], Handler) as s:
    s.serve_forever()
