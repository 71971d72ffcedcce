#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs every view on every recording tests/golden/NAME.jsonl, as it is and made into a .vmt file,
# and compares with NAME.COMMAND.expected. VMTRACE: the binary (default ./vmtrace). --record writes the
# expected files anew: read the diff before you commit it.

dir=$(dirname "$0")
vmtrace=${VMTRACE:-./vmtrace}
record=no
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

# What the views print is kept, as NAME.COMMAND.expected, in $all/jsonl (of the recordings as they are)
# and $all/vmt (of the .vmt files), what goes to stderr beside it in $all/FORM.err, and all of it is
# compared at the end: a process for each would take longer than what it compares.

# view FORM LABEL ARGUMENT...
view() {
	out=$all/$1/$2.expected err=$all/$1.err/$2.expected
	shift 2
	"$vmtrace" "$@" <"$dir/step.answers" >"$out" 2>"$err" || echo "exit $?" >>"$out"
}

# views FORM INPUT NAME TABLE: every view of NAME, read from INPUT.
views() {
	while IFS='|' read -r command arguments; do
		# shellcheck disable=SC2086
		view "$1" "$3.$command" $arguments -i "$2"
	done <<END
$4
END
}

# The version may change without any view changing; so may the blanks that pad its line.
neutral() {
	sed -i -e 's/^ vmtrace [^ ]*  *\(.*[^ ]\)   *\([a-z]*ed [^ ]*\|watching [^ ]*\)$/ vmtrace VERSION  \1  \2/' \
		-e 's/"version":"[^"]*"/"version":"VERSION"/; s/version="[^"]*"/version="VERSION"/' \
		-e 's/vmtrace@[^"]*/vmtrace@VERSION/' "$@"
}

# compare FORM [SUFFIX]: what was printed with what is expected.
compare() {
	diff -rq "$dir" "$all/$1" >"$all/differ"
	{
		sed -n "s|^Files .* and .*/\(.*\)\.expected differ$|\1|p
			s|^Only in $all/$1: \(.*\)\.expected$|\1|p" "$all/differ"
		grep -l -E 'Sanitizer|runtime error' "$all/$1.err"/* | sed 's|.*/||; s|\.expected$||'
	} | sort -u >"$all/bad"
	find "$all/$1" -name '*.expected' | sed 's|.*/||; s|\.expected$||' | sort |
		comm -23 - "$all/bad" | sed "s/.*/ok &$2/"
	while read -r label; do
		echo "FAIL $label$2"
		diff -u "$dir/$label.expected" "$all/$1/$label.expected"
		cat "$all/$1.err/$label.expected"
	done <"$all/bad"
}

# What nothing prints any more is no test.
check_stale() {
	sed -n "s|^Only in $dir: \(.*\.expected\)$|FAIL nothing prints \1|p" "$all/differ"
}

# tell LABEL yes|no: what $tmp/diff says is why.
tell() {
	if [ "$2" = yes ]; then
		echo "ok $1"
	else
		echo "FAIL $1"
		cat "$tmp/diff"
	fi
}

# One failure is explained on one screen, each of them.
check_screen() {
	awk 'length > 80 { bad = 1; print "too long: " $0 }
		/^$/ { n = 0; next }
		++n > 23 + /kinds? in all/ { bad = 1; print "too many lines: " $0 }
		END { exit bad }' "$all/jsonl/$1.why-all.expected" >"$tmp/diff" && ok=yes || ok=no
	tell "$1.screen" $ok
}

# What `events --json` wrote shows the same map, holes and trend as the file that it was made of.
check_reread() {
	"$vmtrace" events --json -i "$dir/$1.jsonl" >"$tmp/again.jsonl" 2>"$tmp/stderr"
	for view in map holes; do
		"$vmtrace" $view --json -i "$dir/$1.jsonl" >"$tmp/first" 2>>"$tmp/stderr"
		"$vmtrace" $view --json -i "$tmp/again.jsonl" 2>>"$tmp/stderr" |
			diff -u "$tmp/first" - >"$tmp/diff" && ok=yes || ok=no
		[ $ok = yes ] || cat "$tmp/stderr" >>"$tmp/diff"
		tell "$1.reread-$view" $ok
	done
}

# Every view of one recording, and what must be the same whatever the form that it is read from.
check_recording() {
	name=$(basename "$1" .jsonl)
	views jsonl "$1" "$name" "$commands"
	case " $filtered " in *" $name "*) views jsonl "$1" "$name" "$filters" ;; esac
	case " $exported " in *" $name "*) views jsonl "$1" "$name" "$exports" ;; esac
	case " $replayed " in *" $name "*) views jsonl "$1" "$name" "$replays" ;; esac
	[ $record = yes ] && return
	check_reread "$name"
	check_screen "$name"
	"$vmtrace" record -q -i "$1" -o "$all/$name.vmt" || tell "$name.vmt" no
	views vmt "$all/$name.vmt" "$name" "$commands"
	case " $replayed " in *" $name "*) views vmt "$all/$name.vmt" "$name" "$replays" ;; esac
	# A recording that was cut off has no trailer.
	[ "$name" = truncated ] || "$vmtrace" events --json -i "$all/$name.vmt" >"$all/$name.again.jsonl" 2>/dev/null
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
	"$dir/read_vmt.py" --compare "$all"/*.again.jsonl || echo "FAIL format"
	"$dir/check_schema.py" "$all/schema" "$all"/*.again.jsonl || echo "FAIL schema"
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

# view_diff NAME ARGUMENT...: the files are named without their folder.
view_diff() {
	label=diff.$1
	shift
	view jsonl "$label" diff "$@"
	sed -i "s|$dir/||g" "$all/jsonl/$label.expected"
}

view_diffs() {
	view_diff times "$dir/busy.jsonl@5s" @12s
	view_diff files "$dir/busy.jsonl@1m" "$dir/lost.jsonl" --by=stack --top=2
	view_diff backwards "$dir/busy.jsonl" @5s --by=module --sort=count
	view_diff kernels "$dir/small.jsonl" "$dir/hostile-names.jsonl"
	view_diff itself "$dir/busy.jsonl" "$dir/busy.jsonl"
	view_diff json "$dir/busy.jsonl@5s" "$dir/busy.jsonl" --by=kind --top=2 --json
	view_diff seed "$dir/reseeded.jsonl@0s" @30s --by=comm
}

# part NAME COMMAND...: runs it beside the others, in a folder of its own, which gets what it printed.
part() {
	mkdir "$all/parts/$1"
	(
		tmp=$all/parts/$1
		shift
		"$@"
		echo done >"$tmp/done"
	) >"$all/parts/$1/log" 2>&1 &
}

[ -x "$vmtrace" ] || { echo "$0: no $vmtrace: build it, or set VMTRACE" >&2; exit 1; }
# In memory where there is room for it: of thousands of small files, a disk takes more time than vmtrace.
all=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
trap 'rm -rf "$all"' EXIT
mkdir "$all/parts" "$all/jsonl" "$all/jsonl.err" "$all/vmt" "$all/vmt.err"
part diffs view_diffs
for input in "$dir"/*.jsonl; do
	part "$(basename "$input")" check_recording "$input"
done
[ $record = yes ] || part filtered check_filtered
[ $record = yes ] || part replays check_replays
wait
neutral "$all"/jsonl/* $([ $record = yes ] || echo "$all"/vmt/*)
if [ $record = yes ]; then
	cp "$all"/jsonl/* "$dir"
	exit
fi
{
	cat "$all"/parts/*/log
	for log in "$all"/parts/*/log; do
		[ -e "${log%/log}/done" ] || echo "FAIL $log: the part died"
	done
	compare jsonl
	check_stale
	compare vmt .vmt
	# The python3 of the scripts, whichever is the first on the PATH.
	if command -v zstd >/dev/null && /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
		"$vmtrace" schema >"$all/schema"
		check_from_outside
	else
		echo "skip format and schema: no zstd, or no python3 with jsonschema"
	fi
} >"$all/log" 2>&1
cat "$all/log"
passed=$(grep -c '^ok ' "$all/log")
failed=$(grep -c '^FAIL ' "$all/log")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
