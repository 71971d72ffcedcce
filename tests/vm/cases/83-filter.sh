# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 60
# --filter on the real kernel: of a module's areas, those that were there before (by the caller that
# the kernel's list names) and those seen born (by their stacks) are all that passes mod=, and no other.
. /guest/lib.sh

# START END of each area of the module, by the kernel's own list.
kernel_areas() {
	vmallocinfo_real | grep '\[vmtest\]' | sed 's/^0x\([0-9a-f]*\)-0x\([0-9a-f]*\) .*/\1 \2/' | sort
}
filtered() {
	tr '{' '\n' <"$1" | grep '"state":"used"' |
		sed 's/.*"start":"0x\([0-9a-f]*\)","end":"0x\([0-9a-f]*\)".*/\1 \2/' | sort
}

load_module vmtest
vmtest "vmalloc before 300000"
vmtest "ioremap io auto 8192"
vmtrace map --json --filter='mod=vmtest and not state=lazy' --duration=4s -v >/tmp/map 2>/tmp/err &
pid=$!
wait_for 30 grep -q watching /tmp/err || fail "no start: $(cat /tmp/err)"
vmtest "vmalloc after 70000"
vmtest "vmap pages 3"
wait $pid || fail "map ended with $?: $(cat /tmp/err)"
kernel_areas >/tmp/kernel
filtered /tmp/map >/tmp/mine
diff /tmp/kernel /tmp/mine >/tmp/diff || fail "the kernel's < and what passed >: $(cat /tmp/diff)"
assert_eq "$(wc -l </tmp/mine)" 4 "areas of the module"
assert_eq "$(json_number /tmp/map filter_areas)" 4 "filter_areas"
bytes=$(vmallocinfo_real | awk '/\[vmtest\]/ { sum += $2 } END { print sum }')
assert_eq "$(json_number /tmp/map filter_bytes)" "$bytes" "filter_bytes"
vmtrace top --json --filter='caller=vmtest_do_vmalloc size>200K' >/tmp/top 2>/tmp/err || fail "top: $(cat /tmp/err)"
assert_eq "$(json_number /tmp/top filter_areas)" 1 "areas of that function and size"
vmtest freeall
expect 2 "at character 6: expected a size" vmtrace top --filter='size>x'
