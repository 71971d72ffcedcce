#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs every view on every recording tests/golden/NAME.jsonl, as it is and made into a .vmt file,
# and compares with NAME.COMMAND.expected. VMTRACE: the binary (default ./vmtrace). --record writes the
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
fit|fit 12M
fit-ioremap|fit 3M --kind=ioremap
fit-count|fit 600K --count=20
fit-ladder|fit
fit-json|fit 100M 12M --json
events|events --stacks
events-json|events --json
simulate|simulate
simulate-sizes|simulate --vmalloc=64M,256M --cpus=8
simulate-json|simulate --json
leaks|leaks
leaks-caller|leaks --group=caller --top=3
leaks-json|leaks --json
check|check --max-leak=1M/h --min-hole=8M
check-nagios|check --max-leak=100M/h --min-hole=8M --nagios'

# Of some recordings, what passes a filter; without blanks, since the arguments are split at them.
filters='filter-top|top --filter=mod!=kernel(size>=8K)or(kind=bpf)
filter-top-stack|top --by=stack --filter=stack~vmap
filter-areas|map --areas --filter=state=lazy(size>8K)or(kind=ioremap)and(age>5s)
filter-map-json|map --json --filter=not(mod=kernel)
filter-events|events --filter=state=failed(size>8M)or(mod!=kernel)and(size>=64K)
filter-events-json|events --json --filter=comm~d(guard=4K)
filter-leaks|leaks --filter=mod!=kernel(size>4K)
filter-leaks-json|leaks --json --top=1 --filter=comm!=nobody
filter-none|top --json --filter=pid=1(pid=2)
filter-bad|top --filter=size>1M(sise>1M)
filter-empty|top --top=3 --filter='
filtered='busy hostile-names leak lost'

# The exports, of some recordings: what they are made of is in the views above already.
exports='folded|export --format=folded
folded-alloc|export --format=folded --value=alloc
folded-leaked|export --format=folded --value=leaked
folded-failed|export --format=folded --value=failed
speedscope|export --format=speedscope
perfetto|export --format=perfetto --top=5
csv|export --format=csv
prom|export --format=prom --top=3'
exported='busy empty failed hostile-names leak lost'

# What live showed, of some recordings. --step reads its answers from "$dir/step.answers".
replays='replay|replay --interval=7s --top=2
replay-at|replay --at=2500ms --top=2
replay-step|replay --step --top=1
replay-step-at|replay --step --at=6s --top=1'
replayed='busy empty failed hostile-names lost quiet reseeded truncated unseeded'

# The version may change without any view changing; so may the blanks that pad its line.
output() {
	"$vmtrace" "$@" >"$tmp/raw" 2>"$tmp/stderr"
	status=$?
	sed -e 's/^ vmtrace [^ ]*  *\(.*[^ ]\)   *\([a-z]*ed [^ ]*\|watching [^ ]*\)$/ vmtrace VERSION  \1  \2/' \
		-e 's/"version":"[^"]*"/"version":"VERSION"/; s/version="[^"]*"/version="VERSION"/' \
		-e 's/vmtrace@[^"]*/vmtrace@VERSION/' "$tmp/raw"
	[ $status -eq 0 ] || echo "exit $status"
}

# compare LABEL: the last output with tests/golden/LABEL.expected; LABEL.vmt must be the same.
compare() {
	expected="$dir/${1%.vmt}.expected"
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

# check INPUT NAME COMMAND ARGUMENT...
check() {
	input=$1
	label=$2.$3$([ "$input" = "$tmp/$2.vmt" ] && echo .vmt)
	shift 3
	output "$@" -i "$input" <"$dir/step.answers" >"$tmp/out"
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

# tell LABEL yes|no: what $tmp/diff says is why.
tell() {
	if [ "$2" = yes ]; then
		passed=$((passed + 1))
		echo "ok $1"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		cat "$tmp/diff"
	fi
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

# What passed a filter is no recording: the reader says so, and no view shows a map of it.
check_filtered() {
	"$vmtrace" events --json --filter='size>8K' -i "$dir/busy.jsonl" >"$tmp/part.jsonl" 2>/dev/null
	"$vmtrace" map -i "$tmp/part.jsonl" >"$tmp/out" 2>"$tmp/diff" && ok=no || ok=yes
	[ -s "$tmp/out" ] && ok=no
	grep -q 'only the events that passed --filter' "$tmp/diff" || ok=no
	tell "busy.filtered" $ok
}

# A reader made from docs/FORMAT.md alone sees the same, and every line follows the schema.
check_from_outside() {
	"$vmtrace" events --json -i "$tmp/$1.vmt" >"$tmp/again.jsonl" 2>/dev/null
	for how in format schema; do
		case $how in
		format) "$dir/read_vmt.py" "$tmp/$1.vmt" "$tmp/again.jsonl" ;;
		schema) "$dir/check_schema.py" "$all/schema" "$tmp/again.jsonl" ;;
		esac >"$tmp/diff" 2>&1 && ok=yes || ok=no
		tell "$1.$how" "$ok"
	done
}

# check_views INPUT NAME TABLE: every view of NAME, read from INPUT.
check_views() {
	while IFS='|' read -r command arguments; do
		# shellcheck disable=SC2086
		check "$1" "$2" "$command" $arguments
	done <<END
$3
END
}

# Every view of one recording, and what must be the same whatever the form that it is read from.
check_recording() {
	name=$(basename "$1" .jsonl)
	check_views "$1" "$name" "$commands"
	case " $filtered " in *" $name "*) check_views "$1" "$name" "$filters" ;; esac
	case " $exported " in *" $name "*) check_views "$1" "$name" "$exports" ;; esac
	case " $replayed " in *" $name "*) check_views "$1" "$name" "$replays" ;; esac
	[ $record = yes ] && return
	check_reread "$name"
	check_screen "$name"
	"$vmtrace" record -q -i "$1" -o "$tmp/$name.vmt" || echo "cannot make $name.vmt"
	check_views "$tmp/$name.vmt" "$name" "$commands"
	case " $replayed " in *" $name "*) check_views "$tmp/$name.vmt" "$name" "$replays" ;; esac
	# A recording that was cut off has no trailer.
	[ $outside = no ] || [ "$name" = truncated ] || check_from_outside "$name"
}

# However one comes to a time, the block is the same: by every interval, by --at, in live -i.
check_replays() {
	for name in busy lost quiet reseeded; do
		input=$dir/$name.jsonl
		for seconds in 2 4 6; do
			"$vmtrace" replay --at=${seconds}s "$input" >"$tmp/at" 2>"$tmp/diff"
			for interval in 1 2; do
				"$vmtrace" replay --interval=${interval}s "$input" 2>/dev/null |
					sed -n "/^--- +$seconds\.0s /,\$p" |
					sed '1b; /^---/,$d; /^$/,$d' >"$tmp/block"
				[ -s "$tmp/block" ] && diff "$tmp/at" "$tmp/block" >"$tmp/diff" 2>&1 && ok=yes || ok=no
				tell "replay.$name@${seconds}s by $interval" "$ok"
			done
		done
		"$vmtrace" replay "$input" >"$tmp/at" 2>/dev/null
		"$vmtrace" live -i "$input" 2>/dev/null | diff "$tmp/at" - >"$tmp/diff" 2>&1 && ok=yes || ok=no
		tell "replay.$name as live" "$ok"
	done
	# The version is the one that recorded.
	"$vmtrace" replay --at=1s "$dir/quiet.jsonl" 2>&1 | grep '^ vmtrace' >"$tmp/diff"
	grep -q '^ vmtrace 0\.0\.9  router ' "$tmp/diff" && ok=yes || ok=no
	tell "replay.quiet's version" "$ok"
}

check_diffs() {
	check_diff times "$dir/busy.jsonl@5s" @12s
	check_diff files "$dir/busy.jsonl@1m" "$dir/lost.jsonl" --by=stack --top=2
	check_diff backwards "$dir/busy.jsonl" @5s --by=module --sort=count
	check_diff kernels "$dir/small.jsonl" "$dir/hostile-names.jsonl"
	check_diff itself "$dir/busy.jsonl" "$dir/busy.jsonl"
	check_diff json "$dir/busy.jsonl@5s" "$dir/busy.jsonl" --by=kind --top=2 --json
	check_diff seed "$dir/reseeded.jsonl@0s" @30s --by=comm
}

# part NAME COMMAND...: runs it beside the others, in a folder of its own, which gets what it
# printed and its sum.
part() {
	mkdir "$all/$1"
	(
		tmp=$all/$1
		shift
		"$@"
		echo "$passed $failed" >"$tmp/sum"
	) >"$all/$1/log" 2>&1 &
}

[ -x "$vmtrace" ] || { echo "$0: no $vmtrace: build it, or set VMTRACE" >&2; exit 1; }
all=$(mktemp -d) || exit 1
trap 'rm -rf "$all"' EXIT
"$vmtrace" schema >"$all/schema"
outside=yes
if ! command -v zstd >/dev/null || ! python3 -c 'import jsonschema' 2>/dev/null; then
	outside=no
	echo "skip format and schema: no zstd, or no python3 with jsonschema"
fi
part diffs check_diffs
part filtered check_filtered
part replays check_replays
for input in "$dir"/*.jsonl; do
	part "$(basename "$input")" check_recording "$input"
done
wait
cat "$all"/*/log
for input in diffs filtered replays "$dir"/*.jsonl; do
	# A part that died has left no sum.
	read -r p f <"$all/$(basename "$input")/sum" || { p=0 f=1; echo "FAIL $input died"; }
	passed=$((passed + p))
	failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
