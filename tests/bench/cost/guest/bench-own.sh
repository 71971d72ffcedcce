# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: what vmtrace itself takes, and how long it takes to start (guest time, one CPU)
# cpus: 1
# limit: 300
# accel: tcg,thread=single
# icount: shift=1,sleep=off
. /guest/bench/lib.sh

# What is in use: a lazy area of an earlier vmtrace would hide what lies there now.
in_use() { vmallocinfo_real | grep -v 'unpurged vm_area'; }

# own JIT: vmalloc space by the function that took it, with guard pages
own() {
	start_vmtrace
	in_use >/tmp/after
	awk -v jit="$1" '
		FNR == NR { before[$1] = 1; next }
		!($1 in before) {
			sub(/\+.*/, "", $3); sum[$3] += $2; n[$3]++; all += $2
		}
		END {
			for (who in sum) print "own jit=" jit "|" who ", " n[who] " areas|" sum[who] / 1024 "K"
			print "own jit=" jit "|all of it|" all / 1024 "K"
		}' /tmp/before /tmp/after
	echo "own jit=$1|resident memory at most, map kept|$(awk '/VmHWM/ { print $2 }' /proc/"$tool"/status)K"
	stop_vmtrace
}

# on_screen: resident memory with the screen, after 3 s
on_screen() {
	start_screen
	sleep 3
	echo "own jit=$1|resident memory at most, screen|$(awk '/VmHWM/ { print $2 }' /proc/"$tool"/status)K"
	stop_screen
}

# first WHAT COMMAND...: ms from the start to the first line that it prints, and to its end
first() {
	local what=$1 from
	shift
	from=$(uptime_cs)
	"$@" 2>/dev/null | {
		IFS= read -r line
		: "$line"
		echo "own $what|to the first line|$(($(uptime_cs) - from))0 ms"
		cat >/dev/null
	}
	echo "own $what|to the end|$(($(uptime_cs) - from))0 ms"
}

# first_frame JIT: the same for the screen; a look every 0.1 s
first_frame() {
	local from
	from=$(uptime_cs)
	start_screen
	echo "own jit=$1 vmtrace, the screen|to the first frame|$(($(uptime_cs) - from))0 ms"
	stop_screen
}

for jit in 0 1; do
	set_jit $jit
	vmtrace map >/dev/null 2>&1 # what the kernel itself adds once
	sleep 1
	in_use >/tmp/before
	own $jit
	on_screen $jit
	first "jit=$jit vmtrace map" vmtrace map
	first "jit=$jit vmtrace --plain" vmtrace --plain --duration=100ms
	first_frame $jit
done
