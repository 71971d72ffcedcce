# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 300
# vm: own
# accel: tcg,thread=single
# append: no_timer_check
# cpus: 1
# icount: shift=1,sleep=off
# A driver that leaks, on an error path, by ioremap, not at all, and one that is unloaded with its
# areas left behind, each beside a balanced load. The oracles: what the driver said that it forgot,
# and the kernel's list. Probes go while the load goes on: docs/KERNELS.md, a trap of the laboratory.
. /guest/lib.sh

vmleak() { echo "$*" >/sys/kernel/debug/vmleak/cmd; }

# suspect FUNCTION: what leaks --json says of it
suspect() { sed 's/{"score"/\n&/g' /tmp/leaks | grep "\"function\":\"$1" | head -n 1; }
number_of() { sed -n "s/.*\"$1\":\(-\{0,1\}[0-9.]*\).*/\1/p"; }

# said: how many areas the driver said that it forgot, since the mark
said() { kernel_log_since | grep -c 'vmleak: op=leak' || true; }

enough() { [ "$(said)" -ge "$1" ]; }

# watch NUMBER NAGIOS COMMAND...: leaks and check (NAGIOS: with the codes of monitors) while COMMAND
# goes on, up to 4 s and that number of forgotten areas at least; it is killed when they have ended
# (a leak that stopped is none). NUMBER '': until it has ended. Their exit codes to leaks_rc and
# check_rc. The driver forgot from said_least to said_most areas up to the report.
watch() {
	local number=$1 nagios=$2
	shift 2
	fresh /tmp/leaks.err /tmp/check.err
	vmtrace leaks --json --vmlinux=/kmod --duration=300s >/tmp/leaks 2>/tmp/leaks.err &
	leaks_pid=$!
	# shellcheck disable=SC2086
	vmtrace check --max-leak=1K/h --min-hole=1M --duration=300s $nagios >/tmp/check 2>/tmp/check.err &
	check_pid=$!
	for name in leaks check; do
		wait_for 30 grep -q watching /tmp/$name.err || fail "$name did not start: $(cat /tmp/$name.err)"
	done
	mark
	"$@" &
	load_pid=$!
	if [ -n "$number" ]; then
		sleep 4
		wait_for 60 enough "$number" || fail "the driver was too slow: $(said) areas"
	else
		wait $load_pid || fail "the load failed"
		sleep 1.5
	fi
	leaks_rc=0 check_rc=0
	said_least=$(said)
	kill -INT $leaks_pid $check_pid
	wait $leaks_pid || leaks_rc=$?
	said_most=$(said)
	wait $check_pid || check_rc=$?
	kill -KILL $load_pid 2>/dev/null || true
	wait $load_pid || true
	vmtest stop
	vmtest wait
	cat /tmp/check
	# Its own are apart, and those of the others that run beside it.
	[ "$(json_number /tmp/leaks own_areas)" -gt 0 ] || fail "no areas of its own: $(cat /tmp/leaks)"
	! grep -q '"comm":"vmtrace"' /tmp/leaks || fail "vmtrace itself is a suspect: $(cat /tmp/leaks)"
}

# assert_check CODE LINE NAGIOS_CODE NAGIOS_LINE
assert_check() {
	if grep -q '^VMTRACE' /tmp/check; then shift 2; fi
	assert_eq "$check_rc" "$1" "exit code of check: $(cat /tmp/check)"
	grep -q "$2" /tmp/check || fail "check: $(cat /tmp/check)"
}

# assert_line FUNCTION: the source line is the one that the driver said; FUNCTION may be inlined
assert_line() {
	local line
	line=$(kernel_log_since | sed -n 's/.*vmleak: op=leak .*line=\([0-9]*\).*/\1/p' | head -n 1)
	suspect '[a-z]' | grep -q "\"source\":\[.*\"function\":\"$1\",\"file\":\"[^\"]*vmleak.c\",\"line\":$line," || fail "line $line of $1 is not named: $(suspect '[a-z]')"
	echo "$1: line $line"
}

# assert_leak FUNCTION: one leak, of just the areas that the driver said that it forgot, and the few
# that it had in its hands
assert_leak() {
	local one live
	one=$(suspect "$1+")
	live=$(echo "$one" | number_of live_count)
	assert_eq "$leaks_rc" 3 "exit code of leaks: $(cat /tmp/leaks)"
	assert_eq "$(json_number /tmp/leaks leaks)" 1 "leaks beside that of $1: $(cat /tmp/leaks)"
	echo "$one" | grep -q '"leak":true' || fail "$1 is no leak: $one"
	if [ "$live" -lt "$said_least" ] || [ "$live" -gt $((said_most + 8)) ]; then
		fail "$1: $live areas, and $said_least to $said_most were forgotten: $one"
	fi
	kernel_log_since | sed -n 's/.*vmleak: op=leak addr=\(0x[0-9a-f]*\).*/\1/p' >/tmp/forgotten
	# The oldest are in the order of their births, as the log is.
	echo "$one" | sed 's/.*"oldest":\[\([^]]*\)\].*/\1/' | tr -d '"' | tr ',' '\n' >/tmp/oldest
	assert_eq "$(head -n 4 /tmp/oldest)" "$(head -n 4 /tmp/forgotten)" "oldest areas of $1"
	# All that it forgot is there, by the kernel's own list.
	assert_eq "$(left_by "$1")" "$(($(left_before "$1") + $(said)))" "areas of $1 in the kernel's list"
	assert_check 3 "^BAD: 1 leak, .* by $1+" 2 "^VMTRACE CRITICAL - 1 leak, .* by $1+.*| leak_per_hour=[1-9]"
	echo "$1: $(echo "$one" | number_of score), $live areas, $said_least to $said_most forgotten"
}

assert_none() {
	assert_eq "$leaks_rc" 0 "exit code of leaks: $(cat /tmp/leaks)"
	assert_check 0 '^OK: no leak in .*; largest hole ' 0 '^VMTRACE OK - no leak in .*; largest hole .*| leak_per_hour=0B'
}

mixed() { vmtest "mixed 0 $1 0 pause=1000"; }

# left_by FUNCTION: by the kernel's own list; left_before: when the case before it had ended
left_by() { vmallocinfo_real | grep -c "$1+" || true; }
left_before() { if [ "$1" = vmleak_request ]; then echo "$left"; else echo 0; fi; }

leaks_all() { vmleak serve 100000 1 100000; }
leaks_sometimes() { vmleak serve 100000 33 3000; }
leaks_never() { vmleak serve 100000 0 4000; }
leaks_ioremap() { vmleak probe 100000 10 15000; }

load_module vmtest
load_module vmleak
left=0
mixed 71
watch 30 '' leaks_all
assert_leak vmleak_request
assert_line request_buffer

left=$(left_by vmleak_request)
mixed 72
watch 30 --nagios leaks_sometimes
assert_leak vmleak_request

mixed 73
# Another vmtrace, and a module, that come to stay are none either.
beside() {
	vmtrace events --json >/tmp/beside 2>&1 &
	echo $! >/tmp/beside.pid
	load_module textbook
	leaks_never
}
watch 0 --nagios beside
assert_none
kill -INT "$(cat /tmp/beside.pid)"
rmmod textbook

mixed 74
watch 30 '' leaks_ioremap
assert_leak vmleak_probe
assert_line vmleak_probe

# left_behind MODULE FUNCTION: what nobody can free any more, as 3 areas of it
left_behind() {
	one=$(suspect "$2")
	assert_eq "$leaks_rc" 3 "exit code of leaks: $(cat /tmp/leaks)"
	assert_eq "$(json_number /tmp/leaks leaks)" 1 "leaks: $(cat /tmp/leaks)"
	echo "$one" | grep -q '"finding":"owner-gone"' || fail "the module is not known to be gone: $(cat /tmp/leaks)"
	echo "$one" | grep -q "\"module\":\"\[$1\]\"" || fail "another module: $one"
	assert_eq "$(echo "$one" | number_of orphan_count)" 3 "areas left behind"
	# Its symbols are gone: the list has bare addresses.
	assert_eq "$(left_by vmleak)" 0 "areas in the list that name the module"
	echo "unloaded: $(echo "$one" | number_of score): $(echo "$one" | sed 's/.*"reasons":\["\([^"]*\)".*/\1/')"
}

# Unloaded: 3 areas are too few for a leak that grows, but nobody can free them any more.
unloads() {
	load_module vmleak
	vmleak serve 30 10 1000
	sleep 2
	rmmod vmleak
}
rmmod vmleak
mixed 75
watch '' '' unloads
if [ -n "$(suspect vmleak_request)" ]; then
	left_behind vmleak vmleak_request
else
	# Where the machine was too slow to read its symbols before they were gone.
	left_behind 'at [0-9a-f]*' '0x[0-9a-f]*","module":"\[at '
fi
assert_eq "$check_rc" 3 "exit code of check: $(cat /tmp/check)"

# Missed events make no leaks: uncertain up to the list that put it right, and after it.
recording_with_loss /tmp/events 76
awk '/"phase":"begin"/ && lost { exit } { print } /"type":"lost"/ { lost = 1 }' /tmp/events >/tmp/cut
for file in cut events; do
	rc=0
	vmtrace leaks -i /tmp/$file >/tmp/text 2>/tmp/err || rc=$?
	assert_eq "$rc" 0 "exit code of leaks -i $file: $(cat /tmp/text)"
	rc=0
	vmtrace check --max-leak=0/h -i /tmp/$file >/tmp/check 2>/tmp/err || rc=$?
	assert_eq "$rc" 0 "exit code of check -i $file: $(cat /tmp/check)"
	if [ $file = cut ]; then
		grep -q '~[0-9]' /tmp/text || fail "no mark in $(cat /tmp/text)"
		grep -q 'events were missed' /tmp/text || fail "the loss is not told: $(cat /tmp/text)"
		tail -n 1 /tmp/text
	else
		! grep -q '~[0-9]' /tmp/text || fail "still marked: $(cat /tmp/text)"
	fi
done
