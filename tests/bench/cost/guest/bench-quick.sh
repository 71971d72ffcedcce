# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# title: that the benchmarks run
# limit: 100
# cpus: 2
. /guest/bench/lib.sh

insmod /kmod/vmbench.ko
WINDOW_MS=200
hooks area >/tmp/hooks.area
[ "$(grep -c . /tmp/hooks.area)" -ge 4 ] || fail "hooks: $(cat /tmp/hooks.area)"
measure nothing vmalloc 100 nothing
measure "jit=0 area: empty programs" vmalloc 100 floor area
measure "jit=0 area: stacks" vmalloc 100 vmtrace --probes=area
assert_eq "$lost" 0 "lost"
