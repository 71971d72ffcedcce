# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: bursts at full speed, 2 CPUs, by the clock of this machine: events, events a second, lost
# cpus: 2
# limit: 900
. /guest/bench/lib.sh

# The events of a burst: an area, its free, and with all who frees.
insmod /kmod/vmbench.ko
burst() {
	start_vmtrace --probes=all --ring=$1
	bench "run vmalloc $2 2 0"
	loop_ns=$(result loop_ns)
	sleep 1
	stop_vmtrace
	echo "burst $1|$((6 * $2))|$((6 * $2 * 1000 / (loop_ns / 1000000)))|$lost"
}
for ring in 64K 128K 256K 512K 1M; do
	for pairs in 2000 8000 17000 34000; do
		burst $ring $pairs
		[ "$lost" -eq 0 ] || break
	done
done
