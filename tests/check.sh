#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All tests, and one line with their sum. Exit 1 if any failed.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0 skipped=0
log=build/check.log

# part NAME CMD...: its last line "[name:] N passed, N failed[, N skipped]" is added up.
part() {
	local name=$1 line status
	shift
	echo "== $name"
	"$@" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	line=$(grep -E '^([a-z]+: )?[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	if [ -z "$line" ]; then
		echo "FAIL $name ended without a count (exit $status)"
		failed=$((failed + 1))
		return
	fi
	passed=$((passed + $(echo "$line" | sed 's/.*\b\([0-9]*\) passed.*/\1/')))
	failed=$((failed + $(echo "$line" | sed 's/.*\b\([0-9]*\) failed.*/\1/')))
	case $line in
	*skipped*) skipped=$((skipped + $(echo "$line" | sed 's/.*\b\([0-9]*\) skipped.*/\1/'))) ;;
	esac
	if [ "$status" -ne 0 ] && [[ $line == *" 0 failed"* ]]; then
		echo "FAIL $name: exit $status"
		failed=$((failed + 1))
	fi
}

part unit tests/unit/run.sh build/unit/test_*[!.]
part golden env VMTRACE=./vmtrace tests/golden/run.sh
part vm tests/vm/run.sh
echo
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
