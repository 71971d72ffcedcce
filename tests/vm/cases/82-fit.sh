# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 420
# fit against the kernel: 1,000 random requests in random states, the answer first, then the real
# allocation. What is promised must happen, at the address told where it is told as certain, and with
# the kernel's free tree at hand nearly all are. Then without it: less is promised, all of it is kept.
# VMTRACE_APPEND=fit_seeds=1,2,3 makes it 3,000.
. /guest/lib.sh

# count_of KEY: a number of the last line of fittrial.
count_of() { sed -n "s/^fittrial: .*[ ]$1=\([0-9]*\).*/\1/p" /tmp/trial; }

# trials COUNT SEED [blind]: none may go otherwise than told.
trials() {
	local rc=0
	fittrial "$@" >/tmp/trial 2>&1 || rc=$?
	cat /tmp/trial
	assert_eq "$rc" 0 "exit code of fittrial $*"
	assert_eq "$(count_of wrong)" 0 "trials that did not go as told"
	[ "$(count_of disturbed)" -le 10 ] || fail "something else uses the space"
}

[ -e /kmod/vmtest.ko ] || skip "no module can be built for this kernel"
load_module vmtest
seeds=$(sed -n 's/.*\bfit_seeds=\([0-9,]*\).*/\1/p' /proc/cmdline | tr , ' ')
for seed in ${seeds:-1}; do
	trials 1000 "$seed"
	[ "$(count_of no)" -ge 100 ] || fail "too few trials that had to fail"
	[ "$(count_of after_purge)" -ge 50 ] || fail "too few trials that needed a purge"
	[ "$(count_of perhaps)" -le 10 ] || fail "too many answers that promise nothing"
	[ $(($(count_of yes) + $(count_of after_purge) - $(count_of certain))) -le 10 ] || fail "too many places are not certain"
	vmtest freeall
done
trials 300 2 blind
[ "$(count_of elsewhere)" -gt 0 ] || fail "without /proc/kcore the tree is still known"

# The space is as the trials left it: a screen for a person, and the exit codes. 2M more than the
# largest hole: vmtrace's own areas, which may lie elsewhere each time, are less than that.
size=$(($(vmtrace map --json | sed 's/.*"largest_hole_after_purge_bytes":\([0-9]*\).*/\1/') / 1048576 + 2))M
rc=0
vmtrace fit "$size" >/tmp/out || rc=$?
cat /tmp/out
assert_eq "$rc" 3 "exit code of a size that does not fit"
grep -q "^$size vmalloc: NO: largest hole" /tmp/out || fail "it does not say NO"
[ "$(wc -l </tmp/out)" -le 24 ] || fail "more than one screen"
vmtrace fit 4K || fail "a page does not fit"
expect 2 'is not a size' vmtrace fit 16X
vmtest freeall
