#!/bin/bash
# SPDX-License-Identifier: ISC
# The main job as an ordinary user with subordinate IDs.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
. "$LIB_DIR/main-job.sh"
[ "$(id -u)" = 0 ] || { skip "the main job as an ordinary user" "root starts it, to make the user"; finish; }
world
ordinary_user || { skip "the main job as an ordinary user" "no user can be made"; finish; }
job_registry || { not_ok "a registry can be started and filled"; finish; }
# The user may not be able to look into the build directory.
cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$WORLD/"
chmod -R a+rX "$WORLD/bin" "$WORLD/libexec" "$WORLD/certs.d"
# One private mount namespace for the whole job: the user's own runtime directory lives in it.
cat >"$WORLD/as-user.sh" <<'EOF'
. "$LIB_DIR/lib.sh"
. "$LIB_DIR/main-job.sh"
pod() { "$WORLD/bin/pod" "$@"; }
pod_line() { echo "$WORLD/bin/pod"; }
ERRDIR=$HOME/work
mkdir -p "$ERRDIR/w"
cp -r "$WORLD/certs.d" "$ERRDIR/w/"
REGISTRY_CERTS=$ERRDIR/w/certs.d WORLD_SHARED=$WORLD
bin=$WORLD/bin
pod() { "$bin/pod" "$@"; }
pod_line() { echo "$bin/pod"; }
WORLD=$ERRDIR/w
job
is "unshare shows uid 0" "$(pod unshare id -u)" 0
pod pull -q --cert-dir "$REGISTRY_CERTS" --creds tester:secret "$REGISTRY/team/zstd:v1" >/dev/null
mkdir "$WORLD/vol" && echo mine >"$WORLD/vol/f"
is "-v shows the user's file" "$(pod run --rm -v "$WORLD/vol:/v" "$REGISTRY/team/zstd:v1" cat /v/f)" mine
pod run --rm -v "$WORLD/vol:/v" "$REGISTRY/team/zstd:v1" sh -c 'echo new >/v/g'
is "what root of the container writes is the user's" "$(stat -c %U "$WORLD/vol/g")" "$(id -un)"
is "the container's user is root" "$(pod run --rm "$REGISTRY/team/zstd:v1" id -u)" 0
pod rm -f -a -t 0 >/dev/null
pod system prune -f -a >/dev/null
is "nothing stays in the store" "$(ls ~/.local/share/pod/rw ~/.local/share/pod/tmp 2>/dev/null | grep -v ':$' | tr -d '\n')" ""
rm -rf "$ERRDIR"
finish
EOF
chmod 644 "$WORLD/as-user.sh"
cp "$LIB_DIR"/{lib.sh,tap.sh,main-job.sh,as-user} "$WORLD/" && chmod a+rx "$WORLD/as-user"
LIB_DIR=$WORLD as_user env LIB_DIR="$WORLD" WORLD="$WORLD" REGISTRY="$REGISTRY" bash "$WORLD/as-user.sh" | tee "$WORLD/out"
exit "${PIPESTATUS[0]}"
