# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# vm: own
# append: vmalloc=176M
# The load of case 23 in a space 16 MB smaller than the size that it names: something fails.
. /guest/sizes-load.sh

sizes_load /tmp/events
vmtrace simulate -i /tmp/events
[ "$sizes_failed" -gt 0 ] || fail "nothing failed"
