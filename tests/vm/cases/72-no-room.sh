# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# vm: own
# Exactly when the tool is needed most there may be no room for its ring: by itself it goes without,
# asked for a ring it says what would fit, and snapshot works.
. /guest/lib.sh

load_module vmtest
# Two holes of 504K, everything else filled: too little for the default ring (536K in one piece),
# enough for a small one and for the percpu chunk (264K) that the probes may take. What lies around
# them is too large for any hole further down.
for name in one two; do
	vmtest "vmap below-$name 130"
	vmtest "vmap gap-$name 125"
	vmtest "vmap above-$name 130"
done
n=0
for pages in 4096 1024 256 64 16; do
	while vmtest "vmap v$n $pages" 2>/dev/null; do n=$((n + 1)); [ $n -lt 400 ] || break; done
done
vmtest "free gap-one"
vmtest "free gap-two"
vmtrace snapshot | head -n 3
rc=0
vmtrace map --transport=ring 2>/tmp/err || rc=$?
cat /tmp/err
assert_eq "$rc" 1 "exit code"
grep -q 'largest vmalloc hole is .* tracing needs .* --transport=perf or --ring=16K' /tmp/err || fail "no room is not told"
vmtrace verify --ring=16K || fail "--ring=16K does not work either"

# Left to itself it takes the way that needs no hole.
vmtrace verify >/tmp/out 2>/tmp/err || fail "does not start by itself: $(cat /tmp/err)"
cat /tmp/err /tmp/out
grep -q 'using perf buffers, which take none of it' /tmp/err || fail "it does not say what it does"
