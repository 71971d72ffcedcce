#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the unit tests given, as many at a time as there are processors, prints the failures only,
# and the sum.
passed=0 failed=0

# Each leaves its output in TEST.log and its exit status in TEST.status.
# shellcheck disable=SC2016
printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -n 1 sh -c '
	rm -f "$0.status"
	"$0" >"$0.log" 2>&1
	echo $? >"$0.status"'

for test in "$@"; do
	log=$test.log
	status=$(cat "$test.status")
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | head -n 1)
	f=$(sed -n 's/^\[  FAILED  \] \([^:]*: \)\{0,1\}\([0-9]*\) test(s).*/\2/p' "$log" | head -n 1)
	# A test that died counts as one failure, whatever it had passed.
	if [ "${status:-1}" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then
		f=1
	fi
	if [ "${status:-1}" -ne 0 ]; then
		echo "FAIL ${test#build/} (exit $status):"
		grep -v -e '^\[ RUN' -e '^\[       OK' "$log" | sed 's/^/  /'
	fi
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-0}))
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
