# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 240
# vm: own
# accel: tcg,thread=single
# A recording shows what happened: one that ended, one whose recorder was killed, one on a disk
# that was full, and each file of a ring. The oracle is the kernel's own list. A recorder that ends by itself
# takes its probes away beside the load: docs/KERNELS.md, a trap of the laboratory.
. /guest/lib.sh

# start_record FILE OPTION...: in the background, until it records. Its pid is left in recorder.
start_record() {
	local err=$1.err
	fresh "$err"
	vmtrace record -o "$@" 2>"$err" &
	recorder=$!
	wait_for 20 grep -q 'recording into' "$err" || fail "no recording: $(cat "$err")"
}

stop_record() {
	local rc=0
	kill -INT "$recorder"
	wait "$recorder" || rc=$?
	cat "$1.err"
	assert_eq "$rc" 0 "exit code of record"
}

# What the module still holds: of the kernel, and of a recording. Blocks of vm_map_ram and percpu
# have no caller in the kernel's list.
kernel_areas() { vmallocinfo_real | sed -n 's/^0x\([0-9a-f]*\)-0x\([0-9a-f]*\) .*\[vmtest\].*/\1-\2/p' | sort; }
recorded_areas() { vmtrace map --areas -i "$1" 2>/dev/null | grep -v -e ' lazy ' -e ' vm_map_ram ' -e ' percpu ' | sed -n 's/^ *\([0-9a-f]*-[0-9a-f]*\) .*\[vmtest\].*/\1/p' | sort; }
assert_same_areas() {
	kernel_areas >/tmp/kernel
	recorded_areas "$1" >/tmp/recorded
	[ "$(wc -l </tmp/kernel)" -gt 10 ] || fail "the module holds too little: $(cat /tmp/kernel)"
	diff /tmp/kernel /tmp/recorded || fail "$1 ends with other areas than the kernel has"
}
# What vfree left to a kworker may be freed late: then it lies in the two seconds that a kill takes away.
has_been_quiet() {
	kernel_areas >/tmp/before
	sleep 2.5
	kernel_areas >/tmp/after
	cmp -s /tmp/before /tmp/after
}

load_module vmtest
cd /tmp
# Frees from interrupts are done a little later: "wait" waits for these too.

echo '# a recording that ends'
start_record a.vmt
vmtest "mixed 5000 1 0 keep"
vmtest wait
sleep 1
stop_record a.vmt
assert_same_areas a.vmt
ls -l a.vmt
[ "$(stat -c %a a.vmt)" = 600 ] || fail "others may read a.vmt"
vmtrace events --json -i a.vmt >a.jsonl
[ "$(grep -c '"type":"alloc"' a.jsonl)" -gt 2000 ] || fail "too few events"
assert_stacks_defined a.jsonl
for view in "map --json" "map --areas" "holes --json" "top --by=stack --json" "events"; do
	# shellcheck disable=SC2086
	vmtrace $view -i a.vmt >of_vmt
	# shellcheck disable=SC2086
	vmtrace $view -i a.jsonl >of_jsonl
	cmp of_vmt of_jsonl || fail "$view differs between a.vmt and a.jsonl"
done
expect 1 'exists already; --force' vmtrace record -o a.vmt

echo "# killed: all is there but the last two seconds"
start_record k.vmt
vmtest "mixed 3000 2 0 keep"
vmtest wait
wait_for 30 has_been_quiet || fail "the module never comes to rest"
kill -KILL "$recorder"
wait "$recorder" 2>/dev/null || true
assert_same_areas k.vmt
expect 0 'was not finished' vmtrace map -i k.vmt
expect 4 'was not finished' vmtrace map --strict -i k.vmt

echo '# the disk is full'
mkdir -p full
mount -t tmpfs -o size=256k tmpfs full
start_record full/f.vmt
vmtest "mixed 20000 3 0"
vmtest wait
rc=0
wait "$recorder" || rc=$?
cat full/f.vmt.err
assert_eq "$rc" 1 "exit code on a full disk"
grep -q 'No space left on device' full/f.vmt.err || fail "it does not say that the disk is full"
expect 0 'was not finished' vmtrace map -i full/f.vmt
[ "$(vmtrace events -i full/f.vmt 2>/dev/null | wc -l)" -gt 500 ] || fail "too few events on the full disk"
umount full

echo '# one file of at most --max-size'
rc=0
vmtrace record -o m.vmt --max-size=128K --duration=60s 2>m.err &
recorder=$!
wait_for 20 grep -q 'recording into' m.err || fail "no recording: $(cat m.err)"
vmtest "mixed 20000 4 0"
vmtest wait
wait "$recorder" || rc=$?
cat m.err
assert_eq "$rc" 0 "exit code at --max-size"
grep -q 'has reached --max-size' m.err || fail "it does not say that the file is full"
size=$(stat -c %s m.vmt)
[ "$size" -le 131072 ] && [ "$size" -gt 90000 ] || fail "the file has $size bytes"
vmtrace map -i m.vmt >/dev/null 2>m.err
[ ! -s m.err ] || fail "it is not complete: $(cat m.err)"

echo '# a ring'
start_record r.vmt --rotate=3 --max-size=128K
vmtest "mixed 40000 5 0"
vmtest wait
vmtest "mixed 500 6 0 keep"
vmtest wait
sleep 1
stop_record r.vmt
ls -l r.vmt.*
newest=$(sed -n "s/.* into '\(r.vmt.[123]\)' (file .*/\1/p" r.vmt.err)
[ "$(sed -n 's/.* of the ring, begun \([0-9]*\)).*/\1/p' r.vmt.err)" -gt 3 ] || fail "the ring did not go round"
assert_same_areas "$newest"
for i in 1 2 3; do
	[ "$(stat -c %s r.vmt.$i)" -le 131072 ] || fail "r.vmt.$i is too large"
	vmtrace map --json -i r.vmt.$i >r.json 2>r.err
	[ ! -s r.err ] || fail "r.vmt.$i is not complete: $(cat r.err)"
	assert_eq "$(json_number r.json unknown_bytes)" 0 "unknown bytes at the end of r.vmt.$i"
	[ "$(json_number r.json areas)" -gt 20 ] || fail "r.vmt.$i has too few areas"
done
