# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: bursts: events, events a second, lost; one CPU, 1,000 instructions a microsecond
# cpus: 1
# limit: 900
# accel: tcg,thread=single
# icount: shift=0,sleep=off
# append: vmalloc=900M nokaslr
# The load and the reader share one CPU. "yielding": the load offers its CPU after each pair, as kernel code that
# loops has to. "alone": it has real-time priority, so that the reader does not run before the burst is over: what
# does not fit into the ring is lost.
. /guest/bench/lib.sh

insmod /kmod/vmbench.ko
echo -1 >/proc/sys/kernel/sched_rt_runtime_us # no share of the CPU is kept from the burst

# settle: what is known after the first pairs (stacks, symbols) is known; the ring is empty
settle() {
	bench "run vmalloc 100 0 100"
	sleep 1
}

# report WHAT RING EVENTS NS
report() { echo "burst $1|$2|$3|$(($3 * 1000 / ($4 / 1000000)))|$lost"; }

# An area, its free, and who frees: three events a pair.
mixed() {
	settle
	bench "run vmalloc 34000 0 1000"
	loop_ns=$(result loop_ns)
	sleep 1
}

# The dearest of the kernel's own part left out: one event an area, as when a module gives back all it has.
frees() {
	bench "hold 100000"
	start_vmtrace --probes=all
	settle
	bench release
	loop_ns=$(result loop_ns)
	sleep 1
	stop_vmtrace
	report "jit=$jit frees, yielding" 256K 100000 "$loop_ns"
}

# The first so many events of an overrun are the longest burst that fits: then just that, once more.
alone() {
	local pairs
	start_vmtrace --probes=all "--ring=$1"
	settle
	bench "run vmalloc 12000 0 1000 fifo"
	loop_ns=$(result loop_ns)
	sleep 1
	stop_vmtrace
	report "jit=$jit alone" "$1" 36000 "$loop_ns"
	pairs=$(((36000 - lost) / 3))
	start_vmtrace --probes=all "--ring=$1"
	settle
	bench "run vmalloc $pairs 0 1000 fifo"
	loop_ns=$(result loop_ns)
	sleep 1
	stop_vmtrace
	report "jit=$jit alone, longest" "$1" $((3 * pairs)) "$loop_ns"
}

for jit in 0 1; do
	set_jit $jit
	frees
done
for ring in 64K 128K 256K 512K 1M; do
	alone $ring
	start_vmtrace --probes=all --ring=$ring
	mixed
	stop_vmtrace
	report "jit=$jit pairs, yielding" $ring 102000 "$loop_ns"
done
set_jit 0
jit=0
start_vmtrace --probes=all
mixed
stop_vmtrace
report "jit=0 pairs, yielding" 256K 102000 "$loop_ns"
