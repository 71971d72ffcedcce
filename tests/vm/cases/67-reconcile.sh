# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 180
# vm: own
# accel: tcg,thread=single
# Events that are missed and that no counter shows: kprobes switched off for a while by someone
# else. The slow comparison with the kernel's own list finds what it cost, repairs it, counts it
# and says so; without it the map stays wrong, which is the control. One emulator thread: see
# 30-seed-under-load.
. /guest/lib.sh

KPROBES=/sys/kernel/debug/kprobes/enabled
NOTE='the map had drifted: [0-9]* areas\{0,1\} put right; events were missed that no counter shows'

# Areas that the map knows: two of them will go unseen.
before_drift() {
	for name in g1 g2 g3; do vmtest "vmalloc $name 20000"; done
	sleep 0.2
}

# Three areas come and two go where nobody looks.
drift() {
	mark
	echo "$1" >"$2"
	for name in n1 n2 n3; do vmtest "vmap $name 7"; done
	vmtest "free g1"
	vmtest "free g2"
	echo 1 >"$2"
	n1=$(kernel_log_since | sed -n 's/.*op=vmap name=n1 addr=\(0x[0-9a-f]*\) .*/\1/p')
	[ -n "$n1" ] || fail "no area n1: $(kernel_log_since)"
}

after_drift() {
	for name in n1 n2 n3 g3; do vmtest "free $name"; done
	sleep 0.5
}

# put_right FILE: how many areas were told in all; a slow drift may be told in two notes
put_right() { sed -n "s/.*the map had drifted: \([0-9]*\) areas\{0,1\} put right.*/\1/p" "$1" | awk '{ n += $1 } END { print n + 0 }'; }

# drifted N FILE: that many areas, and in the words that were promised
drifted() { [ "$(put_right "$2")" -ge "$1" ] && grep -q "$NOTE" "$2"; }

load_module vmtest

echo "-- the control: without it nothing is noticed"
start_verify /tmp/control --duration=100s --reconcile=0
before_drift
drift 0 $KPROBES
sleep 3
kill -INT "$verifier"
rc=0
wait "$verifier" || rc=$?
cat /tmp/control
assert_eq "$rc" 3 "exit code of verify"
[ "$(json_number /tmp/control missing)" -ge 3 ] || fail "the areas that came unseen are not missing"
[ "$(json_number /tmp/control extra)" -ge 2 ] || fail "the areas that went unseen are not extra"
assert_eq "$(json_number /tmp/control lost_events)" 0 "lost events of the control"
assert_eq "$(json_number /tmp/control repaired)" 0 "repaired by the control"
after_drift

echo "-- verify, and a second drift after the first was repaired"
start_verify /tmp/verify --duration=100s --reconcile=1s
for times in 1 2; do
	before_drift
	drift 0 $KPROBES
	wait_for 20 drifted $((times * 5)) /tmp/verify.err || fail "drift $times was not told: $(cat /tmp/verify.err)"
	after_drift
done
end_verify /tmp/verify
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"
[ "$(json_number /tmp/verify repaired)" -ge 10 ] || fail "twice five areas were missed, but fewer repaired"
[ "$(json_number /tmp/verify reconciles)" -ge 2 ] || fail "two repairs, but fewer comparisons are counted"

echo "-- a recording: no comparison leaves a trace while nothing is wrong, and a repair is part of it"
start_recording /tmp/events --reconcile=1s
sleep 4
assert_eq "$(grep -c '"phase":"end"' /tmp/events)" 1 "snapshots while nothing had drifted"
! grep -q drifted /tmp/events.err || fail "it told of a drift that was none: $(cat /tmp/events.err)"
before_drift
drift 0 $KPROBES
wait_for 20 drifted 5 /tmp/events.err || fail "the drift was not told: $(cat /tmp/events.err)"
stop_recording /tmp/events
grep drifted /tmp/events.err
[ "$(grep -c '"phase":"end"' /tmp/events)" -ge 2 ] || fail "the repair is no snapshot of the recording"
vmtrace map --json -i /tmp/events >/tmp/map
[ "$(json_number /tmp/map repaired)" -ge 5 ] || fail "the recording does not count what was repaired"
assert_eq "$(json_number /tmp/map lost_events)" 0 "lost events of the recording"
grep -q '"uncertain":false' /tmp/map || fail "a repaired map is not uncertain"
grep -q "\"start\":\"$n1\"[^}]*\"owner\":\"vmtest_do_vmap+" /tmp/map || fail "area n1 at $n1 is not in the map"
vmtrace map -i /tmp/events | head -n 5 | grep 'repaired [0-9]' || fail "the summary does not tell it"
rc=0
vmtrace map --strict -i /tmp/events >/tmp/strict 2>/tmp/strict.err || rc=$?
cat /tmp/strict.err
assert_eq "$rc" 4 "exit code under --strict"
after_drift

if echo 1 2>/dev/null >/proc/sys/kernel/ftrace_enabled; then
	echo "-- the same by kernel.ftrace_enabled, and a list that cannot be read for a while"
	start_verify /tmp/ftrace --duration=100s --reconcile=1s
	before_drift
	echo 2 >/proc/sys/kernel/kptr_restrict
	wait_for 30 grep -q 'could not be compared .* next try in 2 s' /tmp/ftrace.err ||
		fail "it was not told that the list cannot be read: $(cat /tmp/ftrace.err)"
	drift 0 /proc/sys/kernel/ftrace_enabled
	sleep 5
	assert_eq "$(put_right /tmp/ftrace.err)" 0 "areas put right while the list was hidden"
	assert_eq "$(grep -c 'could not be compared' /tmp/ftrace.err)" 1 "notes of one and the same reason"
	! grep -q 'vmtrace: [^n].*\(kptr_restrict\|vmallocinfo\)' /tmp/ftrace.err || fail "an error of a check in the background: $(cat /tmp/ftrace.err)"
	echo 0 >/proc/sys/kernel/kptr_restrict
	wait_for 20 drifted 5 /tmp/ftrace.err || fail "the drift was not told: $(cat /tmp/ftrace.err)"
	end_verify /tmp/ftrace
	[ "$(json_number /tmp/ftrace repaired)" -ge 5 ] || fail "five areas were missed, but fewer repaired"
	after_drift
fi

echo "-- kprobes that are still off: it says what is wrong"
start_verify /tmp/off --duration=100s --reconcile=1s
echo 0 >$KPROBES
vmtest "vmalloc o1 10000"
wait_for 20 drifted 1 /tmp/off.err || fail "the drift was not told: $(cat /tmp/off.err)"
wait_for 2 grep -q 'kprobes are switched off' /tmp/off.err || fail "it does not tell why: $(cat /tmp/off.err)"
echo 1 >$KPROBES
end_verify /tmp/off
