# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 180
# A repair that cannot be made now is made later, and does not end the watching.
. /guest/lib.sh

load_module vmtest
start_recording /tmp/events --ring=4K
echo 2 >/proc/sys/kernel/kptr_restrict
kill -STOP "$recorder"
vmtest "mixed 2000 51 0"
vmtest wait
kill -CONT "$recorder"
wait_for 30 grep -q 'stays uncertain' /tmp/events.err || fail "the failed repair was not told: $(cat /tmp/events.err)"
assert_eq "$(cat /proc/sys/kernel/kptr_restrict)" 2 "kptr_restrict"
echo 0 >/proc/sys/kernel/kptr_restrict
wait_for 40 has_snapshots /tmp/events 2 || fail "no repair after kptr_restrict was 0 again: $(cat /tmp/events.err)"
stop_recording /tmp/events
