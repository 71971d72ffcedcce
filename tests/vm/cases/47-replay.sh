# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 180
# vm: own
# What live printed while it recorded is what replay prints from the recording, byte for byte: under
# load, when nothing happens, ended by a signal in the middle of the load, and with losses. On the
# host, too (47-replay.host.sh).
. /guest/lib.sh

load_module vmtest
mkdir -p /tmp/bulk
cd /tmp/bulk

# start_live NAME OPTION...: in the background, until its first block is there. Its pid is left in
# watcher.
start_live() {
	local name=$1
	shift
	fresh "$name.live"
	vmtrace "$@" --interval=500ms -o "$name.vmt" >"$name.live" 2>"/tmp/$name.err" &
	watcher=$!
	wait_for 20 grep -q 'largest hole' "$name.live" || fail "no block: $(cat "/tmp/$name.err")"
}

# The end of live, and what its replay prints. Behind the totals live has the comparison with the
# kernel's list, which a recording cannot have.
check_replay() {
	local name=$1 blocks
	wait "$watcher" || fail "live ended with $?: $(cat "/tmp/$name.err")"
	cat "/tmp/$name.err"
	sed -n '/^watched /,$p' "$name.live"
	sed '/^watched /q' "$name.live" >"$name.blocks"
	rm "$name.live"
	blocks=$(grep -c '^---' "$name.blocks") || fail "$name has no blocks"
	[ "$blocks" -ge "$2" ] || fail "$name has only $blocks blocks"
	vmtrace replay --interval=500ms "$name.vmt" >/tmp/replayed
	diff "$name.blocks" /tmp/replayed || fail "$name: replay prints something else"
	vmtrace events --json -i "$name.vmt" >/tmp/replay.jsonl
	vmtrace replay --interval=500ms /tmp/replay.jsonl >/tmp/replayed
	diff "$name.blocks" /tmp/replayed || fail "$name: replay of JSON Lines prints something else"
	echo "$name: $blocks blocks are the same"
}

# load SEED ROUNDS: with pauses, so that blocks fall into it and between.
load() {
	local i
	for i in $(seq "$2"); do
		vmtest "mixed 700 $(($1 + i)) 0 keep"
		vmtest wait
		sleep 0.3
	done
}

echo '# load, a failure, and quiet for a while'
start_live load --duration=8s
load 1 8
vmtest "fail 200M"
check_replay load 16
grep -q 'LAST FAILURE' load.blocks || fail "no failure in the blocks"
for at in 1.5s 3s 7s; do
	sed -n "/^--- +${at%s}\(\.0\)\{0,1\}s /,/^---/p" load.blocks | sed '1b; /^---/,$d' >/tmp/block
	[ -s /tmp/block ] || fail "no block of +$at: $(grep '^---' load.blocks)"
	vmtrace replay --at=$at load.vmt >/tmp/replayed
	diff /tmp/block /tmp/replayed || fail "--at=$at prints another block"
done
expect 2 'ends .* after its begin' vmtrace replay --at=1m load.vmt

echo '# ended by a signal in the middle of the load'
start_live signal
load 20 5 &
loader=$!
sleep 1.7
kill -INT "$watcher"
check_replay signal 4
wait "$loader"

echo '# with losses'
start_live lossy --ring=4K --transport=ring
load 30 6
kill -INT "$watcher"
check_replay lossy 4
if grep -q 'lost [1-9]' lossy.blocks; then echo "events were lost"; else echo "nothing was lost"; fi

echo '# without a list of the kernel'
echo 2 >/proc/sys/kernel/kptr_restrict
start_live unseeded
load 40 2
kill -INT "$watcher"
check_replay unseeded 2
echo 0 >/proc/sys/kernel/kptr_restrict

echo '# as fast as it was'
begin=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
vmtrace replay --interval=500ms --speed=4 load.vmt >/tmp/replayed
end=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
diff load.blocks /tmp/replayed || fail "with --speed=4 it prints something else"
took=$((end - begin))
echo "8 s at --speed=4: $took hundredths of a second"
[ $took -ge 190 ] || fail "it took $took hundredths of a second, not 200"

stty -F /dev/ttyS1 raw 2>/dev/null || stty raw </dev/ttyS1
tar -cf - . | gzip >/tmp/bulk.tgz
cat /tmp/bulk.tgz >/dev/ttyS1
sleep 1
