# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 240
# The ring is replaced every 64 KiB in the middle of a load: no event is lost or out of order, the
# map is exact, and the space of the old rings is given back.
. /guest/lib.sh

load_module vmtest
start_verify /tmp/verify --duration=200s --ring-limit=64K
vmtest "mixed 50000 61 0"
vmtest "mixed 50000 62 1"
vmtest wait
sleep 1
# Nobody holds an old ring: not a guardian that was forked while it was mapped, either.
assert_eq "$(grep -c ringbuf_map_alloc /proc/vmallocinfo)" 1 "rings in the kernel's list"
end_verify /tmp/verify
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"
assert_eq "$(json_number /tmp/verify healed)" 0 "healed: something was lost or out of order"
switches=$(grep -c 'the ring was replaced' /tmp/verify.err)
echo "$switches switches"
[ "$switches" -ge 20 ] || fail "only $switches switches"
