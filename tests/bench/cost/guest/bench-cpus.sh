# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: us for a pair of vmalloc and vfree, on all CPUs at once
# limit: 900
# cpus: 1 2 4 8
# accel: tcg,thread=single
# icount: shift=1,sleep=off
. /guest/bench/lib.sh

insmod /kmod/vmbench.ko
THREADS=$(grep -c ^processor /proc/cpuinfo)
measure "$THREADS CPUs: nothing" vmalloc 2000 nothing
for jit in 0 1; do
	set_jit $jit
	measure "$THREADS CPUs: jit=$jit all: stacks" vmalloc 2000 vmtrace
done
