# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# SIGINT and SIGTERM are a normal end, SIGKILL at any moment of the start is survived by the
# machine: kptr_restrict is back, no probe is left (the harness looks too).
. /guest/lib.sh

kptr=$(cat /proc/sys/kernel/kptr_restrict)
restored() { [ "$(cat /proc/sys/kernel/kptr_restrict)" = "$kptr" ]; }
no_probes() { [ -z "$(cat /sys/kernel/debug/kprobes/list)" ]; }

for signal in INT TERM; do
	fresh /tmp/live
	vmtrace live --interval=500ms >/tmp/live 2>/tmp/err &
	pid=$!
	wait_for 20 grep -q 'largest hole' /tmp/live || fail "no block: $(cat /tmp/err)"
	kill -$signal $pid
	rc=0
	wait $pid || rc=$?
	assert_eq "$rc" 0 "exit code after SIG$signal"
	grep -q '^verify: 0 missing, 0 extra, 0 mismatched' /tmp/live || fail "no summary after SIG$signal: $(tail -n 3 /tmp/live)"
done

for delay in 0 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 0.7 1 1.5; do
	vmtrace live >/dev/null 2>&1 &
	pid=$!
	sleep $delay
	kill -KILL $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
	wait_for 5 restored || fail "killed after $delay s: kptr_restrict stays $(cat /proc/sys/kernel/kptr_restrict)"
	wait_for 10 no_probes || fail "killed after $delay s: $(cat /sys/kernel/debug/kprobes/list)"
done
# All tasks of that name at once: the one that restores has another.
for delay in 0.05 0.15 0.25 0.35 0.45 0.6; do
	vmtrace live >/dev/null 2>&1 &
	sleep $delay
	grep -lx vmtrace /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3 | xargs -r kill -KILL 2>/dev/null || true
	wait 2>/dev/null || true
	wait_for 5 restored || fail "killed by name after $delay s: kptr_restrict stays $(cat /proc/sys/kernel/kptr_restrict)"
	wait_for 10 no_probes || fail "killed by name after $delay s: $(cat /sys/kernel/debug/kprobes/list)"
done
# And the next one starts as if nothing had been.
vmtrace verify || fail "verify after the kills"
