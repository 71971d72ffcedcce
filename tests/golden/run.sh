#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs every view on every recording tests/golden/NAME.jsonl and compares with
# NAME.COMMAND.expected. VMTRACE: the binary (default ./vmtrace). --record writes the
# expected files anew: read the diff before you commit it.

dir=$(dirname "$0")
vmtrace=${VMTRACE:-./vmtrace}
record=no
passed=0
failed=0
[ "$1" = --record ] && record=yes

# name of the command | its arguments
commands='map|map
areas|map --areas
map-json|map --json
holes|holes --top=5
holes-json|holes --top=5 --json
top|top --sort=bytes
top-module|top --by=module --sort=count
top-stack|top --by=stack --top=4
top-guard|top --sort=guard
top-waste-json|top --sort=waste --json
top-json|top --by=stack --sort=age --json
why|why
why-all|why 20
why-json|why 20 --json
events|events --stacks
events-json|events --json
simulate|simulate
simulate-sizes|simulate --vmalloc=64M,256M --cpus=8
simulate-json|simulate --json'

# The exports, of some recordings: what they are made of is in the views above already.
exports='folded|export --format=folded
folded-alloc|export --format=folded --value=alloc
folded-failed|export --format=folded --value=failed
speedscope|export --format=speedscope
perfetto|export --format=perfetto --top=5
csv|export --format=csv
prom|export --format=prom --top=3'
exported='busy empty failed hostile-names lost'

# The version may change without any view changing; so may the blanks that pad its line.
output() {
	"$vmtrace" "$@" >"$tmp/raw" 2>"$tmp/stderr"
	status=$?
	sed -e 's/^ vmtrace [^ ]*  *\(.*[^ ]\)   *\([a-z]*ed [^ ]*\)$/ vmtrace VERSION  \1  \2/' \
		-e 's/"version":"[^"]*"/"version":"VERSION"/; s/version="[^"]*"/version="VERSION"/' \
		-e 's/vmtrace@[^"]*/vmtrace@VERSION/' "$tmp/raw"
	[ $status -eq 0 ] || echo "exit $status"
}

# compare LABEL: the last output with tests/golden/LABEL.expected.
compare() {
	expected="$dir/$1.expected"
	if grep -q -E 'Sanitizer|runtime error' "$tmp/stderr"; then
		failed=$((failed + 1))
		echo "FAIL $1"
		cat "$tmp/stderr"
	elif [ $record = yes ]; then
		cp "$tmp/out" "$expected"
		echo "recorded $1"
	elif diff -u "$expected" "$tmp/out" >"$tmp/diff" 2>&1; then
		passed=$((passed + 1))
		echo "ok $1"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		cat "$tmp/diff" "$tmp/stderr"
	fi
}

# check NAME COMMAND ARGUMENT...
check() {
	input="$dir/$1.jsonl"
	label=$1.$2
	shift 2
	output "$@" -i "$input" >"$tmp/out"
	compare "$label"
}

# check_diff LABEL ARGUMENT...: the files are named without their folder.
check_diff() {
	label=diff.$1
	shift
	output diff "$@" >"$tmp/out"
	sed "s|$dir/||g" "$tmp/out" >"$tmp/short"
	mv "$tmp/short" "$tmp/out"
	compare "$label"
}

# One failure is explained on one screen, each of them.
check_screen() {
	"$vmtrace" why 20 -i "$dir/$1.jsonl" 2>"$tmp/stderr" >"$tmp/out"
	if awk 'length > 80 { bad = 1; print "too long: " $0 }
		/^$/ { n = 0; next }
		++n > 23 + /kinds? in all/ { bad = 1; print "too many lines: " $0 }
		END { exit bad }' "$tmp/out" >"$tmp/diff"; then
		passed=$((passed + 1))
		echo "ok $1.screen"
	else
		failed=$((failed + 1))
		echo "FAIL $1.screen"
		cat "$tmp/diff"
	fi
}

# What `events --json` wrote shows the same map, holes and trend as the file that it was made of.
check_reread() {
	"$vmtrace" events --json -i "$dir/$1.jsonl" >"$tmp/again.jsonl" 2>"$tmp/stderr"
	for view in map holes; do
		"$vmtrace" $view --json -i "$dir/$1.jsonl" >"$tmp/first" 2>>"$tmp/stderr"
		if "$vmtrace" $view --json -i "$tmp/again.jsonl" 2>>"$tmp/stderr" |
		   diff -u "$tmp/first" - >"$tmp/diff"; then
			passed=$((passed + 1))
			echo "ok $1.reread-$view"
		else
			failed=$((failed + 1))
			echo "FAIL $1.reread-$view"
			cat "$tmp/diff" "$tmp/stderr"
		fi
	done
}

[ -x "$vmtrace" ] || { echo "$0: no $vmtrace: build it, or set VMTRACE" >&2; exit 1; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
# check_all NAME TABLE
check_all() {
	while IFS='|' read -r command arguments; do
		# shellcheck disable=SC2086
		check "$1" "$command" $arguments
	done <<END
$2
END
}

for input in "$dir"/*.jsonl; do
	name=$(basename "$input" .jsonl)
	check_all "$name" "$commands"
	case " $exported " in *" $name "*) check_all "$name" "$exports" ;; esac
	[ $record = yes ] || { check_reread "$name"; check_screen "$name"; }
done
check_diff times "$dir/busy.jsonl@5s" @12s
check_diff files "$dir/busy.jsonl@1m" "$dir/lost.jsonl" --by=stack --top=2
check_diff backwards "$dir/busy.jsonl" @5s --by=module --sort=count
check_diff kernels "$dir/small.jsonl" "$dir/hostile-names.jsonl"
check_diff itself "$dir/busy.jsonl" "$dir/busy.jsonl"
check_diff json "$dir/busy.jsonl@5s" "$dir/busy.jsonl" --by=kind --top=2 --json
check_diff seed "$dir/reseeded.jsonl@0s" @30s --by=comm
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
