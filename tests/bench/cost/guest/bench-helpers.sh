# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: instructions for one call of a helper, or one instruction of BPF (4 of them in the first rows)
# limit: 900
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
# Each program does its thing 16 times at the entry of vfree; less what one does that does nothing.
. /guest/bench/lib.sh

COUNT=300
WINDOW_MS=100
insmod /kmod/vmbench.ko
for jit in 0 1; do
	set_jit $jit
	for program in none alu mul64 store8 load4 branch ktime pid smp comm lookup_array \
		lookup_percpu lookup_hash update_hash counter read4 read8 read64 read256 read512 stack8 \
		stack24 query submit; do
		start_program helpers $program p:vfree
		loop vmalloc $COUNT 0
		stop_program
		[ $program != none ] || floor_ns=$loop_ns
		echo "helper jit=$jit $program|$(((loop_ns - floor_ns) / COUNT / 16 / 2))"
	done
done
