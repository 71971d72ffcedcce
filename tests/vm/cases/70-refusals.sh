# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# What does not work is told in one line with what to do, and with the right exit code.
. /guest/lib.sh

echo 'root::0:0::/root:/bin/sh
user::1000:1000::/tmp:/bin/sh' >/etc/passwd 2>/dev/null || { mkdir -p /etc && echo 'root::0:0::/root:/bin/sh
user::1000:1000::/tmp:/bin/sh' >/etc/passwd; }
as_user() { su user -c "$*"; }

expect 1 'need root' as_user /bin/vmtrace
expect 1 'need root' as_user /bin/vmtrace layout
expect 2 "no command 'fly'" vmtrace fly
expect 2 'unrecognized option' vmtrace map --fly
expect 2 'unrecognized option' vmtrace layout --ring=4K
expect 2 'power of two' vmtrace map --ring=5000
expect 2 'not a number' vmtrace map --stack-depth=99
expect 2 'one word too many' vmtrace map twice
expect 1 'cannot read' vmtrace map -i /no/such/file
echo junk >/tmp/junk
expect 1 'not a vmtrace recording' vmtrace map -i /tmp/junk

# A bad --btf is told as such, not as a kernel that refuses.
: >/tmp/empty
# A header without types or names (include/uapi/linux/btf.h).
printf '\237\353\1\0\30\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0' >/tmp/no-types
expect 1 "cannot read BTF file '/no/such/file': No such file" vmtrace map --btf /no/such/file
expect 1 "cannot read BTF file '': No such file" vmtrace map --btf=
expect 1 "cannot read BTF file '/tmp': it is a directory" vmtrace map --btf /tmp
expect 1 "cannot read BTF file '/dev/zero': it is not a regular file" vmtrace map --btf /dev/zero
expect 1 "'/tmp/junk' is not a BTF file" vmtrace map --btf /tmp/junk
expect 1 "'/tmp/empty' is not a BTF file" vmtrace map --btf /tmp/empty
expect 1 "'/bin/busybox' is not a BTF file" vmtrace map --btf /bin/busybox
expect 1 "'/tmp/no-types' has no struct vmap_area: is it of a 32-bit x86 kernel?" vmtrace map --btf /tmp/no-types

echo 0 >/sys/kernel/debug/kprobes/enabled
expect 77 'kprobes are switched off' vmtrace map
vmtrace doctor >/tmp/doctor && fail "doctor says that tracing works without kprobes"
grep -q '^STOP  kprobes' /tmp/doctor || fail "doctor does not name kprobes: $(cat /tmp/doctor)"
echo 1 >/sys/kernel/debug/kprobes/enabled

# 7.3 refuses the 0: ftrace cannot be disabled there any more.
if echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled; then
	expect 77 'ftrace_enabled' vmtrace map
	echo 1 >/proc/sys/kernel/ftrace_enabled
fi

# kptr_restrict=2 is the user's will: no seed, everything else works.
echo 2 >/proc/sys/kernel/kptr_restrict
vmtrace map >/tmp/out 2>/tmp/err || fail "map under kptr_restrict=2: $(cat /tmp/err)"
grep -q 'kptr_restrict=2 hides' /tmp/err || fail "kptr_restrict=2 is not told: $(cat /tmp/err)"
grep -q 'works here' /tmp/err && fail "plans are given up for want of symbols: $(cat /tmp/err)"
vmtrace doctor >/tmp/doctor 2>&1 || fail "doctor under kptr_restrict=2: $(cat /tmp/doctor)"
grep -q "plan  *'insert'" /tmp/doctor || fail "not the usual plan under kptr_restrict=2: $(cat /tmp/doctor)"
# What comes and goes is told once, although nothing is known of the kernel's code.
vmtrace events --json --duration=20s >/tmp/hidden 2>/tmp/err &
pid=$!
wait_for 20 grep -q watching /tmp/err || fail "no events under kptr_restrict=2: $(cat /tmp/err)"
stim map 100000 5 >/tmp/stim || fail "stim: $(cat /tmp/stim)"
sleep 2
kill -INT $pid
wait $pid || fail "events under kptr_restrict=2 ends with $?"
assert_eq "$(grep '"comm":"stim"' /tmp/hidden | grep '"type":"alloc"' | grep -c '"size":106496')" 5 "allocations of 100000 bytes"
expect 1 'kptr_restrict' vmtrace snapshot
assert_eq "$(cat /proc/sys/kernel/kptr_restrict)" 2 "kptr_restrict after a run"
vmtrace verify --seed=sysctl || fail "verify --seed=sysctl under kptr_restrict=2"
assert_eq "$(cat /proc/sys/kernel/kptr_restrict)" 2 "kptr_restrict after --seed=sysctl"

vmtrace live --duration=300ms >/tmp/out 2>/tmp/err || fail "live under kptr_restrict=2 ends with $?: $(cat /tmp/err)"
echo 0 >/proc/sys/kernel/kptr_restrict

# Output that does not arrive is a failure; a recording that was cut off is incomplete.
vmtrace events --json --duration=100ms >/tmp/rec 2>/dev/null
expect 1 'cannot write the output' sh -c 'vmtrace map -i /tmp/rec >/dev/full'
expect 1 'cannot write the output' sh -c 'vmtrace events --json -i /tmp/rec >/dev/full'
grep -v trailer /tmp/rec >/tmp/cut
expect 0 'cut off' vmtrace map -i /tmp/cut
expect 4 'cut off' vmtrace map --strict -i /tmp/cut

# A reader that goes away is a quiet end.
rc=0
{ vmtrace live --interval=100ms 2>/tmp/err || rc=$?; echo "$rc" >/tmp/rc; } | head -n 1 >/dev/null
assert_eq "$(cat /tmp/rc)" 0 "exit code of live | head"
# A kernel may lack an optional probe; that is told at the start.
! grep -v '^vmtrace: note: probe ' /tmp/err || fail "live | head is not quiet: $(cat /tmp/err)"
for view in live events; do
	{ vmtrace $view --duration=5s 2>/tmp/err || rc=$?; echo "$rc" >/tmp/rc; } | true
	assert_eq "$(cat /tmp/rc)" 0 "exit code of $view | true"
	! grep -v -e '^vmtrace: note: probe ' -e 'watching; Ctrl-C' /tmp/err || fail "$view | true is not quiet: $(cat /tmp/err)"
done
