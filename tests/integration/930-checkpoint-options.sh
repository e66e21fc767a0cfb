#!/bin/bash
# SPDX-License-Identifier: ISC
# Every option of checkpoint and restore, and archives to and from Podman.  The runtime here ends and starts processes
# where another would freeze them, so that this needs no CRIU that works: what CRIU does is shown by 666 to 668 and 675.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
if [ "$(id -u)" != 0 ] || ! crun --version >/dev/null 2>&1; then
	skip "options of checkpoints" "root and crun are needed"
	finish
fi
cat >rt <<'E2'
#!/bin/bash
# checkpoint: files instead of memory, and the end.  restore: the command once more.
args=("$@")
echo "$*" >>"$(dirname "$0")/calls"
has() { local a; for a in "${args[@]}"; do [ "$a" = "$1" ] && return; done; return 1; }
val() {
	local i
	for ((i = 0; i < ${#args[@]}; i++)); do
		[ "${args[i]}" != "$1" ] || echo "${args[i + 1]}"
	done
}
! has checkpoint || ! has --help || exit 0
if has checkpoint; then
	images=$(val --image-path)
	mkdir -p "$images"
	echo inventory >"$images/inventory.img"
	! has --parent-path || ln -s "$(val --parent-path)" "$images/parent"
	echo log >"$(val --work-path)/dump.log"
	echo stats >"$(val --work-path)/stats-dump"
	has --leave-running || has --pre-dump || exec crun kill "${args[-1]}" KILL
	exit 0
fi
has restore || exec crun "$@"
[ -e "$(val --image-path)/inventory.img" ] || { echo "no images" >&2; exit 1; }
[ ! -L "$(val --image-path)/parent" ] || [ -e "$(val --image-path)/parent/inventory.img" ] || { echo "no parent" >&2; exit 1; }
echo log >"$(val --bundle)/restore.log"
console=$(val --console-socket)
exec crun run --detach --bundle "$(val --bundle)" --pid-file "$(val --pid-file)" ${console:+--console-socket "$console"} "${args[-1]}"
E2
mkdir path nets
printf '#!/bin/sh\necho Version: 3.17.1\n' >path/criu
chmod 755 rt path/criu
export PATH=$WORLD/path:$PATH
busybox_image localhost/bb >/dev/null
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --runtime "$WORLD/rt" --network-config-dir "$WORLD/nets" "$@"; }
ck() { : >calls; pod container checkpoint "$@"; }
re() { : >calls; pod container restore "$@"; }
# What the runtime was told to do, WORD among it or not
told() { grep -E "(^| )(checkpoint|restore) " calls | grep -v -e --help | grep -c -- "$1"; }
status() { pod inspect -f '{{.State.Status}}' "$1" 2>/dev/null; }
dir_of() { echo "$ROOT/containers/$(pod inspect -f '{{.Id}}' "$1")"; }
gone() { ! pod container exists "$1"; }
pod network create --subnet 10.213.78.0/24 --interface-name podck1 cknet >/dev/null
limit='--ulimit nofile=1024:1024 --ulimit nproc=1024:1024'

# --- Of its own
pod run -d --stop-timeout 0 --name one --network none localhost/bb sleep 1000 >/dev/null
is "plain" "$(ck one) $(status one) $(told --tcp-established)$(told --file-locks)$(told --leave-running)$(told --pre-dump)" "one exited 0000"
is "nothing is kept" "$(ls "$(dir_of one)" | grep -cE '^(dump.log|stats-dump)$')" 0
is "restored" "$(re one) $(status one) $(told --tcp-established)$(told --tcp-close)$(told --file-locks)" "one running 000"
is "nor after that" "$(ls "$(dir_of one)" "$RUNROOT/containers/$(pod inspect -f '{{.Id}}' one)" | grep -cE '^(checkpoint|restore.log)$')" 0
is "with connections and locks" "$(ck --tcp-established --file-locks -k one) $(told '--tcp-established --file-locks')" "one 1"
is "--keep keeps the log and the figures" "$(ls "$(dir_of one)" | grep -cE '^(dump.log|stats-dump)$')" 2
is "back with them" "$(re --tcp-established --file-locks -k one) $(told '--tcp-established --file-locks')" "one 1"
is "--keep keeps the checkpoint and the log" "$(ls "$(dir_of one)" "$RUNROOT/containers/$(pod inspect -f '{{.Id}}' one)" | grep -cE '^(checkpoint|restore.log)$')" 2
is "connections are closed" "$(ck --tcp-established one) $(re --tcp-close one) $(told --tcp-close)" "one one 1"
is "it runs on" "$(ck -R one) $(status one) $(told --leave-running)" "one running 1"
is "the latest" "$(ck -l) $(status one) $(re -l)" "$(pod inspect -f '{{.Id}}' one) exited $(pod inspect -f '{{.Id}}' one)"
stats=$(ck --print-stats one)
is "figures" "$(jq -r '.podman_checkpoint_duration > 0, .container_statistics[0].runtime_checkpoint_duration > 0, .container_statistics[0].Id' <<<"$stats" | tr '\n' ' ')" "true true $(pod inspect -f '{{.Id}}' one) "
stats=$(re --print-stats one)
is "figures of restore" "$(jq -r '.podman_restore_duration > 0, .container_statistics[0].runtime_restore_duration > 0' <<<"$stats" | tr '\n' ' ')" "true true "
pod run -d --stop-timeout 0 --name two --network none localhost/bb sleep 1000 >/dev/null
ids=$(pod ps -q --no-trunc | sort)
is "all" "$(ck -a | sort) $(pod ps -q | wc -l)" "$ids 0"
pod create --name made --network none localhost/bb true >/dev/null
is "all that was frozen, no other" "$(re -a | sort) $(status made)" "$ids created"
pod rm -f -t 0 two made >/dev/null

# --- Archives
pod exec one sh -c 'echo kept >/up; rm /www/index.html' >/dev/null
for form in zstd gzip none; do
	is "an archive: $form" "$(ck -R -e "a.$form" -c "$form" one) $(head -c 4 "a.$form" | od -An -tx1 | tr -d ' ' | sed 's/^28b52ffd$/zstd/;s/^1f8b....$/gzip/;s/^[0-9a-f]*$/none/')" "one $form"
done
ck -R -e noroot.tar -c none --ignore-rootfs one >/dev/null
is "without changes of the root" "$(tar -tf noroot.tar | grep -cE '^(rootfs-diff.tar|deleted.files)$') $(tar -tf a.none | grep -cE '^(rootfs-diff.tar|deleted.files)$')" "0 2"
pod rm -f -t 0 one >/dev/null
for form in zstd gzip none; do
	re -i "a.$form" -n "from-$form" >/dev/null
	is "restored from it: $form" "$(pod exec "from-$form" sh -c 'cat /up; ls /www')" kept
	pod rm -f -t 0 "from-$form" >/dev/null
done
re -i a.none --ignore-rootfs -n bare >/dev/null
is "the changes are left out" "$(pod exec bare sh -c 'cat /up 2>/dev/null; ls /www')" index.html
id=$(re -i a.none)
is "under its old name" "$(pod inspect -f '{{.Name}}' "$id") $(status one)" "one running"
pod rm -f -t 0 one bare >/dev/null
POD_TRACE=1 re -i a.none -n traced >/dev/null 2>traced
is "a worker reads its documents" "$(grep -oE ' run>document #1 [a-z_]+ ' traced | sort -u | cut -d' ' -f4 | tr '\n' ' ')" "dump_read list_read "
mkdir -p evil/secrets && tar -C evil -xf a.none
echo '{"Status":"healthy"}' | tee evil/healthcheck.log evil/secrets/s >/dev/null
tar -C evil -cf evil.tar .
re -i evil.tar -k -n evil >/dev/null
is "only what a checkpoint has becomes the container's" "$(status evil) $(ls "$(dir_of evil)" | grep -cE '^(healthcheck.log|secrets)$')" "running 0"
pod rm -f -t 0 traced evil >/dev/null

# --- Volumes
pod run -d --stop-timeout 0 --name v --network none -v vol:/v localhost/bb sleep 1000 >/dev/null
pod exec v sh -c 'echo kept >/v/f'
ck -R -e v.tar -c none v >/dev/null
ck -e novol.tar -c none --ignore-volumes v >/dev/null
is "volumes in it or not" "$(tar -tf v.tar | grep -cx volumes/vol.tar) $(tar -tf novol.tar | grep -c volumes/)" "1 0"
is "a volume that is there" "$(re -i v.tar -n v2 2>&1 | grep -c 'already exists. Use --ignore-volumes')" 1
pod exec v true 2>/dev/null
pod run --rm --network none -v vol:/v localhost/bb sh -c 'echo newer >/v/f'
re -i v.tar --ignore-volumes -n v2 >/dev/null
is "is left alone" "$(pod exec v2 cat /v/f)" newer
pod rm -f -t 0 v v2 >/dev/null
pod volume rm vol >/dev/null
re -i v.tar -n v3 >/dev/null
is "or made anew" "$(pod exec v3 cat /v/f)" kept
pod rm -f -t 0 v3 >/dev/null

# --- Before, and after it
pod run -d --stop-timeout 0 --name p --network none localhost/bb sleep 1000 >/dev/null
is "a pre-checkpoint" "$(ck -P -e pre.tar -c none p) $(status p) $(told --pre-dump)" "p running 1"
is "its archive" "$(tar -tf pre.tar | grep -cx pre-checkpoint/inventory.img)" 1
is "what has changed since" "$(ck --with-previous -e inc.tar -c none p) $(told '--parent-path ../pre-checkpoint')" "p 1"
pod rm -f -t 0 p >/dev/null
re -i inc.tar >/dev/null 2>&1
is "alone it is of no use" "$? $(pod ps -aq | wc -l)" "125 0"
is "with the other it is" "$(re -i inc.tar --import-previous pre.tar -n q >/dev/null; status q)" running
pod rm -f -t 0 q >/dev/null

# --- Networks, ports, images
port=$(free_port)
pod run -d --stop-timeout 0 --name n --network cknet --ip 10.213.78.50 --mac-address 92:d0:c6:0a:29:33 -p "127.0.0.1:$port:80" localhost/bb httpd -f -p 80 -h /www >/dev/null
address() { pod inspect "$1" | jq -r '.[0].NetworkSettings.Networks.cknet | .IPAddress + " " + .MacAddress'; }
is "as an image" "$(ck --create-image localhost/ck:1 n) $(pod image inspect localhost/ck:1 | jq -r '.[0].Annotations | with_entries(select(.key | startswith("io.podman.annotations.checkpoint."))) | length > 5')" "n true"
re n >/dev/null
is "the same addresses" "$(address n)" "10.213.78.50 92:d0:c6:0a:29:33"
ck n >/dev/null && re --ignore-static-ip --ignore-static-mac n >/dev/null
now=$(address n)
is "others" "$([ "${now% *}" != 10.213.78.50 ] && [ "${now#* }" != 92:d0:c6:0a:29:33 ] && echo others)" others
pod rm -f -t 0 n >/dev/null
port=$(free_port)
re -n fromimage -p "127.0.0.1:$port:80" localhost/ck:1 >/dev/null
is "out of the image, with another port" "$(pod port fromimage)" "80/tcp -> 127.0.0.1:$port"
check "which serves" until_ok 20 curl -s -m 5 -o out "http://127.0.0.1:$port/"
is "the image's" "$(cat out)" "hello from pod"
pod rm -f -t 0 fromimage >/dev/null
id=$(re localhost/ck:1)
is "under its old name, with its address" "$(pod inspect -f '{{.Name}}' "$id") $(address n)" "n 10.213.78.50 92:d0:c6:0a:29:33"
pod rm -f -t 0 n >/dev/null
pod run -d --rm --stop-timeout 0 --name r --network none localhost/bb sleep 1000 >/dev/null
is "--rm wants a copy" "$(ck r 2>&1 | grep -c "unless '--export' is used") $(status r)" "1 running"
install -m 666 /dev/null r.tar
ck -e r.tar -c none r >/dev/null
is "the memory in it is for nobody else, whosever file it was" "$(stat -c %a r.tar)" 600
check "and goes with one" until_ok 20 gone r

# --- Archives of Podman's, and for Podman
export PATH=${PATH#*:} # Podman asks CRIU more than its version
if ! podman --version >/dev/null 2>&1 || ! criu --version >/dev/null 2>&1 || ! unshare -m true 2>/dev/null; then
	skip "archives of Podman" "no podman or no CRIU here"
	finish
fi
cat >peer.sh <<'E2'
umount /sys/fs/cgroup/unified 2>/dev/null
mkdir -p peer /var/lib/containers/storage
mount --bind peer /var/lib/containers/storage
podman() { command podman --runroot "$WORLD/peerrun" --tmpdir "$WORLD/peertmp" --cgroup-manager cgroupfs --events-backend file --network-config-dir "$WORLD/peernets" --runtime "$WORLD/rt" "$@" 2>>peer.err; }
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --runtime "$WORLD/rt" --network-config-dir "$WORLD/nets" "$@"; }
trap 'podman rm -f -a -t 0 >/dev/null; umount -l /var/lib/containers/storage/overlay 2>/dev/null' EXIT
pod save -q -o bb.tar localhost/bb && podman load -q -i bb.tar >/dev/null
podman run -d $limit -t --network none --name pd -v pvol:/v --tmpfs /tt:size=1m -v "$WORLD/fs:/host:ro" -e FOO=bar -l a=b --annotation x=y -u alice -w /tmp \
	--cap-drop setfcap -m 64m --read-only --hostname hh --stop-signal USR1 --health-cmd true --restart on-failure:3 --oom-score-adj 5 --group-add 77 \
	--security-opt mask=/proc/version --entrypoint '["sh","-c"]' localhost/bb 'echo said; sleep 1000' >/dev/null
podman exec -u root pd sh -c 'echo kept >/v/f; echo shared >/dev/shm/s'
until_ok 20 sh -c 'grep -q said peer/overlay-containers/*/userdata/ctr.log'
is "Podman exports" "$(podman container checkpoint -e pd.tar.zst pd)" pd
id=$(pod container restore -i pd.tar.zst)
is "pod imports it, with its ID" "$id" "$(podman inspect -f '{{.Id}}' pd)"
is "its volume and its shared memory" "$(pod exec pd cat /v/f /dev/shm/s | tr '\n' ' ')" "kept shared "
is "its log" "$(pod logs pd | head -n 1 | tr -d '\r')" said
is "who it is" "$(pod exec pd sh -c 'id -u; id -G; pwd; hostname; echo $FOO; umask' | tr '\n' ' ')" "1000 1000 10 77 /tmp hh bar 0022 "
is "its rights" "$(pod exec pd sh -c 'touch /x /host/x; grep -q . /proc/version; ls /proc/version -l | cut -c1' 2>&1 | grep -c 'Read-only') $(pod inspect -f '{{.BoundingCaps}}' pd | grep -c SETFCAP)" "2 0"
is "its limits" "$(pod inspect -f '{{.HostConfig.Memory}} {{.HostConfig.OomScoreAdj}} {{.Config.StopSignal}} {{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}' pd)" "67108864 5 SIGUSR1 on-failure:3"
is "and the rest" "$(pod inspect pd | jq -c '.[0] | [.Config.Labels.a, .Config.Annotations.x, .Config.Tty, .Config.Healthcheck.Test, .Config.Entrypoint, .Config.Cmd, .HostConfig.Tmpfs["/tt"], (.HostConfig.SecurityOpt - ["mask=/sys/dev/block"])]')" '["b","y",true,["CMD-SHELL","true"],["sh","-c"],["echo said; sleep 1000"],"size=1m,rw,rprivate,nosuid,nodev,tmpcopyup",["label=disable","mask=/proc/version"]]'
pod restart -t 0 pd >/dev/null
is "it starts anew too" "$(pod inspect -f '{{.State.Status}}' pd) $(pod exec pd cat /v/f)" "running kept"
pod rm -f -t 0 pd >/dev/null

pod run -d $limit -t --network none --name po -v ovol:/v -e FOO=bar -l a=b -u alice --restart on-failure:3 --health-cmd true localhost/bb sh -c 'echo said; sleep 1000' >/dev/null
pod exec -u root po sh -c 'echo kept >/v/f; echo new >/up; rm /www/index.html'
is "pod exports" "$(pod container checkpoint -e po.tar.gz -c gzip po)" po
is "Podman imports it, with its ID" "$(podman container restore -i po.tar.gz)" "$(pod inspect -f '{{.Id}}' po)"
is "its volume and its changes" "$(podman exec po sh -c 'cat /v/f /up; ls /www' | tr '\n' ' ')" "kept new "
is "its log begins as it was" "$(podman logs po | head -n 1 | tr -d '\r')" said
is "the rest as Podman shows it" "$(podman inspect po | jq -c '.[0] | [.Config.Labels.a, (.Config.Env | index("FOO=bar") != null), .Config.User, .HostConfig.RestartPolicy.MaximumRetryCount, .Config.Healthcheck.Test, .Mounts[0].Name]')" '["b",true,"alice",3,["CMD-SHELL","true"],"ovol"]'
podman restart -t 0 po >/dev/null
is "it starts anew there" "$(podman inspect -f '{{.State.Status}}' po)" running
is "and under another name" "$(podman container restore -i po.tar.gz --ignore-volumes -n po2 >/dev/null; podman inspect -f '{{.State.Status}}' po2)" running

# What cannot be taken over is refused by name.
mkdir x && zstd -dcq pd.tar.zst | tar -x -C x
bad() { jq "$2" "x/$1.dump" >x/tmp && cp -r x y && mv y/tmp "y/$1.dump" && tar -C y -cf bad.tar . && rm -rf y; pod container restore -i bad.tar 2>&1; }
is "one of a pod" "$(bad config '.pod = "abc"' | grep -c 'without --pod')" 1
is "one that needs others" "$(bad config '.Dependencies = ["abc"]' | grep -c 'with dependencies')" 1
is "one with secrets" "$(bad config '.secrets = [{}]' | grep -c 'secrets, which no checkpoint holds')" 1
is "one of a directory" "$(bad config '.rootfsImageName = ""' | grep -c 'made of a directory')" 1
is "one in another's namespace" "$(bad spec '.linux.namespaces[0].path = "/proc/1/ns/pid"' | grep -c 'shares its pid namespace')" 1
is "one with words that no option takes" "$(bad spec '.process.rlimits[0].type = "RLIMIT_NOSUCH"' | grep -c '^Error: taking over')" 1
cp -r x y && echo '{' >y/network.status && tar -C y -cf bad.tar . && rm -rf y
is "one whose networks cannot be read" "$(pod container restore -i bad.tar 2>&1 | grep -c 'reading network.status of the checkpoint')" 1
rm x/spec.dump
is "one that lacks half" "$(bad config . | grep -c 'spec.dump')" 1
is "and nothing of them is left" "$(pod ps -a --format '{{.Names}}')" po
echo "$tap_n $tap_failed" >tap
E2
LIB_DIR=$LIB_DIR BIN=$BIN WORLD=$WORLD ROOT=$ROOT RUNROOT=$RUNROOT limit=$limit tap_n=$tap_n tap_failed=$tap_failed unshare -m bash -c 'n=$tap_n f=$tap_failed; . "$LIB_DIR/tap.sh"; tap_n=$n tap_failed=$f; . ./peer.sh'
[ -e tap ] || not_ok "the part with Podman came to its end"
[ ! -e tap ] || read -r tap_n tap_failed <tap
finish
