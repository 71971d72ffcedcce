# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: us for a pair of vmalloc and vfree beside so many live areas
# limit: 900
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
# append: vmalloc=900M nokaslr
# 100,000 areas of one page and its guard are 781M. Without nokaslr the kernel may put itself above the
# low memory that is left (docs/KERNELS.md). All areas map one and the same page.
. /guest/bench/lib.sh

insmod /kmod/vmbench.ko
held=0
for wanted in 0 1000 10000 100000; do
	bench "hold $((wanted - held))"
	held=$wanted
	measure "$held areas: nothing" vmalloc 3000 nothing
	for jit in 0 1; do
		set_jit $jit
		measure "$held areas: jit=$jit all: stacks" vmalloc 3000 vmtrace
	done
done
