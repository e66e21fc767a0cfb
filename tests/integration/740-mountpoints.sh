#!/bin/bash
# SPDX-License-Identifier: ISC
# What runtimes mount on lies once below all containers, and an image's own files are seen instead.
. "$(dirname "$0")/../lib.sh"
world

rootfs "$WORLD/fs"
tar -C "$WORLD/fs" --owner=0 --group=0 -cf "$WORLD/usual.tar" .
chmod 711 "$WORLD/fs/etc"
ln -s mine "$WORLD/fs/etc/mtab"
echo ours >"$WORLD/fs/etc/mine"
tar -C "$WORLD/fs" --owner=0 --group=0 -cf "$WORLD/own.tar" .
tar -C /bin --owner=0 --group=0 -cf "$WORLD/bare.tar" busybox
chmod 755 "$WORLD/fs/etc"
chmod 644 "$WORLD"/*.tar
cat >"$WORLD/checks.sh" <<'END'
for i in usual own bare; do store import localhost/$i <"$1/$i.tar" >/dev/null; done
id=$(pod run -d --name m --network none localhost/usual sleep 1000)
is "a container's layer is empty when it runs" "$(ls -A "$ROOT/rw/$id/upper" 2>&1)" ""
is "its files are those that the engine wrote" \
	"$(pod exec m sh -c 'cat /etc/hostname; grep -q ^127.0.0.1 /etc/hosts && ls /run/.containerenv')" "${id:0:12}
/run/.containerenv"
is "/etc/mtab leads to its mounts" "$(pod exec m readlink /etc/mtab)" /proc/mounts
is "nothing of it is a change" "$(pod diff m)" ""
pod exec m sh -c 'echo a >/etc/new; rm /etc/mtab'
is "what it changes is one" "$(pod diff m | sort | tr '\n' ' ')" "A /etc/new C /etc "
pod stop -t 0 m >/dev/null
pod start m >/dev/null
is "started again it has its own and ours" "$(pod exec m sh -c 'cat /etc/new /etc/hostname')" "a
${id:0:12}"
pod commit -q m localhost/next >/dev/null
is "a commit has only the change" \
	"$(pod run --rm --no-hosts --network none localhost/next sh -c 'cat /etc/new; ls /etc/hosts 2>/dev/null')" a
pod rm -f -t 0 m >/dev/null
is "a file that is not wanted is not there" \
	"$(pod run --rm --no-hosts --network none localhost/usual sh -c 'test -e /etc/hosts || echo none')" none
is "an image's own link and directory are seen" \
	"$(pod run --rm --network none localhost/own sh -c 'cat /etc/mtab; stat -c %a /etc; test -s /etc/hosts && echo hosts')" "ours
711
hosts"
id=$(pod run -d --network none localhost/bare /busybox sleep 1000)
is "an image without any directory runs" "$(pod exec "$id" /busybox cat /etc/hostname)" "${id:0:12}"
pod rm -f -t 0 "$id" >/dev/null
id=$(pod create --name made --network none localhost/usual cat /etc/hostname)
is "a container that was only made has none of them" "$(pod export made | tar -t | grep -c 'etc/host')" 0
is "and starts" "$(pod start -a made)" "${id:0:12}"
pod rm made >/dev/null
END
. "$WORLD/checks.sh" "$WORLD"
user_part <<'END'
. "$LIB_DIR/checks.sh" "$LIB_DIR"
END
