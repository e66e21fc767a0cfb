#!/bin/bash
# SPDX-License-Identifier: ISC
# images, tag, untag, rmi, history, inspect, prune: what scripts read of them.
. "$(dirname "$0")/../lib.sh"
world

none=$(pod images -q)
is "no image, no line" "$none" ""
is "an empty list as JSON" "$(pod images --format json | tr -d ' \n')" "[]"

id=$(busybox_image localhost/one:1)
pod tag localhost/one:1 one:2 two docker.io/library/three
is "names get localhost and latest" "$(pod images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" \
	"docker.io/library/three:latest localhost/one:1 localhost/one:2 localhost/two:latest "
is "the table's heading" "$(pod images | sed -n 1p | tr -s ' ')" "REPOSITORY TAG IMAGE ID CREATED SIZE"
is "the heading with digests" "$(pod images --digests | sed -n 1p | tr -s ' ')" \
	"REPOSITORY TAG DIGEST IMAGE ID CREATED SIZE"
is "--noheading" "$(pod images --noheading | wc -l)" 4
is "--quiet prints an image once" "$(pod images -q)" "${id:0:12}"
is "--no-trunc" "$(pod images -q --no-trunc)" "sha256:$id"
is "a name as argument" "$(pod images --noheading one | wc -l)" 2
is "a name with a tag" "$(pod images --format '{{.Tag}}' one:2)" 2
is "--sort tag" "$(pod images --sort tag --format '{{.Tag}}' | tr '\n' ' ')" "1 2 latest latest "
pod images --sort bad >/dev/null 2>"$WORLD/err"
is "a bad order is refused" "$?" 125
check "and named" grep -q '"bad" is not a valid field for sorting' "$WORLD/err"
is "JSON keys" "$(pod images --format json | jq -c '.[0]|keys_unsorted')" \
	'["Id","ParentId","RepoTags","RepoDigests","Size","SharedSize","VirtualSize","Labels","Containers","Names","Digest","History","Created","CreatedAt"]'
is "JSON holds an image once, with all names" "$(pod images --format json | jq -c '[length,(.[0].Names|length),.[0].Id]')" \
	"[1,4,\"$id\"]"
is "filter reference" "$(pod images --noheading --filter 'reference=*three*' --format '{{.Repository}}')" \
	docker.io/library/three
is "filter id" "$(pod images -q --filter "id=${id:0:8}")" "${id:0:12}"
is "filter before" "$(pod images -q --filter before=one:1)" ""
is "filter until" "$(pod images -q --filter until=2000-01-01T00:00:00Z)" ""
pod images --filter nosuch=1 2>/dev/null
is "an unknown filter is refused" "$?" 125
pod images --filter dangling=perhaps 2>/dev/null
is "so is a value that is none" "$?" 125
pod images -f dangling=true one 2>"$WORLD/err"
check "a filter and an image" grep -q 'cannot specify an image and a filter' "$WORLD/err"

pod image exists one:1
is "exists: yes" "$?" 0
pod image exists nosuch
is "exists: no" "$?" 1
is "inspect by ID prefix" "$(pod image inspect -f '{{.Id}}' "${id:0:6}")" "$id"
is "inspect keys" "$(pod image inspect one:1 | jq -c '.[0]|keys_unsorted')" \
	'["Id","Digest","RepoTags","RepoDigests","Parent","Comment","Created","Config","Version","Author","Architecture","Os","Size","VirtualSize","GraphDriver","RootFS","Labels","Annotations","ManifestType","User","History","NamesHistory"]'
is "inspect finds images without --type" "$(pod inspect -f '{{.Os}}' one:1)" linux
is "inspect with the type" "$(pod inspect --type image -f '{{len .RootFS.Layers}}' one:1)" 1
is "inspect of what is not there" "$(pod image inspect nosuch 2>/dev/null)" "[]"
pod image inspect nosuch >/dev/null 2>"$WORLD/err"
is "its status" "$?" 125
is "its words" "$(cat "$WORLD/err")" "Error: inspecting object: nosuch: image not known"
pod image inspect one:1 nosuch 2>/dev/null | jq -e 'length==1' >/dev/null
is "what was found is printed" "$?" 0
upper=$(pod image inspect -f '{{.GraphDriver.Data.UpperDir}}' one:1)
if [ -d "$upper" ]; then
	is "the content is where inspect says" "$(cat "$upper/www/index.html")" "hello from pod"
else
	is "the content is where inspect says" "$(tar -xOf "${upper%/erofs}/tar" ./www/index.html)" "hello from pod"
fi

is "history's heading" "$(pod history one:1 | sed -n 1p | tr -s ' ')" "ID CREATED CREATED BY SIZE COMMENT"
is "history -q" "$(pod history -q one:1)" "${id:0:12}"
tar -C "$WORLD/fs" -cf "$WORLD/l.tar" ./etc && mkdir "$WORLD/notime" && cp "$WORLD/l.tar" "$WORLD/notime/layer.tar"
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"x"}]}' \
	"$(sha256sum <"$WORLD/l.tar" | cut -d' ' -f1)" >"$WORLD/notime/c.json"
echo '[{"Config":"c.json","RepoTags":["localhost/notime:1"],"Layers":["layer.tar"]}]' >"$WORLD/notime/manifest.json"
tar -C "$WORLD/notime" -c manifest.json c.json layer.tar | pod load -q >/dev/null
is "history: a step without a time" "$(pod history --format '{{.Created}}|{{.CreatedSince}}|{{.CreatedAt}}' notime:1; pod history --human=false --format '{{.Created}}' notime:1)" \
	"292 years ago|292 years ago|0001-01-01 00:00:00 +0000 UTC
0001-01-01T00:00:00Z"
is "history as JSON: a step without a time" "$(pod history --format json notime:1 | jq -c '.[0]|[.created,.Created]'; pod rmi notime:1 >/dev/null)" '["0001-01-01T00:00:00Z","0001-01-01T00:00:00Z"]'
is "history as JSON" "$(pod history --format json one:1 | jq -c '.[0]|[.id,.CreatedBy,(.size>1000000)]')" \
	"[\"$id\",\"pod-store import\",true]"

pod untag one:2
is "untag of a name takes all names if none is given" "$(pod images --noheading | wc -l)" 1
is "an image without a name" "$(pod images --format '{{.Repository}}:{{.Tag}}')" "<none>:<none>"
is "is dangling" "$(pod images -q -f dangling=true)" "${id:0:12}"
pod tag "$id" one:1 one:2
pod untag one:1 one:2
is "untag takes the name that is given" "$(pod images --format '{{.Tag}}')" 1
pod untag one:1 nosuch 2>/dev/null
is "untag of a name that is not there" "$?" 125
pod tag nosuch x 2>/dev/null
is "tag of an image that is not there" "$?" 125
pod tag one:1 'UPPER' 2>/dev/null
is "a name that cannot be one" "$?" 125

# What no image can be called by is a mistake, also where a missing one is none.
for name in UPPER a:b:c x/ :1 http://x/y docker://x one@sha256:bad ' '; do
	for words in "image exists" "manifest exists" rmi "rmi -i" "rmi -f" "manifest rm" "manifest rm -i"; do
		is "$words '$name'" "$(pod $words "$name" 2>&1; echo $?)" "Error: parsing reference \"$name\": $(pod tag one:1 "$name" 2>&1 | sed 's/.*": //')
125"
	done
done
for name in ffff "$(printf 'f%.0s' {1..64})" "sha256:$(printf 'f%.0s' {1..64})" "x@sha256:$(printf 'f%.0s' {1..64})"; do
	is "a name or ID that may be: $name" "$(pod image exists "$name"; echo $?) $(pod manifest exists "$name"; echo $?) $(pod rmi -i "$name"; echo $?)" "1 1 0"
done
pod tag one:1 kept
is "rmi goes on after a mistake" "$(pod rmi UPPER kept 2>/dev/null; echo $?)" "Untagged: localhost/kept:latest
125"

pod tag one:1 one:2
is "rmi of one of several names untags" "$(pod rmi one:1)" "Untagged: localhost/one:1"
is "rmi of the last name deletes" "$(pod rmi one:2 | tr '\n' ' ')" "Untagged: localhost/one:2 Deleted: $id "
pod rmi nosuch >/dev/null 2>"$WORLD/err"
is "rmi: missing is 1" "$?" 1
is "rmi: words" "$(cat "$WORLD/err")" "Error: nosuch: image not known"
pod rmi -i nosuch 2>/dev/null
is "rmi --ignore" "$?" 0
pod rmi -f nosuch 2>/dev/null
is "rmi --force" "$?" 0
pod rmi >/dev/null 2>&1
is "rmi without a name" "$?" 125
pod rmi -a x >/dev/null 2>&1
is "rmi --all with a name" "$?" 125

id=$(busybox_image localhost/one:1)
pod tag one:1 one:2
pod rmi "$id" >/dev/null 2>&1
is "rmi by ID with several names" "$?" 2
ctr=$(pod create --net none one:1 true)
pod rmi "$id" -f >/dev/null
is "with --force the container goes too" "$(pod ps -aq)$(pod images -q)" ""
id=$(busybox_image localhost/one:1)
ctr=$(pod create --net none one:1 true)
pod rmi one:1 nosuch >/dev/null 2>"$WORLD/err"
is "rmi: in use is 2" "$?" 2
check "and says by whom" grep -q "image used by $ctr: image is in use by a container" "$WORLD/err"
is "image prune --all leaves it" "$(pod image prune -af)" ""
pod rm "$ctr" >/dev/null
is "image prune leaves named images" "$(pod image prune -f)" ""
pod image prune -a </dev/null >/dev/null 2>&1
is "image prune asks, and fails without an answer" "$?" 125
echo n | pod image prune -a >/dev/null
is "no is no" "$?$(pod images -q)" "0${id:0:12}"
is "image prune --all" "$(pod image prune -af)" "$id"
busybox_image localhost/one:1 >/dev/null
pod rmi -a >/dev/null
is "rmi --all" "$?$(pod images -q)" 0
finish
