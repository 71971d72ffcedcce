# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# snapshot shows what /proc/vmallocinfo has, without any probe.
. /guest/lib.sh

load_module vmtest
vmtest "vmalloc a 100000"
# Both lists of one moment: what the case before left to a kworker may still go away.
same_moment() {
	vmtrace snapshot --json >/tmp/json
	vmallocinfo_real >/tmp/list
	grep -v 'unpurged' /tmp/list >/tmp/busy || true
	[ "$(json_number /tmp/json areas)" = "$(wc -l </tmp/busy)" ]
}
wait_for 10 same_moment || fail "areas: got $(json_number /tmp/json areas), wanted $(wc -l </tmp/busy)"
used=$(awk '{ n += $2 } END { print n + 0 }' /tmp/busy)
lazy=$(awk '/unpurged/ { n += $2 } END { print n + 0 }' /tmp/list)
assert_eq "$(($(json_number /tmp/json used_bytes) + $(json_number /tmp/json guard_bytes)))" "$used" "used and guard bytes"
assert_eq "$(json_number /tmp/json lazy_bytes)" "$lazy" "lazy bytes"
total=$(awk '/VmallocTotal/ { print $2 * 1024 }' /proc/meminfo)
assert_eq "$(json_number /tmp/json total_bytes)" "$total" "total bytes"
vmtrace snapshot --areas | grep -q 'vmtest_do_vmalloc' || fail "the area's caller is not shown"
[ -z "$(cat /sys/kernel/debug/kprobes/list)" ] || fail "snapshot set a probe"
