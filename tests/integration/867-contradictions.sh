#!/bin/bash
# SPDX-License-Identifier: ISC
# Words that contradict each other, values out of range and unknown names, of all commands for containers: one Error,
# the exit status of Podman 4.3.1 (compared side by side), and nothing made.
. "$(dirname "$0")/../lib.sh"
world

contradictions() {
	local words want text before st
	busybox_image bb >/dev/null || { not_ok "an image can be imported"; return; }
	state() { pod ps -aq --no-trunc; pod volume ls -q; pod secret ls -q; ls "$ROOT/rw" "$ROOT/containers" "$RUNROOT/containers" 2>/dev/null; }
	pod ps >/dev/null
	before=$(state)
	while IFS='|' read -r want words text; do
		[ -n "$words" ] || continue
		eval "set -- $words"
		timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" >"$WORLD/out" 2>"$WORLD/err" </dev/null
		st=$?
		if [ "$st" != "$want" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$WORLD/err"; }; then
			not_ok "$words: status $st, wanted $want: $(head -n 2 "$WORLD/err" | tr '\n' ' ')"
		else
			ok "$words"
		fi
	done <<'TABLE'
125|run --rm --restart=always bb true|
125|run --rm --restart=unless-stopped bb true|
125|run --restart=foo bb true|"foo" is not a valid restart policy
125|run --restart=on-failure:x bb true|
125|run --restart=always:3 bb true|
125|run --pod nosuch --network none bb true|
125|run --network none --network host bb true|
125|run --network none --add-host h:host-gateway bb true|unable to replace "host-gateway"
125|run --network host --network bridge bb true|
125|run --network container:nosuch bb true|no container with name or ID "nosuch" found
125|run --network none:x bb true|invalid option for network none
125|run --network host:ip=10.0.0.1 bb true|invalid option for network host
125|run --pid ns:/nosuch bb true|cannot find specified PID namespace path: stat /nosuch: no such file or directory
125|run --ipc ns:/nosuch bb true|cannot find specified IPC namespace path: stat /nosuch
125|run --uts ns:/nosuch bb true|cannot find specified UTS namespace path: stat /nosuch
125|run --cgroupns ns:/nosuch bb true|cannot find specified cgroup namespace path: stat /nosuch
125|run --arch foreign --pull never bb true|bb: image not known
125|run --authfile /nosuch bb true|stat /nosuch: no such file or directory
125|pull --authfile /nosuch bb|stat /nosuch: no such file or directory
0|run --rm --network none --pull newer localhost/bb true|
125|network rm -t 5 nosuch|--force option must be specified to use the --time option
125|volume create -l =x labelled|invalid label format: "=x"
125|volume create -o o=timeout=5 timed|Volume driver timeout can only be used with non-local volume drivers
125|volume create -o o=uid=x owned|cannot convert UID/GID x to integer
125|run --pid foo bb true|foo
125|run --uts foo bb true|foo
125|run --cgroupns foo bb true|foo
125|run --memory xx bb true|
125|run --memory-swap 5m bb true|
125|run --cpus 1 --cpu-quota 5000 bb true|
125|run --pids-limit x bb true|
125|run --ulimit foo bb true|
125|run --ulimit nofile=5:3 bb true|
125|run --stop-signal FOO bb true|FOO
125|run --stop-timeout -5 bb true|stop-timeout
125|run --env-file /nosuch bb true|/nosuch
125|run --label-file /nosuch bb true|/nosuch
125|run --publish 99999:80 bb true|
125|run --publish 80:99999 bb true|
125|run --publish 1-3:1-2 bb true|
125|run --ip 999.1.1.1 bb true|
125|run --mac-address zz bb true|
125|run --log-driver foo bb true|invalid log driver
125|run --log-opt max-size=x bb true|
125|run --pull foo bb true|
125|run --platform a --arch b bb true|
125|run --device /nosuch bb true|/nosuch
125|run --volume /nosuch:/x bb true|/nosuch
125|run --volume /tmp:/x:foo bb true|invalid option type "foo"
125|run --tmpfs /x:foo bb true|foo
125|run --mount type=foo,dst=/x bb true|foo
125|run --health-interval x --health-cmd true bb true|
125|run --no-healthcheck --health-cmd true bb true|
125|run --shm-size x bb true|
125|run --sysctl foo bb true|foo
125|run --security-opt foo bb true|foo
125|run --cap-add FOO bb true|CAP_FOO
125|run --umask 999 bb true|umask
125|run --userns foo bb true|foo
125|run --cidfile /etc/passwd bb true|/etc/passwd
125|run --systemd foo bb true|
125|run --sdnotify foo bb true|invalid sdnotify value "foo"
125|run --image-volume foo bb true|
125|run --secret nosuch bb true|nosuch
125|run --requires nosuch bb true|nosuch
125|run --volumes-from nosuch bb true|nosuch
125|run --detach-keys foo bb true|invalid argument "foo" for "--detach-keys" flag: invalid detach keys "foo"
125|run -dt --detach-keys ctrl-p, bb true|invalid detach keys "ctrl-p,"
125|run --preserve-fd foo bb true|invalid argument "foo" for "--preserve-fd" flag
125|run -v fresh:/x --network nosuch bb true|unable to find network with name or ID nosuch
125|start --detach-keys foo x|invalid detach keys "foo"
125|push --digestfile /nosuch/x bb dir:/nosuch/y|opening digestfile /nosuch/x: no such file or directory
125|run --replace bb true|cannot replace container without --name being set
125|stop|
125|stop --all x|
125|rm|
125|rm --all x|
125|kill -s FOO x|FOO
125|start --all x|
125|start -a x y|
125|logs|
125|logs --since foo x|
125|wait --condition foo x|foo
125|ps --sort foo|
125|ps --filter foo|
125|ps --filter status=foo|foo
125|ps --latest --last 3|
125|inspect|
125|inspect --type foo x|foo
125|exec|
125|exec nosuch true|no container with name or ID "nosuch" found
125|attach nosuch|no container with name or ID "nosuch" found
125|attach x y|accepts at most one argument
125|cp x y|
125|top|
125|top nosuch|
125|stats nosuch|
125|stats -a x|
125|port|
125|port --all x|
125|pause|
125|rename x|
125|commit|
125|export nosuch|
125|update nosuch|
1|container exists nosuch|
125|volume create --driver foo x|no volume plugin with name foo available
125|volume create -o foo=bar x|foo
125|volume rm|
1|volume rm nosuch|no such volume
125|volume inspect nosuch|no such volume
125|volume export nosuch|no such volume
1|volume exists nosuch|
125|volume ls --filter foo|
125|volume prune --filter foo|invalid filter "foo"
125|secret create x /nosuch|/nosuch
125|secret create x/y -|
125|secret inspect nosuch|no secret
125|secret rm|
125|info --format '{{.Nosuch}}'|can't evaluate field Nosuch
125|system df x|takes no arguments
125|system df -v --format json|cannot combine --format and --verbose flags
125|healthcheck run nosuch|no container with name or ID "nosuch" found
125|container checkpoint|
125|container checkpoint nosuch|
125|container restore|
125|container restore --all x|no arguments are needed with --all
125|container restore --import /nosuch|
125|container restore --import /nosuch --all|
125|container prune --filter foo|
TABLE
	is "nothing was made" "$(state)" "$before"
}

# What is wrong with one part of a line keeps the rest of it from being done.
untouched() {
	local id images word
	id=$(pod create --name x --net none bb sleep 1000)
	echo "$id" >"$WORLD/one"
	images=$(pod images -aq)
	for word in restart kill rm stop start pause unpause; do
		[ "$word" != start ] || continue
		pod "$word" --cidfile "$WORLD/one" --cidfile "$WORLD/none" >"$WORLD/out" 2>"$WORLD/err"
		is "$word --cidfile of no file" "$? $(cat "$WORLD/out" "$WORLD/err")" "125 Error: reading CIDFile: opening $WORLD/none: no such file or directory"
	done
	is "and the container that was named is as it was" "$(pod ps -a --format '{{.ID}} {{.State}}' --no-trunc)" "$id created"
	is "rm --ignore and stop --ignore: a file that is not there" "$(pod rm --ignore --cidfile "$WORLD/none" 2>&1 && pod stop --ignore --cidfile "$WORLD/none" 2>&1; echo $?)" 0
	pod create --replace --name x --network nosuch bb true >/dev/null 2>&1
	is "create --replace to a network that is not there" "$? $(pod inspect --format '{{.Id}}' x)" "125 $id"
	pod commit --iidfile /nosuch/x x 2>"$WORLD/err" >/dev/null
	is "commit --iidfile where no file can be" "$? $(cat "$WORLD/err") $(pod images -aq)" "125 Error: opening iidfile /nosuch/x: no such file or directory $images"
	ln -s /dev/stdout "$WORLD/link"
	id=$(pod commit -q --iidfile "$WORLD/link" x)
	is "commit --iidfile writes through a link" "${#id} $([ -L "$WORLD/link" ] && echo link)" "128 link"
	pod rmi "${id:64}" >/dev/null
	pod start x >/dev/null
	pod exec --preserve-fd foo x true 2>"$WORLD/err"
	is "exec --preserve-fd: no number" "$? $(head -n 1 "$WORLD/err")" '125 Error: invalid argument "foo" for "--preserve-fd" flag: strconv.ParseUint: parsing "foo": invalid syntax'
	pod exec --preserve-fd 2 x true 2>"$WORLD/err"
	is "exec --preserve-fd: one that is there anyway" "$? $(grep -c 'numbered from 3' "$WORLD/err")" "125 1"
	is "exec --workdir of nothing is the container's" "$(pod exec --workdir '' x pwd)" /
	pod rm -f -t 0 x >/dev/null
}
contradictions
untouched
{ declare -f contradictions untouched; echo 'contradictions; untouched'; } | user_part
