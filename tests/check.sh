#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All tests, and one line with their sum. Exit 1 if any failed.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0 skipped=0
log=build/check.log

count='^([a-z]+: )?([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'

# part NAME CMD...: adds up its last line "[name:] N passed, N failed[, N skipped]". A part that
# passes nothing has not run.
part() {
	local name=$1 line status
	shift
	echo "== $name"
	"$@" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	line=$(grep -E "$count" "$log" | tail -n 1)
	if ! [[ $line =~ $count ]] || [ "${BASH_REMATCH[2]}" -eq 0 ]; then
		echo "FAIL $name passed no test (exit $status)"
		failed=$((failed + 1))
		return
	fi
	passed=$((passed + BASH_REMATCH[2]))
	failed=$((failed + BASH_REMATCH[3]))
	skipped=$((skipped + ${BASH_REMATCH[5]:-0}))
	if [ "$status" -ne 0 ] && [ "${BASH_REMATCH[3]}" -eq 0 ]; then
		echo "FAIL $name ended with $status although no test failed"
		failed=$((failed + 1))
	fi
}

unit_tests() {
	find build/unit -maxdepth 1 -name "test_*" -type f ! -name "*.*" -print0 | sort -z |
		xargs -0 tests/unit/run.sh
}

# That the benchmarks run, no figure is judged: the row of vmtrace is the last one.
bench_quick() {
	if tests/bench/cost/run.sh 686-pae:quick | tee build/bench-quick.out && grep -q 'area: stacks' build/bench-quick.out; then
		echo "1 passed, 0 failed"
	else
		echo "0 passed, 1 failed"
		return 1
	fi
}

part unit unit_tests
part bpf tests/bpf.sh
part golden env VMTRACE=./vmtrace tests/golden/run.sh
part record env VMTRACE=./vmtrace tests/record.sh
part screen env VMTRACE=./vmtrace tests/screen.sh
part export tests/export.sh
part bench bench_quick
part vm tests/vm/run.sh
part matrix tests/vm/matrix.sh
echo
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
