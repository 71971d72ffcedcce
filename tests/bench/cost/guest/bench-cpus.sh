# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: pairs of vmalloc and vfree on all CPUs at once, by the clock of this machine
# cpus: 1 2 4 8
# limit: 600
# peers: yes
# accel: tcg,thread=multi
# Only ratios within a run say something here: qemu's CPUs share those of the host. Of each tool ROUNDS loops of
# the same number of pairs, spread over all CPUs; beyond is the time for a pair less that of the untraced kernel.
. /guest/bench/lib.sh

ROUNDS=5
PAIRS=8000
cpus=$(grep -c ^processor /proc/cpuinfo)

# rounds NAME TOOL ARGUMENT...
rounds() {
	local name=$1 what=$2 i
	shift 2
	"start_$what" "$@"
	times=''
	for i in 0 $(seq $ROUNDS); do # the first one is for the caches
		bench "run vmalloc $((PAIRS / cpus)) $cpus 0"
		[ "$i" = 0 ] || times="$times $(($(result loop_ns) / PAIRS))"
		sleep 0.3
	done
	"stop_$what"
	echo "cpus $cpus|$name|$times|$lost"
}

insmod /kmod/vmbench.ko
hooks all >/tmp/hooks.all
rounds nothing nothing
rounds "trace-cmd -T" trace_cmd all -T
for jit in 0 1; do
	set_jit $jit
	rounds "jit=$jit empty programs" floor all
	rounds "jit=$jit vmtrace" vmtrace --probes=all
done
rounds "nothing again" nothing
