#!/bin/bash
# SPDX-License-Identifier: ISC
# A container that is renamed while it runs is found by its new name, and no longer by the old one.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
net create --subnet 10.79.1.0/24 n1 >/dev/null
net create --subnet 10.79.2.0/24 n2 >/dev/null
pod run -d --name asker --network n1 localhost/one:1 sleep 100 >/dev/null
pod run -d --name old --network n1:alias=other --network n2 localhost/one:1 sleep 100 >/dev/null
finds() { pod exec asker nslookup "$1" 2>/dev/null | grep -c '10\.79\.1\.3'; }
is "found by its name" "$(finds old)" 1
pod rename old new
found() { [ "$(finds new)" = 1 ]; }
until_ok 20 found && ok "found by the new name" || not_ok "found by the new name"
is "not by the old one" "$(finds old)" 0
is "still by its alias" "$(finds other)" 1
is "back from its address" "$(pod exec asker nslookup 10.79.1.3 2>/dev/null | grep -c 'name = new')" 1
net disconnect n2 new
net connect n2 new
is "connected again" "$(pod inspect new | jq -r '.[0].NetworkSettings.Networks.n2.IPAddress' | cut -d. -f1-3)" 10.79.2
is "it keeps its name" "$(finds new)" 1
pod stop -t 0 new >/dev/null
is "one that does not run is renamed too" "$(pod rename new third && pod ps -a --filter name=third --format '{{.Names}}')" third
# What it is on is just being taken away.
pod rm -f -a -t 0 >/dev/null
for i in $(seq 10); do
	pod run -d --name "run$i" --network n1 --network n2 localhost/one:1 sleep 100 >/dev/null
	pod stop -t 0 "run$i" >/dev/null
	pod rename "run$i" "late$i"
done
pod rm -f -a -t 0 >/dev/null
unserved() { [ -z "$(ss -Hlun sport = 53)" ]; }
check "one that has just ended leaves no name behind" until_ok 20 unserved
finish
