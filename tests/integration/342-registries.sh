#!/bin/bash
# SPDX-License-Identifier: ISC
# registries.conf, credentials and their helpers, client certificates, as pod's commands see them.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

for tool in docker-registry skopeo curl; do
	command -v $tool >/dev/null || {
		skip "registries" "$tool is not installed"
		finish
	}
done
world
export HOME=$WORLD/home XDG_RUNTIME_DIR=$WORLD/xdg
unset XDG_CONFIG_HOME XDG_CACHE_HOME REGISTRY_AUTH_FILE DOCKER_CONFIG
mkdir -p "$HOME/.config/containers/certs.d" "$XDG_RUNTIME_DIR" "$WORLD/bin"
conf=$HOME/.config/containers
registry_start tester secret
mkdir -p "$conf/certs.d/$REGISTRY"
cp "$REGISTRY_CERTS/ca.crt" "$conf/certs.d/$REGISTRY/"
layout "$WORLD/img" latest gzip
registry_push "$WORLD/img" latest app:1 --format v2s2
registry_push "$WORLD/img" latest ns/app:1 --format v2s2
registry_http_start
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$WORLD/img:latest" "docker://$REGISTRY_HTTP/mirror/app:1"
gone() { pod rmi -a -f >/dev/null 2>&1; }
quiet() { "$@" >/dev/null; }
# says TEXT WORDS COMMAND...: it fails with the words
says() {
	local text=$1 words=$2 said st
	shift 2
	said=$("$@" 2>&1)
	st=$?
	if [ $st = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}

# --- login and where it is kept ---
says "no credentials" unauthorized pod pull -q "$REGISTRY/app:1"
is "login" "$(echo secret | pod login -u tester --password-stdin "$REGISTRY" 2>&1)" "Login Succeeded!"
auth=$XDG_RUNTIME_DIR/containers/auth.json
is "its file is for its owner only" "$(stat -c %a "$auth")" 600
is "--get-login" "$(pod login --get-login "$REGISTRY")" tester
check "skopeo reads the same file" quiet skopeo inspect --cert-dir "$REGISTRY_CERTS" --raw "docker://$REGISTRY/app:1"
check "pull uses them" quiet pod pull -q "$REGISTRY/app:1"
gone
says "a wrong password" "invalid username/password" pod login -u tester -p wrong "$REGISTRY"
is "it is the old one that stays" "$(pod login --get-login "$REGISTRY")" tester
said=$(pod login "$REGISTRY" 2>&1 </dev/null)
check "existing credentials are tried first" grep -q "Existing credentials are valid. Already logged in to $REGISTRY" <<<"$said"
is "logout" "$(pod logout "$REGISTRY")" "Removed login credentials for $REGISTRY"
says "a second time" "not logged into $REGISTRY" pod logout "$REGISTRY"

# Files of other tools are read, and left alone.
foreign() { # FILE CONTENT
	mkdir -p "$(dirname "$1")"
	printf "$2" "$REGISTRY" "$(printf tester:secret | base64)" >"$1"
	is "${1##*/} of another tool is read" "$(pod login --get-login "$REGISTRY")" tester
	is "and not ours to log out of" "$(pod logout "$REGISTRY"; echo $?)" "Not logged into $REGISTRY with current tool. \
Existing credentials were established via docker login. Please use docker logout instead.
0"
	printf "$2" "$REGISTRY" "$(printf tester:wrong | base64)" >"$1"
	says "unless the registry does not take them" "not logged into $REGISTRY" pod logout "$REGISTRY"
	is "without a file that is named" "$(pod login --get-login --authfile "$WORLD/nosuch" "$REGISTRY" 2>&1)" "Error: not logged into $REGISTRY"
	rm "$1"
}
foreign "$HOME/.docker/config.json" '{"auths":{"%s":{"auth":"%s"}}}'
foreign "$HOME/.dockercfg" '{"https://%s/v1/":{"auth":"%s","email":"a@b.c"}}'

is "of a namespace" "$(pod login -v -u tester -p secret "$REGISTRY/ns" | tr '\n' ' ')" "Used:  $auth Login Succeeded! "
check "used inside it" quiet pod pull -q "$REGISTRY/ns/app:1"
gone
says "and nowhere else" unauthorized pod pull -q "$REGISTRY/app:1"
is "logout --all" "$(pod logout --all)" "Removed login credentials for all registries"
is "leaves nothing" "$(jq -c .auths "$auth")" "{}"
# What other programs leave in such files.
entry() { printf '{"auths":{"%s":%s}}' "$REGISTRY" "$1" >"$WORLD/entry.json"; }
entry '{"auth":"dGVzdGVyc2VjcmV0"}'
said=$(pod login --authfile "$WORLD/entry.json" --get-login "$REGISTRY" 2>&1)
is "an entry without a colon is none" "${said##*$'\n'}" "Error: not logged into $REGISTRY"
is "which is told once" "$(grep -c "level=warning msg=.*credential entry .*$REGISTRY.* in .*$WORLD/entry.json.*, missing colon" <<<"$said")" 1
is "and a login replaces it" "$(pod login --authfile "$WORLD/entry.json" -u tester -p secret "$REGISTRY" 2>/dev/null; pod login --authfile "$WORLD/entry.json" --get-login "$REGISTRY" 2>&1)" "Login Succeeded!
tester"
entry '{"auth":"OnB3"}'
says "one without a user is none" "not logged into" pod login --authfile "$WORLD/entry.json" --get-login "$REGISTRY"
entry '{"auth":"dGVzdGVyOg=="}'
is "one without a password is not tried" "$(pod login --authfile "$WORLD/entry.json" "$REGISTRY" </dev/null 2>/dev/null)" "Username (tester): "
entry '{"auth":3}'
says "one of another form" "reading auth file $WORLD/entry.json: auth: a string is expected" pod login --authfile "$WORLD/entry.json" -u tester -p secret "$REGISTRY"
printf 'sec\r\nret\n' >"$WORLD/lines"
is "--password-stdin takes more than a line" "$(pod login -u tester --password-stdin --authfile "$WORLD/lines.json" "$REGISTRY" <"$WORLD/lines" 2>&1)" "Login Succeeded!"
for words in "--password-stdin" "-p ''"; do
	is "an empty password is asked for: $words" "$(eval 'pod login -u tester --authfile "$WORLD/empty.json" '"$words"' "$REGISTRY_HTTP" </dev/null 2>&1'; echo $?)" \
		"Password: Error: getting username and password: reading password: EOF
125"
done
check "and nothing is kept" test ! -e "$WORLD/empty.json"
if mknod "$WORLD/null" c 1 3 2>/dev/null; then
	says "a device is not replaced by an auth file" "null is no regular file" pod login -u tester -p secret --authfile "$WORLD/null" "$REGISTRY"
	check "it is still one" test -c "$WORLD/null"
else
	skip "a device is not replaced" "none can be made"
fi
# A file that was named and is not there: Podman's words and status of each command, nothing asked and nothing made.
absent() {
	local none=$WORLD/absent/auth.json nowhere=localhost:1/x way words want before
	local option=--authfile=$none
	pod pull -q --tls-verify=false "$REGISTRY_HTTP/mirror/app:1" >/dev/null
	pod tag "$REGISTRY_HTTP/mirror/app:1" held
	pod manifest create list >/dev/null
	state() { pod ps -aq; pod images -aq --no-trunc; ls -R "$WORLD/absent" 2>&1; }
	before=$(state)
	for way in option environment; do
		while IFS='|' read -r want words; do
			eval "set -- ${words/FILE/$option}"
			is "a credentials file that is not there, by $way: ${words/FILE /}" \
				"$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" 2>&1; echo $?)" "Error: ${want}stat $none: no such file or directory
125"
		done <<-TABLE
			|pull FILE $nowhere
			|pull FILE -q --policy never held
			|push FILE held $nowhere
			|push FILE held dir:$WORLD/absent
			|push FILE nosuch
			|search FILE $nowhere
			|search FILE --list-tags $nowhere
			|run FILE --rm --network none --cidfile $WORLD/absent held true
			|run FILE --pull never nosuch true
			|container runlabel FILE --display run held
			checking authfile: |manifest push FILE list docker://$nowhere
			checking authfile: |manifest push FILE nosuch dir:$WORLD/absent
			checking authfile: |manifest add FILE list docker://$nowhere
			checking authfile: |logout FILE localhost:1
			checking authfile: |logout FILE --all
		TABLE
		option=
		export REGISTRY_AUTH_FILE=$none
	done
	unset REGISTRY_AUTH_FILE
	says "artifact pull, as option" "checking authfile: stat $none: no such" pod artifact pull --authfile="$none" $nowhere
	says "artifact push, as option" "checking authfile: stat $none: no such" pod artifact push --authfile="$none" $nowhere
	says "manifest inspect, as option" "checking authfile: stat $none: no such" pod manifest inspect --authfile="$none" list
	is "nothing was made" "$(state)" "$before"
	export REGISTRY_AUTH_FILE=$none
	check "manifest inspect passes over it in the environment" quiet pod manifest inspect list
	check "create passes over it" quiet pod create --name made --pull never held true
	pod rm made >/dev/null
	says "login --get-login does" "not logged into $REGISTRY" pod login --get-login "$REGISTRY"
	check "an empty --authfile is no file" quiet pod pull -q --policy never --authfile= held
	mkdir "$WORLD/absent"
	: >"$WORLD/absent/file"
	REGISTRY_AUTH_FILE=$WORLD/absent/file/x says "below a file" "stat $WORLD/absent/file/x: not a directory" pod pull $nowhere
	ln -s "$WORLD/nosuch" "$WORLD/absent/link"
	REGISTRY_AUTH_FILE=$WORLD/absent/link says "a link to nothing" "stat $WORLD/absent/link: no such file" pod pull $nowhere
	# pod-image by itself does as skopeo does.
	check "pod-image passes over it" quiet "$BIN/pod-image" inspect --tls-verify=false "docker://$REGISTRY_HTTP/mirror/app:1"
	check "as an option too" quiet "$BIN/pod-image" copy -q --src-tls-verify=false --src-authfile="$none" \
		"docker://$REGISTRY_HTTP/mirror/app:1" "dir:$WORLD/absent/copy"
	is "login makes it" "$(pod login -u tester -p secret "$REGISTRY"; stat -c %a "$none")" "Login Succeeded!
600"
	check "and pull reads it" quiet pod pull -q "$REGISTRY/app:1"
	is "not with an empty --authfile" "$(pod pull -q --authfile= "$REGISTRY/app:1" 2>&1 | grep -c unauthorized)" 1
	unset REGISTRY_AUTH_FILE
	pod manifest rm list >/dev/null
	gone
}
absent
compat=$WORLD/docker/config.json
mkdir -p "$WORLD/docker"
echo '{"psFormat":"keep"}' >"$compat"
pod login -u tester -p secret --compat-auth-file "$compat" "$REGISTRY" >/dev/null
is "--compat-auth-file keeps what else is in the file" "$(jq -r '.psFormat, (.auths | keys[])' "$compat" | tr '\n' ' ')" "keep $REGISTRY "
says "it knows no namespaces" "no namespaces" pod login -u tester -p secret --compat-auth-file "$compat" "$REGISTRY/ns"
says "one file or the other" "can not be set simultaneously" \
	pod login -u tester -p secret --authfile "$auth" --compat-auth-file "$compat" "$REGISTRY"
check "DOCKER_CONFIG names its directory" quiet env DOCKER_CONFIG="$WORLD/docker" \
	"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" pull -q "$REGISTRY/app:1"
gone
pod logout --compat-auth-file "$compat" "$REGISTRY" >/dev/null
is "logout of that file" "$(jq -c .auths "$compat")" "{}"
check "credentials on the command line" quiet pod pull -q --creds tester:secret "$REGISTRY/app:1"
gone

# --- what --creds lacks is asked for ---
asked() {
	local words typed=$1
	shift
	words=$(printf '%q ' "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@")
	printf '%b' "$typed" | script -qec "$words 2>$WORLD/prompts" /dev/null | tr -d '\r' | tail -n 1
}
while IFS='|' read -r text creds typed prompts; do
	is "$text" "$(asked "$typed" pull -q --creds "$creds" "$REGISTRY/app:1" | wc -c)" 65
	is "$text: the questions" "$(cat "$WORLD/prompts")" "$prompts"
	gone
done <<-'TABLE'
	the password is asked for|tester|secret\n|Password: 
	after a colon too|tester:|secret\n|Password: 
	the name is|:secret|tester\n|Username: 
	both are|:|tester\nsecret\n|Username: Password: 
TABLE
says "without a terminal there is nobody to ask" "could not read password from terminal: inappropriate ioctl" \
	pod pull -q --creds tester "$REGISTRY/app:1" </dev/null
says "a name can come from anywhere" unauthorized pod pull -q --creds :secret "$REGISTRY/app:1" <<<"somebody"
says "none at all" "credentials can't be empty" pod pull -q --creds :secret "$REGISTRY/app:1" </dev/null
check "an empty --creds is none" quiet pod pull -q --tls-verify=false --creds= "$REGISTRY_HTTP/mirror/app:1"
pod tag "$REGISTRY_HTTP/mirror/app:1" held
pod manifest create list >/dev/null
while read -r words; do
	eval "set -- $words"
	asked 'secret\n' "$@" >"$WORLD/out"
	is "asks: $words" "$(grep -o 'Password: ' "$WORLD/prompts"; grep -c unauthorized "$WORLD/prompts")" "Password: 
0"
done <<-'TABLE'
	push --creds tester held "$REGISTRY/copy:1"
	search --creds tester --list-tags "$REGISTRY/app"
	manifest add --creds tester list "docker://$REGISTRY/app:1"
	manifest push --creds tester list "docker://$REGISTRY/list"
	run --creds tester --rm --network none --pull always "$REGISTRY/app:1" true
	create --creds tester --pull always "$REGISTRY/app:1"
	container runlabel --creds tester --display nosuch "$REGISTRY/app:1"
TABLE
pod manifest rm list >/dev/null
pod rm -a >/dev/null
gone
is "an interrupt at the question leaves the terminal as it was" "$(python3 - "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" pull --creds tester "$REGISTRY/app:1" <<-'END'
	import os, pty, signal, sys, termios
	pid, tty = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], sys.argv[1:])
	echo = lambda: bool(termios.tcgetattr(tty)[3] & termios.ECHO)
	seen = b""
	while b"Password: " not in seen:
	    seen += os.read(tty, 100)
	while echo():
	    pass
	os.write(tty, b"\x03")
	print(os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGINT, echo())
	END
)" "True True"

# --- helper programs ---
# A helper keeps one secret for each server, and notes with which capabilities it was run.
cat >"$WORLD/bin/docker-credential-test" <<HELPER
#!/bin/bash
dir=$WORLD/helper
mkdir -p \$dir
grep -E 'CapEff|NoNewPrivs' /proc/self/status >\$dir/status
case \$1 in
store) j=\$(cat); echo "\$j" >"\$dir/\$(jq -r .ServerURL <<<"\$j" | tr '/:' '__')" ;;
get) f=\$dir/\$(cat | tr '/:' '__'); [ -f "\$f" ] || { echo "credentials not found in native keychain"; exit 1; }; cat "\$f" ;;
erase) f=\$dir/\$(cat | tr '/:' '__'); [ -f "\$f" ] || exit 1; rm "\$f" ;;
list) echo "{\"$REGISTRY\":\"tester\"}" ;;
esac
HELPER
chmod 755 "$WORLD/bin/docker-credential-test"
export PATH=$WORLD/bin:$PATH
echo '{"credHelpers":{"'"$REGISTRY"'":"test"}}' >"$auth"
is "login by way of a helper that the file names" "$(pod login -u tester -p secret "$REGISTRY")" "Login Succeeded!"
check "the password is not in the file" test "$(jq -c .auths "$auth")" = null
is "the helper has no capability and can gain none" "$(awk '{print $2}' "$WORLD/helper/status" | tr '\n' ' ')" "0000000000000000 1 "
check "pull asks it" quiet pod pull -q "$REGISTRY/app:1"
gone
is "--get-login asks it" "$(pod login --get-login "$REGISTRY")" tester
pod logout "$REGISTRY" >/dev/null
check "logout tells it" test ! -e "$WORLD/helper/${REGISTRY/:/_}"
says "then it knows nothing" unauthorized pod pull -q "$REGISTRY/app:1"
echo '{}' >"$auth"
printf 'credential-helpers = ["containers-auth.json", "test"]\n' >"$conf/registries.conf"
jq -n '{ServerURL: $s, Username: "tester", Secret: "secret"}' --arg s "$REGISTRY" >"$WORLD/helper/${REGISTRY/:/_}"
check "credential-helpers of registries.conf, after the files" quiet pod pull -q "$REGISTRY/app:1"
check "and for a push" quiet pod push -q "$REGISTRY/app:1" "$REGISTRY/helped:1"
check "and for a copy" quiet "$BIN/pod-image" copy -q "docker://$REGISTRY/helped:1" "docker://$REGISTRY/helped:2"
check "and to delete" quiet "$BIN/pod-image" delete "docker://$REGISTRY/helped:2"
gone
printf 'credential-helpers = ["test"]\n' >"$conf/registries.conf"
rm "$WORLD/helper/${REGISTRY/:/_}"
is "login stores in the first of them" "$(pod login -v -u tester -p secret "$REGISTRY" | sed -n 1p)" "Used:  credential helper: test"
check "it is there" test -e "$WORLD/helper/${REGISTRY/:/_}"
pod logout --all >/dev/null
check "logout --all asks it for its list" test ! -e "$WORLD/helper/${REGISTRY/:/_}"
printf '#!/bin/sh\necho "the vault is closed"; exit 3\n' >"$WORLD/bin/docker-credential-closed"
chmod 755 "$WORLD/bin/docker-credential-closed"
pair=$(printf tester:secret | base64)
echo '{"auths":{"'"$REGISTRY"'":{"auth":"'"$pair"'"}}}' >"$auth"
printf 'credential-helpers = ["closed", "missing", "containers-auth.json"]\n' >"$conf/registries.conf"
check "a helper that fails keeps nobody from asking the next" quiet pod pull -q "$REGISTRY/app:1"
gone
echo '{}' >"$auth"
says "if none knows, it is the error" 'error getting credentials - err: exit status 3, out: `the vault is closed`' pod pull -q "$REGISTRY/app:1"
rm "$conf/registries.conf"
echo '{"auths":{"'"$REGISTRY"'":{"auth":"'"$pair"'"}},"credHelpers":{"'"$REGISTRY"'":"closed"}}' >"$auth"
says "one that the file names for a registry" 'the vault is closed' pod pull -q "$REGISTRY/app:1"
echo '{"auths":{"'"$REGISTRY"'":{"auth":"'"$pair"'"}},"credsStore":"missing"}' >"$auth"
check "Docker's default helper may be missing" quiet pod pull -q "$REGISTRY/app:1"
gone
jq -n '{Username: "tester", Secret: "secret"}' >"$WORLD/helper/${REGISTRY/:/_}"
echo '{"credsStore":"test"}' >"$auth"
check "or know" quiet pod pull -q "$REGISTRY/app:1"
gone
echo '{}' >"$auth"
rm "$WORLD/helper/${REGISTRY/:/_}"
printf 'credential-helpers = ["missing"]\n' >"$conf/registries.conf"
says "a helper that is not installed" 'exec: "docker-credential-missing": executable file not found in $PATH' pod pull -q "$REGISTRY/app:1"
rm "$conf/registries.conf"

# --- registries.conf ---
says "a registries.conf that is named must be there" "open $WORLD/nowhere: no such file or directory" \
	env CONTAINERS_REGISTRIES_CONF="$WORLD/nowhere" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" pull -q "$REGISTRY_HTTP/mirror/app:1"
printf '[aliases]\n"app" = "other"\n' >"$conf/registries.conf"
says "an alias names a registry" 'invalid alias "other": must contain registry and repository' pod pull -q app:1
cat >"$conf/registries.conf" <<CONF
unqualified-search-registries = ["$REGISTRY_HTTP/mirror"]
[[registry]]
location = "$REGISTRY_HTTP"
insecure = true
[[registry]]
prefix = "*.example.com"
location = "$REGISTRY_HTTP/mirror"
insecure = true
[[registry]]
prefix = "hub.example.org"
location = "localhost:1"
[[registry.mirror]]
location = "localhost:2/nothing"
[[registry.mirror]]
location = "$REGISTRY_HTTP/mirror"
insecure = true
[[registry]]
prefix = "digest.example.org"
location = "localhost:1"
mirror-by-digest-only = true
[[registry.mirror]]
location = "$REGISTRY_HTTP/mirror"
insecure = true
[[registry]]
prefix = "tag.example.org"
location = "localhost:1"
[[registry.mirror]]
location = "$REGISTRY_HTTP/mirror"
insecure = true
pull-from-mirror = "tag-only"
[[registry]]
prefix = "localhost:3"
location = "$REGISTRY_HTTP/mirror"
insecure = true
[[registry]]
prefix = "localhost:4"
location = "$REGISTRY"
[[registry]]
location = "blocked.example.net"
blocked = true
CONF
mkdir -p "$conf/registries.conf.d"
printf '[aliases]\n"mine" = "%s/mirror/app"\n' "$REGISTRY_HTTP" >"$conf/registries.conf.d/a.conf"
digest=$LAYOUT_DIGEST
pulls() { # TEXT NAME SHOWN
	local said
	gone
	said=$(pod pull -q "$2" 2>&1)
	is "$1" "$(pod images --format '{{.Repository}}:{{.Tag}}')${said:64}" "$3"
}
pulls "a mirror after one that is gone" hub.example.org/app:1 hub.example.org/app:1
pulls "a wildcard of hosts" any.example.com/app:1 any.example.com/app:1
pulls "a search registry with a namespace" app:1 "$REGISTRY_HTTP/mirror/app:1"
pulls "an alias in a drop-in" mine:1 "$REGISTRY_HTTP/mirror/app:1"
pulls "a mirror for digests" "digest.example.org/app@$digest" "digest.example.org/app:<none>"
gone
says "is not asked for tags" "localhost:1" pod pull -q --retry 0 digest.example.org/app:1
pulls "a mirror for tags" tag.example.org/app:1 tag.example.org/app:1
gone
says "if all fail, what the mirrors said" "(Mirrors also failed: [localhost:2/nothing/gone:1: " pod pull -q --retry 0 hub.example.org/gone:1
says "is not asked for digests" "localhost:1" pod pull -q --retry 0 "tag.example.org/app@$digest"
says "a blocked registry" "registry blocked.example.net is blocked in" pod pull -q blocked.example.net/x
asked() { POD_TRACE=1 "$@" 2>&1 | grep -cE 'run>image #1 image_(pull|copy).* fetch=fd:[0-9]+$'; }
# Of this test's own, by their environment.
workers() {
	local p
	for p in /proc/[0-9]*; do
		[[ $(readlink "$p/exe") != */pod-image-fetch ]] || ! grep -qs "$HOME" "$p/environ" || echo "$p"
	done
}
no_workers() { test -z "$(workers)"; }
is "the worker comes up beside pod-image, and both know of it" "$(asked pod pull -q blocked.example.net/x)" 2
check "one that has nothing to ask ends" until_ok 10 no_workers
pulls "a location for what is pulled" localhost:3/app:1 localhost:3/app:1
says "what is pushed goes to the registry that was named" "registry localhost:3:" pod push -q --retry 0 localhost:3/app:1
is "a push has such a worker too" "$(asked pod push -q localhost:3/app:1 blocked.example.net/y)" 2
is "for another transport there is none" "$(asked pod push -q localhost:3/app:1 "dir:$WORLD/none/y")" 0
check "nor is one left" until_ok 10 no_workers
gone
says "credentials of the command line are for no other host" unauthorized pod pull -q --creds tester:secret localhost:4/app:1
check "only for the one that is named" quiet pod pull -q --creds tester:secret "$REGISTRY/app:1"
gone
is "info shows them" "$(pod info --format '{{index .Registries "search"}}')" "[$REGISTRY_HTTP/mirror]"
check "with their mirrors" test "$(pod info --format json | jq -r '(.registries // .Registries)["hub.example.org"].Mirrors | length')" = 2

# --- the user chooses, once ---
if command -v script >/dev/null && [ "$(id -u)" = 0 ]; then
	gone
	sed -i "1s,.*,unqualified-search-registries = [\"localhost:1\"\, \"$REGISTRY_HTTP/mirror\"]," "$conf/registries.conf"
	cat >"$WORLD/choose" <<SH
mount -t tmpfs none /var/cache
echo 2 | script -qec "$BIN/pod --root $ROOT --runroot $RUNROOT pull -q app:1" /dev/null
cat /var/cache/containers/short-name-aliases.conf
$BIN/pod --root $ROOT --runroot $RUNROOT pull app:1 </dev/null
SH
	said=$(unshare -m bash "$WORLD/choose" 2>&1)
	check "a person at a terminal is asked which registry is meant" grep -q "Please select an image" <<<"$said"
	check "the choice is kept" grep -q "\"app\" = \"$REGISTRY_HTTP/mirror/app\"" <<<"$said"
	check "and used from then on" grep -q 'Resolved "app" as an alias (/var/cache/containers/short-name-aliases.conf)' <<<"$said"
	printf 'short-name-mode = "enforcing"\n' | cat - "$conf/registries.conf" >"$WORLD/x" && mv "$WORLD/x" "$conf/registries.conf"
	says "without a terminal, enforcing refuses" "short-name resolution enforced but cannot prompt without a TTY" pod pull -q app:1
else
	skip "a choice among registries" "script is missing, or no root"
fi
rm -r "$conf/registries.conf" "$conf/registries.conf.d"

# --- version 1 of the file ---
printf '[registries.search]\nregistries = ["localhost:1", "%s/mirror"]\n[registries.insecure]\nregistries = ["localhost:1", "%s"]\n' \
	"$REGISTRY_HTTP" "$REGISTRY_HTTP" >"$conf/registries.conf"
gone
check "version 1: search and insecure registries" quiet pod pull -q --retry 0 app:1
printf '[registries.block]\nregistries = ["%s"]\n' "$REGISTRY_HTTP" >>"$conf/registries.conf"
says "version 1: a blocked registry" "registry $REGISTRY_HTTP is blocked in" pod pull -q "$REGISTRY_HTTP/mirror/app:1"
printf 'short-name-mode = "enforcing"\n' | cat - "$conf/registries.conf" >"$WORLD/x" && mv "$WORLD/x" "$conf/registries.conf"
says "version 1 with what it does not know" "mixing sysregistry v1/v2 is not supported" pod pull -q app:1
mkdir "$conf/registries.conf.d"
sed 1d "$conf/registries.conf" >"$conf/registries.conf.d/a.conf"
rm "$conf/registries.conf"
says "version 1 as a drop-in" "registry must be in v2 format but is in v1" pod pull -q app:1
rm -r "$conf/registries.conf.d"

# --- certificates of authorities ---
# What is no certificate is passed over, wherever it stands; the others count, and without them nobody is believed.
authorities() {
	local dir=$WORLD/authorities good=$REGISTRY_CERTS/ca.crt text make
	pull() { pod pull -q --retry 0 --creds tester:secret --cert-dir "$dir" "$REGISTRY/app:1"; }
	openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=another" -keyout "$WORLD/another.key" -out "$WORLD/another.crt" -days 2 2>/dev/null
	broken() { sed '3s/.*/%%%%/' "$1"; }
	while IFS='|' read -r text make; do
		mkdir -p "$dir"
		eval "$make"
		says "authorities: $text, and no good one" "x509: certificate signed by unknown authority" pull
		cp "$good" "$dir/z.crt"
		check "authorities: $text, and then a good one" quiet pull
		rm "$dir/z.crt"
		cat "$good" >>"$dir/a.crt"
		check "authorities: $text, and a good one in the same file" quiet pull
		gone
		rm -r "$dir"
	done <<-'TABLE'
		an empty file|: >"$dir/a.crt"
		text|echo hello >"$dir/a.crt"
		the beginning of the good one|head -n 5 "$good" >"$dir/a.crt"
		a broken line in the good one|broken "$good" >"$dir/a.crt"
		what is in base64, and no certificate|printf -- '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' >"$dir/a.crt"
		the beginning of a line alone|printf -- '-----BEGIN CERTIFICATE-----' >"$dir/a.crt"
		a key|cp "$WORLD/another.key" "$dir/a.crt"
		another form|openssl x509 -in "$good" -outform DER -out "$dir/a.crt"; echo >>"$dir/a.crt"
		another authority|cp "$WORLD/another.crt" "$dir/a.crt"
	TABLE
	mkdir "$dir"
	broken "$good" >"$dir/a.crt"
	cp "$WORLD/another.crt" "$dir/b.crt"
	says "a broken one beside another authority's does not make it a good one" "x509: certificate signed by unknown authority" pull
	rm -r "$dir"
	says "a directory that is not there holds none" "x509: certificate signed by unknown authority" pull
	check "which is no matter without TLS" quiet pod pull -q --tls-verify=false --cert-dir "$dir" "$REGISTRY_HTTP/mirror/app:1"
	: >"$dir"
	says "a file in its place" "opening $dir: not a directory" pull
	gone
}
authorities

# --- a registry that wants a certificate of the client ---
openssl req -newkey rsa:2048 -nodes -subj "/CN=client" -keyout "$WORLD/client.key" -out "$WORLD/client.csr" 2>/dev/null
openssl x509 -req -in "$WORLD/client.csr" -CA "$REGISTRY_CERTS/ca.crt" -CAkey "$WORLD/tls/ca.key" -CAcreateserial \
	-days 2 -out "$WORLD/client.cert" 2>/dev/null
port=$(free_port)
registry_run "$WORLD/registry" "$port" "  tls:\n    certificate: $WORLD/tls/server.crt\n    key: $WORLD/tls/server.key\n    clientcas:\n      - $REGISTRY_CERTS/ca.crt\n"
M=localhost:$port
mkdir -p "$conf/certs.d/$M"
cp "$REGISTRY_CERTS/ca.crt" "$conf/certs.d/$M/"
until_ok 20 curl -s -o /dev/null --cacert "$REGISTRY_CERTS/ca.crt" --cert "$WORLD/client.cert" --key "$WORLD/client.key" "https://$M/v2/"
says "without its certificate" "bad certificate" pod pull -q --retry 0 "$M/app:1"
cp "$WORLD/client.cert" "$WORLD/client.key" "$conf/certs.d/$M/"
check "client certificate and key in certs.d" quiet pod pull -q "$M/app:1"
ln -s /nosuch "$conf/certs.d/$M/old.crt"
is "a link to nothing among them is told, and is no fault" "$(pod pull -q "$M/app:1" 2>&1 | grep -c 'level=warning msg="error reading certificate .*/old.crt.*: no such file or directory"'; echo "${PIPESTATUS[0]}")" "1
0"
rm "$conf/certs.d/$M/old.crt"
gone
mv "$conf/certs.d/$M" "$WORLD/dir"
check "and in --cert-dir" quiet pod pull -q --cert-dir "$WORLD/dir" "$M/app:1"
gone
# Beside it, and before it in the order of names, one that the registry does not trust.
openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=other authority" -keyout "$WORLD/other.key" -out "$WORLD/other.crt" -days 2 2>/dev/null
openssl x509 -req -in "$WORLD/client.csr" -CA "$WORLD/other.crt" -CAkey "$WORLD/other.key" -CAcreateserial \
	-days 2 -out "$WORLD/dir/a.cert" 2>/dev/null
cp "$WORLD/dir/client.key" "$WORLD/dir/a.key"
check "of several certificates, that of an authority which the registry names" quiet pod pull -q --cert-dir "$WORLD/dir" "$M/app:1"
gone
mkdir "$WORLD/chain"
cp "$REGISTRY_CERTS/ca.crt" "$WORLD/dir/a.cert" "$WORLD/dir/a.key" "$WORLD/chain"
says "none is shown if none is of such an authority" "bad certificate" pod pull -q --retry 0 --cert-dir "$WORLD/chain" "$M/app:1"
openssl req -newkey rsa:2048 -nodes -subj "/CN=authority between" -keyout "$WORLD/between.key" -out "$WORLD/between.csr" 2>/dev/null
openssl x509 -req -in "$WORLD/between.csr" -CA "$REGISTRY_CERTS/ca.crt" -CAkey "$WORLD/tls/ca.key" -CAcreateserial -days 2 \
	-extfile <(echo basicConstraints=CA:TRUE) -out "$WORLD/between.crt" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=client" -keyout "$WORLD/chain/b.key" -out "$WORLD/ec.csr" 2>/dev/null
openssl x509 -req -in "$WORLD/ec.csr" -CA "$WORLD/between.crt" -CAkey "$WORLD/between.key" -CAcreateserial \
	-days 2 -out "$WORLD/chain/b.cert" 2>/dev/null
cat "$WORLD/between.crt" >>"$WORLD/chain/b.cert"
check "a certificate with its chain" quiet pod pull -q --cert-dir "$WORLD/chain" "$M/app:1"
echo junk >"$WORLD/chain/z.cert" && cp "$WORLD/chain/a.key" "$WORLD/chain/z.key"
says "each of them must be sound" "registry $M: tls: the client certificate cannot be read" pod pull -q --cert-dir "$WORLD/chain" "$M/app:1"
rm "$WORLD/dir/a.cert" "$WORLD/dir/a.key"
mv "$WORLD/dir/client.cert" "$WORLD/client.cert"
says "a key without a certificate" "missing client certificate client.cert for key client.key" pod pull -q --cert-dir "$WORLD/dir" "$M/app:1"
mv "$WORLD/client.cert" "$WORLD/dir/"
mv "$WORLD/dir/client.key" "$WORLD/client.key"
openssl pkcs8 -topk8 -in "$WORLD/client.key" -out "$WORLD/dir/client.key" -passout pass:x
says "a key with a passphrase" "registry $M: tls: the key of the client certificate cannot be read" pod pull -q --cert-dir "$WORLD/dir" "$M/app:1"
openssl genrsa -out "$WORLD/dir/client.key" 2048 2>/dev/null
says "a key of something else" "registry $M: tls: the key does not belong to the client certificate" pod pull -q --cert-dir "$WORLD/dir" "$M/app:1"
mv "$WORLD/dir/client.cert" "$WORLD/client.cert"
echo junk >"$WORLD/dir/client.cert"
says "a certificate that is none" "registry $M: tls: the client certificate cannot be read" pod pull -q --cert-dir "$WORLD/dir" "$M/app:1"
mv "$WORLD/client.cert" "$WORLD/dir/"
rm "$WORLD/dir/client.key"
says "a certificate without a key" "missing key client.key for client certificate client.cert" pod pull -q --cert-dir "$WORLD/dir" "$M/app:1"

# --- as an ordinary user ---
if ordinary_user; then
	U=$WORLD/user
	mkdir -p "$U/.config/containers/certs.d/$REGISTRY" "$U/run" "$U/bin"
	cp "$REGISTRY_CERTS/ca.crt" "$U/.config/containers/certs.d/$REGISTRY/"
	sed "s,$WORLD/helper,$U/helper," "$WORLD/bin/docker-credential-test" >"$U/bin/docker-credential-test"
	chmod 755 "$U/bin/docker-credential-test"
	mkdir -p "$U/run/containers"
	echo '{"credHelpers":{"'"$REGISTRY"'":"test"}}' >"$U/run/containers/auth.json"
	chown -R "$world_user" "$U"
	upod() { as_user env HOME="$U" PATH="$U/bin:$PATH" XDG_RUNTIME_DIR="$U/run" "$BIN/pod" --root "$U/root" --runroot "$U/runroot" "$@"; }
	is "an ordinary user's helper" "$(upod login -u tester -p secret "$REGISTRY" 2>&1 | tail -1)" "Login Succeeded!"
	check "is asked by pull" quiet upod pull -q "$REGISTRY/app:1"
else
	skip "an ordinary user's helper" "not root"
fi
finish
