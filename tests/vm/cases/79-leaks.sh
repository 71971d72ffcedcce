# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 200
# A driver that leaks, on an error path, by ioremap, not at all, and one that is unloaded with its
# areas left behind, each beside a balanced load. The oracles: what the driver said that it forgot,
# and the kernel's list.
. /guest/lib.sh

vmleak() { echo "$*" >/sys/kernel/debug/vmleak/cmd; }

# suspect FUNCTION: what leaks --json says of it
suspect() { sed 's/{"score"/\n&/g' /tmp/leaks | grep "\"function\":\"$1+" | head -n 1; }
number_of() { sed -n "s/.*\"$1\":\(-\{0,1\}[0-9.]*\).*/\1/p"; }

# watch SECONDS COMMAND...: leaks, check with the codes of monitors and without, while it goes on;
# their exit codes to leaks_rc, check_rc and nagios_rc. Ended by SIGINT when COMMAND is done.
watch() {
	local seconds=$1 pids
	shift
	vmtrace leaks --json --duration=300s >/tmp/leaks 2>/tmp/leaks.err &
	pids=$!
	vmtrace check --max-leak=1K/h --min-hole=1M --duration=300s >/tmp/check 2>/tmp/check.err &
	pids="$pids $!"
	vmtrace check --max-leak=1K/h --nagios --duration=300s >/tmp/nagios 2>/tmp/nagios.err &
	pids="$pids $!"
	for pid in leaks check nagios; do
		wait_for 30 grep -q watching /tmp/$pid.err || fail "$pid did not start: $(cat /tmp/$pid.err)"
	done
	mark
	began=$(uptime_cs)
	"$@"
	while [ $(($(uptime_cs) - began)) -lt $((seconds * 100)) ]; do sleep 0.1; done
	# shellcheck disable=SC2086
	kill -INT $pids
	leaks_rc=0 check_rc=0 nagios_rc=0
	# shellcheck disable=SC2086
	set -- $pids
	wait "$1" || leaks_rc=$?
	wait "$2" || check_rc=$?
	wait "$3" || nagios_rc=$?
	echo "$((($(uptime_cs) - began) / 100)) s: $(cat /tmp/check)"
	cat /tmp/nagios
	! grep -q '"module":"\[vmtest\]","kind":"[a-z]*","stack"' /tmp/found || true
}

# assert_leak FUNCTION: one leak, of just the areas that the driver said that it forgot
assert_leak() {
	local one told
	one=$(suspect "$1")
	told=$(kernel_log_since | grep -c 'vmleak: op=leak')
	[ "$leaks_rc" = 3 ] || fail "leaks ended with $leaks_rc: $(cat /tmp/leaks)"
	assert_eq "$(json_number /tmp/leaks leaks)" 1 "leaks beside that of $1: $(cat /tmp/leaks)"
	echo "$one" | grep -q '"leak":true' || fail "$1 is no leak: $one"
	assert_eq "$(echo "$one" | number_of live_count)" "$told" "areas that $1 leaked"
	kernel_log_since | sed -n 's/.*vmleak: op=leak addr=\(0x[0-9a-f]*\).*/\1/p' >/tmp/forgotten
	# The oldest are in the order of their births, as the log is.
	echo "$one" | sed 's/.*"oldest":\[\([^]]*\)\].*/\1/' | tr -d '"' | tr ',' '\n' >/tmp/oldest
	assert_eq "$(cat /tmp/oldest)" "$(head -n "$(wc -l </tmp/oldest)" /tmp/forgotten)" "oldest areas of $1"
	assert_eq "$check_rc" 3 "exit code of check: $(cat /tmp/check)"
	grep -q "^BAD: 1 leak.* by $1+" /tmp/check || fail "check does not name $1: $(cat /tmp/check)"
	assert_eq "$nagios_rc" 2 "exit code of check --nagios: $(cat /tmp/nagios)"
	grep -q '^VMTRACE CRITICAL - 1 leak' /tmp/nagios || fail "check --nagios: $(cat /tmp/nagios)"
	echo "$1: $(echo "$one" | number_of score), $told areas"
}

assert_none() {
	assert_eq "$leaks_rc" 0 "exit code of leaks: $(cat /tmp/leaks)"
	assert_eq "$check_rc" 0 "exit code of check: $(cat /tmp/check)"
	assert_eq "$nagios_rc" 0 "exit code of check --nagios: $(cat /tmp/nagios)"
	grep -q '^OK: no leak in .*; largest hole ' /tmp/check || fail "check: $(cat /tmp/check)"
}

mixed() {
	vmtest "mixed 0 $1 0 pause=2000"
	vmtest "mixed 0 $1 1 pause=2000"
}

# Each is held against the kernel's own list, too.
left_by() { vmallocinfo_real | grep -c "$1+"; }

leaks_all() { mixed 71 && vmleak serve 40 1 200000; }
leaks_sometimes() { mixed 72 && vmleak serve 1200 33 5000; }
leaks_never() { mixed 73 && vmleak serve 1500 0 4000 && insmod /kmod/textbook.ko && rmmod textbook; }
leaks_ioremap() { mixed 74 && vmleak probe 300 10 25000; }
end_load() { vmtest stop && vmtest wait; }

load_module vmtest
load_module vmleak
watch 8 leaks_all
end_load
assert_leak vmleak_request
assert_eq "$(left_by vmleak_request)" 40 "areas in the kernel's list"

watch 8 leaks_sometimes
end_load
assert_leak vmleak_request
assert_eq "$(left_by vmleak_request)" 76 "areas in the kernel's list"

watch 8 leaks_never
end_load
assert_none

watch 8 leaks_ioremap
end_load
assert_leak vmleak_probe
assert_eq "$(left_by vmleak_probe)" 30 "areas in the kernel's list"

# Unloaded: 3 areas are too few for a leak that grows, but nobody can free them any more.
leaves() {
	mixed 75
	load_module vmleak
	vmleak serve 30 10 1000
	rmmod vmleak
}
rmmod vmleak
watch 4 leaves
end_load
assert_eq "$leaks_rc" 3 "exit code of leaks: $(cat /tmp/leaks)"
one=$(suspect vmleak_request)
echo "$one" | grep -q '"finding":"owner-gone"' || fail "the module is not known to be gone: $(cat /tmp/leaks)"
echo "$one" | grep -q '"module":"\[vmleak\]"' || fail "another module: $one"
assert_eq "$(echo "$one" | number_of orphan_count)" 3 "areas left behind"
# Its symbols are gone: the list has bare addresses.
assert_eq "$(left_by vmleak_request)" 0 "areas in the list that name the module"
echo "unloaded: $(echo "$one" | number_of score): $(echo "$one" | sed 's/.*"reasons":\["\([^"]*\)".*/\1/')"
