#!/bin/bash
# SPDX-License-Identifier: ISC
# Completion: each option of each command, values of options, names of objects, and the script of bash as bash runs it.
. "$(dirname "$0")/../lib.sh"
world
complete_of() { "$BIN/pod" __completeNoDesc "$@" 2>/dev/null; }

# PATH and PATH it is the same command as, of each command
places() { "$BIN/pod" __options | awk -F '\t' '$2 == "-" { print $1 "\t" $1 } $2 == "=" { print $1 "\t" $3 }'; }

# --- options ---
missing=
n=0
declare -A options
while IFS=$'\t' read -r path option _ _ how; do
	case $option in --*) [ "$how" = shown ] && options[$path]+="$option " ;; esac
done < <("$BIN/pod" __options)
while IFS=$'\t' read -r path same; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	offered=$(complete_of ${path#pod} -- | tr '\n' ' ')
	for option in ${options[$same]}; do
		case " $offered" in *" $option "* | *" $option= "*) ;; *) missing+="$path $option; " ;; esac
	done
done < <(places)
check "there are commands to look at" [ "$n" -gt 150 ]
is "each option of each command is offered" "$missing" ""
is "hidden ones are not" "$(complete_of ps --n | xargs)" "--namespace --no-trunc --noheading --network-config-dir :4"

# --- values and objects ---
busybox_image img >/dev/null
pod run -d --name runs --net none img sleep 1000 >/dev/null
pod create --name waits --net none img true >/dev/null
pod volume create vol1 >/dev/null
printf x | pod secret create sec1 - >/dev/null
# WORDS@WHAT IS OFFERED
while IFS=@ read -r words wanted; do
	# shellcheck disable=SC2086
	eval "set -- $words"
	is "completes: $words" "$(complete_of --root "$ROOT" --runroot "$RUNROOT" "$@" | grep -v '^:' | head -n 4 | xargs)" "$wanted"
done <<'ROWS'
start ''@runs waits
ps --filter an@ancestor=
rm --filter status@status=
stop ''@runs
exec ''@runs
top r@runs
rm wa@waits
inspect vol@vol1
rmi im@img:latest
run im@img:latest
volume rm ''@vol1
secret rm s@sec1
network rm po@podman
kill -s TER@TERM
kill --signal SIGTER@SIGTERM
run --cap-add NET_A@NET_ADMIN
run --pull m@missing
run --restart on@on-failure
run --network pod@podman
run --volumes-from r@runs
run --secret se@sec1
ps --sort na@names
--log-level wa@warn warning
--events-backend jo@journald
images --sort re@repository
wait --condition ex@exited
run --cgroups sp@split
image pr@prune
network cr@create
help vol@volume
ROWS

# --- bash itself ---
cat >"$WORLD/try.sh" <<'EOT'
PATH=$BIN:$PATH
. <(pod completion bash)
# what TAB makes of a line
tab() {
	COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
	read -ra COMP_WORDS <<<"$COMP_LINE"
	[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	compopt() { :; }
	__pod_complete
	echo "${COMPREPLY[*]}"
}
"$@"
EOT
line() { BIN=$BIN bash "$WORLD/try.sh" tab "$*" | xargs; }
is "bash: a command" "$(line 'pod unp')" unpause
is "bash: an option" "$(line 'pod run --privi')" --privileged
is "bash: a container" "$(line "pod --root $ROOT --runroot $RUNROOT stop ru")" runs
is "bash: a subcommand" "$(line 'pod volume ins')" inspect
cd "$WORLD" && : >archive.tar
is "bash: a file" "$(line 'pod load -i arch')" archive.tar
for shell in bash zsh fish powershell; do
	is "$shell: no descriptions where none are wanted" \
		"$("$BIN/pod" completion $shell --no-desc | grep -oE '__complete[A-Za-z]* ' | sort -u | xargs)" __completeNoDesc
done
braces=$("$BIN/pod" completion powershell | tr -cd '{}')
is "powershell: a script in which brackets go in pairs" "$(tr -cd '{' <<<"$braces")" "$(tr -cd '}' <<<"$braces" | tr '}' '{')"
for shell in zsh fish powershell; do
	if command -v $shell >/dev/null; then
		"$BIN/pod" completion $shell >"$WORLD/script.$shell"
		check "$shell reads its script" $shell -n "$WORLD/script.$shell"
	else
		check "a script for $shell" grep -q __complete <("$BIN/pod" completion $shell)
	fi
done
finish
