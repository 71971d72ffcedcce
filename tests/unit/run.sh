#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the unit tests given, prints the failures only, and the sum.
passed=0 failed=0
for test in "$@"; do
	log=$test.log
	if "$test" >"$log" 2>&1; then
		status=0
	else
		status=$?
	fi
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | head -n 1)
	f=$(sed -n 's/^\[  FAILED  \] \([^:]*: \)\{0,1\}\([0-9]*\) test(s).*/\2/p' "$log" | head -n 1)
	# A test that died counts as one failure, whatever it had passed.
	if [ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then
		f=1
	fi
	if [ "$status" -ne 0 ]; then
		echo "FAIL ${test##*/} (exit $status):"
		grep -v -e '^\[ RUN' -e '^\[       OK' "$log" | sed 's/^/  /'
	fi
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-0}))
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
