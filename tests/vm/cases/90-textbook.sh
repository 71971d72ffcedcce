# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# The experiment of every kernel textbook: p = vmalloc(sizeof(int)), printed by printk, is seen by
# vmtrace at the same address, one page and its guard page, and goes to lazy and to free.
. /guest/lib.sh

mark
start_recording /tmp/events
load_module textbook
sleep 0.3
p=$(kernel_log_since | sed -n 's/.*textbook: p = \(0x[0-9a-f]*\).*/\1/p')
end=$(printf '0x%08x' $((p + 8192)))
vmtrace map --areas >/tmp/areas
rmmod textbook
sleep 0.3
# A module load changes page attributes, and that purges.
insmod /kmod/textbook.ko
sleep 0.3
rmmod textbook
stop_recording /tmp/events

event=$(grep '"type":"alloc"' /tmp/events | grep -F "\"start\":\"$p\",\"end\":\"$end\"" | head -n 1)
echo "$event"
[ -n "$event" ] || fail "no alloc event $p-$end"
echo "$event" | grep -q '"guard_pages":1' || fail "no guard page"
echo "$event" | grep -q '"requested":4[,}]' || fail "4 bytes were asked for"
grep -i "${p#0x}" /tmp/areas | grep -q textbook || fail "map --areas does not show it: $(grep -i "${p#0x}" /tmp/areas)"
line=$(grep -n '"type":"free"' /tmp/events | grep -F "\"start\":\"$p\",\"end\":\"$end\"" | head -n 1 | cut -d: -f1)
[ -n "$line" ] || fail "no free event"
tail -n "+$line" /tmp/events | grep -q '"type":"purge"' || fail "no purge after the free"
# Who freed it is named, although the module is gone by the time anyone looks.
grep '"type":"vfree"' /tmp/events | grep -F "\"addr\":\"$p\"" | head -n 1 | grep -q 'textbook_exit+.*\[textbook\]' ||
	fail "the vfree is not textbook_exit's: $(grep '"type":"vfree"' /tmp/events | grep -F "\"addr\":\"$p\"" | head -n 1)"
# Replayed up to the free the area is lazy, at the end it is free or another's.
head -n "$line" /tmp/events >/tmp/upto
vmtrace map -i /tmp/upto --areas 2>/dev/null | grep -i "${p#0x}" | grep -q lazy || fail "not lazy after vfree"
