#!/bin/bash
# SPDX-License-Identifier: ISC
# The words of the network commands, as Podman 4.3.1 says them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
# WORDS|STATUS|OUTPUT|ERRORS, with ~ for the end of a line; + before the words: those of Podman 5, or our own.
rows() {
	cat <<'ROWS'
create n1|0|n1|
create n1|125||Error: network name n1 already used: network already exists~
create --subnet 10.77.1.0/24 n2|0|n2|
create --subnet 10.77.1.0/24 n3|125||Error: subnet 10.77.1.0/24 is already used on the host or by another config~
create --subnet 10.77.1.128/25 n3|125||Error: subnet 10.77.1.128/25 is already used on the host or by another config~
create --subnet nonsense n3|125||Error: invalid CIDR address: nonsense~
create --subnet 10.77.300.0/24 n3|125||Error: invalid CIDR address: 10.77.300.0/24~
+create --gateway 10.77.5.1 n3|125||Error: every gateway must have a corresponding subnet~
create --subnet 10.77.5.0/24 --gateway 10.78.5.1 n3|125||Error: gateway 10.78.5.1 not in subnet 10.77.5.0/24~
create --subnet 10.77.5.0/24 --ip-range 10.78.5.0/26 n3|125||Error: lease range start ip 10.78.5.1 not in subnet 10.77.5.0/24~
+create --ip-range 10.78.5.0/26 n3|125||Error: every ip-range must have a corresponding subnet~
create -d nosuch n3|125||Error: unsupported driver nosuch: invalid argument~
create -o colour=blue n3|125||Error: unsupported bridge network option colour~
+create -o mtu=-5 n3|125||Error: unable to parse "mtu": -5 is not a number up to 65535~
create -o vlan=5000 n3|125||Error: vlan ID 5000 must be between 0 and 4094~
create bad/name|125||Error: network name bad/name invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument~
create --label|125||Error: flag needs an argument: --label~See 'pod network create --help'~
+create --ignore n1|0|n1|
create podman|125||Error: network name podman already used: network already exists~
+create --subnet 10.77.9.0/31 n3|125||Error: subnet 10.77.9.0/31 is too small to find a gateway: invalid argument~
exists n1|0||
exists nosuch|1||
inspect nosuch|125|[]|Error: inspecting object: network nosuch: unable to find network with name or ID nosuch: network not found~
inspect|125||Error: requires at least 1 arg(s), only received 0~
inspect n1 --format {{.Driver}}|0|bridge|
inspect podman --format {{.Name}}|0|podman|
ls -q|0|n1~n2~podman|
ls --noheading --format {{.Name}}|0|n1~n2~podman|
ls --format {{.Name}}:{{.Driver}}|0|n1:bridge~n2:bridge~podman:bridge|
ls --filter name=n1 -q|0|n1|
ls --filter driver=bridge -q|0|n1~n2~podman|
ls --filter nosuch=x|125||Error: invalid filter "nosuch"~
ls --filter label=none|0|NETWORK ID  NAME        DRIVER|
ls extra|125||Error: `pod network ls` takes no arguments~
rm nosuch|1||Error: unable to find network with name or ID nosuch: network not found~
rm -f nosuch|0||
rm podman|125||Error: default network podman cannot be removed~
rm|125||Error: requires at least 1 arg(s), only received 0~
rm n1 nosuch|1|n1|Error: unable to find network with name or ID nosuch: network not found~
exists n1|1||
connect n2 nosuch|125||Error: no container with name or ID "nosuch" found: no such container~
connect nosuch nosuch|125||Error: no container with name or ID "nosuch" found: no such container~
disconnect n2 nosuch|125||Error: no container with name or ID "nosuch" found: no such container~
connect n2|125||Error: accepts 2 arg(s), received 1~
prune -f|0|n2|
ls -q|0|podman|
reload nosuch|125||Error: no container with name or ID "nosuch" found: no such container~
reload|125||Error: you must provide at least one name or id~
nosuch|125||Error: unrecognized command `pod network nosuch`~Try 'pod network --help' for more information~
ROWS
}
# The errors without the words that a log has before them.
words() {
	local line status out errors said
	while IFS='|' read -r line status out errors; do
		line=${line#+}
		# shellcheck disable=SC2086
		said=$(net $line 2>"$WORLD/err" </dev/null)
		said="$?|$(tr '\n' '~' <<<"$said")|$(sed -E 's/^time="[^"]*" level=[a-z]+ msg=//' "$WORLD/err" | tr '\n' '~')"
		is "network $line" "${said/|\~|/||}" "$status|$out${out:+~}|$errors"
	done < <(rows)
}
net_world "$@"
words
finish
