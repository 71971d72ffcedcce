# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# An export of the running kernel says what the kernel's own list says; the file of the textfile
# collector is written anew, whole, with counters that only grow; diff sees a growth of known size.
. /guest/lib.sh

load_module vmtest

# value FILE SERIES
value() { awk -v want="$2" '$1 == want { print $2 }' "$1"; }

rm -f /tmp/x.prom
vmtrace export --format=prom --interval=1s -o /tmp/x.prom 2>/tmp/err &
writer=$!
wait_for 20 test -e /tmp/x.prom || fail "no file: $(cat /tmp/err)"
assert_eq "$(stat -c %a /tmp/x.prom)" 644 "mode of the file"
before=$(value /tmp/x.prom 'vmtrace_events_total{type="alloc"}')
vmtest "vmalloc a 1048576"
seen() { grep -q '^vmtrace_owner_bytes{owner="vmtest_do_vmalloc.*} 1052672$' /tmp/x.prom; }
wait_for 20 seen || fail "the new area is not told: $(grep owner /tmp/x.prom)"
after=$(value /tmp/x.prom 'vmtrace_events_total{type="alloc"}')
[ "$after" -gt "$before" ] || fail "allocations: $before, then $after"
kill -INT "$writer"
wait "$writer" || fail "the writer ended with $?: $(cat /tmp/err)"
grep -q '^vmtrace_last_event_timestamp_seconds [0-9]*\.[0-9]*$' /tmp/x.prom || fail "no time of day"
assert_eq "$(find /tmp -name '.x.prom*' | wc -l)" 0 "files left behind"

# All areas by the kernel's list, at a moment when nothing changes.
same_as_list() {
	vmtrace export --format=csv -o /tmp/x.csv 2>/tmp/err || fail "csv: $(cat /tmp/err)"
	sleep 1 # until the kernel has let go of what vmtrace itself had
	vmallocinfo_real | grep -v unpurged >/tmp/list
	awk -F, 'NR > 1 && $5 == "used" && $9 == 0 { n++; sum += $3 } END { print n + 0, sum + 0 }' /tmp/x.csv >/tmp/got
	awk '{ n++; sum += $2 } END { print n + 0, sum + 0 }' /tmp/list >/tmp/want
	cmp -s /tmp/got /tmp/want
}
wait_for 30 same_as_list || fail "csv: areas and bytes $(cat /tmp/got), in the list $(cat /tmp/want)"

vmtrace export --format=pprof --duration=1s -o /tmp/x.pb.gz 2>/tmp/err || fail "pprof: $(cat /tmp/err)"
gunzip -c /tmp/x.pb.gz | grep -q 'vmtest_do_vmalloc' || fail "pprof does not name the caller"

vmtrace export --format=jsonl -o /tmp/a.jsonl 2>/tmp/err || fail "jsonl: $(cat /tmp/err)"
vmtest "vmalloc b 2097152"
vmtrace diff /tmp/a.jsonl --json --by=caller >/tmp/json 2>/tmp/err || fail "diff: $(cat /tmp/err)"
cat /tmp/err
grep -q '"owner":"vmtest_do_vmalloc[^"]*","kind":"vmalloc","change_bytes":2101248,' /tmp/json ||
	fail "diff does not show what grew: $(head -c 2000 /tmp/json)"
