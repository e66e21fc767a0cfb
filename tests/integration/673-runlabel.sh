#!/bin/bash
# SPDX-License-Identifier: ISC
# container runlabel, platform_to_oci_runtime, and what containers.conf says in vain.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
rootfs fs
tar -C fs --owner=0 --group=0 -c . | pod import -q -c 'LABEL run="podman run --rm --network none --name NAME IMAGE echo ${NAME} $OPT1"' -c 'LABEL host="sh -c id"' -c 'LABEL evil="echo a;touch escaped"' -c 'LABEL empty=' -c 'LABEL blank=printf <%s> "" x; "*"' -c "LABEL quoted=podman run --rm --network none IMAGE printf '<%s>' \"a  b\" \$NAME''" -c 'LABEL INSTALL=echo large' -c 'LABEL install=echo small' -c 'LABEL CHECK=echo checked' -c 'LABEL open=echo "a' -c 'LABEL words="echo NAME=NAME IMAGE=IMAGE $UNKNOWN_VARIABLE x$NAME"' - localhost/lab:1 >/dev/null
rl() { pod --log-level error container runlabel "$@" 2>&1; }
is "what it would run" "$(rl --display run localhost/lab:1)" "command: pod run --rm --network none --name lab localhost/lab:1 echo lab"
is "another name, and parameters" "$(rl --display --name n1 --opt1 one run localhost/lab:1)" "command: pod run --rm --network none --name n1 localhost/lab:1 echo n1 one"
is "further words" "$(rl --display run localhost/lab:1 x y | sed 's/.*echo //')" "lab x y"
is "the case of a label does not count" "$(rl -q check localhost/lab:1)" checked
is "but the same spelling comes first" "$(rl -q install localhost/lab:1; rl -q INSTALL localhost/lab:1)" $'small\nlarge'
is "quotes group" "$(rl -q quoted localhost/lab:1 'c d')" "<a  b><lab><c d>"
is "and it is shown as a shell would take it" "$(rl --display quoted localhost/lab:1 "it's")" "command: pod run --rm --network none localhost/lab:1 printf '<%s>' 'a  b' lab 'it'\\''s'"
is "an empty word is one, and what a shell would obey is quoted" "$(rl --display blank localhost/lab:1)" "command: printf '<%s>' '' 'x;' '*'"
is "so that a shell runs the same" "$(sh -c "$(rl --display blank localhost/lab:1 | sed 's/^command: //')")" "$(rl -q blank localhost/lab:1)"
is "a quote that is not closed" "$(rl open localhost/lab:1)" "Error: label open of image localhost/lab:1: a quote is not closed"
is "a credentials file that is not there" "$(rl --authfile "$WORLD/nosuch" --display run localhost/lab:1)" "Error: stat $WORLD/nosuch: no such file or directory"
is "variables" "$(rl --display words localhost/lab:1)" 'command: echo NAME=lab IMAGE=localhost/lab:1 xlab'
is "a program of the host is run" "$(rl -q host localhost/lab:1 | cut -d'(' -f1)" "uid=$(id -u)"
is "it says what it runs" "$(rl words localhost/lab:1 | sed -n 1p | cut -d' ' -f1,2)" "command: echo"
is "no shell is between" "$(rl -q evil localhost/lab:1; ls escaped 2>/dev/null)" "a;touch escaped"
for bad in "" "run" "nosuch localhost/lab:1" "empty localhost/lab:1" "run localhost/nosuch:1"; do
	# shellcheck disable=SC2086
	rl $bad >/dev/null
	is "refused: runlabel $bad" "$?" 125
done
is "a label that is not there" "$(rl nosuch localhost/lab:1)" "Error: cannot find the value of label: nosuch in image: localhost/lab:1"

is "the engine works on the same containers" "$(rl -q --opt1 hi run localhost/lab:1)" "lab hi"

# --- The command it runs uses the user's configuration for its roots.
cat >storage.conf <<E2
[storage]
driver = "overlay"
graphroot = "$ROOT"
runroot = "$RUNROOT"
E2
run() { CONTAINERS_STORAGE_CONF=$WORLD/storage.conf "$BIN/pod" container runlabel "$@"; }
is "it is run" "$(run -q --name made --opt1 hello run localhost/lab:1)" "made hello"
pod create --name made --network none localhost/lab:1 true >/dev/null
run -q --name made run localhost/lab:1 >/dev/null 2>&1
is "its exit status is ours" "$?" 125
is "--replace" "$(run -q --replace --name made run localhost/lab:1)" made

# --- containers.conf
arch=$(pod info --format '{{.Host.Arch}}')
cat >containers.conf <<E2
[containers]
label_users = true
[engine]
num_locks = 100
lock_type = "file"
conmon_path = ["/nosuch"]
[engine.platform_to_oci_runtime]
"linux/$arch" = "runc"
E2
conf() { CONTAINERS_CONF=$WORLD/containers.conf pod "$@"; }
conf create --name p --platform "linux/$arch" --network none localhost/lab:1 true >/dev/null
conf create --name q --network none localhost/lab:1 true >/dev/null
is "a runtime by the platform asked for" "$(pod inspect -f '{{.OCIRuntime}}' p)" runc
is "or by the image's own" "$(pod inspect -f '{{.OCIRuntime}}' q)" runc
conf --runtime crun create --name r --network none localhost/lab:1 true >/dev/null
is "--runtime comes first" "$(pod inspect -f '{{.OCIRuntime}}' r)" crun
printf '[engine.platform_to_oci_runtime]\n"linux/%s" = "nosuch"\n' "$arch" >"$WORLD/none.conf"
before=$(pod ps -aq | wc -l)
is "one that is not there" "$(CONTAINERS_CONF=$WORLD/none.conf pod create --network none localhost/lab:1 true 2>&1; pod ps -aq | wc -l)" "Error: default OCI runtime \"nosuch\" not found: invalid argument
$before"
is "a runtime that does nothing is no missing command" "$(pod --runtime /bin/true run --rm --network none localhost/lab:1 true 2>&1; echo $?)" "Error: the runtime wrote no process ID
126"
is "nor is anything made for --runtime" "$(pod --runtime nosuch create --network none localhost/lab:1 true 2>&1; pod ps -aq | wc -l)" "Error: default OCI runtime \"nosuch\" not found: invalid argument
$before"
is "what has no effect can be found out" "$(conf --log-level info ps -q 2>&1 | grep -oE '[a-z]+\.[a-z_]+ has no effect' | sort | tr '\n' ,)" "containers.label_users has no effect,engine.conmon_path has no effect,engine.lock_type has no effect,engine.num_locks has no effect,"
is "and is no trouble else" "$(conf ps -q 2>&1)" ""
finish
