# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# A recording that holds a loss and no snapshot after it: every number derived from the map
# carries '~', live and read back.
. /guest/lib.sh

load_module vmtest
recording_with_loss /tmp/events 31
# up to the first loss
awk '{ print } /"type":"lost"/ { exit }' /tmp/events >/tmp/cut
vmtrace map -i /tmp/cut >/tmp/map 2>/tmp/err
head -n 3 /tmp/map
grep -q '~' /tmp/map && sed -n 2,3p /tmp/map | grep -q '~[0-9]' || fail "no number is marked with ~"
grep -q 'cut off' /tmp/err || fail "the missing trailer was not told: $(cat /tmp/err)"
# the whole recording healed
vmtrace map -i /tmp/events >/tmp/whole
if sed -n 2,3p /tmp/whole | grep -q '~[0-9]'; then
	fail "still uncertain after the last snapshot: $(head -n 3 /tmp/whole)"
fi
