# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# Areas born before vmtrace have their kind, guard, page count and caller from the seed: areas of
# every kind made by the test module, BPF, and whatever the kernel itself has. The oracles are
# what the module printed and the lines of /proc/vmallocinfo. Then all of them go while it watches.
. /guest/lib.sh

# The value of key $1 in the line $2 of the kernel log.
value() { echo "$2" | sed -n "s/.* $1=\([^ ]*\).*/\1/p"; }

# The lines of areas_list of a map, one area each: start end kind guard nr_pages owner (- = none).
list_map() {
	sed 's/.*"areas_list"://; s/{"start"/\n{"start"/g' "$1" | grep '"state":"used"' | sed -n '
		s/"nr_pages":\([0-9]*\).*/&\t\1/; t pages
		s/$/\t-/
		: pages
		s/.*"start":"\([^"]*\)","end":"\([^"]*\)".*"guard_pages":\([0-9]*\).*"kind":"\([^"]*\)".*"owner":"\([^"]*\)".*\t\([0-9-]*\)$/\1 \2 \4 \3 \6 \5/p' | sort
}

# The kernel's list: start end pages caller, each - if it has none. Callers as vmtrace shows them,
# "foo+0x1 [bar]".
list_kernel() {
	vmallocinfo_real | grep -v unpurged | awk '{
		split($1, range, "-"); pages = "-"; caller = "-"
		for (i = 3; i <= NF; i++)
			if ($i ~ /^pages=/) pages = substr($i, 7)
		if ($3 ~ /\+0x/) {
			caller = $3; sub(/\/0x[0-9a-f]*/, "", caller)
			if ($4 ~ /^\[/) caller = caller " " $4
		}
		print range[1], range[2], pages, caller
	}' | sort
}

# The kernel shows the same list before and after, so the map is of that list.
map_at_rest() {
	list_kernel >/tmp/before
	vmtrace "$@" --json >/tmp/map || fail "vmtrace $* ended with $?"
	list_kernel >/tmp/kernel
	cmp -s /tmp/before /tmp/kernel
}

# check NAME LINE START END KIND GUARD PAGES OWNER: that area is in the map, with exactly these
check() {
	grep -qx "$3 $4 $5 $6 $7 $8" /tmp/list || fail "$1: wanted '$3 $4 $5 $6 $7 $8', the map has '$(grep "^$3 " /tmp/list)': $2"
	checked=$((checked + 1))
}

# What the module printed of an area of its own.
check_made() {
	local line=$1 op addr start end kind guard=1 pages=-
	op=$(value op "$line")
	addr=$(value addr "$line")
	start=$((addr & ~4095))
	end=$(printf '0x%08x' $((start + $(value area_bytes "$line"))))
	start=$(printf '0x%08x' $start)
	case $op in
	vmalloc | vzalloc) kind=vmalloc pages=$((($(value bytes "$line") + 4095) / 4096)) ;;
	vmalloc_user) kind=user pages=$((($(value bytes "$line") + 4095) / 4096)) ;;
	vm_map_ram) kind=vm_map_ram guard=0 ;;
	*) kind=$op ;;
	esac
	if [ "$op" = vm_map_ram ]; then
		check "$op" "$line" "$start" "$end" $kind $guard - '(vm_map_ram)'
	else
		check "$op" "$line" "$start" "$end" $kind $guard "$pages" "vmtest_do_$op+0x[0-9a-f]* \[vmtest\]"
	fi
}

# covered ADDR KIND: an area of that kind without guard page covers the address
covered() {
	while read -r start end kind guard pages owner; do
		[ "$kind $guard" = "$2 0" ] && [ $((start)) -le $(($1)) ] && [ $((end)) -gt $(($1)) ] || continue
		echo "$1: $start $end $kind $guard $pages $owner"
		return
	done </tmp/list
	fail "no $2 area of the map covers $1"
}

# Pages and caller of every area as the kernel lists them, and kind and guard where the caller alone
# tells them: the number of areas checked, or the first that is wrong.
check_others() {
	awk '
		function wrong(what, want) { print what " of " area[$1 " " $2] ": wanted " want; bad = 1; exit 1 }
		NR == FNR { area[$1 " " $2] = $0; next }
		!($1 " " $2 in area) { next }
		{
			split(area[$1 " " $2], is)
			owner = area[$1 " " $2]; sub(/^([^ ]* ){5}/, "", owner)
			caller = $0; sub(/^([^ ]* ){3}/, "", caller)
			if (is[5] != $3) wrong("pages", $3)
			if (caller != "-" && owner != caller) wrong("caller", caller)
			if (caller ~ /^load_module[+]/ && is[3] != "module") wrong("kind", "module")
			if (caller ~ /^(array_map_alloc|bpf_map_area_alloc)[+]/ && is[3] != "bpf") wrong("kind", "bpf")
			if (caller ~ /^n_tty_open[+]/ && is[3] " " is[4] != "vmalloc 1") wrong("kind and guard", "vmalloc 1")
			if (caller ~ /^pcpu_get_vm_areas[+]/ && is[3] " " is[4] != "percpu 0") wrong("kind and guard", "percpu 0")
			n++
		}
		END { if (!bad) print n + 0 }' /tmp/list /tmp/kernel
}

mark
load_module vmtest
for size in 4 4096 4097 100000; do
	vmtest "vmalloc a$size $size"
	vmtest "vzalloc b$size $size"
	vmtest "vmalloc_user c$size $size"
done
for pages in 1 3 64; do vmtest "vmap d$pages $pages"; done
vmtest "vm_map_ram e1 33"
vmtest "vm_map_ram e2 100"
vmtest "ioremap f1 auto 4096"
vmtest "ioremap f2 auto 70000"
vmtest "nested g1 5M"
vmtest "vm_map_ram h1 8"
vmtest "percpu i1 8192 200"
stim map 200000 2 hold 600 >/tmp/stim &
stim=$!
wait_for 10 grep -q op=hold /tmp/stim || fail "stim: $(cat /tmp/stim)"
kernel_log_since | grep 'vmtest: op=' >/tmp/oracle

for command in "snapshot" "map"; do
	checked=0
	# map has areas of its own, so the list cannot be the same after it.
	map_at_rest $command || [ $command = map ] || wait_for 20 map_at_rest $command || fail "the kernel's list never rests"
	list_map /tmp/map >/tmp/list
	while read -r line; do
		line=" ${line#*vmtest: }"
		case "$line" in
		*" op=nested "* | *" op=init "*) ;;
		*" op=percpu "*)
			covered "$(value low "$line")" percpu
			covered "$(printf "0x%08x" $(($(value high "$line") - 1)))" percpu
			;;
		*" block=1"*) covered "$(value addr "$line")" vm_map_ram ;;
		*" addr="*) check_made "$line" ;;
		esac
	done </tmp/oracle
	# Every other area that both have (of vmtrace's own some have gone again).
	check_others >/tmp/others || fail "$command: $(cat /tmp/others)"
	checked=$((checked + $(cat /tmp/others)))
	for kind in vmalloc user vmap ioremap vm_map_ram percpu module bpf; do
		grep -q "^[^ ]* [^ ]* $kind " /tmp/list || fail "no $kind in the map"
	done
	[ $checked -ge 50 ] || fail "only $checked areas were checked"
	echo "$command: $checked times an area had kind, guard, pages and caller as wanted"
done

start_verify /tmp/verify --duration=100s
for size in 4 4096 4097 100000; do
	vmtest "free a$size"
	vmtest "free b$size"
	vmtest "free_softirq c$size"
done
for name in d1 d3 d64 e1 e2 f1 f2 g1 h1 i1; do vmtest "free $name"; done
kill $stim
sleep 2
end_verify /tmp/verify
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"
assert_eq "$(json_number /tmp/verify healed)" 0 "areas healed: a seeded one was not as it was freed"
[ "$(json_number /tmp/verify frees)" -ge 25 ] || fail "too few frees were seen"
