# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# Two vmtraces started in the same moment do not disturb each other.
. /guest/lib.sh

load_module vmtest
vmtrace verify --json --duration=4s >/tmp/one 2>/tmp/one.err &
one=$!
vmtrace verify --json --duration=4s >/tmp/two 2>/tmp/two.err &
two=$!
sleep 2
vmtest "mixed 20000 5 0"
vmtest wait
wait $one || fail "the first: $(cat /tmp/one.err /tmp/one)"
wait $two || fail "the second: $(cat /tmp/two.err /tmp/two)"
cat /tmp/one /tmp/two
assert_exact /tmp/one
assert_exact /tmp/two
