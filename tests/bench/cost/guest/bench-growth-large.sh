# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: the same beside 10^5, in a space of 900M
# limit: 900
# cpus: 1
# append: vmalloc=900M
# accel: tcg,thread=single
# icount: shift=1,sleep=off
. /guest/bench/lib.sh

insmod /kmod/vmbench.ko
for wanted in 0 100000; do
	bench "hold $wanted"
	measure "$wanted areas: nothing" vmalloc 3000 nothing
	measure "$wanted areas: jit=0 all: stacks" vmalloc 3000 vmtrace
done
