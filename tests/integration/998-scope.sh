#!/bin/bash
# SPDX-License-Identifier: ISC
# What is said when systemd makes no scope for a monitor.  A bus of this test, on which a few lines play systemd; the
# runtime is told nothing of it.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || { skip "scopes that cannot be made" "root's systemd is the one that is played"; finish; }
python=/usr/bin/python3
if ! command -v dbus-daemon >/dev/null || ! $python -c 'import dbus, gi' 2>/dev/null; then
	skip "scopes that cannot be made" "no D-Bus daemon, or no Python that speaks it"
	finish
fi
world
image=localhost/box
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
cat >"$WORLD/bus.conf" <<BUS
<busconfig><type>system</type><listen>unix:path=$WORLD/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow user="*"/></policy></busconfig>
BUS
dbus-daemon --config-file="$WORLD/bus.conf" --nofork --nopidfile 2>"$WORLD/bus.log" &
remember_pid $!
until_ok 20 test -S "$WORLD/bus"
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$WORLD/bus
# Each job ends as the file "result" says; "late": as systemd's do where the second process ends before it is moved.
cat >"$WORLD/systemd.py" <<'PLAY'
import os, sys, time
import dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

where, name = sys.argv[1], "org.freedesktop.systemd1"

def runs(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False

class Manager(dbus.service.Object):
    @dbus.service.signal(name + ".Manager", signature="uoss")
    def JobRemoved(self, number, job, unit, result):
        pass

    @dbus.service.method(name + ".Manager", in_signature="ssa(sv)a(sa(sv))", out_signature="o")
    def StartTransientUnit(self, unit, mode, properties, auxiliary):
        want = open(where + "/result").read().strip()
        pids = [int(pid) for pid in dict(properties)["PIDs"]]
        open(where + "/units", "a").write(f"{unit}\n")
        end = time.monotonic() + 60

        def tell():
            if want == "late" and runs(pids[-1]) and len(pids) > 1 and time.monotonic() < end:
                return True
            result = want if want != "late" else "failed" if len(pids) > 1 else "done"
            self.JobRemoved(1, "/job/1", unit, result)
            return False

        GLib.timeout_add(100, tell)
        return "/job/1"

DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
owned = dbus.service.BusName(name, bus)
manager = Manager(bus, "/org/freedesktop/systemd1")
open(where + "/ready", "w")
GLib.MainLoop().run()
PLAY
$python "$WORLD/systemd.py" "$WORLD" 2>"$WORLD/systemd.log" &
remember_pid $!
until_ok 20 test -e "$WORLD/ready"
cat >"$WORLD/runtime" <<'RUNTIME'
#!/bin/bash
words=() last=
for word; do
	[ "$last" != --bundle ] || bundle=$word
	[ "$word" = --systemd-cgroup ] || words+=("$word")
	last=$word
done
if [ -n "${bundle:-}" ]; then
	plain=$(jq '.linux.cgroupsPath |= "/podtest/" + (split(":") | last)' "$bundle/config.json") && echo "$plain" >"$bundle/config.json"
fi
exec crun "${words[@]}"
RUNTIME
chmod 755 "$WORLD/runtime"
run() { timeout 100 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --cgroup-manager systemd --runtime "$WORLD/runtime" run --network none "$@" 2>"$WORLD/err"; }

echo "done" >"$WORLD/result"
is "systemd makes the scope" "$(run --name good $image echo ran):$(cat "$WORLD/err")" "ran:"
is "which has the monitor's name" "$(cat "$WORLD/units")" "libpod-conmon-$(pod inspect --format '{{.Id}}' good).scope"
echo late >"$WORLD/result"
run -d --name quick $image true >/dev/null
is "one whose worker ends meanwhile gets it alone, and nothing is said" "$?:$(wc -l <"$WORLD/units"):$(cat "$WORLD/err")" "0:3:"
echo failed >"$WORLD/result"
run -d --name long $image sleep 1000 >/dev/null
is "the monitor of one that runs has none: a warning" "$(grep -c "level=warning msg=\"systemd made no scope: starting libpod-conmon-$(pod inspect --format '{{.Id}}' long).scope: failed" "$WORLD/err")" 1
is "it runs nevertheless" "$(pod inspect --format '{{.State.Status}}' long)" running
pod --runtime "$WORLD/runtime" rm -f -t 0 long >/dev/null
finish
