#!/bin/bash
# SPDX-License-Identifier: ISC
# What goes to a service of Podman's and comes from it as an archive.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/remote-service.sh"
. "$LIB_DIR/registry.sh"

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

# --- Containers as archives, and what changed in them ---
podr run --name ch --network none img:1 sh -c 'echo a >/tmp/a; rm /etc/group; echo >>/etc/passwd'
is "export" "$(podr export ch | tar t | grep -cx -e etc/passwd -e tmp/a -e etc/group)" 2
is "export -o" "$(podr export -o e.tar ch; tar tf e.tar | grep -cx tmp/a)" 1
fails "export of none" 125 'no container with name or ID "none" found: no such container' export -o n.tar none
check "leaves no file" test ! -e n.tar
is "diff" "$(podr diff ch | tr '\n' ' ')" "C /etc D /etc/group C /etc/passwd C /tmp A /tmp/a "
is "of the latest, as JSON" "$(podr container diff -l --format json | jq -c .)" '{"changed":["/etc","/etc/passwd","/tmp"],"added":["/tmp/a"],"deleted":["/etc/group"]}'
check "of an image" eval 'podr diff img:1 | grep -qx "A /etc/passwd"'
check "and no other kind" eval 'podr container diff img:1 2>&1 | grep -q "no container with name or ID \"img:1\""'

# --- Images as archives ---
id=$(podr commit -q -c 'CMD=["said"]' -c LABEL=a=b -m why -f docker -a me --iidfile iid ch made:1)
is "commit" "$(podr image inspect made:1 -f '{{.Id}} {{.Config.Cmd}} {{.Config.Labels.a}} {{.Author}} {{.Comment}}')" "$id [said] b me why"
is "its file" "$(cat iid)" "$id"
fails "a name that is none" 125 'parsing reference "/x:y": invalid reference format' commit ch /x:y
fails "an option that it is not told" 125 "commit --include-volumes: not built for a remote service yet" commit --include-volumes ch x
is "save" "$(podr save -q made:1 | tar t | grep -cx manifest.json)" 1
is "save -o" "$(podr save -o s.tar made:1; tar xOf s.tar manifest.json | jq -r '.[0].RepoTags[0]')" localhost/made:1
is "several" "$(podr save -m made:1 img:1 | tar xO manifest.json | jq -r '.[].RepoTags[0]' | sort | tr '\n' ' ')" "localhost/img:1 localhost/made:1 "
is "oci-archive" "$(podr save --format oci-archive made:1 | tar t | grep -c -e index.json -e oci-layout)" 2
is "oci-dir" "$(podr save --format oci-dir -o od made:1; jq -r '.manifests | length' od/index.json)" 1
is "docker-dir" "$(podr save --format docker-dir -o dd made:1; jq -r .schemaVersion dd/manifest.json)" 2
fails "further tags" 125 "further tags: a service cannot be told of them; --multi-image-archive saves several images" save -o t.tar made:1 x:1
check "save of none is told of" eval 'podr save -o t.tar none:1 2>&1 | grep -q "^Error: .*none:1"'
check "leaves no file" test ! -e t.tar
is "load" "$(podr rmi made:1 >/dev/null; podr load <s.tar)" "Loaded image: localhost/made:1"
is "it is the same" "$(podr image inspect made:1 -f '{{.Id}}')" "$id"
is "load -i" "$(podr load -q -i s.tar)" "Loaded image: localhost/made:1"
check "what is no archive" eval 'echo x | podr load 2>&1 | grep -q "^Error: unable to load image"'
is "import" "$(podr import -q -c 'CMD=["imported"]' -m hello e.tar imp:1)" "sha256:$(podr image inspect imp:1 -f '{{.Id}}')"
is "as it was told" "$(podr image inspect imp:1 -f '{{.Config.Cmd}} {{.Comment}}')" "[imported] hello"
is "from standard input" "$(podr import - <e.tar | cut -c1-7)" sha256:

# --- Registries ---
registry_start me secret
is "push with credentials" "$(podr push -q --tls-verify=false --creds me:secret imp:1 "$REGISTRY/a/imp:1"; echo $?)" 0
check "without any it is refused" eval 'podr push -q --tls-verify=false imp:1 "$REGISTRY/a/imp:2" 2>&1 | grep -qi "^Error: .*\(unauthorized\|authentication required\)"'
check "with wrong ones" eval 'podr push -q --tls-verify=false --creds me:wrong imp:1 "$REGISTRY/a/imp:2" 2>&1 | grep -qi "^Error: .*\(unauthorized\|authentication required\)"'
printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf me:secret | base64)" >"$WORLD/auth.json"
is "those of a file" "$(podr push -q --tls-verify=false --authfile "$WORLD/auth.json" imp:1 "$REGISTRY/a/imp:2"; echo $?)" 0
is "in the environment" "$(podr rmi imp:1 >/dev/null; REGISTRY_AUTH_FILE=$WORLD/auth.json podr pull -q --tls-verify=false "$REGISTRY/a/imp:1" | wc -c)" 65
is "run pulls with them" "$(podr rmi "$REGISTRY/a/imp:1" >/dev/null; podr run --rm --network none --tls-verify=false --creds me:secret "$REGISTRY/a/imp:2" echo pulled 2>/dev/null)" pulled
fails "a file that is not there" 125 "$(podr pull --authfile "$WORLD/none" x 2>&1 | sed 's/^Error: //')" pull --authfile "$WORLD/none" x
for words in "pull x" "push imp:2 x" "search x" "run --rm x true"; do
	is "a file of the environment that is not there: ${words%% *}" "$(REGISTRY_AUTH_FILE=$WORLD/none podr $words 2>&1)" "Error: stat $WORLD/none: no such file or directory"
done
is "search" "$(podr search --tls-verify=false --creds me:secret --format '{{.Name}}' "$REGISTRY/imp")" "$REGISTRY/a/imp"
is "tags" "$(podr search --list-tags --tls-verify=false --creds me:secret --format '{{.Tag}}' "$REGISTRY/a/imp" | sort | tr '\n' ' ')" "1 2 "
check "they are in no trace" eval '! POD_TRACE=1 podr pull -q --tls-verify=false --creds me:secret "$REGISTRY/a/imp:1" 2>&1 | grep -q "$(printf "{\"username\":\"me\"" | base64 | cut -c1-12)"'

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
        elif self.command == "DELETE":
            body = json.dumps({"Untagged": ["x\x1b]0;owned\x07"], "Deleted": []}).encode()
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
    do_GET = do_HEAD = do_DELETE = answer
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
PY
remember_pid $!
until_ok 10 sh -c "ss -Hltn 'sport = :$port' | grep -q ." || not_ok "the other server does not listen"
evil() { CONTAINER_HOST=tcp://127.0.0.1:$port podr "$@"; }
is "its text is no text for a terminal" "$(evil rmi x)" 'Untagged: x\x1b]0;owned\x07'
mkdir home
echo mine >home/victim
is "its names count for nothing" "$(evil cp c:/f home; names home; cat home/f home/victim)" ". ./f ./victim evilmine"
rm home/f
is "nor do its links" "$(evil cp c:/links home 2>/dev/null; echo $?; cat home/victim; readlink home/f)" "125
mine
."
is "what it says of a path is read strictly" "$(evil cp c:/broken home 2>&1)" "Error: what the service says of a path is malformed"
check "nothing was made here" nothing_in "$HOME"

chmod 666 "$WORLD/p.sock"
user_part <<USER
export CONTAINER_HOST=unix://$WORLD/p.sock
mkdir "\$WORLD/mine" && cd "\$WORLD/mine"
is "an ordinary user copies from a container" "\$("\$BIN/pod" cp one:/d/sub . && stat -c '%U %a' sub/f)" "\$(id -un) 644"
is "and into one" "\$("\$BIN/pod" cp sub/f one:/tmp/theirs && "\$BIN/pod" exec one stat -c %u /tmp/theirs)" 0
is "saves to a directory" "\$("\$BIN/pod" save --format oci-dir -o od img:1 && stat -c %U od/index.json)" "\$(id -un)"
unset CONTAINER_HOST
USER
