# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 120
# vm: own
# A recording made here shows the same on the host (46-record-elsewhere.host.sh): what the views
# print goes there, with the recording.
. /guest/lib.sh

load_module vmtest
mkdir -p /tmp/bulk
cd /tmp/bulk
vmtrace record -o a.vmt 2>/tmp/err &
recorder=$!
wait_for 20 grep -q 'recording into' /tmp/err || fail "no recording: $(cat /tmp/err)"
load_module textbook
vmtest "mixed 3000 1 0 keep"
vmtest wait
vmtest "fail 200M"
rmmod textbook
sleep 2
kill -INT "$recorder"
wait "$recorder" || fail "the recording ended with $?: $(cat /tmp/err)"
cat /tmp/err
vmtrace info -i a.vmt
vmtrace info -i a.vmt | grep -q '^ modules .* vmtest' || fail "the recording does not know the module vmtest"
vmtrace info -i a.vmt | grep -q '^ kernel.cmdline .*vmtrace.run' || fail "the recording does not know the command line"
n=0
while read -r view; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	vmtrace $view -i a.vmt >view$n
	echo "$view" >view$n.arguments
done <<END
map
map --json
map --areas
holes
holes --json
top --by=stack
top --by=stack --json
top --by=module --sort=count
top --sort=waste
events --stacks
events --json
why
why --json
fit 1M 64K --json
live
info --json
END
stty -F /dev/ttyS1 raw 2>/dev/null || stty raw </dev/ttyS1
tar -cf - . | gzip >/tmp/bulk.tgz
cat /tmp/bulk.tgz >/dev/ttyS1
sleep 1
