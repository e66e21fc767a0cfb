#!/bin/bash
# SPDX-License-Identifier: ISC
# The network of an ordinary user's container: pasta, and what is said where it cannot be.
. "$(dirname "$0")/../lib.sh"
P=$BUILD/bin/pod-net
if ! command -v pasta >/dev/null; then
	skip "pasta" "pasta is not installed"
	finish
fi
world
if [ "$(id -u)" = 0 ]; then
	err=$("$P" --runroot "$WORLD/nobody" setup --id x --mode pasta /proc/self/ns/net 2>&1)
	is "the superuser has no pasta" "$err" "Error: pasta networking is only supported for rootless mode"
fi
ordinary_user || {
	skip "pasta" "needs root to make an ordinary user"
	finish
}
port=$(free_port) udp=$(free_port)
cat >"$WORLD/inside.sh" <<-'END'
	P=$1 port=$2 udp=$3 drive=$4
	run=$XDG_RUNTIME_DIR/podnet
	p() { "$P" --runroot "$run" --root "$HOME/root" "$@"; }
	helper() { pgrep -U 0 -f "helpers/$1\$"; }
	# eventually COMMAND...: repeats the command until it succeeds; it has 20 s for it
	eventually() { for _ in $(seq 200); do "$@" && return; sleep 0.1; done; }
	none() { [ "$(helper "$1" | wc -l)" = 0 ]; }
	unshare -n sleep 600 </dev/null >/dev/null 2>&1 &
	s=$!
	until [ "$(readlink /proc/$s/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
	# One that does not come up is given up; meanwhile the rest goes on.
	cat >hang <<-'FAKE'
		#!/bin/sh
		case $1 in --help) echo --netns --dns-forward ;; *) exec sleep 1000 ;; esac
	FAKE
	chmod 755 hang
	unshare -m sh -c 'mount --bind hang "$(readlink -f "$(command -v pasta)")" && exec "$@"' sh \
		"$P" --runroot "$XDG_RUNTIME_DIR/hang" --root "$HOME/root" setup --mode pasta --id hang /proc/$s/ns/net >hung 2>&1 &
	hang=$! hung=$PWD/hung
	mkdir "$HOME/site" && cd "$HOME/site" && echo "hello from inside" >index.html
	nsenter -n -t $s busybox httpd -f -p 80 >/dev/null 2>&1 &
	h=$!
	p setup --mode pasta --id one -p "$port:80" -p "$udp-$((udp + 1)):$udp-$((udp + 1))/udp" /proc/$s/ns/net >one.json || exit 1
	echo "address $(jq -r '.interfaces[].subnets[0].ipnet' one.json | head -n 1)"
	echo "resolver $(jq -r '.dns_servers[0]' one.json)"
	eventually sh -c "nsenter -n -t $s ss -Hltn sport = 80 | grep -q ."
	echo "v4 $(curl -s -m 15 "http://127.0.0.1:$port/")"
	nsenter -n -t $s "$drive" udp-echo $((udp + 1)) &
	eventually sh -c "nsenter -n -t $s ss -Hlun sport = $((udp + 1)) | grep -q ."
	echo "udp $("$drive" udp-ask 127.0.0.1 $((udp + 1)) datagram)"
	echo "in use: $(p setup --mode pasta --id two -p "$port:80" /proc/$s/ns/net 2>&1)"
	echo "helpers $(helper one | wc -l)"
	p teardown one
	eventually none one
	echo "after teardown $(helper one | wc -l) $(ls "$run/net/containers" "$run/net/helpers" | grep -c one)"
	kill $h
	# A helper whose container is gone, as after a crash.
	p setup --mode pasta --id three /proc/$s/ns/net >/dev/null
	eventually test -e "$run/net/helpers/three"
	p sweep
	eventually none three
	echo "after sweep $(helper three | wc -l)"
	# Without its file the helper leaves by itself.
	p setup --mode pasta --id four /proc/$s/ns/net >/dev/null
	rm "$run/net/helpers/four"
	eventually none four
	echo "without its link $(helper four | wc -l)"
	p sweep
	if command -v slirp4netns >/dev/null; then
		printf '#!/bin/sh\necho $$ >%s/pid\nexec busybox httpd -f -p 80\n' "$PWD" >serve
		chmod +x serve
		"$drive" -i slirp -m slirp4netns -p "$port:80" "$P" "$run" ./serve >slirp.out 2>&1 &
		d=$!
		eventually test -s pid
		echo "slirp address $(sed -n 's/^tap0 //p' slirp.out)"
		eventually sh -c "curl -s -m 15 http://127.0.0.1:$port/ >got && [ -s got ]"
		echo "slirp tcp $(cat got)"
		echo "slirp helpers $(helper slirp | wc -l)$(pgrep -U 0 -f 'helpers/slirp tap0' | wc -l)"
		kill $d
		eventually sh -c "! pgrep -U 0 -f 'helpers/[s]lirp tap0' >/dev/null"
		echo "slirp after the holder $(pgrep -U 0 -f 'helpers/slirp tap0' | wc -l)"
		echo "slirp option $("$drive" -m slirp4netns -o colour=blue "$P" "$run" 2>&1)"
		p sweep
	fi
	unshare -n sleep 600 </dev/null >/dev/null 2>&1 &
	t=$!
	until [ "$(readlink /proc/$t/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
	echo "bridge: $(p setup --id five /proc/$t/ns/net | jq -r '.interfaces.eth0.subnets[0].ipnet')"
	p teardown five
	kill $t
	eventually sh -c '! pgrep -U 0 -x pod-net-forward >/dev/null && ! pgrep -U 0 -f "helpers/rootless-netn[s]$" >/dev/null'
	echo "bridge gone: $(pgrep -U 0 -x pod-net-forward | wc -l)$(helper rootless-netns | wc -l)"
	kill $s
	wait $hang
	echo "hung: $(cat "$hung")"
END
chmod 755 "$WORLD/inside.sh"
as_user timeout 200 unshare -r --map-auto bash "$WORLD/inside.sh" "$P" "$port" "$udp" "$BUILD/tests/net-drive" >"$WORLD/out" 2>"$WORLD/err" </dev/null
line() { sed -n "s/^$1 //p" "$WORLD/out"; }
check "pasta gives the host's address" grep -qE '^address [0-9a-f.:]+/[0-9]+$' "$WORLD/out"
is "one that hangs is given up" "$(line hung:)" "Error: pasta did not start within 20 seconds"
is "queries go to the host's resolver" "$(line resolver)" 169.254.1.1
is "published tcp port" "$(line v4)" "hello from inside"
is "published udp port of a range" "$(line udp)" datagram
is "port in use" "$(line 'in use:')" \
	"Error: cannot listen on the TCP port: listen tcp4 :$port: bind: address already in use"
is "one helper runs" "$(line helpers)" 1
is "teardown ends it" "$(line 'after teardown')" "0 0"
is "a sweep ends it" "$(line 'after sweep')" 0
is "it ends when its link is gone" "$(line 'without its link')" 0
is "bridge mode: an address" "$(line bridge:)" 10.88.0.2/16
is "bridge mode: nothing stays" "$(line 'bridge gone:')" 00
if command -v slirp4netns >/dev/null; then
	is "slirp4netns: address" "$(line 'slirp address')" 10.0.2.100/24
	is "slirp4netns: published port" "$(line 'slirp tcp')" "hello from inside"
	is "slirp4netns: ends with the holder of the ports" "$(line 'slirp helpers') $(line 'slirp after the holder')" "01 0"
	is "slirp4netns: unknown option" "$(line 'slirp option')" "Error: option colour=blue for slirp4netns is not supported"
else
	skip "slirp4netns" "it is not installed"
fi
[ "$tap_failed" = 0 ] || sed 's/^/# /' "$WORLD/err" | head -n 20

if [ "$(stat -c %a /dev/net/tun 2>/dev/null)" = 600 ]; then
	install -d -o "$world_user" "$WORLD/u"
	cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$WORLD/"
	err=$(setpriv --reuid "$world_user" --clear-groups unshare -r "$WORLD/bin/pod-net" --runroot "$WORLD/u/run" --root "$WORLD/u/root" \
		setup --mode pasta --id x /proc/self/ns/net 2>&1)
	check "without /dev/net/tun the error says so" grep -q '^Error: opening /dev/net/tun: [Pp]ermission denied' <<<"$err"
else
	skip "without /dev/net/tun the error says so" "everybody may open it here"
fi
finish
