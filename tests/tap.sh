# SPDX-License-Identifier: ISC
# Sourced by each integration test: counting and saying so.
# One line a check: "ok N - text", "not ok N - text", "ok N - text # SKIP reason".

tap_n=0 tap_failed=0
ok() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $*"
}
not_ok() {
	tap_n=$((tap_n + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_n - $*"
}
skip() { # TEXT REASON
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}
# check TEXT COMMAND...: ok if the command succeeds
check() {
	local text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}
# is TEXT GOT WANTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1 (got '$2', wanted '$3')"; fi
}
# POD_TEST_SLOW=10 gives everything ten times as long, as on an emulated machine.
# until_ok SECONDS COMMAND...: repeats the command until it succeeds
until_ok() {
	local end=$((SECONDS + $1 * ${POD_TEST_SLOW:-1}))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# until_is TEXT WANTED COMMAND...: ok as soon as the command prints that; it has 20 s for it
until_is() {
	local text=$1 wanted=$2 end=$((SECONDS + 20 * ${POD_TEST_SLOW:-1})) got
	shift 2
	while got=$("$@" 2>/dev/null); [ "$got" != "$wanted" ] && [ "$SECONDS" -lt "$end" ]; do sleep 0.1; done
	is "$text" "$got" "$wanted"
}

# ended PID: there is no such process, or it only waits for its parent to ask for its status.  Its files and its memory
# go earlier than that.
ended() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null; }

# nothing_in DIR...: no file is in any of them
nothing_in() { [ -z "$(find "$@" -mindepth 1 -print -quit 2>/dev/null)" ]; }
finish() {
	echo "1..$tap_n"
	[ "$tap_failed" = 0 ]
	exit
}
