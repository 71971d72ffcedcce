# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 20
# The guest is what it should be: 32 bit, with a readable vmalloc account.
. /guest/lib.sh

assert_eq "$(uname -m)" i686 "machine"
[ -r /proc/vmallocinfo ] || fail "/proc/vmallocinfo cannot be read"
assert_eq "$(vmallocinfo_real | grep -c '^0x00000000')" 0 "areas without an address"
# The kernel's part begins at 0x80000000 with VMSPLIT_2G; the space is not always at its end.
vmallocinfo_real | grep -q '^0x[89a-f][0-9a-f]\{7\}-0x[89a-f][0-9a-f]\{7\} ' || fail "no real addresses in /proc/vmallocinfo"
echo "$(uname -r), $(vmallocinfo_real | wc -l) areas"
