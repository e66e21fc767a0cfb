#!/bin/bash
# SPDX-License-Identifier: ISC
# What each command writes into the events, in order, as root and as an ordinary user; and cp, top and stats of the
# latter.
. "$(dirname "$0")/../lib.sh"
world
seen=0
ends_with() { [ "$(pod events --stream=false --format '{{.Type}} {{.Status}},' | tail -n +$((seen + 1)) | tr -d '\n')" = "$wanted" ]; }
# writes EVENTS COMMAND...: the events of the command, "type status" each
writes() {
	local wanted=$1 all
	shift
	"$@" >/dev/null 2>&1 </dev/null
	# The answer of some is out before all is done.
	until_ok 20 ends_with
	all=$(pod events --stream=false --format '{{.Type}} {{.Status}}')
	is "pod ${*#pod}" "$(tail -n +$((seen + 1)) <<<"$all" | tr '\n' ',')" "$wanted"
	seen=$(wc -l <<<"$all")
}
table() {
	pod images -q >/dev/null
	seen=$(pod events --stream=false --format x | wc -l)
	writes "network create," pod network create --disable-dns --subnet "10.23$((RANDOM % 9)).$((RANDOM % 250)).0/24" n1
	writes "container create," pod create --name c --network n1 img sleep 1000
	writes "container init,container start," pod start c
	writes "network disconnect," pod network disconnect n1 c
	writes "network connect," pod network connect n1 c
	writes "container exec,container exec_died," pod exec c true
	# Without a cgroup of their own there is nothing to freeze.
	if pod pause c >/dev/null 2>&1 && pod unpause c >/dev/null; then
		seen=$((seen + 2))
		writes "container pause," pod pause c
		writes "container unpause," pod unpause c
	fi
	writes "container rename," pod rename c d
	writes "container kill," pod kill -s USR2 d
	writes "container stop,container died,container cleanup," pod stop -t 0 d
	writes "container create," pod create --name short --net none img true
	writes "container init,container start,container attach,container died,container cleanup," pod start -a short
	writes "container remove," pod rm short
	writes "container commit," pod commit -q d made
	writes "container export," pod export -o "$WORLD/x.tar" d
	writes "image import," pod import -q "$WORLD/x.tar" again
	writes "image tag," pod tag made two:1
	writes "image untag," pod untag made two:1
	is "with the name in full" "$(pod events --stream=false --format '{{.Name}}' | tail -n 1)" localhost/two:1
	writes "image tag,image tag," pod tag again one:1 two:1
	writes "image untag,image untag,image untag," pod untag again
	is "with each name" "$(pod events --stream=false --format '{{.Name}}' | tail -n 3 | sort | xargs)" "localhost/again:latest localhost/one:1 localhost/two:1"
	writes "image save," pod save -q -o "$WORLD/s.tar" made
	writes "image push," pod push -q made "dir:$WORLD/pushed"
	writes "image untag,image remove," pod rmi made
	writes "image loadfromarchive," pod load -q -i "$WORLD/s.tar"
	writes "image pull," pod pull -q "dir:$WORLD/pushed"
	writes "image pull-error," pod pull -q "dir:$WORLD/nowhere"
	writes "volume create," pod volume create v
	writes "volume remove," pod volume rm v
	pod volume create v >/dev/null
	writes "volume create,volume remove,volume prune," pod volume prune -a -f
	writes "secret create," pod secret create s /etc/hostname
	writes "secret remove," pod secret rm s
	writes "container remove," pod rm d
	writes "network remove," pod network rm n1
	writes "container create,container init,container start,container died,container remove," pod run -d --rm --name e --net none img true
	pod create --name g --net none img true >/dev/null
	writes "container create,container remove," pod system prune -f --volumes
}
# What an ordinary user's containers show of themselves.
others() {
	printf 'data of a user\n' >"$WORLD/f"
	mkdir -p "$WORLD/d/sub" && ln -s ../f "$WORLD/d/link" && echo x >"$WORLD/d/sub/x" && chmod 640 "$WORLD/d/sub/x"
	pod run -d --name c --net none img sh -c 'sleep 1001 & sleep 1002' >/dev/null
	pod cp "$WORLD/f" c:/tmp/f
	is "cp in" "$(pod exec c sh -c 'cat /tmp/f; stat -c %u:%g /tmp/f')" "data of a user
0:0"
	pod cp "$WORLD/d" c:/tmp
	is "cp of a tree" "$(pod exec c sh -c 'readlink /tmp/d/link; stat -c %a /tmp/d/sub/x')" "../f
640"
	pod exec c sh -c 'echo in >/tmp/out; chown 5:6 /tmp/out'
	pod cp c:/tmp/out "$WORLD/out"
	is "cp out belongs to the caller" "$(cat "$WORLD/out"; stat -c %u "$WORLD/out")" "in
$(id -u)"
	is "cp to a stream" "$(pod cp c:/tmp/d - | tar -t | sort | tr '\n' ' ')" "d d/link d/sub d/sub/x "
	tar -C "$WORLD" -c f | pod cp - c:/var
	is "cp from a stream" "$(pod exec c cat /var/f)" "data of a user"
	is "top" "$(pod top c args | sort | tr '\n' ' ')" "COMMAND sleep 1001 sleep 1002 "
	is "top: users inside and outside" "$(pod top c user huser | sed 1d | sort -u | tr -s ' ')" "root $(id -un)"
	is "stats" "$(pod stats --no-stream --format '{{.Name}} {{.PIDs}}' c | cut -d' ' -f1)" c
	printf topsecret | pod secret create s1 - >/dev/null
	is "secrets: file, owner and mode" "$(pod run --rm --net none --secret s1,uid=7,gid=8,mode=0400 img sh -c 'cat /run/secrets/s1; stat -c " %u:%g %a" /run/secrets/s1')" "topsecret 7:8 400"
	is "secrets: variable" "$(pod run --rm --net none --secret s1,type=env,target=S img sh -c 'echo $S')" topsecret
	is "secrets stay out of commits" "$(pod create --name z --net none --secret s1 img true >/dev/null; pod commit -q z zi >/dev/null; pod run --rm --net none zi sh -c 'ls /run/secrets 2>&1 | grep -c s1')" 0
	pod secret rm s1 >/dev/null
	pod secret ls --noheading >"$WORLD/ls"
	is "secret rm" "$(wc -l <"$WORLD/ls")" 0
}
foreign() {
	mkdir -p "$WORLD/fake"
	printf '#!/bin/sh\necho "$*" >"%s/asked"\n' "$WORLD" >"$WORLD/fake/journalctl"
	chmod 755 "$WORLD/fake/journalctl"
	PATH=$WORLD/fake:$PATH pod --events-backend journald events --stream=false
	is "what other users write into the journal is left out" "$(grep -oE ' _UID=[0-9]+' "$WORLD/asked")" " _UID=$(id -u)"
	printf '#!/bin/sh\nsleep 0.2\necho '"'%s'"'\n' "{\"PODMAN_EVENT\":\"died\",\"PODMAN_TYPE\":\"container\",\"PODMAN_TIME\":\"$(date -u -d '-1 min' +%FT%TZ)\",\"PODMAN_NAME\":\"gone\"}" >"$WORLD/fake/journalctl"
	for o in "" --stream=false; do
		is "journald: what was before --until is shown $o" "$(PATH=$WORLD/fake:$PATH pod --events-backend journald events --since 1h --until 0s $o --format '{{.Status}} {{.Name}}')" "died gone"
	done
}
busybox_image img >/dev/null
table
foreign
{
	declare -f writes ends_with table others foreign
	echo 'seen=0; tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; others; pod rm -f -t 0 -a >/dev/null; pod rmi -f zi >/dev/null; table; foreign'
} | user_part
