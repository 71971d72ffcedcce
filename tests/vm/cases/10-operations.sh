# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# Every operation of the test module is reported with exactly its address, size and guard, and
# with a stack that names the function that made it. The oracle is what the module prints.
. /guest/lib.sh

out=/tmp/events

# The value of key $1 in the line $2 of the kernel log.
value() { echo "$2" | sed -n "s/.* $1=\([^ ]*\).*/\1/p"; }

# hex NUMBER: as JSON has it
hex() { printf '0x%08x' "$1"; }

# The alloc line of the range, last of several.
find_alloc() {
	grep '"type":"alloc"' $out | grep -F "\"start\":\"$1\",\"end\":\"$2\"" | tail -n 1
}

stack_of() {
	local id
	id=$(echo "$1" | sed -n 's/.*"stack":\([0-9]*\).*/\1/p')
	grep "\"type\":\"stack\",\"id\":$id," $out
}

check_alloc() {
	local line=$1 op addr start end area guard event kind
	op=$(value op "$line")
	addr=$(value addr "$line")
	area=$(value area_bytes "$line")
	start=$(hex $((addr & ~4095)))
	end=$(hex $(((addr & ~4095) + area)))
	guard=1
	[ "$op" = vm_map_ram ] && guard=0
	event=$(find_alloc "$start" "$end")
	[ -n "$event" ] || fail "$op: no alloc event $start-$end: $line"
	case $op in
	vzalloc) kind=vmalloc ;;
	vmalloc_user) kind=user ;;
	*) kind=$op ;;
	esac
	echo "$event" | grep -q "\"kind\":\"$kind\"" || fail "$op: kind is not $kind: $event"
	echo "$event" | grep -q "\"guard_pages\":$guard" || fail "$op: guard is not $guard: $event"
	stack_of "$event" | grep -q "vmtest_do_$op+" || fail "$op: stack does not name vmtest_do_$op: $(stack_of "$event")"
	case $op in
	vmalloc | vzalloc | vmalloc_user)
		echo "$event" | grep -q "\"requested\":$(value bytes "$line")[,}]" ||
			fail "$op: requested is not $(value bytes "$line"): $event"
		;;
	esac
	checked=$((checked + 1))
}

check_free() {
	local line=$1 addr start end
	addr=$(value addr "$line")
	start=$(hex $((addr & ~4095)))
	end=$(hex $(((addr & ~4095) + $(value area_bytes "$line"))))
	grep '"type":"free"' $out | grep -qF "\"start\":\"$start\",\"end\":\"$end\"" ||
		fail "no free event $start-$end: $line"
	checked=$((checked + 1))
}

check_softirq() {
	local addr
	addr=$(hex "$(value addr "$1")")
	grep '"type":"vfree"' $out | grep -F "\"addr\":\"$addr\"" | grep -q vmtest_softirq_free ||
		fail "no vfree event names vmtest_softirq_free for $addr"
	grep '"type":"free"' $out | grep -F "\"start\":\"$addr\"" | grep -q '"comm":"kworker' ||
		fail "the deferred free of $addr is not a kworker's"
	checked=$((checked + 1))
}

# Areas that the kernel's own list has now and had not before the recording: "start end" each.
new_areas() {
	vmallocinfo_real | grep -v unpurged | sed 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*/\1 \2/' | sort >/tmp/list.after
	grep -vxF -f /tmp/list.before /tmp/list.after || true
}

load_module vmtest
mark
start_recording $out
# With vmtrace's own areas in it, so that only what follows is new.
vmallocinfo_real | sed 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*/\1 \2/' | sort >/tmp/list.before
for size in 4 4096 4097 100000 1M; do
	vmtest "vmalloc a$size $size"
	vmtest "vzalloc b$size $size"
	vmtest "vmalloc_user c$size $size"
done
for pages in 1 3 64; do vmtest "vmap d$pages $pages"; done
vmtest "vm_map_ram e1 33"
vmtest "vm_map_ram e2 100"
vmtest "ioremap f1 auto 4096"
vmtest "nested g1 5M"
vmtest "fail 200M"
vmtest "vm_map_ram h1 8"
vmtest "percpu i1 8192 200"
sleep 0.5
new_areas >/tmp/new
vmallocinfo_real | awk '$3 ~ /^pcpu_/ { split($1, a, "-"); print a[1], a[2], $3 }' >/tmp/pcpu
for size in 4 4096 4097 100000 1M; do
	vmtest "free a$size"
	vmtest "free b$size"
	vmtest "free_softirq c$size"
done
for name in d1 d3 d64 e1 e2 f1 g1 h1 i1; do vmtest "free $name"; done
# A request that finds no hole also gives up the blocks that nobody uses any more.
vmtest "fail 200M"
sleep 0.5
new_areas >/tmp/left
stop_recording $out
kernel_log_since | grep 'vmtest: op=' >/tmp/oracle

checked=0
while read -r line; do
	line=" ${line#*vmtest: }"
	case "$line" in
	*result=NULL*) ;;
	*" op=vmalloc name=g1 "*) ;; # made by vmtest_do_vmalloc through nested: checked below
	*" op=nested "*) ;;
	*" op=percpu "* | *" block=1"*) ;; # no area of their own: the chunk or block is, see below
	*" kind=percpu "* | *" area_bytes=0"*) ;;
	*" op=free_softirq "*) check_softirq "$line" ;;
	*" op=free "*) check_free "$line" ;;
	*" addr="*) check_alloc "$line" ;;
	esac
done </tmp/oracle

# Every area that the kernel lists as new, block and chunks included, was reported.
while read -r start end; do
	[ -n "$(find_alloc "$start" "$end")" ] || fail "no alloc event for $start-$end, which the kernel lists"
	checked=$((checked + 1))
done </tmp/new
# Every one of them that has gone was reported as freed, block and chunks included.
grep -vxF -f /tmp/left /tmp/new >/tmp/gone || fail "nothing of what was made has gone"
while read -r start end; do
	grep '"type":"free"' $out | grep -qF "\"start\":\"$start\",\"end\":\"$end\"" ||
		fail "no free event for $start-$end, which the kernel lists no more"
	find_alloc "$start" "$end" | sed -n 's/.*"kind":"\([^"]*\)".*/\1/p' >>/tmp/gone_kinds
	checked=$((checked + 1))
done </tmp/gone
# A chunk is of its own kind; what pcpu_create_chunk takes for it beside (bitmaps, descriptors) is plain
# vmalloc with a guard page.
plain=0
while read -r start end caller; do
	grep -qxF "$start $end" /tmp/new || continue
	case "$caller" in
	pcpu_get_vm_areas*) want='"kind":"percpu"' ;;
	*) want='"kind":"vmalloc"' plain=$((plain + 1)) ;;
	esac
	find_alloc "$start" "$end" | grep -qF "$want" || fail "$start-$end of $caller is not told with $want"
	checked=$((checked + 1))
done </tmp/pcpu
[ $plain -gt 0 ] || fail "no plain area went with the chunk: this tests nothing"
for kind in vm_map_ram percpu; do
	grep -qx $kind /tmp/gone_kinds || fail "no $kind area has gone: this tests nothing"
	grep '"type":"alloc"' $out | grep "\"kind\":\"$kind\"" | grep -q '"guard_pages":0' ||
		fail "no $kind area without a guard page was reported"
done

grep '"type":"fail"' $out | grep '"size":209719296' | grep -q '"errno":16' ||
	fail "no fail event of 200M and its guard page with EBUSY: $(grep '"type":"fail"' $out)"
# 5 MB need 1280 page pointers: 5120 bytes, a vmalloc inside the vmalloc.
grep '"type":"alloc"' $out | grep -q '"requested":5120' || fail "the nested page array was not reported"
assert_eq "$(json_number $out lost)" 0 "lost events"
[ "$checked" -ge 40 ] || fail "only $checked operations were checked"
echo "checked $checked operations, each exact"
