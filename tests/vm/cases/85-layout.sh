# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# layout and doctor agree with what the kernel says of itself.
. /guest/lib.sh

vmtrace layout | tee /tmp/layout
start=$(sed -n 's/^ *VMALLOC_START *\(0x[0-9a-f]*\).*/\1/p' /tmp/layout)
end=$(sed -n 's/^ *VMALLOC_END *\(0x[0-9a-f]*\).*/\1/p' /tmp/layout)
high=$(sed -n 's/^ *high_memory *\(0x[0-9a-f]*\).*/\1/p' /tmp/layout)
assert_eq "$((end - start))" "$(awk '/VmallocTotal/ { print $2 * 1024 }' /proc/meminfo)" "VMALLOC_END - VMALLOC_START"
# The boot log tells low memory: "NNNMB LOWMEM available.", behind a time with CONFIG_PRINTK_TIME.
low=$(dmesg | sed 's/^\[[^]]*] *//' | sed -n 's/^\([0-9]*\)MB LOWMEM available.*/\1/p')
# CONFIG_VMSPLIT_* decides where the kernel begins.
page_offset=$(sed -n 's/^CONFIG_PAGE_OFFSET=//p' /boot/config-*)
assert_eq "$(sed -n 's/^ *PAGE_OFFSET *\(0x[0-9a-f]*\).*/\1/p' /tmp/layout)" "$(printf '0x%08x' $((page_offset)))" PAGE_OFFSET
assert_eq "$(((high - page_offset) >> 20))" "$low" "high_memory against LOWMEM of the boot log"
assert_eq "$((start - high))" $((8 << 20)) "VMALLOC_OFFSET"
# With CONFIG_HIGHMEM the persistent kmap lies two pages above (arch/x86/include/asm/pgtable_32_areas.h).
pkmap=$(sed -n 's/^ *PKMAP_BASE *\(0x[0-9a-f]*\).*/\1/p' /tmp/layout)
grep -q 'CONFIG_HIGHMEM=y' /boot/config-* && assert_eq "$((pkmap - end))" 8192 "PKMAP_BASE - VMALLOC_END"
# Every area that the kernel lists lies inside.
vmallocinfo_real | sed 's/-.*//' | while read -r addr; do
	[ $((addr)) -ge $((start)) ] && [ $((addr)) -lt $((end)) ] || fail "$addr is outside"
done
vmtrace layout --json | grep -q "\"addr\":\"$start\",\"name\":\"VMALLOC_START\"" || fail "layout --json"

vmtrace doctor | tee /tmp/doctor
grep -q '^tracing works here' /tmp/doctor || fail "doctor does not say that it works"
own=$(vmtrace map --json | sed -n 's/.*"own_bytes":\([0-9]*\).*/\1/p')
echo "own bytes: $own"
[ "$own" -gt 100000 ] && [ "$own" -le 1048576 ] || fail "own areas take $own bytes"
vmtrace doctor --json | grep -q '"works":true' || fail "doctor --json"
