# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091
# title: microseconds for a pair of vmalloc and vfree (guest time, one CPU, the consumer included)
# limit: 900
# peers: yes
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
# What a pair of vmalloc and vfree costs with vmtrace, its floor, and its peers on the same hooks.
# "stacks": of allocations; a free is sent without one. The screen draws every second, so its row is of 3,000
# pairs a second for 4 seconds, and has 4 frames in it; what an idle one draws is taken off as ever.
. /guest/bench/lib.sh

COUNT=3000
insmod /kmod/vmbench.ko
hooks area >/tmp/hooks.area
hooks all >/tmp/hooks.all
sed 's/^/    /' /tmp/hooks.all
measure nothing vmalloc $COUNT nothing
for set in area all; do
	measure "trace-cmd -T, hooks of $set" vmalloc $COUNT trace_cmd $set -T
	measure "perf record -g, hooks of $set" vmalloc $COUNT perf $set
done
for jit in 0 1; do
	set_jit $jit
	for set in area all; do
		measure "jit=$jit $set: empty programs" vmalloc $COUNT floor $set
		measure "jit=$jit $set: no stacks" vmalloc $COUNT vmtrace --probes=$set --stack-depth=0
		measure "jit=$jit $set: stacks" vmalloc $COUNT vmtrace --probes=$set
		measure "jit=$jit $set: recording" vmalloc $COUNT record --probes=$set
		WINDOW_MS=4000
		measure "jit=$jit $set: screen" vmalloc $((4 * COUNT)) screen --probes=$set
		WINDOW_MS=1000
	done
done
