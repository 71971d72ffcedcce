# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# vm: own
# append: lockdown=confidentiality
# Under lockdown nothing can be traced, and vmtrace says which lockdown.
. /guest/lib.sh

mount -t securityfs securityfs /sys/kernel/security || true
grep -q '\[confidentiality\]' /sys/kernel/security/lockdown || skip "this kernel has no lockdown"
rc=0
vmtrace map 2>/tmp/err || rc=$?
cat /tmp/err
assert_eq "$rc" 77 "exit code"
grep -q "lockdown is 'confidentiality'" /tmp/err || fail "lockdown is not named"
