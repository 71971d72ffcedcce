# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 420
# One row of the table of kernels: with every plan, transport and BTF that this kernel offers the map
# is exact under the user-space load, which needs no module.
. /guest/lib.sh

# field FILE TOPIC: the text of that line of doctor
field() { sed -n "s/^[a-zSTOP]* *$2  *//p" "$1" | head -n 1; }

# load OPERATIONS SEED OPTION...: records and verifies under it; adds to $events, $lost and $differ
load() {
	local operations=$1 seed=$2
	shift 2
	start_recording /tmp/events "$@"
	start_verify /tmp/verify --duration=300s "$@"
	stim mixed "$operations" "$seed" >/tmp/stim || fail "stim: $(tail -n 3 /tmp/stim)"
	sleep 2
	end_verify /tmp/verify >/tmp/verify.out || fail "verify $*: $(cat /tmp/verify.out)"
	stop_recording /tmp/events
	assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events with '$*'"
	now=$(grep -c -e '"type":"alloc"' -e '"type":"free"' /tmp/events)
	[ "$now" -ge "$operations" ] || fail "'$*': only $now events of $operations operations"
	events=$((events + now))
	lost=$((lost + $(json_number /tmp/verify lost_events)))
	for number in missing extra mismatched; do
		differ=$((differ + $(json_number /tmp/verify $number)))
	done
}

# try NAME VARIABLE OPTION...: another way, which this kernel must have
try() {
	local name=$1 variable=$2
	shift 2
	seed=$((seed + 1))
	vmtrace doctor "$@" >/tmp/doctor.try 2>&1 || fail "doctor $*: $(cat /tmp/doctor.try)"
	load 1000 $seed "$@"
	eval "$variable=\"\${$variable}, $name\""
}

own_kib() { vmtrace map --json "$@" 2>/dev/null | sed -n 's/.*"own_bytes":\([0-9]*\).*/\1/p' | awk '{ print $1 / 1024 }'; }

events=0 lost=0 differ=0 seed=9
vmtrace doctor >/tmp/doctor 2>/tmp/doctor.err || fail "doctor: $(cat /tmp/doctor.err /tmp/doctor)"
load 4000 $seed
# Every gfp that is told has only known flags, and GFP_KERNEL (0xcc0) is the usual one.
grep '"type":"alloc"' /tmp/events | grep -q '"gfp":3264[,}]' || fail "no allocation with GFP_KERNEL: $(grep '"type":"alloc"' /tmp/events | head -n 2)"
# The line discipline of a terminal asks vzalloc for less than a whole page.
grep '"type":"alloc"' /tmp/events | grep '"comm":"stim"' | grep -q '"requested":[0-9]*[,}]' || fail "no requested size is told"

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
load 1000 20
echo 0 >/proc/sys/net/core/bpf_jit_enable
grep '"type":"alloc"' /tmp/events | grep '"comm":"stim"' | grep -q '"kind":"bpf"' || fail "no kind under the JIT: $(grep '"type":"alloc"' /tmp/events | head -n 2)"
echo "row|$(uname -r)$(sed -n 's/.* \(vmalloc=[0-9A-Z]*\).*/ \1/p' /proc/cmdline)|$(awk '/VmallocTotal/ { print $2 / 1024 "M" }' /proc/meminfo)|$plan|$btf|$transport|$events|$lost|$differ|$own"
