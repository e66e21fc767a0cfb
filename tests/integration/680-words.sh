#!/bin/bash
# SPDX-License-Identifier: ISC
# What scripts compare: exit status and first line on stderr.  The rows were measured with Podman 4.3.1, except where
# the exit codes of a later one are the contract (exec on a stopped container, rm of several).
. "$(dirname "$0")/../lib.sh"
world
image=img
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }

# STATUS|FIRST LINE|COMMAND; r1 runs, s1 ended with 3, c1 was only created.  Identifiers are shown as ID.
table() {
	cat <<'TABLE'
125|Error: nosuch is an invalid filter|ps --filter nosuch=1
125|Error: unknown container state: bogus: invalid argument|ps --filter status=bogus
125|Error: no container with name or ID "nosuch" found: no such container|ps --filter before=nosuch
125|Error: invalid filter "id"|ps --filter id
125|Error: failed to parse value as time or duration: "xx"|ps --filter until=xx
125|Error: invalid argument "nosuch" for "--sort" flag: "nosuch" is not a valid value.  Choose from: "command, created, id, image, names, runningfor, size, status"|ps --sort nosuch
125|Error: invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax|ps --last x
125|Error: last and latest are mutually exclusive|ps -l -n 2
125|Error: quiet conflicts with size and namespace|ps -q --size
125|Error: `pod ps` takes no arguments|ps foo
1|Error: no container with name or ID "x9" found: no such container|rm x9 nosuch
1|Error: no container with name or ID "nosuch" found: no such container|rm nosuch
2|Error: cannot remove container ID as it is running - running or paused containers cannot be removed without force: container state improper|rm r1
125|Error: you must provide at least one name or id|rm
125|Error: unknown container state: bogus: invalid argument|rm --filter status=bogus
125|Error: no container with name or ID "nosuch" found: no such container|start nosuch
125|Error: start requires at least one argument|start
125|Error: you cannot use sig-proxy without --attach: invalid argument|start --sig-proxy s1
125|Error: you cannot start and attach multiple containers at once|start -i -a r1 s1
125|Error: either start all containers or the container(s) provided in the arguments|start --all s1
125|Error: unknown container state: bogus: invalid argument|start --filter status=bogus
125|Error: no container with name or ID "nosuch" found: no such container|restart nosuch
125|Error: you must provide at least one name or id|restart
125|Error: can only kill running containers. ID is in state exited: container state improper|kill s1
125|Error: can only kill running containers. ID is in state created: container state improper|kill c1
125|Error: no container with name or ID "nosuch" found: no such container|kill nosuch
125|Error: you must provide at least one name or id|kill
125|Error: invalid signal: NOSUCH|kill -s NOSUCH r1
125|Error: valid signals are 1 through 64|kill -s 99 r1
125|Error: no arguments are needed with --all|kill -a r1
125|Error: "exited" is not running, can't pause: container state improper|pause s1
125|Error: no container with name or ID "nosuch" found: no such container|pause nosuch
125|Error: you must provide at least one name or id|pause
125|Error: "ID" is not paused, can't unpause: container state improper|unpause r1
125|Error: "ID" is not paused, can't unpause: container state improper|unpause s1
125|Error: no container with name or ID "nosuch" found: no such container|unpause nosuch
125|Error: "created" is not running, can't pause: container state improper|pause c1
125|Error: no container with name or ID "nosuch" found: no such container|exec nosuch true
127|*: OCI runtime attempted to invoke a command that was not found|exec r1 /nosuch
127|*: OCI runtime attempted to invoke a command that was not found|exec r1 nosuch
126|*: OCI permission denied|exec r1 /etc
126|*: OCI permission denied|exec r1 /etc/passwd
127|*: OCI runtime attempted to invoke a command that was not found|exec -w /nosuch r1 true
127|*: OCI runtime attempted to invoke a command that was not found|exec -w relative r1 true
7||exec -e A=1 r1 sh -c 'exit 7'
125|Error: invalid argument "x" for "--preserve-fds" flag: strconv.ParseUint: parsing "x": invalid syntax|exec --preserve-fds x r1 true
137||exec r1 sh -c 'kill -9 $$'
125|Error: you can only attach to running containers|attach s1
125|Error: no container with name or ID "nosuch" found: no such container|attach nosuch
125|Error: "pod attach" requires a name, id, or the "--latest" flag|attach
125|Error: `pod attach` accepts at most one argument|attach r1 s1
125|Error: no container with name or ID "nosuch" found: no such container|port nosuch
125|Error: you must supply a running container name or id|port
125|Error: no arguments are needed with --all|port -a r1
125|Error: renaming container ID: name r1 already in use, cannot rename container ID: container already exists|rename c1 r1
0||rename c1 c1
125|Error: no container with name or ID "nosuch" found: no such container|rename nosuch x
125|Error: accepts 2 arg(s), received 1|rename c1
125|Error: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument|rename c1 'a b'
125|Error: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument|rename c1 ''
125|Error: no container with name or ID "nosuch" found: no such container|wait nosuch
125|Error: "pod wait" requires a name, id, or the "--latest" flag|wait
125|Error: unknown container state: bogus: invalid argument|wait --condition bogus s1
125|Error: no container with name or ID "nosuch" found: no such container|logs nosuch
125|Error: parsing --since "xx": unable to interpret time value|logs --since xx s1
125|Error: parsing --until "xx": unable to interpret time value|logs --until xx s1
125|Error: invalid argument "x" for "--tail" flag: strconv.ParseInt: parsing "x": invalid syntax|logs --tail x s1
125|Error: --latest and containers cannot be used together|logs -f -l s1
125|Error: accepts 2 arg(s), received 0|cp
125|Error: destination must be a directory when copying a directory|cp r1:/etc /etc/passwd
125|Error: destination must be a directory when copying a directory|cp /etc r1:/etc/passwd
125|Error: inspecting object: no such object: "nosuch"|inspect nosuch
125|Error: inspecting object: no such object: "nosuch"|inspect r1 nosuch --format {{.Name}}
125|Error: no names or ids specified|inspect
125|Error: invalid type "bogus": must be "image", "container", "pod", "network", "volume", or "all"|inspect --type bogus r1
125|Error: inspecting object: no such container img|inspect --type container img
125|Error: inspecting object: no such volume nosuch|inspect --type volume nosuch
125|Error: --latest and arguments cannot be used together|inspect -l r1
125|Error: inspecting object: no such container nosuch|container inspect nosuch
1||container exists nosuch
125|Error: accepts 1 arg(s), received 0|container exists
125|Error: unrecognized command `pod container nosuch`|container nosuch
125|Error: missing command 'pod container COMMAND'|container
125|Error: unrecognized command `pod nosuch`|nosuch
125|Error: unrecognized command `pod pss`|pss
125|Error: no container with name or ID "nosuch" found: no such container|update nosuch
125|Error: invalid value for memory: invalid size: 'abc'|update --memory abc r1
125|Error: invalid argument "abc" for "--cpus" flag: strconv.ParseFloat: parsing "abc": invalid syntax|update --cpus abc r1
125|Error: volume with name v1 already exists: volume already exists|volume create v1
125|Error: running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument|volume create 'a b'
125|Error: invalid mount option x for driver 'local': invalid argument|volume create --opt x vx
125|Error: invalid mount option nosuch for driver 'local': invalid argument|volume create --opt nosuch=1 vx
125|Error: provide one or more volume names or use --all|volume inspect
125|Error: provide one or more volume names or use --all|volume inspect -a v1
1|Error: no volume with name "nosuch" found: no such volume|volume rm nosuch
1||volume exists nosuch
125|Error: unrecognized command `pod volume nosuch`|volume nosuch
125|Error: missing command 'pod volume COMMAND'|volume
125|Error: sec1: secret name in use|secret create sec1 /etc/hostname
125|Error: open /nosuch: no such file or directory|secret create sec2 /nosuch
125|Error: only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]: a b: invalid secret name|secret create 'a b' /etc/hostname
125|Error: accepts 2 arg(s), received 0|secret create
125|Error: invalid driver|secret create --driver nosuch s9 /etc/hostname
125|Error: cannot create store secret data: environment variable NOSUCHVAR is not set|secret create --env s9 NOSUCHVAR
125|Error: inspecting secret: no secret with name or id "nosuch": no such secret|secret inspect nosuch
125|Error: requires at least 1 arg(s), only received 0|secret inspect
125|Error: inspecting secret: no secret with name or id "nosuch": no such secret|secret inspect sec1 nosuch --format {{.Spec.Name}}
125|Error: no secret with name or id "nosuch": no such secret|secret rm nosuch
125|Error: `podman secret rm` requires one argument, or the --all flag|secret rm
125|Error: invalid filter "nosuch"|secret ls --filter nosuch=1
125|Error: container ID has no defined healthcheck|healthcheck run r1
125|Error: accepts 1 arg(s), received 0|healthcheck run
125|Error: missing command 'pod healthcheck COMMAND'|healthcheck
125|Error: unknown flag: --nosuch|--nosuch ps
125|Error: unknown flag: --nosuch|ps --nosuch
125|Error: requires at least 1 arg(s), only received 0|run
125|Error: unknown flag: --nosuch|run --nosuch img
127|*: OCI runtime attempted to invoke a command that was not found|run --rm img nosuch
127|*: OCI runtime attempted to invoke a command that was not found|run --rm --entrypoint nosuch img
125|Error: the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"|run --rm --restart always img true
125|Error: invalid value for memory: invalid size: 'abc'|run --rm -m abc img true
125|Error: minimum memoryswap limit should be larger than memory limit, see usage|run --rm -m 64m --memory-swap 32m img true
125|Error: bad format for device path: /nosuch:100|run --rm --blkio-weight-device /nosuch:100 img true
125|Error: bad format for device path: /nosuch:1mb|run --rm --device-read-bps /nosuch:1mb img true
125|Error: stat /nosuch: no such file or directory|run --rm --device /nosuch img true
125|Error: statfs /nosuch: no such file or directory|run --rm -v /nosuch:/x img true
125|Error: looking up container "nosuch" for volumes-from: no container with name or ID "nosuch" found: no such container|run --rm --volumes-from nosuch img true
125|Error: parsing env file "/nosuch": open /nosuch: no such file or directory|run --rm --env-file /nosuch img true
125|Error: unable to process labels: open /nosuch: no such file or directory|run --rm --label-file /nosuch img true
126|Error: unable to find user nosuch: no matching entries in passwd file|run --rm -u nosuch img true
126|Error: unable to find group nosuch: no matching entries in group file|run --rm -u 0:nosuch img true
125|Error: opening seccomp profile failed: open /nosuch: no such file or directory|run --rm --security-opt seccomp=/nosuch img true
125|Error: sysctl 'kernel.nosuch' is not allowed|run --rm --sysctl kernel.nosuch=1 img true
125|Error: looking up container to share net namespace with: no container with name or ID "nosuch" found: no such container|run --rm --net container:nosuch img true
125|Error: cannot find specified network namespace path: stat /nosuch: no such file or directory|run --rm --net ns:/nosuch img true
125|Error: looking up container to share pid namespace with: no container with name or ID "nosuch" found: no such container|run --rm --pid container:nosuch img true
125|Error: no secret with name or id "nosuch": no such secret|run --rm --secret nosuch img true
125|Error: container-init binary not found on the host: stat /nosuch: no such file or directory|run --rm --init --init-path /nosuch img true
125|Error: "nosuch" is not a valid container, cannot be used as a dependency: no container with name or ID "nosuch" found: no such container|run --rm --requires nosuch img true
125|Error: container id file exists. Ensure another container is not using it or delete /etc/hostname|run --rm --cidfile /etc/hostname img true
125|Error: running container create option: stat /nosuch: no such file or directory|run --rm --rootfs /nosuch true
125|Error: no subuid ranges found for user "nosuch" in /etc/subuid|run --rm --subuidname nosuch img true
125|Error: requires at least 1 arg(s), only received 0|create
125|Error: no command or entrypoint provided, and no CMD or ENTRYPOINT from image|create --name c1 img
125|Error: no container with name or ID "nosuch" found: no such container|init nosuch
125|Error: container ID has already been created in runtime: container state improper|init r1
125|Error: bogus is an invalid filter|container prune --filter bogus=1 -f
125|Error: failed to parse value as time or duration: "x"|container prune --filter until=x -f
125|Error: nosuch: image not known|tag nosuch x
125|Error: nosuch: image not known|untag nosuch
0||rm -f nosuch
0||rm --ignore nosuch
0||stop s1
0||stop c1
0||stop -i nosuch
125|Error: no container with name or ID "nosuch" found: no such container|stop nosuch
0||start r1
125|Error: can only create exec sessions on running containers: container state improper|exec s1 true
125|Error: can only create exec sessions on running containers: container state improper|exec c1 true
1|Error: no container with name or ID "nosuch" found: no such container|rm r1 nosuch
125|Error: failed to find published port "80"|port r1 80
125|Error: requested CPUs are not available - requested 4095, available: *|create --cpuset-cpus 4095 img true
125|Error: opening pidfile /nosuch/x: no such file or directory|run --rm --pidfile /nosuch/x img true
125|Error: file descriptor 3 is not available - the preserve-fds option requires that file descriptors must be passed|run --rm --preserve-fds 9 img true
125|Error: file descriptor 3 is not available - the preserve-fds option requires that file descriptors must be passed|exec --preserve-fds 1 r1 true
125|Error: foo invalid restart policy|ps --filter restart-policy=foo
125|Error: reading CIDFile: opening /nosuch/file: no such file or directory|rm --cidfile /nosuch/file
0|*Port mappings have been discarded as one of the Host, Container, Pod, and None network modes are in use*|run --rm -p 80:80 img true
0|*Port mappings have been discarded as one of the Host, Container, Pod, and None network modes are in use*|run --rm --net container:r1 -p 80:80 img true
TABLE
}

check_words() {
	local status line words first st
	pod create --name c1 --net none img sleep 100 >/dev/null
	pod run -d --name r1 --net none img sleep 1000 >/dev/null
	pod run --name s1 --net none img sh -c 'exit 3'
	pod volume create v1 >/dev/null
	echo hidden | pod secret create sec1 - >/dev/null
	while IFS='|' read -r status line words; do
		eval "set -- $(sed 's/{{[^ ]*/"&"/g' <<<"$words")"
		[ "$1" != run ] || case $words in *--net*) ;; *) shift && set -- run --net none "$@" ;; esac
		timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" 2>"$WORLD/err" >/dev/null </dev/null 3>&-
		st=$?
		first=$(head -n 1 "$WORLD/err" | sed -E 's/[0-9a-f]{64}/ID/g')
		case $line in
		\**) [[ $first == *"${line//\*/}"* ]] || st="$st $first" ;;
		*\*) [[ $first == "${line%\*}"* ]] || st="$st $first" ;;
		*) [ "$first" = "$line" ] || st="$st $first" ;;
		esac
		is "pod $words" "$st" "$status"
	done < <(table)
	for c in start stop kill pause restart init rm; do
		pod $c r1 nosuch >"$WORLD/out" 2>"$WORLD/err"
		is "$c of one that is there and one that is not" "$? $(cat "$WORLD/out") $(grep -c nosuch "$WORLD/err")" "$([ $c = rm ] && echo 1 || echo 125)  1"
	done
	is "what was refused changed nothing" "$(pod ps -a --format '{{.Names}} {{.State}}' | sort | tr '\n' ' ')" "c1 created r1 running s1 exited "
	is "but for rm --ignore, which takes those that are there" "$(pod rm --ignore c1 nosuch)" c1
}

check_words
pod rm -f -t 0 -a >/dev/null
{
	declare -f table check_words
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; check_words'
} | user_part
