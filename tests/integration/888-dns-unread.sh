#!/bin/bash
# SPDX-License-Identifier: ISC
# A container that asks by TCP and never reads the answers costs the name server no memory, and no other container
# its answers.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
net create --subnet 10.84.1.0/24 n1 >/dev/null
# Many names of one address make a long answer.
aliases=$(printf -- '--network-alias alias-%04d-with-a-long-name ' $(seq 300))
# shellcheck disable=SC2086
pod run -d --name asks --network n1:ip=10.84.1.9 $aliases localhost/one:1 sleep 1000 >/dev/null
pod run -d --name web --network n1 localhost/one:1 sleep 1000 >/dev/null
own=$(readlink /proc/self/ns/net)
for pid in $(pgrep -x pod-net-dns); do
	[ "$(readlink "/proc/$pid/ns/net")" != "$own" ] || server=$pid
done
cat >"$WORLD/ask.pl" <<'END'
use IO::Socket::INET;
my ($to, $seconds) = @ARGV;
my $s = IO::Socket::INET->new(PeerAddr => $to, PeerPort => 53, Proto => "tcp") or exit 2;
my $name = join("", map { chr(length) . $_ } qw(9 1 84 10 in-addr arpa)) . "\0";
my $q = pack("n6", 7, 0x100, 1, 0, 0, 0) . $name . pack("n2", 12, 1);
$q = pack("n", length $q) . $q;
$s->blocking(0);
my ($n, $end) = (0, time + $seconds);
my $all = $q x 1000;
my $at = 0;
while (time < $end) {
	my $w = syswrite($s, $all, length($all) - $at, $at);
	if (!$w) { select(undef, undef, undef, 0.05); next }
	$at = ($at + $w) % length $all;
	$n += $w;
}
print int($n / length $q), "\n";
END
first=$(awk '/^VmRSS/ { print $2 }' "/proc/$server/status")
asked=$(inside asks perl "$WORLD/ask.pl" 10.84.1.1 2)
check "it has asked much ($asked)" [ "${asked:-0}" -gt 100 ]
peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$server/status")
check "the server has not grown with it ($first to $peak KB)" [ "$peak" -lt $((first + 16000)) ]
is "the others are answered" "$(pod exec web nslookup asks 2>/dev/null | grep -c 10.84.1.9)" 1
# Who reads late gets all the same.
cat >"$WORLD/late.pl" <<'END'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 53, Proto => "tcp") or exit 2;
my $name = join("", map { chr(length) . $_ } qw(9 1 84 10 in-addr arpa)) . "\0";
my $q = pack("n6", 7, 0x100, 1, 0, 0, 0) . $name . pack("n2", 12, 1);
$q = pack("n", length $q) . $q;
my $pid = fork;
if (!$pid) { for (1 .. 400) { my $at = 0; while ($at < length $q) { my $w = syswrite($s, $q, length($q) - $at, $at) or exit 1; $at += $w } } exit 0 }
select(undef, undef, undef, 0.2);
my $got = 0;
alarm 20;
while ($got < 400) {
	my ($head, $body) = ("", "");
	while (length $head < 2) { sysread($s, $head, 2 - length $head, length $head) or last }
	last if length $head < 2;
	my $n = unpack("n", $head);
	while (length $body < $n) { sysread($s, $body, $n - length $body, length $body) or last }
	$got++;
}
print "$got\n";
END
is "who reads late gets every answer" "$(inside asks perl "$WORLD/late.pl" 10.84.1.1)" 400
finish
