#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Opens what `vmtrace export` writes with the tools that it is for: promtool, speedscope (folded, its
# own JSON, pprof), the trace model of Chrome's DevTools, protoc and a pprof decoder, jq, sqlite3. On
# every golden recording and on one whose names are made to break formats. What an export says is in
# use must be what the map says.
set -u
cd "$(dirname "$0")/.." || exit 1

vmtrace=${VMTRACE:-./vmtrace}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

# check NAME CMD...
check() {
	local name=$1
	shift
	if "$@" >"$tmp/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -n 20 "$tmp/log" | sed 's/^/  /'
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "SKIP $*"
}

# consumer NAME: its path in $path; 1 if it cannot be had here.
consumer() {
	path=$(tools/consumer.sh "$1" 2>"$tmp/log") && return
	skip "$1: $(tail -n 1 "$tmp/log")"
	return 1
}

export_as() {
	local format=$1 input=$2
	shift 2
	"$vmtrace" export -q --format="$format" -i "$input" "$@"
}

# map_value KEY: of `map --json`.
map_value() { jq -r ".$1" "$tmp/map"; }

used_bytes() { jq '.used_bytes + .guard_bytes' "$tmp/map"; }

# ---- one format each; $1 is the recording ----

folded() {
	export_as folded "$1" >"$tmp/folded" &&
		LC_ALL=C sort -c -u "$tmp/folded" &&
		iconv -f UTF-8 -t UTF-8 <"$tmp/folded" >/dev/null &&
		LC_ALL=C awk -v want="$(used_bytes)" '
			# flamegraph.pl: all up to the last blank, then a number; a second number before
			# it would be taken for a difference.
			!/^vmalloc;[^;]+(;[^;]+)+ [0-9]+$/ || / [0-9.]+ [0-9]+$/ || /[\x01-\x1f\x7f]/ {
				print "not folded: " $0; bad = 1
			}
			{ sum += $NF }
			END { if (sum != want) print sum " bytes, not " want; exit bad || sum != want }' "$tmp/folded"
}

# What has leaked is what leaks says.
leaked() {
	local bytes
	bytes=$("$vmtrace" leaks -q --json -i "$1" | jq '[.suspects[] | select(.leak) | .live_bytes] | add // 0')
	export_as folded "$1" --value=leaked >"$tmp/leaked" &&
		awk -v want="$bytes" '{ sum += $NF } END { print sum + 0, want; exit sum != want }' "$tmp/leaked" &&
		export_as pprof "$1" --value=leaked -o "$tmp/pb.gz" &&
		gzip -dc "$tmp/pb.gz" | protoc --decode=pprof.Profile --proto_path=src/export profile.proto >"$tmp/pprof" &&
		export_as speedscope "$1" --value=leaked | jq -e --argjson want "$bytes" '.profiles[.activeProfileIndex].endValue == $want'
}

speedscope() {
	export_as speedscope "$1" >"$tmp/speedscope" &&
		jq --slurpfile map "$tmp/map" -f tests/export/check_speedscope.jq "$tmp/speedscope"
}

speedscope_schema() {
	"$python" -c '
import json, sys, jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' "$schema" "$tmp/speedscope"
}

# As speedscope itself opens them: what each of its importers has understood adds up to the map.
speedscope_opens() {
	local used
	used=$(used_bytes)
	cp "$tmp/folded" "$tmp/o.folded" && cp "$tmp/speedscope" "$tmp/o.json" &&
		export_as pprof "$1" -o "$tmp/o.gz" &&
		node tests/export/read_speedscope.js "$application" "$tmp/o.folded" "$tmp/o.json" "$tmp/o.gz" >"$tmp/opened" &&
		grep -qx "o.json inuse bytes $used" "$tmp/opened" &&
		grep -qx "o.json alloc bytes [0-9]*" "$tmp/opened" &&
		grep -qx "o.json failed bytes [0-9]*" "$tmp/opened" &&
		grep -qx "o.gz o.gz bytes $used" "$tmp/opened" &&
		if [ -s "$tmp/folded" ]; then
			grep -qx "o.folded o.folded none $used" "$tmp/opened"
		else
			grep -qx "o.folded nothing" "$tmp/opened"
		fi && return
	cat "$tmp/opened"
	return 1
}

# As the model behind Chrome's viewer has understood it: the counters end as the map has it.
trace_opens() {
	local key
	[ "$(jq '.traceEvents | length' "$tmp/perfetto")" -gt 0 ] &&
		node tests/export/read_trace.js "$devtools" "$tmp/perfetto" >"$tmp/opened" || return
	{
		if [ "$(map_value unknown_bytes)" = 0 ]; then
			for key in free guard largest_hole lazy used; do
				echo "counter $key $(map_value ${key}_bytes)"
			done
		else
			grep ^counter "$tmp/opened"
		fi
		jq -r '.traceEvents | "failures \(map(select(.ph == "i")) | length)", "lives \(map(select(.ph == "b")) | length)"' \
			"$tmp/perfetto"
	} | diff - "$tmp/opened"
}

perfetto() {
	export_as perfetto "$1" >"$tmp/perfetto" && ! LC_ALL=C grep -q $'\xe2\x80[\xa8-\xae]' "$tmp/perfetto" &&
		jq --slurpfile map "$tmp/map" -f tests/export/check_trace.jq "$tmp/perfetto"
}

# As a spreadsheet would: the sum of a column, and no text that it would compute.
csv() {
	local got
	export_as csv "$1" >"$tmp/areas.csv" || return
	got=$(sqlite3 -cmd '.mode csv' -cmd ".import $tmp/areas.csv areas" :memory: '
		select count(*), coalesce(sum(bytes), 0) from areas where state = "used";
		select count(*) from areas where state = "lazy";
		select comm, owner from areas where substr(comm, 1, 1) in ("=", "+", "-", "@")
			or substr(owner, 1, 1) in ("=", "+", "-", "@");' 2>&1)
	[ "$got" = "$(map_value areas),$(used_bytes)"$'\n'"$(map_value lazy_areas)" ] && return
	echo "sqlite3: $got"
	return 1
}

prom() {
	export_as prom "$1" --top=100 >"$tmp/prom" && "$promtool" check metrics <"$tmp/prom" &&
		awk -v total="$(map_value total_bytes)" -v used="$(used_bytes)" '
			/^vmtrace_area_bytes/ { all += $NF }
			/^vmtrace_owner_bytes/ { owners += $NF }
			{ series = $0; sub(/ [^ ]*$/, "", series) }
			!/^#/ && series in seen { print "twice: " series; bad = 1 }
			{ seen[series] = 1 }
			END { print all, owners; exit bad || all != total || owners != used }' "$tmp/prom"
}

pprof_proto() {
	export_as pprof "$1" -o "$tmp/pb.gz" && gzip -t "$tmp/pb.gz" &&
		gunzip -c "$tmp/pb.gz" |
		protoc --decode=pprof.Profile --proto_path=src/export profile.proto >"$tmp/pprof" &&
		[ -s "$tmp/pprof" ]
}

pprof_decoder() {
	export_as pprof "$1" -o "$tmp/pb.gz" &&
		node tests/export/read_pprof.js "$decoder" "$tmp/pb.gz" >"$tmp/sums" &&
		grep -qx "inuse_objects $(map_value areas)" "$tmp/sums" &&
		grep -qx "inuse_space $(used_bytes)" "$tmp/sums" &&
		export_as pprof "$1" --value=failed -o "$tmp/pb.gz" &&
		node tests/export/read_pprof.js "$decoder" "$tmp/pb.gz" >"$tmp/sums" &&
		grep -qx "failed_objects $(map_value failed)" "$tmp/sums" && return
	cat "$tmp/sums"
	return 1
}

jsonl() {
	export_as jsonl "$1" -o "$tmp/jsonl" && jq -e . "$tmp/jsonl" >/dev/null &&
		"$vmtrace" events -q --json -i "$1" | cmp - "$tmp/jsonl"
}

# ---- -o, and what is refused ----

refuses() {
	local words=$1 rc=0
	shift
	"$vmtrace" export "$@" -i tests/golden/busy.jsonl >"$tmp/out" 2>"$tmp/err" || rc=$?
	[ $rc -eq 2 ] && [ ! -s "$tmp/out" ] && grep -q -e "$words" "$tmp/err" && return
	echo "exit $rc: $(cat "$tmp/err")"
	return 1
}

output_file() {
	echo old >"$tmp/o.prom"
	umask 022
	export_as prom tests/golden/busy.jsonl -o "$tmp/o.prom" &&
		[ "$(stat -c %a "$tmp/o.prom")" = 644 ] && ! grep -q old "$tmp/o.prom" &&
		[ "$(find "$tmp" -name '.o.prom*' | wc -l)" -eq 0 ]
}

output_dash() {
	(cd "$tmp" && "$OLDPWD/$vmtrace" export --format=csv -o - -i "$OLDPWD/tests/golden/busy.jsonl") |
		grep -q '^start,end,bytes' && [ ! -e "$tmp/-" ]
}

no_such_folder() {
	local rc=0
	export_as prom tests/golden/busy.jsonl -o "$tmp/none/o.prom" 2>"$tmp/err" || rc=$?
	[ $rc -eq 1 ] && grep -q "cannot write '$tmp/none/o.prom'" "$tmp/err"
}

# ---- all of it ----

[ -x "$vmtrace" ] || { echo "$0: no $vmtrace: build it, or set VMTRACE" >&2; exit 1; }
promtool='' schema='' decoder='' python='' application='' devtools=''
consumer promtool && promtool=$path
for python in python3 /usr/bin/python3 ''; do
	[ -n "$python" ] && "$python" -c 'import jsonschema' 2>/dev/null && break
done
if [ -z "$python" ]; then
	skip "speedscope-schema: no python3 with jsonschema"
elif consumer speedscope-schema; then
	schema=$path
fi
if ! command -v node >/dev/null; then
	skip "pprof-format, speedscope, devtools: no node"
else
	consumer pprof-format && decoder=$path
	consumer speedscope && application=$path
	consumer devtools && devtools=$path
fi

for input in tests/golden/*.jsonl tests/export/hostile.jsonl; do
	name=$(basename "$input" .jsonl)
	"$vmtrace" map -q --json -i "$input" >"$tmp/map"
	check "folded $name" folded "$input"
	check "leaked $name" leaked "$input"
	check "speedscope $name" speedscope "$input"
	[ -z "$schema" ] || check "speedscope-schema $name" speedscope_schema
	[ -z "$application" ] || check "speedscope-opens $name" speedscope_opens "$input"
	check "perfetto $name" perfetto "$input"
	[ -z "$devtools" ] || check "trace-opens $name" trace_opens
	check "csv $name" csv "$input"
	[ -z "$promtool" ] || check "prom $name" prom "$input"
	check "pprof-proto $name" pprof_proto "$input"
	[ -z "$decoder" ] || check "pprof-decoder $name" pprof_decoder "$input"
	check "jsonl $name" jsonl "$input"
done
check "no format" refuses 'needs --format='
check "value of no use" refuses 'is for folded, pprof and speedscope' --format=csv --value=alloc
check "unknown format" refuses "'svg' is not folded, pprof" --format=svg
check "interval of a file" refuses 'is for --format=prom' --format=prom --interval=1s -o "$tmp/x"
check "output file" output_file
check "output -" output_dash
check "no such folder" no_such_folder
echo "export: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
