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
finish() {
	echo "1..$tap_n"
	[ "$tap_failed" = 0 ]
	exit
}
