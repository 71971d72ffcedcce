# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 300
# vm: own
# accel: tcg,thread=single
# Started, and compared, in the middle of a heavy load: seeding and comparing are fair to areas in
# flight, and nothing is missing afterwards. On one emulator thread: qemu before 8.1 with several
# may run a stale int3 after the kernel has patched it away (docs/KERNELS.md).
. /guest/lib.sh

load_module vmtest
vmtest "mixed 600000 11 0"
vmtest "mixed 600000 12 1"
for round in 1 2 3; do
	vmtrace verify --json --duration=1s >/tmp/verify || fail "round $round: $(cat /tmp/verify)"
	cat /tmp/verify
	assert_exact /tmp/verify
done
vmtest status
dmesg | grep 'op=status' | tail -n 1 | grep -q 'running=2' || fail "the load ended too early: this tests nothing"
start_verify /tmp/late --duration=100s
vmtest wait
sleep 1
end_verify /tmp/late
