#!/bin/bash
# SPDX-License-Identifier: ISC
# What goes to a service of Podman's and comes from it as an archive.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/remote-service.sh"

service
fails() { # TEXT STATUS MESSAGE WORDS...: the last line of standard error
	local text=$1 want=$2 message=$3 said st
	shift 3
	said=$(podr "$@" 2>&1 >/dev/null)
	st=$?
	is "$text" "$st $(tail -n 1 <<<"$said")" "$want Error: $message"
}
names() { (cd "$1" && find . | LC_ALL=C sort | tr '\n' ' '); }
inside() { podr exec one sh -c "cd $1 && find . | sort | tr '\n' ' '"; }
podr run -d --name one --network none img:1 sh -c 'mkdir -p /d/sub; echo in >/d/sub/f; ln -s f /d/sub/l; ln -s /d /link; chmod 640 /d/sub/f; echo up; sleep 3600' >/dev/null
until_is "it runs" up podr logs one
mkdir "$WORLD/h"
cd "$WORLD/h" || exit 1

# --- cp, from a container ---
is "cp of a directory to one" "$(podr cp one:/d . && names d)" ". ./sub ./sub/f ./sub/l "
is "as it was" "$(stat -c '%a %U' d/sub/f) $(readlink d/sub/l) $(cat d/sub/f)" "640 $(id -un) f in"
is "to a new one" "$(podr cp one:/d new && names new)" ". ./sub ./sub/f ./sub/l "
is "what is in it" "$(mkdir x && podr cp one:/d/. x && names x)" ". ./sub ./sub/f ./sub/l "
is "to a new one" "$(podr cp one:/d/sub/. y && names y)" ". ./f ./l "
is "a link is followed" "$(podr cp one:/link . && names . | grep -o 'link')" ""
is "a file" "$(podr cp one:/d/sub/f . && cat f)" in
is "another name" "$(podr cp one:/d/sub/f g && cat g)" in
is "over a file" "$(echo old >o; podr cp one:/d/sub/f o && cat o)" in
is "a stream" "$(podr cp one:/d - | tar t | LC_ALL=C sort | tr '\n' ' ')" "d d/sub d/sub/f d/sub/l "
fails "nothing there" 125 '"/none" could not be found on container one: no such file or directory' cp one:/none .
fails "no such container" 125 'container "none" does not exist' cp none:/d .
fails "a directory over a file" 125 "destination must be a directory when copying a directory" cp one:/d f
mkdir -p k/f
fails "no place for it" 125 '"no/where" could not be found on the host: no such file or directory' cp one:/d no/where
fails "a name of a directory" 125 '"z/" could not be found on the host: no such file or directory' cp one:/d/sub/f z/
fails "a file where a directory is" 125 'error creating "f": file exists' cp one:/d/sub/f k

# --- cp, to a container ---
mkdir -p up/sub
echo out >up/sub/f
is "cp of a directory" "$(podr cp up one:/tmp && inside /tmp)" ". ./up ./up/sub ./up/sub/f "
is "to a new one" "$(podr cp up one:/tmp/new && inside /tmp/new)" ". ./sub ./sub/f "
is "what is in it" "$(podr cp up/. one:/tmp/new2 && inside /tmp/new2)" ". ./sub ./sub/f "
is "a file" "$(podr cp up/sub/f one:/tmp && podr exec one cat /tmp/f)" out
is "another name" "$(podr cp up/sub/f one:/tmp/g && podr exec one cat /tmp/g)" out
is "over a file" "$(podr cp up/sub/f one:/d/sub/f && podr exec one cat /d/sub/f)" out
is "a stream" "$(tar c up | podr cp - one:/var && inside /var/up)" ". ./sub ./sub/f "
is "which is compressed" "$(tar cz up/sub | podr cp - one:/d && podr exec one cat /d/up/sub/f)" out
is "its owner" "$(chown 1234:1234 up/sub/f; podr cp up/sub/f one:/tmp/h; podr cp -a=false up/sub/f one:/tmp/i; podr exec one stat -c %u /tmp/h /tmp/i | tr '\n' ' ')" "0 1234 "
fails "a directory over a file" 125 "destination must be a directory when copying a directory" cp up one:/tmp/f
fails "a stream to a file" 125 "destination must be a directory when copying from stdin" cp - one:/tmp/f
fails "no place for it" 125 '"/no/where" could not be found on container one: no such file or directory' cp up one:/no/where
fails "nothing here" 125 '"none" could not be found on the host: no such file or directory' cp none one:/tmp
is "from one to another" "$(podr create --name two --network none img:1 true >/dev/null; podr cp one:/d/sub two:/tmp && podr cp two:/tmp/sub two:/tmp/s2 && podr cp two:/tmp/. - | tar t | LC_ALL=C sort | tr '\n' ' ')" "s2 s2/f s2/l sub sub/f sub/l "
is "what is in it, to a new one" "$(podr cp one:/d/sub/. two:/home/n && podr cp two:/home/n - | tar t | tr '\n' ' ')" "n n/f n/l "
head -c 30000000 /dev/urandom >big
is "much of it, both ways" "$(podr cp big one:/tmp/big && podr cp one:/tmp/big big2 && cmp big big2 && echo same)" same
rm -f big big2

# --- A service that sends what was not asked for ---
port=$(free_port)
python3 - "$port" <<'PY' &
import base64, http.server, io, json, sys, tarfile
class H(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a): pass
    def answer(self):
        self.send_response(200)
        self.send_header("Libpod-API-Version", "4.3.1")
        stat = {"name": "f", "size": 1, "mode": 420, "linkTarget": "/f"}
        body = b""
        if self.path.startswith("/_ping"):
            body = b"OK"
        elif self.path.endswith("/json"):
            body = json.dumps({"Id": "0" * 64}).encode()
        elif "broken" in self.path:
            self.send_header("X-Docker-Container-Path-Stat", "!!!!")
        elif "/archive" in self.path:
            self.send_header("X-Docker-Container-Path-Stat", base64.b64encode(json.dumps(stat).encode()).decode())
            b = io.BytesIO()
            with tarfile.open(fileobj=b, mode="w") as t:
                def add(name, kind=tarfile.REGTYPE, link=""):
                    i = tarfile.TarInfo(name)
                    i.type, i.linkname = kind, link
                    i.size = 4 if kind == tarfile.REGTYPE else 0
                    t.addfile(i, io.BytesIO(b"evil"))
                if "links" in self.path:
                    add("f", tarfile.SYMTYPE, ".")
                    add("f/victim")
                else:
                    add("victim")
                    add("../victim")
                    add("/etc/../../victim")
            body = b.getvalue()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_GET = do_HEAD = answer
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
PY
remember_pid $!
until_ok 10 sh -c "ss -Hltn 'sport = :$port' | grep -q ." || not_ok "the other server does not listen"
evil() { CONTAINER_HOST=tcp://127.0.0.1:$port podr "$@"; }
mkdir home
echo mine >home/victim
is "its names count for nothing" "$(evil cp c:/f home; names home; cat home/f home/victim)" ". ./f ./victim evilmine"
rm home/f
is "nor do its links" "$(evil cp c:/links home 2>/dev/null; echo $?; cat home/victim; readlink home/f)" "125
mine
."
is "what it says of a path is read strictly" "$(evil cp c:/broken home 2>&1)" "Error: what the service says of a path is malformed"
check "nothing was made here" nothing_in "$HOME"
finish
