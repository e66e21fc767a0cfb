#!/bin/bash
# SPDX-License-Identifier: ISC
# top and stats.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
pod run -d --name a --network none localhost/bb sleep 1000 >/dev/null
pod exec -d -u alice a sleep 99 >/dev/null
pod run -d --name h --network none --pid host localhost/bb sleep 1001 >/dev/null
pod create --name c --network none localhost/bb true >/dev/null

# --- top
until_ok 20 sh -c "[ \$('$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' top a pid | wc -l) = 3 ]"
is "the usual columns" "$(pod top a | sed -n 1p | tr -s ' ')" "USER PID PPID %CPU ELAPSED TTY TIME COMMAND"
is "processes" "$(pod top a user pid ppid args | tail -n +2 | tr -s ' ')" "$(printf 'root 1 0 sleep 1000\nalice 2 0 sleep 99')"
is "columns in one word" "$(pod top a pid,comm | tail -1 | tr -s ' ')" "2 sleep"
is "codes" "$(pod top a %p %c | tail -1 | tr -s ' ')" "2 sleep"
is "of the host" "$(pod top a hpid | sed -n 2p)" "$(pod inspect -f '{{.State.Pid}}' a)"
is "capabilities" "$(pod top a capeff | tail -1) $(pod top a capinh | sed -n 2p)" "none none"
is "sorted, without CAP_" "$(pod top a capbnd | sed -n 2p | cut -d, -f1-2)" "CHOWN,DAC_OVERRIDE"
is "seccomp" "$(pod top a seccomp | tail -1)" filter
is "groups by name" "$(pod top a group | tail -1) $(pod top a groups | tail -1)" "alice wheel"
is "only the container's in the host's PID namespace" "$(pod top h args | tail -n +2)" "sleep 1001"
is "the container's ps" "$(pod top a -o pid,args | sed -n 2p | tr -s ' ')" " 1 sleep 1000"
for bad in nosuch c ""; do
	# shellcheck disable=SC2086
	pod top $bad >/dev/null 2>&1
	is "refused: '$bad'" "$?" 125
done
# CVE-2022-1227: nothing of the container is run, and its files are only read as data
pod run -d --name evil --network none localhost/bb sh -c 'rm /etc/passwd; mkfifo /etc/passwd; ln -sf /proc/self/environ /etc/group; exec sleep 1000' >/dev/null
until_ok 20 pod exec evil test -p /etc/passwd
is "a FIFO for a passwd file" "$(timeout 10 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" top evil user group | tail -1 | tr -s ' ')" "0 0"

# --- stats
stat() { pod stats --no-stream "$@"; }
is "heading" "$(stat | sed -n 1p | tr -s ' ')" "ID NAME CPU % MEM USAGE / LIMIT MEM % NET IO BLOCK IO PIDS CPU TIME AVG CPU %"
is "those that run" "$(stat --format '{{.Name}}' | sort | tr '\n' ' ')" "a evil h "
is "all" "$(stat -a --format '{{.Name}}' | sort | tr '\n' ' ')" "a c evil h "
is "one that does not run" "$(stat c --format '{{.PIDS}} {{.MemUsage}} {{.CPUPerc}}')" "0 0B / 0B 0.00%"
is "tasks" "$(stat a --format '{{.PIDS}}')" 2
is "short IDs" "$(stat a --format '{{.ID}}' | tr -d '\n' | wc -c)" 12
is "long IDs" "$(stat a --no-trunc --format '{{.ID}}' | tr -d '\n' | wc -c)" 64
is "JSON" "$(stat a --format json | jq -r '.[0] | keys_unsorted | join(" ")')" \
	"id name cpu_time cpu_percent avg_cpu mem_usage mem_percent net_io block_io pids"
pod exec -d a sh -c 'while :; do :; done'
busy() { [ "$(stat a --format '{{.CPUNano}}')" -gt 100000000 ]; }
check "processor time grows" until_ok 20 busy
"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" stats -i 1 --format '{{.Name}} {{.CPUPerc}}' a >"$WORLD/stream" &
remember_pid $!
check "reports go on" until_ok 20 sh -c "[ \$(wc -l <'$WORLD/stream') -ge 2 ]"
kill -INT $!
is "and show the use between two" "$(sed -n 2p "$WORLD/stream" | grep -cE 'a [1-9][0-9]*\.')" 1
for bad in nosuch "-a a" "-i 0 a"; do
	# shellcheck disable=SC2086
	stat $bad >/dev/null 2>&1
	is "refused: '$bad'" "$?" 125
done
if grep -q memory /proc/cgroups 2>/dev/null; then
	pod run -d --name m --network none --memory 64m localhost/bb sleep 100 >/dev/null
	is "the limit of memory" "$(stat m --format '{{.MemLimit}}')" 67108864
else
	skip "the limit of memory" "no memory controller"
fi
finish
