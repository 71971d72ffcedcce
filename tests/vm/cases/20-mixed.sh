# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 240
# 100,000 mixed operations on two CPUs, failures and exhaustion included: the map that the events
# built equals the kernel's own list, and nothing was lost.
. /guest/lib.sh

load_module vmtest
start_verify /tmp/verify --duration=200s
vmtest "mixed 50000 1 0"
vmtest "mixed 50000 2 1"
vmtest wait
# With little memory the space is all that memory leaves, and cannot be filled.
if [ "$(awk '/VmallocTotal/ { print $2 }' /proc/meminfo)" -lt 204800 ]; then
	vmtest "fail 200M"
	vmtest "exhaust 64K"
fi
vmtest "mixed 5000 3 0 keep"
vmtest wait
sleep 1
end_verify /tmp/verify
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"
dmesg | grep 'vmtest: op=mixed done' | cut -c 1-100
[ "$(dmesg | grep -c 'vmtest: op=mixed done=50000 failed=0')" -ge 2 ] || fail "the load did not do its operations"
[ "$(json_number /tmp/verify areas_model)" -gt 20 ] || fail "too few areas to compare"
