# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: us for a pair of vmalloc and vfree beside so many live areas
# limit: 900
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
. /guest/bench/lib.sh

insmod /kmod/vmbench.ko
held=0
for wanted in 0 1000 10000; do
	bench "hold $((wanted - held))"
	held=$wanted
	measure "$held areas: nothing" vmalloc 3000 nothing
	for jit in 0 1; do
		set_jit $jit
		measure "$held areas: jit=$jit all: stacks" vmalloc 3000 vmtrace
	done
done
