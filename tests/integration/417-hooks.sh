#!/bin/bash
# SPDX-License-Identifier: ISC
# OCI hooks: formats, conditions, stages, directories.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
D=$WORLD/h1 E=$WORLD/h2
mkdir "$D" "$E"
cat >"$WORLD/note" <<EOF2
#!/bin/sh
echo "\$1" >>$WORLD/log
cat >$WORLD/state.\$1
EOF2
cat >"$WORLD/change" <<'EOF2'
#!/bin/sh
sed 's/"FROM_HOOK=no"/"FROM_HOOK=yes"/'
EOF2
chmod +x "$WORLD/note" "$WORLD/change"
new() { # FILE STAGE WHEN
	printf '{"version":"1.0.0","hook":{"path":"%s","args":["note","%s"]},"when":%s,"stages":["%s"]}' "$WORLD/note" "$4" "$3" "$2" >"$1"
}
run() { : >"$WORLD/log"; pod --hooks-dir "$D" --hooks-dir "$E" run --rm --network none "$@" >"$WORLD/out" 2>&1; until_ok 20 sh -c "sort -c '$WORLD/log'" >/dev/null 2>&1; sort "$WORLD/log" | tr '\n' ' '; }
none() { rm -f "$D"/* "$E"/*; }

new "$D/a.json" prestart '{"always":true}' always
new "$D/b.json" prestart '{"always":false}' never
new "$D/c.json" prestart '{"commands":["^/bin/tr"]}' command
new "$D/d.json" prestart '{"annotations":{"^k$":"^v"}}' annotation
new "$D/e.json" prestart '{"hasBindMounts":true}' binds
new "$D/f.json" prestart '{"always":true,"commands":["nosuch"]}' both
new "$D/g.json" prestart '{}' nothing
is "always" "$(run localhost/bb true)" "always "
is "by command" "$(run localhost/bb /bin/true)" "always command "
is "by annotation" "$(run --annotation k=v1 localhost/bb true)" "always annotation "
is "not by another" "$(run --annotation kk=v1 localhost/bb true)" "always "
is "by binds" "$(run -v "$WORLD:/w" localhost/bb true)" "always binds "
is "the state on its input" "$(jq -r .ociVersion "$WORLD/state.always" | cut -c1)" 1
new "$E/a.json" prestart '{"always":true}' masked
is "a later directory masks" "$(run localhost/bb true)" "masked "
is "without hooks" "$(: >"$WORLD/log"; pod run --rm --network none localhost/bb true; cat "$WORLD/log")" ""

none
new "$D/a.json" poststart '{"always":true}' poststart
new "$D/b.json" poststop '{"always":true}' poststop
: >"$WORLD/log"
pod --hooks-dir "$D" run --network none localhost/bb true >/dev/null 2>&1
is "poststop" "$(until_ok 20 grep -q poststop "$WORLD/log" && echo yes)" yes
is "poststart" "$(grep -c poststart "$WORLD/log")" 1
: >"$WORLD/log"
pod --hooks-dir "$D" run --rm --network none localhost/bb true >/dev/null 2>&1
is "poststop of a container that goes with its end" "$(grep -c poststop "$WORLD/log")" 1

none
printf '{"hook":"%s","arguments":["old"],"stage":["prestart"],"cmd":["/bin/true"],"annotation":["^yes$"]}' "$WORLD/note" >"$D/o.json"
is "0.1.0: by command" "$(run localhost/bb /bin/true)" "old "
is "0.1.0: by a value" "$(run --annotation x=yes localhost/bb true)" "old "
is "0.1.0: neither" "$(run --annotation yes=x localhost/bb true)" ""
printf '{"version":"0.1.0","hook":"%s","arguments":["old"],"stages":["prestart"],"hasbindmounts":true}' "$WORLD/note" >"$D/o.json"
is "0.1.0: by binds" "$(run -v "$WORLD:/w" localhost/bb true)" "old "

none
printf '{"version":"1.0.0","hook":{"path":"%s"},"when":{"always":true},"stages":["precreate"]}' "$WORLD/change" >"$D/p.json"
run -e FROM_HOOK=no localhost/bb sh -c 'echo $FROM_HOOK' >/dev/null
is "precreate changes the configuration" "$(cat "$WORLD/out")" yes
printf '#!/bin/sh\nexit 1\n' >"$WORLD/change"
run localhost/bb true >/dev/null
is "a precreate hook that fails" "$(grep -c 'executing precreate hook' "$WORLD/out")" 1
none
printf '{"version":"1.0.0","hook":{"path":"%s"},"when":{"always":true},"stages":["prestart"]}' "$WORLD/change" >"$D/p.json"
run localhost/bb true >/dev/null
is "a prestart hook that fails is named" "$(grep -cE "hook.*($WORLD/change|exit status 1)" "$WORLD/out")" 1
none
printf '#!/bin/sh\ncat\nexec >&-\nsleep 1000 & wait\n' >"$WORLD/change"
printf '{"version":"1.0.0","hook":{"path":"%s","timeout":1},"when":{"always":true},"stages":["precreate"]}' "$WORLD/change" >"$D/p.json"
timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --hooks-dir "$D" run --rm --network none localhost/bb true 2>/dev/null
is "one that goes on behind its output is ended" $? 126

# --- A runtime, or a hook that it starts, may say more than a pipe holds; the reason is what it says last.
none
cat >"$WORLD/loud" <<END
#!/bin/sh
case " \$* " in *" pause "*)
	seq 30000 >&2
	echo "the reason" >&2
	exit 1 ;;
esac
exec $(command -v crun || command -v runc) "\$@"
END
chmod 755 "$WORLD/loud"
pod --runtime "$WORLD/loud" run -d --name loud --network none localhost/bb sleep 1000 >/dev/null
is "a loud runtime holds nothing up" \
	"$(timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" pause loud 2>&1 | grep -o 'failed: the reason')" "failed: the reason"
pod rm -f -t 0 loud >/dev/null

for bad in '{' '{"version":"2.0.0"}' '{"version":"1.0.0","when":{"always":true},"stages":["prestart"]}' \
	'{"version":"1.0.0","hook":{"path":"relative"},"when":{"always":true},"stages":["prestart"]}' \
	'{"version":"1.0.0","hook":{"path":"/bin/true"},"when":{"always":true},"stages":["nosuch"]}' \
	'{"version":"1.0.0","hook":{"path":"/bin/true"},"when":{"commands":["("]},"stages":["prestart"]}' \
	'{"version":"1.0.0","hook":{"path":"/nosuch"},"when":{"always":true},"stages":["prestart"]}' \
	'{"hook":"/bin/true","stage":["prestart"],"stages":["poststop"],"cmds":["true"]}' \
	'{"hook":"/bin/true","stage":["prestart"],"cmd":["true"],"cmds":["true"]}' \
	'{"hook":"/bin/true","stage":["prestart"],"annotation":["x"],"annotations":["x"]}'; do
	none
	printf %s "$bad" >"$D/bad.json"
	run localhost/bb true >/dev/null
	is "refused: $bad" "$(grep -c 'parsing hook' "$WORLD/out")" 1
done
none
ln -s /nosuch "$D/gone.json"
is "a link to nothing is none" "$(run localhost/bb echo ok >/dev/null; cat "$WORLD/out")" ok
none
is "a file is no directory" "$(pod --hooks-dir /etc/passwd run --rm --network none localhost/bb true 2>&1; echo $?)" "Error: reading hooks directory /etc/passwd: not a directory
126"
is "a missing directory is none" "$(pod --hooks-dir "$WORLD/nosuch" run --rm --network none localhost/bb echo ok)" ok
finish
