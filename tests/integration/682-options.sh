#!/bin/bash
# SPDX-License-Identifier: ISC
# Options that few use: descriptors by number, exec without a record or before its container, credentials out of
# secrets and Docker's directory, what the store alone knows.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../registry.sh"
world
checks() {
	local i id
	pod run -d --name c --net none img sleep 1000 >/dev/null
	echo five >"$WORLD/five"
	is "exec --preserve-fd keeps the number" "$(pod exec --preserve-fd 5 c sh -c 'cat <&5' 5<"$WORLD/five")" five
	is "exec --preserve-fd: what lies between leads nowhere" "$(pod exec --preserve-fd 5 c sh -c 'readlink /proc/self/fd/4' 5<"$WORLD/five" 2>&1)" /dev/null
	is "exec --preserve-fds" "$(pod exec --preserve-fds 1 c sh -c 'cat <&3' 3<"$WORLD/five")" five
	pod exec --preserve-fd 5 --preserve-fds 1 c true 2>&1 5<"$WORLD/five" 3<"$WORLD/five" | grep -q 'cannot specify both'
	is "not both" "$?" 0
	pod exec -d c sleep 500 >/dev/null
	pod exec --no-session -d c sleep 500 >/dev/null
	is "exec --no-session leaves no record" "$(pod inspect --format '{{len .ExecIDs}}' c)" 1
	is "its exit status" "$(pod exec --no-session c sh -c 'exit 9'; echo $?)" 9
	(sleep 0.2; pod run -d --name later --net none img sleep 1000 >/dev/null) &
	is "exec --wait: the container comes later" "$(pod exec --wait 10 later echo there)" there
	wait
	pod exec --wait 1 never true 2>"$WORLD/err"
	is "exec --wait: in vain" "$? $(cat "$WORLD/err")" '125 Error: no container with name or ID "never" found: no such container'
	pod stop -t 0 later >/dev/null
	pod exec --wait 1 later true 2>/dev/null
	is "exec --wait: one that does not start" "$?" 125
	id=$(pod inspect --format '{{.Id}}' c)
	is "rm --storage refuses a known container" "$(pod rm --storage "$id" 2>&1 | grep -c 'already exists')" 1
	is "rm --storage of a rest" "$(pod rm --storage "${id//[0-9]/a}")" "${id//[0-9]/a}"
	is "--noout" "$(pod --noout ps -aq; echo $?)" 0
	is "--trace, --cpu-profile" "$(pod --trace --cpu-profile /x --memory-profile /x --pull-option a=b ps -q --noheading | wc -l)" 1
	pod rm -f -t 0 -a >/dev/null
	i=$(pod create --net none img true)
	is "system prune --external leaves containers" "$(pod system prune -f --external | grep -c . ) $(pod ps -aq --no-trunc)" "1 $i"
	is "system prune --external stands alone" "$(pod system prune -f --external --volumes 2>&1)" "Error: --external cannot be combined with other options"
	is "system prune --build" "$(echo n | pod system prune --build 2>&1 | grep -c 'data of interrupted builds')" 1
}
busybox_image img >/dev/null
checks

# --- credentials ---
registry_start tester swordfish
printf swordfish | pod secret create tester - >/dev/null
is "login --secret" "$(pod login --cert-dir "$REGISTRY_CERTS" --authfile "$WORLD/auth.json" --secret tester "$REGISTRY")" "Login Succeeded!"
is "as the user of that name" "$(pod login --authfile "$WORLD/auth.json" --get-login "$REGISTRY")" tester
is "login --secret with --password" "$(pod login --secret tester -p x "$REGISTRY" 2>&1)" "Error: --secret can not be used with --password options"
is "login --secret of none" "$(pod login --secret none "$REGISTRY" 2>&1 | grep -c 'no such secret')" 1
printf wrong | pod secret create --replace tester - >/dev/null
is "login --secret with the wrong word" "$(pod login --cert-dir "$REGISTRY_CERTS" --authfile "$WORLD/x.json" --secret tester "$REGISTRY" 2>&1 | grep -c 'invalid username/password')" 1
mkdir "$WORLD/docker"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf moby:whale | base64)" >"$WORLD/docker/config.json"
is "--config: Docker's credentials" "$(pod --config "$WORLD/docker" login --get-login "$REGISTRY")" moby
pod rm -f -t 0 -a >/dev/null
{
	declare -f checks
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; checks'
} | user_part
