#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# range-proxy.py PORT UPSTREAM-PORT MODE-FILE LOG: stands before a registry on 127.0.0.1, counts what of its blobs goes
# through, and does what the first word of MODE-FILE says with requests for ranges:
#	whole	hides them from the registry
#	late	hides all but the first of each blob
#	lie	sends another Content-Range
#	short	leaves the end of each answer out, and says it is all
# A line of LOG: the blob's hexadecimal digits, the status, the bytes that were sent.
import collections
import http.client
import http.server
import re
import sys
import threading

port, upstream, mode_file, log_file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
lock = threading.Lock()
asked = collections.Counter()


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
        with open(mode_file) as f:
            return f.read().strip()

    def forward(self):
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        blob = re.match(r".*/blobs/sha256:([0-9a-f]{64})$", self.path)
        mode = self.mode() if blob and "Range" in self.headers else ""
        if mode:
            with lock:
                asked[blob[1]] += 1
            if mode == "whole" or (mode == "late" and asked[blob[1]] > 1):
                headers.pop("Range")
        c = http.client.HTTPConnection("127.0.0.1", upstream)
        c.request(self.command, self.path, headers=headers)
        r = c.getresponse()
        body = b"" if self.command == "HEAD" else r.read()
        if mode == "short":
            body = body[:-1000]
        self.send_response(r.status)
        for k, v in r.getheaders():
            if k.lower() == "content-range" and mode == "lie":
                v = re.sub(r"(\d+)-", lambda m: "%d-" % (int(m[1]) + 1), v)
            if k.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(k, v)
        self.send_header("Content-Length", r.getheader("Content-Length") if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
            sent = len(body)
        except OSError:
            sent = 0
        if blob and self.command == "GET":
            with lock, open(log_file, "a") as f:
                f.write("%s %d %d\n" % (blob[1], r.status, sent))
        c.close()

    do_GET = do_HEAD = forward


http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
