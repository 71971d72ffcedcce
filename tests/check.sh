#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All tests, in two lanes beside each other, what each part took, and one line with their sum. Exit 1
# if any failed. What a part prints is shown when it has ended; until then it is in build/check.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/clock.sh
. tests/clock.sh

out=build/check
# Where make leaves when it began, when the packages were there, and when all was built.
stamps=build/check.stamps
count='^([a-z]+: )?([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'
passed=0 failed=0 skipped=0 lanes=()

# About the same time each, and never two of one lane at a time. The own figures of the emulator
# (bench) do not mind company: they count instructions.
lane_vm="bench vm"
lane_host="unit bpf golden record screen export matrix"

part_unit() {
	find build/unit build/plain -maxdepth 1 -name "test_*" -type f ! -name "*.*" -print0 | sort -z |
		xargs -0 tests/unit/run.sh
}
part_bpf() { tests/bpf.sh; }
part_golden() { VMTRACE=./vmtrace tests/golden/run.sh; }
part_record() { VMTRACE=./vmtrace tests/record.sh; }
part_screen() { VMTRACE=./vmtrace tests/screen.sh; }
part_export() { tests/export.sh; }
part_vm() { tests/vm/run.sh; }
part_matrix() { tests/vm/matrix.sh; }

# That the benchmarks run, no figure is judged: the row of vmtrace is the last one.
part_bench() {
	if tests/bench/cost/run.sh 686-pae:quick | tee build/bench-quick.out && grep -q 'area: stacks' build/bench-quick.out; then
		echo "1 passed, 0 failed"
	else
		echo "0 passed, 1 failed"
		return 1
	fi
}

# lane PART...: one after the other; each leaves NAME.log and, when it has ended, NAME.end: its exit
# status and what it took.
lane() {
	local name status
	for name in "$@"; do
		start_clock
		status=0
		"part_$name" >"$out/$name.log" 2>&1 </dev/null || status=$?
		read_clock
		printf '%s\n%s\n' "$status" "$took" >"$out/$name.end"
		show "$name"
	done
}

# In one piece, whatever the other lane shows.
show() {
	{
		flock 7
		echo "== $1: $took"
		cat "$out/$1.log"
	} 7>"$out/lock"
}

# A job of its own: to end it ends all that it started.
start_lane() {
	set -m
	lane "$@" &
	set +m
	lanes+=("$!")
}

end_lanes() {
	local pid
	for pid in ${lanes[@]+"${lanes[@]}"}; do
		kill -- "-$pid" 2>/dev/null
	done
}

# Each minute, where they are: a part can take ten. What asked for a password at the beginning must
# not ask for it again in the background.
wait_for_lanes() {
	local seconds=0 name
	while [ -n "$(jobs -pr)" ]; do
		sleep 1
		seconds=$((seconds + 1))
		[ $((seconds % 60)) -eq 0 ] || continue
		[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
		for name in $lane_vm $lane_host; do
			if [ ! -e "$out/$name.log" ] || [ -e "$out/$name.end" ]; then continue; fi
			printf -- '-- %s s, %s: %s\n' "$seconds" "$name" "$(tail -n 1 "$out/$name.log")"
		done
	done
}

# add_up NAME: its last line "[name:] N passed, N failed[, N skipped]". A part that passes nothing
# has not run.
add_up() {
	local status='' line
	took=''
	[ ! -e "$out/$1.end" ] || { read -r status; read -r took; } <"$out/$1.end"
	line=$(grep -E "$count" "$out/$1.log" 2>/dev/null | tail -n 1)
	if [ -z "$status" ] || ! [[ $line =~ $count ]] || [ "${BASH_REMATCH[2]}" -eq 0 ]; then
		echo "FAIL $1 passed no test (exit ${status:-unknown: it did not end})"
		failed=$((failed + 1))
		return
	fi
	passed=$((passed + BASH_REMATCH[2]))
	failed=$((failed + BASH_REMATCH[3]))
	skipped=$((skipped + ${BASH_REMATCH[5]:-0}))
	if [ "$status" -ne 0 ] && [ "${BASH_REMATCH[3]}" -eq 0 ]; then
		echo "FAIL $1 ended with $status although no test failed"
		failed=$((failed + 1))
	fi
	printf '  %-8s %s\n' "$1" "$took"
}

# What came before, if make began it.
tell_set_up() {
	local at
	mapfile -t at < <(cat "$stamps" 2>/dev/null)
	rm -f "$stamps"
	[ ${#at[@]} -eq 3 ] || return 0
	whole_began=${at[0]}
	printf '  %-8s %s s\n' packages $((at[1] - at[0])) build $((at[2] - at[1]))
}

trap end_lanes EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$out"
rm -f "$out"/*.log "$out"/*.end
whole_began=$EPOCHSECONDS
# shellcheck disable=SC2086 # lists of names
{
	start_lane $lane_vm
	start_lane $lane_host
}
wait_for_lanes
echo
echo "== what each part took"
tell_set_up
for name in $lane_host $lane_vm; do
	add_up "$name"
done
printf '  %-8s %s s\n' all $((EPOCHSECONDS - whole_began))
echo
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
