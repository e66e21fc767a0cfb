#!/bin/bash
# SPDX-License-Identifier: ISC
# The commands about containers, option by option and filter by filter: what each prints or leaves behind.
. "$(dirname "$0")/../lib.sh"
world

# COMMAND@WHAT IT PRINTS ("# " in front: as root only, others have no cgroup to freeze here), its white space as single blanks.  names: the names of "ps" with these words, sorted.
rows() {
	cat <<'ROWS'
names -a --filter ancestor=img@hold new run1 run2 three
names -a --filter ancestor=other@
names -a --filter ancestor=localhost/img:latest --filter status=created@new
names -a --filter before=run2@run1
names -a --filter since=three@hold new
names -a --filter id=$(pod inspect --format '{{.Id}}' run2)@run2
names -a --filter name=^run@run1 run2
names -a --filter name=run1 --filter name=three@run1 three
names -a --filter label=tier@run1 run2
names -a --filter label=tier=back@run2
names -a --filter label!=tier@hold new three
names -a --filter label=tier --filter label=x=y@run1
names -a --filter status=exited@three
# names -a --filter status=paused@hold
# names -a --filter status=running --filter status=created@new run1 run2
names -a --filter exited=3@three
names -a --filter exited=4@
names -a --filter health=none@hold new run1 three
names -a --filter health=starting@run2
names -a --filter volume=keep@run1
names -a --filter volume=/data@run1
names -a --filter network=none@hold new run1 run2 three
names -a --filter until=1h@
names -a --filter until=0s --filter name=three@three
names -a --filter restart-policy=on-failure@run2
names -a --filter should-start-on-boot=true@run1
names -a --filter command=^sh@three
# names@run1 run2
names -n 2@hold new
names -l@new
pod ps -q -f name=run1 | wc -c@13
pod ps -aq --no-trunc -f name=run1 | wc -c@65
pod ps --noheading -f name=nosuch@
pod ps -a --sort names --format '{{.Names}}'@hold new run1 run2 three
pod ps -a --sort created --format '{{.Names}}'@run1 run2 three hold new
pod ps -a --sort status --format '{{.Status}}' | cut -d' ' -f1 | uniq | grep -v Paused@Created Exited Up
pod ps -a --sort command --format '{{.Command}}' | sort -c && echo sorted@sorted
pod ps -a --sort image --format '{{.Image}}' | uniq@localhost/img:latest
pod ps -a --sort id --format '{{.ID}}' | sort -c && echo sorted@sorted
pod ps -l --format '{{.ImageID}}' | tr -d '\n' | wc -c@12
pod ps -l --no-trunc --format '{{.ImageID}}' | tr -d '\n' | wc -c@64
pod ps -a --sort runningfor --format '{{.Names}}'@run1 run2 three hold new
pod ps -a -s --sort size --format '{{.Names}}' | wc -l@5
pod ps -a -s --format '{{.Size}}' -f name=three | sed 's/virtual.*//'@10kB (
pod ps --ns -f name=run1 | head -n 1@CONTAINER ID NAMES PID CGROUPNS IPC MNT NET PIDNS USERNS UTS
pod ps --ns --format '{{.PIDNS}}' -f name=run1 | grep -c '^[0-9]*$'@1
pod ps -p -f name=run1 | head -n 1@CONTAINER ID IMAGE COMMAND CREATED STATUS PORTS NAMES POD ID PODNAME
pod ps --sync --external -f name=run1 --format '{{.State}}'@running
watched@run1 run1
pod ps -a -f name=three --format '{{.Exited}} {{.ExitCode}} {{.Restarts}} {{.IsInfra}} {{.AutoRemove}} {{.Pod}}{{.PodName}}'@true 3 0 false false
pod ps -f name=run1 --format '{{.Labels}} {{.Label "tier"}} <{{.Label "none"}}> {{.Mounts}} {{.Networks}} {{.Ports}}'@map[tier:front x:y] front <> [/data]
pod ps -f name=run1 --format '{{json .Names}} {{.ImageID}} {{.CIDFile}}' | sed "s#[0-9a-f]\{12,\}#ID#; s#$WORLD##"@"run1" ID /cid
pod ps -f name=run1 --format 'table {{.Names}}\t{{.State}}'@NAMES STATE run1 running
pod ps -f name=run1 --format '{{upper .State}} {{lower "AB"}} {{title "word"}} {{join (split .Names "n") "+"}} {{len .Names}} {{index (split .Names "n") 1}}'@RUNNING ab Word ru+1 4 1
pod ps -f name=run1 --format '{{range split .Names "n"}}<{{.}}>{{end}}{{if eq .State "running"}} on{{else}} off{{end}} {{printf "%5s|%-3d|" .State .ExitCode}}'@<ru><1> on running|0 |
pod ps -f name=run1 --format '{{range split .State "n"}}[{{.}}]{{end}} {{pad .State 1 1}} {{truncate .State 3}}'@[ru][][i][g] running run
pod ps -f name=run1 --format '{{$x := .State}}{{with $x}}{{. | printf "%q"}}{{end}} {{len $x}} {{not true}} {{and 1 0}} {{or 0 "b"}} {{slice $x 1 3}}'@"running" 7 false 0 b un
pod ps -f name=run1 --format json | jq -r '.[0] | .Names[0], .State, .Exited, .Labels.tier, .Mounts[0]'@run1 running false front /data
pod inspect --type container --format '{{.Name}} {{.State.Status}}' run1@run1 running
pod inspect -l --format '{{.Name}}'@new
pod inspect run1 | jq -r '.[0].GraphDriver.Data.LowerDir' | tr : '\n' | xargs ls -d | wc -l@2
ls "$(pod inspect --format '{{.GraphDriver.Data.UpperDir}}' three)"; [ "${POD_TEST_LAYOUT:-}" = erofs ] || ls "$(pod inspect --format '{{.GraphDriver.Data.LowerDir}}' three | cut -d: -f1)/www" | sed 's/index.html//'@ten
# ls "$(pod inspect --format '{{.GraphDriver.Data.MergedDir}}' run1)/www"@index.html
pod inspect new | jq -r '.[0].GraphDriver.Data | keys | join(" ")'@LowerDir UpperDir WorkDir
pod container inspect --format '{{.Name}}' -l@new
pod container inspect -s three | jq '.[0] | .SizeRw, (.SizeRootFs > 1000000)'@10000 true
pod inspect -s run1 three | jq -r '.[].Name'@run1 three
pod container exists run1; echo $?@0
pod container exists --external nosuch; echo $?@1
pod logs -t three 2>&1 | awk '{ print $2 }' | sort@one oops two
pod logs --tail 1 three 2>&1@oops
pod logs --tail 0 three@
pod logs -n three 2>&1 | sort | xargs@one oops two
pod logs --since 1h three 2>/dev/null@one two
pod logs --until -1h three@
pod logs --since 0s three@
pod logs --color -n three | grep -c "$(printf '\033')"@2
pod logs --details three 2>/dev/null@one two
pod logs -l@
pod logs run1 three 2>/dev/null | sed 's/^[0-9a-f]* //'@one two
pod logs -f three 2>&1 >/dev/null@oops
pod top run1 comm | sort -u@COMMAND sleep
pod top run1 user pid@USER PID root 1
pod top run1 hpid | tail -n 1 | tr -d ' ' | grep -cx "$(pod inspect --format '{{.State.Pid}}' run1)"@1
pod top -l 2>&1 | head -n 1@Error: top can only be used on running containers
pod top --list-descriptors | grep -cx 'capeff\|hpid\|seccomp'@3
pod diff three@A /ten
pod diff --format json three@{ "added": [ "/ten" ] }
pod container diff --format json -l@{}
pod diff 2>&1; pod container diff 2>&1@Error: "pod diff" requires a name, id, or the "--latest" flag Error: "pod diff" requires a name, id, or the "--latest" flag
pod secret create hid "$WORLD/env" | wc -c; pod run --name sec --net none --secret hid img true; pod diff sec; pod rm sec; pod secret rm hid | wc -c@26 sec 26
pod secret create --driver-opts x hid "$WORLD/env" 2>&1@Error: invalid argument "x" for "--driver-opts" flag: x must be formatted as key=value
pod --registries-conf "$WORLD/nosuch" ps 2>&1 | grep -c 'locating specified registries.conf: stat'@1
pod logs 2>&1@Error: specify at least one container name or ID to log
"$BIN/pod" --root "$WORLD/none" --runroot "$WORLD/none.run" rm -l 2>/dev/null; echo $?@1
pod port run1@
pod port run1 81 2>&1; pod port run1 81/udp 2>&1@Error: failed to find published port "81" Error: failed to find published port "81/udp"
pod wait three@3
pod wait --condition exited --condition stopped three@3
pod wait --ignore nosuch@-1
pod wait --condition running run1@-1
pod wait -i 10ms --condition created new@-1
pod wait --exit-first-match --condition running run1 new | wc -l@1
pod wait --return-on-first run1 three 2>/dev/null || pod wait --exit-first-match run1 three@3
pod stats --no-stream --format '{{.Name}} {{.ID}}' run1 | sed 's/[0-9a-f]\{12\}$/ID/'@run1 ID
pod stats --no-stream --no-trunc --format '{{.ID}}' run1 | wc -c@65
pod stats --no-stream -a --format '{{.Name}}' | sort@hold new run1 run2 three
pod stats --no-stream --no-reset -i 1 --format json run1 | jq -r '.[0] | keys | join(" ")'@avg_cpu block_io cpu_percent cpu_time id mem_percent mem_usage name net_io pids
pod stats --no-stream --format 'table {{.Name}}\t{{.PIDs}}' run2@NAME PI DS run2 1
pod stats --no-stream --format '{{.CPUPerc}} {{.MemPerc}}' run1 | grep -c '%.*%'@1
pod mount --no-trunc 2>/dev/null | wc -l@0
pod mount --format x 2>&1@Error: unknown --format argument: "x"
pod exec -e A=b --env-file "$WORLD/env" -w /tmp -u 5:6 run1 sh -c 'echo $A $C; pwd; id -u; id -g'@b 1 /tmp 5 6
pod exec --privileged run1 sh -c 'sed -n "s/CapEff:[[:space:]]*//p" /proc/self/status' | grep -cE '^0+([1-9a-f]*)f'@1
pod exec --cidfile "$WORLD/cid" echo by file@by file
pod exec -l true 2>&1 | grep -c 'can only create exec sessions on running containers'@1
echo to exec | pod exec -i run1 cat@to exec
pod exec -it --detach-keys ctrl-x run1 true </dev/null 2>&1 | grep -c .@0
pod container runlabel --display nosuch img 2>&1@Error: cannot find the value of label: nosuch in image: img
pod rename three tre && pod rename tre three && names -a -f exited=3@three
# pod pause run1 && pod pause --cidfile "$WORLD/nosuch" 2>&1 | grep -c 'no such file'; pod unpause --cidfile "$WORLD/cid" >/dev/null && names -f status=running -f name=[^d]$@run1 1 run1 run2
# pod pause --filter label=tier | wc -l; names -f status=paused; pod unpause --filter label=tier | wc -l@2 hold run1 run2 2
# pod pause -a | wc -l; pod unpause -a | wc -l; pod pause hold@2 3 hold
pod kill -s USR1 run1; pod kill -s 10 --cidfile "$WORLD/cid" | wc -c; names -f status=running -f name=[^d]$@run1 65 run1 run2
pod kill -l 2>&1 | grep -c 'can only kill running containers'@1
pod kill --all -s CONT 2>&1 | wc -l@3
pod update --memory-swappiness x run1 2>&1 | head -n 1@Error: invalid argument "x" for "--memory-swappiness" flag: strconv.ParseInt: parsing "x": invalid syntax
pod update --restart always:2 run1 2>&1; pod update --restart on-failure:4 run1; pod inspect --format '{{.HostConfig.RestartPolicy}}' run1@Error: restart policy retries can only be specified with on-failure restart policy ID {on-failure 4}
pod update --health-cmd none --restart no run2; names -f health=none -f name=run2@ID run2
pod cp three:/ten - | tar -t@ten
pod cp "$WORLD/env" new:/tmp/env && pod cp new:/tmp/env - | tar -xO@C=1
pod export -o "$WORLD/x.tar" three && tar -tf "$WORLD/x.tar" ten@ten
pod init -l | wc -c; pod inspect --format '{{.State.Status}}' new@65 initialized
pod start -l | wc -c; names -f name=new@65 new
pod restart -l -t 0 | wc -c; names -f name=new@65 new
pod stop -t 0 -l | wc -c; pod start new; pod stop -t 0 --cidfile "$WORLD/cid" | wc -c; names -f status=running -f name=[^d]$@65 new 65 new run2
pod start --filter label=tier=back run1 new; names -f name=run1; pod start --filter label=tier=front run1 run2; names -f name=run1 -f name=new; pod stop -t 0 run1 >"$WORLD/out"@run1 new run1
pod start --filter label=tier=front | wc -l; pod restart -t 0 --running >/dev/null; names -f status=running -f name=[^d]$@1 new run1 run2
pod restart -t 0 --filter label=tier | wc -l; pod restart -t 0 --cidfile "$WORLD/cid" | wc -c@2 65
pod stop -t 0 --filter label=tier=back run1 2>&1; pod restart --filter label=x run2 2>&1; pod rm -f --filter label=tier=back run1 2>&1; pod pause --filter label=tier=back run1 2>&1@Error: --filter takes no arguments Error: --filter takes no arguments Error: --filter takes no arguments Error: --filter takes no arguments
pod stop --cidfile "$WORLD/cid" run2 2>&1; pod kill --cidfile "$WORLD/cid" run2 2>&1; pod rm -f --cidfile "$WORLD/cid" run2 2>&1@Error: no arguments are needed with --latest or --cidfile Error: no arguments are needed with --latest or --cidfile Error: no arguments are needed with --latest or --cidfile
pod create --name ended --net none img true | wc -c; pod start -a ended; pod start --filter name=nosuch ended; pod container cleanup --rm ended; pod container exists ended; echo $?@65 ended 1
pod stop -t 0 --filter label=tier=back | wc -l; names -a -f status=exited@1 run2 three
pod stop --ignore nosuch run1 -t 0; names -a -f status=exited@run1 run1 run2 three
pod stop -a -t 0 >/dev/null; pod start --all >/dev/null; names -a -f status=exited; pod ps -aq -f status=running -f name=[^d]$ | wc -l@three 3
pod stop -a -t 0 >/dev/null; pod unpause -a >/dev/null 2>&1; pod kill hold >/dev/null 2>&1; until_ok 20 not_live; names@
pod container prune -f --filter label=tier=back | wc -c; pod container exists run2; echo $?@65 1
pod rm -l; pod container exists new; echo $?@NEW 1
pod rm --ignore nosuch; echo $?@0
pod rm -f --cidfile "$WORLD/cid" | wc -c; pod container exists run1; echo $?@65 1
pod rm --filter exited=3 | wc -l; pod rm -a -f -t 0 -v | wc -l; pod ps -aq@1 1
ROWS
}
names() { pod ps --format '{{.Names}}' "$@" | sort; }
twice() { [ "$(grep -c run1 "$WORLD/watch")" -ge 2 ]; }
watched() {
	script -qefc "$POD ps --watch 1 --format {{.Names}} -f name=run1" "$WORLD/watch" >/dev/null &
	until_ok 20 twice
	kill $!
	wait $!
	grep -o 'run1' "$WORLD/watch" | head -n 2
}
not_live() { [ -z "$(pod ps -q)" ]; }

checks() {
	local what wanted got new
	POD="$BIN/pod --root $ROOT --runroot $RUNROOT"
	echo C=1 >"$WORLD/env"
	pod run -d --name run1 --net none --cidfile "$WORLD/cid" -l tier=front -l x=y -v keep:/data --restart always img sleep 1000 >/dev/null
	pod run -d --name run2 --net none -l tier=back --restart on-failure --health-cmd true --health-interval disable --health-start-period 1h img sleep 1000 >/dev/null
	pod run --name three --net none img sh -c 'head -c 10000 /dev/zero >/ten; echo one; echo two; echo oops >&2; exit 3' >/dev/null 2>&1
	pod run -d --name hold --net none img sleep 1000 >/dev/null
	[ "$(id -u)" != 0 ] || pod pause hold >/dev/null
	new=$(pod create --name new --net none img sleep 1000)
	while IFS=@ read -r what wanted; do
		case $what in
		"# "*) [ "$(id -u)" = 0 ] || continue && what=${what#??} ;;
		esac
		got=$(eval "$what" 2>"$WORLD/err" </dev/null | xargs -d '\n' | tr -s ' ' | sed 's/^ //; s/ $//; s/'"$new"'/NEW/g; s/\b[0-9a-f]\{64\}\b/ID/g')
		is "$what" "$got" "$wanted"
		[ "$got" = "$wanted" ] || sed 's/^/# /' "$WORLD/err"
	done < <(rows)
}
busybox_image img >/dev/null
checks
{
	declare -f rows names twice watched not_live checks
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; checks'
} | user_part
