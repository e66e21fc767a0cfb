#!/bin/bash
# SPDX-License-Identifier: ISC
# Restart policies, time limits, memory that runs out, start at boot, and many commands on the same names at once.
. "$(dirname "$0")/../lib.sh"
world
busybox_image bb >/dev/null
run() { pod run --net none "$@"; }
show() { pod inspect --format "{{.$2}}" "$1"; }
p() { timeout $((60 * ${POD_TEST_SLOW:-1})) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@"; }

run -d --name f --restart on-failure:3 bb sh -c 'echo try; exit 4' >/dev/null
until_is "on-failure:3 ends" "3 exited 4" pod inspect --format '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' f
is "after four runs" "$(pod logs f | wc -l)" 4
run -d --name ok --restart on-failure:3 bb true >/dev/null
until_ok 20 sh -c "[ \"\$('$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' inspect --format '{{.State.Status}}' ok)\" = exited ]"
sleep 0.2
is "success is no failure" "$(show ok RestartCount)" 0
run -d --name al --restart always bb sleep 1000 >/dev/null
kill -KILL "$(show al State.Pid)"
until_is "always comes again" "1 running" pod inspect --format '{{.RestartCount}} {{.State.Status}}' al
pod stop -t 0 al >/dev/null
sleep 0.2
is "but not after stop" "$(show al State.Status)" exited
pod start al >/dev/null
pid=$(show al State.Pid)
kill -KILL "$(show al State.ConmonPid)"
kill -KILL "$pid"
until_ok 20 sh -c '! grep -q "^State:.[^ZX]" "$1" 2>/dev/null' x "/proc/$pid/status"
is "nor one whose end nobody else has seen" "$(pod stop -t 5 al >/dev/null; show al State.Status):$(show al RestartCount)" exited:0
is "should-start-on-boot: always, though stopped" "$(pod ps -a --filter should-start-on-boot=true --format '{{.Names}}')" al
run -d --name us --restart unless-stopped bb sleep 1000 >/dev/null
is "unless-stopped as long as it was not" "$(pod ps -a --filter should-start-on-boot=true --format '{{.Names}}' | sort | tr '\n' ' ')" "al us "
pod stop -t 0 us >/dev/null
is "start --all at boot" "$(pod start --all --filter should-start-on-boot=true | wc -l):$(show al State.Status):$(show us State.Status)" 1:running:exited
pod rm -f -t 0 al us f ok >/dev/null

run -d --name t --timeout 1 bb sleep 1000 >/dev/null
until_is "time limit" exited show t State.Status

# Eight that exit at once and always come again: nothing hangs, and ps does not wait.
for i in $(seq 8); do run -d --name "loop$i" --restart always bb true >/dev/null; done
slow=0 n=0 end=$((SECONDS + ${LOOP_SECONDS:-10}))
while [ $SECONDS -lt $end ]; do
	s=$(date +%s%N)
	p ps -a >/dev/null || not_ok "ps while containers restart"
	d=$((($(date +%s%N) - s) / 1000000))
	n=$((n + 1))
	[ $d -gt $((5000 * ${POD_TEST_SLOW:-1})) ] && slow=$((slow + 1))
	sleep 0.1
done
is "ps never waits for a container that restarts ($n times)" "$slow" 0
again() { [ "$(show loop1 RestartCount)" -gt 3 ]; }
check "they do restart" until_ok 20 again
# Others work meanwhile.
is "another container runs meanwhile" "$(p run --rm --net none bb echo hi)" hi
# Each stop meets some that have just ended, and those do not come again either.
bad=
for i in 1 2 3 4; do
	p stop -t 1 loop1 loop2 loop3 loop4 >/dev/null 2>&1 || bad="$bad stop:$?"
	bad=$bad$(p ps -a --filter name=loop[1-4] --format '{{.State}}' | grep -vx exited)
	[ "$i" = 4 ] || p start loop1 loop2 loop3 loop4 >/dev/null || bad="$bad start:$?"
done
is "stop ends it" "$bad:$(sleep 0.2; pod ps -a --filter status=exited --format '{{.Names}}' | grep -c 'loop[1-4]')" :4
# stop -a meets most of them between two runs.
bad=
for i in 1 2 3; do
	p start $(seq -f loop%g 8) >/dev/null
	p stop -t 1 -a >/dev/null || bad="$bad $?"
	n=$(pod ps -a --format '{{.Restarts}}' | xargs)
	sleep 0.3
	bad=$bad$(p ps -a --filter name=loop --format '{{.State}}' | grep -vx exited)
	[ "$(pod ps -a --format '{{.Restarts}}' | xargs)" = "$n" ] || bad="$bad restarted"
done
is "stop -a ends all of them" "$bad" ""
for i in 1 2 3; do run -d --name "heeds$i" bb sh -c 'trap "exit 3" TERM; while :; do sleep 0.02; done' >/dev/null; done
until_ok 20 pod exec heeds3 true
is "and tells whom it has stopped" "$(p stop -a --filter name=heeds --filter name=loop | wc -l)" 3
p rm -f -t 0 heeds1 heeds2 heeds3 >/dev/null
p rm -f -t 0 $(seq -f loop%g 8) >/dev/null
is "rm -f" "$?:$(pod ps -aq --filter name=loop | wc -l)" 0:0

# A container that ends while the runtime is to run something in it: not the fault of the command.
ending() {
	cat >"$WORLD/ending" <<-END
		#!/bin/sh
		case " \$* " in *" exec "*)
			kill -KILL \$(cat "$WORLD/pid")
			while grep -q '^State:.[^ZX]' /proc/\$(cat "$WORLD/pid")/status 2>/dev/null; do :; done
			sleep 0.3 ;;
		esac
		exec $(command -v crun || command -v runc) "\$@"
	END
	chmod 755 "$WORLD/ending"
	for how in --rm --name=kept; do
		pod --runtime "$WORLD/ending" run -d --net none $how --pidfile "$WORLD/pid" --cidfile "$WORLD/cid" bb sleep 1000 >/dev/null
		pod exec "$(cat "$WORLD/cid")" true 2>"$WORLD/err"
		is "exec in one that just ends ($how)" "$? $(cat "$WORLD/err")" "125 Error: can only create exec sessions on running containers: container state improper"
		rm "$WORLD/cid"
	done
	pod rm -f -t 0 kept >/dev/null
}
ending

# Memory: 32 MB are not enough for a tmpfs of 200.
if run --rm --memory 32m bb true 2>/dev/null; then
	run --name oom --memory 32m --memory-swap 32m --tmpfs /t:size=300m bb dd if=/dev/zero of=/t/x bs=1M count=200 >/dev/null 2>&1
	is "memory runs out" "$(show oom State.OOMKilled):$(show oom State.ExitCode)" true:137
	run --name noom --memory 64m bb true
	is "and does not for others" "$(show noom State.OOMKilled)" false
else
	skip "memory runs out" "no memory limits here"
fi

# Fifty at a time on five names, with both runtimes; the state is consistent afterwards.
for rt in crun runc; do
	command -v $rt >/dev/null || continue
	t=$SECONDS
	for i in $(seq 50); do
		name=par$((i % 5))
		case $((i % 4)) in
		0) p --runtime $rt run -d --net none --name $name bb sleep 1000 ;;
		1) p --runtime $rt rm -f -t 0 $name ;;
		2) p --runtime $rt restart -t 0 $name ;;
		3) p --runtime $rt ps -a ;;
		esac >/dev/null 2>&1 &
		world_pids+=($!)
	done
	wait
	check "$rt: 50 commands at once end in $((SECONDS - t)) s" test $((SECONDS - t)) -lt $((120 * ${POD_TEST_SLOW:-1}))
	bad=
	for c in $(pod ps -aq --filter name=par); do
		s=$(show "$c" State.Status) pid=$(show "$c" State.Pid)
		case $s in
		running) [ -d "/proc/$pid" ] || bad="$bad $c:$s:$pid" ;;
		exited | created) [ "$pid" = 0 ] || bad="$bad $c:$s:$pid" ;;
		*) bad="$bad $c:$s" ;;
		esac
	done
	is "$rt: each container is what it says" "$bad" ""
	for i in 0 1 2 3 4; do
		p --runtime $rt rm -f -t 0 par$i >/dev/null 2>&1
		p --runtime $rt run -d --net none --name par$i bb sleep 1000 >/dev/null || not_ok "$rt: par$i can be made again"
	done
	is "$rt: all names work" "$(pod ps -q --filter name=par | wc -l)" 5
	p rm -f -t 0 par0 par1 par2 par3 par4 >/dev/null
	is "$rt: nothing is left" "$(pod ps -aq --filter name=par | wc -l)" 0
done
# The same as an ordinary user.
{ declare -f ending; cat; } <<'USER' | user_part
busybox_image bb >/dev/null
ending
for i in $(seq 8); do pod run -d --net none --name "loop$i" --restart always bb true >/dev/null; done
bad=0 end=$((SECONDS + 4))
while [ "$SECONDS" -lt "$end" ]; do
	[ "$(timeout $((60 * ${POD_TEST_SLOW:-1})) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" ps -aq | wc -l)" = 8 ] || bad=$((bad + 1))
	sleep 0.1
done
is "as a user: ps shows the eight that restart" "$bad" 0
again() { [ "$(pod inspect --format '{{.RestartCount}}' "$1")" -gt 1 ]; }
check "they do restart" until_ok 60 again loop1
check "all of them" until_ok 60 again loop8
is "stop ends them" "$(timeout $((120 * ${POD_TEST_SLOW:-1})) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" stop -t 1 $(seq -f loop%g 8) >/dev/null 2>&1; pod ps -a --format '{{.State}}' | sort | uniq -c | xargs)" "8 exited"
for i in 1 2 3 4; do
	for what in "restart -t 0 par1" "rm -f -t 0 par2" "run -d --net none --name par2 bb sleep 1000" "run -d --net none --name par1 bb sleep 1000"; do
		timeout $((120 * ${POD_TEST_SLOW:-1})) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" $what >/dev/null 2>&1 &
	done
	wait
done
bad=
while read -r name state pid; do
	[ "$state" = running ] && ! kill -0 "$pid" 2>/dev/null && bad="$bad $name"
done < <(pod ps -a --filter name=par --format '{{.Names}} {{.State}} {{.Pid}}')
is "after many commands at once each is what it says" "$bad" ""
timeout $((120 * ${POD_TEST_SLOW:-1})) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" rm -f -t 0 -a >/dev/null
is "rm -f" "$?:$(pod ps -aq | wc -l)" 0:0
USER
