# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 240
# One row of the table of kernels: what vmtrace uses here, and that its map is exact under the
# user-space load, which needs no module.
. /guest/lib.sh

# field FILE TOPIC: the text of that line of doctor
field() { sed -n "s/^[a-zSTOP]* *$2  *//p" "$1" | head -n 1; }

vmtrace doctor >/tmp/doctor || fail "doctor: $(cat /tmp/doctor)"
start_recording /tmp/events
start_verify /tmp/verify --duration=200s
stim mixed 4000 9 >/tmp/stim || fail "stim: $(tail -n 3 /tmp/stim)"
sleep 2
end_verify /tmp/verify
stop_recording /tmp/events
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"
events=$(grep -c -e '"type":"alloc"' -e '"type":"free"' /tmp/events)
[ "$events" -ge 4000 ] || fail "only $events events of 4000 operations"
alloc=$(sed -n 's/.*return *\(alloc_vmap_area[^ ]*\).*attached$/\1/p' /tmp/doctor)
own=$(vmtrace map --json | sed -n 's/.*"own_bytes":\([0-9]*\).*/\1/p')
# Every gfp that is told has only known flags, and GFP_KERNEL (0xcc0) is the usual one.
grep '"type":"alloc"' /tmp/events | grep -q '"gfp":3264[,}]' || fail "no allocation with GFP_KERNEL: $(grep '"type":"alloc"' /tmp/events | head -n 2)"
[ "$own" -le 1048576 ] || fail "own areas take $own bytes"
echo "row|$(uname -r)|$alloc|$(field /tmp/doctor btf)|$(field /tmp/doctor transport | cut -d, -f1)|$events|$(json_number /tmp/verify lost_events)|$(json_number /tmp/verify missing)/$(json_number /tmp/verify extra)/$(json_number /tmp/verify mismatched)|$((own / 1024))K"
