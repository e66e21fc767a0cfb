#!/bin/bash
# SPDX-License-Identifier: ISC
# The examples of the manuals of containers, volumes, networks, secrets and the system, run as they stand there, but for
# those that say no more than a command's name.  Those of images have a test of their own (847).
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/net.sh"
for tool in jq curl openssl script; do
	command -v $tool >/dev/null || {
		skip "examples of manuals" "$tool is not installed"
		finish
	}
done
if [ "$(id -u)" = 0 ]; then
	net_world
	# Named namespaces are files.
	mkdir -p /run/netns && mount -t tmpfs none /run/netns
	# The way out, for the user's networks.
	ip link add ext0 type veth peer name ext1 && ip link set ext1 up && ip addr add 192.0.2.2/24 dev ext0 && ip link set ext0 up && ip route add default via 192.0.2.1
fi
[ -n "${WORLD:-}" ] || world
PAGES="pod pod-attach pod-completion pod-container-cleanup pod-container-clone pod-cp pod-create pod-events
pod-exec pod-healthcheck pod-inspect pod-logs pod-mount pod-net pod-network-connect pod-network-create
pod-network-disconnect pod-network-inspect pod-network-reload pod-network-rm pod-network-update pod-ps
pod-rename pod-rm pod-run pod-secret pod-secret-create pod-secret-inspect pod-secret-rm pod-stats
pod-system-check pod-system-migrate pod-system-prune pod-system-reset pod-top pod-unmount pod-unshare
pod-update pod-volume-create pod-volume-export pod-volume-import pod-volume-inspect pod-volume-mount
pod-volume-prune pod-volume-rm pod-volume-unmount pod-wait"

# The examples of a page, one in a paragraph: each line that is set apart, or a block of them.
examples() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$1" | sed 's/\\(aq/'"'"'/g; s/\\(dq/"/g; s/\\e/\\/g; s/\\&//g' | awk '
		/^\.Dl / { sub(/^\.Dl /, ""); print; print "" }
		/^\.Bd/ { block = 1; next }
		/^\.Ed/ { block = 0; print ""; next }
		block { sub(/^[$>#] /, ""); print }'
}

# Directories of the manuals as they are here; a terminal's command gets a terminal and leaves it.
here() {
	sed -E "s,/tmp/,$D/,g; s,-C /tmp ,-C $D ,; s,/etc/bash_completion.d/pod,$D/completion,g; s,registry.example.org/,localhost/,g" |
		sed -E 's,^(pod [^|]* -it .*)$,script -qec "\1 -c exit" /dev/null,'
}

# What must be there for a page's examples.
prepare() {
	case $1 in
	pod-attach | pod-create | pod-wait) pod rm -f -t 0 job ;;&
	pod-container-cleanup) pod stop web ;;
	pod-attach)
		# It ends once somebody is attached.
		pod run -d --name web --net none busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
		{ until_ok 20 sh -c '[ -n "$(pod events --stream=false --filter event=attach --filter container=web)" ]' && pod kill -s TERM web; } &
		;;
	pod-healthcheck | pod-run | pod) pod rm -f -a -t 0 ;;
	pod-logs | pod-rename) pod rm -f -a -t 0 ;;&
	pod-network-rm) pod network rm -f web old; pod network create web; pod network create --label old old ;;
	pod-network-connect | pod-network-update | pod-network-disconnect)
		pod rm -f -a -t 0; pod network rm -f web; pod network create web
		pod run -d --name store busybox sleep 1000 ;;&
	pod-network-connect) pod run -d --name cache busybox sleep 1000 ;;
	pod-network-disconnect) pod network connect web store; pod run -d --name second --network podman --network web busybox sleep 1000 ;;
	pod-network-create) pod rm -f -a -t 0; pod network rm web ;;
	pod-secret-inspect | pod-secret-rm) pod secret exists db || echo secret | pod secret create db - ;;
	pod-secret-create) pod secret rm tls token ;;
	pod-system-prune) pod network rm -f web ;;
	pod-volume-*) pod volume create --ignore data; pod volume create --label tmp --ignore ttt ;;&
	pod-volume-export) pod run --rm --net none -v data:/d busybox touch /d/f ;;
	pod-volume-import) [ -s data.tar ] || pod volume export -o data.tar data ;;
	pod-volume-mount | pod-volume-unmount | pod-volume-rm) pod rm -f -a -t 0 ;;
	esac
	# Most speak of a web server of that name.
	case $1 in
	pod | pod-attach | pod-container-cleanup | pod-healthcheck | pod-run | pod-network-[cd][ri]* | pod-secret* | pod-volume* | pod-create | pod-wait) ;;
	*) pod container exists web && [ "$(pod inspect -f '{{.State.Status}}' web)" = running ] || {
		pod rm -f -t 0 web web2 web-old newest
		pod run -d --name web -p 127.0.0.1:8080:80 -v data:/var/log --label tier=test --health-cmd true --health-interval disable busybox httpd -f -h /www
	} ;;
	esac
}

# Those for the other kind of user, the other version of cgroups, and other people's processes and programs.
not_here() {
	case $1 in
	"pod volume mount data") [ "$(id -u)" != 0 ] ;;
	*"pod unshare"*) [ "$(id -u)" = 0 ] ;;
	*'$(pod mount'*) [ "$(id -u)" != 0 ] ;;
	*--memory* | "pod update -m"* | *--pids-limit*) [ "$(id -u)" != 0 ] || [[ $1 == *cgroup/memory.max && ! -e /sys/fs/cgroup/cgroup.controllers ]] ||
		[[ $1 == *limit_in_bytes && ! -e /sys/fs/cgroup/memory ]] ;;
	*"podman --conmon"* | *pgrep* | *"nft flush"*) : ;;
	*) false ;;
	esac
}

run_page() {
	local page=$1 n=0 said st
	prepare "$page" >"$WORLD/prepared" 2>&1
	while IFS= read -r -d '' text; do
		n=$((n + 1))
		not_here "$text" && continue
		timeout 60 bash -o pipefail -c "$text" >"$WORLD/out" 2>"$WORLD/err" </dev/null
		st=$?
		# "grep" of a list that may be empty is no failure of what is shown.
		[ $st != 1 ] || case $text in *grep*) st=0 ;; esac
		! grep -q '^Error' "$WORLD/err" || st=error
		said=$(tail -n 1 "$WORLD/err" | cut -c1-200)
		is "$page, example $n" "$st$([ $st = 0 ] || echo ": $said: $text")" 0
		[ -z "${SHOW:-}" ] || { echo "  \$ $text"; head -n 4 "$WORLD/out" "$WORLD/err"; } | cut -c1-200
	done < <(examples "$MAN/$page.1" | here | awk 'BEGIN { RS = ""; ORS = "\0" } { print }')
}

run_pages() {
	local page
	D=$WORLD/d
	mkdir -p "$D/bin" "$D/rootfs" "$D/files" && cd "$D" || exit 1
	for page in pod pod-store pod-image pod-net pod-monitor; do
		printf '#!/bin/sh\nexec %s/%s --root %s --runroot %s "$@"\n' "$BIN" $page "$ROOT" "$RUNROOT" >bin/$page
	done
	printf '#!/bin/sh\nshift\nexec "$@"\n' >bin/ssh
	chmod 755 bin/*
	PATH=$D/bin:$PATH
	unset -f pod
	# A web server as the first process knows no SIGTERM.
	printf '[engine]\nstop_timeout = 0\n' >"$WORLD/containers.conf"
	export CONTAINERS_CONF_OVERRIDE=$WORLD/containers.conf
	rootfs "$WORLD/fs" && mkdir -p "$WORLD/fs/var/log" "$WORLD/fs/etc/nginx" || exit 1
	cp -a "$WORLD/fs/." rootfs && echo text >nginx.conf && echo key >key.pem && echo pass >password && export password=x
	busybox_image docker.io/library/busybox >/dev/null
	for page in $PAGES; do run_page "$page"; done
	pod rm -f -a -t 0 >/dev/null
	pod-store unmount -a >/dev/null 2>&1 || pod image unmount -a >/dev/null 2>&1
	pod unmount -a >/dev/null 2>&1
	[ -z "${SHOW:-}" ] || grep "$ROOT" /proc/self/mounts
	cd / || exit 1
}

cp -r "$LIB_DIR/../man" "$WORLD/man"
MAN=$WORLD/man
run_pages
{
	declare -f examples here prepare not_here run_page run_pages
	printf 'MAN=%q PAGES=%q\n' "$WORLD/man" "pod-attach pod-cp pod-exec pod-mount pod-secret-create pod-unshare pod-volume-export pod-volume-import pod-volume-mount pod-wait"
	echo run_pages
} | user_part
