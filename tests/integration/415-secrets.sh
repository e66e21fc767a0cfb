#!/bin/bash
# SPDX-License-Identifier: ISC
# secret and --secret.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
cd "$WORLD" || exit 1
printf hello >f
: >empty
head -c 512000 /dev/zero >long
sec() { pod secret "$@"; }
inside() { pod run --rm --network none "${@:2}" localhost/bb sh -c "$1" 2>&1; }

id=$(sec create --label a=b s1 f)
is "an ID of 25 digits" "$(printf %s "$id" | grep -cE '^[0-9a-f]{25}$')" 1
is "from standard input" "$(printf x | sec create s2 - | wc -c)" 26
is "from a variable" "$(V=val sec create --env s3 V >/dev/null; sec inspect --showsecret s3 | jq -r '.[0].SecretData')" val
is "list" "$(sec ls --format '{{.Name}} {{.Driver}}' | tr '\n' ,)" "s1 file,s2 file,s3 file,"
is "heading" "$(sec ls | sed -n 1p | tr -s ' ')" "ID NAME DRIVER CREATED UPDATED"
is "filters" "$(sec ls -f name=s1 --format '{{.Name}}') $(sec ls -q -f "id=${id:0:6}")" "s1 $id"
is "inspect" "$(sec inspect s1 | jq -r '.[0] | [.ID,.Spec.Name,.Spec.Driver.Name,.Spec.Labels.a] | join(" ")')" "$id s1 file b"
is "inspect shows no data" "$(sec inspect s1 | grep -c hello)" 0
is "pretty" "$(sec inspect --pretty s1 | head -2 | tr -s ' ' | tr '\n' ,)" "ID: $id,Name: s1,"
is "exists" "$(sec exists s1; echo $?) $(sec exists "${id:0:5}"; echo $?) $(sec exists no; echo $?)" "0 0 1"
is "the files are their owner's" "$(stat -c %a "$ROOT/secrets" "$ROOT/secrets/secrets.json" "$ROOT/secrets/filedriver/secretsdata.json" | tr '\n' ' ')" "700 600 600 "
for bad in "create s1 f" "create bad/name f" "create s9 empty" "create s9 long" "create s9 nosuch" "create -d nosuch s9 f" "create --env s9 NO_SUCH_VARIABLE" "create s9" "inspect nosuch" "rm nosuch" "rm" "rm -a s1" "ls -f x=y" "create --ignore --replace s1 f"; do
	# shellcheck disable=SC2086
	sec $bad >/dev/null 2>&1 </dev/null
	is "refused: secret $bad" "$?" 125
done
is "--ignore" "$(sec create --ignore s1 f)" "$id"
new=$(printf other | sec create --replace s1 -)
is "--replace" "$(sec inspect --showsecret s1 | jq -r '.[0] | .SecretData') $([ "$new" != "$id" ] && echo new)" "other new"
sec create --replace s1 f >/dev/null

# --- In containers
is "a file" "$(inside 'stat -c "%a %u:%g" /run/secrets/s1; cat /run/secrets/s1' --secret s1)" "$(printf '444 0:0\nhello')"
is "with owner and mode" "$(inside 'stat -c "%a %u:%g" /run/secrets/t; cat /run/secrets/t' --secret s1,target=t,uid=5,gid=6,mode=400)" "$(printf '400 5:6\nhello')"
is "with a whole path" "$(inside 'cat /etc/x/y' --secret source=s1,target=/etc/x/y)" hello
is "a variable" "$(inside 'echo $FOO $s2' --secret s1,type=env,target=FOO --secret s2,type=env)" "hello x"
for bad in nosuch s1,type=bad s1,mode=9 s1,bad=1 s1,type=env,uid=3 s1,target=../../x ,type=env s1,uid=x; do
	inside true --secret "$bad" >/dev/null 2>&1
	is "refused: --secret $bad" "$?" 125
done
is "nothing is left of those" "$(pod ps -aq | wc -l)" 0
pod create --name c --network none --secret s1 --secret s2,type=env localhost/bb sh -c 'cat /run/secrets/s1; echo; echo $s2' >/dev/null
printf changed | sec create --replace s2 - >/dev/null
sec rm s1 >/dev/null
is "a file stays as it was when the container was made" "$(pod start -a c | sed -n 1p)" hello
is "inspect names it" "$(pod inspect c | jq -r '.[0].Config.Secrets[0].Name')" s1
is "data is not in the record" "$(grep -c hello "$ROOT/pod.db")" 0
printf x | sec create part - >/dev/null
for how in '' --squash; do
	pod run --name with --network none --secret part --secret part,target=sub/t localhost/bb sh -c 'mkdir /own; : >/own/part' >/dev/null
	pod commit -q $how with localhost/with >/dev/null
	is "an image made of a container has no mount points of its secrets: $how" \
		"$(pod run --rm --network none localhost/with find /run/secrets /own -type f | xargs)" /own/part
	pod rm with >/dev/null
	pod rmi localhost/with >/dev/null
done
sec rm part >/dev/null
pod run -d --name e --network none --secret s2,type=env localhost/bb sleep 100 >/dev/null
is "exec has the variable too" "$(pod exec e sh -c 'echo $s2')" changed
sec rm s2 >/dev/null
pod restart -t 0 e >/dev/null 2>&1
is "a variable's secret must be there at each start" "$?" 125
pod rm -f -t 0 -a >/dev/null
until_is "a container takes its copies with it" "" find "$ROOT/containers" -name 'secret.*'
printf root | sec create u - >/dev/null
is "not readable to another user" "$(inside 'cat /run/secrets/u 2>&1' -u alice --secret u,mode=400 | grep -c denied)" 1

# --- Drivers
mkdir keep
o="list=ls $WORLD/keep,lookup=cat $WORLD/keep/\$SECRET_ID,store=cat >$WORLD/keep/\$SECRET_ID,delete=rm $WORLD/keep/\$SECRET_ID"
sid=$(sec create -d shell --driver-opts "$o" sh f)
is "shell: stored" "$(cat "keep/$sid")" hello
is "shell: given" "$(inside 'cat /run/secrets/sh' --secret sh)" hello
sec rm sh >/dev/null
is "shell: removed" "$(ls keep)" ""
sec create -d shell --driver-opts "store=exit 3" sh f >/dev/null 2>&1
is "shell: a failure is one" "$? $(sec exists sh; echo $?)" "125 1"
if command -v gpg >/dev/null; then
	mkdir -m 700 gpg store
	if timeout 60 gpg --homedir "$WORLD/gpg" --batch --quiet --passphrase '' --quick-gen-key pod@example.org default default never 2>/dev/null; then
		o="root=$WORLD/store,key=pod@example.org,gpghomedir=$WORLD/gpg"
		pid=$(sec create -d pass --driver-opts "$o" pw f)
		is "pass: encrypted" "$(test -f "store/$pid.gpg" && grep -c hello "store/$pid.gpg")" 0
		is "pass: given" "$(inside 'cat /run/secrets/pw' --secret pw)" hello
		sec rm pw >/dev/null
		is "pass: removed" "$(ls store)" ""
	else
		skip "pass" "gpg made no key"
	fi
	gpgconf --homedir "$WORLD/gpg" --kill all 2>/dev/null
else
	skip "pass" "no gpg"
fi
is "rm --all" "$(sec rm -a | wc -l) $(sec ls -q | wc -l)" "2 0"
is "events" "$(pod events --stream=false -f type=secret -f secret=sh --format '{{.Status}}' | tr '\n' ' ')" "create remove "

# --- Data that has gone
printf here | sec create here - >/dev/null
printf away | sec create --driver-opts path="$WORLD/away" away - >/dev/null
rm -r "$WORLD/away"
is "inspect --showsecret of lost data is an error" "$(sec inspect --showsecret --format '{{.SecretData}}' away here 2>"$WORLD/err"; echo $?; grep -c '^Error: inspecting secret: .*no ' "$WORLD/err")" "here
125
1"
is "and shows no half of it" "$(sec inspect --showsecret away 2>/dev/null)" "[]"
is "without it nothing is looked up" "$(sec inspect --format '{{.Spec.Name}}' away)" away
is "an empty driver in containers.conf is the default" "$(printf '[secrets]\ndriver=""\n' >"$WORLD/c.conf"; printf x | CONTAINERS_CONF_OVERRIDE=$WORLD/c.conf sec create byconf - >/dev/null; sec inspect --format '{{.Spec.Driver.Name}}' byconf)" file
finish
