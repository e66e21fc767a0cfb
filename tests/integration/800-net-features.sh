#!/bin/bash
# SPDX-License-Identifier: ISC
# One check for each feature of networks, as root and as an ordinary user, in a network namespace of the test that
# leads to 192.0.2.0/24.  Protocols in depth: 060, 500 to 560, 700 to 730 and 950.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
. "$(dirname "$0")/../net-rows.sh"
net_rows_world "$@"

# Rows as net-rows.sh has them.
rows() {
	cat <<'ROWS'
N01 create|[ "$($P network create --subnet 10.85.9.0/24 --gateway 10.85.9.9 --ip-range 10.85.9.64/26 --label a=b --internal --dns 192.0.2.53 x1)" = x1 ] && $P network inspect x1 | jq -e '.[0] | .internal and .subnets[0].gateway == "10.85.9.9" and .subnets[0].lease_range.start_ip == "10.85.9.65" and .labels.a == "b" and .network_dns_servers == ["192.0.2.53"]'
N01 create, more options|$P network create -d bridge --disable-dns --ipv6 --interface-name br85 --ipam-driver host-local --route 10.86.0.0/16,10.85.10.7,50 --subnet 10.85.10.0/24 -o mtu=1400 x2 && [ "$($P network create --ignore x2)" = x2 ] && $P network inspect x2 | jq -e '.[0] | .network_interface == "br85" and (.subnets | length) == 2 and .ipv6_enabled and .dns_enabled == false and .options.mtu == "1400"'
N01 they take effect|$P run --rm --network x2 $A sh -c 'ip route show 10.86.0.0/16; cat /sys/class/net/eth0/mtu' | xargs | grep -q '^10.86.0.0/16 via 10.85.10.7 dev eth0 metric 50 1400$'
N02 ls|[ "$($P network ls -q --filter name=^x | sort | xargs)" = 'x1 x2' ] && $P network ls --format json | jq -e 'map(.name) | index("x1")' && $P network ls --noheading --no-trunc --format '{{.ID}}' | grep -qE '^[0-9a-f]{64}$'
N02 inspect|[ "$($P network inspect podman --format '{{(index .Subnets 0).Subnet}}')" = 10.88.0.0/16 ]
N02 exists, rm, prune|$P network exists x1 && $P network rm -f -t 0 x1 && ! $P network exists x1 && $P network prune -f --filter label!=keep | grep -qx x2
N02 a default subnet|printf '[network]\ndefault_subnet = "10.85.70.9/24"\n' >"$D/dsub" && export CONTAINERS_CONF="$D/dsub" && [ "$($P network inspect podman --format '{{(index .Subnets 0).Subnet}} {{(index .Subnets 0).Gateway}}')" = '10.85.70.0/24 10.85.70.1' ] && $P run --rm --network bridge $A ip -o -4 addr show eth0 | grep -qE ' 10\.85\.70\.[0-9]+/24 ' && ! $P network create --subnet 10.85.70.0/25 xx
N02 one of IPv6|printf '[network]\ndefault_subnet = "fd85:70::/64"\n' >"$D/dsub6" && CONTAINERS_CONF="$D/dsub6" $P run --rm --network podman $A ip -o -6 addr show eth0 | grep -q ' fd85:70::[0-9a-f]*/64 '
N02 no default subnet|for x in 10.85.70.0/31 10.85.70.0 none; do printf '[network]\ndefault_subnet = "%s"\n' $x >"$D/dbad"; ! CONTAINERS_CONF="$D/dbad" $P network ls 2>>"$D/dbad.e" || exit 1; done; [ "$(grep -c '^Error: failed to parse default subnet: invalid CIDR address\|^Error: default_subnet: subnet 10.85.70.0/31 is too small' "$D/dbad.e")" = 3 ]
N02 a default network|printf '[network]\ndefault_network = "mine"\ndefault_subnet = "10.85.71.0/24"\n' >"$D/dnet" && export CONTAINERS_CONF="$D/dnet" && $P network exists mine && ! $P network exists podman && $P run --rm --network bridge $A ip -o -4 addr show eth0 | grep -qE ' 10\.85\.71\.[0-9]+/24 ' && $P run --rm --network bridge:ip=10.85.71.77 $A ip -o -4 addr show eth0 | grep -q 10.85.71.77 && ! $P network rm mine 2>"$D/e" && grep -q 'default network mine cannot be removed' "$D/e" && $P network create --subnet 10.85.72.0/24 podman && [ "$($P network prune -f)" != mine ] && $P network exists mine
N03 connect|$P network create --subnet 10.85.11.0/24 x3 && $P network connect --alias late --ip 10.85.11.20 --mac-address 92:00:00:00:00:85 x3 q2 && $P exec q2 ip addr show eth1 | grep -c '92:00:00:00:00:85\|10.85.11.20/24' | grep -qx 2 && $P exec q2 nslookup late.dns.podman | grep -q 10.85.11.20
N03 disconnect|$P network disconnect x3 q2 && ! $P exec q2 ip link show eth1 2>/dev/null
N04 reload|[ "$($P network reload q1)" = "$($P inspect -f '{{.Id}}' q1)" ] && $P network reload -a | grep -q .
N04 reload restores|$NS nft flush ruleset && ! get -m 3 http://127.0.0.1:18800/ >/dev/null; $P network reload -a && $NS nft list ruleset | grep -q masquerade && [ "$(until_ok 20 get http://127.0.0.1:18800/)" = 'page of q1' ]
N04 update|$P network create --subnet 10.85.21.0/24 u1 && $P network update --dns-add 192.0.2.1,192.0.2.2 u1 && $P network update --dns-drop 192.0.2.1 u1 && [ "$($P network inspect u1 | jq -c '.[0].network_dns_servers')" = '["192.0.2.2"]' ]
N05 isolate|$P network create --subnet 10.85.12.0/24 -o isolate=true x4 && $P network create --subnet 10.85.13.0/24 -o isolate=true x5 && $P run -d --name iso --network x4:ip=10.85.12.5 $A httpd -f -p 80 -h /www && until_ok 20 $P run --rm --network x4 $A timeout 5 wget -qO- http://10.85.12.5/ && ! $P run --rm --network x5 $A sh -c 'timeout 2 wget -qO- http://10.85.12.5/; exit $?' 2>/dev/null
N05 metric, no_default_route|$P network create --subnet 10.85.14.0/24 -o metric=77 x6 && $P network create --subnet 10.85.15.0/24 -o no_default_route=true x7 && $P run --rm --network x6 $A ip route | grep -q 'default.*metric 77' && ! $P run --rm --network x7 $A ip route | grep default
N05 macvlan # |$P network create -d macvlan -o parent=out -o mode=bridge --subnet 10.85.20.0/24 x8 && $P run --rm --network x8:ip=10.85.20.14 $A ip addr show eth0 | grep -q 10.85.20.14/24
N05 macvlan in the user's own namespace # user|$P network create -d macvlan -o parent=tap0 --subnet 10.85.20.0/24 x8 && $P run --rm --network x8:ip=10.85.20.14 $A ip addr show eth0 | grep -q 10.85.20.14/24 && ! $P network create -d macvlan -o parent=out x10 2>"$D/e" && grep -q 'parent interface out does not exist' "$D/e"
N05 Docker's names|$P network create --subnet 10.85.16.0/24 -o com.docker.network.bridge.name=dk85 -o com.docker.network.driver.mtu=1300 x9 && [ "$($P network inspect x9 --format '{{.NetworkInterface}} {{.Options.mtu}}')" = 'dk85 1300' ]
N05 what is unknown|! $P network create -o colour=blue xx 2>"$D/e" && grep -q 'unsupported bridge network option colour' "$D/e"
N06 following addresses|$P network create --subnet 10.85.17.0/24 y1 && for i in 2 3 4; do $P run -d --name f$i --network y1 $A sleep 1000; done && for i in 2 3 4; do [ "$($P inspect -f '{{.NetworkSettings.Networks.y1.IPAddress}}' f$i)" = 10.85.17.$i ] || exit 1; done
N06 static ones|$P run --rm --network y1:ip=10.85.17.20,ip=10.85.17.21 $A ip -o -4 addr show eth0 | grep -c '10.85.17.2[01]/24' | grep -qx 2 && ! $P run --rm --network y1:ip=10.85.17.2 $A true 2>"$D/e" && grep -q 'requested ip address 10.85.17.2 is already allocated to container ID' "$D/e"
N06 a lease range|$P network create --subnet 10.85.18.0/24 --ip-range 10.85.18.128/31 y2; $P network create --subnet 10.85.19.0/24 --ip-range 10.85.19.128/30 y3 && $P run --rm --network y3 $A ip -4 addr show eth0 | grep -qE '10\.85\.19\.1(29|30|31)/24'
N06 dual stack|$P run --rm --network n1 $A ip addr show eth0 | grep -c 'inet 10.85.1\|inet6 fd85:1' | grep -qx 2
N06 no addresses|$P network create --ipam-driver none y4 && [ -z "$($P run --rm --network y4 $A ip -o -4 addr show eth0)" ]
N06 pools|printf '[network]\ndefault_subnet_pools = [{"base" = "10.85.64.0/23", "size" = 24}]\n' >"$D/pools" && CONTAINERS_CONF="$D/pools" $P network create y5 && [ "$($P network inspect y5 --format '{{(index .Subnets 0).Subnet}}')" = 10.85.64.0/24 ]
N07 one address|[ "$(get http://127.0.0.1:18800/)" = 'page of q1' ] && ! get -m 3 http://192.0.2.1:18800/
N07 all addresses|[ "$(get http://127.0.0.1:18801/)" = 'page of q1' ] && [ "$(get http://192.0.2.3:18801/)" = 'page of q1' ]
N07 a taken one|! $P run --rm --network n1 -p 18801:80 $A true 2>"$D/e" && grep -q '18801' "$D/e" && [ "$($P ps -aq --filter status=created | wc -l)" = 0 ]
N07 ranges|$P run -d --name rng --network n1 -p 127.0.0.1:18810-18812:80-82 $A sh -c 'httpd -p 82 -h /www; sleep 1000' && [ "$(until_ok 20 get http://127.0.0.1:18812/)" = 'hello from pod' ] && [ "$($P port rng 81/tcp)" = 127.0.0.1:18811 ]
N07 udp|$P run -d --name udp --network n1 -p 127.0.0.1:18820:53/udp $A sleep 1000 && { $IN nsenter -n -t $($P inspect -f '{{.State.Pid}}' udp) "$DRIVE" udp-echo 53 & } && until_ok 20 sh -c '[ "$(timeout 2 "$0" udp-ask 127.0.0.1 18820 datagram)" = datagram ]' "$DRIVE"
N07 from its own network|[ "$($P exec q2 timeout 5 wget -qO- http://192.0.2.1:18801/)" = 'page of q1' ]
N07 no packet filter # |printf '[network]\nfirewall_driver = "none"\n' >"$D/nofw" && $P network create --subnet 10.85.22.0/24 u2 && CONTAINERS_CONF="$D/nofw" $P run -d --name nofw --network u2 $A sleep 1000 && ! nft list ruleset | grep 10.85.22
N08 names|$P exec q2 nslookup q1.dns.podman | grep -q 10.85.1.11 && $P exec q2 nslookup web.dns.podman | grep -q 10.85.1.11 && id=$($P inspect -f '{{.Id}}' q1) && $P exec q2 nslookup ${id:0:12}.dns.podman | grep -q 10.85.1.11
N08 the search domain|$P exec q2 grep -qx 'search dns.podman' /etc/resolv.conf && $P exec q2 nslookup q1 | grep -q 10.85.1.11
N08 the address back|$P exec q2 nslookup 10.85.1.11 | grep -q 'name = q1'
N08 another network's are unknown|! $P run --rm --network y1 $A nslookup q1.dns.podman 2>/dev/null && ! $P run --rm --network y1 $A nslookup q1.dns.podman 10.85.1.1 2>/dev/null
N09 host.containers.internal|$P exec q2 grep -q host.containers.internal /etc/hosts && [ "$($P exec q2 timeout 5 wget -qO- http://host.containers.internal:18850/)" = 'the host' ]
N09 pasta by default # user|$P run --rm $A ip -4 addr | grep -q 192.0.2 && [ "$($P run --rm $A timeout 5 wget -qO- http://host.containers.internal:18850/)" = 'the host' ]
N09 pasta's options # user|[ "$($P run --rm --network pasta:--mtu,1400,-a,10.9.9.9,-n,24 $A sh -c 'cat /sys/class/net/[^l]*/mtu; ip -4 -o addr' | xargs | grep -c '1400.*10.9.9.9/24')" = 1 ]
N09 pasta's ports # user|$P run -d --name pas -p 127.0.0.1:18830:80 $A httpd -f -p 80 -h /www && [ "$(until_ok 20 get http://127.0.0.1:18830/)" = 'hello from pod' ]
N10 slirp4netns # user|[ "$($P run --rm --network slirp4netns:mtu=1400,cidr=10.9.0.0/24 $A sh -c 'cat /sys/class/net/tap0/mtu; ip -4 -o addr show tap0' | xargs | grep -c '1400.*10.9.0.100/24')" = 1 ]
N10 its ports # user|$P run -d --name sli --network slirp4netns -p 127.0.0.1:18831:80 $A httpd -f -p 80 -h /www && [ "$(until_ok 20 get http://127.0.0.1:18831/)" = 'hello from pod' ]
N11 its default network|[ ! -x /usr/lib/cni/bridge ] || { printf '[network]\nnetwork_backend = "cni"\ndefault_network = "mine"\ndefault_subnet = "10.85.73.0/24"\n' >"$D/cnidef" && export CONTAINERS_CONF="$D/cnidef" && ! $P --network-config-dir "$D/cnid" network exists podman && $P --network-config-dir "$D/cnid" run --rm --network mine $A ip -o -4 addr show eth0 | grep -q ' 10.85.73.' && $NS ip link del cni-podman0; }
N11 where its plug-ins are|[ ! -x /usr/lib/cni/bridge ] || { printf '[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["%s/none"]\n' "$D" >"$D/cninone" && ! CONTAINERS_CONF="$D/cninone" $P --network-config-dir "$D/cnid" run --rm --network podman $A true 2>"$D/e" && grep -qi 'plugin' "$D/e"; }
N11 CNI|[ ! -x /usr/lib/cni/bridge ] || { printf '[network]\nnetwork_backend = "cni"\n' >"$D/cni" && CONTAINERS_CONF="$D/cni" $P --network-config-dir "$D/cnid" run --rm --network podman $A ip addr show eth0 | grep -q "inet 10\.88\."; }
N12 container:|[ "$($P run --rm --network container:q1 $A ip -o -4 addr show eth0 | grep -c 10.85.1.11)" = 1 ] && $P run --rm --network container:q1 $A cat /etc/hosts | grep -q 10.85.1.11
N12 ns:|$P run --rm --network ns:/proc/$($P inspect -f '{{.State.Pid}}' q1)/ns/net $A ip -o -4 addr show eth0 | grep -q 10.85.1.11
N12 host, none|$P run --rm --network host $A ip addr show out | grep -q 192.0.2.1 && [ "$($P run --rm --network none $A ls /sys/class/net)" = lo ]
N13 the namespace of bridges # user|$P unshare --rootless-netns ip -o addr | grep -q 10.85.1.1/24
R15 address and name|$P run --rm --network n1 --ip 10.85.1.77 --ip6 fd85:1::77 --mac-address 92:00:00:00:00:77 --network-alias nick $A sh -c 'ip addr show eth0; nslookup nick.dns.podman' | grep -cE 'inet 10.85.1.77/24|inet6 fd85:1::77/64|link/ether 92:00:00:00:00:77|Address: 10.85.1.77' | grep -qx 4
R15 publish all|$P run -d --name all --network n1 --expose 80 --expose 53/udp -P $A httpd -f -p 80 -h /www && p=$($P port all 80) && [ "$(until_ok 20 get "http://127.0.0.1:${p##*:}/")" = 'hello from pod' ] && $P port all 53/udp | grep -q :
R15 several networks|$P run --rm --network n1 --network y1:interface_name=lan5 $A ip -o link | grep -c 'eth0\|lan5' | grep -qx 2
R15 where definitions are|mkdir "$D/defs" && printf '[network]\nnetwork_config_dir = "%s"\n' "$D/defs" >"$D/defdir" && CONTAINERS_CONF="$D/defdir" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" network create --subnet 10.85.74.0/24 z1 && [ -s "$D/defs/z1.json" ] && ! $P network exists z1
R15 a user's default mode # user|printf '[network]\ndefault_rootless_network_cmd = "slirp4netns"\n' >"$D/rcmd" && [ "$(CONTAINERS_CONF="$D/rcmd" $P run --rm $A ip -o -4 addr show tap0 | grep -c 10.0.2.100)" = 1 ] && [ "$(CONTAINERS_CONF="$D/rcmd" $P info --format '{{.Host.RootlessNetworkCmd}}')" = slirp4netns ]
R15 the default mode|for m in none host; do printf '[containers]\nnetns = "%s"\n' $m >"$D/mode"; [ "$(CONTAINERS_CONF="$D/mode" $P run --rm $A readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] && echo host || echo none; done | xargs | grep -qx 'none host'
R16 servers|$P run --rm --network y4 --dns 192.0.2.7 --dns-search example.org --dns-option ndots:3 $A cat /etc/resolv.conf | grep -cE '^(nameserver 192.0.2.7|search example.org|options ndots:3)$' | grep -qx 3
R16 hosts|$P run --rm --network n1 --add-host x85:192.0.2.7 --add-host h85:host-gateway $A cat /etc/hosts | grep -cE '^192.0.2.7\s+x85$|\sh85$' | grep -qx 2
R16 a file of hosts|printf '192.0.2.9 base85\n' >"$D/hosts" && $P run --rm --network none --hosts-file "$D/hosts" $A grep -q base85 /etc/hosts && $P run --rm --network none --no-hosts $A sh -c '! grep -q base85 /etc/hosts'
R16 no host name|$P run --rm --network none --no-hostname $A test ! -s /etc/hostname
ROWS
}

net_rows
