#!/bin/bash
# SPDX-License-Identifier: ISC
# The storage driver vfs: everything that a store does, without overlay; asked for, and chosen where overlay cannot
# be mounted.
. "$(dirname "$0")/../lib.sh"
world
everything() {
	V=(--storage-driver vfs)
	pv() { pod "${V[@]}" "$@"; }
	busybox_image localhost/base >/dev/null
	is "info names the driver" "$(pv info -f '{{.Store.GraphDriverName}}') $(pod info -f '{{.Store.GraphDriverName}}')" "vfs overlay"
	is "run" "$(pv run --rm --network none localhost/base cat /www/index.html)" "hello from pod"
	is "the root is no overlay" "$(pv run --rm --network none localhost/base grep -c '^none / overlay' /proc/mounts)" 0
	is "run -u" "$(pv run --rm --network none -u alice localhost/base id -un)" alice
	pv run --name c --network none localhost/base sh -c 'echo new >/new; rm -r /www; echo more >>/etc/passwd; mkdir -p /d/e; ln /new /d/e/hard; ln -s x /d/link; rm -r /home && echo file >/home; mkfifo /d/fifo' >/dev/null
	is "the driver of a container" "$(pod inspect -f '{{.Driver}} {{.GraphDriver.Name}}' c)" "vfs vfs"
	is "diff" "$(pv diff c | grep -vE '^C /(dev|proc|sys|run)?$|^. /(etc|dev|proc|sys|run)($|/(hosts|hostname|resolv|mtab|console|pts))' | sort | tr '\n' ' ')" \
		"A /d A /d/e A /d/e/hard A /d/fifo A /d/link A /new C /etc/passwd C /home D /home/alice D /www "
	is "size" "$(($(pod inspect -s -f '{{.SizeRw}}' c) < 2000 && $(pod inspect -s -f '{{.SizeRw}}' c) > 8))" 1
	is "start again" "$(pv start -a c 2>&1 | sed -n 1p)" "rm: can't remove '/www': No such file or directory"
	is "cp out and in" "$(pv cp c:/new "$WORLD/got" && cat "$WORLD/got" && echo in >"$WORLD/in" && pv cp "$WORLD/in" c:/in && pv cp c:/in - | tar -xO)" "new
in"
	is "export" "$(pv export c | tar -t | grep -cE '^(new|d/e/hard|bin/busybox|in)$')" 4
	pv commit -q c localhost/two >/dev/null
	is "commit holds what changed, and no more" "$(pod save -q localhost/two | tar -xO "$(pod save -q localhost/two | tar -xO manifest.json | jq -r '.[0].Layers[1]')" | tar -t | grep -vE '^(etc|dev|proc|sys|run)/?($|hosts|hostname|resolv|mtab|console|pts)' | sort | tr '\n' ' ')" \
		".wh.www d/ d/e/ d/e/hard d/fifo d/link etc/passwd home in new "
	same='ls -l /new /d/e/hard | awk "{ print \$2 }" | tr "\n" " "; cat /in /home; ls /www 2>&1; readlink /d/link; tail -n 1 /etc/passwd'
	is "the image runs with either driver, and is the same" "$(pv run --rm --network none localhost/two sh -c "$same" | sha256sum)" "$(pod run --rm --network none localhost/two sh -c "$same" | sha256sum)"
	is "and is right" "$(pv run --rm --network none localhost/two sh -c "$same" | tr '\n' ' ')" "2 2 in file ls: /www: No such file or directory x more "
	is "commit --squash" "$(pv commit -q --squash c localhost/flat >/dev/null; pv run --rm --network none localhost/flat cat /new)" new
	is "exec, stop" "$(pv run -d --name r --network none localhost/two sleep 1000 >/dev/null; pv exec r cat /new; pv stop -t 0 r)" "new
r"
	is "restart keeps what was written" "$(pv start r >/dev/null; pv exec r sh -c 'echo kept >/kept'; pv restart -t 0 r >/dev/null; pv exec r cat /kept)" kept
	is "another driver finds the container" "$(pod exec r cat /kept; pod --storage-driver overlay restart -t 0 r >/dev/null; pod exec r cat /kept)" "kept
kept"
	is "a container of overlay with vfs" "$(pod create --name o --network none localhost/base cat /www/index.html >/dev/null; pv start -a o)" "hello from pod"
	is "a read-only root" "$(pv run --rm --read-only --network none localhost/base sh -c 'echo x >/x' 2>&1 | grep -c 'Read-only')" 1
	is "an image as a mount" "$(pv run --rm --network none --mount type=image,src=localhost/two,dst=/i localhost/base cat /i/new)" new
	is "one that may be written to" "$(pv run --rm --network none --mount type=image,src=localhost/two,dst=/i,rw=true localhost/base sh -c 'echo x >/i/new; cat /i/new')" x
	is "and keeps nothing" "$(pv run --rm --network none localhost/two cat /new)" new
	is "a volume gets what is in the image" "$(pv run --rm --network none -v v:/www localhost/base cat /www/index.html)" "hello from pod"
	is "pod-store mount" "$(store --storage-driver vfs mount localhost/two cat new)" new
	is "diff of an image" "$(pv diff localhost/two | grep -c '^A /new$')" 1
	is "two at once" "$(for i in 1 2 3 4; do pv run --rm --network none localhost/flat echo yes & done; wait)" "yes
yes
yes
yes"
	is "check" "$(pv system check; echo $?)" 0
	is "a user namespace" "$(pv run --rm --network none --uidmap 0:1:500 --gidmap 0:1:500 localhost/base sh -c 'ls -ln /etc/passwd | awk "{ print \$3 }"; echo x >/x && cat /x' 2>&1)" "0
x"
	pv run --name u --network none --uidmap 0:2000:1200 --gidmap 0:2000:1200 localhost/base sh -c 'echo x >/x; chown 7 /x' >/dev/null 2>&1
	is "with a map: diff, commit" "$(pv diff u | grep -vE '^. /(etc|dev|proc|sys|run)' | tr '\n' ' ')$(pv commit -q u localhost/mapped >/dev/null; pod run --rm --network none localhost/mapped stat -c %u /x)" "A /x 7"
	pv rm -f -t 0 -a >/dev/null
	is "trees of images are there" "$(ls "$ROOT/made" | wc -l)" 3
	pv rmi -f localhost/two localhost/mapped >/dev/null
	until_is "and go with their images" 2 sh -c "ls '$ROOT/made' | wc -l"
	rm -rf "$ROOT/made/"*/tree 2>/dev/null || pod unshare sh -c "rm -rf $ROOT/made/*/tree"
	is "or are made again" "$(pv run --rm --network none localhost/flat cat /new)" new
	# A directory of an upper layer comes over one below: nothing of the lower one's attributes stays.
	mkdir -p "$WORLD/x/"{1,2}/d && setfattr -n user.low -v 1 "$WORLD/x/1/d" && setfattr -n user.both -v 1 "$WORLD/x/1/d" && setfattr -n user.both -v 2 "$WORLD/x/2/d"
	: >"$WORLD/x/2/d/f"
	for i in 1 2; do tar -C "$WORLD/x/$i" --xattrs -cf "$WORLD/x/$i.tar" d; done
	jq -cn --arg a "$(sha256sum <"$WORLD/x/1.tar" | cut -c1-64)" --arg b "$(sha256sum <"$WORLD/x/2.tar" | cut -c1-64)" '{architecture:"amd64",os:"linux",config:{},rootfs:{type:"layers",diff_ids:["sha256:"+$a,"sha256:"+$b]}}' >"$WORLD/x/c.json"
	echo '[{"Config":"c.json","RepoTags":["localhost/attrs:latest"],"Layers":["1.tar","2.tar"]}]' >"$WORLD/x/manifest.json"
	tar -C "$WORLD/x" -cf "$WORLD/x.tar" manifest.json c.json 1.tar 2.tar && pv load -q -i "$WORLD/x.tar" >/dev/null
	for d in vfs overlay; do
		is "$d: extended attributes of a directory in two layers" "$(store --storage-driver $d mount localhost/attrs getfattr -d d | grep = | tr '\n' ' ')" 'user.both="2" '
	done
	is "driver_priority" "$(printf '[storage]\ndriver=""\ndriver_priority=["btrfs","vfs","overlay"]\n' >"$WORLD/conf"; world_opts=(); CONTAINERS_STORAGE_CONF=$WORLD/conf pod info -f '{{.Store.GraphDriverName}}')" vfs
	pv run -d --name deep --network none localhost/base sleep 1000 >/dev/null
	check "a tree deeper than any path" pv exec deep sh -c 'n=$(printf %0200d 0) p=$n
		for i in $(seq 17); do p=$p/$n; done
		mkdir -p /deep/$p /more/$p && head -c 100000 /dev/zero >/more/$p/f && mv /more /deep/$p/'
	check "stops no ps -s, and counts" eval '[ "$(pv inspect -s -f "{{.SizeRw}}" deep)" -gt 100000 ] && pv ps -s >/dev/null'
	pv rm -f -t 0 deep >/dev/null
	is "a prune leaves nothing" "$(pod rmi -f -a >/dev/null; pod system prune -f >/dev/null; ls "$ROOT/made" "$ROOT/layers" "$ROOT/rw" "$ROOT/tmp" | grep -c "^[0-9a-z]*[0-9][0-9a-z]*$")" 0
}
everything
# On an overlay no overlay can be mounted that is written to: inside containers this is the rule.
if unshare -m true 2>/dev/null; then
	mkdir -p "$WORLD"/ov/{lower,upper,work,m}
	is "where overlay cannot be mounted: vfs by itself" "$(unshare -m --propagation private bash -c '
		mount -t overlay -o lowerdir="$1/ov/lower,upperdir=$1/ov/upper,workdir=$1/ov/work" none "$1/ov/m" || exit
		W=$1 B=$2
		p() { "$B/pod" --root "$W/ov/m/root" --runroot "$W/ov/run" "$@"; }
		tar -C "$W/fs" -c . | "$B/pod-store" --root "$W/ov/m/root" --runroot "$W/ov/run" import localhost/base >/dev/null
		p run --rm --network none localhost/base echo run
		p create --name c --network none localhost/base sh -c "echo x >/x" >/dev/null
		p start -a c; p diff c | grep /x; p info -f "{{.Store.GraphDriverName}}"
		p run --rm --network none --mount type=image,src=localhost/base,dst=/i,rw=true localhost/base cat /i/www/index.html
		p --storage-driver overlay run --rm --network none localhost/base true 2>&1 | grep -c "^Error:.*overlay"
		p rm -f -a >/dev/null; p rmi -a -f | grep -c Deleted' - "$WORLD" "$BIN" 2>&1)" "run
A /x
vfs
hello from pod
1
1"
fi
{ declare -f everything; echo everything; } | user_part
