#!/bin/bash
# SPDX-License-Identifier: ISC
# --tls-details: versions, cipher suites and groups of every connection by TLS, and files that are refused.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
. "$LIB_DIR/tls.sh"

for tool in docker-registry skopeo python3 openssl ss; do
	command -v $tool >/dev/null || {
		skip "what TLS may use" "$tool is not installed"
		finish
	}
done
world
export HOME=$WORLD/home
unset XDG_CONFIG_HOME CONTAINER_HOST CONTAINER_CONNECTION http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
CONF=$HOME/.config/containers
mkdir -p "$CONF/registries.d"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$CONF/policy.json"
tls_certificates "$WORLD/tls"
back=$(free_port)
registry_run "$WORLD/registry" "$back" "  relativeurls: true\n"
until_ok 20 curl -s -o /dev/null "http://localhost:$back/v2/"
# docker-registry would take this for a setting of its own.
export REGISTRY_AUTH_FILE=$WORLD/auth.json
echo "{}" >"$REGISTRY_AUTH_FILE"

trusted() { mkdir -p "$CONF/certs.d/localhost:$1" && cp "$WORLD/tls/ca.pem" "$CONF/certs.d/localhost:$1/ca.crt"; }
listens() { until_ok 20 sh -c "ss -Hltn 'sport = :$1' | grep -q ."; }
# front TO LIMIT...: TLS before that port, with these limits; sets FRONT
front() {
	FRONT=$(free_port)
	python3 -W ignore "$LIB_DIR/tls-proxy.py" "$WORLD/tls" "$FRONT" "$1" client=any "${@:2}" &
	remember_pid $!
	trusted "$FRONT"
	listens "$FRONT"
}
front "$back" version=1.2 && old=$FRONT
front "$back" version=1.3 && new=$FRONT
front "$back" version=1.1 ciphers=ALL:@SECLEVEL=0 && oldest=$FRONT
front "$back" version=1.2 ciphers=ECDHE-RSA-AES128-GCM-SHA256 && suite=$FRONT
front "$back" group=secp384r1 && group=$FRONT
Y=$WORLD/tls.yaml
with() { # YAML WORDS...: our answer, in one line
	printf '%b\n' "$1" >"$Y"
	shift
	said=$(timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --tls-details "$Y" "$@" 2>&1)
	st=$?
}
image() { timeout 60 "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" --tls-details "$Y" "$@"; }
works() { # TEXT YAML WORDS...
	local text=$1
	shift
	with "$@"
	if [ $st = 0 ]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}
# fails TEXT REASON YAML WORDS...: the last line is the one Error, which ends so
fails() {
	local text=$1 reason=$2
	shift 2
	with "$@"
	if [ $st = 125 ] && [[ ${said##*$'\n'} == Error:*"$reason" ]] && [ "$(grep -c '^Error' <<<"$said")" = 1 ]; then
		ok "$text"
	else
		not_ok "$text: $st: $said"
	fi
}
no_version='remote error: tls: protocol version not supported'
no_common='remote error: tls: handshake failure'
none='tls: no cipher suite is allowed'

# --- A registry that speaks TLS 1.2 alone, and every command that asks one ---
busybox_image img >/dev/null
echo data >"$WORLD/file"
works "push" 'minVersion: "1.2"' push -q img "localhost:$old/a:1"
works "a tag for what follows" "" tag img "localhost:$old/kept:1"
works "a list to push" "" manifest create "localhost:$old/list:1" "docker://localhost:$old/a:1"
works "an artifact to push" "" artifact add "localhost:$old/art:1" "$WORLD/file"
while read -r words; do
	for version in 1.2 1.3; do
		words=${words//OLD/localhost:$old}
		if [ $version = 1.2 ]; then
			works "$words: 1.2 is enough" "minVersion: $version" $words
		else
			fails "$words: not with 1.3" "$no_version" "minVersion: $version" $words
		fi
	done
done <<-'END'
	pull -q --retry 0 OLD/a:1
	push -q --retry 0 OLD/kept:1
	login -u x -p y OLD
	search --list-tags OLD/a
	search OLD/a
	manifest inspect docker://OLD/a:1
	manifest push -q OLD/list:1 docker://OLD/list:1
	artifact push -q --retry 0 OLD/art:1
	artifact pull -q --retry 0 OLD/art:1
	create --pull always -q OLD/a:1 true
END
fails "a web server that is imported from" "$no_version" 'minVersion: 1.3' import "https://localhost:$old/x.tar" x
with 'minVersion: 1.2' import "https://localhost:$old/x.tar" x
check "which is reached with 1.2" grep -q "404" <<<"$said"
fails "--tls-verify=false does not loosen it" ": Recv failure: Connection reset by peer" 'minVersion: 1.3' pull -q --retry 0 --tls-verify=false "localhost:$old/a:1"
mkdir "$CONF/certs.d/registry.invalid" && cp "$WORLD/tls/ca.pem" "$CONF/certs.d/registry.invalid/ca.crt"
export HTTPS_PROXY=https://localhost:$old
fails "the TLS of a proxy" "$no_version" 'minVersion: 1.3' pull -q --retry 0 registry.invalid/a:1
with 'minVersion: 1.2' pull -q --retry 0 registry.invalid/a:1
check "which is reached with 1.2" grep -q "CONNECT tunnel failed" <<<"$said"
unset HTTPS_PROXY

# --- Versions ---
works "1.3, if both have it" 'minVersion: 1.3' pull -q "localhost:$new/a:1"
works "an older one is none too much" 'minVersion: "1.0"' pull -q "localhost:$new/a:1"
fails "nothing said: not before 1.2" "$no_version" '{}' pull -q --retry 0 "localhost:$oldest/a:1"
fails "empty is nothing said" "$no_version" 'minVersion: ""' pull -q --retry 0 "localhost:$oldest/a:1"
works "1.1" 'minVersion: 1.1' pull -q --retry 0 "localhost:$oldest/a:1"
works "1.0" "minVersion: '1.0'" pull -q --retry 0 "localhost:$oldest/a:1"
fails "1.2 asked for" "$no_version" 'minVersion: 1.2' pull -q --retry 0 "localhost:$oldest/a:1"
for nothing in '' '{}' '---' '# none' 'null' 'minVersion:\ncipherSuites:\nnamedGroups: ~' 'namedGroups: []'; do
	works "no setting: ${nothing//[^[:print:]]/ }" "$nothing" pull -q "localhost:$old/a:1"
done
is "an empty option is none" "$(pod --tls-details= images -q | wc -l)" "$(pod images -q | wc -l)"

# --- Cipher suites ---
A=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 B=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 C=TLS_AES_128_GCM_SHA256
works "the suite that the server has" "cipherSuites: [$A]" pull -q "localhost:$suite/a:1"
works "among others" "cipherSuites:\n  - $B\n  - $A\n  - $C" pull -q "localhost:$suite/a:1"
fails "not without it" "$no_common" "cipherSuites: [$B]" pull -q --retry 0 "localhost:$suite/a:1"
fails "only those of 1.3: no 1.2" "$no_version" "cipherSuites: [$C]" pull -q --retry 0 "localhost:$suite/a:1"
works "and 1.3" "cipherSuites: [$C]" pull -q "localhost:$new/a:1"
fails "only those of 1.2: no 1.3" "$no_version" "cipherSuites: [$A, $B]" pull -q --retry 0 "localhost:$new/a:1"
fails "and at least 1.3: nothing is left" "tls: no supported versions satisfy MinVersion and MaxVersion" "minVersion: 1.3\ncipherSuites: [$A]" pull -q --retry 0 "localhost:$new/a:1"
fails "an empty list allows none" "$none" 'cipherSuites: []' pull -q --retry 0 "localhost:$new/a:1"
fails "nor for 1.2" "$none" 'minVersion: 1.0\ncipherSuites: []' pull -q --retry 0 "localhost:$old/a:1"
one=$(free_port)
mkdir -p "$WORLD/www/v2/a/manifests"
manifest='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
printf 'HTTP/1.0 200 x\r\nContent-Type: application/vnd.oci.image.index.v1+json\r\nContent-Length: %s\r\n\r\n%s' "${#manifest}" "$manifest" >"$WORLD/www/v2/a/manifests/1"
(cd "$WORLD/www" && exec openssl s_server -accept "127.0.0.1:$one" -cert "$WORLD/tls/server.pem" -key "$WORLD/tls/server.key" -tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384 -HTTP -quiet) >/dev/null 2>&1 &
remember_pid $!
trusted "$one"
listens "$one"
raw() { printf '%s\n' "$1" >"$Y" && image inspect --raw --retry 0 "docker://localhost:$one/a:1" 2>&1; }
is "one suite of 1.3 that the server has" "$(raw "cipherSuites: [$C, TLS_AES_256_GCM_SHA384]")" "$manifest"
check "not without it" eval 'raw "cipherSuites: [$C, TLS_CHACHA20_POLY1305_SHA256]" | grep -q "$no_common\$"'

# --- Groups ---
works "the group that the server has" 'namedGroups: [x25519, secp384r1, secp384r1]' pull -q "localhost:$group/a:1"
fails "not without it" "$no_common" 'namedGroups: [x25519, secp256r1, secp521r1]' pull -q --retry 0 "localhost:$group/a:1"
if openssl list -kem-algorithms 2>/dev/null | grep -q MLKEM; then
	works "one that is new" 'namedGroups: [X25519MLKEM768, secp384r1]' pull -q "localhost:$group/a:1"
else
	with 'namedGroups: [X25519MLKEM768]' images
	check "one that is newer than the library" grep -qE '^125 Error: parsing TLS details "[^"]*": the TLS named group "X25519MLKEM768" is not known to OpenSSL [0-9.]+$' <<<"$st $said"
fi

# --- Files that are refused, whatever the command is ---
ROOT=$WORLD/never RUNROOT=$WORLD/never-run
bad() { # TEXT SAID YAML
	with "$3" images
	is "$1" "$st $said" "125 Error: ${2//FILE/\"$Y\"}"
}
P='parsing FILE: ' D='parsing TLS details FILE: '
bad "an unknown field" "${P}maxVersion: unknown key" 'maxVersion: 1.3'
bad "a field twice" "${P}yaml:2: a key stands there twice" 'minVersion: 1.3\nminVersion: 1.2'
bad "no list" "${P}cipherSuites: an array is expected, not a string" "cipherSuites: $A"
bad "a mapping for a list" "${P}namedGroups: an array is expected, not an object" "namedGroups: {x25519: 1}"
bad "a list in a list" "${P}namedGroups[0]: a string is expected, not an array" 'namedGroups: [[x25519]]'
bad "a list for a version" "${P}minVersion: a string is expected, not an array" 'minVersion: [1.2]'
bad "a list for all" "${P}an object is expected, not an array" '- minVersion'
bad "a word for all" "${P}an object is expected, not a string" '1.2'
bad "an unknown version" "${D}unrecognized TLS minimum version \"1.4\"" 'minVersion: 1.4'
bad "numbers are what stands there" "${D}unrecognized TLS minimum version \"1.20\"" 'minVersion: 1.20'
bad "also whole ones" "${D}unrecognized TLS minimum version \"1\"" 'minVersion: 1'
bad "and booleans" "${D}unrecognized TLS minimum version \"true\"" 'minVersion: true'
bad "an unknown suite" "${D}unrecognized TLS cipher suite \"TLS_X\"" "cipherSuites: [$A, TLS_X]"
bad "OpenSSL's name of one" "${D}unrecognized TLS cipher suite \"ECDHE-RSA-AES128-GCM-SHA256\"" 'cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]'
bad "OpenSSL's commands" "${D}unrecognized TLS cipher suite \"ALL:@SECLEVEL=0\"" 'cipherSuites: ["ALL:@SECLEVEL=0"]'
bad "a signal that is no suite" "${D}unrecognized TLS cipher suite \"TLS_FALLBACK_SCSV\"" 'cipherSuites: [TLS_FALLBACK_SCSV]'
bad "an empty name" "${D}unrecognized TLS cipher suite \"\"" 'cipherSuites: [""]'
bad "an unknown group" "${D}unrecognized TLS named group \"curve\"" 'namedGroups: [x25519, curve]'
bad "OpenSSL's name of one" "${D}unrecognized TLS named group \"P-256\"" 'namedGroups: [P-256]'
bad "two in one" "${D}unrecognized TLS named group \"x25519:secp256r1\"" 'namedGroups: ["x25519:secp256r1"]'
bad "a name without end" "${P}cipherSuites[0]: the name is too long" "cipherSuites: [$(printf 'T%.0s' {1..100})]"
bad "names without end" "${P}more than 256 cipher_suites" "cipherSuites: [$(printf "$C,%.0s" {1..300})]"
bad "deep nesting" "${P}yaml: too deep or too many values" "namedGroups: $(printf '[%.0s' {1..5000})$(printf ']%.0s' {1..5000})"
bomb='a: &a [x,x,x,x,x,x,x,x,x]'
last=a
for n in b c d e f g h; do
	bomb+="\n$n: &$n [*$last,*$last,*$last,*$last,*$last,*$last,*$last,*$last,*$last]"
	last=$n
done
bad "a bomb of aliases" "${P}yaml: too deep or too many values" "$bomb"
bad "no YAML" "${P}yaml:2: did not find expected ',' or ']'" 'cipherSuites: [a'
printf 'minVersion: "1.2\0"\n' >"$Y.nul"
is "a NUL" "$(pod --tls-details "$Y.nul" images 2>&1 | grep -c "^Error: parsing \"$Y.nul\": yaml:")" 1
refused() { # TEXT PATH SAID
	said=$(timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --tls-details "$2" images 2>&1)
	st=$?
	is "$1" "$st $said" "125 Error: reading \"$2\": $3"
}
refused "no such file" "$WORLD/none" "open $WORLD/none: no such file or directory"
refused "a directory" "$WORLD" "reading $WORLD: is a directory"
truncate -s 10M "$WORLD/big"
refused "10 MB" "$WORLD/big" "$WORLD/big is larger than 65536 bytes"
said=$(timeout 60 "$BIN/pod-image" --tls-details "$WORLD/none" generate-sigstore-key --output-prefix "$WORLD/key" 2>&1)
is "pod-image alone refuses it as well" "$? $said" "125 Error: reading \"$WORLD/none\": open $WORLD/none: no such file or directory"
printf 'minVersion: 3\n' >"$Y"
said=$(image inspect docker://localhost:1/a 2>&1)
is "and what is in it" "$? $said" "125 Error: parsing TLS details \"$Y\": unrecognized TLS minimum version \"3\""
check "nothing was made" test ! -e "$ROOT" -a ! -e "$RUNROOT"

# --- pod-image alone ---
ROOT=$WORLD/root RUNROOT=$WORLD/run
list() { printf '"%s": {"images": {"a": ["1"]}}\n' "localhost:$old"; }
list >"$WORLD/list.yaml"
while read -r words; do
	words=${words//OLD/localhost:$old} words=${words//DIR/$WORLD}
	printf 'minVersion: 1.3\n' >"$Y"
	said=$(image $words 2>&1)
	check "pod-image $words: not with 1.3" grep -q "$no_version" <<<"$? $said"
	printf 'minVersion: 1.2\n' >"$Y"
	rm -rf "$WORLD/d"
	said=$(image $words 2>&1) && ok "and with 1.2" || not_ok "and with 1.2: $said"
done <<-'END'
	copy -q --src-no-creds docker://OLD/a:1 dir:DIR/d
	copy -q containers-storage:localhost/img docker://OLD/b:1
	inspect --retry 0 docker://OLD/a:1
	list-tags docker://OLD/a
	pull -q --retry 0 OLD/a:1
	login -u x -p y OLD
	sync -q --src docker --dest dir OLD/a DIR/d
	sync -q --src yaml --dest dir DIR/list.yaml DIR/d
	delete docker://OLD/b:1
END

# --- Signatures by way of a web server ---
mkdir "$WORLD/sigs"
web=$(free_port)
busybox httpd -f -p "127.0.0.1:$web" -h "$WORLD/sigs" &
remember_pid $!
listens "$web"
front "$web" version=1.2
printf 'docker:\n  localhost:%s:\n    lookaside: https://localhost:%s\n' "$new" "$FRONT" >"$CONF/registries.d/x.yaml"
rm -rf "$WORLD/d"
printf 'minVersion: 1.3\n' >"$Y"
said=$(image copy -q "docker://localhost:$new/a:1" "dir:$WORLD/d" 2>&1)
check "a lookaside that has only 1.2" grep -q "localhost:$FRONT.*$no_version" <<<"$said"
printf 'minVersion: 1.2\n' >"$Y"
check "which is enough" image copy -q "docker://localhost:$new/a:1" "dir:$WORLD/d"

# --- A service over TCP ---
service=$(free_port)
python3 "$LIB_DIR/remote-fake.py" "$service" 5.0.0 "$WORLD/created" &
remember_pid $!
listens "$service"
front "$service" version=1.2
there() { # YAML
	printf '%b\n' "$1" >"$Y"
	timeout 60 "$BIN/pod" --url "tcp://127.0.0.1:$FRONT" --tls-ca "$WORLD/tls/ca.pem" --tls-details "$Y" container exists x 2>&1
	echo $?
}
U="Error: unable to connect to Podman socket tcp://127.0.0.1:$FRONT: 127.0.0.1: "
is "a service: 1.2 is enough" "$(there 'minVersion: 1.2')" 0
is "not with 1.3" "$(there 'minVersion: 1.3')" "${U}tlsv1 alert protocol version
125"
is "its suites" "$(there "cipherSuites: [$A]")" 0
is "none" "$(there "cipherSuites: []")" "${U}no ciphers available
125"
front "$service" group=secp384r1
U="Error: unable to connect to Podman socket tcp://127.0.0.1:$FRONT: 127.0.0.1: "
is "its group" "$(there 'namedGroups: [secp384r1]')" 0
is "not without it" "$(there 'namedGroups: [x25519]')" "${U}sslv3 alert handshake failure
125"
is "a bad file is refused before" "$(there 'minVersion: 7')" "Error: parsing TLS details \"$Y\": unrecognized TLS minimum version \"7\"
125"

# --- As an ordinary user ---
cp "$WORLD/tls/ca.pem" "$WORLD/user-ca.pem" && chmod 644 "$WORLD/user-ca.pem"
(
	printf 'old=%s new=%s service=%s\n' "$old" "$new" "$FRONT"
	cat <<'END'
cd "$WORLD"
mkdir certs && cp "$LIB_DIR/user-ca.pem" certs/ca.crt
try() { # YAML WORDS...
	printf '%b\n' "$1" >y
	shift
	timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --tls-details y "$@" 2>&1
	echo $?
}
is "user: a bad file" "$(try 'minVersion: 7' pull -q a)" 'Error: parsing TLS details "y": unrecognized TLS minimum version "7"
125'
check "user: nothing was made" test ! -e "$ROOT"
check "user: pull, not with 1.3" eval 'try "minVersion: 1.3" pull -q --retry 0 --cert-dir certs "localhost:$old/a:1" | grep -q "protocol version not supported\$"'
check "user: with 1.2" eval 'try "minVersion: 1.2" pull -q --cert-dir certs "localhost:$old/a:1" | grep -qx 0'
check "user: push" eval 'try "minVersion: 1.3" push -q --retry 0 --cert-dir certs "localhost:$old/a:1" | grep -q "protocol version not supported\$"'
is "user: a service" "$(unset CONTAINER_HOST; printf 'namedGroups: [secp384r1]\n' >y; "$BIN/pod" --url "tcp://127.0.0.1:$service" --tls-ca certs/ca.crt --tls-details y container exists x 2>&1; echo $?)" 0
check "user: pod-image" eval 'printf "minVersion: 1.3\n" >y; "$BIN/pod-image" --tls-details y list-tags --cert-dir certs "docker://localhost:$old/a" 2>&1 | grep -q "protocol version not supported\$"'
END
) | user_part
