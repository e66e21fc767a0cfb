#!/bin/bash
# SPDX-License-Identifier: ISC
# Pre-checkpoints and increments, from their archives too; a terminal, and --rm.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
runtime=
for r in crun runc; do
	[ -n "$runtime" ] || ! "$r" checkpoint --help >/dev/null 2>&1 || runtime=$r
done
if [ "$(id -u)" != 0 ] || [ -z "$runtime" ] || ! criu_works; then
	skip "checkpoints with more" "no CRIU that works here, or no runtime that uses it"
	finish
fi
mkdir -p fs/{bin,tmp,proc,dev,sys,etc}
cp /bin/busybox fs/bin/
for a in sh sleep cat rm stty httpd wget; do ln -s busybox fs/bin/$a; done
tar -C fs --owner=0 --group=0 -c . | store import localhost/bb >/dev/null
mkdir nets
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --runtime "$runtime" --network-config-dir "$WORLD/nets" "$@"; }
count='i=0; while :; do i=$((i+1)); echo $i >/tmp/n; sleep 0.2; done'
number() { pod exec "$1" cat /tmp/n; }
id_of() { pod inspect -f '{{.Id}}' "$1"; }

# --- Increments
pod run -d --stop-timeout 0 --name p --network none localhost/bb sh -c "$count" >/dev/null
is "a pre-checkpoint leaves it running" "$(pod container checkpoint -P -e pre.tar --compress none p) $(pod inspect -f '{{.State.Status}}' p)" "p running"
check "its archive has the memory" test "$(tar -tf pre.tar | grep -c '^pre-checkpoint/pages-')" -ge 1
is "the rest builds on it" "$(pod container checkpoint --with-previous -k -e inc.tar --compress none p)" p
is "as an increment" "$(tar -tf inc.tar | grep -c '^checkpoint/parent$')" 1
is "restored from both" "$(pod container restore p)" p
is "it runs" "$(pod inspect -f '{{.State.Status}}' p)" running
pod rm -f -t 0 p >/dev/null
pod container restore -i inc.tar >/dev/null 2>&1
is "an increment alone is refused" "$? $(pod ps -aq | wc -l)" "125 0"
pod container restore -i inc.tar --import-previous pre.tar -n q >/dev/null
is "from both archives" "$? $(pod inspect -f '{{.State.Status}}' q)" "0 running"
pod rm -f -t 0 q >/dev/null

# --- A terminal, and --rm
pod run -d -t --rm --stop-timeout 0 --name t --network none localhost/bb sh -c "$count" >/dev/null
pod container checkpoint t >/dev/null 2>&1
is "--rm without an archive" "$? $(pod inspect -f '{{.State.Status}}' t)" "125 running"
pod container checkpoint -e t.tar.gz --compress gzip t >/dev/null
is "with one it is removed" "$? $(pod ps -a --format '{{.Names}}' | grep -cx t) $(gzip -t t.tar.gz; echo $?)" "0 0 0"
pod container restore -i t.tar.gz >/dev/null
is "and comes back, with its terminal" "$? $(pod inspect -f '{{.State.Status}} {{.Config.Tty}}' t)" "0 running true"
pod run -d --stop-timeout 0 --name u --network none localhost/bb sh -c "$count" >/dev/null
pod container checkpoint -a >/dev/null 2>&1
is "all that was frozen" "$(pod container restore -a)" "$(pod inspect -f '{{.Id}}' u)"
finish
