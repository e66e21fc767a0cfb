# SPDX-License-Identifier: ISC
# Sourced after lib.sh by tests that need a service of Podman's own, as root.
# "service" makes the world, starts one with a store below it and an image localhost/img:1 of busybox, and sets
# CONTAINER_HOST (it has ids for --userns auto where $WORLD/has-ids is); podr is pod with a limit of time, api and L are curl's way there.

service() {
	if [ "$(id -u)" != 0 ] || ! command -v podman >/dev/null; then
		skip "with Podman's own service" "needs podman, as root"
		finish
	fi
	# The bridges that it makes stay until their network namespace goes.
	[ -n "${REMOTE_INSIDE:-}" ] || REMOTE_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"
	ip link set lo up
	world
	export HOME=$WORLD/home XDG_CONFIG_HOME=$WORLD/home/config WORLD
	mkdir -p "$HOME"
	unset CONTAINER_CONNECTION CONTAINER_SSHKEY PODMAN_CONNECTIONS_CONF
	printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nevents_logger = "file"\nevents_logfile_path = "%s"\n' "$WORLD/events.log" >"$WORLD/theirs.conf"
	mkdir "$WORLD/etc"
	unshare -m bash -c "umount /sys/fs/cgroup/unified 2>/dev/null
		# Files put over those would go with them whenever a user is made.
		mount -t tmpfs none $WORLD/etc && mkdir $WORLD/etc/u $WORLD/etc/w &&
			mount -t overlay none -o lowerdir=/etc,upperdir=$WORLD/etc/u,workdir=$WORLD/etc/w /etc &&
			echo containers:1000000:100000 | tee /etc/subuid >/etc/subgid && : >$WORLD/has-ids
		DISABLE_HC_SYSTEMD=true CONTAINERS_CONF=$WORLD/theirs.conf exec podman --root $WORLD/p --runroot $WORLD/pr --cgroup-manager cgroupfs \
			--storage-driver vfs --network-config-dir $WORLD/pn system service -t 0 unix://$WORLD/p.sock" >"$WORLD/p.log" 2>&1 &
	remember_pid $!
	until_ok 30 test -S "$WORLD/p.sock" || not_ok "the service does not start"
	export CONTAINER_HOST=unix://$WORLD/p.sock
	L=http://d/v4.0.0/libpod
	rootfs "$WORLD/fs"
	tar -C "$WORLD/fs" --owner=0 --group=0 -c . | api -X POST -T - "$L/images/import?reference=localhost/img:1" >/dev/null
}
at_end() {
	podr rm -fa -t 0 >/dev/null 2>&1
	umount "$WORLD/p/overlay" 2>/dev/null
}
podr() { timeout 60 "$BIN/pod" "$@"; }
api() { curl -s --unix-socket "$WORLD/p.sock" "$@"; }
