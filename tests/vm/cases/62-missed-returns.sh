# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 180
# More tasks inside the allocator at once than the return probe has instances: some returns are
# missed by the kernel. Each one is counted, although its task has ended, once, by the kernel's own
# count or, without it (no tracefs), by its entry; and the map is read again. By default there are
# instances enough.
. /guest/lib.sh

tasks=24
load_module vmtest

reported() { grep -c '"type":"fail"' /tmp/events; }
# lost CAUSE...: how many
lost() {
	local cause
	for cause in "$@"; do
		grep '"type":"lost"' /tmp/events | grep "\"cause\":\"$cause\"" | sed 's/.*"count":\([0-9]*\).*/\1/'
	done | awk '{ n += $1 } END { print n + 0 }'
}
all_told() { [ $(($(reported) + $(lost missed detail unmatched))) -ge $tasks ]; }

# try PLAN OPTION...: all failures are reported or counted
try() {
	start_recording /tmp/events --probe-plan="$@"
	vmtest "fail_many $tasks 1000"
	wait_for 60 all_told || fail "$*: of $tasks failures $(reported) were reported and $(lost missed detail unmatched) counted as missed"
	echo "$*: reported $(reported), missed $(lost missed), detail $(lost detail), unmatched $(lost unmatched), of $tasks"
}

# What has been found once must not be found again later.
end_try() {
	stop_recording /tmp/events
	assert_eq $(($(reported) + $(lost missed detail unmatched))) $tasks "reported and missed"
}

try return --return-instances=4
assert_eq "$(lost missed)" 20 "missed by the kernel's own count"
wait_for 30 has_snapshots /tmp/events 2 || fail "no snapshot after the missed returns"
sleep 21
end_try

# Areas are seen at their insertion: a missed return hides a failure, not an area.
try insert --return-instances=4
assert_eq "$(lost detail)" 20 "missed by the kernel's own count"
end_try

try return
assert_eq "$(reported)" $tasks "reported with the default number of instances"
end_try

# Without tracefs the perf PMU makes the probes: ten instances on two CPUs, and no counts.
mount -t tmpfs none /sys/kernel/tracing
mount -t tmpfs none /sys/kernel/debug/tracing
try return
umount /sys/kernel/debug/tracing
umount /sys/kernel/tracing
assert_eq "$(lost missed detail)" 0 "missed by the kernel's own count, which cannot be read"
[ "$(lost unmatched)" -eq 0 ] || wait_for 30 has_snapshots /tmp/events 2 || fail "no snapshot after the unmatched entries"
end_try
