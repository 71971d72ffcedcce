# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 240
# A load of all kinds, recorded and played again: of the addresses that the kernel chose more than
# 99 % are those that the model predicts, and of the failures all.
. /guest/lib.sh

# With little memory the space is all that memory leaves, and cannot be filled.
can_fill=
if [ -e /kmod/vmtest.ko ]; then
	load_module vmtest
	[ "$(awk '/VmallocTotal/ { print $2 }' /proc/meminfo)" -ge 204800 ] || can_fill=yes
fi
start_recording /tmp/events --ring=1M
if [ -e /kmod/vmtest.ko ]; then
	vmtest "mixed 10000 1 0"
	vmtest "mixed 10000 2 1"
	vmtest wait
	vmtest "mixed 3000 3 0"
fi
stim mixed 700 7 >/dev/null
for module in loop dummy loop dummy; do modprobe $module && rmmod $module; done
[ ! -e /kmod/vmtest.ko ] || vmtest wait
if [ "$can_fill" ]; then
	vmtest "fail 600M"
	vmtest "exhaust 64K"
	vmtest "exhaust 1M"
	# The recorder may be far behind.
	wait_for 60 grep -q '"type":"fail".*"size":1052672,' /tmp/events || fail "no failure recorded"
fi
sleep 1
stop_recording /tmp/events
vmtrace simulate -i /tmp/events || [ $? -eq 3 ]
vmtrace simulate --json --vmalloc=256M -i /tmp/events >/tmp/json || [ $? -eq 3 ]
allocations=$(json_number /tmp/json allocations)
[ "$allocations" -ge 500 ] || fail "only $allocations allocations"
[ $(($(json_number /tmp/json predicted) * 100)) -gt $((allocations * 99)) ] ||
	fail "only $(json_number /tmp/json predicted) of $allocations addresses predicted"
assert_eq "$(json_number /tmp/json lost_events)" 0 "lost events"
assert_eq "$(json_number /tmp/json failures_predicted)" "$(json_number /tmp/json failures)" "failures predicted"
if [ "$can_fill" ]; then
	assert_eq "$(json_number /tmp/json failures)" 3 failures
	[ "$(json_number /tmp/json purges_threshold)" -ge 1 ] || fail "no purge at the threshold"
fi
expect 2 "give one with -i FILE" vmtrace simulate
