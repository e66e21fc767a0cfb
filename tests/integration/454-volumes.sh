#!/bin/bash
# SPDX-License-Identifier: ISC
# Volumes with options, drivers and plug-ins; export, import, mount, reload, prune.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/vol
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }
fails() { # TEXT STATUS MESSAGE WORDS...
	local text=$1 want=$2 message=$3 got
	shift 3
	pod "$@" >"$WORLD/out" 2>"$WORLD/err"
	got=$?
	if [ "$got" = "$want" ] && grep -qF -- "$message" "$WORLD/err"; then
		ok "$text"
	else
		not_ok "$text (status $got: $(cat "$WORLD/err"))"
	fi
}
mounted() { grep -c " $ROOT/volumes/$1/_data " /proc/self/mountinfo; }

# --- Kernels before 6.7: fsconfig(2) fails for an overlay's directory or flag.  The helper mounts in a namespace of its
# own then, and goes on in it.
cat >"$WORLD/old-kernel" <<'OLD'
import ctypes, os, struct, sys
code = b"".join(struct.pack("HBBI", *i) for i in ((0x20, 0, 0, 0), (0x15, 0, 3, 431), (0x20, 0, 0, 24), (0x15, 2, 0, 0),
    (0x15, 1, 0, 5), (6, 0, 0, 0x7fff0000), (6, 0, 0, 0x50016)))
text = ctypes.create_string_buffer(code)
prog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 7, ctypes.addressof(text)))
prctl = ctypes.CDLL(None, use_errno=True).prctl
if prctl(38, 1, 0, 0, 0) or prctl(22, 2, ctypes.c_void_p(ctypes.addressof(prog)), 0, 0):
    sys.exit("no filter: errno %d" % ctypes.get_errno())
os.execv(sys.argv[1], sys.argv[1:])
OLD
old_kernel() { python3 "$WORLD/old-kernel" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" "$@"; }
is "old kernel: a volume is filled from the image" "$(old_kernel run --rm --network none -v /www $image cat /www/index.html 2>&1)" "hello from pod"
is "old kernel: and --rm takes it along" "$(pod volume ls -q)" ""

# --- Making
is "volume create prints the name" "$(pod volume create v1)" v1
fails "a second one of the name" 125 "volume with name v1 already exists: volume already exists" volume create v1
is "--ignore" "$(pod volume create --ignore v1)" v1
pod volume create --uid 7 --gid 8 owned >/dev/null
is "--uid and --gid" "$(stat -c %u:%g "$ROOT/volumes/owned/_data")" 7:8
run -v owned:/m -u 5 $image true
is "stay with the first user" "$(stat -c %u:%g "$ROOT/volumes/owned/_data")" 7:8
pod volume create -o o=uid=3,gid=4 owned2 >/dev/null 2>&1
is "-o o=uid=" "$(pod volume inspect --format '{{.UID}}:{{.GID}}' owned2)" 3:4
pod volume create -o nocopy nocopy >/dev/null
run -v nocopy:/www $image true
is "-o nocopy" "$(ls "$ROOT/volumes/nocopy/_data")" ""
pod volume create -l a=b -l c labelled >/dev/null
is "labels" "$(pod volume inspect --format '{{.Labels}}' labelled)" "map[a:b c:]"
fails "an option that is none" 125 "invalid mount option foo for driver 'local': invalid argument" volume create -o foo=bar x
fails "size of a directory" 125 "Project Quota" volume create -o o=size=1m x
fails "a driver that is missing" 125 "no volume plugin with name nosuch" volume create -d nosuch x
fails "a name that is none" 125 "names must match" volume create a/b
is "nothing was made of them" "$(pod volume ls -q | grep -c '^x$')" 0

# --- Mounted ones
pod volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,mode=700 mem >/dev/null
is "type=tmpfs" "$(run -v mem:/m $image sh -c 'df -k /m | tail -1' | awk '{print $2}')" 1024
until_is "is mounted only while it is used" 0 mounted mem
pod run -d --name m1 --network none -v mem:/m $image sh -c 'echo shared >/m/f; sleep 100' >/dev/null
is "two containers share it" "$(until_ok 20 run -v mem:/m $image cat /m/f)" shared
is "the end of one leaves it to the other" "$(mounted mem)" 1
pod rm -f -t 0 m1 >/dev/null
until_is "the last one takes it along" 0 mounted mem
pod run -d --name m2 --network none -v mem:/m $image sleep 0.2 >/dev/null
until_ok 20 sh -c "[ \"\$($BIN/pod --root $ROOT --runroot $RUNROOT inspect --format '{{.State.Status}}' m2)\" = exited ]"
until_is "also when nobody waits for it" 0 mounted mem
pod rm m2 >/dev/null
mkdir "$WORLD/bound"
echo here >"$WORLD/bound/f"
pod volume create -o type=none -o "device=$WORLD/bound" -o o=bind bound >/dev/null
is "o=bind" "$(run -v bound:/m $image cat /m/f)" here
pod volume create -o type=none -o device=/nosuch/dir -o o=bind broken >/dev/null
fails "what cannot be mounted" 125 "mounting volume broken: mount:" run --rm --network none -v broken:/m $image true
is "volume mount prints the directory" "$(pod volume mount bound)" "$ROOT/volumes/bound/_data"
is "and mounts it" "$(cat "$ROOT/volumes/bound/_data/f")" here
pod volume unmount bound >/dev/null
is "volume unmount" "$(mounted bound)" 0
pod volume mount bound >/dev/null
pod volume rm bound >/dev/null
is "rm unmounts first" "$(mounted bound):$(cat "$WORLD/bound/f")" 0:here
pod volume create -d image -o image=$image shown >/dev/null
is "the driver image" "$(run -v shown:/m $image cat /m/www/index.html)" "hello from pod"
fails "needs an image" 125 "must provide an image" volume create -d image x

# --- Streams
run -v data:/d $image sh -c 'mkdir /d/s; echo one >/d/s/f; ln -s f /d/s/l; chown 5:6 /d/s/f; chmod 640 /d/s/f'
is "export" "$(pod volume export data | tar -t | sed "s,/$,," | sort | xargs)" "s s/f s/l"
pod volume export -o "$WORLD/d.tar" data
pod volume create copy >/dev/null
pod volume import copy "$WORLD/d.tar"
is "import" "$(run -v copy:/d $image sh -c 'cat /d/s/l; stat -c %u:%g:%a /d/s/f' | xargs)" "one 5:6:640"
pod volume create copy2 >/dev/null
gzip -c "$WORLD/d.tar" | pod volume import copy2 -
is "import of a compressed stream" "$(cat "$ROOT/volumes/copy2/_data/s/f")" one
pod volume create copy3 >/dev/null
echo rubbish | pod volume import copy3 - 2>"$WORLD/err"
is "rubbish is refused" "$?:$(ls "$ROOT/volumes/copy3/_data")" 125:
head -c 1024 /dev/zero >"$WORLD/zeros"
: >"$WORLD/no-bytes"
for f in no-bytes zeros; do
	check "an archive of nothing ($f) is imported" pod volume import copy3 "$WORLD/$f"
	check "and from a pipe" pod volume import copy3 - < <(cat "$WORLD/$f")
done
ln -s "$WORLD" "$ROOT/volumes/copy3/_data/s"
pod volume import copy3 "$WORLD/d.tar" 2>/dev/null
is "a link in the volume leads nothing out (CVE-2023-0778)" "$(ls "$WORLD/f" 2>/dev/null)" ""
fails "a volume that is missing" 125 "no such volume nosuch" volume export nosuch

# --- Lists
is "ls --filter driver" "$(pod volume ls -q --filter driver=image)" shown
is "ls --filter opt" "$(pod volume ls -q --filter opt=type=tmpfs)" mem
is "ls --filter label" "$(pod volume ls -q --filter label=a=b)" labelled
pod run -d --name user --network none -v data:/d $image sleep 100 >/dev/null
fails "rm of one in use" 2 "volume data is being used by the following container(s)" volume rm data
before=$(pod volume ls -q | wc -l)
is "prune --dry-run" "$(pod volume prune --dry-run --all --filter label=a=b)" labelled
is "removes nothing" "$(pod volume ls -q | wc -l)" "$before"
is "prune --filter" "$(pod volume prune -f --all --filter label=a=b)" labelled
pod volume rm -f -t 0 data >/dev/null
is "rm -f takes the containers along" "$(pod ps -aq --filter name=user)" ""

# --- A plug-in
cat >"$WORLD/plugin.py" <<'END'
import http.server, json, os, socketserver, sys
sock, base = sys.argv[1:3]
vols, users = {}, {}
class H(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a): pass
    def address_string(self): return "unix"
    def do_POST(self):
        q = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        name, call, out = q.get("Name"), self.path, {}
        with open(base + "/calls", "a") as f: f.write(call.split(".")[1] + " " + str(name or "") + "\n")
        if call == "/Plugin.Activate": out = {"Implements": ["VolumeDriver"]}
        elif call == "/VolumeDriver.Create":
            if q.get("Opts", {}).get("fail"): out = {"Err": "it must not be"}
            else:
                vols[name] = base + "/" + name; os.makedirs(vols[name], exist_ok=True)
        elif call == "/VolumeDriver.Remove": vols.pop(name, None)
        elif call == "/VolumeDriver.Mount":
            users.setdefault(name, set()).add(q.get("ID")); out = {"Mountpoint": vols[name]}
        elif call == "/VolumeDriver.Unmount": users.get(name, set()).discard(q.get("ID"))
        elif call == "/VolumeDriver.List": out = {"Volumes": [{"Name": n} for n in vols]}
        body = json.dumps(out).encode()
        self.send_response(500 if out.get("Err") else 200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
class S(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): pass
S(sock, H).serve_forever()
END
mkdir "$WORLD/plug"
python3 "$WORLD/plugin.py" "$WORLD/p.sock" "$WORLD/plug" &
remember_pid $!
until_ok 20 test -S "$WORLD/p.sock"
printf '[engine]\nvolume_plugin_timeout = 3\n[engine.volume_plugins]\ntestplug = "%s"\ngone = "/nosuch.sock"\n' "$WORLD/p.sock" >"$WORLD/c.conf"
export CONTAINERS_CONF_OVERRIDE=$WORLD/c.conf
pod volume create -d testplug -o x=y pv >/dev/null
is "a plug-in's volume" "$(pod volume inspect --format '{{.Driver}} {{.Options}}' pv)" "testplug map[x:y]"
run -v pv:/m $image sh -c 'echo plugged >/m/f'
is "is where the plug-in says" "$(cat "$WORLD/plug/pv/f")" plugged
is "and given back" "$(grep -E 'ount pv' "$WORLD/plug/calls" | xargs)" "Mount pv Unmount pv"
is "import and export reach it" "$(pod volume export pv | tar -xO f)" plugged
fails "what the plug-in refuses is not made" 125 "it must not be" volume create -d testplug -o fail=1 refused
is "not even a row" "$(pod volume ls -q | grep -c refused)" 0
fails "a plug-in that is away" 125 "reaching volume plugin gone on /nosuch.sock" volume create -d gone x
python3 - "$WORLD/p.sock" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); b = b'{"Name":"foreign"}'
s.sendall(b"POST /VolumeDriver.Create HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(b), b)); s.recv(1000)
END
is "reload takes over what is there" "$(pod volume reload 2>/dev/null | xargs)" "Added: foreign"
pod volume rm pv foreign >/dev/null
is "rm removes it there" "$(grep -c '^Remove' "$WORLD/plug/calls")" 2
pod volume create -d testplug pre-1 >/dev/null && pod volume create -d testplug pre-2 >/dev/null
is "a name that others begin with is free" "$(pod volume create -d testplug pre-)" pre-
pod volume rm pre- pre-1 pre-2 >/dev/null
unset CONTAINERS_CONF_OVERRIDE

# --- An ordinary user
if ordinary_user; then
	cat >"$WORLD/user.sh" <<'END'
cd; W=$(mktemp -d); P="$BIN/pod --root $W/root --runroot $W/run"
tar -C "$1/fs" -c . 2>/dev/null | $P import - localhost/u >/dev/null 2>&1
$P volume create -o type=tmpfs -o device=tmpfs -o o=size=1m mem >/dev/null
$P run --rm --network none -v mem:/m localhost/u df -k /m | tail -1 | awk '{print $2}'
$P run --rm --network none -v d:/d localhost/u sh -c 'echo mine >/d/f'
$P volume export d | tar -xO f
$P volume mount d 2>&1
$P unshare $P volume mount d >/dev/null && echo shown
$P run --rm --network none -v d:/m:U -u 5 localhost/u stat -c %u /m/f
$P unshare rm -rf $W
END
	mapfile -t got < <(as_user env BIN="$BIN" bash "$WORLD/user.sh" "$WORLD" 2>"$WORLD/err")
	is "user: a tmpfs volume" "${got[0]}" 1024
	is "user: export" "${got[1]}" mine
	is "user: mount outside the namespace" "${got[2]}" \
		'Error: cannot run command "pod volume mount" in rootless mode, must execute `pod unshare` first'
	is "user: and inside" "${got[3]}" shown
	is "user: U" "${got[4]}" 5
	[ -s "$WORLD/err" ] && sed 's/^/# /' "$WORLD/err"
fi
finish
