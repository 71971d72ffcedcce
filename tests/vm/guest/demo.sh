#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091
# The demo, as it runs in the guest: the layout, the textbook experiment, a mixed load under the
# live view, and a driver that leaks beside such a load. Its status is 0 if the leak was found.
. /guest/lib.sh

title() { printf '\n==== %s\n\n' "$*"; }

# What happened to the area of address $1, from a recording.
life_of() {
	local start end
	start=$(printf '%08x' "$1")
	end=$(printf '%08x' $(($1 + 8192)))
	vmtrace events -i /tmp/textbook.jsonl --stacks >/tmp/textbook.txt 2>/dev/null
	awk -v range="$start-$end" -v addr="$start" '
		# the event, and the stack below it; every purge after the free
		/^ +[+-][0-9]/ { show = index($0, range) || (/ vfree / && index($0, addr)) || (freed && / purge /) }
		show { print }
		/ free / && index($0, range) { freed = 1 }
		freed && / purge / { exit }' /tmp/textbook.txt
}

textbook() {
	local p
	mark
	start_recording /tmp/textbook.jsonl
	echo '# insmod textbook.ko          (init: p = vmalloc(sizeof(int)))'
	load_module textbook
	sleep 0.3
	p=$(kernel_log_since | sed -n 's/.*textbook: p = \(0x[0-9a-f]*\).*/\1/p')
	echo "    the kernel printed: textbook: p = $p"
	echo '# vmtrace map --areas | grep textbook'
	vmtrace map --areas 2>/dev/null | grep -e 'RANGE' -e textbook
	echo '# rmmod textbook               (exit: vfree(p))'
	rmmod textbook
	sleep 0.3
	# Loading it again changes page attributes, for which the kernel purges.
	load_module textbook
	rmmod textbook
	sleep 0.3
	stop_recording /tmp/textbook.jsonl
	echo '# the same area in the recording: born, freed to lazy, purged'
	life_of "$p"
}

load() {
	load_module vmtest
	(
		sleep 1.5
		vmtest "mixed 6000 1 0 keep pause=500"
		vmtest "mixed 6000 2 1 keep pause=500"
		vmtest wait
		vmtest "fail 200M"
	) &
	vmtrace live --interval=2s --duration=7s
}

vmtrace --version
uname -srm
title 'The kernel address space: vmtrace layout'
vmtrace layout
title 'The textbook experiment: p = vmalloc(sizeof(int)), seen from outside'
textbook
title 'A mixed load of 12,000 operations: vmtrace live --interval=2s --duration=7s'
load
title 'A driver that forgets 3 % of its buffers, beside that load: which function is it?'
leak() {
	local rc=0 watching leaking
	load_module vmleak
	echo '# vmtrace leaks --vmlinux=/kmod'
	vmtrace leaks --duration=60s --vmlinux=/kmod &
	watching=$!
	# Probes come and go without load: docs/KERNELS.md, a trap of the laboratory.
	sleep 4
	vmtest "mixed 0 3 0 pause=4000"
	echo "serve 100000 33 5000" >/sys/kernel/debug/vmleak/cmd &
	leaking=$!
	sleep 16
	kill -KILL $leaking
	vmtest stop
	vmtest wait
	kill -INT $watching
	wait $watching || rc=$?
	echo "# exit code $rc: 3 is a leak"
	[ "$rc" -eq 3 ]
}
leak
