# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 180
# The plan that the self-test finds wrong is given up for the next one, and only then vmtrace gives
# up. What makes them wrong is a BTF that swaps two registers, ecx and edx: every plan that reads the
# request of alloc_vmap_area from them sees a range that the kernel never searched.
. /guest/lib.sh

at() { strings -n 2 -t d /boot/btf-generic | awk -v name="$1" '$2 == name { print $1; exit }'; }
put() { printf %s "$1" | dd of=/tmp/wrong bs=1 seek="$2" conv=notrunc 2>/dev/null; }
# swapped REGISTER REGISTER: a BTF with their places swapped, in /tmp/wrong
swapped() {
	cp /boot/btf-generic /tmp/wrong
	put "$2" "$(at "$1")"
	put "$1" "$(at "$2")"
	! cmp -s /boot/btf-generic /tmp/wrong || fail "the BTF is not wrong"
}

# No plan is left if the area itself cannot be read; and that is no lost event.
swapped ax ds
expect 77 "plan 'insert': .* no other plan works either" vmtrace map --btf=/tmp/wrong

swapped cx dx

expect 2 'not a list of insert, return and tracepoint' vmtrace map --probe-plan=fly
expect 77 "plan 'return': the kernel searched" vmtrace map --btf=/tmp/wrong --probe-plan=return
vmtrace doctor --btf=/tmp/wrong --probe-plan=return >/tmp/doctor 2>&1 && fail "doctor is content: $(cat /tmp/doctor)"
grep -q "plan 'return': the kernel searched" /tmp/doctor || fail "doctor does not say why: $(cat /tmp/doctor)"
[ -z "$(grep vmtrace /sys/kernel/tracing/kprobe_events)" ] || fail "probes were left: $(cat /sys/kernel/tracing/kprobe_events)"

if grep -q ' perf_trace_alloc_vmap_area$' /proc/kallsyms; then
	vmtrace doctor --btf=/tmp/wrong >/tmp/doctor 2>&1 || fail "no plan is left: $(cat /tmp/doctor)"
	cat /tmp/doctor
	grep -q "given up: insert: the kernel searched" /tmp/doctor || fail "insert is not given up"
	grep -q "given up: return: the kernel searched" /tmp/doctor || fail "return is not given up"
	grep -q "plan  *'tracepoint'" /tmp/doctor || fail "not the plan that is right"
	start_verify /tmp/verify --duration=100s --btf=/tmp/wrong
	stim mixed 1000 4 >/tmp/stim || fail "stim: $(tail -n 3 /tmp/stim)"
	sleep 2
	end_verify /tmp/verify
else
	expect 77 "tracepoint vmalloc:alloc_vmap_area is not there" vmtrace map --probe-plan=tracepoint
	expect 77 "plan 'insert': the kernel searched" vmtrace map --btf=/tmp/wrong
fi
[ -z "$(grep vmtrace /sys/kernel/tracing/kprobe_events)" ] || fail "probes were left: $(cat /sys/kernel/tracing/kprobe_events)"
