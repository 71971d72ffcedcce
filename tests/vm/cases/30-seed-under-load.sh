# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091
# limit: 180
# Started, and compared, in the middle of a heavy load: seeding and comparing are fair to areas in
# flight, and nothing is missing afterwards.
. /guest/lib.sh

load_module vmtest
vmtest "mixed 400000 11 0"
vmtest "mixed 400000 12 1"
for round in 1 2 3; do
	vmtrace verify --json --duration=1s >/tmp/verify || fail "round $round: $(cat /tmp/verify)"
	cat /tmp/verify
	assert_exact /tmp/verify
done
vmtest status
kernel_log_since "" | grep 'op=status' | tail -n 1
start_verify /tmp/late --duration=100s
vmtest wait
sleep 1
end_verify /tmp/late
