#!/bin/bash
# SPDX-License-Identifier: ISC
# Devices of run: of the host, by the Container Device Interface, and rules.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/devices
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod --cdi-spec-dir "$WORLD/cdi" run --rm --network none "$@"; }
mkdir "$WORLD/cdi" "$WORLD/dir"
echo given >"$WORLD/dir/f"

check "--device PATH:PATH" run --device /dev/null:/dev/other $image sh -c 'echo x >/dev/other'
run_fails "--device …:r may not be written" 1 "not permitted" --device "$(ls /dev/loop-control /dev/kmsg 2>/dev/null | head -n 1):/dev/x:r" $image sh -c 'echo >/dev/x'
run_fails "a file that is no device" 125 "/etc/passwd is not a valid device: not a device node" --device /etc/passwd $image true
run_fails "a device that is missing" 125 "stat /dev/nosuch: no such file or directory" --device /dev/nosuch $image true
run_fails "a mode that is none" 125 "invalid device mode: q" --device /dev/null:/x:q $image true
check "a directory stands for its devices" run --device /dev/net:/dev/mynet $image test -c /dev/mynet/tun
check "--device-cgroup-rule" run --device-cgroup-rule 'c 1:8 rwm' --cap-add mknod $image \
	sh -c 'mknod /tmp/r c 1 8 && head -c 1 /tmp/r >/tmp/o'
run_fails "a rule that is none" 125 'invalid device cgroup rule requires type, major:Minor, and access rules: "foo"' \
	--device-cgroup-rule foo $image true

cat >"$WORLD/cdi/one.json" <<END
{"cdiVersion": "0.6.0", "kind": "example.com/dev",
 "containerEdits": {"env": ["ALL=all"]},
 "devices": [{"name": "one", "containerEdits": {
	"env": ["ONE=one"], "additionalGids": [77],
	"deviceNodes": [{"path": "/dev/one", "hostPath": "/dev/null", "permissions": "rw"}],
	"mounts": [{"hostPath": "$WORLD/dir", "containerPath": "/given", "options": ["ro"]}]}}]}
END
cat >"$WORLD/cdi/gpu.yaml" <<END
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: all
  containerEdits:
    env: [GPU=all]
- name: "0"
  containerEdits:
    env: [GPU=first]
    deviceNodes:
    - {path: /dev/gpu0, hostPath: /dev/zero, type: c, major: 1, minor: 5, fileMode: 0o600}
END
echo '{broken' >"$WORLD/cdi/broken.json"
is "a CDI device brings its node, its mount, its variables and its group" \
	"$(run --device example.com/dev=one $image sh -c 'test -c /dev/one; echo $? $ALL $ONE; cat /given/f; id -G' 2>/dev/null | xargs)" \
	"0 all one given 0 10 77"
is "--gpus all" "$(run --gpus all $image sh -c 'echo $GPU' 2>/dev/null)" all
is "--gpus 0, described in YAML" "$(run --gpus 0 $image sh -c 'echo $GPU; stat -c %a:%t:%T /dev/gpu0' 2>/dev/null | xargs)" "first 600:1:5"
run_fails "a device nobody describes" 125 "unresolvable CDI devices example.com/dev=two" --device example.com/dev=two $image true
is "a description that cannot be read is told of" \
	"$(run --device example.com/dev=one $image true 2>&1 | grep -o broken.json | sort -u)" broken.json
mkdir "$WORLD/cdi2"
sed 's/=first/=later/' "$WORLD/cdi/gpu.yaml" >"$WORLD/cdi2/x.yaml"
is "a later directory wins" "$(pod --cdi-spec-dir "$WORLD/cdi" --cdi-spec-dir "$WORLD/cdi2" run --rm --network none \
	--gpus 0 $image sh -c 'echo $GPU' 2>/dev/null)" later
finish
