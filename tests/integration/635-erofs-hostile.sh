#!/bin/bash
# SPDX-License-Identifier: ISC
# The hostile layers of 050 through the worker that keeps a layer as its tar and describes it in an EROFS image: the
# same is refused, the same tree appears.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tap.sh"
B=${BUILD:-$here/../../build}
if [ "$(id -u)" != 0 ]; then skip "hostile layers as images" "mounting them takes root"; finish; exit; fi
probe=$(mktemp -d /tmp/podtest.XXXXXX) || exit 1
head -c 1024 /dev/zero | "$B/libexec/pod/pod-store-erofs" 4<>"$probe/tar" 5<>"$probe/erofs" >"$probe/out" 2>&1
mkdir "$probe/at"
unshare -m "$B/tests/erofs-mount" "$probe/erofs" "$probe/tar" "$probe/at" 2>/dev/null
can=$?
rm -rf "$probe"
if [ $can != 0 ]; then skip "hostile layers as images" "this kernel mounts no EROFS image from a file"; finish; exit; fi
POD_TEST_LAYOUT=erofs BUILD=$B exec unshare -m bash "$here/050-hostile-layers.sh"
