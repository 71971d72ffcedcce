# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# holes: the list equals the gaps between the lines of /proc/vmallocinfo, each with its true
# neighbour; the trend goes up to now and has the failures; an int in a page is 4,092 bytes of waste
# and half guard.
. /guest/lib.sh

# gaps LIST START END: what lies between the lines of a list of the kernel
gaps() {
	sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*/\1 \2/p' "$1" | sort |
		awk -v at="$2" -v end="$3" '$1 != at { print at, $1 } { at = $2 } END { if (at != end) print at, end }'
}

# listed JSON: the holes that `holes --json` lists, with the area below each, by address
listed() {
	sed 's/.*"holes_list"://' "$1" |
		grep -o '"start":"0x[0-9a-f]*","end":"0x[0-9a-f]*","bytes":[0-9]*,"below":\(null\|{"start":"[^"]*","end":"[^"]*"\)' |
		sed 's/"start":"\([^"]*\)","end":"\([^"]*\)","bytes":[0-9]*,"below":/\1 \2 /; s/{"start":"[^"]*","end":"\([^"]*\)"/\1/' | sort
}

load_module vmtest
vmtest "mixed 500 5 0 keep"
vmtest wait
# One moment in both: nothing may happen between the list and the end of the recording.
same_moment() {
	start_recording /tmp/events
	vmallocinfo_real >/tmp/list
	stop_recording /tmp/events
	vmtrace map --json -i /tmp/events >/tmp/map
	vmtrace holes --json -i /tmp/events >/tmp/holes
	start=$(sed 's/.*"vmalloc_start":"\([^"]*\)".*/\1/' /tmp/map)
	end=$(sed 's/.*"vmalloc_end":"\([^"]*\)".*/\1/' /tmp/map)
	gaps /tmp/list "$start" "$end" >/tmp/gaps
	listed /tmp/holes >/tmp/listed
	cut -d' ' -f1,2 /tmp/listed | diff /tmp/gaps - >/tmp/diff
}
wait_for 60 same_moment || fail "the holes are not the gaps of the kernel's list: $(head -n 5 /tmp/diff)"
count=$(wc -l </tmp/listed)
echo "$count holes"
[ "$count" -gt 10 ] || fail "too few holes to compare"
assert_eq "$(sed 's/^{"holes":\([0-9]*\),.*/\1/' /tmp/holes)" "$count" "number of holes"
awk '$3 != $1 && $3 != "null"' /tmp/listed >/tmp/odd
[ ! -s /tmp/odd ] || fail "the neighbour does not touch the hole: $(head -n 3 /tmp/odd)"

vmtrace holes --json -v --duration=10s >/tmp/live 2>/tmp/live.err &
watcher=$!
wait_for 20 grep -q 'watching' /tmp/live.err || fail "holes does not watch: $(cat /tmp/live.err)"
sleep 4
vmtest "fail 200M"
wait "$watcher" || fail "holes --duration ended with $?: $(cat /tmp/live.err)"
cut -c 1-200 /tmp/live
sed 's/.*"trend":\[//; s/},{/}\n{/g' /tmp/live >/tmp/trend
[ "$(wc -l </tmp/trend)" -ge 60 ] || fail "too short a trend: $(wc -l </tmp/trend)"
tail -n 1 /tmp/trend >/tmp/last
sed 's/"histogram".*//' /tmp/live >/tmp/now
assert_eq "$(json_number /tmp/last largest_hole_bytes)" "$(json_number /tmp/now largest_hole_bytes)" "the trend's last largest hole"
assert_eq "$(sed -n 's/.*"failed":\([0-9]*\).*/\1/p' /tmp/trend | awk '{ n += $1 } END { print n }')" 1 "failures in the trend"

start_recording /tmp/events
load_module textbook
sleep 0.3
stop_recording /tmp/events
rmmod textbook
vmtrace top --sort=waste -i /tmp/events >/tmp/text
cat /tmp/text
grep -q ' 8.0K *1 *4.0K *50% *4.0K .*\[textbook\]$' /tmp/text || fail "vmalloc(sizeof(int)) is not half guard and all waste"
vmtrace top --sort=waste --top=1000 --json -i /tmp/events | sed 's/{"owner"/\n&/g' | grep '\[textbook\]"' >/tmp/owner
assert_eq "$(json_number /tmp/owner waste_bytes)" 4092 "waste of an int in a page"
assert_eq "$(json_number /tmp/owner waste_known)" 1 "areas whose waste is known"
