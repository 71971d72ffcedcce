# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# vm: own
# append: vmalloc=192M
# The load of case 23 in a space of the size that it names: nothing fails.
. /guest/sizes-load.sh

assert_eq "$(awk '/VmallocTotal/ { print $2 }' /proc/meminfo)" $((192 << 10)) "VmallocTotal"
sizes_load /tmp/events
vmtrace simulate -i /tmp/events
assert_eq "$sizes_failed" 0 "failed requests"
