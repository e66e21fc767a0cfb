#!/bin/bash
# SPDX-License-Identifier: ISC
# A service of Podman's as what a command acts on: which one, the ways to it, and what is refused.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/tls.sh"

world
export HOME=$WORLD/home XDG_CONFIG_HOME=$WORLD/home/config
mkdir -p "$HOME" "$XDG_CONFIG_HOME/containers"
unset CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY PODMAN_CONNECTIONS_CONF
podc() { timeout 60 "$BIN/pod" "$@"; }
refused() { # TEXT MESSAGE WORDS...: status 125, that message, nothing on standard output
	local text=$1 message=$2 said st
	shift 2
	said=$(podc "$@" 2>&1)
	st=$?
	is "$text" "$st $said" "125 Error: $message"
}

# --- What needs no service ---
refused "a service that is not there" "unable to connect to Podman socket unix://$WORLD/none: connecting to $WORLD/none: no such file or directory" --url "unix://$WORLD/none" version
refused "--remote: the usual place" "unable to connect to Podman socket unix:///run/podman/podman.sock: connecting to /run/podman/podman.sock: no such file or directory" --remote version
refused "an unknown connection" 'connection "none" not found' -c none version
refused "also as Docker's context" 'connection "none" not found' --context none version
refused "a scheme that nobody speaks" 'unable to connect to Podman socket gopher://x: unable to create connection. "gopher" is not a supported schema' --url gopher://x version
refused "no URL" 'unable to connect to Podman socket x: "x" is not a valid url' --url x version
refused "a host that would be an option of ssh" 'unable to connect to Podman socket ssh://-oProxyCommand=x/y: "ssh://-oProxyCommand=x/y" is not a valid url' --url ssh://-oProxyCommand=x/y version
refused "tcp without a port" "unable to connect to Podman socket tcp://x: tcp URLs should include a port: tcp://x" --url tcp://x version
refused "a way of ssh that there is not" "--ssh telnet: the ways of ssh are golang and native" --remote --ssh telnet version
refused "a certificate without its key" "--tls-cert and --tls-key are given together" --url tcp://127.0.0.1:1 --tls-cert x version
refused "a command that is not built" "container checkpoint: not built for a remote service yet" --remote container checkpoint x
refused "one that no service is asked for" 'cannot use command "pod mount" with the remote podman client' --remote mount
refused "also in its group" 'cannot use command "pod container mount" with the remote podman client' --remote container mount
refused "an option of the kind" "unknown flag: --cert-dir" --remote pull --cert-dir / x
check "login is of this machine" eval 'podc --root "$ROOT" --runroot "$RUNROOT" --remote login 127.0.0.1:1 -u x -p y 2>&1 | grep -q "127.0.0.1:1"'
refused "where things are here" "--root: a remote service has its own, which it cannot be told" --remote --root /x version
refused "also behind the command" "--runroot: a remote service has its own, which it cannot be told" --remote info --runroot /x
printf '{"Connection": 3' >"$XDG_CONFIG_HOME/containers/podman-connections.json"
check "a broken file of connections is named" eval 'podc -c x version 2>&1 | grep -q "reading $XDG_CONFIG_HOME/containers/podman-connections.json"'
rm "$XDG_CONFIG_HOME/containers/podman-connections.json"
check "nothing was made here" nothing_in "$XDG_CONFIG_HOME/containers"
is "--remote=false wins over the environment" "$(CONTAINER_HOST=unix:///none podc --remote=false version 2>&1 | grep -c "^Client:")" 1

# --- The user's connections ---
conn() { podc system connection "$@"; }
file=$XDG_CONFIG_HOME/containers/podman-connections.json
is "no connection" "$(conn list -q)" ""
check "add" conn add --identity /key dev me@dev.test
is "what it is" "$(jq -cS . "$file")" '{"Connection":{"Connections":{"dev":{"Identity":"/key","URI":"ssh://me@dev.test:22"}},"Default":"dev"}}'
check "others" eval 'conn add -p 2222 --socket-path /run/x.sock six ssh://me@[::1] && conn add -d --tls-ca /ca sec tcp://h:1 && conn add here unix://run/p.sock'
is "list" "$(conn ls | tr -s ' ')" "Name URI Identity Default ReadWrite
dev ssh://me@dev.test:22 /key false true
here unix:///run/p.sock false true
sec tcp://h:1 true true
six ssh://me@[::1]:2222/run/x.sock false true"
is "as JSON" "$(conn list -f json | jq -c '.[] | select(.Default) | [.Name, .TLSCA]')" '["sec","/ca"]'
is "the default" "$(conn default here; conn list --format '{{.Name}} {{.Default}}' | grep true)" "here true"
is "rename" "$(conn rename here local; conn list -f '{{.Name}} {{.Default}}' | grep true)" "local true"
is "remove" "$(conn rm local; conn list -f '{{.Name}} {{.Default}}' | tr '\n' ' ')" "dev false sec false six false "
refused "a default that there is not" '"none" destination is not defined. See "podman system connection add ..." to create a connection' system connection default none
refused "a removal of none" 'connection "none" not found' system connection rm none
refused "a new name that is taken" 'destination "sec" already exists' system connection rename dev sec
refused "a key for a socket" "--identity option not supported for unix scheme" system connection add --identity /x u unix:///x
refused "TLS for ssh" "--tls-ca option not supported for ssh scheme" system connection add --tls-ca /x u h
refused "a scheme that nobody speaks here either" 'unable to create connection. "gopher" is not a supported schema' system connection add u gopher://x
refused "an option of ssh as a host" '"ssh://-oProxyCommand=x" is not a valid url' system connection add u -- -oProxyCommand=x
is "those of containers.conf" "$(CONTAINERS_CONF=<(printf '[engine.service_destinations.c]\nuri = "tcp://c:1"\n') conn list -f '{{.Name}} {{.URI}} {{.ReadWrite}}' | head -n 1)" "c tcp://c:1 false"
is "several at once" "$(for i in 1 2 3 4 5 6; do conn add "n$i" "tcp://h:$i" & done; wait; conn list -q | grep -c '^n')" 6
is "all go" "$(conn rm --all; conn list -q; jq -r .Connection.Default "$file")" ""
rm -r "$XDG_CONFIG_HOME/containers"
mkdir "$XDG_CONFIG_HOME/containers"

# Somebody who accepts and speaks no HTTP, or another one.
port=$(free_port)
python3 - "$port" <<'PY' &
import socket, sys
l = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for answer in (b"220 smtp\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
               b"HTTP/1.1 200 OK\r\nLibpod-API-Version: 3.4.0\r\nContent-Length: 2\r\n\r\nOK",
               b"HTTP/1.1 200 OK\r\nLibpod-API-Version: 5.0.0\r\nContent-Length: 2\r\n\r\nOKHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[[[[[[[[[",
               b"HTTP/1.1 200 OK\r\nLibpod-API-Version: 5.0.0\r\nContent-Length: 2\r\n\r\nOKHTTP/1.1 418 X\r\nContent-Length: 27\r\n\r\n{\"message\":\"\\u001b[31mred\"}",
               b""):
    c, _ = l.accept()
    c.recv(65536)
    c.sendall(answer)
    c.shutdown(socket.SHUT_WR)
    c.recv(65536)
    c.close()
PY
remember_pid $!
until_ok 10 sh -c "ss -Hltn 'sport = :$port' | grep -q ." || not_ok "the other server does not listen"
T=tcp://127.0.0.1:$port
refused "no HTTP" "unable to connect to Podman socket $T: the service sends no HTTP" --url "$T" info
refused "a service of another kind" "unable to connect to Podman socket $T: ping response was 200, and no service of Podman's" --url "$T" info
refused "one that is too old" 'server API version is too old. Client "4.0.0" server "3.4.0"' --url "$T" info
check "malformed JSON" eval 'podc --url "$T" info 2>&1 | grep -q "^Error: reading the answer of the service: "'
refused "its words do not reach the terminal as they are" '\x1b[31mred' --url "$T" info
refused "one that hangs up" "unable to connect to Podman socket $T: the service ended its answer too early" --url "$T" info

if [ "$(id -u)" != 0 ] || ! command -v podman >/dev/null; then
	skip "with Podman's own service" "needs podman, as root"
	finish
fi

# --- Podman's service ---
serve() { # URL NAME
	unshare -m bash -c "umount /sys/fs/cgroup/unified 2>/dev/null
		exec podman --root $WORLD/p$2 --runroot $WORLD/pr$2 --cgroup-manager cgroupfs --storage-driver vfs \
			--network-config-dir $WORLD/pn$2 system service -t 0 $1" >"$WORLD/p.log" 2>&1 &
	remember_pid $!
}
at_end() { umount "$WORLD/p/overlay" "$WORLD/pt/overlay" 2>/dev/null; }
S=$WORLD/p.sock
tcp=$(free_port)
serve "unix://$S" ""
serve "tcp:127.0.0.1:$tcp" t
until_ok 30 test -S "$S" || not_ok "the service does not start"
U=unix://$S
theirs=$(curl -s --unix-socket "$S" http://d/v4.0.0/libpod/version | jq -r .Version)
is "version has both sides" "$(podc --url "$U" version -f '{{.Client.Version}} {{.Server.Version}}')" "$(podc version -f '{{.Client.Version}}') $theirs"
is "and shows them" "$(podc --url "$U" version | grep -c "^Version: ")" 2
is "also as JSON" "$(podc --url "$U" version -f json | jq -r '.Server | .Version + " " + .Os')" "$theirs linux"
is "info is that of the service" "$(podc --url "$U" info -f '{{.Store.GraphRoot}} {{.Host.OCIRuntime.Name}}')" "$WORLD/p crun"
is "as JSON" "$(podc -H "$U" info -f json | jq -r .store.graphRoot)" "$WORLD/p"
is "as YAML" "$(podc --url "$U" system info | grep graphRoot:)" "  graphRoot: $WORLD/p"
refused "a field that it has not" "template: inspect:1:2: executing \"inspect\" at <.Nope>: can't evaluate field Nope in type define.Info" --url "$U" info -f '{{.Nope}}'

# --- Which one ---
root_of() { podc "$@" info -f '{{.Store.GraphRoot}}' 2>&1; }
is "CONTAINER_HOST" "$(CONTAINER_HOST=$U root_of)" "$WORLD/p"
cat >"$XDG_CONFIG_HOME/containers/podman-connections.json" <<-JSON
	{"Connection":{"Default":"one","Connections":{"one":{"URI":"$U"},"two":{"URI":"tcp://127.0.0.1:$tcp"}}},"Farm":{}}
JSON
until_ok 30 curl -s "http://127.0.0.1:$tcp/_ping" >/dev/null
is "a connection by its name" "$(root_of --connection two)" "$WORLD/pt"
is "as Docker's context" "$(root_of --context two)" "$WORLD/pt"
is "in the environment" "$(CONTAINER_CONNECTION=two root_of)" "$WORLD/pt"
is "which wins over CONTAINER_HOST" "$(CONTAINER_HOST=$U CONTAINER_CONNECTION=two root_of)" "$WORLD/pt"
is "--url wins over the environment" "$(CONTAINER_CONNECTION=two root_of --url "$U")" "$WORLD/p"
is "--connection over --url" "$(root_of --url "$U" --connection two)" "$WORLD/pt"
is "--remote takes the default" "$(root_of --remote)" "$WORLD/p"
mv "$XDG_CONFIG_HOME/containers/podman-connections.json" "$WORLD/elsewhere.json"
is "PODMAN_CONNECTIONS_CONF" "$(PODMAN_CONNECTIONS_CONF=$WORLD/elsewhere.json root_of -c two)" "$WORLD/pt"
cat >"$WORLD/c.conf" <<-CONF
	[engine]
	remote = true
	active_service = "three"
	[engine.service_destinations.three]
	uri = "tcp://127.0.0.1:$tcp"
CONF
is "containers.conf" "$(CONTAINERS_CONF=$WORLD/c.conf root_of)" "$WORLD/pt"
is "a connection of it" "$(CONTAINERS_CONF=$WORLD/c.conf root_of -c three)" "$WORLD/pt"
is "--remote=false" "$(CONTAINERS_CONF=$WORLD/c.conf podc --remote=false version | grep -c Server)" 0
is "a name of the host" "$(root_of --url "tcp://localhost:$tcp")" "$WORLD/pt"

# --- TLS, where the client must show a certificate ---
tls_certificates "$WORLD/tls"
tls=$(free_port)
python3 "$LIB_DIR/tls-proxy.py" "$WORLD/tls" "$tls" "$tcp" &
remember_pid $!
until_ok 10 sh -c "ss -Hltn 'sport = :$tls' | grep -q ."
T=tcp://127.0.0.1:$tls
client=(--tls-ca "$WORLD/tls/ca.pem" --tls-cert "$WORLD/tls/client.pem" --tls-key "$WORLD/tls/client.key")
is "TLS with both certificates" "$(root_of --url "$T" "${client[@]}")" "$WORLD/pt"
is "by name" "$(root_of --url "tcp://localhost:$tls" "${client[@]}")" "$WORLD/pt"
check "without ours" eval 'podc --url "$T" --tls-ca "$WORLD/tls/ca.pem" info 2>&1 | grep -q "certificate required"'
refused "an authority that did not sign it" "unable to connect to Podman socket $T: the certificate of 127.0.0.1 is not accepted: self-signed certificate in certificate chain" --url "$T" --tls-ca "$WORLD/tls/client.pem" info
check "the system's authorities" eval 'podc --url "$T" --tls-cert "$WORLD/tls/client.pem" --tls-key "$WORLD/tls/client.key" info 2>&1 | grep -q "is not accepted"'
sed -i '/END/d' "$WORLD/tls/ca.key"
refused "a key that is none" "unable to connect to Podman socket $T: the file of --tls-key holds no key without a password that fits the certificate" --url "$T" --tls-cert "$WORLD/tls/client.pem" --tls-key "$WORLD/tls/ca.key" info
cat >"$WORLD/elsewhere.json" <<-JSON
	{"Connection":{"Default":"","Connections":{"t":{"URI":"$T","TLSCA":"$WORLD/tls/ca.pem","TLSCert":"$WORLD/tls/client.pem","TLSKey":"$WORLD/tls/client.key"}}}}
JSON
is "a connection with TLS" "$(PODMAN_CONNECTIONS_CONF=$WORLD/elsewhere.json root_of -c t)" "$WORLD/pt"

# A service that takes the connection and says nothing more.
mute=$(free_port)
python3 -c "import socket, time; s = socket.create_server(('127.0.0.1', $mute)); time.sleep(120)" &
remember_pid $!
until_ok 10 sh -c "ss -Hltn 'sport = :$mute' | grep -q ."
"$BIN/pod" --url "tcp://127.0.0.1:$mute" --tls-ca "$WORLD/tls/ca.pem" info >/dev/null 2>&1 &
asker=$!
remember_pid $asker
until_ok 20 pgrep -P "$asker" pod-run-dial >/dev/null
dialler=$(pgrep -P "$asker" pod-run-dial)
until_ok 20 sh -c "ss -Htn 'dport = :$mute' | grep -q ESTAB"
kill -KILL "$asker"
check "who has the key goes with who asked, also in the middle of a handshake" until_ok 20 ended "$dialler"
kill -KILL "$dialler" 2>/dev/null

# --- ssh: one that is found first, and runs here what it is to run there ---
mkdir "$WORLD/bin"
cat >"$WORLD/bin/ssh" <<-SH
	#!/bin/sh
	printf '%s|' "\$@" >"$WORLD/ssh.words"
	for last; do :; done
	exec sh -c "\$last"
SH
chmod +x "$WORLD/bin/ssh"
is "ssh" "$(PATH=$WORLD/bin:$PATH root_of --url "ssh://me@host.test:2222$S" --identity /key)" "$WORLD/p"
is "its words" "$(cat "$WORLD/ssh.words")" "-i|/key|-p|2222|-l|me|--|host.test|podman --url 'unix://$S' system dial-stdio|"
printf '#!/bin/sh\nexit 255\n' >"$WORLD/bin/ssh"
check "ssh that fails" eval 'PATH=$WORLD/bin:$PATH root_of --url ssh://h/x | grep -q "^Error: unable to connect to Podman socket ssh://h/x: "'

check "nothing was made here" nothing_in "$HOME/.local" "$XDG_CONFIG_HOME/containers"

user_part <<USER
unset CONTAINER_HOST
is "an ordinary user asks a service" "\$("\$BIN/pod" --url tcp://127.0.0.1:$tcp info -f '{{.Store.GraphRoot}}')" "$WORLD/pt"
check "and makes nothing here" nothing_in "\$HOME/.local"
USER
