# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 180
# A ring far too small for the load: every loss is counted, the map says that it is uncertain, and
# it heals to no difference by itself.
. /guest/lib.sh

load_module vmtest
recording_with_loss /tmp/events 21
[ "$(tail -n 1 /tmp/events | sed -n 's/.*"lost":\([0-9]*\).*/\1/p')" -gt 100 ] || fail "too little was lost: $(tail -n 1 /tmp/events)"

# What was sent and what was counted as lost add up: each operation of the load makes at least one
# event, all of which are one or the other.
sent=$(grep -c -e '"type":"alloc"' -e '"type":"free"' -e '"type":"purge"' -e '"type":"vfree"' -e '"type":"fail"' /tmp/events)
lost=$(grep '"type":"lost"' /tmp/events | grep '"cause":"ring"' | sed 's/.*"count":\([0-9]*\).*/\1/' | awk '{ n += $1 } END { print n + 0 }')
echo "sent $sent, lost $lost"
[ $((sent + lost)) -ge 2000 ] || fail "2000 operations, but only $((sent + lost)) events sent or lost"

start_verify /tmp/verify --duration=100s --ring=4K
kill -STOP "$verifier"
vmtest "mixed 20000 22 0 keep"
vmtest "mixed 20000 23 1"
vmtest wait
kill -CONT "$verifier"
sleep 2
end_verify /tmp/verify
[ "$(json_number /tmp/verify lost_events)" -gt 100 ] || fail "nothing was lost: this tests nothing"

# --strict says so with its exit code.
start_verify /tmp/strict --duration=100s --ring=4K --strict
kill -STOP "$verifier"
vmtest "mixed 5000 24 0"
vmtest wait
kill -CONT "$verifier"
sleep 0.5
kill -INT "$verifier"
rc=0
wait "$verifier" || rc=$?
cat /tmp/strict
assert_eq "$rc" 4 "exit code under --strict"
