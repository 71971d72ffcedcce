# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 420
# run: named
# One row of the table of kernels: with every plan, transport and BTF that this kernel offers the map
# is exact under the user-space load, and with the default ones after 10^5 operations.
. /guest/lib.sh

# field FILE TOPIC: the text of that line of doctor
field() { sed -n "s/^[a-zSTOP]* *$2  *//p" "$1" | head -n 1; }

# add_up FILE: what verify says goes to $events, $lost and $differ; its events also to $now
add_up() {
	now=$(($(json_number "$1" allocations) + $(json_number "$1" frees)))
	events=$((events + now))
	lost=$((lost + $(json_number "$1" lost_events)))
	for number in missing extra mismatched; do
		differ=$((differ + $(json_number "$1" $number)))
	done
}

# load OPERATIONS SEED OPTION...: verifies under it
load() {
	local operations=$1 seed=$2
	shift 2
	start_verify /tmp/verify --duration=300s "$@"
	stim mixed "$operations" "$seed" >/tmp/stim || fail "stim: $(tail -n 3 /tmp/stim)"
	sleep 1
	end_verify /tmp/verify >/tmp/verify.out || fail "verify $*: $(cat /tmp/verify.out)"
	assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events with '$*'"
	add_up /tmp/verify
	[ "$now" -ge "$operations" ] || fail "'$*': only $now events of $operations operations"
}

# The same beside a recording, which stays in /tmp/events.
recorded_load() {
	local told
	start_recording /tmp/events
	load "$@"
	stop_recording /tmp/events
	told=$(grep -c -e '"type":"alloc"' -e '"type":"free"' /tmp/events)
	[ "$told" -ge "$1" ] || fail "only $told events in the recording of $1 operations"
}

# 10^5 operations with the default plan: of the test module on both CPUs where it can be built, and
# from user space; adds to $events, $lost and $differ.
bulk() {
	local begin failed=''
	start_verify /tmp/bulk --duration=300s
	begin=$(uptime_cs)
	if [ -e /kmod/vmtest.ko ]; then
		load_module vmtest
		vmtest "mixed 60000 1 0"
		vmtest "mixed 60000 2 1"
		stim load 1000 8 >/tmp/stim 2>&1 || failed=yes
		vmtest wait
		[ -z "$failed" ] || fail "stim: $(tail -n 3 /tmp/stim)"
	else
		modprobe iptable_filter
		stim tables 30000 >/tmp/tables &
		stim tables 30000 >/tmp/stim || fail "stim: $(tail -n 3 /tmp/stim)"
		wait $! || fail "stim: $(tail -n 3 /tmp/tables)"
		stim load 1000 8 >/tmp/stim || fail "stim: $(tail -n 3 /tmp/stim)"
	fi
	begin=$(($(uptime_cs) - begin))
	sleep 1
	end_verify /tmp/bulk
	assert_eq "$(json_number /tmp/bulk lost_events)" 0 "lost events of 10^5 operations"
	add_up /tmp/bulk
	echo "121000 operations, $now events, $(json_number /tmp/bulk purges) purges in $((begin / 100)) s"
	[ "$now" -ge 100000 ] || fail "10^5 operations, but only $now events"
}

# try NAME VARIABLE OPTION...: another way, which this kernel must have; one that is asked for is
# taken, or refused
try() {
	local name=$1 variable=$2
	shift 2
	seed=$((seed + 1))
	load 1000 $seed "$@"
	eval "$variable=\"\${$variable}, $name\""
}

own_kib() { vmtrace map --json "$@" 2>/dev/null | sed -n 's/.*"own_bytes":\([0-9]*\).*/\1/p' | awk '{ print $1 / 1024 }'; }

events=0 lost=0 differ=0 seed=9
vmtrace doctor >/tmp/doctor 2>/tmp/doctor.err || fail "doctor: $(cat /tmp/doctor.err /tmp/doctor)"
recorded_load 1000 $seed
# Every gfp that is told has only known flags, and GFP_KERNEL (0xcc0) is the usual one.
grep '"type":"alloc"' /tmp/events | grep -q '"gfp":3264[,}]' || fail "no allocation with GFP_KERNEL: $(grep '"type":"alloc"' /tmp/events | head -n 2)"
# The line discipline of a terminal asks vzalloc for less than a whole page.
grep '"type":"alloc"' /tmp/events | grep '"comm":"stim"' | grep -q '"requested":[0-9]*[,}]' || fail "no requested size is told"

bulk

# What fit says here, held against this kernel's allocator: of a space that the memory can fill.
if [ -e /kmod/vmtest.ko ] && awk '/^(MemAvailable|VmallocTotal)/ { of[$1] = $2 } END { exit of["MemAvailable:"] < 2 * of["VmallocTotal:"] }' /proc/meminfo; then
	began=$(uptime_cs)
	fittrial 100 3 >/tmp/trial 2>&1 || fail "fit: $(grep -e WRONG -e '^fittrial: ' /tmp/trial | head -n 5)"
	echo "$(tail -n 1 /tmp/trial) in $((($(uptime_cs) - began) / 100)) s"
	vmtest freeall
fi

plan=$(field /tmp/doctor plan | tr -d "'")
btf=$(field /tmp/doctor btf)
case $(field /tmp/doctor transport) in
perf*) transport=perf ;;
*) transport=ring ;;
esac
own=$(own_kib)K
[ "${own%K}" -le 1024 ] || fail "own areas take $own"

assert_eq "$plan" insert "plan that is taken by itself"
try return plan --probe-plan=return
! grep -q " perf_trace_alloc_vmap_area\$" /proc/kallsyms || try tracepoint plan --probe-plan=tracepoint
[ "$btf" = "generic i386" ] || try generic btf --btf=generic
if [ "$transport" = ring ]; then
	try perf transport --transport=perf
	own="$own, $(own_kib --transport=perf)K"
fi
# The JIT makes other stack frames: the callers must still be there.
echo 1 >/proc/sys/net/core/bpf_jit_enable
recorded_load 1000 20
echo 0 >/proc/sys/net/core/bpf_jit_enable
grep '"type":"alloc"' /tmp/events | grep '"comm":"stim"' | grep -q '"kind":"bpf"' || fail "no kind under the JIT: $(grep '"type":"alloc"' /tmp/events | head -n 2)"
echo "row|$(uname -r)$(sed -n 's/.* \(vmalloc=[0-9A-Z]*\).*/ \1/p' /proc/cmdline)|$(awk '/VmallocTotal/ { print $2 / 1024 "M" }' /proc/meminfo)|$plan|$btf|$transport|$events|$lost|$differ|$own"
