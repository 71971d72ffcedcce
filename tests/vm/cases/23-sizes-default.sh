# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# vm: own
# A load that fails in the default space of 120 MB. Which size would have been enough is asked of the
# recording; cases 24 and 25 boot with that size and with 16 MB less, and do the same.
. /guest/sizes-load.sh

sizes_load /tmp/events
vmtrace simulate -i /tmp/events
vmtrace simulate --json -i /tmp/events >/tmp/json
[ "$sizes_failed" -gt 0 ] || fail "nothing failed"
assert_eq "$(json_number /tmp/json failures)" "$sizes_failed" "failures recorded"
assert_eq "$(json_number /tmp/json enough_bytes)" $((192 << 20)) "the size that is enough"
