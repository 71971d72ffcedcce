#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh DIR NAME...: runs the fuzzers DIR/NAME for FUZZ_SECONDS each, one after the other, from
# tests/fuzz/corpus/NAME; what is new goes to DIR/corpus/NAME, what breaks to DIR/NAME-*.
# To take the new ones over: DIR/NAME -merge=1 tests/fuzz/corpus/NAME DIR/corpus/NAME
set -u
dir=$1
shift
here=$(dirname "$0")
failed=0
for name in "$@"; do
	new=$dir/corpus/$name
	mkdir -p "$new"
	if "$dir/$name" -max_total_time="${FUZZ_SECONDS:-600}" -timeout=10 -rss_limit_mb=2048 \
		-max_len=16384 -print_final_stats=1 -artifact_prefix="$dir/$name-" \
		"$new" "$here/corpus/$name" >"$dir/$name.log" 2>&1; then
		status=clean
	else
		status=FAILED
		failed=1
	fi
	printf '%-14s %s: %s executions in %s s, %s features\n' "$name" "$status" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$name.log")" \
		"${FUZZ_SECONDS:-600}" \
		"$(grep -o ' ft: [0-9]*' "$dir/$name.log" | tail -n 1 | cut -d' ' -f3)"
	[ $status = clean ] || tail -n 40 "$dir/$name.log"
done
exit $failed
