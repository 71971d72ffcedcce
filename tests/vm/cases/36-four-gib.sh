# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 420
# More than 4 GiB through the ring: with the switch-over events still flow; without it (the control)
# the ring of a 6.1 kernel is dead, which shows that this tests something.
. /guest/lib.sh

# flooded FILE OPTION...: a recording with 4.5 GiB pushed through its ring, and then one vmalloc.
# What ringflood said is left in flood, its exit code in rc.
flooded() {
	local file=$1
	shift
	start_recording "$file" -v "$@"
	rc=0
	flood=$(ringflood 4608) || rc=$?
	echo "$flood, exit $rc"
	# The dead ring still takes what is left of one ring size of data.
	vmtest "mixed 5000 71 0"
	vmtest wait
	vmtest "vmalloc after 300000"
	vmtest "free after"
	sleep 1
	stop_recording "$file"
}

after_is_in() { grep '"type":"alloc"' "$1" | grep -q '"requested":300000[,}]'; }

load_module vmtest
flooded /tmp/switched
assert_eq "$rc" 0 "exit code of ringflood"
grep -c 'the ring was replaced' /tmp/switched.err | grep -qx 2 || fail "not two switches: $(cat /tmp/switched.err)"
after_is_in /tmp/switched || fail "no event after 4.5 GiB"

flooded /tmp/control --ring-limit=0
# The kernel's half of it is mended in 7.2; there an own consumer is enough.
case $(uname -r) in
7.*)
	assert_eq "$rc" 0 "exit code of ringflood without the switch-over"
	after_is_in /tmp/control || fail "no event after 4.5 GiB without the switch-over"
	exit 0
	;;
esac
assert_eq "$rc" 3 "exit code of ringflood without the switch-over"
if after_is_in /tmp/control; then
	fail "the control lives: this kernel's ring does not die, so this tests nothing"
fi
grep -q '"cause":"ring"' /tmp/control || fail "the control's loss was not counted"
