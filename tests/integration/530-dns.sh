#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-net-dns as aardvark-dns: names of containers, who may ask what, forwarding, live changes, its privileges.
. "$(dirname "$0")/../tap.sh"
BUILD=${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
if [ "$(id -u)" != 0 ]; then
	skip "the DNS server" "needs root for addresses of its own"
	finish
fi
[ -n "${DNS_TEST_INSIDE:-}" ] || DNS_TEST_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"

D=$BUILD/libexec/pod/pod-net-dns
dir=$(mktemp -d /tmp/poddns.XXXXXX) || exit 1
server_end() { [ ! -s "$dir/$1/aardvark.pid" ] || kill "$(cat "$dir/$1/aardvark.pid")" 2>/dev/null; }
trap 'server_end names; server_end above; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/names" "$dir/above"
ip link set lo up
for a in 10.9.0.1 10.9.0.2 10.9.0.3 10.9.1.1 10.9.1.2 10.9.2.1 10.9.2.2 10.9.9.1 10.9.9.2; do
	ip addr add $a/32 dev lo
done
ip addr add fd09::1/128 dev lo nodad
ip addr add fd09::2/128 dev lo nodad
# The servers above: names that only they know; one of them is the host's resolver, one refuses everything.
printf '10.9.9.1\nx 192.0.2.7  outside.example\n' >"$dir/above/top"
printf '10.9.9.2\n' >"$dir/above/empty"
echo 'nameserver 10.9.9.1' >"$dir/resolv.conf"
mount --bind "$dir/resolv.conf" "$(realpath /etc/resolv.conf)"
cat >"$dir/names/n1" <<-END
	10.9.0.1,fd09::1
	c1 10.9.0.2 fd09::2 C1,web,111111111111
	c2 10.9.0.3  c2 10.9.9.1
	broken
END
cat >"$dir/names/n2" <<-END
	10.9.1.1 10.9.9.2,10.9.9.1
	c1 10.9.1.2  c1,other
	c9 10.9.1.9  c9
END
printf '10.9.2.1\nin 10.9.2.2  in\n' >"$dir/names/n3%int"

# ask CLIENT SERVER WORDS...: status, then the answers
ask() {
	local from=$1 at=$2
	shift 2
	dig +tries=1 +time=15 -b "$from" "@$at" "$@" >"$dir/out" 2>&1
	sed -nE 's/.*status: ([A-Z]+).*/\1/p' "$dir/out"
	awk '!/^;/ && NF { print $NF }' "$dir/out"
}
asked() { ask "$@" | tr '\n' ' ' | sed 's/ $//'; }

"$D" -c "$dir/above" -p 53 run || not_ok "the server above starts"
is "it starts and returns" "$("$D" --config "$dir/names" --port 53 run 2>&1; echo $?)" 0
pid=$(cat "$dir/names/aardvark.pid")
is "a second one for the same directory is refused" \
	"$("$D" -c "$dir/names" -p 53 run >/dev/null 2>&1; echo $?)" 125

is "a name" "$(asked 10.9.0.3 10.9.0.1 c1)" "NOERROR 10.9.0.2"
is "an alias, in capitals and with the domain" "$(asked 10.9.0.3 10.9.0.1 WEB.dns.podman)" "NOERROR 10.9.0.2"
is "its IPv6 address" "$(asked 10.9.0.3 10.9.0.1 c1 aaaa)" "NOERROR fd09::2"
is "by IPv6" "$(asked fd09::2 fd09::1 c2)" "NOERROR 10.9.0.3"
is "a name without such an address" "$(asked 10.9.0.2 10.9.0.1 c2 aaaa)" "NOERROR"
is "by TCP" "$(asked 10.9.0.3 10.9.0.1 +tcp c1)" "NOERROR 10.9.0.2"
is "the address back to names" "$(asked 10.9.0.3 10.9.0.1 -x 10.9.0.2)" "NOERROR c1. web. 111111111111."
is "an IPv6 address too" "$(asked 10.9.0.3 10.9.0.1 -x fd09::2)" "NOERROR c1. web. 111111111111."
is "all networks of who asks are seen" "$(asked 10.9.0.2 10.9.0.1 c9)" "NOERROR 10.9.1.9"
is "other networks are not" "$(asked 10.9.0.3 10.9.0.1 c9.dns.podman)" "NXDOMAIN"
is "a stranger is refused" "$(asked 10.9.2.2 10.9.0.1 c1)" "REFUSED"
is "by TCP it is not even heard" "$(asked 10.9.2.2 10.9.0.1 +tcp c1)" ""
is "the host sees the network it asks in" "$(asked 10.9.0.1 10.9.0.1 c2)" "NOERROR 10.9.0.3"
is "another class is refused" "$(asked 10.9.0.3 10.9.0.1 version.bind. CH TXT)" "REFUSED"

is "the rest is asked of the host's resolver" "$(asked 10.9.0.1 10.9.0.1 outside.example)" "NOERROR 192.0.2.7"
is "of the container's own" "$(asked 10.9.0.3 10.9.0.1 outside.example)" "NOERROR 192.0.2.7"
is "TCP by TCP" "$(asked 10.9.0.3 10.9.0.1 +tcp outside.example)" "NOERROR 192.0.2.7"
is "of the network's, past one that fails" "$(asked 10.9.1.2 10.9.1.1 outside.example)" "NOERROR 192.0.2.7"
# Clients of one network, whose resolver says nothing, ask as much as they may.
for a in 10.9.9.7 $(seq -f 10.9.3.%g 1 13); do ip addr add "$a/32" dev lo; done
{ echo "10.9.3.1 10.9.9.7"; for i in $(seq 2 13); do echo "h$i 10.9.3.$i  h$i"; done; } >"$dir/names/hog"
kill -HUP "$pid"
cat >"$dir/hog.pl" <<'END'
use IO::Socket::INET;
my $mute = IO::Socket::INET->new(LocalAddr => "10.9.9.7", LocalPort => 53, Proto => "udp") or die;
my @s = map { IO::Socket::INET->new(LocalAddr => "10.9.3.$_", PeerAddr => "10.9.3.1", PeerPort => 53, Proto => "udp") or die } 2 .. 13;
my @t = map { IO::Socket::INET->new(LocalAddr => "10.9.3.$_", PeerAddr => "10.9.3.1", PeerPort => 53, Proto => "tcp") or die } map { ($_) x 16 } 2 .. 13;
for my $i (1 .. 80) { for my $s (@s) { $s->send(pack("n6", $i, 0x100, 1, 0, 0, 0) . "\4slow\7example\0" . pack("n2", 1, 1)) } select(undef, undef, undef, 0.005) }
print "asked\n";
close STDOUT;
sleep 3;
END
exec 8< <(perl "$dir/hog.pl")
read -r -t 20 hogs <&8
is "one network takes not all places ($hogs)" "$(asked 10.9.0.3 10.9.0.1 outside.example)" "NOERROR 192.0.2.7"
is "nor by TCP" "$(asked 10.9.0.3 10.9.0.1 +tcp outside.example)" "NOERROR 192.0.2.7"
exec 8<&-
rm "$dir/names/hog"
is "an internal network asks nobody" "$(asked 10.9.2.2 10.9.2.1 outside.example)" "NXDOMAIN"
# Written in place, as the file may be mounted.
echo 'nameserver 10.9.9.2' >"$dir/resolv.conf"
until_is "a changed resolv.conf is seen" "SERVFAIL" asked 10.9.0.1 10.9.0.1 outside.example

printf '10.9.0.1,fd09::1\nc5 10.9.0.2  c5\n' >"$dir/names/n1"
rm "$dir/names/n2"
kill -HUP "$pid"
until_is "changes are seen at once" "NOERROR 10.9.0.2" asked 10.9.0.2 10.9.0.1 c5
is "what went is unknown" "$(asked 10.9.0.2 10.9.0.1 c2.dns.podman)" "NXDOMAIN"
# A query that waits together with the news of who asks it
kill -STOP "$pid"
printf '10.9.0.1,fd09::1\nc5 10.9.0.2  c5\nc6 10.9.0.3  c6\n' >"$dir/names/n1"
kill -HUP "$pid"
asked 10.9.0.3 10.9.0.1 c5 >"$dir/waited" &
until_ok 10 sh -c "ss -Hlnu src 10.9.0.1 | grep -vq '^UNCONN *0 '" || not_ok "the query waits"
kill -CONT "$pid"
wait $!
is "news that came before a query count for it" "$(cat "$dir/waited")" "NOERROR 10.9.0.2"
is "a network that went is not listened for" "$(ss -Hlnu src 10.9.1.1 | wc -l)" 0

# What it may do.
is "it is nobody" "$(awk '/^Uid/ { print $2 $3 $4 }' "/proc/$pid/status")" 655346553465534
is "with one capability" "$(awk '/^CapEff/ { print $2 }' "/proc/$pid/status")" 0000000000000400
is "and a filter" "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")" 2
is "its root is the directory of names, read-only" \
	"$(awk '$5 == "/" { print $6 }' "/proc/$pid/mountinfo" | grep -c '^ro')" 1
# Else whoever has taken it over chose which process is signalled in its place.
for fd in "/proc/$pid/fd"/*; do [ "$(readlink "$fd")" = / ] || ls -iL "$fd"; done 2>/dev/null >"$dir/files"
held=$(sed -nE "s,^ *$(stat -c %i "$dir/names/aardvark.pid") .*/,,p" "$dir/files")
is "the file that names it is held open, not to be written" \
	"$(sed -nE 's/^flags:.*(.)$/\1/p' "/proc/$pid/fdinfo/${held:-none}")" 0

# Garbage, and clients that hold connections, take nothing from others.
for _ in $(seq 200); do head -c $((RANDOM % 90)) /dev/urandom >/dev/udp/10.9.0.1/53; done
fds=()
for _ in $(seq 40); do exec {fd}<>/dev/tcp/10.9.0.1/53 && fds+=("$fd"); done 2>/dev/null
is "after garbage and idle connections it answers" "$(asked 10.9.0.2 10.9.0.1 +tcp c5)" "NOERROR 10.9.0.2"
for fd in "${fds[@]}"; do exec {fd}>&-; done

rm "$dir/names/n1" "$dir/names/n3%int"
kill -HUP "$pid"
check "without networks it ends" until_ok 20 test ! -d "/proc/$pid"
is "and may be started again, for nothing" "$("$D" -c "$dir/names" -p 53 run 2>&1; echo $?)" 0
printf '10.9.1.1 10.9.9.1\nc1 10.9.1.2  c1\n' >"$dir/names/n2"
is "AARDVARK_NO_PROXY: it starts" "$(AARDVARK_NO_PROXY=1 "$D" -c "$dir/names" -p 53 run 2>&1; echo $?)" 0
is "and answers" "$(asked 10.9.1.2 10.9.1.1 c1)" "NOERROR 10.9.1.2"
is "but asks nobody else" "$(asked 10.9.1.2 10.9.1.1 outside.example)" "NXDOMAIN"
is "nor by TCP" "$(asked 10.9.1.2 10.9.1.1 +tcp outside.example)" "NXDOMAIN"
server_end names
check "it ends" until_ok 20 ended "$(cat "$dir/names/aardvark.pid")"
is "with a domain of its own" "$("$D" -c "$dir/names" -p 53 -f .Corp.Example run 2>&1; echo $?)" 0
is "names are in that one" "$(asked 10.9.1.2 10.9.1.1 C1.corp.example)" "NOERROR 10.9.1.2"
is "where others are not known" "$(asked 10.9.1.2 10.9.1.1 c2.corp.example)" "NXDOMAIN"
is "a domain that is none" "$("$D" -c "$dir/names" -p 53 -f . run >/dev/null 2>&1; echo $?)" 125
check "--version" grep -qE '^aardvark-dns [0-9]' <<<"$("$D" --version)"
finish
