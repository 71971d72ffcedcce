# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# run: named
# vm: own
# limit: 560
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
# What each plan costs: guest time of 3,000 pairs of vmalloc and vfree, which counts instructions
# here, so two runs agree. No threshold: it prints.
. /guest/lib.sh

load_module vmtest
# pairs: microseconds
pairs() {
	mark
	vmtest "pairs 3000"
	kernel_log_since | sed -n 's/.*op=pairs count=3000 ns=\([0-9]*\).*/\1/p' | awk '{ print int($1 / 1000) }'
}
base=$(pairs)
base=$(pairs)
echo "no probes: $base us"
for jit in 0 1; do
	echo $jit >/proc/sys/net/core/bpf_jit_enable
	for options in --probe-plan=insert --probe-plan=return --probe-plan=tracepoint \
		"--probe-plan=insert --probes=area" "--probe-plan=return --probes=area" \
		"--probe-plan=insert --transport=perf"; do
		# shellcheck disable=SC2086  # a list
		vmtrace verify --duration=300s -v $options >/tmp/v 2>/tmp/v.err &
		pid=$!
		wait_for 60 sh -c "grep -q watching /tmp/v.err || ! kill -0 $pid" || fail "no start: $(cat /tmp/v.err)"
		if ! grep -q watching /tmp/v.err; then
			echo "jit=$jit $options: not on this kernel"
			wait $pid || true
			continue
		fi
		pairs >/dev/null
		with=$(pairs)
		kill -INT $pid
		wait $pid || fail "verify: $(cat /tmp/v /tmp/v.err)"
		lost=$(sed -n 's/.* \([0-9]*\) lost.*/\1/p' /tmp/v)
		echo "jit=$jit $options: +$((with - base)) us, lost $lost"
	done
done
