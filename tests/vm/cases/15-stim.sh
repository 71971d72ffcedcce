# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# The user-space load that needs no module: array maps of exact sizes appear with exactly those
# areas, and the map stays exact under a mix of maps, programs, ptys and module loads.
. /guest/lib.sh

: >/tmp/stim
start_recording /tmp/events
for bytes in 40000 100000 1000000 3333333; do
	stim map $bytes 1 >>/tmp/stim
done
sleep 1
stop_recording /tmp/events
grep 'op=map' /tmp/stim >/tmp/maps
while read -r line; do
	area=$(echo "$line" | sed -n 's/.* area_bytes=\([0-9]*\).*/\1/p')
	grep '"type":"alloc"' /tmp/events | grep '"comm":"stim"' | sed -n \
		's/.*"start":"\(0x[0-9a-f]*\)","end":"\(0x[0-9a-f]*\)".*/\1 \2/p' |
		while read -r start end; do echo $((end - start)); done | grep -qx "$area" ||
		fail "no alloc event of stim has $area bytes: $line"
done </tmp/maps
assert_eq "$(wc -l </tmp/maps)" 4 "maps made"

start_verify /tmp/verify --duration=100s
stim mixed 3000 7 >/tmp/mixed || fail "stim: $(tail -n 3 /tmp/mixed)"
tail -n 1 /tmp/mixed
sleep 1
end_verify /tmp/verify
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"
