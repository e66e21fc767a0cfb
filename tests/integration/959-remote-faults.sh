#!/bin/bash
# SPDX-License-Identifier: ISC
# A service that answers early, or never, or otherwise than HTTP has it: what a command makes of that.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/tls.sh"

world
export HOME=$WORLD/home XDG_CONFIG_HOME=$WORLD/home/config
mkdir -p "$HOME"
unset CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY PODMAN_CONNECTIONS_CONF
listens() { ss -Hltn "sport = :$1" | grep -q .; }
port=$(free_port)
python3 "$LIB_DIR/remote-fake.py" "$port" 5.3.0 "$WORLD/made" &
remember_pid $!
until_ok 10 listens "$port" || not_ok "the service does not listen"
tls_certificates "$WORLD/tls"
tls=$(free_port)
python3 "$LIB_DIR/tls-proxy.py" "$WORLD/tls" "$tls" "$port" &
remember_pid $!
until_ok 10 listens "$tls" || not_ok "the service with TLS does not listen"
U=tcp://127.0.0.1:$port T=tcp://127.0.0.1:$tls
key=(--tls-cert "$WORLD/tls/client.pem" --tls-key "$WORLD/tls/client.key")
podc() { timeout 60 "$BIN/pod" "$@"; }
head -c 20000000 /dev/zero >"$WORLD/zeros"

# --- What is sent, and an answer before its end ---
for way in plain TLS; do
	[ $way = plain ] && at=(--url "$U") || at=(--url "$T" --tls-ca "$WORLD/tls/ca.pem" "${key[@]}")
	is "$way: a refusal before all was sent is heard" "$(podc "${at[@]}" load -i "$WORLD/zeros" 2>&1; echo $?)" "Error: no room
125"
	is "$way: an agreement, and the rest is sent still" "$(podc "${at[@]}" import - <"$WORLD/zeros" 2>&1; echo $?)" "sha256:$(printf 'a%.0s' {1..64})
0"
	is "$way: both at once, and neither waits for the other" "$(podc "${at[@]}" import - both <"$WORLD/zeros" 2>&1; echo $?)" "sha256:$(printf 'a%.0s' {1..64})
0"
done

# --- Sessions ---
# on_tty WORDS...: what it shows, and its status
on_tty() { timeout 60 script -qec "stty rows 33 cols 77; $BIN/pod $*; echo \$?" /dev/null </dev/null | tr -d '\r\b' | sed 's/\^[@D]//g'; }
is "a size that is never answered for holds nothing up" "$(on_tty "--url $U exec -t mute true")" "hello
3"
is "a session that came without an upgrade ends its connection" "$(podc --url "$U" exec 200 true; echo $?)" "hello
3"

# --- What only later services than Podman's 4.3 heed ---
is "create" "$(podc --url "$U" create --health-cmd true --health-startup-cmd 'test -e /x' --health-startup-success 2 --health-startup-retries 3 \
	--health-log-destination /there --health-max-log-count 7 --health-max-log-size 8 --hosts-file none --no-hostname --rdt-class low \
	--shm-size-systemd 1m --group-entry g:x:1: --gpus all --retry 2 --retry-delay 1s img:1 2>&1)" '\x1b[31mred
'"$(printf 'c%.0s' {1..64})"
is "it is told" "$(jq -c '[.startupHealthConfig.Test[1], .startupHealthConfig.Successes, .startupHealthConfig.Retries, .healthLogDestination, .healthMaxLogCount, .healthMaxLogSize, .base_hosts_file, .use_image_hostname, .intelRdt.closID, .shm_size_systemd, .group_entry, .devices[0].path]' "$WORLD/made")" \
	'["test -e /x",2,3,"/there",7,8,"none",true,"low",1048576,"g:x:1:","nvidia.com/gpu=all"]'
is "for an image of a platform the service is asked" "$(podc --url "$U" create --platform linux/arm64/v8 img:1 2>&1)" "Error: the service has not pulled img:1"
is "without pulling" "$(podc --url "$U" create --pull never --platform linux/arm64/v8 img:1 >/dev/null 2>&1; tail -n 1 "$WORLD/made" | jq -c '[.image_os, .image_arch, .image_variant, .healthLogDestination, .healthMaxLogCount, .healthMaxLogSize]')" '["linux","arm64","v8","local",5,500]'

# --- The system's authorities, where other distributions have them ---
if [ "$(id -u)" = 0 ]; then
	# with_authorities PATH WORDS...: the only one there is
	with_authorities() {
		unshare -m --propagation private sh -c '
			authority=$(cat "'"$WORLD/tls/ca.pem"'") path=$0
			for d in /etc/ssl /etc/pki; do [ ! -d "$d" ] || mount -t tmpfs none "$d"; done
			[ -d "${path%/*}" ] || mkdir -p "${path%/*}"
			[ -z "$path" ] || printf "%s\n" "$authority" >"$path"
			exec "$@"' "$@"
	}
	is "an authority in /etc/ssl/cert.pem" "$(with_authorities /etc/ssl/cert.pem "$BIN/pod" --url "$T" "${key[@]}" import - </dev/null 2>&1 | cut -c 1-12)" "sha256:aaaaa"
	check "none at all" eval 'with_authorities /etc/ssl/none "$BIN/pod" --url "$T" "${key[@]}" import - </dev/null 2>&1 | grep -q "reading the system'"'"'s authorities: "'
else
	skip "authorities elsewhere" "root hides those of this machine"
fi
finish
