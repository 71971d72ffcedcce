# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# vm: own
# Exactly when the tool is needed most there may be no room for it: it says so, names a ring that
# fits, and snapshot works.
. /guest/lib.sh

load_module vmtest
# Fill from large to small until less than the default ring is left in one piece.
n=0
for pages in 4096 1024 256 100; do
	while vmtest "vmap v$n $pages" 2>/dev/null; do n=$((n + 1)); [ $n -lt 400 ] || break; done
done
vmtrace snapshot | head -n 3
rc=0
vmtrace map 2>/tmp/err || rc=$?
cat /tmp/err
assert_eq "$rc" 1 "exit code"
grep -q 'largest vmalloc hole is .* tracing needs .* --ring=16K' /tmp/err || fail "no room is not told"
vmtrace verify --ring=16K || fail "--ring=16K does not work either"
