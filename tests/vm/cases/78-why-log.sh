# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 120
# vm: own
# The machine has failed before vmtrace was started, as it usually has: `vmtrace why` names the
# culprit in one screen, from the kernel log and the space as it is.
. /guest/lib.sh

screen() {
	cat "$1"
	[ "$(wc -l <"$1")" -le 24 ] || fail "$1: more than a screen"
	! grep -q '.\{81\}' "$1" || fail "$1: lines of more than 80 columns"
}

vmtrace why --duration=100ms >/tmp/none
grep -q 'no allocation failed' /tmp/none || fail "a failure where there was none: $(cat /tmp/none)"

load_module vmfail
load_module vmtest
vmtest "vmalloc a 3M"
vmfail "fill 4M"
vmfail "thin 2"
mark
vmfail "loud 16M"
kernel_log_since | head -n 3
kernel_log_since | grep -q -e 'vmap allocation for size 16781312 failed' -e 'vmalloc_node_range for size 16781312 failed' || fail "the kernel log tells of no failure"

vmtrace why >/tmp/why
screen /tmp/why
vmtrace why --json >/tmp/why.json
assert_why /tmp/why.json fragmented vmfail_ask_loud $((16 * 1048576))
assert_eq "$(first_of /tmp/why.json source)" kernel-log source
assert_eq "$(said_to_hold /tmp/why.json vmfail_hold)" "$(held_by vmfail_hold)" "bytes held by vmfail_hold"
sed 's/.*"blockers":\[{\([^}]*\)}.*/\1/' /tmp/why.json | grep -q '"function":"vmfail_hold+0x.*"module":"\[vmfail\]"' || fail "vmfail_hold is not the first in the way"
grep -q 'unloading \[vmfail\]' /tmp/why || fail "unloading vmfail is not said to help"

# Full to the last: there is no room for any probe.
vmfail "fill 64K"
vmfail "fill 4K"
vmfail "loud 15M"
vmtrace why >/tmp/full
screen /tmp/full
grep -q '^ NOW: exhausted: 15.0M' /tmp/full || fail "not exhausted"
vmtrace why 5 >/tmp/several
grep -c '^ NOW: ' /tmp/several

# When what was in the way has gone, so has the reason.
vmfail release
vmtrace why >/tmp/gone
screen /tmp/gone
grep -q '^ NOW: room' /tmp/gone || fail "no room where all was released"
