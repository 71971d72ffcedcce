# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 240
# vm: own
# Each verdict of `why` that has to do with addresses, provoked: from a recording, and live. The
# oracle is what vmfail.ko does and prints, and /proc/vmallocinfo. The failures are hidden ones
# (__GFP_NOWARN): the kernel log does not tell of them.
. /guest/lib.sh

load_module vmfail
MB=1048576

# explain: the last failure of the recording, as JSON and as text
explain() {
	stop_recording /tmp/events
	vmtrace why --json -i /tmp/events >/tmp/why.json
	vmtrace why -i /tmp/events >/tmp/why
	cat /tmp/why
	[ "$(wc -l </tmp/why)" -le 24 ] || fail "more than a screen"
	! grep -q '.\{81\}' /tmp/why || fail "lines of more than 80 columns"
}

echo "== fragmented"
start_recording /tmp/events
vmfail "fill 4M"
vmfail "thin 2"
mark
vmfail "ask 16M"
kernel_log_since | grep 'for size' && fail "a hidden failure is in the kernel log"
held=$(held_by vmfail_hold)
explain
assert_why /tmp/why.json fragmented vmfail_ask $((16 * MB))
assert_eq "$(said_to_hold /tmp/why.json vmfail_hold)" "$held" "bytes held by vmfail_hold"
sed 's/.*"blockers":\[{\([^}]*\)}.*/\1/' /tmp/why.json | grep -q '"function":"vmfail_hold+0x.*"module":"\[vmfail\]"' || fail "vmfail_hold is not the first in the way"
grep -q '"unload":\[{"module":"\[vmfail\]"' /tmp/why.json || fail "unloading vmfail is not said to help"
grep -q '^ WHY: fragmented: ' /tmp/why || fail "no sentence"
# It is right about what would have fitted.
smaller=$(sed 's/.*"smaller_bytes":\([0-9]*\).*/\1/' /tmp/why.json)
vmfail "ask $((smaller + 4096))" || fail "$smaller and a page more were served"
! vmfail "ask $smaller" 2>/dev/null || fail "$smaller were not served"

echo "== live"
vmtrace why --json --duration=60s >/tmp/live.json 2>/tmp/live.err &
watcher=$!
wait_for 30 grep -q watching /tmp/live.err || fail "why does not watch: $(cat /tmp/live.err)"
vmfail "ask 17M"
held=$(held_by vmfail_hold)
wait $watcher || fail "why: exit $?"
cat /tmp/live.err
assert_why /tmp/live.json fragmented vmfail_ask $((17 * MB))
assert_eq "$(said_to_hold /tmp/live.json vmfail_hold)" "$held" "bytes held by vmfail_hold"
vmfail release

echo "== exhausted"
start_recording /tmp/events
vmfail "fill 4M"
vmfail "fill 64K"
vmfail "ask 16M"
held=$(held_by vmfail_hold)
explain
assert_why /tmp/why.json exhausted vmfail_ask $((16 * MB))
grep -q '"simulate":{"trusted":true' /tmp/why.json || fail "no answer of simulate: $(grep -o '"simulate":.*' /tmp/why.json)"
grep -q 'at boot .* simulated, nothing' /tmp/why || fail "simulate is not quoted"
assert_eq "$(said_to_hold /tmp/why.json vmfail_hold)" "$held" "bytes held by vmfail_hold"
vmfail release

echo "== range: more than the space"
start_recording /tmp/events
vmfail "ask 200M"
explain
assert_why /tmp/why.json range vmfail_ask $((200 * MB))

echo "== lazy: freed inside the failing request, after its purge"
start_recording /tmp/events
vmfail "fill 4M"
vmfail "lazy 4M"
explain
assert_why /tmp/why.json lazy vmfail_ask $((4 * MB))
vmfail release

echo "== lazy: from 7.2 on a request that may not sleep makes no purge"
start_recording /tmp/events
vmfail "fill 4M"
vmfail "thin 4" # 28M: less than what makes the kernel purge by itself
if vmfail "nowait 4M" 2>/dev/null; then
	explain
	assert_why /tmp/why.json lazy vmfail_ask $((4 * MB))
else
	echo "this kernel purges"
	stop_recording /tmp/events
fi
vmfail release
