# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 300
# vm: own
# accel: tcg,thread=single
# Started, and compared, in the middle of a heavy load: seeding and comparing are fair to areas in
# flight, and nothing is missing afterwards. On one emulator thread: qemu before 8.1 with several
# may run a stale int3 after the kernel has patched it away (docs/KERNELS.md).
. /guest/lib.sh

reached() { [ "0$(operations 2)" -ge "$1" ]; }

load_module vmtest
# Until it is stopped: what a comparison takes differs from machine to machine.
vmtest "mixed 0 11 0"
vmtest "mixed 0 12 1"
for round in 1 2 3; do
	vmtrace verify --json --duration=1s >/tmp/verify || fail "round $round: $(cat /tmp/verify)"
	cat /tmp/verify
	assert_exact /tmp/verify
done
start_verify /tmp/late --duration=200s
before=$(operations 2)
[ -n "$before" ] || fail "the load ended too early: this tests nothing"
wait_for 60 reached $((before + 100000)) || fail "the load stands still: this tests nothing"
vmtest stop
vmtest wait
sleep 1
end_verify /tmp/late
dmesg | grep 'vmtest: op=mixed done' | cut -c 1-100
