# SPDX-License-Identifier: ISC
# The main job, sourced after lib.sh, registry.sh and world: pulls the images of a registry with TLS and passwords,
# runs them with a published port, talks to them, reads logs, execs, stops, removes.  The functions pod and in_user may
# be overridden, so that the same runs as an ordinary user.

# job_registry: starts the registry and fills it with an OCI zstd, a Docker gzip and a multi-platform image
job_registry() {
	registry_start tester secret || return 1
	layout "$WORLD/l-zstd" v1 zstd
	registry_push "$WORLD/l-zstd" v1 team/zstd:v1 || return 1
	layout "$WORLD/l-gzip" v1 gzip
	registry_push "$WORLD/l-gzip" v1 team/docker:v1 --format v2s2 || return 1
	layout_index "$WORLD/l-index" v1
	registry_push "$WORLD/l-index" v1 team/multi:v1 --all
}

job() {
	local form name port id access="--cert-dir $REGISTRY_CERTS"
	pod pull $access -q "$REGISTRY/team/zstd:v1" >/dev/null 2>"$WORLD/err"
	is "without a password the pull is refused" $? 125
	echo wrong | pod login $access -u tester --password-stdin "$REGISTRY" >/dev/null 2>"$WORLD/err"
	is "a wrong password is refused" $? 125
	is "login" "$(echo secret | pod login $access -u tester --password-stdin "$REGISTRY" 2>&1)" "Login Succeeded!"
	pod pull -q "$REGISTRY/team/zstd:v1" >/dev/null 2>"$WORLD/err"
	is "without its CA the registry is refused" $? 125
	for form in zstd docker multi; do
		name=$REGISTRY/team/$form:v1
		id=$(pod pull $access -q "$name" 2>"$WORLD/err")
		is "$form: pull prints the image's ID $(head -n1 "$WORLD/err" | cut -c1-90)" "$(echo "$id" | grep -cE '^[0-9a-f]{64}$')" 1
		is "$form: images lists it" "$(pod images -q --no-trunc "$name" | sed 's/^sha256://')" "$id"
		port=$(free_port)
		id=$(pod run -d --name "web-$form" -p "127.0.0.1:$port:80" "$name" httpd -f -vv -h /www)
		is "$form: run -d prints an ID" "$(echo "$id" | grep -cE '^[0-9a-f]{64}$')" 1
		until_ok 10 curl -sf -o "$WORLD/page" "http://127.0.0.1:$port/index.html"
		is "$form: it answers HTTP" "$(cat "$WORLD/page" 2>/dev/null)" "hello from pod"
		is "$form: ps shows it" "$(pod ps --filter "name=web-$form" --format '{{.State}}')" running
		is "$form: and the name it was run by" "$(pod ps --filter "name=web-$form" --format '{{.Image}}')" "$name"
		check "$form: ps shows its port" grep -q "127.0.0.1:$port->80/tcp" <(pod ps --filter "name=web-$form" --format '{{.Ports}}')
		check "$form: logs show the request" until_ok 5 job_logged "web-$form"
		is "$form: exec" "$(pod exec "web-$form" cat /opt/second | cut -d' ' -f1)" second
		check "$form: exec -t has a terminal" job_tty "web-$form"
		is "$form: exec sees only its own processes" "$(pod exec "web-$form" sh -c 'cat /proc/1/comm')" httpd
		pod stop -t 3 "web-$form" >/dev/null
		is "$form: stop" "$(pod inspect --format '{{.State.Status}}' "web-$form")" exited
		check "$form: the port is closed again" until_ok 5 job_closed "$port"
		pod rm "web-$form" >/dev/null
		is "$form: rm" "$(pod ps -aq)" ""
	done
	pod run --rm "$REGISTRY/team/zstd:v1" sh -c 'test -e /proc/net/dev && grep -q eth0 /proc/net/dev || ls /sys/class/net | grep -qv "^lo$"'
	is "a container has an interface of its own" $? 0
	pod rmi -a -f >/dev/null
	is "rmi -a leaves no image" "$(pod images -q)" ""
	is "logout" "$(pod logout "$REGISTRY")" "Removed login credentials for $REGISTRY"
}
job_closed() {
	curl -s -m 2 "http://127.0.0.1:$1/" >/dev/null
	[ $? = 7 ]
}
job_logged() { pod logs "$1" 2>&1 | grep -q index.html; }
# script(1) writes an end of file of its own when its standard input ends, so it is kept open.
job_tty() {
	[ "$(sleep 2 | script -qec "$(pod_line) exec -it $1 sh -c 'test -t 0 && test -t 1 && echo tty'" /dev/null | tr -d '\r' | tail -n 1)" = tty ]
}
pod_line() { echo "$BIN/pod --root $ROOT --runroot $RUNROOT"; }
