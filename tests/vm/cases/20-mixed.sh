# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 900
# 10^6 operations on two CPUs, of the test module and from user space together, with failures,
# purges and exhaustion among them: the map that the events built equals the kernel's own list,
# nothing was lost, and the comparisons on the way (--reconcile) found nothing to put right.
. /guest/lib.sh

OPERATIONS=1000000
FROM_USER=10000
PURGES=/sys/kernel/tracing/events/kprobes/case_purge
KPROBES=/sys/kernel/tracing/kprobe_events

# The kernel's own count of purges, by a probe that is not vmtrace's. Set and removed while all is
# quiet: see "stale code" in docs/KERNELS.md.
purge=$(awk '$3 ~ /^__purge_vmap_area_lazy(\.|$)/ { print $3; exit }' /proc/kallsyms)
count_purges() {
	trap 'vmtest stop; vmtest wait; end_purges' EXIT
	echo "p:case_purge $purge" >>$KPROBES
	echo 1 >$PURGES/enable
}
end_purges() {
	trap - EXIT
	purges=$(awk '$1 == "case_purge" { print $2 }' /sys/kernel/tracing/kprobe_profile)
	echo 0 >$PURGES/enable
	echo "-:case_purge" >>$KPROBES
}

reached() { [ "0$(operations 2)" -ge "$1" ]; }

load_module vmtest
space=$(awk '/VmallocTotal/ { print $2 }' /proc/meminfo)
# A larger ring, since a busy host takes a CPU away from the guest for longer than 256K last.
start_verify /tmp/verify --duration=900s --reconcile=2s --ring=1M
count_purges
begin=$(uptime_cs)
vmtest "mixed 0 1 0"
vmtest "mixed 0 2 1"
stim load $FROM_USER 3 >/tmp/stim 2>&1 &
stim=$!
fails=0
while kill -0 $stim 2>/dev/null; do
	sleep 1
	vmtest "fail ${space}K"
	vmtest "fail_many 20 20"
	fails=$((fails + 21))
done
rc=0
wait $stim || rc=$?
# With little memory the space is all that memory leaves, and cannot be filled.
if [ "$space" -lt 204800 ]; then
	vmtest "exhaust 64K"
	fails=$((fails + 1))
fi
wait_for 600 reached $((OPERATIONS - FROM_USER)) || true
module=$(operations 2)
# Before anything that may fail: its end under this load would be the end of the VM.
vmtest stop
vmtest wait
assert_eq "$rc" 0 "exit code of stim: $(tail -n 3 /tmp/stim)"
tail -n 1 /tmp/stim | grep "ops=$FROM_USER failed=0"
[ "$module" -ge $((OPERATIONS - FROM_USER)) ] || fail "only $module operations of the module in 600 s and more"
echo "$((module + FROM_USER)) operations in $((($(uptime_cs) - begin) / 100)) s: $module of the module, $FROM_USER from user space; $fails failures asked for"
vmtest "mixed 5000 3 0 keep"
vmtest wait
sleep 1
end_purges
end_verify /tmp/verify
assert_eq "$(json_number /tmp/verify lost_events)" 0 "lost events"
assert_eq "$(json_number /tmp/verify healed)" 0 "areas healed or repaired: events were missed"
[ "$(json_number /tmp/verify reconciles)" -ge 1 ] || fail "no comparison on the way: that nothing was repaired tells nothing"
echo "purges: $purges counted by the kernel, $(json_number /tmp/verify purges) seen"
[ "$purges" -ge 20 ] || fail "too few purges: this tests nothing"
[ "$(json_number /tmp/verify purges)" -ge "$purges" ] || fail "the kernel counted $purges purges"
[ "$(json_number /tmp/verify failed)" -ge "$fails" ] || fail "$fails failures were asked for"
dmesg | grep 'vmtest: op=mixed done' | cut -c 1-100
[ "$(json_number /tmp/verify areas_model)" -gt 20 ] || fail "too few areas to compare"
