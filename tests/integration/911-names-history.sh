#!/bin/bash
# SPDX-License-Identifier: ISC
# The names that an image had: kept when they are taken away or go to another image, gone with the image.
. "$(dirname "$0")/../lib.sh"
world
rootfs "$WORLD/fs"

checks='
history() { pod images --history --noheading --format "{{.History}}" | sort -u; }
one=$(tar -C "$FS" --owner=0 --group=0 -c . | store import localhost/one:1)
is "a new image has had one name" "$(history)" localhost/one:1
pod tag localhost/one:1 localhost/two:2 localhost/three:3
is "the latest name comes first" "$(history)" "localhost/three:3, localhost/two:2, localhost/one:1"
pod untag localhost/one:1
is "names that were taken away stay" "$(history)" "localhost/three:3, localhost/two:2, localhost/one:1"
is "in JSON too, where there are no names now" "$(pod images -a --format json | jq -c ".[0]|[.Names,.History]")" \
	"[null,[\"localhost/three:3\",\"localhost/two:2\",\"localhost/one:1\"]]"
is "inspect calls them NamesHistory" "$(pod image inspect "$one" | jq -c ".[0]|[.RepoTags,.NamesHistory]")" \
	"[[],[\"localhost/three:3\",\"localhost/two:2\",\"localhost/one:1\"]]"
is "a mistake can be undone by it" "$(pod tag "$one" "$(pod image inspect -f "{{index .NamesHistory 1}}" "$one")" && pod images --format "{{.Repository}}:{{.Tag}}")" \
	localhost/two:2
is "a name that comes again is the latest" "$(history)" "localhost/two:2, localhost/three:3, localhost/one:1"
two=$(echo other | (cd "$WORLD" && cat >file && tar -c file) | store import localhost/two:2)
is "a name that went to another image is in the past of both" \
	"$(pod image inspect "$one" "$two" | jq -c "[.[].NamesHistory]")" \
	"[[\"localhost/two:2\",\"localhost/three:3\",\"localhost/one:1\"],[\"localhost/two:2\"]]"
is "the table has the column" "$(pod images --history | sed -n 1p | tr -s " ")" "REPOSITORY TAG IMAGE ID CREATED SIZE HISTORY"
pod save -q -o "$WORLD/one.tar" "$one" && pod rmi -f "$one" >/dev/null && pod load -q -i "$WORLD/one.tar" >/dev/null
is "the past goes with the image" "$(pod image inspect "$one" | jq -c ".[0].NamesHistory")" "[]"
pod tag "$one" localhost/new:1
is "so that one that comes again begins anew" "$(pod image inspect "$one" | jq -c ".[0].NamesHistory")" "[\"localhost/new:1\"]"
check "the store is sound" eval "pod system check >/dev/null"
'
FS=$WORLD/fs
eval "$checks"

# --- a store of before, when there was no such table ---
if command -v sqlite3 >/dev/null; then
	pod tag localhost/new:1 localhost/newer:1
	sqlite3 "$ROOT/store.db" 'DROP TABLE past_name; DROP TABLE signature; DROP TABLE unwritten; PRAGMA user_version=1'
	is "an older index is brought up to date: the names of then are the past" \
		"$(pod image inspect localhost/new:1 | jq -c '.[0].NamesHistory')" '["localhost/newer:1","localhost/new:1"]'
	is "once" "$(sqlite3 "$ROOT/store.db" 'PRAGMA user_version')" 3
	mkdir "$WORLD/more" && cp -a "$ROOT/." "$WORLD/more/" && pod rmi -a -f >/dev/null
	sqlite3 "$WORLD/more/store.db" 'DROP TABLE past_name; DROP TABLE signature; DROP TABLE unwritten; PRAGMA user_version=1'
	printf '[storage.options]\nadditionalimagestores = ["%s"]\n' "$WORLD/more" >"$WORLD/storage.conf"
	is "so is an additional store that is only read" "$(CONTAINERS_STORAGE_CONF=$WORLD/storage.conf pod image inspect localhost/new:1 | jq -c '.[0].NamesHistory')" \
		'["localhost/newer:1","localhost/new:1"]'
	is "which stays as it was" "$(sqlite3 "$WORLD/more/store.db" 'PRAGMA user_version')" 1
else
	skip "an older index" "sqlite3 is not installed"
fi

user_part <<<"FS=\$LIB_DIR/user-fs
$checks"
