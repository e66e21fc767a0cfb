#!/bin/bash
# SPDX-License-Identifier: ISC
# pod search: the catalogue of a registry, the old search interface, lists of tags.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

for tool in docker-registry skopeo python3; do
	command -v $tool >/dev/null || {
		skip "searches" "$tool is not installed"
		finish
	}
done
world
export HOME=$WORLD/home
unset XDG_CONFIG_HOME
mkdir -p "$HOME/.config/containers"
registry_http_start
R=$REGISTRY_HTTP
layout "$WORLD/img" latest gzip
for n in app:1 app:2 ns/other:1 third:x; do
	skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$WORLD/img:latest" "docker://$R/$n"
done
search() { pod search --tls-verify=false "$@"; }
is "the whole catalogue" "$(search "$R/" | tr -s ' ' | tr '\n' '|')" "NAME DESCRIPTION|$R/app |$R/ns/other |$R/third |"
is "part of a name" "$(search --format '{{.Name}}' "$R/oth")" "$R/ns/other"
is "nothing found prints nothing" "$(search "$R/nothing")" ""
is "columns of Docker" "$(search --compatible "$R/app" | sed -n 1p | tr -s ' ')" "NAME DESCRIPTION STARS OFFICIAL AUTOMATED"
is "JSON" "$(search --format json "$R/app" | jq -c '.[0] | [.Index, .Name, .Stars, .Official]')" "[\"$R\",\"$R/app\",0,\"\"]"
is "--limit" "$(search --limit 1 --format '{{.Name}}' "$R/")" "$R/app"
is "--limit: less than none is nothing, as with Podman" "$(search --limit -1 "$R/"; search --limit=-5 --list-tags "$R/app"; search --limit=-1 --list-tags --format json "$R/app"; echo $?)" 0
is "tags" "$(search --list-tags --format '{{.Tag}}' "$R/app" | sort | tr '\n' ' ')" "1 2 "
is "tags of docker://" "$(search --list-tags --format '{{.Name}} {{.Tag}}' "docker://$R/app" | sort | tr '\n' ' ')" "$R/app 1 $R/app 2 "
is "tags as JSON" "$(search --list-tags --format json "$R/app" | jq -c '.[0] | [.Name, (.Tags | sort)]')" "[\"$R/app\",[\"1\",\"2\"]]"
is "--limit of tags" "$(search --list-tags --limit 1 --format '{{.Name}}' "$R/app")" "$R/app"
says() {
	local text=$1 words=$2 said st
	shift 2
	said=$("$@" 2>&1)
	st=$?
	if [ $st = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}
says "tags of nothing" "getting repository tags: fetching tags list" search --list-tags "$R/nope"
says "a filter with tags" "filters are not applicable to list tags result" search --list-tags --filter is-official "$R/app"
says "a limit of nothing asks all the same" "getting repository tags: fetching tags list" search --limit -1 --list-tags "$R/nope"
says "a wrong filter" 'invalid filter type "foo=x"' search --filter foo=x "$R/app"
says "a wrong number" "incorrect value type for stars filter" search --filter stars=x "$R/app"
says "a registry that is not there" "couldn't search registry \"localhost:1\"" search localhost:1/x
printf 'unqualified-search-registries = ["localhost:1", "%s"]\n[[registry]]\nlocation = "%s"\ninsecure = true\n' "$R" "$R" \
	>"$HOME/.config/containers/registries.conf"
is "without a registry, all search registries; one that answers is enough" "$(pod search --format '{{.Name}}' third 2>/dev/null)" "$R/third"
is "its tags too" "$(pod search --list-tags --format '{{.Name}} {{.Tag}}' third 2>/dev/null)" "$R/third x"
# What a prefix says of what is below it says nothing of the registry.
printf '[[registry]]\nlocation = "%s/probe"\ninsecure = true\n' "$R" >"$HOME/.config/containers/registries.conf"
says "an insecure part of a registry: the rest is not" "couldn't search registry \"$R\"" pod search "$R/third"
says "nor for a login" "pinging container registry $R: Get \"https://" pod login -u u -p p "$R"
printf '[[registry]]\nlocation = "%s/probe"\nblocked = true\n[[registry]]\nlocation = "%s"\ninsecure = true\n' "$R" "$R" >"$HOME/.config/containers/registries.conf"
is "a blocked part of a registry: the rest is not" "$(pod search --format '{{.Name}}' "$R/third" 2>&1)" "$R/third"

# Pagination: more tags than fit in one page of the registry.
dir=$WORLD/registry-http/data/docker/registry/v2/repositories/app/_manifests/tags
for i in $(seq 1500); do cp -r "$dir/1" "$dir/v$i"; done
is "1502 tags, page by page" "$(search --list-tags --limit 5000 --format '{{.Tag}}' "$R/app" | wc -l)" 1502

# The old interface, and answers that are none.
cat >"$WORLD/v1.py" <<'PY'
import http.server, json, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{}'
        if self.path.startswith('/v1/search?q=many'):
            body = json.dumps({'results': [{'name': 'many/%d' % i, 'description': 'line\nbreak ' + 'x' * 60,
                'star_count': i, 'is_official': i == 3, 'is_automated': False} for i in range(10)]}).encode()
        elif self.path.startswith('/v1/search?q=bad'):
            body = b'{"results": [{"name": "../../etc"}, {"name": "x\\u001b[31m"}, 7, {"name": "good/one"}]}'
        elif self.path.startswith('/v1/search?q=deep'):
            body = b'{"results":' + b'[' * 100000
        elif self.path.startswith('/v1/search?q=big'):
            body = b'{"results": ["' + b'x' * 20000000 + b'"]}'
        elif self.path.startswith('/v2/_catalog'):
            body = b'{"repositories": ["same"]}' if 'deep' not in self.path else b'['
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        try: self.wfile.write(body)
        except OSError: pass
    def log_message(self, *a): pass
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()
PY
P=$(free_port)
python3 "$WORLD/v1.py" "$P" &
remember_pid $!
until_ok 20 curl -s -o /dev/null "http://127.0.0.1:$P/"
S=127.0.0.1:$P
is "the old search interface" "$(search --format '{{.Name}}' "$S/many" | wc -l)" 10
is "stars" "$(search --filter stars=8 --format '{{.Name}}' "$S/many" | tr '\n' ' ')" "$S/many/8 $S/many/9 "
is "official ones" "$(search --filter is-official --format '{{.Name}} {{.Official}}' "$S/many")" "$S/many/3 [OK]"
is "descriptions are cut and on one line" "$(search --limit 1 --format '{{.Description}}' "$S/many")" \
	"line break $(printf 'x%.0s' $(seq 33))..."
is "names that are none are left out" "$(search --format '{{.Name}}' "$S/bad")" "$S/good/one"
is "an answer too deep: the catalogue then" "$(search --format '{{.Name}}' "$S/deep" 2>&1)" ""
is "an answer too large is refused" "$(search --format '{{.Name}}' "$S/big" 2>&1 | grep -c "larger than allowed")" 1
finish
