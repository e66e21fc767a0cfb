#!/bin/bash
# SPDX-License-Identifier: ISC
# What 800 has no row for: options of drivers, of pasta and of slirp4netns by their effect, resolvers of containers
# and of networks, what is never read.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
. "$(dirname "$0")/../net-rows.sh"
net_rows_world "$@"
for a in 2001:db8:85::1/64 2001:db8:85::3/64; do ip addr add $a dev out nodad; done
ip addr add 2001:db8:86::1/64 dev away nodad
ip -6 route add default via 2001:db8:85::fe dev out
# A resolver: every name has the address 192.0.2.77 by UDP and 192.0.2.78 by TCP.
cat >"$WORLD/dns.py" <<'END'
import socket, threading
def answer(q, last):
    end = q.index(b"\0", 12) + 5
    is_a = q[end - 4:end - 2] == b"\0\1"
    data = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4\xc0\0\2" + last if is_a else b""
    return q[:2] + b"\x81\x80\0\1\0" + (b"\1" if is_a else b"\0") + b"\0\0\0\0" + q[12:end] + data
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("198.51.100.1", 53))
tcp = socket.create_server(("198.51.100.1", 53))
def stream():
    while True:
        c, _ = tcp.accept()
        r = answer(c.recv(600)[2:], b"\x4e")
        c.sendall(len(r).to_bytes(2, "big") + r)
        c.close()
threading.Thread(target=stream, daemon=True).start()
print("ready", flush=True)
while True:
    q, a = udp.recvfrom(512)
    udp.sendto(answer(q, b"\x4d"), a)
END
python3 "$WORLD/dns.py" >"$WORLD/dns.out" 2>&1 &
remember_pid $!
until_ok 20 grep -qs ready "$WORLD/dns.out"

rows() {
	cat <<'ROWS'
N04 reload of the latest|[ "$($P network reload -l)" = "$($P ps -l -q --no-trunc)" ]
N03 connect by IPv6|$P network create --subnet 10.85.23.0/24 --subnet fd85:23::/64 w1 && $P network connect --ip6 fd85:23::33 w1 q2 && $P exec q2 ip -o -6 addr show eth1 | grep -q 'fd85:23::33/64' && $P network disconnect w1 q2
N05 IPv6 only where the network has it|$P network create --subnet 10.85.64.0/24 --interface-name br64 fam4 && $P network create --subnet 10.85.65.0/24 --subnet fd85:65::/64 fam6 && $P run -d --name fam --network fam4:interface_name=f4,host_interface_name=wire64 --network fam6:interface_name=f6 $A sleep 1000 && link_local() { $P exec fam ip -o -6 addr show dev f6 scope link | grep -q fe80; } && until_ok 20 link_local && [ -z "$($P exec fam ip -o -6 addr show dev f4)" ] && $NS grep -q wire64 /proc/net/dev && ! $NS grep -q wire64 /proc/net/if_inet6 && $P rm -f -t 0 fam && $P network rm fam4 fam6
N05 isolate=strict|$P network create --subnet 10.85.24.0/24 -o isolate=strict st1 && $P network create --subnet 10.85.25.0/24 st2 && $P run -d --name strict --network st1:ip=10.85.24.5 $A httpd -f -p 80 -h /www && until_ok 20 $P run --rm --network st1 $A timeout 5 wget -qO- http://10.85.24.5/ && ! $P run --rm --network st2 $A sh -c 'timeout 2 wget -qO- http://10.85.24.5/; exit $?' && $P run -d --name open --network st2:ip=10.85.25.5 $A httpd -f -p 80 -h /www && ! $P exec strict timeout 2 wget -qO- http://10.85.25.5/
N05 mode=unmanaged|$NS ip link add mine85 type bridge && $NS ip addr add 10.85.28.1/24 dev mine85 && $NS ip link set mine85 up && $P network create --subnet 10.85.28.0/24 --interface-name mine85 -o mode=unmanaged um && $P run -d --name um --network um:ip=10.85.28.5 $A httpd -f -p 80 -h /www && until_ok 20 $NS curl -sf -m 5 http://10.85.28.5/ && ! $NS nft list ruleset | grep -q 10.85.28 && $P rm -f -t 0 um && $P network rm um && $NS ip -o -4 addr show mine85 | grep -q 10.85.28.1/24 && $NS ip link del mine85
N05 unmanaged, and there is none|$P network create --subnet 10.85.28.0/24 --interface-name none85 -o mode=unmanaged um && ! $P run --rm --network um $A true 2>"$D/e" && grep -q 'the bridge must already exist' "$D/e" && $P network rm um
N05 host_interface_name|$P network create --interface-name br29 --subnet 10.85.29.0/24 hi && $P run -d --name hi --network hi:host_interface_name=wire85 $A sleep 1000 && $NS ip -o link show master br29 | grep -q wire85 && ! $P run --rm --network hi:host_interface_name=wire85 $A true 2>"$D/e" && grep -q 'interface wire85 already exists on the host' "$D/e" && for i in 1 2 3 4; do $P restart -t 0 hi || exit 1; done && sleep 2 && $NS ip -o link show master br29 | grep -q wire85 && $P exec hi ip -o -4 addr show eth0 | grep -q 10.85.29 && $P rm -f -t 0 hi
N05 host_interface_name of somebody else|$NS ip link add other85 type bridge && ! $P run --rm --network hi:host_interface_name=other85 $A true 2>"$D/e" && grep -q 'interface other85 already exists on the host' "$D/e" && sleep 2 && $NS ip link del other85
N05 outbound_addr4, outbound_addr6|$P network create --interface-name br26 --subnet 10.85.26.0/24 --subnet fd85:26::/64 ob1 && $P run -d --name seer --network ob1:ip=10.85.26.5,ip6=fd85:26::5 $A httpd -f -v -p 80 -h /www && $NS ip addr add 10.85.26.99/24 dev br26 && $NS ip addr add fd85:26::99/64 dev br26 nodad && $P network create --subnet 10.85.27.0/24 --subnet fd85:27::/64 -o outbound_addr4=10.85.26.99 -o outbound_addr6=fd85:26::99 ob2 && $P run -d --name ob2 --network ob2 $A sleep 1000 && for u in 10.85.26.5 '[fd85:26::5]'; do until_ok 20 $P exec ob2 timeout 5 wget -qO- "http://$u/" || exit 1; done; until_ok 20 sh -c '[ "$($0 logs seer 2>&1 | grep -oE "10\.85\.26\.99|fd85:26::99" | sort -u | wc -l)" = 2 ]' "$P"
N05 vlan|if $NS ip link add tv85 type bridge vlan_filtering 1; then $NS ip link del tv85; for n in 1 2; do $P network create --interface-name trunk85 --subnet 10.85.30.0/24 -o vlan=${n}0 vl$n; done; $P run -d --name vl --network vl1:ip=10.85.30.5 $A httpd -f -p 80 -h /www && until_ok 20 $P run --rm --network vl1:ip=10.85.30.6 $A timeout 5 wget -qO- http://10.85.30.5/ && ! $P run --rm --network vl2:ip=10.85.30.7 $A sh -c 'timeout 2 wget -qO- http://10.85.30.5/; exit $?'; else $P network create --subnet 10.85.30.0/24 -o vlan=10 vl1 && ! $P run --rm --network vl1 $A true 2>"$D/e" && grep -q '^Error: ' "$D/e"; fi
N06 what one has, no other gets|$P network create --subnet 10.85.31.0/29 few && for i in 1 2 3 4 5; do $P run -d --name few$i --network few $A sleep 1000 || exit 1; done; [ "$(for i in 1 2 3 4 5; do $P inspect -f '{{.NetworkSettings.Networks.few.IPAddress}}' few$i; done | sort -u | wc -l)" = 5 ] && ! $P run --rm --network few $A true 2>"$D/e" && grep -q 'no free ip\|IPAM error' "$D/e" && $P rm -f -t 0 few3 && $P run --rm --network few $A true
N06 after the machine went down|p2() { "$BIN/pod" --root "$D/r2" --runroot "$D/rr2" --network-config-dir "$D/defs2" "$@"; }; ip_of() { p2 inspect -f '{{.NetworkSettings.Networks.rb.IPAddress}}' "$1"; }; mkdir "$D/defs2" && $P save -q -o "$D/img.tar" $A && p2 load -q -i "$D/img.tar" && p2 network create --subnet 10.85.40.0/24 rb && p2 run -d --name r1 --network rb:ip=10.85.40.50 $A httpd -f -p 80 -h /www && p2 run -d --name r2 --network rb $A sleep 1000 && p2 run -d --name r3 --network rb $A sleep 1000 && pids=$(p2 inspect -f '{{.State.ConmonPid}} {{.State.Pid}}' r1 r2 r3) && kill -KILL $pids && until_ok 20 sh -c 'for p; do grep -q "^State:.*[RSDT] (" /proc/$p/status 2>/dev/null && exit 1; done; exit 0' sh $pids && until_ok 20 test ! -e "$D/rr2/net/rootless.ns" && { [ "$(id -u)" = 0 ] || p2 unshare cat "$D/rr2/net/dns/aardvark.pid" >"$D/dns.pid"; } && { [ "$(id -u)" = 0 ] || p2 unshare kill -KILL "$(cat "$D/dns.pid")"; } && rm -rf "$D/rr2" && p2 start r3 r2 r1 && [ "$(ip_of r1)" = 10.85.40.50 ] && [ "$(for i in 1 2 3; do ip_of r$i; done | grep '^10.85.40' | sort -u | wc -l)" = 3 ] && ! p2 run --rm --network rb:ip=10.85.40.50 $A true 2>"$D/e" && grep -q 'already allocated' "$D/e" && until_ok 20 p2 exec r2 timeout 5 wget -qO- http://10.85.40.50/ && p2 rm -f -a -t 0 && until_ok 20 test ! -e "$D/rr2/net/rootless.ns"
N07 by IPv6|$P run -d --name six --network n1 -p '[2001:db8:85::1]:18840:80' -p 18841:80 $A httpd -f -p 80 -h /www && [ "$(until_ok 20 get 'http://[2001:db8:85::1]:18840/')" = 'hello from pod' ] && ! get -m 3 http://192.0.2.1:18840/ && ! get -m 3 'http://[2001:db8:85::3]:18840/' && [ "$(get 'http://[2001:db8:85::3]:18841/')" = 'hello from pod' ]
N07 on the loopback by IPv6 # user|$P run -d --name one --network n1 -p '[::1]:18846:80' $A httpd -f -p 80 -h /www && [ "$(until_ok 20 get 'http://[::1]:18846/')" = 'hello from pod' ] && ! get -m 3 http://127.0.0.1:18846/ && ! get -m 3 'http://[2001:db8:85::1]:18846/'
N07 its own published port|[ "$(until_ok 20 $P exec q1 timeout 5 wget -qO- http://192.0.2.1:18801/)" = 'page of q1' ]
N07 where it came from|$P run -d --name src --network n1 -p 18842:80 $A httpd -f -v -p 80 -h /www && until_ok 20 get -o /dev/null --interface 192.0.2.3 http://192.0.2.1:18842/ && until_ok 20 sh -c '$0 logs src 2>&1 | grep -q 192.0.2.3' "$P"
N07 no packet filter for users # user|printf '[network]\nfirewall_driver = "none"\n' >"$D/nofw" && $P network create --subnet 10.85.22.0/24 u2 && CONTAINERS_CONF="$D/nofw" $P run -d --name nofw --network u2 $A sleep 1000 && ! $NS nft list ruleset | grep 10.85.22
N07 a network without published ports does not lead from the loopback; one that gets them does|$P network create --interface-name shut85 --subnet 10.85.43.0/24 u4 && $P run -d --name shut3 --network u4 $A sleep 1000 && [ "$($NS cat /proc/sys/net/ipv4/conf/shut85/route_localnet)" = 0 ] && $P run -d --name port3 -p 127.0.0.1::80 --network n1 $A sleep 1000 && $P network connect u4 port3 && [ "$($NS cat /proc/sys/net/ipv4/conf/shut85/route_localnet)" = 1 ] && $P rm -f -t 0 shut3 port3 && $P network rm u4
N07 without a packet filter the loopback stays closed|printf '[network]\nfirewall_driver = "none"\n' >"$D/nofw" && $P network create --interface-name nofw85 --subnet 10.85.42.0/24 u3 && CONTAINERS_CONF="$D/nofw" $P run -d --name nofw3 --network u3 $A sleep 1000 && [ "$($NS cat /proc/sys/net/ipv4/conf/nofw85/route_localnet)" = 0 ] && $P run -d --name fw3 --network n1 -p 127.0.0.1::80 $A sleep 1000 && [ "$($NS cat /proc/sys/net/ipv4/conf/"$($P network inspect -f '{{.NetworkInterface}}' n1)"/route_localnet)" = 1 ]
N07 no such driver|printf '[network]\nfirewall_driver = "warp"\n' >"$D/warp" && ! CONTAINERS_CONF="$D/warp" $P run --rm --network n1 $A true 2>"$D/e" && grep -q 'Must provide a valid firewall backend, got warp' "$D/e"
N07 a back end that is none|printf '[network]\nnetwork_backend = "warp"\n' >"$D/be" && ! CONTAINERS_CONF="$D/be" $P network ls 2>"$D/e" && grep -q 'unsupported network backend "warp"' "$D/e"
N08 a container's own servers|$P run --rm --network n1 --dns 198.51.100.1 $A sh -c 'cat /etc/resolv.conf; nslookup far.example; nslookup q1.dns.podman' >"$D/o"; grep -qx 'nameserver 10.85.1.1' "$D/o" && ! grep -q 'nameserver 198' "$D/o" && grep -q 192.0.2.77 "$D/o" && grep -q 10.85.1.11 "$D/o"
N08 a network's servers, while it runs|$P network create --subnet 10.85.32.0/24 --dns 192.0.2.200 ns1 && $P run -d --name ns1 --network ns1 $A sleep 1000 && $P network update --dns-add 198.51.100.1 --dns-drop 192.0.2.200 ns1 && until_ok 20 sh -c '$0 exec ns1 timeout 5 nslookup far.example | grep -q 192.0.2.77' "$P"
N08 by TCP as by UDP|for w in '+notcp 77' '+tcp 78'; do [ "$($IN nsenter -n -t "$($P inspect -f '{{.State.Pid}}' ns1)" dig "${w% *}" +short +time=5 +tries=2 @10.85.32.1 far.example)" = "192.0.2.${w#* }" ] || exit 1; done
N08 its own search domain|$P run --rm --network n1 --dns-search example.org $A grep -x 'search example.org dns.podman\|search dns.podman example.org\|search example.org' /etc/resolv.conf
N08 the port of the configuration # user|p2() { "$BIN/pod" --root "$D/r2" --runroot "$D/rr2" --network-config-dir "$D/defs2" "$@"; }; printf '[network]\ndns_bind_port = 1053\n' >"$D/port" && export CONTAINERS_CONF="$D/port" && p2 network create --subnet 10.85.41.0/24 pt && p2 run -d --name pt --network pt $A sleep 1000 && [ "$(p2 unshare --rootless-netns ss -Hlun | grep -o '10.85.41.1:[0-9]*')" = 10.85.41.1:1053 ] && p2 exec pt nslookup pt.dns.podman | grep -q 'Address.* 10.85.41.2$' && p2 rm -f -t 0 pt && until_ok 20 test ! -e "$D/rr2/net/rootless.ns"
N09 pasta's interface, address of hardware, gateway # user|$P run --rm --network pasta:-I,in85,--ns-mac-addr,92:85:00:00:00:01,-a,192.0.2.50,-n,24,-g,192.0.2.9 $A sh -c 'ip -o link show in85; ip -o -4 addr show in85; ip route' | grep -cE '92:85:00:00:00:01|192.0.2.50/24|^default via 192.0.2.9 dev in85' | grep -qx 3
N09 pasta, IPv4 only, IPv6 only # user|[ -z "$($P run --rm --network pasta:-4 $A ip -o -6 addr show scope global)" ] && [ -z "$($P run --rm --network pasta:-6 $A ip -o -4 addr show scope global)" ]
N09 pasta, ports of the host inside # user|[ "$($P run --rm --network pasta:-T,18850 $A timeout 5 wget -qO- http://127.0.0.1:18850/)" = 'the host' ] && ! $P run --rm --network pasta $A timeout 5 wget -qO- http://127.0.0.1:18850/
N09 pasta, ports by its own option # user|$P run -d --name past --network pasta:-t,127.0.0.1/18843:80 $A httpd -f -p 80 -h /www && [ "$(until_ok 20 get http://127.0.0.1:18843/)" = 'hello from pod' ]
N09 what pasta says of a bad one # user|! $P run --rm --network pasta:--nosuch85 $A true 2>"$D/e" && grep -qx "Error: pasta failed with exit code 1: .*unrecognized option .--nosuch85." "$D/e"
N10 the host's loopback is closed # user|! $P run --rm --network slirp4netns $A timeout 5 wget -qO- http://10.0.2.2:18850/ && [ "$($P run --rm --network slirp4netns:allow_host_loopback=true $A timeout 5 wget -qO- http://10.0.2.2:18850/)" = 'the host' ]
N10 the host by name # user|[ "$($P run --rm --network slirp4netns $A timeout 5 wget -qO- http://host.containers.internal:18850/)" = 'the host' ] && [ "$($P run --rm --network slirp4netns:allow_host_loopback=true $A timeout 5 wget -qO- http://host.containers.internal:18850/)" = 'the host' ]
N10 enable_ipv6 # user|[ -z "$($P run --rm --network slirp4netns $A ip -o -6 addr show dev tap0 scope global)" ] && [ "$($P run --rm --network slirp4netns:enable_ipv6=true,allow_host_loopback=true $A sh -c 'for i in $(seq 20); do timeout 5 wget -qO- "http://[fd00::2]:18850/" && exit; sleep .5; done')" = 'the host' ]
N10 its addresses of IPv6 are of use at once # user|[ "$($P run --rm --network slirp4netns:enable_ipv6=true $A sh -c 'cd /proc/sys/net/ipv6/conf; cat tap0/accept_dad default/accept_dad' | xargs)" = '0 1' ]
N10 outbound_addr # user|for w in 192.0.2.3; do $P run --rm --network slirp4netns:outbound_addr=$w $A timeout 5 wget -qO- http://198.51.100.1:18850/ && until_ok 20 grep -q "$w" "$WORLD/seen" || exit 1; done
N10 outbound_addr, an interface # user|: >"$WORLD/seen"; $P run --rm --network slirp4netns:outbound_addr=out $A timeout 5 wget -qO- http://198.51.100.1:18850/ && until_ok 20 grep -q '192.0.2.1' "$WORLD/seen"
N10 outbound_addr6 # user|$P run --rm --network slirp4netns:enable_ipv6=true,outbound_addr6=2001:db8:85::3 $A sh -c 'for i in $(seq 20); do timeout 5 wget -qO- "http://[2001:db8:86::1]:18850/" && exit; sleep .5; done; exit 1' && until_ok 20 grep -q '2001:db8:85::3' "$WORLD/seen"
N10 port_handler # user|for h in rootlesskit slirp4netns; do $P run -d --name sl$h --network slirp4netns:port_handler=$h -p 127.0.0.1:18844:80 -p 127.0.0.1:18845:53/udp $A httpd -f -p 80 -h /www && [ "$(until_ok 20 get http://127.0.0.1:18844/)" = 'hello from pod' ] && $P rm -f -t 0 sl$h || exit 1; done
N10 its resolver # user|$P run --rm --network slirp4netns:cidr=10.9.0.0/24 $A grep -qx 'nameserver 10.9.0.3' /etc/resolv.conf && $P run --rm --network slirp4netns --dns 198.51.100.1 $A nslookup far.example | grep -q 192.0.2.77
N10 not for root # |! $P run --rm --network slirp4netns $A true 2>"$D/e" && grep -q slirp4netns "$D/e"
N12 ports are the other's|$P run --rm --network container:q1 -p 80:80 $A true 2>"$D/e" && grep -q 'Port mappings have been discarded' "$D/e"
N12 no namespace of networks|for x in /etc/passwd "$D" /proc/self/ns/uts; do ! $P create --network "ns:$x" $A true 2>"$D/e" && grep -qx "Error: $x is not a network namespace: invalid argument" "$D/e" || exit 1; done; ! $P create --network ns:/none $A true 2>"$D/e" && grep -q 'cannot find specified network namespace path' "$D/e"
N12 the other's hosts are not added to|! $P create --network container:q1 --add-host x:192.0.2.7 $A true 2>"$D/e" && grep -qx 'Error: cannot set extra host entries when the container is joined to another containers network namespace: invalid configuration' "$D/e"
N12 the files of the other|$P run --rm --network container:q1 $A cat /etc/resolv.conf >"$D/r" && $P exec q1 cat /etc/resolv.conf | cmp - "$D/r"
N13 is where the bridges are # user|[ "$($P unshare --rootless-netns readlink /proc/self/ns/net)" != "$(readlink /proc/self/ns/net)" ] && [ "$($P unshare readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] && $P unshare --rootless-netns ip route get 10.85.1.11 | grep -q 'dev podman'
N13 not for root # |! $P unshare --rootless-netns true 2>"$D/e" && grep -q '^Error: ' "$D/e"
R15 networks are not read|command -v strace >/dev/null || exit 0; reads() { strace -f -o "$D/trace" -e trace=openat,openat2,open $P "$@" && grep -c '/networks\|"n1.json"' "$D/trace"; true; }; [ "$(reads info | tail -n 1)" = 0 ] && [ "$(reads run --rm --net none $A true)" = 0 ] && [ "$(reads run --rm --network n1 $A true)" -gt 0 ]
R15 what does nothing|$P run --rm --network n1 --link-local-ip 169.254.1.2 $A true
R15 words that contradict|for w in '--network none --ip 10.85.1.9' '--network host -p 80:80 --network-alias x' '--network n1 --network none' '--network n1 --network n1' '--network n1 --ip 10.99.0.1' '--network n1 --mac-address zz' '--network n1:colour=blue' '--network ns:/none'; do ! $P run --rm $w $A true 2>"$D/e" && grep -q '^Error: ' "$D/e" || { echo "$w"; exit 1; }; done
R16 a file of hosts that is missing|! $P create --hosts-file "$D/nohosts" $A true 2>"$D/e" && grep -qx "Error: open $D/nohosts: no such file or directory" "$D/e" && cd "$D" && printf '192.0.2.9 base85\n' >later && $P create --name later --network none --hosts-file later $A grep base85 /etc/hosts && cd / && $P start -a later && rm "$D/later" && ! $P start -a later 2>"$D/e" && grep -q "open $D/later: no such file or directory" "$D/e" && $P rm later
R16 without a network the image's own resolv.conf|$P run --name nores --network none $A true && ! $P run --rm --network none $A grep . /etc/resolv.conf && [ -z "$($P inspect -f '{{.ResolvConfPath}}' nores)" ] && echo 'nameserver 192.0.2.66' >"$D/own" && $P cp "$D/own" nores:/etc/resolv.conf && $P commit -q nores own85 >/dev/null && $P rm nores && $P run -d --name nores --network none own85 sleep 1000 && [ "$($P exec nores cat /etc/resolv.conf; $P run --rm --network container:nores own85 cat /etc/resolv.conf)" = "$(cat "$D/own" "$D/own")" ] && $P rm -f -t 0 nores && $P rmi own85
R16 nor servers of one's own|for w in '--dns 192.0.2.7' '--dns-search example.org' '--dns-option ndots:3'; do ! $P create --network none $w $A true 2>"$D/e" && grep -qx 'Error: conflicting options: dns and the network mode: none' "$D/e" || exit 1; done
R16 the host's own|$P run --rm --network host $A cat /etc/resolv.conf | cmp - /etc/resolv.conf
ROWS
}

net_rows
