# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# vm: own
# cpus: 10
# Where the programs keep a stack while they name it is other memory from the ninth CPU on. What
# they tell from there is as exact as from the first, and the stacks are the same.
. /guest/lib.sh

assert_eq "$(nproc)" 10 "CPUs"
load_module vmtest
start_verify /tmp/verify --duration=300s
start_recording /tmp/events
vmtest "mixed 3000 5 0"
vmtest wait
vmtest "mixed 3000 5 9"
vmtest wait
sleep 1
stop_recording /tmp/events
end_verify /tmp/verify
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"

# The stacks of the allocations of each load, a task of its own, and how often each is there.
ids() { sed -n 's/^{"type":"stack","id":\([0-9]*\),.*\[vmtest\].*/"stack":\1,/p' /tmp/events; }
grep '"type":"alloc"' /tmp/events | grep -F -e "$(ids)" | sed 's/.*"tid":\([0-9]*\),.*\("stack":[0-9]*\),.*/\1 \2/' >/tmp/told
tids=$(cut -d ' ' -f 1 /tmp/told | sort -u)
assert_eq "$(echo "$tids" | wc -l)" 2 "tasks that allocated"
for tid in $tids; do
	sed -n "s/^$tid //p" /tmp/told | sort | uniq -c >/tmp/stacks."$tid"
	cat /tmp/stacks."$tid"
	[ "$(sed -n "s/^$tid //p" /tmp/told | wc -l)" -ge 1000 ] || fail "too few allocations"
done
# shellcheck disable=SC2086  # two
set -- $tids
diff "/tmp/stacks.$1" "/tmp/stacks.$2" || fail "the tenth CPU tells of other callers"
! grep '"type":"lost"' /tmp/events || fail "something was lost"
