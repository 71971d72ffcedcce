# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: what vmtrace itself takes
# cpus: 2
# limit: 300
. /guest/bench/lib.sh

# own JIT: vmalloc space by the function that took it, with guard pages
own() {
	set_jit "$1"
	vmallocinfo_real | sort >/tmp/before
	start_vmtrace
	vmallocinfo_real | sort >/tmp/after
	echo "own jit=$1|resident memory|$(awk '/VmHWM/ { print $2 }' /proc/$tool/status)K"
	comm -13 /tmp/before /tmp/after 2>/dev/null | awk -v jit="$1" '{
			sub(/\+.*/, "", $3); sum[$3] += $2; n[$3]++; all += $2
		}
		END {
			for (who in sum) print "own jit=" jit "|" who ", " n[who] " areas|" sum[who] / 1024 "K"
			print "own jit=" jit "|all|" all / 1024 "K"
		}'
	stop_vmtrace
}
own 0
own 1
for i in 1 2 3; do
	from=$(uptime_cs)
	vmtrace map >/dev/null 2>&1
	echo "own start to the first map and the end|try $i|$(($(uptime_cs) - from))0 ms"
done
