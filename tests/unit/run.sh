#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the unit tests given, as many at a time as there are processors, prints the failures only,
# and the sum.

# Each leaves its output in TEST.log and its exit status in TEST.status. A status that is left of
# another run is none.
printf '%s.status\0' "$@" | xargs -0 rm -f
# shellcheck disable=SC2016
printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -n 1 sh -c '
	"$0" >"$0.log" 2>&1
	echo $? >"$0.status"'

awk '
# The number before " test" in the first line of the log that says it.
function count(line, before) {
	return line ~ before && match(line, /[0-9]+ test/) ? int(substr(line, RSTART)) : ""
}
function read_log(test,    line) {
	passed = failed = shown = ""
	while ((getline line <(test ".log")) > 0) {
		if (passed == "")
			passed = count(line, "^\\[  PASSED  \\] [0-9]+ test")
		if (failed == "")
			failed = count(line, "^\\[  FAILED  \\] ([^:]*: )?[0-9]+ test\\(s\\)")
		if (line !~ /^\[ RUN/ && line !~ /^\[       OK/)
			shown = shown "  " line "\n"
	}
	close(test ".log")
}
function read_status(test,    status) {
	if ((getline status <(test ".status")) <= 0)
		status = 1
	close(test ".status")
	return status
}
BEGIN {
	for (i = 1; i < ARGC; i++) {
		status = read_status(ARGV[i])
		read_log(ARGV[i])
		# A test that died counts as one failure, whatever it had passed.
		if (status != 0 && failed + 0 == 0)
			failed = 1
		sub(/^build\//, "", ARGV[i])
		if (status != 0)
			printf "FAIL %s (exit %s):\n%s", ARGV[i], status, shown
		all_passed += passed
		all_failed += failed
	}
	printf "unit: %d passed, %d failed\n", all_passed, all_failed
	exit all_failed != 0
}' "$@"
