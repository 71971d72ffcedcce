# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: us for an ioremap and iounmap, a vmap and vunmap, a module loaded and unloaded
# limit: 900
# peers: yes
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
. /guest/bench/lib.sh

insmod /kmod/vmbench.ko
hooks all >/tmp/hooks.all
for kind in ioremap vmap modules; do
	COUNT=2000
	[ $kind != modules ] || COUNT=20
	set_jit 0
	measure "nothing" $kind $COUNT nothing
	measure "trace-cmd -T, hooks of all" $kind $COUNT trace_cmd all -T
	for jit in 0 1; do
		set_jit $jit
		measure "jit=$jit all: empty programs" $kind $COUNT floor all
		measure "jit=$jit all: stacks" $kind $COUNT vmtrace
	done
done
