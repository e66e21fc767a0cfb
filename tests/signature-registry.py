#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# signature-registry.py PORT UPSTREAM-PORT DIR: stands before a registry on 127.0.0.1 and keeps signatures for it, as
# OpenShift's registry does: it says so for /v2/, gives them by GET and takes them by PUT of
# /extensions/v2/NAME/signatures/DIGEST.  A file in DIR for each manifest.  The first word of DIR/mode, if there is that:
#	off	says nothing, and keeps none
#	junk	answers something else
#	mixed	gives signatures of other kinds too
#	deny	takes none
import http.client
import http.server
import json
import os
import re
import sys
import threading

port, upstream, where = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    # Whoever asked may have gone.
    def handle(self):
        try:
            super().handle()
        except OSError:
            pass

    def mode(self):
        try:
            with open(where + "/mode") as f:
                return f.read().strip()
        except OSError:
            return ""

    def body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        whole = b""
        while True:
            n = int(self.rfile.readline().split(b";")[0], 16)
            whole += self.rfile.read(n)
            self.rfile.readline()
            if n == 0:
                return whole

    def answer(self, status, headers, body, length=None):
        self.send_response(status)
        for k, v in headers:
            if k.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(k, v)
        self.send_header("Content-Length", length if length is not None else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code):
        self.answer(status, [("Content-Type", "application/json")], json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode())

    def signatures(self, name, digest, body):
        path = "%s/%s@%s" % (where, name.replace("/", "+"), digest)
        mode = self.mode()
        with lock:
            kept = json.load(open(path)) if os.path.exists(path) else {"signatures": []}
            if self.command == "GET":
                if mode == "mixed":
                    kept["signatures"][:0] = [{"schemaVersion": 3, "type": "atomic", "content": "eA=="}, {"schemaVersion": 2, "type": "other", "content": "eA=="}]
                text = b'{"signatures": 7}' if mode == "junk" else json.dumps(kept).encode()
                return self.answer(200, [("Content-Type", "application/json")], text)
            new = json.loads(body)
            if mode == "deny":
                return self.refuse(403, "DENIED")
            if new["schemaVersion"] != 2 or new["type"] != "atomic" or not re.match(digest + "@.+", new["name"]) or new["name"] in (s["name"] for s in kept["signatures"]):
                return self.refuse(400, "SIGNATURE_INVALID")
            kept["signatures"].append(new)
            with open(path + ".new", "w") as f:
                json.dump(kept, f)
            os.rename(path + ".new", path)
        self.answer(201, [], b"")

    def forward(self):
        body = self.body()
        mine = re.match(r"/extensions/v2/(.+)/signatures/(sha256:[0-9a-f]{64})$", self.path)
        if mine and self.mode() != "off":
            return self.signatures(mine[1], mine[2], body)
        c = http.client.HTTPConnection("127.0.0.1", upstream)
        c.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for k, v in self.headers.items():
            if k.lower() not in ("connection", "transfer-encoding", "content-length"):
                c.putheader(k, v)
        if self.command in ("PUT", "POST", "PATCH"):
            c.putheader("Content-Length", str(len(body)))
        c.endheaders(body or None)
        r = c.getresponse()
        headers = r.getheaders()
        if self.path == "/v2/" and self.mode() != "off":
            headers.append(("X-Registry-Supports-Signatures", "1"))
        head = self.command == "HEAD"
        self.answer(r.status, headers, b"" if head else r.read(), r.getheader("Content-Length", "0") if head else None)
        c.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = forward


http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
