# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# An allocation made inside another of the same task (a purge notifier that allocates while a
# request fails) is paired with its own entry: both have their own size and outcome. And with
# --probes=area the map is as exact, without the vmalloc and vfree families.
. /guest/lib.sh

load_module vmtest
mark
start_recording /tmp/events
vmtest "fail_inside in 20000 200M"
vmtest "free in"
sleep 0.3
stop_recording /tmp/events
p=$(kernel_log_since | sed -n 's/.*op=vmalloc name=in addr=\(0x[0-9a-f]*\).*/\1/p')
end=$(printf '0x%08x' $((p + 24576)))
grep -n -e '"type":"fail"' -e "\"start\":\"$p\"" /tmp/events | cut -c 1-160
inner=$(grep -n '"type":"alloc"' /tmp/events | grep -F "\"start\":\"$p\",\"end\":\"$end\"" | grep '"size":24576' | grep '"requested":20000' | head -n 1 | cut -d: -f1)
outer=$(grep -n '"type":"fail"' /tmp/events | grep '"size":209719296' | grep '"requested":209715200' | head -n 1 | cut -d: -f1)
[ -n "$inner" ] || fail "the inner allocation $p-$end was not reported as asked"
[ -n "$outer" ] || fail "the failing request was not reported as asked"
[ "$inner" -lt "$outer" ] || fail "the inner allocation ended after the outer one"
# The inner stack is deeper than what is kept; nothing else may be lost, unmatched included.
if grep '"type":"lost"' /tmp/events | grep -v '"cause":"stack"'; then
	fail "events were lost"
fi

start_recording /tmp/area --probes=area
vmtest "vmalloc a 20000"
vmtest "mixed 3000 41 0"
vmtest wait
vmtest "free a"
sleep 0.3
stop_recording /tmp/area
grep -q '"type":"vfree"' /tmp/area && fail "--probes=area reports vfree"
grep -q '"requested"' /tmp/area && fail "--probes=area reports requested sizes"
grep -q 'vmtest_do_vmalloc' /tmp/area || fail "--probes=area has no stacks"
start_verify /tmp/verify --duration=100s --probes=area
vmtest "mixed 20000 42 1 keep"
vmtest wait
sleep 0.5
end_verify /tmp/verify
