#!/bin/bash
# SPDX-License-Identifier: ISC
# Overlays that a program of the host makes (storage.conf: mount_program), here fuse-overlayfs.  A script before it
# notes its process IDs and words.
. "$(dirname "$0")/../lib.sh"
world
rootfs "$WORLD/fs"
everything() {
	if ! sh -c ': <>/dev/fuse' 2>/dev/null || ! command -v fuse-overlayfs >/dev/null; then
		skip "mount programs" "no /dev/fuse or no fuse-overlayfs"
		return
	fi
	mkdir "$WORLD/noted"
	printf '#!/bin/sh\necho $$ >>%s/noted/pids\necho "$*" >>%s/noted/words\nexec /usr/bin/fuse-overlayfs "$@"\n' "$WORLD" "$WORLD" >"$WORLD/program"
	printf '#!/bin/sh\necho first; echo "it is broken" >&2; exit 3\n' >"$WORLD/broken"
	chmod 755 "$WORLD/program" "$WORLD/broken"
	busybox_image localhost/base >/dev/null
	by() { pod --storage-opt "overlay.mount_program=$1" "${@:2}"; }
	pf() { by "$WORLD/program" "$@"; }
	is "the root is the program's" "$(pf run --rm --network none localhost/base grep -c ' / fuse.fuse-overlayfs rw' /proc/mounts)" 1
	is "a read-only one" "$(pf run --rm --read-only --network none localhost/base sh -c 'grep -c " / fuse.fuse-overlayfs ro" /proc/mounts; echo x >/x' 2>&1 | tr '\n' ' ')" "1 sh: can't create /x: Read-only file system "
	is "info" "$(pf info -f '{{.Store.GraphDriverName}} {{index .Store.GraphStatus "Native Overlay Diff"}}')" "overlay false"
	pf run --name c --network none localhost/base sh -c 'echo new >/new; rm -r /www; mkdir /www; echo y >/www/y; rm -r /home && echo file >/home; mv /etc/passwd /etc/pw; mkdir /d; ln /new /d/hard; ln -s x /d/link; mkfifo /d/fifo; chown 7:8 /d; chmod 4755 /new' >/dev/null
	is "diff" "$(pf diff c | grep -vE '^. /(dev|proc|sys|run|etc/(hosts|hostname|resolv.conf|mtab))' | sort | tr '\n' ' ')" \
		"A /d A /d/fifo A /d/hard A /d/link A /etc/pw A /new A /www/y C /etc C /home C /www D /etc/passwd D /www/index.html "
	is "export" "$(pf export c | tar -t | grep -E '^(new|d/|www/|home|etc/pw)' | sort | tr '\n' ' ')" "d/ d/fifo d/hard d/link etc/pw home new www/ www/y "
	pf commit -q c localhost/two >/dev/null
	is "commit" "$(pod save -q localhost/two | tar -xO "$(pod save -q localhost/two | tar -xO manifest.json | jq -r '.[0].Layers[1]')" | tar -t | grep -vE '^(dev|proc|sys|run|etc/(hosts|hostname|resolv|mtab))' | sort | tr '\n' ' ')" \
		"d/ d/.wh..wh..opq d/fifo d/hard d/link etc/ etc/.wh.passwd etc/pw home new www/ www/.wh..wh..opq www/y "
	local look='ls -ln /new /d/hard | awk "{ print \$1, \$5 }"; ls /www /etc/passwd 2>&1; stat -c %u:%g /d; cat /home /etc/pw'
	is "the image is the same to the kernel and to the program" "$(pod run --rm --network none localhost/two sh -c "$look" | sha256sum)" "$(pf run --rm --network none localhost/two sh -c "$look" | sha256sum)"
	is "and is right" "$(pf run --rm --network none localhost/two sh -c "$look" | head -n 5 | tr '\n' ' ')" "-rwsr-xr-x 4 -rwsr-xr-x 4 ls: /etc/passwd: No such file or directory /www: y "
	is "commit --squash" "$(pf commit -q --squash c localhost/flat >/dev/null; pod run --rm --network none localhost/flat ls /www)" y
	is "start again" "$(pf create --name again --network none localhost/base sh -c 'echo x >>/x; wc -l </x' >/dev/null; pf start -a again; pf start -a again)" "1
2"
	is "cp" "$(pf cp c:/new "$WORLD/got" && cat "$WORLD/got" && pf cp "$WORLD/got" c:/in && pf cp c:/in - | tar -xO)" "new
new"
	is "an image as a mount" "$(pf run --rm --network none --mount type=image,src=localhost/two,dst=/i,rw=true localhost/base sh -c 'cat /i/new; echo x >/i/new; cat /i/new')" "new
x"
	is "a volume gets what is in the image" "$(pf run --rm --network none -v v:/www localhost/base cat /www/index.html)" "hello from pod"
	is "diff of an image" "$(pf diff localhost/two | grep -c '^A /new$')" 1
	is "a user namespace" "$(pf run --rm --network none --uidmap 0:100:500 --gidmap 0:100:500 localhost/base sh -c 'stat -c %u /etc/passwd; echo x >/x && chown 7 /x && stat -c %u /x' 2>&1 | tr '\n' ' ')" "0 7 "
	printf '[storage]\ndriver="overlay"\n[storage.options.overlay]\nmount_program="%s"\nmountopt="nodev,metacopy=on,fsync=0"\n' "$WORLD/program" >"$WORLD/mp.conf"
	is "storage.conf" "$(CONTAINERS_STORAGE_CONF=$WORLD/mp.conf "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none localhost/base grep -c ' / fuse.fuse-overlayfs' /proc/mounts)" 1
	is "it gets its own options, not the kernel's" "$(tail -n 1 "$WORLD/noted/words" | grep -oE 'nodev|metacopy|fsync=0')" fsync=0
	is "which the kernel's overlay refuses" "$(pod --storage-opt overlay.mountopt=fsync=0 images 2>&1 | grep -c 'cannot have the option "fsync=0"')" 1

	pf run -d --name r --network none localhost/two sleep 1000 >/dev/null
	local pid=$(tail -n 1 "$WORLD/noted/pids")
	is "exec" "$(pf exec r cat /new)" new
	is "its rights" "$(grep -E '^(CapEff|NoNewPrivs|Seccomp):' "/proc/$pid/status" | tr -s '\t\n' ' ')" "CapEff: 000000008820001f NoNewPrivs: 1 Seccomp: 2 "
	is "no mount is to be seen" "$(grep -c "$WORLD" /proc/self/mountinfo)" 0
	check "it may open as many files as we may" test "$(awk '/Max open files/ { print $5 }' "/proc/$pid/limits")" = "$(ulimit -Hn)"
	pf stop -t 0 r >/dev/null
	check "it ends with the container" until_ok 10 ended "$pid"
	pf start r >/dev/null
	pid=$(tail -n 1 "$WORLD/noted/pids")
	pod unshare true 2>/dev/null
	kill -KILL "$pid"
	check "if it dies, the files are gone" until_ok 10 sh -c "! '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' exec r cat /new >/dev/null 2>&1"
	is "and the container can be removed" "$(pf rm -f -t 0 r)" r
	is "a program that is not there" "$(by /no/such run --rm --network none localhost/base true 2>&1 | sed 's/^.*: mount/mount/')" "mount program /no/such: No such file or directory"
	is "one that fails" "$(by "$WORLD/broken" run --rm --network none localhost/base true 2>&1 | sed 's/^.*: mount/mount/')" "mount program $WORLD/broken: it is broken"
	is "no path" "$(by fuse-overlayfs images 2>&1 | grep -c '^Error: storage option overlay.mount_program: "fuse-overlayfs" is not an absolute path$')" 1
	is "no container is made by either" "$(pod ps -a --format '{{.Names}}' | sort | tr '\n' ' ')" "again c "
	pf rm -a >/dev/null
	left() {
		local p
		while read -r p; do ended "$p" || return 1; done <"$WORLD/noted/pids"
	}
	check "no process is left" until_ok 20 left
	is "check" "$(pod system check; echo $?)" 0
}
# One that never answers takes its time: in the background, in a world of its own.
printf '#!/bin/sh\necho $$ >%s/silent.pid\nexec sleep 1000\n' "$WORLD" >"$WORLD/silent"
chmod 755 "$WORLD/silent"
(
	ROOT=$WORLD/silent.root RUNROOT=$WORLD/silent.run
	busybox_image localhost/base >/dev/null
	pod --storage-opt "overlay.mount_program=$WORLD/silent" run --rm --network none localhost/base true 2>&1
	pod ps -a -q
) >"$WORLD/silent.out" &
silent=$!
everything
if pod --storage-opt overlay.layout=erofs info >/dev/null 2>&1 && [ -e /dev/fuse ]; then
	tar -C "$WORLD/fs" -c bin | store --storage-opt overlay.layout=erofs import localhost/image >/dev/null 2>&1 &&
		is "layers that are images" "$(ls -d "$ROOT"/layers/*/erofs | wc -l) $(by /usr/bin/fuse-overlayfs run --rm --network none localhost/image busybox echo yes 2>&1)" "$(ls -d "$ROOT"/layers/*/erofs | wc -l) yes"
fi
if [ -s "$WORLD/noted/pids" ]; then
	wait "$silent"
	is "one that never answers" "$(sed 's/^.*: mount/mount/' "$WORLD/silent.out")" "mount program $WORLD/silent: it did not answer within 10 seconds"
	check "and is ended" until_ok 10 ended "$(cat "$WORLD/silent.pid")"
fi
{ declare -f everything; echo everything; } | user_part
