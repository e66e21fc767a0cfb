#!/bin/sh
# SPDX-License-Identifier: ISC
# Compares the options that the programs have with those in their manuals, in both directions.
#
# A command "pod image ls" has its manual in man/pod-image-ls.1; without one of its own, it is described
# in the page of what stands above it (at last man/pod.1), which then has to name it: ".It Ic ls",
# ".Ss ls" and the like.  An option is an item ".It Fl a , Fl -all Ar …".
set -eu
build=${BUILD:-build}
man=${MAN:-man}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# The page of a command.  A helper has one page for all its commands.  pod-image.1 is the manual of such a program,
# not of the group "pod image"; but pod-run.1 is that of "pod run", although a program of that name exists: pod itself.
page_of()
{
	case ${1%% *} in
	*-*)
		printf %s "$man/${1%% *}.1"
		return
		;;
	esac
	name=$(printf %s "$1" | tr ' ' -)
	while [ ! -f "$man/$name.1" ] || { [ -e "$build/bin/$name" ] && ! [ "$build/bin/$name" -ef "$program" ]; }; do
		case $name in
		*-*) name=${name%-*} ;;
		*) break ;;
		esac
	done
	printf %s "$man/$name.1"
}

# The options of a page, one per line, with their dashes.
page_options()
{
	awk '/^\.It / {
		for (i = 2; i < NF; i++)
			if ($i == "Fl" && $(i + 1) ~ /^-?[[:alnum:]]/) {
				o = $(i + 1)
				print (o ~ /^-/ ? "-" o : "-" o)
			}
	}' "$1" | sort -u
}

complain()
{
	echo "check-man: $*"
	status=1
}

for program in "$build"/bin/*; do
	[ -h "$program" ] && continue
	if ! "$program" __options >"$tmp/all" 2>/dev/null || [ ! -s "$tmp/all" ]; then
		continue
	fi
	grep 'shown$' "$tmp/all" >"$tmp/shown" || true
	cut -f1 "$tmp/shown" | sort -u >"$tmp/paths"
	: >"$tmp/documented"
	: >"$tmp/existing"
	while IFS= read -r path; do
		grep -q "^$path	=	" "$tmp/shown" && continue
		page=$(page_of "$path")
		if [ ! -f "$page" ]; then
			complain "$path: no manual $page"
			continue
		fi
		own=$man/$(printf %s "$path" | tr ' ' -).1
		word=${path##* }
		if [ "$page" != "$own" ] && ! grep -Eq "^\\.(It (Ic|Cm|Nm)|Ss|Sh) (.* )?\"?$word\"?( |\$)" "$page"; then
			complain "$path: $page does not name it"
		fi
		page_options "$page" >"$tmp/in-page"
		awk -F '\t' -v path="$path" '$1 == path && $2 ~ /^--/ { print $2; if ($3 != "") print $3 }' \
			"$tmp/shown" | sort -u >"$tmp/of-command"
		comm -23 "$tmp/of-command" "$tmp/in-page" | while IFS= read -r o; do
			echo "check-man: $path: $o is not in $page"
		done >"$tmp/missing"
		if [ -s "$tmp/missing" ]; then
			cat "$tmp/missing"
			status=1
		fi
		sed "s|^|$page |" "$tmp/in-page" >>"$tmp/documented"
		sed "s|^|$page |" "$tmp/of-command" >>"$tmp/existing"
		printf '%s --help\n%s -h\n' "$page" "$page" >>"$tmp/existing"
	done <"$tmp/paths"
	sort -u -o "$tmp/documented" "$tmp/documented"
	sort -u -o "$tmp/existing" "$tmp/existing"
	comm -23 "$tmp/documented" "$tmp/existing" | sed 's/^\([^ ]*\) /check-man: \1: no such option: /' >"$tmp/extra"
	if [ -s "$tmp/extra" ]; then
		cat "$tmp/extra"
		status=1
	fi
done
for page in "$man"/*.1; do
	[ -f "$page" ] || continue
	if command -v mandoc >/dev/null && ! mandoc -T lint -W warning "$page"; then
		complain "$page: mandoc complains"
	fi
done
exit $status
