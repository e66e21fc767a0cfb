#!/bin/bash
# SPDX-License-Identifier: ISC
# Compares the libraries each program needs with its row in common/role/role.def.
set -eu
build=${BUILD:-build} bad=0
# What every program may need besides its row.
base='libc|ld-linux-.*|linux-vdso'
sed -n '/^ROLE(/,/")$/p' common/role/role.def | tr '\n' ' ' | sed 's/ROLE(/\nROLE(/g' |
	sed -nE 's/^ROLE\([A-Z]+, "[a-z]+", "([a-z-]+)",.*"(libc[^"]*)".*$/\1 \2/p' >"$build/link-rows"
while read -r program libs; do
	file=$(find "$build/bin" "$build/libexec" -type f -name "$program" 2>/dev/null | head -n 1)
	[ -n "$file" ] || continue
	# The linker was told to keep quiet about static programs.
	if ! objdump -p "$file" | grep -q NEEDED && nm "$file" 2>/dev/null | grep ' U '; then
		echo "check-link: $program lacks these symbols"
		bad=1
	fi
	for need in $(objdump -p "$file" | awk '$1 == "NEEDED" { print $2 }'); do
		lib=${need%%.so*}
		lib=${lib#lib}
		case " $libs " in *" ${lib%%-[0-9]*} "* | *" $lib "*) continue ;; esac
		if ! echo "lib$lib" | grep -qE "^($base)$" && ! echo "$lib" | grep -qE '^ld-linux|^c$'; then
			echo "check-link: $program needs $need, which its row in role.def does not name"
			bad=1
		fi
	done
done <"$build/link-rows"
rm -f "$build/link-rows"
exit $bad
