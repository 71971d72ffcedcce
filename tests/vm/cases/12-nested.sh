# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# An allocation made inside another of the same task (a purge notifier that allocates while a
# request fails) is paired with its own entry: both have their own size and outcome. So is one whose
# task goes to another CPU meanwhile. And with --probes=area the map is as exact, without the vmalloc
# and vfree families.
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

# To the other CPU and back: each is found where its task is when it ends. They are of one size and
# begin at one place on the stack, so nothing but its own entry tells when it began.
start_recording /tmp/moved
for _ in 1 2 3; do
	vmtest "fail_moved 210M 0 1"
	vmtest "moved m 35M 90M 0 1"
	vmtest "free m"
	vmtest "moved_inside m 36M 90M 211M 0 1"
	vmtest "free m"
done
sleep 0.3
stop_recording /tmp/moved
# told TYPE MB: how many as asked
told() { grep "\"type\":\"$1\"" /tmp/moved | grep "\"size\":$((($2 << 20) + 4096))," | grep -c "\"requested\":$(($2 << 20))[,}]"; }
assert_eq "$(told fail 210)" 6 "failures as asked"
assert_eq "$(told alloc 35)" 6 "allocations as asked"
assert_eq "$(told alloc 36) $(told fail 211)" "3 3" "moved inside another, and the other"
if grep '"type":"lost"' /tmp/moved | grep -v '"cause":"stack"'; then
	fail "events were lost"
fi
# None began before the allocation before it, that of the reserve, was made.
grep '"tid":' /tmp/moved | sed 's/.*"type":"\([a-z]*\)","t":\([0-9]*\),.*/\1 \2 &/; s/^\([a-z]* [0-9]*\) .*"latency_ns":\([0-9]*\).*/\1 \2/' |
	awk '$1 == "alloc" && $3 ~ /^[0-9]+$/ { if ($2 - $3 < last) bad++; n++ } $1 == "alloc" { last = $2 } END { print n + 0, bad + 0 }' >/tmp/latencies
read -r n bad </tmp/latencies
[ "$n" -ge 12 ] || fail "only $n allocations"
[ "$bad" -eq 0 ] || fail "$bad of $n began before the one before them had ended"

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
